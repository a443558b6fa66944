# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check may come to. What could not be measured or read is inconclusive, and inconclusive is never passed; what is noted is right all the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional, TypeVar

PASSED, FAILED, INCONCLUSIVE, NOTED = "passed", "failed", "inconclusive", "noted"


V = TypeVar("V", str, Optional[str])


def overall(verdicts: Iterable[str]) -> str:
    """The verdict of several (iterable of str). Without any, nothing was measured."""
    found = set(verdicts)
    if FAILED in found:
        return FAILED
    return PASSED if found == {PASSED} else INCONCLUSIVE


def worst(
    found: Sequence[tuple[V, str, Sequence[str]]], order: Sequence[V] = (FAILED, INCONCLUSIVE, PASSED)
) -> tuple[V, str, list[str]] | None:
    """(verdict, reason, evidence) of several such, of those with the first verdict of ``order`` that some have; None without any."""
    for verdict in order:
        some = [item for item in found if item[0] == verdict]
        if some:
            return verdict, "; ".join(item[1] for item in some), [line for item in some for line in item[2]]
    return None
