# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play may do that wants to begin, and what the lock becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    CHECKPOINT,
    COMPLETE,
    FAILED,
    FINISH,
    ROLLBACK,
    UNDO,
    UNTOUCHED,
    UNVERIFIED,
    Lock,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LeaseRunning,
    LockFree,
    LockLost,
    LockRefused,
    intended,
    keeps_out,
    of_another_kind,
    of_nobody,
    refuse_lost,
    released,
    renewed,
    standing,
    taken,
    who_works,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play, to_go_on_with

NOW, LEASE = 1_795_000_000.0, 60
LATER = NOW + LEASE
ADA, BOB = "ada@laptop", "bob@awx"


def stood(lock, run_id, abandon, now, purpose=ROLLBACK, command="", only_give_up="", undoes=None):
    return standing(lock, Play(run_id, abandon, purpose, "", command, only_give_up, undoes), now)


def begun(run_id="rb-1", lock=None, now=NOW, undoes="", purpose=ROLLBACK):
    return taken(lock, run_id, "Roll back", ADA, undoes, now, LEASE, purpose)


def wrote(lock, now=NOW):
    return intended(lock, lock.fencing, "rds", "CreateDBSnapshot", {"DBSnapshotIdentifier": "s"}, set(), now, LEASE)[0]


HELD = wrote(begun())
ENDED = {outcome: released(HELD, 1, outcome) for outcome in (COMPLETE, UNVERIFIED, FAILED)}


@pytest.mark.parametrize(
    ("lock", "run_id", "abandon", "now", "answer"),
    [
        (None, "", "", NOW, LockFree),
        (None, "rb-1", "", NOW, LockFree),
        (HELD, "", "", NOW, LockRefused),
        (HELD, "rb-2", "", NOW, LockRefused),
        (HELD, "", "rb-1", NOW, LeaseRunning),
        (HELD, "rb-1", "", NOW + LEASE - 1, LeaseRunning),
        (HELD, "rb-1", "", NOW + LEASE, LockFree),
        (HELD, "", "", NOW + LEASE, LockRefused),
        (HELD, "rb-2", "", NOW + LEASE, LockRefused),
        (HELD, "", "rb-1", NOW + LEASE, LockFree),
        (HELD, "", "rb-2", NOW + LEASE, LockRefused),
        (HELD, "", "*", NOW + LEASE, LockFree),
        (HELD, "", "*", NOW, LeaseRunning),
        (begun(), "", "", NOW + LEASE, LockFree),  # it died before it changed anything
        (ENDED[COMPLETE], "", "", NOW, LockFree),
        (ENDED[COMPLETE], "rb-1", "", NOW, LockFree),
        (ENDED[UNVERIFIED], "", "", NOW, LockFree),
        (ENDED[FAILED], "", "", NOW, LockRefused),
        (ENDED[FAILED], "rb-1", "", NOW, LockFree),
        (ENDED[FAILED], "", "rb-1", NOW, LockFree),
        (released(begun(), 1, FAILED), "", "", NOW, LockFree),
    ],
)
def test_what_a_play_may_do(lock, run_id, abandon, now, answer):
    assert isinstance(stood(lock, run_id, abandon, now), answer)


OWN, OTHER = "ansible-playbook playbooks/rollback_full.yml -i x", "ansible-playbook playbooks/rollback_code.yml -i x"


def test_a_run_that_was_stopped_is_not_told_as_one_that_works():
    stopped = replace(HELD, left=NOW + 5, command="its")
    refused = stood(stopped, "", "", NOW + 10, command="mine")
    assert "was stopped: its ansible-playbook is not there any more since 2026-11-18 11:06:45 UTC" in refused.message
    assert "in 51 s" in refused.message
    assert "is at work" not in refused.message + who_works(stopped, NOW + 10)
    assert [command for _words, command in refused.ways] == [
        "its -e rollback_run_id=rb-1",
        "mine -e rollback_abandon=rb-1",
    ]
    assert stood(replace(stopped, number=0), "", "", NOW + 10).ways == ()
    # Its lease is kept: what it has begun may be on its way.
    assert isinstance(stood(stopped, "rb-1", "", NOW + 10), LeaseRunning)
    assert renewed(stopped, 1, (), NOW, LEASE).left is None


def test_the_ways_out_of_an_unfinished_run_are_commands_of_its_own_playbook_and_of_the_one_at_hand():
    stopped = replace(HELD, command=OWN)
    assert stood(stopped, "", "", NOW + LEASE, command=OTHER).ways == (
        ("Go on with run rb-1:", OWN + " -e rollback_run_id=rb-1"),
        (
            "Or this gives run rb-1 up, leaves what it has done, and then begins rollback_code.yml anew:",
            OTHER + " -e rollback_abandon=rb-1",
        ),
    )
    # An older version has not written the command down.
    assert [command for _words, command in stood(HELD, "", "", NOW + LEASE, command=OTHER).ways] == [
        OTHER + " -e rollback_abandon=rb-1"
    ]


UNDOING = wrote(begun("un-1", replace(ENDED[COMPLETE], undoable="rb-0"), undoes="rb-1", purpose=UNDO))
NAMED = "ansible-playbook spymeo.rollback.undo -e rollback_undo_run=rb-0"


@pytest.mark.parametrize(
    ("lock", "purpose", "command", "then"),
    [
        (HELD, ROLLBACK, OTHER, "leaves what it has done, and then begins rollback_code.yml anew"),
        (
            HELD,
            CHECKPOINT,
            "ansible-playbook spymeo.rollback.checkpoint",
            "and then begins spymeo.rollback.checkpoint anew",
        ),
        (
            HELD,
            ROLLBACK,
            "ansible-playbook '/a clone/rollback_code.yml' -i x",
            "and then begins rollback_code.yml anew",
        ),
        (HELD, UNDO, "ansible-playbook undo.yml", "up, and takes back what it has done"),
        (HELD, UNDO, NAMED, "leaves what it has done, and then undoes run rb-0"),
        (HELD, UNDO, NAMED.replace("rb-0", "rb-1"), "up, and takes back what it has done"),
        (HELD, ROLLBACK, NAMED, "leaves what it has done, and then begins spymeo.rollback.undo anew"),
        (UNDOING, UNDO, "ansible-playbook undo.yml", "leaves what it has done, and then undoes run rb-1"),
        (UNDOING, UNDO, NAMED, "leaves what it has done, and then undoes run rb-0"),
        (
            taken(ENDED[FAILED], "fi-1", "Finish", BOB, "", NOW, 1, FINISH),
            UNDO,
            "ansible-playbook undo.yml",
            "takes back",
        ),
    ],
)
@pytest.mark.parametrize("left", [True, False])
def test_what_a_play_does_that_gives_a_run_up_is_told_whole(lock, purpose, command, then, left):
    if left and lock.purpose != FINISH:
        lock = replace(lock, left=NOW)
    refused = stood(lock, "", "", NOW + 2 if left else LATER, purpose, command, "ansible-playbook unfence.yml")
    run_id = lock.uncovered.run_id
    begins, stops = refused.ways[-2:]
    assert begins[1] == f"{command} -e rollback_abandon={run_id}"
    assert then in begins[0]
    assert f"gives run {run_id} up" in begins[0]
    assert stops[1] == "ansible-playbook unfence.yml"
    assert f"gives run {run_id} up, and begins nothing" in stops[0]


@pytest.mark.parametrize(
    ("undoes", "then"),
    [
        (None, "and takes back what it has done"),
        ("rb-7", "and then undoes run rb-7"),
        ("", "and then begins undo.yml anew"),
    ],
)
def test_an_undo_takes_back_a_run_of_its_own_place(undoes, then):
    refused = stood(HELD, "", "", LATER, UNDO, "ansible-playbook undo.yml", undoes=undoes)
    assert then in refused.ways[-1][0]


@pytest.mark.parametrize("unfinished", [True, False])
def test_a_run_belongs_to_its_playbook(unfinished):
    known = dict(kind="Roll back all", command=OWN, unfinished=unfinished)
    assert of_another_kind("rb-1", known, "Roll back all", OTHER) is None
    refused = of_another_kind("rb-1", known, "Roll back the code", OTHER)
    assert "Run rb-1 is one of 'Roll back all', and this playbook is 'Roll back the code'" in refused.message
    assert refused.ways[0][1] == OWN + " -e rollback_run_id=rb-1"
    assert [command.endswith("rollback_abandon=rb-1") for _words, command in refused.ways[1:]] == [True] * unfinished


RUNS = ["rb-20261122-031500", "change-4711", "rb-20261123-031500"]


@pytest.mark.parametrize(
    ("run_id", "told"),
    [
        ("rb-20261122-031501", "It knows rb-20261123-031500, change-4711, rb-20261122-031500."),
        ("rb-20991122-031500", "It knows rb-2026"),
        ("rb-2026112-031500", "It knows rb-2026"),
        ("rb-20261122-03150o", "It knows rb-2026"),
        ("chnage-4711", "It knows change-4711."),
        ("change4711", "It knows change-4711."),
        ("change-4712", None),
        ("night-shift", None),
    ],
)
def test_a_run_that_nobody_knows_is_mistyped_unless_it_has_a_name_of_its_own(run_id, told):
    refused = of_nobody(run_id, RUNS)
    assert refused is None if told is None else told in refused.message
    assert of_nobody("rb-20261122-031500", []).message.count("It knows none.") == 1


def finishing(found, now=NOW):
    return taken(found, "fi-1", "Finish", BOB, "", now, LEASE, FINISH)


@pytest.mark.parametrize(
    ("lock", "now", "run_id"),
    [
        (None, NOW, None),
        (HELD, NOW, None),  # at work
        (HELD, LATER, "rb-1"),  # its machine is gone
        (replace(HELD, left=NOW), NOW, "rb-1"),  # its play was found dead
        (begun(), LATER, None),  # it has changed nothing
        (ENDED[FAILED], NOW, "rb-1"),
        (ENDED[COMPLETE], NOW, None),
        (ENDED[UNVERIFIED], NOW, None),
        (wrote(begun(purpose=CHECKPOINT)), LATER, None),
        # A finish lies above it, and works, has died, or has ended.
        (finishing(HELD, LATER), LATER, "rb-1"),
        (wrote(finishing(ENDED[FAILED])), NOW, "rb-1"),
        (replace(wrote(finishing(ENDED[FAILED])), left=NOW), NOW, "rb-1"),
        (wrote(finishing(ENDED[FAILED])), LATER, "rb-1"),
        (released(wrote(finishing(ENDED[FAILED])), 2, COMPLETE).uncovered, NOW, "rb-1"),
        (wrote(finishing(ENDED[COMPLETE])), LATER, None),
        # Whoever came after it has given it up.
        (wrote(taken(ENDED[FAILED], "cp-1", "Checkpoint", BOB, "", NOW, LEASE, CHECKPOINT)), LATER, None),
    ],
)
def test_the_run_to_go_on_with_is_the_one_that_a_finish_has_found_too(lock, now, run_id):
    assert to_go_on_with(lock, now).get("id") == run_id


def test_a_finish_that_was_stopped_is_gone_on_with_by_the_same_command_which_waits_for_its_lease():
    stopped = replace(wrote(finishing(ENDED[COMPLETE])), left=NOW)
    assert isinstance(stood(stopped, "", "", NOW, FINISH), LeaseRunning)
    assert isinstance(stood(stopped, "", "", LATER, FINISH), LockFree)
    assert isinstance(stood(replace(stopped, left=None), "", "", NOW, FINISH), LockRefused)  # it works
    assert isinstance(stood(replace(HELD, left=NOW), "", "", NOW, FINISH), LockRefused)
    assert isinstance(stood(replace(HELD, left=NOW), "", "", LATER, FINISH), LockFree)


@pytest.mark.parametrize("lock", [HELD, replace(HELD, left=NOW), ENDED[FAILED], finishing(ENDED[FAILED], LATER)])
@pytest.mark.parametrize("purpose", [ROLLBACK, UNDO, CHECKPOINT])
def test_what_a_refusal_proposes_is_not_refused_again(lock, purpose):
    lock = replace(lock, command="its own")
    refused = stood(lock, "", "", LATER + LEASE, purpose, "typed")
    assert [command for _words, command in refused.ways] == [
        "its own -e rollback_run_id=rb-1",
        "typed -e rollback_abandon=rb-1",
    ] or (lock.purpose == FINISH)
    for run_id, abandon in (("rb-1", ""), ("", "rb-1")):
        for now in (NOW, LATER + LEASE):
            assert not isinstance(stood(lock, run_id, abandon, now, purpose), LockRefused)


@pytest.mark.parametrize(
    ("lock", "purpose"),
    [
        (replace(HELD, left=NOW, command=OWN), FINISH),  # which leaves the run as it is
        (replace(HELD, left=NOW, number=0), ROLLBACK),  # it has done nothing that could be gone on with
        (replace(wrote(begun(purpose=CHECKPOINT)), left=NOW), FINISH),
    ],
)
def test_where_only_a_lease_has_to_end_nobody_is_told_to_do_more_than_wait(lock, purpose):
    refused = stood(lock, "", "", NOW + 1, purpose, OTHER, "ansible-playbook unfence.yml")
    assert refused.ways == ()
    assert refused.until.startswith("the lease of run rb-1 has ended, at 2026-11-18 11:07:40 UTC: wait")
    assert "Wait until then, and run the same command again." in refused.message
    assert "gone on with, or given up" not in refused.until + refused.message
    assert isinstance(stood(lock, "", "", LATER, purpose, OTHER), LockFree)


def test_a_lock_of_an_older_version_is_read():
    written = HELD.as_dict()
    del written["command"]
    assert Lock.from_dict(written) == HELD


def test_who_works_and_since_when_is_told():
    message = stood(HELD, "", "", NOW).message
    assert "Run rb-1 of ada@laptop (Roll back, since 2026-11-18 " in message
    assert who_works(HELD, NOW).startswith("Run rb-1 of ada@laptop")
    assert [who_works(lock, NOW) for lock in (None, ENDED[FAILED])] == [None, None]


def test_both_ways_out_of_an_unfinished_run_are_told_and_what_it_was_about_to_do():
    message = stood(HELD, "", "", NOW + LEASE).message
    assert "-e rollback_run_id=rb-1" in message
    assert "-e rollback_abandon=rb-1" in message
    assert "rds CreateDBSnapshot s" in message


def test_a_takeover_says_whose_lock_it_was():
    found = stood(HELD, "rb-1", "", NOW + LEASE).found
    assert found.startswith("Run rb-1 of ada@laptop")
    assert "whose lease ended at" in found
    assert stood(ENDED[FAILED], "rb-1", "", NOW).found is None


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
        with pytest.raises(LockLost, match="has taken over the lock"):
            change()


@pytest.mark.parametrize("lock", [None, ENDED[COMPLETE]])
def test_a_lock_that_is_gone_or_released_is_not_held(lock):
    with pytest.raises(LockLost, match="gone from the store"):
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


@pytest.mark.parametrize(
    ("lock", "kept_out"),
    [
        (None, False),
        (HELD, True),
        (replace(HELD, purpose=CHECKPOINT), False),  # they give way
        (replace(HELD, purpose=FINISH), False),
        (ENDED[COMPLETE], False),
    ],
)
def test_a_rollback_is_kept_out_by_what_does_not_give_way(lock, kept_out):
    assert bool(keeps_out(lock, NOW)) == kept_out
    assert isinstance(stood(lock, "rb-2", "", NOW), LockRefused) == kept_out


@pytest.mark.parametrize(
    ("purpose", "command", "back"),
    [
        (UNDO, "undo.yml -e rollback_readers=leave", "undo.yml -e rollback_readers=leave -e rollback_undo_run=rb-1"),
        (UNDO, "undo.yml -e rollback_undo_run=rb-0 -v", "undo.yml -v -e rollback_undo_run=rb-1"),
        (UNDO, "", ""),  # an older version has not written it down
        (ROLLBACK, "full.yml", ""),
    ],
)
def test_the_way_back_of_an_undo_keeps_what_was_typed_for_it(purpose, command, back):
    run = to_go_on_with(replace(HELD, purpose=purpose, command=command), NOW + LEASE)
    assert (run["id"], run["purpose"], run["back"]) == ("rb-1", purpose, back)
