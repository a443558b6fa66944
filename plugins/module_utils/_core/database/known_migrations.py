# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which migrations a release knows, as far as a release point or the clock tells it. Pure: no AWS, no database, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration

# Pipelines migrate shortly before they deploy, and releases that migrate at their start do so right after it. What was started before a release came,
# or within this time of it, is its own (or within a quarter of the time that it served, where that is shorter).
CERTAIN = timedelta(minutes=5)
# Until then (or half of that time) nobody can tell whether a migration belongs to it or to the pipeline of the next one.
LEAD = timedelta(hours=1)
LONG = timedelta(days=1)  # a release that has served for so long on a migration works with it


@dataclass(frozen=True)
class Ran:
    """A time in which a release ran: ``name`` is its task definition; from ``since`` to ``until`` (aware datetimes), None while it does."""

    name: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Release:
    """What a service is to run with the data. ``served`` are the times (aware datetimes: from, to) in which it served, oldest first; the end of
    the last one is None while it does. ``bad`` are the Rans of what it is brought back from. ``known`` are the migrations that were applied while
    it served, as a release point recorded them, else None.
    """

    service: str
    name: str
    stays: bool
    served: tuple[tuple[datetime, datetime | None], ...] = ()
    known: tuple[str, ...] | None = None
    bad: tuple[Ran, ...] = ()

    @property
    def began(self) -> datetime:
        """When it served first."""
        return self.served[0][0]

    def knows(self, migration: Migration, now: datetime, bad_since: datetime | None = None) -> bool | None:
        """Whether its image knows a Migration: True, False, or None where that is not certain.

        A release point has recorded it. Else the times tell: it was started before the release came, or with it. What another release brought,
        which began later, and closer to the migration, is not its own, unless it has served on it since as one does that works.

        :param bad_since: aware datetime when the release began that is rolled back from, or None.
        """
        if self.known is not None:
            return migration.name in self.known
        if migration.started <= self._served_well_since():
            return True
        later = migration.started - self.began
        if bad_since and self.began < bad_since and abs(migration.started - bad_since) < later:
            return False
        served = (self.served[0][1] or now) - self.began
        if later <= min(CERTAIN, served / 4):
            return True
        return None if later <= min(LEAD, served / 2) else False

    def _served_well_since(self) -> datetime:
        """The last time from which on it served for long; what was there by then, it works with."""
        spans = [since for since, until in self.served[1:] if until and until - since >= LONG]
        return max([self.began, *spans])
