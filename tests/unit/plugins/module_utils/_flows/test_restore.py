# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole restores on a small model of RDS, in a time of their own: also killed anywhere and begun again."""

from __future__ import annotations

import copy

import botocore.session
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.next_step import RestoreSpecification
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.finish import Finishing, unfinished_of, whole
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.restore import Restoration
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

MODEL = botocore.session.get_session().get_service_model("rds")
RUN = "rb-20261122-120000"
NEW = "app-db-" + RUN
LAG = 3  # seconds in which RDS shows a modified instance as if nothing had been asked

# What a restored instance has of its own, and cannot be given by the restore.
DEFAULTS = {
    "MonitoringInterval": 0,
    "MonitoringRoleArn": None,
    "PerformanceInsightsEnabled": False,
    "DatabaseInsightsMode": "standard",
    "MaxAllocatedStorage": None,
    "PreferredMaintenanceWindow": "mon:01:00-mon:01:30",
}


MISSING = {*DEFAULTS, "PerformanceInsightsRetentionPeriod", "PerformanceInsightsKMSKeyId"}


class Killed(BaseException):
    """The process ends here."""


class Rds:
    """One DB instance's life, on a clock that only sleeping moves. It has the reads and writes of RdsGateway that a restore uses.

    ``kill_at``: the number of the call at which the process is killed, before or (``after``) behind its effect.
    """

    def __init__(self, answer, kill_at=None, after=False, ignored=(), busy=0, ends_in="available", backs_up=10):
        self.now, self.backs_up, self.sealed = 0.0, backs_up, []
        self.answer = answer
        self.kill_at, self.after = kill_at, after
        self.ignored, self.busy, self.ends_in = ignored, busy, ends_in
        self.calls, self.restores, self.modifications = 0, 0, 0
        self.born, self.changed_at, self.values = None, None, {}

    def sleep(self, seconds):
        self.now += max(seconds, 0.001)

    def _call(self, effect=lambda: None):
        self.calls += 1
        if self.calls == self.kill_at and not self.after:
            raise Killed
        result = effect()
        if self.calls == self.kill_at:
            raise Killed
        return result

    def instance(self, name):
        assert name == NEW
        return self._call(self.shown)

    def shown(self):
        if self.born is None or self.now - self.born < 1:
            return None
        answer = copy.deepcopy(self.answer)
        answer.update(DEFAULTS, TagList=self.values["Tags"])
        answer["DBInstanceStatus"] = self._status()
        if self.now - self.born < 20:
            del answer["Endpoint"]
        if self.changed_at is not None and self.now - self.changed_at >= LAG + 10:
            answer.update(
                {key: value for key, value in self.answer.items() if key in DEFAULTS and key not in self.ignored}
            )
        return DbInstance.from_boto(answer)

    def _status(self):
        age = self.now - self.born
        if age < 20:
            return "creating"
        if self.ends_in != "available":
            return self.ends_in
        if age < 20 + self.backs_up:
            return "backing-up"
        if self.changed_at is not None and LAG <= self.now - self.changed_at < LAG + 10:
            return "modifying"
        return "available"

    def restore(self, operation, request):
        def effect():
            if self.born is not None:
                return False
            self.restores += 1
            self.born, self.values = self.now, request
            return True

        return self._call(effect)

    def modify(self, request):
        assert request["DBInstanceIdentifier"] == NEW

        def effect():
            if self.busy:
                self.busy -= 1
                return False
            self.modifications += 1
            self.changed_at = self.now
            return True

        return self._call(effect)

    def tag(self, _arn, tags):
        assert tags == {"spymeo:rollback-unfinished": ""}
        self._call(lambda: self.sealed.append(NEW))

    def events(self, kind, name):
        return ["12:00 %s %s did not fit" % (kind, name)]


@pytest.fixture
def begin(db_instance_answer, db_snapshot_answer):
    """Begins a restore on a model of RDS, as a new process does."""
    accepts = [
        frozenset(MODEL.operation_model(name).input_shape.members)
        for name in ("RestoreDBInstanceFromDBSnapshot", "ModifyDBInstance")
    ]

    def start(rds, run_id=RUN):
        source = DbInstance.from_boto(db_instance_answer())
        snapshot = DbSnapshot.from_boto(db_snapshot_answer())
        return Restoration(
            rds, source, snapshot, RestoreSpecification(NEW, run_id, *accepts), Clock(lambda: rds.now, rds.sleep)
        )

    return start


@pytest.fixture
def finish(db_instance_answer):
    """Begins to finish what was restored, as a new process does."""
    accepts = frozenset(MODEL.operation_model("ModifyDBInstance").input_shape.members)

    def start(rds, source=True):
        restored = DbInstance.from_boto(dict(rds.shown().description))
        there = [DbInstance.from_boto(db_instance_answer())] * source + [restored]
        assert unfinished_of(NEW, there) == [restored]
        by_name = {item.name: item for item in there}
        return Finishing(rds, restored, by_name, accepts, Clock(lambda: rds.now, rds.sleep))

    return start


@pytest.fixture
def rds(db_instance_answer):
    return lambda **options: Rds(db_instance_answer(name=NEW), **options)


def test_a_restore_ends_when_it_answers_whatever_rds_does_after_that(begin, rds):
    world = rds(backs_up=7200)
    restoration = begin(world)
    restoration.wait(600)
    restoration.begin_finishing()
    assert restoration.differences == ()
    assert restoration.changed is True
    assert restoration.instance.host
    assert (restoration.instance.status, world.now < 25) == ("backing-up", True)
    assert {item.setting for item in restoration.left} >= {"MaxAllocatedStorage", "MonitoringInterval"}
    assert (world.restores, world.modifications) == (1, 0)


def test_what_is_left_is_asked_for_at_once_where_rds_takes_it(begin, rds):
    world = rds(backs_up=0)
    restoration = begin(world)
    restoration.wait(600)
    restoration.begin_finishing()
    assert (world.restores, world.modifications, world.now < 25) == (1, 1, True)


def test_a_second_process_changes_nothing(begin, rds):
    world = rds()
    begin(world).wait(600)
    second = begin(world)
    second.wait(600)
    assert second.changed is False
    assert (world.restores, world.modifications) == (1, 0)


def test_finishing_waits_for_the_backup_and_ends_as_the_source(begin, rds, finish):
    world = rds(backs_up=7200)
    begin(world).wait(600)
    early = finish(world)
    early.begin()
    assert early.left == ["DB instance %s: %s (it is backing-up)" % (NEW, ", ".join(sorted(MISSING)))]
    assert early.seal() is False
    finishing = finish(world)
    finishing.wait(10000)
    assert (finishing.left, finishing.seal(), world.modifications, world.sealed) == ([], True, 1, [NEW])
    assert world.now < 7300


@given(kill_at=st.integers(1, 12), after=st.booleans(), pause=st.floats(0, 60))
@hypothesis_settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_finishing_killed_at_any_call_is_finished_by_the_next_one(begin, rds, finish, kill_at, after, pause):
    world = rds()
    begin(world).wait(600)
    world.calls, world.kill_at, world.after = 0, kill_at, after
    try:
        first = finish(world)
        first.wait(600)
        first.seal()
    except Killed:
        world.sleep(pause)
    world.kill_at = None
    if not world.sealed:
        second = finish(world)
        second.wait(600)
        assert (second.left, second.seal()) == ([], True)
    assert world.modifications <= 2


def test_a_setting_that_rds_does_not_take_is_never_called_finished(begin, rds, finish):
    world = rds(ignored=("MaxAllocatedStorage",))
    begin(world).wait(600)
    finishing = finish(world)
    finishing.wait(600)
    assert finishing.left == ["DB instance %s: MaxAllocatedStorage (RDS does not set them)" % NEW]
    assert (finishing.seal(), world.sealed, world.modifications) == (False, [], 1)


def test_finishing_an_instance_whose_source_is_gone_says_how_to_give_that_up(begin, rds, finish):
    world = rds()
    begin(world).wait(600)
    finishing = finish(world, source=False)
    finishing.wait(600)
    assert "app-db, whose settings it is to have, is gone" in finishing.left[0]
    assert "Key=spymeo:rollback-unfinished,Value=" in finishing.left[0]
    assert (finishing.seal(), world.modifications) == (False, 0)


@given(kill_at=st.integers(1, 25), after=st.booleans(), pause=st.floats(0, 60))
@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_process_killed_at_any_call_goes_on_as_one_instance(begin, rds, kill_at, after, pause):
    world = rds(kill_at=kill_at, after=after)
    try:
        begin(world).wait(600)
    except Killed:
        world.sleep(pause)
    second = begin(world)
    second.wait(600)
    assert second.differences == ()
    assert world.restores == 1


def test_a_restore_whose_reply_was_lost_is_joined_not_made_twice(begin, rds):
    world = rds(kill_at=2, after=True)
    first = begin(world)
    first.observe()
    with pytest.raises(Killed):
        first.advance()
    second = begin(world)
    second.observe()
    assert second.instance is None, "RDS does not show it yet"
    second.advance()
    assert second.changed is False
    assert world.restores == 1


def test_an_instance_that_is_busy_is_modified_when_it_is_not(begin, rds, finish):
    world = rds(busy=3)
    begin(world).wait(600)
    finish(world).wait(600)
    assert (world.busy, world.modifications) == (0, 1)


def test_a_terminal_state_fails_at_once_with_rdss_events(begin, rds):
    world = rds(ends_in="incompatible-network")
    with pytest.raises(RollbackError, match="incompatible-network") as failed:
        begin(world).wait(600)
    assert failed.value.evidence == ["12:00 db-instance %s did not fit" % NEW]
    assert world.now < 22


def test_the_deadline_is_kept_and_the_last_state_told(begin, rds):
    world = rds()
    with pytest.raises(TimedOut, match="creating"):
        begin(world).wait(10)
    assert world.now == pytest.approx(10, abs=0.1)


def test_another_runs_instance_is_refused(begin, rds):
    world = rds()
    begin(world).wait(600)
    with pytest.raises(BadInput, match="not this run's"):
        begin(world, "rb-20261122-130000").wait(600)
    assert world.restores == 1


def chain(db_instance_answer, *pairs):
    """Name → DbInstance: each was restored in the place of the second of its pair; MaxAllocatedStorage tells them apart."""
    found = {}
    for number, (name, source) in enumerate(pairs):
        tags = {"spymeo:rollback-run": "rb-1", "spymeo:rollback-data": f"{name}/x/2026-11-22T11:00:00+00:00/{name}"}
        if source:
            tags["spymeo:rollback-unfinished"] = f"{name}/{source}/"
        found[name] = DbInstance.from_boto(db_instance_answer(name=name, tags=tags, MaxAllocatedStorage=1000 + number))
    return found


@pytest.mark.parametrize(
    ("pairs", "of", "expected"),
    [
        ([("a", ""), ("b", "")], "b", 1001),
        ([("a", ""), ("b", "a")], "b", 1000),
        ([("a", ""), ("b", "a"), ("c", "b")], "c", 1000),
        ([("a", ""), ("b", ""), ("c", "b")], "c", 1001),
        ([("b", "gone")], "b", 1000),  # nobody knows any better
        ([("a", "b"), ("b", "a")], "b", 1001),
    ],
    ids=[
        "finished",
        "not finished",
        "neither is its source",
        "its source is finished",
        "its source is gone",
        "a circle",
    ],
)
def test_settings_are_taken_from_where_they_are(db_instance_answer, pairs, of, expected):
    by_name = chain(db_instance_answer, *pairs)
    assert whole(by_name[of], by_name).description["MaxAllocatedStorage"] == expected


def test_what_is_not_finished_is_found_in_the_family_and_where_it_serves(db_instance_answer):
    by_name = chain(db_instance_answer, ("a", ""), ("b", "a"), ("stranger", "elsewhere"))
    for each, more in (
        ("b", {"spymeo:rollback-replaces": "a"}),
        ("stranger", {"spymeo:rollback-replaces": "elsewhere"}),
    ):
        by_name[each].tags.update(more)
    assert [each.name for each in unfinished_of("a", by_name.values())] == ["b"]
    assert unfinished_of("a", by_name.values(), "rb-2") == []
    by_name["b"].tags["spymeo:rollback-replaced-by"] = "a"
    assert unfinished_of("a", by_name.values()) == []
