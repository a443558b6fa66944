# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play may do that wants to begin, and what the lock becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._run.decide import (
    Await,
    Free,
    Lost,
    Refused,
    intended,
    refuse_lost,
    released,
    renewed,
    standing,
    taken,
    who_works,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._run.state import (
    COMPLETE,
    FAILED,
    ROLLBACK,
    UNDO,
    UNTOUCHED,
    UNVERIFIED,
    Lock,
)

NOW, LEASE = 1_795_000_000.0, 60
ADA, BOB = "ada@laptop", "bob@awx"


def begun(run_id="rb-1", lock=None, now=NOW, undoes="", purpose=ROLLBACK):
    return taken(lock, run_id, "Roll back", ADA, undoes, now, LEASE, purpose)


def wrote(lock, now=NOW):
    return intended(lock, lock.fencing, "rds", "CreateDBSnapshot", {"DBSnapshotIdentifier": "s"}, set(), now, LEASE)[0]


HELD = wrote(begun())
ENDED = {outcome: released(HELD, 1, outcome) for outcome in (COMPLETE, UNVERIFIED, FAILED)}


@pytest.mark.parametrize(
    ("lock", "run_id", "abandon", "now", "answer"),
    [
        (None, "", "", NOW, Free),
        (None, "rb-1", "", NOW, Free),
        (HELD, "", "", NOW, Refused),
        (HELD, "rb-2", "", NOW, Refused),
        (HELD, "", "rb-1", NOW, Await),
        (HELD, "rb-1", "", NOW + LEASE - 1, Await),
        (HELD, "rb-1", "", NOW + LEASE, Free),
        (HELD, "", "", NOW + LEASE, Refused),
        (HELD, "rb-2", "", NOW + LEASE, Refused),
        (HELD, "", "rb-1", NOW + LEASE, Free),
        (HELD, "", "rb-2", NOW + LEASE, Refused),
        (HELD, "", "*", NOW + LEASE, Free),
        (HELD, "", "*", NOW, Await),
        (begun(), "", "", NOW + LEASE, Free),  # it died before it changed anything
        (ENDED[COMPLETE], "", "", NOW, Free),
        (ENDED[COMPLETE], "rb-1", "", NOW, Free),
        (ENDED[UNVERIFIED], "", "", NOW, Free),
        (ENDED[FAILED], "", "", NOW, Refused),
        (ENDED[FAILED], "rb-1", "", NOW, Free),
        (ENDED[FAILED], "", "rb-1", NOW, Free),
        (released(begun(), 1, FAILED), "", "", NOW, Free),
    ],
)
def test_what_a_play_may_do(lock, run_id, abandon, now, answer):
    assert isinstance(standing(lock, run_id, abandon, now), answer)


def test_who_works_and_since_when_is_told():
    message = standing(HELD, "", "", NOW).message
    assert "Run rb-1 of ada@laptop (Roll back, since 2026-11-18 " in message
    assert who_works(HELD, NOW).startswith("Run rb-1 of ada@laptop")
    assert [who_works(lock, NOW) for lock in (None, ENDED[FAILED])] == [None, None]


def test_both_ways_out_of_an_unfinished_run_are_told_and_what_it_was_about_to_do():
    message = standing(HELD, "", "", NOW + LEASE).message
    assert "-e rollback_run_id=rb-1" in message
    assert "-e rollback_abandon=rb-1" in message
    assert "rds CreateDBSnapshot s" in message


def test_a_takeover_says_whose_lock_it_was():
    found = standing(HELD, "rb-1", "", NOW + LEASE).found
    assert found.startswith("Run rb-1 of ada@laptop")
    assert "whose lease ended at" in found
    assert standing(ENDED[FAILED], "rb-1", "", NOW).found is None


def test_fencing_and_numbers_only_grow():
    again = begun("rb-2", ENDED[COMPLETE])
    assert (again.fencing, again.number, again.first_number) == (2, 1, 1)
    resumed = begun("rb-1", HELD, NOW + LEASE)
    assert (resumed.fencing, resumed.number, resumed.first_number, resumed.wrote) == (2, 1, 0, True)


def test_an_older_play_can_write_nothing_once_its_lock_was_taken_over():
    over = begun("rb-1", HELD, NOW + LEASE)
    for change in (
        lambda: intended(over, 1, "rds", "CreateDBSnapshot", {}, set(), NOW + LEASE, LEASE),
        lambda: renewed(over, 1, set(), NOW + LEASE, LEASE),
        lambda: released(over, 1, COMPLETE),
    ):
        with pytest.raises(Lost, match="has taken over the lock"):
            change()


@pytest.mark.parametrize("lock", [None, ENDED[COMPLETE]])
def test_a_lock_that_is_gone_or_released_is_not_held(lock):
    with pytest.raises(Lost, match="gone from the store"):
        refuse_lost(lock, 1)


def test_an_intent_renews_the_lease_and_drops_what_is_settled():
    second, intent = intended(HELD, 1, "ecs", "UpdateService", {"service": "app"}, {1}, NOW + 5, LEASE)
    assert (second.expires, second.under_way, intent.number) == (NOW + 5 + LEASE, (intent,), 2)


def test_a_play_whose_lease_has_ended_goes_on_while_nobody_has_taken_it_over():
    assert renewed(HELD, 1, set(), NOW + 10 * LEASE, LEASE).expires == NOW + 11 * LEASE


def test_a_run_without_a_writing_call_has_touched_nothing():
    assert [released(begun(), 1, outcome).outcome for outcome in (COMPLETE, FAILED)] == [UNTOUCHED, UNTOUCHED]


def test_the_newest_run_that_changed_something_can_be_undone():
    assert ENDED[COMPLETE].undoable == "rb-1"
    assert ENDED[FAILED].undoable == ""
    second = released(begun("rb-2", ENDED[COMPLETE]), 2, COMPLETE)  # there was nothing to do
    assert second.undoable == "rb-1"
    undo = wrote(begun("un-1", second, undoes="rb-1", purpose=UNDO))
    assert released(undo, 3, COMPLETE).undoable == "rb-1"
    assert begun("rb-3", ENDED[FAILED]).undoable == "rb-1"  # it was given up


def test_the_lock_comes_back_from_json():
    for lock in (HELD, *ENDED.values(), replace(HELD, undoes="x")):
        assert Lock.from_dict(lock.as_dict()) == lock
