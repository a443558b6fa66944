# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A migration that Prisma has applied to a database, or tried to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    TAKES_AWAY,
    UNKNOWN,
    ClassifiedMigration,
)

MIGRATIONS_TABLE = "_prisma_migrations"
LEDGER_READ = "read"
_UNREAD = {
    "denied": "Prisma 8's record, prisma_contract.ledger, may not be read by this user: GRANT USAGE ON SCHEMA prisma_contract, and SELECT on its tables",
    "other": "Prisma 8's record, prisma_contract.ledger, has other columns than its release candidates give it",
}
_TAKES_AWAY = re.compile(r"(?:^|_)(?:rename|drop|delete|remove|truncate|merge|split)(?:_|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Migration:
    """A row of Prisma's table ``_prisma_migrations``, or of Prisma 8's ``prisma_contract.ledger``, which has finished ones only.

    ``started`` is an aware datetime, of the server's clock. ``checksum`` is Prisma's (SHA-256 in hex), empty where there is none. ``classified`` is what a
    checkpoint has read in the very file that was applied, None where none has.
    """

    name: str
    started: datetime
    finished: bool = True
    rolled_back: bool = False
    checksum: str = ""
    classified: ClassifiedMigration | None = None

    @property
    def applied(self) -> bool:
        """Whether the schema has it."""
        return self.finished and not self.rolled_back

    @property
    def failed(self) -> bool:
        """Whether it came to no end and nobody has dealt with it: ``prisma migrate deploy`` refuses to go on (P3009)."""
        return not self.finished and not self.rolled_back

    @property
    def takes_away(self) -> bool:
        """Whether it takes something away that code from before may need: by its statements, where they were read; else as far as its name tells."""
        if self.classified:
            return self.classified.kind in (TAKES_AWAY, UNKNOWN)
        return _TAKES_AWAY.search(self.name) is not None

    @property
    def additive(self) -> bool:
        """Whether its statements were read, and code from before can run on with what they leave."""
        return self.classified is not None and self.classified.kind == ADDITIVE

    @property
    def described(self) -> str:
        """Its name, and what it does that code from before would notice, where that is known."""
        if self.classified is None or self.additive:
            return self.name
        worst, *_others = self.classified.of_kind(self.classified.kind)
        felt = [effect for effect in self.classified.effects if effect.kind != ADDITIVE]
        return "%s (%s%s)" % (self.name, worst.words, ", and more" if len(felt) > 1 else "")


def record(
    table: Iterable[Migration] | None, ledger: Iterable[Migration], state: str
) -> tuple[tuple[Migration, ...] | None, str]:
    """(the Migrations that Prisma has recorded, None where they are not known; why not, where there is a record that cannot be read).

    A database that came to Prisma 8 from an earlier one has both records; one alone would be taken for all.

    :param table: Migrations of ``_prisma_migrations``, None where it is not there.
    :param ledger: Migrations of ``prisma_contract.ledger``.
    :param state: of the ledger: ``none``, ``read``, ``denied`` or ``other``.
    """
    if state in _UNREAD:
        return None, _UNREAD[state]
    if table is None and state != LEDGER_READ:
        return None, ""
    return tuple(sorted((*(table or ()), *ledger), key=lambda item: item.started)), ""
