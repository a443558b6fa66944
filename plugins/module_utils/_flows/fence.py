# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing services to 0 tasks, or back, step by step from wherever they are: look, decide, take the step, look again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import all_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fence import (
    ALL,
    FENCE,
    broken,
    count_command,
    lift_line,
    next_to_fence,
    next_to_lift,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import PATIENCE, once_answered, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.autoscaling import ScalingGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Suspended
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.tasks_back import TasksBack
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

_STARTED = "has started"  # ECS's event: "(service app) has started 2 tasks: …"


class Fencing:
    """The services of one application, on their way to 0 tasks (``verb`` is FENCE) or back (LIFT).

    ``broken`` are sentences of what somebody else has done to a fence that stood. ``stood``: service → the time of ECS's newest event (aware
    datetime, None without any) when it was seen at 0.

    :param ecs: EcsGateway.
    :param scaling: ScalingGateway.
    :param stood: the same of an earlier look; without one, a fence that is gone may never have stood.
    :param proof: TasksBack that tells whether tasks that are wanted again serve; None where a deployment has proven it.
    """

    def __init__(
        self,
        ecs: EcsGateway,
        scaling: ScalingGateway,
        verb: str,
        names: Sequence[str],
        run_id: str,
        clock: Clock,
        stood: Mapping[str, datetime | None] | None = None,
        proof: TasksBack | None = None,
    ) -> None:
        self._proof = proof
        self._ecs, self._scaling, self._verb, self._names = ecs, scaling, verb, names
        self._run_id, self._clock = run_id, clock
        self.changed = self._acting = False
        self.broken: list[str] = []
        self.stood = dict(stood or {})
        self.services: list[Service] = []
        self._suspended: dict[str, Suspended] = {}
        self.observe()
        if verb == FENCE:
            self._refuse_what_has_no_tasks()

    def _refuse_what_has_no_tasks(self) -> None:
        without = [service.name for service in self.services if service.desired == 0 and service.fence is None]
        if without:
            raise RollbackError(
                "Service %s is scaled to 0 already, and not by a rollback, so it is not known how many tasks it is to get back. "
                "Set its desired count, or set rollback_fence to auto." % ", ".join(without)
            )

    def observe(self) -> None:
        """Look at the services and their scalable targets again."""
        self.services = self._ecs.services(self._names)
        self._suspended = self._scaling.suspended(self._names)
        for service in self.services if self._verb == FENCE else ():
            self._notice(service)

    def _notice(self, service: Service) -> None:
        if service.fence is None:
            return
        stood, since = service.name in self.stood, self.stood.get(service.name)
        started = [text for at, text in service.events if _STARTED in text and (since is None or at > since)]
        told = broken(service.name, service.fence, service.desired, stood, started)
        if told and told not in self.broken:
            self.broken.append(told)
        if not service.desired:
            self.stood[service.name] = max((at for at, _text in service.events), default=None)

    def plan(self) -> list[str]:
        """What is to be done, one line a service."""
        lines = {
            "tag": "scale to 0",
            "suspend": "scale to 0",
            "remember": "scale to 0",
            "scale": "scale",
            "wait": "wait",
            "resume": "resume scaling",
        }
        steps = [(service, self._next(service)) for service in self.services]
        return ["%s: %s" % (service.name, lines.get(step, step)) for service, step in steps if step]

    def plan_lines(self) -> list[str]:
        """What becomes of each service when its fence is lifted, for people; a command stands below its sentence, indented."""
        lines = []
        for item in self.services:
            lines.append(lift_line(item.name, item.fence, item.desired, self._suspended.get(item.name), item.running))
            if item.fence is None and not item.desired:
                lines.append(" " * 10 + count_command(self._ecs.cluster, item.name))
        return lines

    def _next(self, service: Service) -> str | None:
        decide = next_to_fence if self._verb == FENCE else next_to_lift
        counted = service.running + service.pending if self._verb == FENCE else service.running
        step = decide(service.fence, service.desired, self._suspended.get(service.name), counted)
        if step in ("resume", "untag") and self._proof and self._acting and service.name not in self._proof.serving:
            return "wait"
        return step

    def go(self, timeout: float, tell: Callable[[Pending, float], object] | None, wait: bool) -> None:
        """Take every step; with ``wait``, until the tasks are gone, or there.

        :param timeout: seconds.
        :raises TimedOut: they are not in time.
        """
        what = "Scaling the services to 0" if self._verb == FENCE else "Bringing the services back"
        self._acting = True
        if self._proof:
            self._proof.begin(self.services)
        while self._take_all():
            once_answered(what, self.observe, PATIENCE, self._clock, tell)
        if wait:
            wait_for(what, self._look, timeout, self._clock, self._evidence, tell)

    def _evidence(self) -> list[str]:
        return [*self.broken, *(self._proof.evidence(self._unfinished()) if self._proof else ())]

    def _unfinished(self) -> list[Service]:
        return [service for service in self.services if self._next(service)]

    def _take_all(self) -> bool:
        """Whether a step was taken that can be followed by another at once."""
        steps = [(service, self._next(service)) for service in self.services]
        for service, step in steps:
            self._take(service, step)
        return any(step not in (None, "wait") for _service, step in steps)

    def _take(self, service: Service, step: str | None) -> None:
        if step in (None, "wait"):
            return
        self.changed = True
        fence = service.fence
        if fence is None:  # the step is tag
            fence = Fence(self._run_id, service.desired, self._suspended.get(service.name))
            self._ecs.mark_fence(service.arn, fence.text)
        elif step == "remember":
            self._ecs.mark_fence(service.arn, replace(fence, desired=service.desired).text)
        elif step == "suspend":
            self._scaling.suspend(service.name, ALL)
        elif step == "resume" and fence.suspended is not None:
            self._scaling.suspend(service.name, fence.suspended)
        elif step == "scale":
            self._ecs.scale(service.name, 0 if self._verb == FENCE else fence.desired)
        elif step == "untag":
            self._ecs.unmark_fence(service.arn)

    def _look(self) -> Ready | Pending | Failed:
        self.observe()
        answer = all_of(self._proof.look(self._unfinished())) if self._proof else Ready()
        self._take_all()
        self.observe()
        waiting = self._unfinished()
        if not waiting:
            return Ready("done")
        if not isinstance(answer, Ready):
            return answer
        told = ["%s has %d tasks, %d wanted" % (item.name, item.running, item.desired) for item in waiting]
        return Pending(len(self.services) - len(waiting), len(self.services), "; ".join(told))
