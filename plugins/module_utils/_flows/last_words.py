# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task said before it died: what broke, not the frames of its stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import entries
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import telling
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway

_MOST = 5  # lines that are reported
_LONGEST = 300  # characters of each


def last_words(gateway: LogsGateway, group: str, name: str) -> list[str]:
    """The lines that tell why a task died (list of str, at most 5, without secrets): of the first error among its last lines, else its last ones.

    What comes after the first error follows from it: what npm says of the process, what the database says of the connection.

    :param gateway: LogsGateway.
    :param group: log group.
    :param name: the stream.
    """
    lines = gateway.last_lines(group, name)
    error = next(entries(Event("", place, line, name) for place, line in enumerate(lines)), None)
    said = (
        telling(error[1])[:_MOST] if error else telling([part for line in lines for part in line.split("\n")])[-_MOST:]
    )
    return [without_secrets(foreign(line, _LONGEST)) for line in said]
