# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of the release that is about to be deployed, by what its migrations do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    CHANGES_DATA,
    TAKES_AWAY,
    UNKNOWN,
    ClassifiedMigration,
    worst_kind,
)

CODE, SNAPSHOT = "code", "snapshot"
WAYS = (CODE, SNAPSHOT)
"""From the fastest to the slowest."""
_MOST = 3  # effects that are named


@dataclass(frozen=True)
class WayBack:
    """The fastest ``way`` back, one of WAYS, and ``why``, a clause. ``beware``: under which conditions it is one; ``locks``: who waits while it migrates."""

    way: str
    why: str
    beware: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()


def way_back(coming: Sequence[ClassifiedMigration]) -> WayBack:
    """The WayBack of a release that comes with these migrations: the code alone only where none of them takes away or changes anything."""
    kind = worst_kind(migration.kind for migration in coming)
    effects = [effect for migration in coming for effect in migration.effects]
    locks = tuple(dict.fromkeys(effect.locks for effect in effects if effect.locks))
    if not kind:
        return WayBack(CODE, "it comes with no migration")
    if kind == ADDITIVE:
        beware = tuple(dict.fromkeys(text for migration in coming for text in migration.beware))
        names = ", ".join(migration.name for migration in coming)
        return WayBack(CODE, "what it migrates is additive (%s)" % names, beware, locks)
    return WayBack(SNAPSHOT, reason_of(coming), (), locks)


def reason_of(migrations: Sequence[ClassifiedMigration]) -> str:
    """Why code from before migrations cannot simply run on: the first of the worst things that they do, as a clause."""
    kind = worst_kind(migration.kind for migration in migrations)
    worst = [(migration.name, effect) for migration in migrations for effect in migration.of_kind(kind)]
    named = ["%s (%s)" % (effect.words, name) for name, effect in worst[:_MOST]]
    more = "; and %d more" % (len(worst) - _MOST) if len(worst) > _MOST else ""
    return "%s: %s%s" % (_WORDS[kind], "; ".join(named), more)


_WORDS = {
    TAKES_AWAY: "it takes something away",
    UNKNOWN: "what it does is not known, so it counts as taking away",
    CHANGES_DATA: "it changes data",
}


def falls_short(found: WayBack, required: str) -> bool:
    """Whether a way back is slower than the one that is required."""
    return WAYS.index(found.way) > WAYS.index(required)
