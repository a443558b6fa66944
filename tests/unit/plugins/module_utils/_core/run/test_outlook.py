# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is told of other runs before a play begins: what a check promises is what the real run does."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    COMPLETE,
    FAILED,
    FINISH,
    GIVEN_UP,
    ROLLBACK,
    UNDER_WAY,
    UNDO,
    UNFENCE,
    UNTOUCHED,
    UNVERIFIED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LeaseRunning,
    LockFree,
    LockRefused,
    intended,
    released,
    standing,
    taken,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outlook import (
    come_to,
    given_up_line,
    known_of_what_comes_back,
    leads_nowhere,
    not_to_give_up,
    outlook,
    runs_lines,
    stands,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play

NOW, LEASE = 1_795_000_000.0, 60
OWN, OTHER = "ansible-playbook full.yml", "ansible-playbook code.yml"
HELD = intended(
    taken(None, "rb-1", "Roll back all", "ada", "", NOW, LEASE, command=OWN), 1, "rds", "X", {}, (), NOW, LEASE
)[0]
LOCKS = {
    "none": None,
    "at work": HELD,
    "stopped": replace(HELD, left=NOW + 5),
    "stopped, and has done nothing": replace(HELD, left=NOW + 5, number=0),
    "lease over": replace(HELD, expires=NOW - 1),
    "failed": released(HELD, 1, FAILED),
    "complete": released(HELD, 1, COMPLETE),
}
LOCKS["failed, under a finish"] = taken(LOCKS["failed"], "fi-1", "Finish", "bob", "", NOW - 99, LEASE, FINISH)


def seen(lock, run_id="", abandon="", purpose=ROLLBACK, command=OTHER):
    play = Play(run_id, abandon, purpose, command=command)
    answer = standing(lock, play, NOW + 10)
    return answer, outlook(answer, lock, play, NOW + 10)


@pytest.mark.parametrize(
    ("lock", "run_id", "abandon", "purpose"),
    list(itertools.product(LOCKS, ("", "rb-1", "rb-2"), ("", "rb-1", "rb-2", "*"), (ROLLBACK, UNDO, UNFENCE, FINISH))),
)
def test_a_check_says_that_the_real_run_is_refused_exactly_where_it_is(lock, run_id, abandon, purpose):
    answer, found = seen(LOCKS[lock], run_id, abandon, purpose)
    assert bool(found.until) == isinstance(answer, LockRefused)
    assert bool(found.ways) == bool(isinstance(answer, LockRefused) and answer.ways)
    assert not any("Nothing was changed" in note for note in found.notes)
    assert any("waits until that lease has ended" in note for note in found.notes) == isinstance(answer, LeaseRunning)
    alive = isinstance(answer, LeaseRunning) and LOCKS[lock].left is None
    assert any("where it is renewed by then, what has begun is refused" in note for note in found.notes) == alive


@pytest.mark.parametrize("lock", ["lease over", "failed", "stopped", "failed, under a finish"])
def test_an_unfinished_run_is_told_with_both_commands_each_on_a_line_of_its_own(lock):
    found = seen(LOCKS[lock])[1]
    assert found.until == "run rb-1 is gone on with, or given up"
    lines = runs_lines(found.notes, found.ways, found.until)
    assert [line for line in lines if "ansible-playbook full" in line or "ansible-playbook code" in line] == [
        f"          {OWN} -e rollback_run_id=rb-1",
        f"          {OTHER} -e rollback_abandon=rb-1",
    ]
    assert any("without --check, this is refused until run rb-1 is gone on with, or given up" in line for line in lines)
    assert not any("rollback_abandon" in note for note in found.notes)


def test_where_a_command_is_not_known_its_variable_is_told():
    (note,) = seen(replace(LOCKS["failed"], command=""))[1].notes
    assert "its own playbook and -e rollback_run_id=rb-1" in note


@pytest.mark.parametrize("purpose", [ROLLBACK, UNDO, UNFENCE])
@pytest.mark.parametrize("abandon", ["rb-1", "*"])
@pytest.mark.parametrize("lock", ["lease over", "failed", "failed, under a finish"])
def test_a_run_that_would_be_given_up_is_told_and_not_said_to_be(lock, abandon, purpose):
    answer, found = seen(LOCKS[lock], "rb-2", abandon, purpose)
    assert isinstance(answer, LockFree)
    assert "would be given up; this is a check, so it is not" in found.notes[-1]
    really = given_up_line(LOCKS[lock], Play("rb-2", abandon, purpose), check=False)
    assert "is given up when this run takes the lock" in really
    assert "check" not in really


UNDOING = released(
    intended(
        taken(LOCKS["complete"], "un-1", "Undo", "ada", "rb-1", NOW, LEASE, UNDO), 2, "rds", "X", {}, (), NOW, LEASE
    )[0],
    2,
    FAILED,
)


@pytest.mark.parametrize(
    ("lock", "purpose", "command", "stays"),
    [
        (
            LOCKS["failed"],
            ROLLBACK,
            "database.yml",
            "What it has done stays, but for what the plan below changes, which is a run of its own",
        ),
        (LOCKS["failed"], UNDO, "undo.yml", "What it has done is taken back, as the plan below says"),
        (LOCKS["failed, under a finish"], UNDO, "undo.yml", "What it has done is taken back"),
        (
            LOCKS["failed"],
            UNDO,
            "undo.yml -e rollback_undo_run=rb-0",
            "What it has done stays, but for what the plan below",
        ),
        (UNDOING, UNDO, "undo.yml", "What it has done stays, but for what the plan below"),
        (LOCKS["failed"], UNFENCE, "unfence.yml", "What it has done stays, but for what is said below of the services"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_what_stays_of_a_run_that_is_given_up_is_what_the_plan_leaves(lock, purpose, command, stays, check):
    assert stays in given_up_line(lock, Play("rb-2", "*", purpose, command=command), check)


@pytest.mark.parametrize(
    ("lock", "run_id", "abandon", "purpose"),
    [
        ("none", "", "rb-1", ROLLBACK),
        ("complete", "", "*", ROLLBACK),
        ("failed", "rb-1", "*", ROLLBACK),  # it is gone on with
        ("failed", "", "rb-2", ROLLBACK),
        ("failed", "", "*", FINISH),  # which leaves it as it is
        ("stopped, and has done nothing", "", "*", ROLLBACK),
    ],
)
def test_nothing_is_said_to_be_given_up_that_is_not(lock, run_id, abandon, purpose):
    assert given_up_line(LOCKS[lock], Play(run_id, abandon, purpose), check=True) is None


@pytest.mark.parametrize(
    ("abandon", "lock", "outcome", "words"),
    [
        ("", "failed", None, None),
        ("rb-1", "failed", FAILED, None),
        ("rb-1", "failed, under a finish", FAILED, None),
        ("rb-1", "complete", COMPLETE, "it is complete"),
        ("rb-9", "complete", None, "the store knows no such run"),
        ("rb-1", "none", GIVEN_UP, "it was given up"),
    ],
)
def test_a_name_that_nobody_can_give_up_is_told(abandon, lock, outcome, words):
    told = not_to_give_up(abandon, LOCKS[lock], outcome)
    assert (told is None) if words is None else (told.endswith(words) and f"names run {abandon}" in told)


@pytest.mark.parametrize(
    ("lock", "outcome", "words"),
    [
        ("at work", UNDER_WAY, "is at work, and renews its lease"),
        (
            "stopped",
            UNDER_WAY,
            "was not finished: its ansible-playbook is gone since 2026-11-18 11:06:45 UTC, and its lease ends at",
        ),
        ("lease over", UNDER_WAY, "was not finished: its lease ended at"),
        ("none", UNDER_WAY, "was not finished"),
        ("complete", UNDER_WAY, "was not finished"),  # it died while it wrote its end down
        ("failed", FAILED, "has failed, and was not finished"),
        ("at work", FAILED, "has failed, and was not finished"),  # the lock is that of the play that goes on with it
    ],
)
def test_what_has_become_of_a_run_is_told_by_its_lock(lock, outcome, words):
    assert stands({"run_id": "rb-1", "outcome": outcome}, LOCKS[lock], NOW + 10).startswith(words)
    assert stands({"run_id": "rb-0", "outcome": UNDER_WAY}, LOCKS[lock], NOW + 10) == "was not finished"


def test_each_outcome_has_words_that_no_reader_takes_for_work_that_goes_on():
    every = (UNDER_WAY, FAILED, UNVERIFIED, COMPLETE, UNTOUCHED, GIVEN_UP)
    assert len({come_to(outcome) for outcome in every}) == len(every)
    assert not any("under way" in come_to(outcome) for outcome in every)


@pytest.mark.parametrize(
    ("record", "others", "known"),
    [
        ({}, [], ["it is what run rb-1 (Roll back) has rolled back from"]),
        ({"outcome": UNDER_WAY}, [], ["it is what run rb-1 (Roll back) has rolled back from"]),
        ({"outcome": UNTOUCHED}, [], []),
        ({"purpose": UNDO}, [], []),  # what a rollback had brought
        (
            {},
            [
                {"run_id": "un-2", "undoes": "rb-1", "outcome": GIVEN_UP},
                {"run_id": "un-1", "undoes": "rb-1", "outcome": FAILED},
            ],
            [
                "it is what run rb-1 (Roll back) has rolled back from",
                "run un-2 was to bring it back before, and was given up",
                "run un-1 was to bring it back before, and has failed, and was not finished",
            ],
        ),
        (
            {"purpose": UNDO},
            [
                {"run_id": "un-2", "undoes": "rb-1", "outcome": UNVERIFIED},
                {"run_id": "un-1", "undoes": "rb-0", "outcome": FAILED},
            ],
            ["run un-2 was to bring it back before, and has done all, and its checks have not passed"],
        ),
        ({"purpose": UNDO}, [{"run_id": "un-1", "undoes": "rb-1", "outcome": COMPLETE}], []),
    ],
)
def test_what_is_known_of_what_an_undo_brings_back(record, others, known):
    undone = {"run_id": "rb-1", "kind": "Roll back", "purpose": ROLLBACK, "outcome": COMPLETE, **record}
    assert known_of_what_comes_back(undone, others) == known


ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:%d"


def began_with(release, host="", services=True):
    return {"before": {"services": {"app": release} if services else {}, "database": {"host": host} if host else {}}}


@pytest.mark.parametrize(
    ("undo", "undone", "nowhere"),
    [
        # it died at its fence: nothing was deployed, and no database had moved
        (began_with("app:2", "DB.rds"), began_with(ARN % 2, "db.rds"), True),
        (began_with("app:3", "db-rb.rds"), began_with(ARN % 2, "db.rds"), False),
        # what was restored serves, with the code that stayed
        (began_with("app:2", "db-rb.rds"), began_with(ARN % 2, "db.rds"), False),
        # deployed, and not cut over yet
        (began_with("app:3", "db.rds"), began_with(ARN % 2, "db.rds"), False),
        # where the database was is not known
        (began_with("app:2"), began_with(ARN % 2, "db.rds"), False),
        # the secrets alone were taken back, and to have them taken back once more may be what helps
        (began_with("app:2"), began_with(ARN % 2), False),
        (began_with("app:2", "db.rds", services=False), began_with(ARN % 2, "db.rds", services=False), False),
        ({}, {"before": {}}, False),
    ],
)
def test_an_undo_leads_nowhere_where_the_run_had_not_begun_with_what_it_was_to_move(undo, undone, nowhere):
    assert leads_nowhere(undo, undone) is nowhere
