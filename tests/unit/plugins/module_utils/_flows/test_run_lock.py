# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a play gets its lock and leaves it, and what is remembered of it."""

from __future__ import annotations

import json
import shlex

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    CHECKPOINT,
    COMPLETE,
    FAILED,
    FINISH,
    ROLLBACK,
    UNDO,
    UNFENCE,
    UNTOUCHED,
    UNVERIFIED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.durations import (
    KEPT,
    ended_rollbacks,
    expected,
    times,
    unfinished,
    with_run,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import (
    changed,
    each_with_its_release,
    followed,
    holds_of,
    lifted,
    placed,
    recorded,
    releases,
    standing,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import describe_hold as told_hold
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LockLost,
    play_found_dead,
    renewed,
    taken,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Lease
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import arn_of_service
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_lock import (
    begin,
    end,
    finish,
    glance,
    hold_at_the_end,
    observe_lock,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

NOW, LEASE = 1_795_000_000.0, 60
KIND = "Roll back everything"
SERVICE = "arn:aws:ecs:eu-west-3:123456789012:service/main/app"
DATABASE = "arn:aws:rds:eu-west-3:123456789012:db:app"


def alive():
    return False


class World:
    """A memory with a clock, in which plays run."""

    def __init__(self, memory):
        self.memory, self.now, self.on_sleep = memory, NOW, lambda: None

    def sleep(self, seconds):
        self.now += seconds
        self.on_sleep()

    def look(self, run_id="", abandon="", purpose=ROLLBACK):
        clock = Clock(lambda: self.now, self.sleep)
        return observe_lock(self.memory, Play(run_id, abandon, purpose), lambda: self.now, clock)

    def beside(self, place):
        """The same store under another name, at the same time."""
        other = World(self.memory.beside(place))
        other.now = self.now
        return other

    def begin(self, run_id, etag=None, undoes="", abandon="", **more):
        run = {
            "run_id": run_id,
            "kind": KIND,
            "who": "ada",
            "undoes": undoes,
            "abandon": abandon,
            "purpose": UNDO if undoes else ROLLBACK,
            "resources": [SERVICE],
            "plan": ["P"],
            "before": {},
        }
        found = self.memory.lock()
        return begin(self.memory, etag or (found[1] if found else ABSENT), {**run, **more}, self.now, LEASE)[0]

    def write(self, lock):
        lease = Lease(self.memory, lock.run_id, lock.fencing, LEASE, alive, lambda: self.now)
        lease.record(lease.intend("rds", "CreateDBSnapshot", {}), "ok")
        return lease

    def end(self, lock, outcome=COMPLETE, seconds=None, touched=True):
        told = {"outcome": outcome, "touched": touched, "lines": ["done"], "seconds": seconds or {}}
        return end(self.memory, lock.run_id, lock.fencing, told, self.now)

    def hold(self):
        found = self.memory.read("hold")
        return found[0] if found else None

    def play(self, run_id, outcome=COMPLETE, write=True, **more):
        lock = self.begin(run_id, **more)
        if write:
            self.write(lock)
        self.now += 10
        return self.end(lock, outcome)


@pytest.fixture
def world(memory):
    return World(memory)


def test_a_first_run_may_begin_and_leaves_its_record(world):
    assert world.look().etag == ABSENT
    assert world.play("rb-1") == COMPLETE
    record, _etag = world.memory.run("rb-1")
    assert (record["outcome"], record["plan"], record["report"]) == (COMPLETE, ["P"], ["done"])
    assert (record["began"], record["ended"]) == ("2026-11-18 11:06:40 UTC", "2026-11-18 11:06:50 UTC")


def test_a_run_is_gone_on_with_by_its_own_playbook_only(world):
    world.write(world.begin("rb-1", command="full"))
    world.now += LEASE
    clocks = (lambda: world.now, Clock(lambda: world.now, world.sleep))
    other = Play("rb-1", kind="Roll back the code", command="code")
    with pytest.raises(RollbackError, match="Run rb-1 is one of 'Roll back everything'") as refused:
        observe_lock(world.memory, other, *clocks)
    assert [way["command"] for way in refused.value.result["ways"]] == [
        "full -e rollback_run_id=rb-1",
        "code -e rollback_abandon=rb-1",
    ]
    assert observe_lock(world.memory, Play("rb-1", kind=KIND), *clocks).lock.run_id == "rb-1"
    with pytest.raises(RollbackError, match="knows no run rb-20261122-031500"):
        observe_lock(world.memory, Play("rb-20261122-031500", kind=KIND), *clocks)
    world.play("rb-1", command="full")
    world.play("other")
    with pytest.raises(RollbackError, match="or leave rollback_run_id out for a new run"):
        observe_lock(world.memory, other, *clocks)


def test_a_plan_that_was_made_before_another_run_began_is_not_carried_out(world):
    seen = world.look()
    world.play("rb-2")
    with pytest.raises(RollbackError, match=r"Run rb-2 of ada has begun since this run looked"):
        world.begin("rb-1", seen.etag)
    assert world.memory.run("rb-1") is None


def test_of_two_that_begin_at_the_same_moment_one_is_refused(world, store, memory):
    seen, lock_key = world.look(), memory.key("lock")

    def quicker(key):
        if key == lock_key:
            store.before_put = lambda _key: None
            world.begin("rb-2", seen.etag)

    store.before_put = quicker
    with pytest.raises(RollbackError, match="Run rb-2"):
        world.begin("rb-1", seen.etag)
    assert memory.lock()[0].run_id == "rb-2"


def test_while_one_works_another_one_is_told_who(world):
    world.begin("rb-1")
    with pytest.raises(RollbackError, match=r"Run rb-1 of ada .* is at work"):
        world.look()
    told = glance(world.memory, Play(), NOW)[1]
    assert "is at work" in told.notes[0]
    assert told.until == "run rb-1 is done, or its lease has ended"


def test_a_run_that_was_killed_a_moment_ago_is_resumed_when_its_lease_has_ended(world):
    world.write(world.begin("rb-1"))
    seen = world.look("rb-1")
    assert world.now >= NOW + LEASE
    assert "whose lease ended" in seen.found
    assert world.begin("rb-1", seen.etag).fencing == 2
    assert len(world.memory.run("rb-1")[0]["plays"]) == 2


def test_a_run_that_is_found_dead_while_it_is_waited_for_is_resumed(world):
    world.write(world.begin("rb-1"))

    def found_dead():
        world.on_sleep = lambda: None
        lock, etag = world.memory.lock()
        world.memory.put_lock(play_found_dead(lock, 1, world.now), etag)

    world.on_sleep = found_dead
    seen = world.look("rb-1")
    assert world.begin("rb-1", seen.etag).left is None


def test_a_run_that_was_killed_a_moment_ago_is_given_up_when_its_lease_has_ended(world):
    world.write(world.begin("rb-1"))
    assert world.look("", "rb-1").found
    assert world.now >= NOW + LEASE


def test_a_run_that_is_to_be_given_up_and_lives_is_left_alone(world):
    lease = world.write(world.begin("rb-1"))
    world.on_sleep = lease.renew
    with pytest.raises(RollbackError, match="it has just renewed its lease"):
        world.look("", "*")


def test_a_run_that_is_to_be_resumed_and_lives_is_left_alone(world):
    lease = world.write(world.begin("rb-1"))
    world.on_sleep = lease.renew
    with pytest.raises(RollbackError, match="it has just renewed its lease"):
        world.look("rb-1")


def test_an_unfinished_run_is_resumed_or_given_up(world):
    world.play("rb-1", FAILED, before={"services": {"app": "app:2"}})
    with pytest.raises(RollbackError, match=r"-e rollback_run_id=rb-1.*-e rollback_abandon=rb-1"):
        world.look()
    assert "was not finished" in glance(world.memory, Play(), world.now)[1].notes[0]
    assert world.look("rb-1").found is None
    world.look("", "rb-1")
    world.begin("rb-2", abandon="rb-1")
    record, _etag = world.memory.run("rb-1")
    assert record["outcome"] == "given up"
    assert record["before"] == {"services": {"app": "app:2"}}


def test_a_run_that_goes_on_keeps_its_plan_and_what_was_there_before_it(world):
    world.play("rb-1", FAILED, before={"services": {"app": "app:2"}})
    world.begin("rb-1", plan=["another"], before={"services": {"app": "app:1"}})
    record, _etag = world.memory.run("rb-1")
    assert (record["plan"], record["before"]) == (["P"], {"services": {"app": "app:2"}})


def test_a_run_that_goes_on_keeps_since_when_it_is_and_when_it_served(world):
    world.write(world.begin("rb-1"))
    world.now += 100
    lock = world.begin("rb-1")
    assert world.memory.run("rb-1")[0]["since"] == NOW
    told = {
        "outcome": UNVERIFIED,
        "touched": True,
        "lines": [],
        "seconds": {},
        "came_to": {"served": 7.0, "seconds": 9.0},
    }
    end(world.memory, "rb-1", lock.fencing, told, world.now)
    world.begin("rb-1")
    assert world.memory.run("rb-1")[0]["earlier"] == {"served": 7.0, "total": None}


def test_what_is_left_of_an_earlier_run_is_not_left_of_the_one_that_tells_it(world):
    lock = world.begin("rb-2")
    world.write(lock)
    told = {
        "outcome": COMPLETE,
        "touched": True,
        "lines": [],
        "seconds": {},
        "came_to": {"later": ["of rb-1", "own"]},
        "left": ["own"],
    }
    end(world.memory, "rb-2", lock.fencing, told, world.now)
    assert unfinished(world.memory.read("history")[0]["runs"]) == ["run rb-2 is not finished: own"]


def test_the_hold_is_told_as_the_end_leaves_it(world):
    world.play("rb-1")
    for run_id, write, more, holds in (
        ("rb-2", False, {}, 1),
        ("rb-3", True, {}, 2),
        ("un-1", True, {"undoes": "rb-1"}, 1),
    ):
        lock = world.begin(run_id, **more)
        if write:
            world.write(lock)
        lock, record = world.memory.lock()[0], world.memory.run(run_id)[0]
        foreseen = hold_at_the_end(world.memory, record, lock, {"outcome": COMPLETE, "touched": write}, world.now)
        world.end(lock, touched=write)
        assert len(holds_of(foreseen)) == holds
        assert foreseen == world.hold()


def test_a_run_that_has_changed_nothing_stands_in_nobodys_way_and_holds_nothing(world):
    assert world.play("rb-1", FAILED, write=False) == UNTOUCHED
    world.look()
    assert not standing(world.hold())
    assert world.memory.read("history") is None


def test_a_run_whose_every_call_was_refused_has_changed_nothing_either(world):
    world.play("rb-0")
    lock = world.begin("rb-1")
    world.write(lock)
    assert world.end(lock, FAILED, touched=False) == UNTOUCHED
    assert world.look().undoable == "rb-0"
    assert world.hold()["run_id"] == "rb-0"


def test_a_rollback_holds_deployments_back_from_its_beginning(world):
    lock = world.begin("rb-1")
    assert standing(world.hold())
    world.write(lock)
    world.end(lock)
    assert world.hold()["run_id"] == "rb-1"
    world.play("rb-2", write=False)
    assert standing(world.hold())


def test_an_undo_lifts_the_hold_of_what_it_undoes_and_no_other(world):
    world.play("rb-1")
    world.play("un-1", undoes="rb-1")
    assert not standing(world.hold())
    world.memory.write(placed("bob", "today", "because"), "hold")
    world.play("un-2", undoes="rb-1")
    assert standing(world.hold())
    assert not standing(lifted(world.hold(), "ada", "now"))


def reasons(world):
    return [each["reason"] for each in holds_of(world.hold())]


def test_a_rollback_and_a_person_hold_deployments_back_each_for_itself(world):
    world.memory.write(placed("bob", "today", "audit"), "hold")
    world.play("rb-1")
    assert reasons(world) == ["audit", "run rb-1 (Roll back everything)"]
    world.play("rb-2", write=False)
    assert len(reasons(world)) == 2
    with pytest.raises(RollbackError, match="Several hold deployments back") as refused:
        changed(world.hold(), "release", "ada", "now", "")
    assert "audit: -e '{" in refused.value.evidence[0]
    assert '"rollback_hold_reason": "rb-1"}' in refused.value.evidence[1]
    with pytest.raises(RollbackError, match="No hold stands with"):
        changed(world.hold(), "release", "ada", "now", "adit")
    for reason, other in (("audit", "run rb-1 (Roll back everything)"), ("rb-1", "audit")):
        after = changed(world.hold(), "release", "ada", "now", reason)
        assert standing(after)
        assert [each["reason"] for each in holds_of(after)] == [other]
    world.play("un-1", undoes="rb-1")
    assert reasons(world) == ["audit"]


@pytest.mark.parametrize("reason", ["audit", "it's late", 'a "word", and $HOME', " padded ", "two\nlines", "rb-9"])
def test_each_hold_is_released_by_the_command_that_is_told_with_it_and_no_other_one_is(world, reason):
    world.memory.write(changed({}, "set", "bob", "now", reason), "hold")
    assert releases(world.hold(), "play") == [(told_hold(world.hold()), "play")]
    world.play("rb-1")
    world.play("rb-2")
    for told, command in releases(world.hold(), "play"):
        given = shlex.split(command)[2]
        value = json.loads(given)["rollback_hold_reason"] if given.startswith("{") else given.partition("=")[2]
        after = changed(world.hold(), "release", "ada", "now", value.strip())
        assert told not in told_hold(after)
        assert len(holds_of(after)) == 2
    for line in each_with_its_release(world.hold()):
        given = json.loads(shlex.split(line.partition(": -e ")[2] or line.rpartition(": -e ")[2])[0])
        assert len(holds_of(changed(world.hold(), "release", "ada", "now", given["rollback_hold_reason"]))) == 2


def test_what_a_person_sets_takes_no_rollbacks_hold_away(world):
    world.play("rb-1")
    world.memory.write(changed(world.hold(), "set", "bob", "now", "audit"), "hold")
    assert len(reasons(world)) == 2
    assert changed(world.hold(), "set", "eve", "later", "audit") == world.hold()
    over = changed(changed(world.hold(), "release", "ada", "now", "audit"), "release", "ada", "now", "")
    assert (standing(over), over["lifted_by"]) == (False, "ada")


def test_the_holds_of_two_rollbacks_end_one_by_one_with_undos_and_together_by_a_person(world):
    world.play("rb-1")
    world.play("rb-2")
    assert len(reasons(world)) == 2
    assert not standing(changed(world.hold(), "release", "ada", "now", ""))
    world.play("un-2", undoes="rb-2")
    assert reasons(world) == ["run rb-1 (Roll back everything)"]


def test_an_undo_that_has_failed_before_it_began_frees_nothing(world):
    world.play("rb-1")
    world.play("un-1", FAILED, undoes="rb-1", write=False)
    assert reasons(world) == ["run rb-1 (Roll back everything)"]


def test_what_can_be_undone_is_the_newest_run_that_changed_something(world):
    assert world.look().undoable == ""
    world.play("rb-1")
    world.play("rb-2", write=False)
    assert world.look().undoable == "rb-1"
    world.play("un-1", undoes="rb-1")
    assert world.look().undoable == "rb-1"
    world.write(world.begin("rb-3"))
    assert glance(world.memory, Play(), world.now)[0].undoable == "rb-3"


def test_a_lease_that_never_ends_is_not_waited_for_for_ever(world):
    world.write(world.begin("rb-1"))
    world.sleep = lambda seconds: setattr(world, "now", world.now)
    clock = iter(range(1000))
    with pytest.raises(TimedOut):
        observe_lock(world.memory, Play("rb-1"), lambda: NOW, Clock(lambda: next(clock), lambda _seconds: None))


def record(run_id, outcome=COMPLETE, kind=KIND):
    return {"run_id": run_id, "kind": kind, "began": "a", "ended": "b", "outcome": outcome}


def test_expected_durations_are_the_median_of_the_last_complete_runs_of_the_same_playbook():
    history = []
    for number, restore in enumerate([9000, 100, 310, 300, 290, 320]):
        history = with_run(history, record(f"rb-{number}"), {"restore": restore, "total": restore + 50})
    history = with_run(history, record("rb-7", FAILED), {"restore": 1})
    history = with_run(history, record("rb-8", kind="Roll back the code"), {"deployment": 90})
    assert expected(history, KIND) == {"restore": {"seconds": 300, "runs": 5}, "total": {"seconds": 350, "runs": 5}}
    assert expected([], KIND) == {}
    assert times(history) == [{"kind": KIND, "seconds": 350, "runs": 5}]
    served = [*history, dict(history[-1], kind="rollback_code", seconds={"served": 60, "total": 70})]
    assert {"kind": "rollback_code", "seconds": 60, "runs": 1} in times(served)
    assert times([dict(history[-1], purpose="undo")]) == []


def test_a_run_that_was_stopped_says_nothing_of_how_long_one_takes():
    history = with_run([], record("rb-1"), {"restore": 300, "total": 400})
    history = with_run(history, {**record("rb-2"), "plays": [7, 8]}, {"restore": 0.2, "deployment": 0.1})
    history = with_run(history, {**record("rb-3"), "plays": [9]}, {"restore": 320})
    assert expected(history, KIND) == {"restore": {"seconds": 310, "runs": 2}, "total": {"seconds": 400, "runs": 1}}
    assert ended_rollbacks(history)[1]["parts"] == ["restore", "deployment"]  # which is what it has done


def test_a_rollback_that_was_undone_is_told_so_until_the_undo_is_undone(world):
    def undone():
        told = ended_rollbacks(world.memory.read("history")[0]["runs"])
        return [(item["run_id"], item["undone_by"], bool(item["undone"])) for item in told]

    world.play("rb-1")
    assert undone() == [("rb-1", "", False)]
    world.play("un-0", FAILED, undoes="rb-1")
    assert undone() == [("rb-1", "", False)]
    world.play("un-1", UNVERIFIED, undoes="rb-1", abandon="un-0")
    assert undone() == [("rb-1", "un-1", True)]
    world.play("un-2", undoes="un-1")
    assert undone() == [("rb-1", "", False)]
    world.play("un-3", undoes="un-2")
    assert undone() == [("rb-1", "un-1", True)]


def test_the_history_keeps_the_newest_and_a_run_that_ends_again_once():
    history = []
    for number in range(KEPT + 5):
        history = with_run(history, record(f"rb-{number}"), {})
    assert [history[0]["run_id"], history[-1]["run_id"], len(history)] == ["rb-5", f"rb-{KEPT + 4}", KEPT]
    assert len(with_run(history, record("rb-7"), {"restore": 2})) == KEPT


def test_a_checkpoint_gives_way_to_a_rollback_and_makes_no_call_any_more(world):
    lock = world.begin("cp-1", purpose=CHECKPOINT)
    lease = world.write(lock)
    with pytest.raises(RollbackError, match="is at work"):
        world.look(purpose=CHECKPOINT)
    assert "which gives way" in world.look().found
    world.begin("rb-1")
    with pytest.raises(LockLost, match=r"Run rb-1 of ada .* has taken over the lock"):
        lease.intend("rds", "CreateDBSnapshot", {})


def test_a_checkpoint_that_died_leaves_nothing_to_go_on_with_and_holds_nobody_back(world):
    world.play("cp-1", FAILED, purpose=CHECKPOINT)
    assert world.look().undoable == ""
    assert world.hold()["standing"] is False


@pytest.mark.parametrize("how", ["ends", "fails", "dies", "is taken over"])
def test_a_finish_may_follow_an_unfinished_run_and_leaves_it_as_it_was(world, how):
    world.play("rb-1", FAILED, command="full")
    seen = world.look(purpose=FINISH)
    lock = world.begin("fi-1", etag=seen.etag, purpose=FINISH)
    lease = world.write(lock)
    if how in ("ends", "fails"):
        assert world.end(lock, COMPLETE if how == "ends" else FAILED) in (COMPLETE, FAILED)
    world.now += LEASE if how == "dies" else 0
    with pytest.raises(RollbackError, match=r"Run rb-1 of ada .* was not finished"):
        world.look()
    assert world.look("rb-1").undoable == "rb-1"
    again = world.begin("rb-1")
    with pytest.raises(LockLost):
        lease.intend("rds", "ModifyDBInstance", {})
    world.write(again)
    assert world.end(again) == COMPLETE
    assert world.look().undoable == "rb-1"
    assert world.memory.run("rb-1")[0]["outcome"] == COMPLETE


def test_a_finish_does_not_interrupt_whoever_works_and_gives_way_to_everybody_but_another_one(world):
    lock = world.begin("fi-1", purpose=FINISH)
    world.write(lock)
    with pytest.raises(RollbackError, match="is at work"):
        world.look(purpose=FINISH)
    for purpose in (ROLLBACK, UNDO, CHECKPOINT):
        assert "which gives way" in world.look(purpose=purpose).found
    world.begin("cp-1", purpose=CHECKPOINT)
    with pytest.raises(RollbackError, match="is at work"):
        world.look(purpose=FINISH)


def renew(world):
    """What the process does that renews a lease, while others plan."""
    lock, etag = world.memory.lock()
    world.now += 1
    world.memory.put_lock(renewed(lock, lock.fencing, (), world.now, LEASE), etag)


@pytest.mark.parametrize("purpose", [CHECKPOINT, FINISH])
@pytest.mark.parametrize("meanwhile", ["renews", "writes", "ends"])
@pytest.mark.parametrize("unfinished", [False, True])
def test_whoever_gives_way_may_do_so_while_others_plan(world, purpose, meanwhile, unfinished):
    """A finish waits for hours and renews its lease all the time, so it would be another lock at the end of each plan."""
    if unfinished and purpose == CHECKPOINT:
        return
    world.play("rb-0", FAILED if unfinished else COMPLETE)
    lock = world.begin("fi-1", purpose=purpose)
    lease = world.write(lock)
    seen = world.look("rb-0" if unfinished else "")
    if meanwhile == "ends":
        world.end(lock)
    elif meanwhile == "writes":
        world.write(lock)
    renew(world) if meanwhile == "renews" else None
    world.begin("rb-0" if unfinished else "rb-1", etag=seen.etag, behind=seen.behind(ROLLBACK))
    with pytest.raises(LockLost):
        lease.intend("rds", "ModifyDBInstance", {})


def test_a_lock_that_is_renewed_while_it_is_taken_over_is_taken_all_the_same(world, monkeypatch):
    world.begin("fi-1", purpose=FINISH)
    seen, put, tries = world.look(), type(world.memory).put_lock, []

    def met(memory, lock, etag):
        tries.append(lock)
        if len(tries) == 1:
            renew(world)
        return put(memory, lock, etag)

    monkeypatch.setattr(type(world.memory), "put_lock", met)
    assert world.begin("rb-1", etag=seen.etag, behind=seen.behind(ROLLBACK)).run_id == "rb-1"
    assert [lock.run_id for lock in tries] == ["rb-1", "fi-1", "rb-1"]


@pytest.mark.parametrize("then", [ROLLBACK, FINISH])
def test_a_plan_does_not_hold_where_another_one_has_begun_after_the_one_that_gave_way(world, then):
    lock = world.begin("fi-1", purpose=FINISH)
    seen = world.look()
    world.end(lock)
    world.play("rb-1")
    if then == FINISH:  # and a second one came after that
        world.begin("fi-2", purpose=FINISH)
    with pytest.raises(RollbackError, match="has begun since this run looked"):
        world.begin("rb-2", etag=seen.etag, behind=seen.behind(ROLLBACK))


@pytest.mark.parametrize("purpose", [ROLLBACK, UNDO])
def test_nobody_else_gives_way(world, purpose):
    """Of a run whose lease had ended a process may be left that goes on."""
    world.begin("rb-1", purpose=purpose)
    world.now += LEASE
    seen = world.look()
    assert seen.behind(ROLLBACK) == 0
    renew(world)
    with pytest.raises(RollbackError, match="has begun since this run looked"):
        world.begin("rb-2", etag=seen.etag, behind=seen.behind(ROLLBACK))


def test_what_is_left_of_a_run_is_in_its_record_and_in_the_history_until_it_is_finished(world):
    lock = world.begin("rb-1")
    world.write(lock)
    told = {
        "outcome": COMPLETE,
        "touched": True,
        "lines": [],
        "seconds": {"restore": 3.0},
        "came_to": {"later": ["a window"]},
    }
    end(world.memory, "rb-1", lock.fencing, told, world.now)
    left = lambda: unfinished(world.memory.read("history")[0]["runs"])  # noqa: E731
    assert left() == ["run rb-1 is not finished: a window"]
    finish(world.memory, "rb-1", ["a role"], "fi-1", world.now)
    assert (left(), world.memory.run("rb-1")[0]["came_to"]) == (
        ["run rb-1 is not finished: a role"],
        {"later": ["a role"]},
    )
    finish(world.memory, "rb-1", [], "fi-2", world.now)
    assert left() == []
    assert world.memory.run("rb-1")[0]["finished_by"] == "fi-2"


@pytest.mark.parametrize("by", ["an undo", "another restore"])
def test_nobody_is_to_finish_what_is_out_of_service(world, by):
    lock = world.begin("rb-1")
    world.write(lock)
    told = {
        "outcome": COMPLETE,
        "touched": True,
        "lines": [],
        "seconds": {"restore": 3.0},
        "came_to": {"later": ["a window"]},
    }
    end(world.memory, "rb-1", lock.fencing, told, world.now)
    lock = world.begin("rb-2", undoes="rb-1" if by == "an undo" else "")
    world.write(lock)
    world.end(lock, seconds={} if by == "an undo" else {"restore": 3.0})
    assert unfinished(world.memory.read("history")[0]["runs"]) == []


def test_a_checkpoint_says_once_that_nobody_holds_deployments_back(world):
    world.play("rb-1")
    held = world.hold()
    world.play("cp-1", purpose=CHECKPOINT)
    assert world.hold() == held
    assert standing(held)


def test_to_take_a_fence_down_gives_the_run_up_that_has_put_it_up(world):
    world.play("rb-1", FAILED)
    held = world.hold()
    world.play("uf-1", abandon="*", purpose=UNFENCE)
    assert world.memory.run("rb-1")[0]["outcome"] == "given up"
    assert world.look().undoable == "rb-1"
    assert world.hold() == held


def test_after_an_unfence_that_failed_the_rollback_can_still_be_gone_on_with(world):
    world.play("rb-1", FAILED)
    world.play("uf-1", FAILED, abandon="*", purpose=UNFENCE)
    seen = world.look("rb-1")
    assert world.begin("rb-1", seen.etag).run_id == "rb-1"
    assert world.memory.run("rb-1")[0]["outcome"] == "under way"


def test_two_names_of_one_service_exclude_each_other(world):
    lock = world.begin("rb-1")
    other = world.beside("production/alias")
    other.look()
    with pytest.raises(
        RollbackError, match=r"another name in the store, production/app, .* Run rb-1 of ada .* is at work"
    ):
        other.begin("rb-2")
    assert other.memory.lock()[0].expires is None
    assert other.memory.run("rb-2") is None
    world.write(lock)
    other.now += LEASE
    with pytest.raises(RollbackError, match=r"production/app, .* was not finished"):
        other.begin("rb-2")
    world.end(lock)
    other.begin("rb-2")


def test_what_shares_no_resource_goes_on_side_by_side(world):
    world.begin("rb-1")
    world.beside("production/other").begin("rb-2", resources=[SERVICE + "-2", DATABASE])


def test_sets_that_overlap_in_one_resource_exclude_each_other(world):
    world.begin("rb-1", resources=[SERVICE, DATABASE])
    with pytest.raises(RollbackError, match="is at work"):
        world.beside("production/other").begin("rb-2", resources=[SERVICE + "-2", DATABASE])


def test_who_is_refused_for_another_name_can_go_on_with_a_run_of_its_own(world):
    other = world.beside("production/alias")
    other.play("rb-0", FAILED, resources=[SERVICE + "-2"])
    world.begin("rb-1")
    with pytest.raises(RollbackError, match="is at work"):
        other.begin("rb-0", resources=[SERVICE])
    assert other.memory.lock()[0].unfinished


def test_after_a_death_the_other_name_takes_over_and_the_dead_can_go_on_no_more(world):
    lock = world.begin("rb-1")
    other = world.beside("production/alias")
    other.now += LEASE
    other.begin("rb-2")
    lease = Lease(world.memory, lock.run_id, lock.fencing, LEASE, alive, lambda: other.now)
    with pytest.raises(LockLost):
        lease.intend("ecs", "UpdateService", {})


def test_a_run_of_another_name_is_given_up_where_it_is_remembered(world):
    world.play("rb-1", FAILED)
    other = world.beside("production/alias")
    other.begin("rb-2", abandon="rb-1")
    assert world.memory.run("rb-1")[0]["outcome"] == "given up"


def test_a_hold_stands_under_every_name_that_a_service_ever_had(world):
    other = world.beside("production/alias")
    other.play("cp-1", purpose=CHECKPOINT)
    assert other.hold()["standing"] is False
    lock = world.begin("rb-1")
    assert standing(other.hold())
    world.write(lock)
    world.end(lock)
    world.play("un-1", undoes="rb-1")
    assert not standing(other.hold())
    assert not standing(world.hold())


def test_what_a_person_changes_under_one_name_is_changed_under_the_others():
    audit, run, own = placed("bob", "today", "audit"), placed("ada", "now", "run rb-1", "rb-1"), placed("eve", "x", "y")
    both = recorded([audit, run])
    assert followed(None, {}, both, "a", "b") == both
    assert holds_of(followed(own, audit, both, "a", "b")) == [own, run]
    assert holds_of(followed(recorded([audit, run, own]), both, run, "a", "b")) == [run, own]
    assert not standing(followed(audit, both, run, "a", "b"))


def test_of_two_names_that_begin_at_the_same_moment_exactly_one_works(world, store):
    other = world.beside("production/alias")

    def quicker(key):
        if key == "claims":
            store.before_put = lambda _key: None
            other.begin("rb-2")

    store.before_put = quicker
    with pytest.raises(RollbackError, match=r"Run rb-2 of ada .* is at work"):
        world.begin("rb-1")
    assert world.memory.lock()[0].expires is None


def test_a_run_that_works_on_nothing_is_refused(world):
    with pytest.raises(RollbackError, match="Nothing says what this run works on"):
        world.begin("rb-1", resources=[])


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:ecs:eu-west-3:123456789012:service/main/app", "arn:aws:ecs:eu-west-3:123456789012:service/app"],
)
def test_an_arn_of_the_old_form_is_the_same_service(arn):
    assert arn_of_service(arn, "main") == SERVICE


def test_a_lease_that_is_renewed_while_a_run_ends_is_no_loss_of_the_lock(world, store):
    lock = world.begin("rb-1")
    world.write(lock)
    left = [3]

    def renew(key):
        if key.endswith("/history") and left:
            left.pop()
            now, etag = world.memory.lock()
            world.memory.put_lock(renewed(now, lock.fencing, (), world.now + 1, LEASE), etag)

    store.before_put = renew
    assert world.end(lock) == COMPLETE
    assert left == []
    assert (world.memory.lock()[0].expires, world.memory.lock()[0].outcome) == (None, COMPLETE)


def test_a_lock_that_is_taken_over_while_a_run_ends_stays_the_other_ones(world, store):
    lock = world.begin("rb-1")
    world.write(lock)

    def take_over(key):
        if key.endswith("/history"):
            store.before_put = lambda _key: None
            now, etag = world.memory.lock()
            world.memory.put_lock(taken(now, "rb-2", KIND, "bob", "", world.now, LEASE), etag)

    store.before_put = take_over
    with pytest.raises(LockLost, match="Run rb-2 of bob"):
        world.end(lock)
    assert world.memory.lock()[0].run_id == "rb-2"


def test_a_hold_that_stands_under_another_name_stands_under_a_new_one_too(world):
    world.play("rb-1")
    held = world.hold()
    other = world.beside("production/alias")
    other.play("cp-1", purpose=CHECKPOINT)
    assert other.hold() == held
    assert standing(held)


def test_an_undo_of_an_undo_brings_the_rollback_back_and_its_hold(world):
    world.play("rb-1")
    world.play("un-1", undoes="rb-1")
    assert not standing(world.hold())
    world.play("un-2", undoes="un-1")
    assert standing(world.hold())


def test_a_run_that_has_ended_cannot_be_given_up(world):
    world.play("rb-1")
    world.begin("rb-2", abandon="rb-1")
    assert world.memory.run("rb-1")[0]["outcome"] == COMPLETE


def test_a_lock_that_is_gone_while_its_lease_is_waited_for_keeps_nobody_out(world, store):
    world.write(world.begin("rb-1"))
    world.on_sleep = lambda: store.table.pop("production/app/lock", None)
    seen = world.look("", "rb-1")
    assert (seen.lock, seen.etag) == (None, ABSENT)


def test_a_run_whose_record_is_gone_is_told_so_at_its_end(world, store):
    lock = world.begin("rb-1")
    del store.table["production/app/runs/rb-1"]
    with pytest.raises(StoreError, match="runs/rb-1, is gone from the store a table"):
        world.end(lock)


def test_an_entry_of_a_journal_that_is_gone_is_told_so(world, store):
    world.write(world.begin("rb-1"))
    (key,) = store.list("production/app/journal/")
    store.get = lambda asked: None if asked == key else store.table.get(asked)
    with pytest.raises(StoreError, match="was listed a moment ago, and is gone"):
        world.memory.journal("rb-1")
