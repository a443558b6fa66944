# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the release and the data of a plan belong to one moment. Pure: no AWS, no database, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.known_migrations import LEAD, Ran, Release
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import Period, met
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration

BAD = "what is rolled back from"
DESPITE_MOMENT = "To take them together all the same: -e rollback_despite_moment=true."
DESPITE_MIGRATIONS = "If that code can work with it: -e rollback_despite_migrations=true."


@dataclass(frozen=True)
class PlannedData:
    """The data of a plan: ``at`` is their time, ``label`` what they come from, for people. Until ``one_until`` they and the failed database were one;
    that is before ``at`` where they come from another branch of the same tree. ``migrations`` are those of the failed database, None where it could
    not be asked or has none. ``by_moment``: whether they are those of a point in time; else of a snapshot. ``restored_before``: whether what serves
    was restored by a run itself, and so perhaps from the very data that an older time leads to."""

    at: datetime
    one_until: datetime
    label: str
    migrations: tuple[Migration, ...] | None = None
    by_moment: bool = False
    restored_before: bool = False

    def option(self, before: datetime) -> str:
        """What takes data that are not younger than a time (aware datetime). A point in time and a snapshot exclude each other."""
        option = "-e rollback_%s=%s" % ("point_in_time" if self.by_moment else "snapshot_before", _time(before))
        return option + " -e rollback_database_again=true" if self.restored_before else option

    def has(self, migration: Migration) -> bool:
        """Whether the data have a Migration of the failed database."""
        return migration.started <= self.one_until


def expected_migrations(data: PlannedData, release_point: Iterable[str] | None) -> tuple[str, ...] | None:
    """The names of the migrations that data have to have applied, None where nothing tells it.

    :param release_point: the names that the release point recorded whose snapshot the data come from, else None.
    """
    if release_point is not None:
        return tuple(release_point)
    if data.migrations is None:
        return None
    return tuple(item.name for item in data.migrations if data.has(item) and not item.rolled_back)


def moment_findings(
    releases: Sequence[Release],
    data: PlannedData,
    bad_since: datetime | None,
    now: datetime,
    despite_moment: bool = False,
    despite_migrations: bool = False,
) -> list[Finding]:
    """The Findings of a plan.

    :param releases: the Release of each service.
    :param bad_since: aware datetime, when the harm began: the operator says so, or the first release that is rolled back from; else None.
    :param now: aware datetime.
    :param despite_moment: whether the operator wants data of another moment.
    :param despite_migrations: whether the operator says that the code can work with the migrations of the data.
    """
    known = _Known(releases, data.migrations, bad_since, now)
    found = [item.unless(despite_moment) for item in _harm(data, known.harm)]
    for release in releases:
        found += _under_its_hands(release, data)
        found += _unfit(release, data, known, despite_moment, despite_migrations)
    return found


class _Known:
    """Who knows which Migration, and when the harm began: with the first migration that the bad release has brought, if that came before it."""

    def __init__(
        self,
        releases: Sequence[Release],
        migrations: Iterable[Migration] | None,
        bad_since: datetime | None,
        now: datetime,
    ) -> None:
        self._now, self.bad_since = now, bad_since
        self.alone = all(item.stays for item in releases)
        back = [item for item in releases if item.served and not item.stays]
        brought = [
            item.started
            for item in migrations or ()
            if bad_since
            and bad_since - LEAD <= item.started < bad_since
            and any(self.of(release, item) is False for release in back)
        ]
        self.harm = min([bad_since, *brought]) if bad_since else None

    def of(self, release: Release, migration: Migration) -> bool | None:
        """As ``Release.knows``."""
        return release.knows(migration, self._now, self.bad_since)


def _harm(data: PlannedData, bad_since: datetime | None) -> Iterator[Finding]:
    """Data that are younger than the bad release hold what it has done."""
    if bad_since is None:
        return
    if data.at <= bad_since:
        yield Finding("moment", data.label, PASSED, "its data are older than what is rolled back from")
        return
    what = "its data are of %s, and what is rolled back from began at %s: the harm is in them"
    cure = "Take older ones: %s. %s" % (data.option(bad_since), DESPITE_MOMENT)
    yield Finding("moment", data.label, FAILED, what % (_time(data.at), _time(bad_since)), cure)


def how_again(restored_by: str | None, run_id: str) -> str:
    """For people, how the same data are restored once more. A run restores once; one that has cut over already is given up for that.

    :param restored_by: the id of the run that has restored what serves, ``run_id`` of the run at hand.
    """
    if restored_by == run_id:
        text = "Give this run up, and restore the same data once more: -e rollback_abandon=%s -e rollback_database_again=true, without rollback_run_id."
        return text % run_id
    return "Restore the same data once more: -e rollback_database_again=true."


def since_restored(
    releases: Sequence[Release],
    restored: datetime,
    in_service: tuple[Period, ...],
    asked: Iterable[Migration] | None,
    bad_since: datetime | None,
    now: datetime,
    despite_moment: bool = False,
    again: str = "",
) -> Iterator[Finding]:
    """The Findings of data that were restored already and have been in use since: nothing bad has had its hands on them. What ran while another
    database was in service has not, and where that is not known nothing is proposed that takes away what users have written since.

    :param restored: aware datetime, when the instance was made.
    :param in_service: the Periods of it, as its tag tells them.
    :param asked: the Migrations that it has now (tuple), or None.
    :param bad_since: as for ``findings``.
    :param again: as ``how_again`` gives it. What was restored is older than what has harmed it, so it is what a time before that leads to: it is
        good once more.
    """
    known = _Known(releases, asked, bad_since, now)
    cure = " ".join(filter(None, [again, "Where it has done them no harm: -e rollback_despite_moment=true."]))
    for ran in _may_have_harmed(releases, known.harm, restored):
        if ran.since > restored:
            yield _touched(ran, in_service, cure).unless(despite_moment)
    foreign = [item for item in asked or () if item.started > restored and not item.rolled_back]
    for release in releases:
        names = [item.name for item in foreign if release.served and known.of(release, item) is False]
        if names:
            what = "%s was applied to the data since they were restored, and %s does not know it" % (
                ", ".join(names),
                release.name,
            )
            yield Finding("migrations", release.service, FAILED, what, cure).unless(despite_moment)


def _may_have_harmed(releases: Sequence[Release], harm: datetime | None, restored: datetime) -> Iterator[Ran]:
    """The Rans of what is rolled back from, since the harm began, and of what was deployed once and stays."""
    bad = sorted((ran for release in releases for ran in release.bad), key=lambda ran: ran.since)
    if harm:
        bad = [ran for ran in bad if ran.until is None or ran.until > harm]
        bad = [Ran("%s (%s)" % (BAD, ran.name), max(ran.since, harm), ran.until) for ran in bad] or [Ran(BAD, harm)]
        # It begins with a migration, or when the operator says so, before any deployment tells it.
        yield replace(bad[0], since=harm) if harm > restored else bad[0]
        yield from bad[1:]
    for release in releases:
        if release.served and release.stays:
            yield Ran(release.name, release.began)


def _touched(ran: Ran, in_service: tuple[Period, ...], cure: str) -> Finding:
    """The Finding of a Ran that came after the data had been restored."""
    place, when = "data in use", "ran from %s to %s" % (_time(ran.since), _time(ran.until)) if ran.until else ""
    when = when or "has run since %s" % _time(ran.since)
    has_met = met(in_service, ran.since, ran.until)
    if has_met:
        what = "%s began at %s, after the data had been restored: what it has done is in them" % (
            ran.name,
            _time(ran.since),
        )
        return Finding("moment", place, FAILED, what, cure)
    if has_met is False:
        return Finding("moment", place, PASSED, "%s %s, while another database was in service" % (ran.name, when))
    told = "; ".join(_period(period) for period in in_service)
    what = "%s %s, and the restored data were in service %s: whether it has met them is not certain" % (
        ran.name,
        when,
        told or "at times that nothing tells (its tag is not there)",
    )
    return Finding("moment", place, INCONCLUSIVE, what)


def _period(period: Period) -> str:
    return "from %s %s" % (_time(period.since), "to " + _time(period.until) if period.until else "on")


def _under_its_hands(release: Release, data: PlannedData) -> Iterator[Finding]:
    """Of a release that stays nobody has said that it is bad: whoever knows when the harm began can tell."""
    began = next((since for since, until in release.served if until is None), None)
    if release.stays and began and data.at > began:
        what = "%s has served since %s, and the data are younger: what it has done is in them" % (
            release.name,
            _time(began),
        )
        cure = "If it is what did the harm, take older data: %s." % data.option(began)
        yield Finding("moment", release.service, NOTED, what, cure)


def _unfit(
    release: Release, data: PlannedData, known: _Known, despite_moment: bool, despite_migrations: bool
) -> Iterator[Finding]:
    if not release.served:
        what = "nothing tells when %s served, so whether it knows these data is not certain" % release.name
        yield Finding("moment", release.service, INCONCLUSIVE, what)
        return
    if data.migrations is None:
        what = (
            "the failed database tells no migrations (it was not asked, or Prisma's record is not there or may not be read), "
            "so whether %s fits the data is not compared; "
            "the list of a release point, where there is one, is held against them before the cutover" % release.name
        )
        yield Finding("migrations", release.service, INCONCLUSIVE, what)
        yield from _never_met(release, data, despite_moment)
        return
    standing = [(item, known.of(release, item)) for item in data.migrations if not item.rolled_back]
    # Of code that stays, what is not certain may be applied again; of code that goes back, it is reported.
    lacking = [
        item.name for item, knows in standing if not data.has(item) and (knows or (knows is None and release.stays))
    ]
    foreign = [item.name for item, knows in standing if data.has(item) and knows is False]
    unsure = [item.name for item, knows in standing if knows is None and item.name not in lacking]
    if lacking:
        yield _lacks(release, data, lacking, known.alone).unless(despite_migrations)
    if foreign:
        what = "%s was applied after %s had come, and is in the data: its code may fail on such a schema"
        told = what % (", ".join(foreign), release.name)
        yield Finding("migrations", release.service, FAILED, told, DESPITE_MIGRATIONS).unless(despite_migrations)
    if unsure:
        what = "%s was started soon after %s had come, so whose migration it is nobody can tell without a release point"
        yield Finding("migrations", release.service, INCONCLUSIVE, what % (", ".join(unsure), release.name))
    elif not lacking and not foreign:
        yield Finding("migrations", release.service, PASSED, "%s and the data have the same migrations" % release.name)


def _lacks(release: Release, data: PlannedData, names: Iterable[str], alone: bool) -> Finding:
    """A release that migrates at its start, or whose pipeline does, applies to the restored data what it knows and they lack.

    :param alone: whether no code goes back in this plan.
    """
    what = "%s knows %s, which the data of %s do not have" % (release.name, ", ".join(names), _time(data.at))
    if release.stays:
        what += ": it stays, and would apply it again to what has just been restored"
        together = "Roll back code and database together: rollback_full.yml."
        cure = "%s %s" % (
            together if alone else "Name it in rollback_services, so that its code goes back, too.",
            "Where it neither migrates at its start nor needs it: -e rollback_despite_migrations=true.",
        )
    else:
        cure = "Take younger data, or an older release (rollback_task_definition). %s" % DESPITE_MIGRATIONS
    return Finding("migrations", release.service, FAILED, what, cure)


def _never_met(release: Release, data: PlannedData, despite: bool) -> Iterator[Finding]:
    """Without migrations to compare, only the time tells whether a release has ever served these data."""
    if release.stays or any(
        since <= data.at and (until is None or data.at <= until) for since, until in release.served
    ):
        return
    what = "%s did not serve at %s, the time of the data" % (release.name, _time(data.at))
    if data.at < release.began:
        what += ", but later only: a migration that came in between is not in them"
        yield Finding("moment", release.service, NOTED, what)
        return
    cure = "Take data of the time when it did (rollback_snapshot_before, rollback_point_in_time). %s" % DESPITE_MOMENT
    yield Finding("moment", release.service, FAILED, what, cure).unless(despite)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
