# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with variables only together, or only now, though each has the right form (``inputs``). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import SECRETS, of_playbook
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time

PAST = ("rollback_bad_since", "rollback_point_in_time", "rollback_secrets_before", "rollback_snapshot_before")
_LISTED = ("rollback_secrets", "rollback_parameters")
_OF_LISTED = ("rollback_secret_versions", "rollback_secret_keys", "rollback_backup_secrets")


def problems_together(variables: Mapping[str, Any], playbook: str, now: datetime) -> list[str]:
    """Every mistake, one sentence each.

    :param variables: name → value, each of the right form, or empty.
    :param playbook: the one at hand; what it does not use is not looked at.
    :param now: datetime with a zone.
    """
    used = {name: variables[name] for name in of_playbook(playbook) if variables.get(name)}
    found = [_future(name, used[name], now) for name in PAST if name in used]
    return [text for text in [*found, *_nothing(used, playbook), *_unlisted(used)] if text]


def _future(name: str, value: str, now: datetime) -> str | None:
    moment = parse_time(name, value)
    if moment is None or moment <= now:
        return None
    return "%s is %r, which is in the future: it is %s now. It must be a time that has passed." % (
        name, value, now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )  # fmt: skip


def _nothing(used: Mapping[str, Any], playbook: str) -> list[str]:
    if playbook != SECRETS or any(name in used for name in _LISTED):
        return []
    return [
        "rollback_secrets and rollback_parameters are empty: there is nothing this playbook could do. "
        "Set rollback_secrets to the secrets that are to go back, like [spymeo/production/app], or rollback_parameters."
    ]


def _unlisted(used: Mapping[str, Any]) -> list[str]:
    """Mappings about secrets or parameters of which none would be touched: there is no list at all."""
    if any(name in used for name in _LISTED):
        return []
    return [
        "%s is about %s, and rollback_secrets and rollback_parameters are empty, so nothing would come of it. Name them there, too."
        % (name, ", ".join(sorted(used[name])[:5]))
        for name in _OF_LISTED
        if name in used
    ]
