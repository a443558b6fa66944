# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL database as the application sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import RuleSeen
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration


@dataclass(frozen=True)
class DatabaseLogin:
    """Where to log in, and as whom. ``options`` are libpq's connection options."""

    host: str
    port: int
    user: str
    database: str
    schema: str
    options: tuple[tuple[str, str], ...] = ()
    password: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """The target in words."""
        return "%s, port %d, database %s, user %s" % (self.host, self.port, self.database, self.user)


@dataclass(frozen=True)
class DatabaseSession:
    """Somebody who is connected: the role, what it calls itself, its address, and since when (aware datetime, None where we may not see it)."""

    role: str
    application: str
    address: str
    since: datetime | None

    @property
    def label(self) -> str:
        """For people."""
        named = " (%s)" % self.application if self.application else ""
        if self.since is None:
            return "role %s%s, of which this user may not see more" % (self.role, named)
        since = self.since.isoformat(timespec="seconds")
        return "role %s%s from %s since %s" % (self.role, named, self.address or "the server itself", since)


@dataclass(frozen=True)
class DatabaseContents:
    """What a database held at one moment.

    ``migrations`` is None where Prisma has no record, or where ``unread`` says why it is not known. ``rows`` are (table, count), None where counting
    took too long; ``created`` are the rows that came since a time, of each table that tells it, where that was asked for.
    """

    server_version: str
    migrations: tuple[Migration, ...] | None
    rows: tuple[tuple[str, int | None], ...]
    rules: tuple[RuleSeen, ...] = ()
    created: tuple[tuple[str, int | None], ...] = ()
    unread: str = ""
