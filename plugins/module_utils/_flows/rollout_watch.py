# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far the deployments of a rollout are, from what ECS and load balancers say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EVIDENCE_TASKS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import absence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import (
    all_of,
    all_there,
    asked_about_health,
    deployment_status,
    judge_rollback,
    watched,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import judge_traffic
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.last_words import last_words
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_rollout import ServiceRollout
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import look_at

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

NEWEST = 20  # deployments among which ours is looked for


class RolloutWatch:
    """Looks how far deployments are, and what users get of them meanwhile.

    :param ecs: EcsGateway.
    :param logs: LogsGateway.
    :param elb: callable → ElbGateway; it is asked for only where it is needed.
    :param courses: the ServiceRollouts that are looked at, and told what has become of them.
    :param started: the clock's time when the rollout began.
    """

    def __init__(
        self,
        ecs: EcsGateway,
        logs: LogsGateway,
        elb: Callable[[], ElbGateway],
        clock: Clock,
        courses: Sequence[ServiceRollout],
        started: float,
    ) -> None:
        self._ecs, self._logs, self._elb, self._clock = ecs, logs, elb, clock
        self._courses = courses
        self._started = started
        self._sees_traffic = True
        # (service, tasks that run, tasks wanted, detail) of those that are not decided
        self._waiting: list[tuple[str, float, float, str]] = []

    def each(self, pending: Pending) -> list[tuple[str, float, float, str]]:
        """What each service waits for, or that AWS is away for all of them."""
        if not pending.away:
            return self._waiting
        return [(name, done, total, pending.detail) for name, done, total, _detail in self._waiting]

    def look(self) -> Ready | Pending | Failed:
        going = [course for course in self._courses if course.under_way]
        self.find([course for course in going if course.ours is None])
        found = {course.ours.arn: course for course in going if course.ours}
        for deployment in self._ecs.deployments(sorted(found)):
            found[deployment.arn].ours = deployment
        now = {service.name: service for service in self._ecs.services([course.service.name for course in going])}
        answers = {course.service.name: self._judge(course, now[course.service.name]) for course in going}
        unasked = [course for course in going if not asked_about_health(now[course.service.name], course.target)]
        answers.update(self._watched(unasked, now, answers))
        answers.update(self._traffic(going, now, answers))
        for course in going:
            self._close(course, answers[course.service.name])
        self._waiting = [
            (name, answer.done, answer.total, answer.detail.partition(": ")[2])
            for name, answer in answers.items()
            if isinstance(answer, Pending)
        ]
        return all_of(list(answers.values()))

    def _traffic(
        self,
        going: Iterable[ServiceRollout],
        now: Mapping[str, Service],
        answers: Mapping[str, Ready | Pending | Failed],
    ) -> dict[str, Pending]:
        """Notes which services get all their traffic by now. Answers for those that ECS calls a success while old tasks still get some."""
        asked = {}
        for course in going:
            service, ready = now[course.service.name], isinstance(answers[course.service.name], Ready)
            rolling = service.strategy.name == "ROLLING" and self._sees_traffic
            if course.served_at is None and ready and (len(service.deployments) == 1 or not rolling):
                course.served_at = self._clock.now()
            elif course.served_at is None and course.ours and rolling and all_there(service, course.asked_for):
                asked[service.name] = course
        found = self._judged_traffic(asked, now) if asked else {}
        for name in [name for name, answer in found.items() if isinstance(answer, Ready)]:
            asked[name].served_at = self._clock.now()
        return {
            name: answer
            for name, answer in found.items()
            if isinstance(answer, Pending) and isinstance(answers[name], Ready)
        }

    def _judged_traffic(
        self, asked: Mapping[str, ServiceRollout], now: Mapping[str, Service]
    ) -> dict[str, Ready | Pending]:
        """What ``judge_traffic`` says of each; nothing where the load balancer cannot be asked: then ECS's word counts."""
        try:
            going = self._ecs.tasks(list(asked), "STOPPED")
            left = {
                name: [task.address for task in tasks if task.address and task.status != "STOPPED"]
                for name, tasks in going.items()
            }
            targets = {name: course.asked_for for name, course in asked.items()}
            looks = look_at(self._ecs, [now[name] for name in asked], self._elb(), targets, left)
        except Exception as error:
            if absence(error) is None:
                raise
            looks = []
        self._sees_traffic = bool(looks) and not any(seen.unread for seen in looks)
        if not self._sees_traffic:
            return {}
        return {seen.service.name: judge_traffic(seen, left[seen.service.name]) for seen in looks}

    def find(self, courses: Sequence[ServiceRollout]) -> None:
        """Ours is the newest deployment of our target that was not there before; one that we joined is simply the newest."""
        histories = self._ecs.histories([course.service.name for course in courses], most=NEWEST)
        for course in courses:
            before = [] if course.step.verb == "join" else [item.arn for item in course.history]
            named = [item for item in histories[course.service.name] if item.task_definition == course.asked_for]
            course.ours = next((item for item in named if item.arn not in before), None)

    @staticmethod
    def _judge(course: ServiceRollout, service: Service) -> Ready | Pending | Failed:
        if course.ours is not None and course.ours.arn == course.step.stopped:
            return judge_rollback(service, course.ours, course.asked_for)
        return deployment_status(service, course.ours, course.asked_for)

    def _watched(
        self,
        courses: Sequence[ServiceRollout],
        now: Mapping[str, Service],
        answers: Mapping[str, Ready | Pending | Failed],
    ) -> dict[str, Ready | Pending | Failed]:
        """Nobody asks these tasks whether they are well, so ECS calls a deployment a success before one could have crashed."""
        deployed = {
            course.service.name: (course.asked_for, course.ours.created_at)
            for course in courses
            if course.ours and isinstance(answers[course.service.name], Pending)
        }
        stopped = self._ecs.stopped_tasks(deployed)
        found = {}
        for course in courses:
            name, answer = course.service.name, answers[course.service.name]
            course.proven_at = (course.proven_at or self._clock.now()) if isinstance(answer, Ready) else None
            seconds = self._clock.now() - (course.proven_at or 0)
            found[name] = watched(now[name], course.asked_for, answer, seconds, len(stopped.get(name, ())))
        return found

    def _close(self, course: ServiceRollout, answer: Ready | Pending | Failed) -> None:
        if course.outcome == "under way" and not isinstance(answer, Pending):
            course.outcome = "serves" if isinstance(answer, Ready) else "failed"
            course.seconds = self._clock.now() - self._started
            if isinstance(answer, Ready) and course.served_at is None:
                course.served_at = self._clock.now()

    def evidence(self) -> list[str]:
        """Lines that tell why a service is not where it should be; nothing of those that are."""
        lines = []
        for course in self._courses:
            if course.error:
                lines.append("%s: %s" % (course.service.name, course.error.message))
            elif course.under_way and course.outcome != "serves" and course.ours:
                lines += ["%s: %s" % (course.service.name, line) for line in self._seen(course, course.ours.created_at)]
        return lines

    def _seen(self, course: ServiceRollout, since: datetime) -> list[str]:
        name = course.service.name
        lines = ["event: %s" % message for message in self._ecs.events(name, since)]
        for task in self._ecs.stopped_tasks({name: (course.asked_for, since)})[name][:EVIDENCE_TASKS]:
            lines.append(str(task))
            for container in course.target.containers:
                place = container.log_stream(task.id)
                if place:
                    lines += ["  log: %s" % text for text in last_words(self._logs, *place)]
        return lines
