# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a statement of a migration does to code from before it: the four kinds, and the words for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign

ADDITIVE, CHANGES_DATA, TAKES_AWAY, UNKNOWN = "additive", "changes_data", "takes_away", "unknown"
LONGEST = 300  # characters of a text of an effect
WORST = (TAKES_AWAY, UNKNOWN, CHANGES_DATA, ADDITIVE)
"""The kinds, the worst first. What is not known is treated as if it took something away."""


def worst_kind(kinds: Iterable[str]) -> str:
    """The worst of several kinds; empty without any."""
    found = set(kinds)
    return next((kind for kind in WORST if kind in found), "")


@dataclass(frozen=True)
class Effect:
    """What one statement, or one command of an ALTER TABLE, does.

    ``table`` and ``column`` name what it is done to, empty where there is none; ``words`` is a clause for people. ``locks`` says who waits meanwhile,
    ``beware`` under which condition code from before would notice something that is additive; both are empty where there is nothing to say.
    """

    kind: str
    words: str
    table: str = ""
    column: str = ""
    locks: str = ""
    beware: str = ""

    @property
    def shown(self) -> Effect:
        """The same for people: names in it are whatever somebody has written into SQL, or into a store."""
        texts = {
            name: foreign(getattr(self, name), LONGEST) for name in ("words", "table", "column", "locks", "beware")
        }
        return replace(self, **texts)


@dataclass(frozen=True)
class ClassifiedMigration:
    """A migration by its name, with the Effects of its statements, in their order. ``checksums``: what Prisma may note of the file (SHA-256 in hex; it takes
    either kind of line end for the same)."""

    name: str
    effects: tuple[Effect, ...]
    checksums: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The worst kind of its effects; one without statements adds nothing and takes nothing away."""
        return worst_kind(effect.kind for effect in self.effects) or ADDITIVE

    @property
    def beware(self) -> tuple[str, ...]:
        """Under which conditions code from before would notice what is additive, each once."""
        return tuple(dict.fromkeys(effect.beware for effect in self.effects if effect.beware))

    def of_kind(self, *kinds: str) -> tuple[Effect, ...]:
        """Its Effects of these kinds."""
        return tuple(effect for effect in self.effects if effect.kind in kinds)
