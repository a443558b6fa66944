# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL database as the application sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

MIGRATIONS_TABLE = "_prisma_migrations"


@dataclass(frozen=True)
class Target:
    """Where to log in, and as whom. ``options`` are libpq's connection options."""

    host: str
    port: int
    user: str
    database: str
    schema: str
    options: tuple[tuple[str, str], ...] = ()
    password: str = field(default="", repr=False)

    @property
    def place(self):
        """The target in words."""
        return "%s, port %d, database %s, user %s" % (self.host, self.port, self.database, self.user)


@dataclass(frozen=True)
class Migration:
    """A row of Prisma's table ``_prisma_migrations``."""

    name: str
    finished: bool
    rolled_back: bool

    @property
    def applied(self):
        """Whether the schema has it."""
        return self.finished and not self.rolled_back

    @property
    def failed(self):
        """Whether ``prisma migrate deploy`` refuses to go on because of it (P3009)."""
        return not self.finished and not self.rolled_back


@dataclass(frozen=True)
class Observation:
    """What a probe saw. ``migrations`` is None where Prisma's table is not there; ``rows`` are (table, count), None where counting
    took too long."""

    server_version: str
    migrations: tuple[Migration, ...] | None
    rows: tuple[tuple[str, int | None], ...]
