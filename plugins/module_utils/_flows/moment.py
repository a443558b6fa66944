# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the databases that a plan is about, and brings together what release, data and secret have to do with each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import (
    Counterpart,
    Expected,
    prove,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.known_migrations import Ran, Release
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.moment import (
    PlannedData,
    expected_migrations,
    moment_findings,
    since_restored,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import (
    Sequence,
    foreseen,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import DataRule
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
        DatabaseContents,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import Period

# What would be the same with the restored database, because it gets the same network and the same URL.
NO_WAY = ("P1001", "P1011", "P1013")


@dataclass(frozen=True)
class Known:
    """What the playbook has found out about the release: ``services`` and ``point`` in the JSON types of ecs_release_info and release_point."""

    services: list[dict[str, Any]]
    bad_since: str
    point: dict[str, Any]

    @classmethod
    def of(cls, option: Mapping[str, Any] | None) -> Known | None:
        """From the module's option ``release``, None without it."""
        return cls(option["services"], option["bad_since"], option["release_point"]) if option else None

    @property
    def recorded(self) -> dict[str, Any]:
        """The database of the release point (dict)."""
        return self.point.get("database") or {}

    def releases(self) -> list[Release]:
        """The Release of each service."""
        return [self._release(item) for item in self.services]

    def _release(self, item: Mapping[str, Any]) -> Release:
        by_point = not item["restarted"] and item["release"] == self.point.get("services", {}).get(
            item["name"], {}
        ).get("release")
        migrations = self.recorded.get("migrations") if by_point else None
        known = None if migrations is None else tuple(migrations)
        return release_of(item, item["restarted"], known)


def release_of(item: Mapping[str, Any], stays: bool, known: tuple[str, ...] | None = None) -> Release:
    """The Release of a service, in the JSON types of ecs_release_info."""
    # A release that stays may never have served, as one in a crash loop: it migrates at each of its starts all the same.
    spans = item["served"] or ([[item["since"], ""]] if stays and item["since"] else [])
    served = tuple((since, parse_time("served", until)) for begin, until in spans for since in _times([begin]))
    bad = (
        Ran(name, since, parse_time("bad", until))
        for name, begin, until in item.get("bad", ())
        for since in _times([begin])
    )
    return Release(item["name"], item["target"].rpartition("/")[2], stays, served, known, tuple(bad))


def later_migrations(
    services: Iterable[Mapping[str, Any]], migrations: Iterable[Migration] | None, now: datetime
) -> list[Migration]:
    """The Migrations of a database that came after a release which is to run on it, by the time when they were started.

    :param services: list of dict, as ecs_release_info tells them. What was started while one ``ran``, two times, is none that came after it.
    :param migrations: the tuple of Migration of the database, or None.
    """
    releases = [(release_of(item, False), _times(item.get("ran", ()))) for item in services]
    releases = [(release, ran) for release, ran in releases if release.served]
    standing = [item for item in migrations or () if not item.rolled_back]

    def later_than(migration: Migration, release: Release, ran: list[datetime]) -> bool:
        return not (ran and ran[0] <= migration.started <= ran[1]) and release.knows(migration, now) is not True

    return [item for item in standing if any(later_than(item, release, ran) for release, ran in releases)]


def taken_away(
    services: Iterable[Mapping[str, Any]], migrations: Iterable[Migration] | None, now: datetime
) -> list[str]:
    """The names of the Migrations for which an undo is refused that brings back what runs now, on the database of now: they have taken something away.

    :param services: list of dict, as ecs_release_info tells them; of one that does not stay, nobody has looked when it served what it runs.
    :param migrations: the tuple of Migration of the database, or None.
    """
    staying = [dict(item, ran=[*_came(item), now.isoformat()]) for item in services if item["stays"] and _came(item)]
    return [item.name for item in later_migrations(staying, migrations, now) if item.takes_away]


def _came(service: Mapping[str, Any]) -> list[str]:
    """[when what a service runs came, the last time], or []."""
    since = service["served"][-1][0] if service["served"] else service["since"]
    return [since] if since else []


def _times(texts: Iterable[str]) -> list[datetime]:
    return [moment for moment in (parse_time("served", text) for text in texts) if moment]


@dataclass(frozen=True)
class DatabaseAnswer:
    """What a database answered: an DatabaseContents, or the RollbackError that says why there is none. ``sequences`` is None where they were not read;
    ``hottest`` are the names of its tables, those first that are read most."""

    seen: DatabaseContents | None = None
    error: RollbackError | None = field(default=None, repr=False)
    sequences: tuple[Sequence, ...] | None = None
    hottest: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Why there is no answer, without a full stop; empty where there is one."""
        return self.error.message.rstrip(".") if self.error else ""


def ask(
    url: DatabaseUrl, timeout: int, rules: Iterable[DataRule] = (), since: datetime | None = None, leaving: bool = False
) -> DatabaseAnswer:
    """The DatabaseAnswer of the database of a DatabaseUrl; counting takes ``timeout`` seconds in all.

    :param leaving: whether the application is to leave it, so that the other one needs to know its sequences, and which tables are hot.
    """
    try:
        place = target_of(url)
        with diagnosing(place):
            gateway = PostgresqlGateway(place, timeout)
            seen = gateway.observe(rules, since, budget=timeout)
            return replace(DatabaseAnswer(seen), **_leaving(gateway)) if leaving else DatabaseAnswer(seen)
    except RollbackError as error:
        return DatabaseAnswer(error=error)


def _leaving(gateway: PostgresqlGateway) -> dict[str, Any]:
    """What the other database needs to know of this one (dict), nothing where it does not tell that: its data count more."""
    try:
        return dict(sequences=gateway.sequences(), hottest=gateway.hottest())
    except DatabaseRefused:
        return {}


def ids(asked: DatabaseAnswer | None, instance: DbInstance) -> tuple[str, list[Finding]]:
    """(in words, Findings) of what will become of the ids, as far as the failed database tells it.

    :param asked: its DatabaseAnswer, None where it is not asked from here.
    :param instance: the DbInstance whose database it is.
    """
    if asked and asked.sequences is not None:
        return foreseen(asked.sequences)
    why = "it is not asked from this machine" if asked is None else "this machine could not ask it"
    what = "how far its ids went is not known (%s), so what is lost and what is new may get the same ids" % why
    return "", [Finding("ids", instance.name, INCONCLUSIVE, what)]


def expected(asked: DatabaseAnswer | None, data: PlannedData, known: Known | None, source: str) -> Expected:
    """The Expected of data, as far as the failed database and the release point tell it.

    :param asked: the DatabaseAnswer of the failed database, None where it is not asked.
    :param source: the name of the snapshot that the data come from.
    """
    point = known.recorded if known and known.recorded.get("snapshot") == source else {}
    seen = asked.seen if asked else None
    created = dict(seen.created) if seen else {}
    failed = {table: Counterpart(count, created.get(table)) for table, count in seen.rows} if seen else {}
    later = any(not data.has(item) for item in data.migrations or ())
    return Expected(expected_migrations(data, point.get("migrations")), point.get("rows") or {}, failed, later)


def fits(
    data: PlannedData, known: Known | None, now: datetime, despite_moment: bool, despite_migrations: bool
) -> list[Finding]:
    """The Findings of release and data beside each other."""
    if known is None:
        return []
    bad_since = parse_time("bad_since", known.bad_since)
    return moment_findings(known.releases(), data, bad_since, now, despite_moment, despite_migrations)


def reached(asked: DatabaseAnswer, instance: DbInstance) -> list[Finding]:
    """The Findings of a failed database that could not be asked.

    :param instance: the DbInstance whose database it is.
    """
    if asked.error is None:
        return []
    code, place = asked.error.result.get("code"), instance.name
    what = "this machine could not ask it: %s" % asked.why
    if code in NO_WAY and instance.status == "available":
        cure = (
            "The restored database could not be asked either, and nothing is cut over that was not. Open this machine's way to it, "
            "or have a task on the application's network ask it: -e rollback_db_probe=task."
        )
        return [Finding("database", place, FAILED, what, cure)]
    return [Finding("database", place, NOTED if code else INCONCLUSIVE, what)]


def other_port(url: DatabaseUrl, instance: DbInstance) -> list[Finding]:
    """A Finding where DATABASE_URL leads to another port than the DbInstance listens on: that alone keeps the application out."""
    if instance.port and url.port != instance.port:
        what = "DATABASE_URL names port %d, and it listens on %d; the cutover writes the right one" % (
            url.port,
            instance.port,
        )
        return [Finding("database", instance.name, NOTED, what)]
    return []


def touched(
    asked: DatabaseAnswer | None,
    known: Known | None,
    restored: datetime,
    in_service: tuple[Period, ...],
    now: datetime,
    despite_moment: bool,
    again: str,
) -> list[Finding]:
    """The Findings of a database that was restored at a time (aware datetime) and has been in use since.

    :param asked: its DatabaseAnswer, or None.
    :param in_service: its Periods, as its tag tells them.
    :param again: for people, how it is restored once more.
    """
    if known is None:
        return []
    seen = asked.seen if asked else None
    bad_since = parse_time("bad_since", known.bad_since)
    migrations = seen.migrations if seen else None
    releases = known.releases()
    return list(since_restored(releases, restored, in_service, migrations, bad_since, now, despite_moment, again))


def still_good(asked: DatabaseAnswer | None, wanted: Expected, despite: Collection[str], again: str) -> list[Finding]:
    """The Findings of a database that was restored already: whether it still holds what was restored.

    :param asked: its DatabaseAnswer, None where it is not asked.
    :param despite: what the operator says to be right all the same, as ``prove`` takes it.
    :param again: for people, how it is restored once more.
    """
    if asked is None:
        return [
            Finding(
                "data",
                "database",
                INCONCLUSIVE,
                "whether it still holds what was restored was not asked from this machine",
            )
        ]
    if asked.seen is None:
        return [Finding("data", "database", INCONCLUSIVE, "it could not be asked: %s" % asked.why)]
    found = prove(wanted, asked.seen, despite)
    return [replace(item, cure="%s %s" % (again, item.cure)) if item.verdict == FAILED else item for item in found]
