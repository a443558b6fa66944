# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.known_migrations import Ran, Release
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.moment import (
    PlannedData,
    expected_migrations,
    moment_findings,
    since_restored,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import Period, met
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def ago(hours):
    return NOW - timedelta(hours=hours)


# 1 served from 500 hours ago until 2 came 10 hours ago, which its migration had preceded by some minutes.
INIT, PAYMENTS, RENAME = (
    Migration("1_init", ago(900)),
    Migration("2_payments", ago(500.1)),
    Migration("3_rename", ago(10.1)),
)
ALL = (INIT, PAYMENTS, RENAME)
ONE = Release("app", "app:1", False, ((ago(500), ago(10)),))
TWO = Release("app", "app:2", True, ((ago(10), None),))
ONE_AGAIN = Release("app", "app:1", True, ((ago(500), ago(10)), (ago(1), None)))
BAD = ago(10.15)  # the registration of app:2


def of(at, migrations):
    return PlannedData(at, at, "snapshot s", migrations)


def red(release, data, bad_since=None, **despite):
    found = moment_findings([release], data, bad_since, NOW, **despite)
    return [(item.check, item.what, item.cure) for item in found if item.verdict == "failed"]


@pytest.mark.parametrize(
    ("release", "at", "migrations", "bad_since", "check", "what", "cure"),
    [
        # a snapshot from after the harm, with and without a way to the database
        (ONE, ago(5), ALL, BAD, "moment", "the harm is in them", "rollback_snapshot_before"),
        (ONE, ago(5), None, BAD, "moment", "the harm is in them", "rollback_despite_moment"),
        # one taken between the bad release's migration and its deployment
        (
            ONE,
            ago(10.05),
            ALL,
            ago(10),
            "migrations",
            "3_rename was applied after app:1 had come",
            "rollback_despite_migrations",
        ),
        # one from before the release that is to run on it
        (ONE, ago(600), ALL, BAD, "migrations", "app:1 knows 2_payments, which the data", "younger data"),
        # nobody can be asked for migrations, and the release that is named had gone by the time of the data
        (
            Release("app", "app:0", False, ((ago(900), ago(500)),)),
            ago(20),
            None,
            BAD,
            "moment",
            "app:0 did not serve",
            "rollback_snapshot_before",
        ),
        # the code stays that has brought the migration
        (TWO, ago(12), ALL, None, "migrations", "would apply it again", "rollback_full.yml"),
        # and one that a release point has recorded
        (
            Release("app", "app:1", False, ONE.served, ("1_init",)),
            ago(20),
            ALL,
            BAD,
            "migrations",
            "2_payments",
            "rollback_despite",
        ),
    ],
)
def test_what_is_not_of_one_moment_is_refused_with_the_reason(release, at, migrations, bad_since, check, what, cure):
    found = red(release, of(at, migrations), bad_since)
    assert [item for item in found if item[0] == check and what in item[1] and cure in item[2]], found
    overridden = red(release, of(at, migrations), bad_since, despite_moment=True, despite_migrations=True)
    assert overridden == []


@pytest.mark.parametrize(
    ("release", "at", "migrations", "bad_since"),
    [
        (ONE, ago(12), ALL, BAD),
        (ONE, ago(12), None, BAD),
        # the code was brought back already, and the data follow
        (ONE_AGAIN, ago(12), ALL, None),
        # the bad release brought no migration: its data are destroyed, and it may stay
        (TWO, ago(12), (INIT, PAYMENTS), None),
        # what was rolled back in the database is not there
        (TWO, ago(12), (INIT, PAYMENTS, Migration("3_rename", ago(10.1), False, True)), None),
        (Release("app", "app:1", False, ONE.served, ("1_init", "2_payments")), ago(12), ALL, BAD),
    ],
)
def test_what_is_of_one_moment_passes(release, at, migrations, bad_since):
    assert red(release, of(at, migrations), bad_since) == []


def test_data_from_before_the_release_are_told_where_nobody_can_be_asked_for_migrations():
    found = moment_findings([ONE], of(ago(600), None), BAD, NOW)
    assert [item.what for item in found if item.verdict == "noted"] == [
        "app:1 did not serve at 2026-10-28T03:00:00+00:00, the time of the data, but later only: a migration that came in between is not in them"
    ]


def test_a_release_that_never_served_is_said():
    found = moment_findings([Release("app", "app:9", False)], of(ago(12), ALL), BAD, NOW)
    assert [item.verdict for item in found if item.subject == "app"] == ["inconclusive"]


def test_the_migrations_of_the_data_are_those_of_their_time_or_the_release_points():
    assert expected_migrations(of(ago(12), ALL), None) == ("1_init", "2_payments")
    assert expected_migrations(of(ago(12), ALL), ["1_init"]) == ("1_init",)
    assert expected_migrations(of(ago(12), None), None) is None


@pytest.mark.parametrize(
    ("release", "started", "bad_since", "knows"),
    [
        (ONE, ago(600), BAD, True),  # from before it
        (ONE, ago(499.95), BAD, True),  # with it, at its start
        (ONE, ago(499.5), BAD, None),  # its own, a person's, or that of the next one's pipeline
        (ONE, ago(400), BAD, False),  # in its later life
        (ONE, ago(10.1), BAD, False),  # of the bad one's pipeline
        # it served for weeks on a migration of the release in between
        (Release("app", "app:1", False, ((ago(900), ago(800)), (ago(600), ago(10)))), ago(700), BAD, True),
        # it was brought back for an hour only, which proves nothing
        (Release("app", "app:1", True, ((ago(500), ago(10)), (ago(1), None))), ago(5), None, False),
        # a worker that was started shortly before the bad release's migration
        (Release("worker", "worker:1", True, ((ago(10.4), None),)), ago(10.1), BAD, False),
        (Release("worker", "worker:1", True, ((ago(10.4), None),)), ago(10.41), BAD, True),
        # one that served for minutes, and a migration half way to the next one
        (Release("app", "app:1", False, ((ago(10.8), ago(10)),)), ago(10.5), ago(10), None),
    ],
)
def test_whose_a_migration_is(release, started, bad_since, knows):
    assert release.knows(Migration("m", started), NOW, bad_since) is knows


def test_what_nobody_can_tell_is_said_and_not_passed():
    young = Release("app", "app:1", False, ((ago(10.8), ago(10)),))
    found = moment_findings([young], of(ago(10.2), (Migration("m", ago(10.5)),)), ago(10), NOW)
    assert {item.check: item.verdict for item in found} == {"moment": "passed", "migrations": "inconclusive"}


def test_the_harm_begins_with_the_migration_and_not_with_the_deployment_that_follows():
    assert red(ONE, of(ago(10.05), ALL), ago(10))[0][1].startswith("its data are of")


@pytest.mark.parametrize(
    ("release", "migrations", "bad_since", "checks"),
    [
        (ONE, (), ago(5), ["moment"]),  # the bad release began after the restore
        (ONE, (), ago(50), []),  # the accident that it was restored for
        (ONE, (Migration("m", ago(3)),), ago(50), ["migrations"]),
        (ONE, (Migration("m", ago(600)),), ago(50), []),
        (Release("app", "app:3", True, ((ago(5), None),)), (), None, ["moment"]),  # deployed since, and stays
        (ONE_AGAIN, (), None, []),  # what our own run has deployed
    ],
)
def test_data_that_were_restored_are_not_called_done_when_something_bad_had_its_hands_on_them(
    release, migrations, bad_since, checks
):
    found = list(since_restored([release], ago(20), (Period(ago(20)),), migrations, bad_since, NOW))
    assert [item.check for item in found if item.verdict == "failed"] == checks
    insisting = since_restored([release], ago(20), (Period(ago(20)),), migrations, bad_since, NOW, despite_moment=True)
    assert [item for item in insisting if item.verdict == "failed"] == []


AGAIN = "Restore the same data once more: -e rollback_database_again=true."
# In service, then the other one through an undo, and back.
SERVED = (Period(ago(20), ago(10)), Period(ago(4)))


@pytest.mark.parametrize(
    ("bad", "in_service", "verdict", "what"),
    [
        # an undo deployed it on the other database, and the undo of that came before anything else did
        ([(10, 5)], SERVED, "passed", "while another database was in service"),
        ([(9, 8), (7, 4)], SERVED, "passed", "while another database was in service"),
        # a tag has whole seconds
        ([(10 + 0.5 / 3600, 4)], SERVED, "passed", "while another database was in service"),
        # it was there until some time after the database had changed: what started then nobody knows
        ([(9, 3)], SERVED, "inconclusive", "not certain"),
        ([(15, 12)], SERVED, "failed", "what it has done is in them"),
        ([(3, 2)], SERVED, "failed", "what it has done is in them"),
        ([(9, None)], SERVED, "failed", "what it has done is in them"),
        # one that met them among some that did not
        ([(9, 8), (3, 2)], SERVED, "failed", "what it has done is in them"),
        # what began before the data were there is the accident, and what came again is not
        ([(30, 20), (15, 14)], SERVED, "failed", "what it has done is in them"),
        ([(30, 20), (9, 8)], SERVED, "passed", "while another database was in service"),
        # somebody took the tag away, or could not write it when it came back
        ([(9, 8)], (), "inconclusive", "nothing tells"),
        ([(9, 3)], SERVED[:1], "inconclusive", "not certain"),
        ([(15, 12)], SERVED[:1], "failed", "what it has done is in them"),
    ],
)
def test_a_bad_release_harms_the_data_only_while_they_are_in_service(bad, in_service, verdict, what):
    rans = tuple(Ran("app:2", ago(since), ago(until) if until else None) for since, until in bad)
    back = Release("app", "app:1", True, ONE_AGAIN.served, bad=rans)
    found = list(since_restored([back], ago(20), in_service, (), rans[0].since, NOW, again=AGAIN))
    verdicts = [item.verdict for item in found]
    assert verdict in verdicts
    assert ("failed" in verdicts) == (verdict == "failed")
    worst = next(item for item in found if item.verdict == verdict)
    assert what in worst.what
    assert ("rollback_database_again" in worst.cure) == (verdict == "failed")


moments = st.integers(0, 1000).map(lambda number: ago(1001 - number))


@given(st.lists(moments, unique=True, min_size=1, max_size=7), moments, moments)
def test_nothing_that_ran_is_cleared_of_data_that_were_in_service_meanwhile(ends, since, until):
    ends, until = sorted(ends), max(since, until)
    ends = ends[1 - len(ends) % 2 :]  # the last period goes on
    periods = tuple(Period(one, end) for one, end in zip(ends[::2], [*ends[1::2], None], strict=True))
    overlaps = any(one.since < until and (one.until is None or since < one.until) for one in periods)
    assert (met(periods, since, until) is not False) or not overlaps
    assert met(periods, since, None) is not False


hours = st.floats(0.01, 1000)


@given(st.floats(1, 500), hours, st.lists(hours, max_size=6))
def test_data_from_after_the_harm_never_pass(bad, later, started):
    bad_since = ago(bad)
    at = bad_since + timedelta(hours=min(later, bad))
    migrations = tuple(Migration("m%d" % number, ago(each)) for number, each in enumerate(started))
    assert red(Release("app", "app:1", False, ((ago(bad + 100), bad_since),)), of(at, migrations), bad_since)


@given(st.floats(1, 500), st.floats(0.001, 0.49), st.floats(0.01, 100))
def test_a_release_that_stays_never_meets_data_without_its_own_migration(began, lead, before):
    """Whether its pipeline migrates before the deployment, or it does so at its start."""
    for started in (ago(began) - timedelta(hours=lead), ago(began) + timedelta(hours=min(lead, began / 2))):
        data = of(min(started, ago(began)) - timedelta(hours=before), (Migration("m", started),))
        assert red(Release("app", "app:2", True, ((ago(began), None),)), data)
