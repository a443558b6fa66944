# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No task of the bad release starts on the restored database, whatever crashes, is scaled, rolled back or killed: 200 productions.

What the scheduler does is what the lab's does (`ecs_decide.next_step`), what our run does is what its own functions decide (`judge`, `alone`). Calls
are not atomic: between any two of them the world goes on. `lab/no-bad-session` plays the same with real tasks and a real PostgreSQL.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Deployment,
    Service,
    ServiceDeployment,
    ServiceTask,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import (
    alone,
    deployment_status,
)

from loopback_aws.services.ecs.decide import Counts, next_step

SEEDS = 200
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
BAD, GOOD = "x/app:2", "x/app:3"  # the good one is the copy that pins the version with the restored database's URL
FAILED_HOST, RESTORED = "failed", "restored"
ENOUGH = 3  # failed tasks in a row: ECS's circuit breaker, and ours


@dataclasses.dataclass(eq=False)
class Task:
    of: Rollout
    reads: str
    age: int = 0
    healthy: bool = False
    wanted: bool = True
    drains: int = 0


@dataclasses.dataclass(eq=False)
class Rollout:
    """An entry of deployments[]."""

    definition: str
    state: str = "IN_PROGRESS"
    held: int = 0
    failed: int = 0


class World:
    """A service of ECS, tick by tick; chance decides what goes wrong."""

    def __init__(self, seed: int):
        chance = self.chance = random.Random(seed)
        self.desired = chance.randint(1, 4)
        self.minimum, self.maximum = chance.choice([(100, 200), (0, 100), (0, 200), (50, 150), (50, 200)])
        self.early = chance.random() < 0.5
        self.breaker = chance.choice(["off", "stop", "back"])
        self.crashes = {BAD: chance.choice([0.0, 0.1, 1.0]), GOOD: chance.choice([0.0, 0.0, 0.0, 0.02, 1.0])}
        self.ill = chance.random() < 0.15  # health checks fail for whatever runs
        self.pull, self.check, self.drain = chance.randint(1, 4), chance.randint(1, 5), chance.randint(0, 8)
        self.current, self.bad_sessions = FAILED_HOST, 0
        bad = Rollout(BAD, "COMPLETED" if not self.crashes[BAD] else "IN_PROGRESS")
        self.deployments, self.tasks, self.completed = [bad], [], bad
        self.history = []  # [definition, status] of what we have deployed, newest last
        for _ in range(12):
            self.tick()

    def tick(self):
        for task in list(self.tasks):
            self._live(task)
        self._step()
        self._settle()
        if self.chance.random() < 0.03:
            before, self.desired = self.desired, self.chance.randint(1, 5)
            for each in self.deployments[1:]:
                each.held = min(self.desired, each.held + max(0, self.desired - before))

    def _live(self, task):
        task.age += 1
        if not task.wanted:
            task.drains -= 1
            if task.drains < 0:
                self.tasks.remove(task)
            return
        if task.age > self.pull and self.chance.random() < self.crashes[task.of.definition]:
            self.tasks.remove(task)
            task.of.failed += not task.healthy
            return
        task.healthy = task.age > self.pull + self.check and not self.ill
        if task.healthy:
            task.of.failed = 0
        elif task.age > self.pull + self.check + 3:
            task.of.failed += 1
            self._stop(task)

    def _stop(self, task):
        task.wanted, task.healthy, task.drains = False, False, self.drain

    def counts(self, rollout):
        mine = [task for task in self.tasks if task.of is rollout and task.wanted]
        pending, healthy = sum(task.age <= self.pull for task in mine), sum(task.healthy for task in mine)
        return Counts(pending, len(mine) - pending - healthy, healthy)

    def _step(self):
        primary, *older = self.deployments
        step = next_step(
            self.desired, self.minimum, self.maximum, self.counts(primary), tuple(map(self.counts, older)),
            tuple(each.held for each in older), frozen=primary.state == "FAILED",
        )  # fmt: skip
        for rollout, count in zip(self.deployments, (step.stop, *step.stop_older), strict=True):
            mine = sorted((task for task in self.tasks if task.of is rollout and task.wanted), key=lambda task: task.healthy)  # fmt: skip
            for task in mine[:count]:
                self._stop(task)
        for rollout, count in zip(self.deployments, (step.start, *step.start_older), strict=True):
            for _ in range(count):
                self._start(rollout)

    def _start(self, rollout):
        reads = RESTORED if rollout.definition == GOOD else self.current
        self.tasks.append(Task(rollout, reads))
        self.bad_sessions += rollout.definition == BAD and reads == RESTORED

    def _settle(self):
        primary = self.deployments[0]
        counts, left = self.counts(primary), {id(task.of) for task in self.tasks}
        lacking = primary.state == "IN_PROGRESS" and counts.healthy < self.desired
        gone = [each for each in self.deployments[1:] if id(each) not in left and not (each.held and lacking)]
        self.deployments = [each for each in self.deployments if each not in gone]
        there = counts.healthy == counts.all == self.desired
        alone_ = len(self.deployments) == 1 and len(self.tasks) == self.desired
        if primary.state == "IN_PROGRESS" and there and (alone_ or self.early):
            primary.state, self.completed = "COMPLETED", primary
            for each in self.deployments[1:]:
                each.held = 0
            if self.history and self.history[-1][1] in ("IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
                self.history[-1][1] = "SUCCESSFUL" if primary.definition == self.history[-1][0] else "ROLLBACK_SUCCESSFUL"  # fmt: skip
        elif primary.state == "IN_PROGRESS" and primary.failed >= ENOUGH and self.breaker != "off":
            self._give_up(primary)

    def _give_up(self, primary):
        primary.state = "FAILED"
        if self.breaker == "back" and self.completed is not primary:
            back = Rollout(self.completed.definition)
            self._take_over(back)
            if self.history:
                self.history[-1][1] = "ROLLBACK_IN_PROGRESS"
        elif self.history and primary.definition == self.history[-1][0]:
            self.history[-1][1] = "STOPPED"

    def _take_over(self, rollout):
        self.deployments[0].held = self.desired
        self.deployments.insert(0, rollout)

    def deploy(self):
        """UpdateService, with the copy that pins."""
        if self.history and self.history[-1][1] == "IN_PROGRESS":
            self.history[-1][1] = "STOPPED"
        self._take_over(Rollout(GOOD))
        self.history.append([GOOD, "IN_PROGRESS"])

    def service(self):
        """As DescribeServices tells it."""
        rows = []
        for place, each in enumerate(self.deployments):
            counts = self.counts(each)
            wanted = self.desired if place == 0 else counts.all
            started = counts.all - counts.pending
            status = "ACTIVE" if place else "PRIMARY"
            rows.append(Deployment(status, each.definition, NOW, wanted, started, each.failed, each.state))
        running = sum(row.running for row in rows)
        return Service("app", "ACTIVE", "ECS", rows[0].task_definition, self.desired, running, tuple(rows), ())

    def listed(self):
        """The tasks that are to run, as ListTasks and DescribeTasks tell them."""
        return [ServiceTask(str(id(task)), "app", task.of.definition, NOW, "RUNNING") for task in self.tasks if task.wanted]  # fmt: skip

    def ours(self):
        definition, status = self.history[-1]
        return ServiceDeployment("arn:x:y:z:1:service-deployment/c/app/1", status, "", NOW, definition)


class Run:
    """Our run in such a world. It dies at any call, with a chance of one in twenty, and goes on later."""

    def __init__(self, world, order):
        self.world, self.order = world, order
        self.moved = self.failed = False

    def between(self):
        """The world goes on between two calls."""
        for _ in range(self.world.chance.randint(0, 3)):
            self.world.tick()

    def look(self):
        """One look at the deployment; whether the run has come to an end."""
        service = self.world.service()
        self.between()
        answer = deployment_status(service, self.world.ours(), GOOD)
        if isinstance(answer, Ready):
            listed = {"app": self.world.listed()}
            self.between()
            answer = alone({"app": GOOD}, {"app": self.world.service()}, listed)
        self.between()
        if isinstance(answer, Ready):
            self.world.current, self.moved = RESTORED, True
        self.failed = isinstance(answer, Failed)
        return self.moved or self.failed

    def go(self):
        if self.order == "first":  # as it was before: the secret moves, then the deployment comes
            self.world.current = RESTORED
        if self.world.deployments[0].definition != GOOD:
            self.between()
            self.world.deploy()
        for _ in range(120):
            self.between()
            if self.world.chance.random() < 0.03:
                return  # killed
            if self.look():
                return


def play(seed, order="last"):
    """A world after a rollback, and its run: at most four goes, and whatever comes after."""
    world = World(seed)
    run = Run(world, order)
    for _ in range(4):
        run.go()
        for _ in range(world.chance.randint(0, 30)):
            world.tick()
        if run.moved:
            break
    for _ in range(60):
        world.tick()
    return world, run


@pytest.fixture(scope="module", name="played")
def _played():
    return {seed: play(seed) for seed in range(SEEDS)}


def test_no_bad_session_in_any_of_the_productions(played):
    assert {seed: world.bad_sessions for seed, (world, _run) in played.items() if world.bad_sessions} == {}


def test_the_productions_are_of_all_kinds(played):
    """A run that never moves the secret would prove nothing, and neither would worlds where nothing goes wrong."""
    assert sum(run.moved for _world, run in played.values()) > SEEDS / 3
    assert sum(run.failed for _world, run in played.values()) > SEEDS / 20
    assert sum(len(world.history) > 1 for world, _run in played.values()) > SEEDS / 20
    assert sum(world.history[-1][1] == "ROLLBACK_SUCCESSFUL" for world, _run in played.values()) > 3


def test_a_secret_that_moves_first_has_bad_sessions_in_many_of_them():
    assert sum(play(seed, "first")[0].bad_sessions > 0 for seed in range(SEEDS // 4)) > SEEDS / 16


def test_a_seed_plays_the_same_again(played):
    one, other = played[3][0], play(3)[0]
    assert (one.history, len(one.tasks), one.desired) == (other.history, len(other.tasks), other.desired)
