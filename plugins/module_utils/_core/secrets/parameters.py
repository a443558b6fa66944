# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of a parameter comes back, and whether it has to be written. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.parameters import Parameter, Put
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import (
    VersionHistory,
    candidates,
    select_version,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import (
        Recorded,
        VersionChoice,
    )


def choose_version(
    parameter: Parameter, before: datetime | None, named: str | None = None, recorded: Recorded | None = None
) -> VersionChoice:
    """The VersionChoice of the version of a Parameter whose value comes back; see ``select_version``.

    :raises BadInput: the choice is not certain.
    """
    versions = parameter.versions
    return select_version(
        VersionHistory("parameters", parameter.name, parameter.current, versions, None, versions),
        before,
        named,
        recorded,
    )


def plan_put(parameter: Parameter, target: str, value: str, current_value: str) -> Put | None:
    """The Put that brings the value of a version back, None when the parameter has that value already.

    :param target: the version's number (str).
    :param value: its value.
    :param current_value: the value that applications read.
    :raises BadInput: there is no such version, or it has another type, which Parameter Store cannot change.
    """
    source, current = parameter.version(target), parameter.current
    if source is None:
        problem = "it has not, or no longer, version %s (Parameter Store keeps 100)" % target
        raise BadInput("parameters", parameter.name, problem, candidates(parameter.versions))
    if source.type != current.type:
        problem = "its version %s is a %s and the current one a %s" % (target, source.type, current.type)
        raise BadInput(
            "parameters", parameter.name, problem, "Parameter Store cannot change that: create it anew by hand."
        )
    return None if value == current_value else Put(parameter.name, source, current, parameter.tier, value)
