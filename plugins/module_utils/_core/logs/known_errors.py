# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors that a team knows and lives with: a list in which each has a reason and a last day. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError

_KEYS = ("pattern", "reason", "until")


@dataclass(frozen=True)
class Noise:
    """A known error. Once ``expired`` it counts again. ``until`` is the last day (date) on which it does not."""

    pattern: re.Pattern[str]
    reason: str
    until: date
    expired: bool


def read_noise(given: Iterable[Any], today: date) -> tuple[Noise, ...]:
    """The Noise in what an option gave (list of dict).

    :param today: date in UTC.
    :raises RollbackError: with every mistake as evidence.
    """
    found, mistakes = [], []
    for place, item in enumerate(given, 1):
        complaints = _complaints(item)
        mistakes += ["entry %d: %s" % (place, complaint) for complaint in complaints]
        if not complaints:
            until = date.fromisoformat(str(item["until"]))
            found.append(Noise(re.compile(item["pattern"]), item["reason"], until, until < today))
    if mistakes:
        raise RollbackError("The list of known noise (option noise) cannot be used. Nothing was read.", mistakes)
    return tuple(found)


def _complaints(item: Any) -> list[str]:
    if not isinstance(item, dict):
        return ["it is %s, not a mapping" % type(item).__name__]
    found = ["there is no key %s; there are %s" % (key, ", ".join(_KEYS)) for key in item if key not in _KEYS]
    found += ["%s is missing" % key for key in _KEYS if not item.get(key)]
    try:
        re.compile(str(item.get("pattern", "")))
    except re.error as error:
        found.append("pattern is no regular expression: %s" % error)
    try:
        if item.get("until"):
            date.fromisoformat(str(item["until"]))
    except ValueError:
        found.append("until is '%s', not a day like 2026-12-31" % item["until"])
    return found


def noise_result(noise: Iterable[Noise], hits: Iterable[int]) -> list[dict[str, Any]]:
    """Each Noise that has matched, in JSON types.

    :param hits: how many errors each has matched.
    """
    return [
        dict(
            pattern=item.pattern.pattern,
            reason=item.reason,
            until=item.until.isoformat(),
            count=count,
            expired=item.expired,
        )
        for item, count in zip(noise, hits)
        if count
    ]


def evidence_of_expired(noise: Iterable[Noise], hits: Iterable[int]) -> list[str]:
    """One line for each Noise that would have matched, had it not expired."""
    return [
        "%d of these were known noise (%s) until %s, which is over: renew the entry or fix the error"
        % (count, item.reason, item.until.isoformat())
        for item, count in zip(noise, hits)
        if count and item.expired
    ]
