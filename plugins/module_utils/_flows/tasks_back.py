# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks whether services that get their tasks back serve with them, where no deployment of ours proves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EVIDENCE_TASKS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fence import tasks_back
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.why_stopped import by_others, not_started
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.last_words import last_words
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import look_at

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import ServiceObservation
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock


class TasksBack:
    """What becomes of tasks that are wanted again.

    :param ecs: EcsGateway, ``elb``: ElbGateway, ``logs``: LogsGateway.
    :param since: since when they are wanted (aware datetime): what ended before says nothing.
    """

    def __init__(self, ecs: EcsGateway, elb: ElbGateway, logs: LogsGateway, since: datetime, clock: Clock) -> None:
        self._ecs, self._elb, self._logs = ecs, elb, logs
        self._since, self._clock = since, clock
        self._failed_before: dict[str, int] = {}
        self._there: dict[str, float] = {}  # service → the clock's time since when all its tasks are there
        self._ended: dict[str, list[StoppedTask]] = {}
        self.serving: set[str] = set()

    def begin(self, services: Iterable[Service]) -> None:
        """Note what ECS counts as failed before anything is done."""
        self._failed_before = {service.name: _failed(service) for service in services}

    def look(self, services: Sequence[Service]) -> list[Ready | Pending | Failed]:
        """What is known of each of several services, which were read a moment ago."""
        looks = look_at(self._ecs, services, self._elb) if services else []
        wanted = {seen.service.name: (seen.expected, self._since) for seen in looks}
        stopped = self._ecs.stopped_tasks(wanted) if wanted else {}
        # What AWS itself has not brought up, or has stopped, is tried again, and says nothing of what is in it.
        self._ended = {
            name: [task for task in tasks if not by_others(task) and not not_started(task)]
            for name, tasks in stopped.items()
        }
        return [self._judge(seen) for seen in looks]

    def _judge(self, seen: ServiceObservation) -> Ready | Pending | Failed:
        service, name, now = seen.service, seen.service.name, self._clock.now()
        if service.running < service.desired:
            self._there.pop(name, None)
        there = now - self._there.setdefault(name, now) if service.running >= service.desired else 0.0
        before, failed = self._failed_before.get(name, 0), _failed(service)
        # ECS begins to count anew once a task has come up.
        since = failed - before if failed >= before else failed
        answer = tasks_back(seen, len(self._ended.get(name, ())), since, there)
        if isinstance(answer, Ready):
            self.serving.add(name)
        return answer

    def evidence(self, services: Sequence[Service]) -> list[str]:
        """Lines that tell why services do not serve: events, how tasks ended, and what they said last."""
        lines = []
        for service in services:
            lines += ["%s: event: %s" % (service.name, text) for text in self._ecs.events(service.name, self._since)]
            containers = self._ecs.task_definition(service.task_definition).containers
            for task in self._ended.get(service.name, ())[:EVIDENCE_TASKS]:
                lines.append("%s: %s" % (service.name, task))
                places = [place for container in containers if (place := container.log_stream(task.id))]
                said = [text for place in places for text in last_words(self._logs, *place)]
                lines += ["%s:   log: %s" % (service.name, text) for text in said]
        return lines


def _failed(service: Service) -> int:
    return service.primary.failed_tasks if service.primary else 0
