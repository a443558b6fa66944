# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A migration that Prisma has applied to a database, or tried to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

MIGRATIONS_TABLE = "_prisma_migrations"
_TAKES_AWAY = re.compile(r"(?:^|_)(?:rename|drop|delete|remove|truncate|merge|split)(?:_|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Migration:
    """A row of Prisma's table ``_prisma_migrations``. ``started`` is an aware datetime, of the server's clock."""

    name: str
    started: datetime
    finished: bool = True
    rolled_back: bool = False

    @property
    def applied(self):
        """Whether the schema has it."""
        return self.finished and not self.rolled_back

    @property
    def failed(self):
        """Whether it came to no end and nobody has dealt with it: ``prisma migrate deploy`` refuses to go on (P3009)."""
        return not self.finished and not self.rolled_back

    @property
    def takes_away(self):
        """Whether it takes something away that code from before may need, as far as its name tells."""
        return _TAKES_AWAY.search(self.name) is not None
