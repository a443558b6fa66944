# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which database is in service is told by what running tasks have read, not by AWSCURRENT alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import (
    Read,
    against_undo,
    finding,
    in_service,
    keeps_pin,
    still_apart,
    version_read,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret, SecretVersion
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    NOTED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.data_in_service import in_service_result
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/url-AbCdEf"
RUN = "rb-20261122-031500"
FAILED_DB, RESTORED = "app-db.abc.eu-west-3.rds.amazonaws.com", f"app-db-{RUN}.abc.eu-west-3.rds.amazonaws.com"
CURRENT = Read("", "", "v1", FAILED_DB, 5432)
OLD = Read("app", "app:2", "v1", FAILED_DB, 5432, tasks=2)
PINNED = Read("app", "app:3", "v2", RESTORED, 5432, pinned=True, run_id=RUN, tasks=2)
PLAIN = Read("worker", "worker:9", "", RESTORED, 5432, tasks=1)


def of(*reads, current=CURRENT, leaving_for=None):
    return in_service(reads, current, leaving_for)


@pytest.mark.parametrize(
    ("reads", "host"),
    [
        ([], FAILED_DB),
        ([OLD], FAILED_DB),
        ([PINNED], RESTORED),
        ([PLAIN], RESTORED),
        ([OLD, PINNED], FAILED_DB),
        ([Read("app", "app:3", "v2", RESTORED, 5432, pinned=True)], RESTORED),  # it stands at 0 tasks
        ([Read("app", "app:2", "v2", RESTORED, 5432, sure=False, tasks=1)], FAILED_DB),
        ([Read("app", "app:3", pinned=True, why="gone", tasks=1)], FAILED_DB),
        # a service without tasks does not outvote one that has some
        ([Read("other", "other:1", "v1", FAILED_DB, 5432), PINNED], RESTORED),
    ],
)
def test_what_tasks_have_read_is_in_service(reads, host):
    assert of(*reads).host == host


def test_an_undo_leaves_the_one_that_it_does_not_go_to():
    for goal, left in ((FAILED_DB, RESTORED), (RESTORED, FAILED_DB), (FAILED_DB.upper() + ".", RESTORED)):
        assert of(OLD, PINNED, leaving_for=(goal, 5432)).host == left
    assert of(OLD, leaving_for=(FAILED_DB, 5432)).host == FAILED_DB


@pytest.mark.parametrize(
    ("reads", "current", "run_id", "verdict"),
    [
        ([OLD], CURRENT, "", None),
        ([PINNED], Read("", "", "v2", RESTORED, 5432), "", None),
        ([PINNED], Read("", "", "v3", RESTORED.upper(), 5432), "", None),  # the password was rotated
        ([PINNED], CURRENT, "", FAILED),
        ([PINNED], CURRENT, RUN, None),  # its own run goes on
        ([PINNED], CURRENT, "rb-20261122-040000", FAILED),
        ([OLD, PINNED], CURRENT, "", FAILED),
        ([PINNED, PLAIN], CURRENT, RUN, FAILED),
        ([Read("app", "app:3", "v2", FAILED_DB, 5433, tasks=1)], CURRENT, "", FAILED),  # another port
        ([Read("app", "app:2", "v2", RESTORED, 5432, sure=False, tasks=1)], CURRENT, "", NOTED),
    ],
)
def test_nothing_is_deployed_while_tasks_read_another_database_than_it_would(reads, current, run_id, verdict):
    found = finding(of(*reads, current=current), run_id)
    assert (found.verdict if found else None) == verdict, found
    if verdict == FAILED:
        assert reads[-1].host in found.what
        assert current.host in found.what


def test_the_way_out_names_the_run_and_who_moved_a_label_is_asked_for():
    found = finding(of(PINNED))
    assert f"-e rollback_run_id={RUN}" in found.cure
    assert f"-e rollback_undo_run={RUN}" in found.cure
    by_hand = finding(of(Read("app", "app:2", "v2", RESTORED, 5432, tasks=2)))
    assert "who has moved AWSCURRENT" in by_hand.cure


def secret(*versions, changed=NOON):
    return Secret("app/url", SECRET, changed, tuple(versions))


V1 = SecretVersion("v1", ("AWSPREVIOUS",), NOON - 9 * HOUR)
V2 = SecretVersion("v2", ("AWSCURRENT",), NOON - 2 * HOUR)
PENDING = SecretVersion("v3", (f"spymeo-rollback-pending-{RUN}",), NOON - HOUR)
FOLLOWS = ValueFrom.parse(SECRET)


@pytest.mark.parametrize(
    ("reference", "started", "version", "sure"),
    [
        (FOLLOWS, None, "v2", True),
        (FOLLOWS, NOON + HOUR, "v2", True),
        (FOLLOWS, NOON, "v2", True),
        (FOLLOWS, NOON - HOUR, "v2", False),  # a label may have moved since
        (FOLLOWS, NOON - 3 * HOUR, "v1", True),  # AWSCURRENT was not there yet
        (ValueFrom.parse(f"{SECRET}:::v1"), NOON + HOUR, "v1", True),
        (ValueFrom.parse(f"{SECRET}::AWSPREVIOUS:"), NOON + HOUR, "v1", True),
        (ValueFrom.parse(f"{SECRET}::AWSPREVIOUS:"), NOON - HOUR, "v1", False),
        (ValueFrom.parse(f"{SECRET}:::v0"), NOON + HOUR, None, True),
    ],
)
def test_which_version_a_task_has_read(reference, started, version, sure):
    found, certain = version_read(secret(PENDING, V2, V1), reference, started)
    assert (found.id if found else None, certain) == (version, sure)


def test_a_version_that_was_never_current_was_read_by_nobody_who_follows():
    only = secret(PENDING, SecretVersion("v2", ("AWSCURRENT",), NOON - 2 * HOUR))
    assert version_read(only, FOLLOWS, NOON - HOUR / 2) == (only.versions[1], True)


AFTER = Read("", "", "v1", FAILED_DB, 5432)


@pytest.mark.parametrize(
    ("read", "after", "kept"),
    [
        (PINNED, AFTER, True),  # without its pin it would meet the other database
        (PINNED, Read("", "", "v2", RESTORED, 5432), True),
        (PINNED, Read("", "", "v3", RESTORED, 5432), False),  # rotated: the pin has an old password
        (OLD, AFTER, False),
        (PLAIN, AFTER, False),
    ],
)
def test_an_undo_keeps_a_pin_where_anything_else_would_be_another_database(read, after, kept):
    assert keeps_pin(read, after) == kept


@given(st.sampled_from([FAILED_DB, RESTORED]), st.sampled_from(["v1", "v2", "v3"]))
def test_what_an_undo_brings_back_never_reads_another_database_than_it_did(host, version):
    after = Read("", "", version, host, 5432)
    assert keeps_pin(PINNED, after) or after.place == PINNED.place


def test_an_undo_that_could_not_bring_back_what_ran_is_refused():
    assert against_undo([PINNED], (RESTORED, 5432)) == []
    assert against_undo([PINNED, OLD], None) == []
    (line,) = against_undo([PINNED], (FAILED_DB, 5432))
    assert "would not come back as it was" in line
    (line,) = against_undo(
        [Read("app", "app:3", pinned=True, why="it pins version v9, which is gone")], (RESTORED, 5432)
    )
    assert "app:3 would not start: it pins version v9" in line


def test_what_stays_apart_after_an_undo_is_said():
    assert still_apart([PINNED], Read("", "", "v3", RESTORED, 5432)) == ""
    assert f"AWSCURRENT goes on naming {FAILED_DB}" in still_apart([PINNED], AFTER)


def test_a_final_dot_and_capitals_make_no_other_database():
    """As an absolute name in DATABASE_URL: the version that leads to what serves is told for it, too."""
    absolute = Read("app", "app:2", "v1", FAILED_DB.upper() + ".", 5432, tasks=2)
    seen = of(absolute, current=replace(CURRENT, host=FAILED_DB + "."))
    assert (seen.place, seen.apart) == ((FAILED_DB, 5432), ())
    assert in_service_result(seen)["version_id"] == "v1"
