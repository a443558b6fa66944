# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A watch on a clock of its own: what it sees, when it ends, what it comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Deployment,
    Service,
    ServiceTask,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import ContainerExit, StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.watch import Watch, Watched, verdict_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.watch import Living, Watching
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GOOD, BAD, OTHER = "app:41", "app:42", "app:43"
WELL = ("passed", "status 200")
ILL = ("failed", "status 502 instead of 200")
NOT_SEEN = ("inconclusive", "this machine cannot resolve the name of the host")


class Time:
    """A clock that goes on when somebody waits, or when a request takes its time."""

    def __init__(self, ends_after=None):
        self.seconds, self._ends_after = 0.0, ends_after
        self.clock = Clock(lambda: self.seconds, self.go)

    def go(self, seconds):
        self.seconds += seconds

    def wait(self, seconds):
        self.go(max(seconds, 0.001))

    def is_set(self):
        return self._ends_after is not None and self.seconds >= self._ends_after


def measuring(measure):
    try:
        return measure(), None
    except RollbackError as error:
        return None, error.message


def watched(answer, look=None, watch=None, ends_after=None, takes=0.0):
    """The Watched of an application that answers ``answer(number of the request, seconds)``."""
    now, asked = Time(ends_after), []

    def ask():
        now.go(takes)
        asked.append(now.seconds)
        return answer(len(asked), now.seconds)

    seen = Watching(
        watch or Watch(30, 2, 1), answer and ask, look and (lambda: look(now.seconds)), measuring, now.clock
    ).run(now)
    return seen, asked


def test_a_healthy_application_is_asked_in_each_interval_until_the_time_is_over():
    seen, asked = watched(lambda number, at: WELL, lambda at: ([], []))
    assert asked == pytest.approx([2.0 * place for place in range(15)])
    assert verdict_of(Watch(30, 2, 1), seen) == (
        "passed",
        "for 30 seconds, 15 of 15 health requests passed and no task has ended by itself",
        [],
    )


def test_a_slow_answer_moves_no_later_request():
    _seen, asked = watched(lambda number, at: WELL, takes=0.5)
    assert [round(at - 0.5, 1) % 2 for at in asked] == [0.0] * 15


@pytest.mark.parametrize(
    ("answer", "verdict", "requests", "words"),
    [
        (
            lambda number, at: ILL if number % 4 == 0 else WELL,
            "failed",
            8,
            "2 of 8 health requests failed (1 may): status 502",
        ),
        (lambda number, at: ILL if at > 25 else WELL, "failed", 15, "2 of 15 health requests failed"),
        (lambda number, at: ILL, "failed", 2, "within 2 seconds, 2 of 2 health requests failed"),
        (lambda number, at: ILL if number == 7 else WELL, "passed", 15, "14 of 15 health requests passed"),
        (lambda number, at: NOT_SEEN, "inconclusive", 15, "15 of 15 health requests could not be judged: this machine"),
        (lambda number, at: NOT_SEEN if number == 1 else WELL, "passed", 15, "14 of 15 health requests passed"),
    ],
    ids=["flapping", "dies late", "never well", "one lost", "not seen", "one not seen"],
)
def test_what_fails_more_often_than_it_may_is_failed_at_once(answer, verdict, requests, words):
    seen, asked = watched(answer)
    got = verdict_of(Watch(30, 2, 1), seen)
    assert (got[0], len(asked)) == (verdict, requests)
    assert words in got[1]


def test_a_task_that_ends_after_25_seconds_ends_the_watch():
    seen, _asked = watched(None, lambda at: (["a task of app has ended"], []) if at >= 25 else ([], []))
    assert 25 <= seen.seconds <= 28
    assert verdict_of(Watch(30, 2, 1), seen)[:2] == (
        "failed",
        f"within {round(seen.seconds)} seconds, a task of app has ended",
    )


def test_the_tasks_are_looked_at_once_more_at_the_end():
    seen, _asked = watched(None, lambda at: (["it has ended"], []) if at >= 30 else ([], []))
    assert verdict_of(Watch(30, 2, 1), seen)[0] == "failed"


def test_it_ends_when_something_else_has_failed():
    seen, asked = watched(lambda number, at: WELL, ends_after=5)
    assert (seen.seconds, len(asked)) == (6.0, 3)


def test_tasks_that_cannot_be_looked_at_are_not_living():
    def refused(_at):
        raise RollbackError("these credentials may not")

    seen, _asked = watched(lambda number, at: WELL, refused)
    assert verdict_of(Watch(30, 2, 1), seen)[:2] == ("inconclusive", "these credentials may not")


def test_with_nothing_to_watch_nothing_is_proven():
    assert verdict_of(Watch(30, 2, 1), Watched(seconds=30))[0] == "inconclusive"


class Ecs:
    """One service whose tasks a test changes."""

    def __init__(self, *ids):
        primary = Deployment("PRIMARY", GOOD, NOON, len(ids), len(ids), 0, "COMPLETED")
        self.service = Service("app", "ACTIVE", "ECS", GOOD, len(ids), len(ids), (primary,), ())
        self.running = [ServiceTask(name, "app", GOOD, NOON + timedelta(seconds=1), "RUNNING") for name in ids]
        self.dead, self.asked = [], []

    def services(self, names):
        return [self.service]

    def tasks(self, names):
        return {"app": list(self.running)}

    def stopped_tasks(self, deployed):
        self.asked.append(deployed)
        return {"app": self.dead}

    def end(self, name, reason=None):
        self.running = [task for task in self.running if task.id != name]
        self.dead += [StoppedTask("app", "app:2", "", reason, NOON, name, (ContainerExit("web", 1),))] if reason else []


def living(*ids):
    ecs = Ecs(*ids)
    look = Living(ecs, ["app"], {}).look
    assert look() == ([], [])
    return ecs, look


def test_a_task_that_is_gone_has_ended_and_ecs_says_why():
    ecs, look = living("a", "b")
    ecs.end("a", "Essential container in task exited")
    expected = "a task of app has ended: task a: Essential container in task exited; web exited with 1"
    assert look() == ([expected], [])
    assert look() == ([expected], [])
    assert ecs.asked == [{"app": (GOOD, NOON)}]


def test_one_of_which_ecs_says_nothing_yet_has_ended_as_well():
    ecs, look = living("a")
    ecs.end("a")
    assert look()[0] == ["a task of app has ended: task a; why, ECS does not say yet"]


@pytest.mark.parametrize(
    "reason", ["Your Spot Task was interrupted.", "Task stopped by user", "ECS is performing maintenance on it"]
)
def test_what_something_else_has_ended_is_told_and_does_not_count(reason):
    ecs, look = living("a")
    ecs.end("a", reason)
    ended, told = look()
    assert ended == []
    assert reason in told[0]


def test_tasks_that_are_not_wanted_any_more_may_go():
    ecs, look = living("a", "b", "c")
    ecs.service = replace(ecs.service, desired=2)
    ecs.end("b")
    assert look() == ([], [])
    ecs.end("c")
    assert len(look()[0]) == 2  # one more than is wanted less, and nobody can say which


def test_a_new_deployment_is_for_the_last_check_to_tell():
    ecs, look = living("a")
    newer = replace(ecs.service.deployments[0], created_at=NOON + timedelta(minutes=1))
    ecs.service = replace(ecs.service, deployments=(newer,))
    ecs.end("a")
    assert look() == ([], [])


def test_tasks_of_an_earlier_deployment_or_of_another_release_may_go():
    ecs = Ecs("a")
    ecs.running.append(ServiceTask("old", "app", GOOD, NOON - timedelta(hours=1), "RUNNING"))
    ecs.running.append(ServiceTask("bad", "app", BAD, NOON + timedelta(seconds=1), "RUNNING"))
    ecs.running.append(ServiceTask("new", "app", GOOD, NOON + timedelta(seconds=1), "PENDING"))
    look = Living(ecs, ["app"], {}).look
    look()
    for name in ("old", "bad", "new"):
        ecs.end(name)
    assert look() == ([], [])


def test_a_task_that_starts_during_the_watch_is_watched_too():
    ecs, look = living("a")
    ecs.running.append(ServiceTask("b", "app", GOOD, NOON + timedelta(seconds=9), "RUNNING"))
    look()
    ecs.end("b")
    assert len(look()[0]) == 1


def test_the_more_services_the_less_often_are_their_tasks_looked_at():
    now, looked = Time(), []
    Watching(
        Watch(30, 2, 1), None, lambda: looked.append(now.seconds) or ([], []), measuring, now.clock, services=50
    ).run(now)
    assert looked == pytest.approx([0, 10, 20, 30])


def test_whatever_is_allowed_to_fail_one_has_to_pass():
    lenient = Watch(30, 2, 20)
    failed = verdict_of(lenient, Watched(seconds=30, asked=20, failed=["status 502"] * 20))
    assert failed[:2] == ("failed", "none of 20 health requests passed: status 502")
    assert verdict_of(lenient, Watched(seconds=30, asked=12, unknown=["x"] * 12))[0] == "inconclusive"
    assert verdict_of(lenient, Watched(seconds=30, asked=12, failed=["y"], unknown=["x"] * 10))[0] == "passed"
