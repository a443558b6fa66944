# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a run took from when its first play took the lock, whoever has gone on with it since. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import COMPLETE


@dataclass(frozen=True)
class Clocks:
    """In seconds: ``served``, until everybody was served, None where that was not seen; ``total``, until all was done. ``at_latest``: everybody may
    have been served before, since a play that has died has seen it and could not write it down."""

    served: float | None
    total: float
    at_latest: bool = False


def earlier(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the record of a run that goes on keeps of its earlier plays: dict(served: seconds, or None; total: seconds, of a complete run, or None).

    :param record: as it was before this play.
    """
    came_to = record.get("came_to") or {}
    before = record.get("earlier") or {}
    served = came_to.get("served")
    return dict(
        served=before.get("served") if served is None else served,
        total=came_to.get("seconds") if record.get("outcome") == COMPLETE else None,
    )


def clocks(
    record: Mapping[str, Any], now: float, served_at: float | None = None, as_before: bool = False, wrote: bool = True
) -> Clocks:
    """The Clocks of a run whose play ends.

    :param record: the record of the run; ``since`` is when its first play took the lock, ``earlier`` what ``earlier`` gave.
    :param now: seconds since 1970, as are all times here.
    :param served_at: when this play has seen that everybody is served, or None.
    :param as_before: whether that was so already when this play looked.
    :param wrote: whether this play has made a writing call.
    """
    since, before = record["since"], record.get("earlier") or {}
    done = before.get("total") if as_before and not wrote else None  # it was complete, and only looked at once more
    total = now - since if done is None else done
    if served_at is None:
        return Clocks(None, round(total, 1))
    if as_before and before.get("served") is not None:
        return Clocks(before["served"], round(total, 1))
    later = as_before and len(record["plays"]) > 1
    return Clocks(round(max(0.0, served_at - since), 1), round(total, 1), later)
