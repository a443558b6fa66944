# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches an application for a while: requests to its health in intervals, and whether its tasks live on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import RUNNING, expected_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.why_stopped import by_others
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.watch import (
    Watch,
    Watched,
    ended_tasks,
    is_decided,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import Progress
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.verify import Measuring

TASKS_EVERY, OF_EACH = (
    2.0,
    0.2,
)  # seconds between two looks at the tasks, and for each service: a look is a call of ListTasks for each


class Watching:
    """One watch.

    :param ask: callable without arguments that sends one request and gives (verdict, reason); None where there is nothing to ask.
    :param look: callable without arguments that gives (ended, excused), lists of str: see ``Living``; None where there are no tasks.
    :param measuring: see RollbackModule.
    :param services: how many services ``look`` looks at.
    """

    def __init__(
        self,
        watch: Watch,
        ask: Callable[[], tuple[str, str]] | None,
        look: Callable[[], tuple[list[str], list[str]]] | None,
        measuring: Measuring,
        clock: Clock | None = None,
        services: int = 1,
    ) -> None:
        self._every = max(TASKS_EVERY, OF_EACH * services)
        self._watch, self._ask, self._look, self._measuring = watch, ask, look, measuring
        self._clock, self._progress = clock or Clock(), Progress()

    def run(self, over: threading.Event) -> Watched:
        """The Watched, as soon as it is decided, or ``over`` (threading.Event) is set, or its time has passed."""
        watched, start = Watched(), self._clock.now()
        looked: float | None = None
        while True:
            now = self._clock.now()
            last = now - start >= self._watch.seconds or over.is_set()
            if self._look and (last or looked is None or now - looked >= self._every):
                looked = now
                self._look_once(self._look, watched)
            if self._ask and not last:
                self._ask_once(self._ask, watched)
            watched.seconds = self._clock.now() - start
            if last or is_decided(self._watch, watched):
                self._progress.over("watch")
                return watched
            self._tell(watched)
            over.wait(self._until_next(start))

    def _until_next(self, start: float) -> float:
        """Seconds to the next interval's beginning: a slow answer moves none of the later ones."""
        elapsed, interval = self._clock.now() - start, self._watch.interval
        number = int(elapsed / interval + 0.1) + 1  # who wakes up a moment too early does not ask twice
        return max(0.0, min(number * interval, self._watch.seconds) - elapsed)

    def _ask_once(self, ask: Callable[[], tuple[str, str]], watched: Watched) -> None:
        found, why = self._measuring(ask)
        verdict, reason = found or (INCONCLUSIVE, why or "")
        watched.asked += 1
        if verdict == FAILED:
            watched.failed.append(reason)
        elif verdict == INCONCLUSIVE:
            watched.unknown.append(reason)

    def _look_once(self, look: Callable[[], tuple[list[str], list[str]]], watched: Watched) -> None:
        found, why = self._measuring(look)
        watched.unread = why or ""
        if found:
            watched.looks += 1
            watched.ended, watched.excused = found

    def _tell(self, watched: Watched) -> None:
        limit = round(self._watch.seconds)
        detail = "the application is watched for %d s: %d health requests, %d failed" % (
            limit,
            watched.asked,
            len(watched.failed),
        )
        self._progress.tell(
            "watch", round(watched.seconds), limit, detail, watched.seconds, limit - watched.seconds, "watch"
        )


class Living:
    """Looks whether the tasks of some services live on. Which those are, the first look decides.

    :param names: of the services.
    :param targets: service → task definition that it should run (ARN or family:revision).
    """

    def __init__(self, ecs: EcsGateway, names: Sequence[str], targets: Mapping[str, str]) -> None:
        self._ecs, self._names, self._targets = ecs, names, targets
        self._services: dict[str, Service] = {}
        self._seen: dict[str, ServiceTask] = {}
        self._ended: dict[str, str] = {}
        self._excused: dict[str, str] = {}

    def look(self) -> tuple[list[str], list[str]]:
        """(ended, excused): the tasks that have ended by themselves since the first look, and those that something else has ended."""
        services = {service.name: service for service in self._ecs.services(self._names)}
        running = self._ecs.tasks(self._names)
        self._services = self._services or services
        here = {task.id for tasks in running.values() for task in tasks}
        pairs = {name: (self._services[name], services[name]) for name in self._names}
        known = {task.id: task for task in self._seen.values() if task.id not in (*self._ended, *self._excused)}
        self._sort(ended_tasks(known, here, pairs))
        for name, tasks in running.items():
            service = self._services[name]
            self._seen.update({task.id: task for task in tasks if self._is_of_the_deployment(task, service)})
        return list(self._ended.values()), list(self._excused.values())

    def _is_of_the_deployment(self, task: ServiceTask, service: Service) -> bool:
        """Whether a task runs what it should. One of an earlier deployment of the same task definition is about to be replaced."""
        wanted = task.status == RUNNING and task.task_definition == expected_of(service, self._targets)
        return wanted and service.primary is not None and task.created >= service.primary.created_at

    def _sort(self, gone: Iterable[ServiceTask]) -> None:
        """Remember whether each of these ServiceTasks has ended by itself. Until ECS says why, it has."""
        if not gone:
            return
        primaries = {name: service.primary for name, service in self._services.items() if service.primary}
        since = {
            name: (expected_of(self._services[name], self._targets), item.created_at)
            for name, item in primaries.items()
        }
        stopped = {task.id: task for tasks in self._ecs.stopped_tasks(since).values() for task in tasks}
        for task in gone:
            why = stopped.get(task.id)
            into = self._excused if why and by_others(why) else self._ended
            told = why or "task %s; why, ECS does not say yet" % task.id
            into[task.id] = "a task of %s has ended: %s" % (task.service, told)
