# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing services to 0 tasks, or back, step by step from wherever they are: look, decide, take the step, look again."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.fence import (
    ALL,
    FENCE,
    Fence,
    lift_told,
    next_to_fence,
    next_to_lift,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._readiness import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import PATIENCE, answered, wait_for


class Fencing:
    """The services of one application, on their way to 0 tasks (``verb`` is FENCE) or back (LIFT).

    :param ecs: EcsGateway.
    :param scaling: ScalingGateway.
    """

    def __init__(self, ecs, scaling, verb, names, run_id, clock):
        self._ecs, self._scaling, self._verb, self._names = ecs, scaling, verb, names
        self._run_id, self._clock = run_id, clock
        self.changed = False
        self.services, self._suspended = [], {}
        self.observe()
        if verb == FENCE:
            self._refuse_what_has_no_tasks()

    def _refuse_what_has_no_tasks(self):
        without = [service.name for service in self.services if service.desired == 0 and service.fence is None]
        if without:
            raise RollbackError(
                "Service %s is scaled to 0 already, and not by a rollback, so it is not known how many tasks it is to get back. "
                "Set its desired count, or set rollback_fence to auto." % ", ".join(without)
            )

    def observe(self):
        """Look at the services and their scalable targets again."""
        self.services = self._ecs.services(self._names)
        self._suspended = self._scaling.suspended(self._names)

    def plan(self):
        """What is to be done, one line a service."""
        lines = {
            "tag": "scale to 0",
            "suspend": "scale to 0",
            "scale": "scale",
            "wait": "wait",
            "resume": "resume scaling",
        }
        steps = [(service, self._next(service)) for service in self.services]
        return ["%s: %s" % (service.name, lines.get(step, step)) for service, step in steps if step]

    def told(self):
        """What becomes of each service when its fence is lifted, for people."""
        return [
            lift_told(item.name, item.fence, item.desired, self._suspended.get(item.name), item.running)
            for item in self.services
        ]

    def _next(self, service):
        decide = next_to_fence if self._verb == FENCE else next_to_lift
        counted = service.running + service.pending if self._verb == FENCE else service.running
        return decide(service.fence, service.desired, self._suspended.get(service.name), counted)

    def go(self, timeout, tell, wait):
        """Take every step; with ``wait``, until the tasks are gone, or there.

        :param timeout: seconds.
        :raises TimedOut: they are not in time.
        """
        what = "Scaling the services to 0" if self._verb == FENCE else "Bringing the services back"
        while self._take_all():
            answered(what, self.observe, PATIENCE, self._clock, tell)
        if wait:
            wait_for(what, self._look, timeout, self._clock, tell=tell)

    def _take_all(self):
        """Whether a step was taken that can be followed by another at once."""
        steps = [(service, self._next(service)) for service in self.services]
        for service, step in steps:
            self._take(service, step)
        return any(step not in (None, "wait") for _service, step in steps)

    def _take(self, service, step):
        if step in (None, "wait"):
            return
        self.changed = True
        if step == "tag":
            fence = Fence(self._run_id, service.desired, self._suspended.get(service.name))
            self._ecs.mark_fence(service.arn, fence.text)
        elif step == "suspend":
            self._scaling.suspend(service.name, ALL)
        elif step == "resume":
            self._scaling.suspend(service.name, service.fence.suspended)
        elif step == "scale":
            self._ecs.scale(service.name, 0 if self._verb == FENCE else service.fence.desired)
        else:
            self._ecs.unmark_fence(service.arn)

    def _look(self):
        self.observe()
        self._take_all()
        self.observe()
        waiting = [service for service in self.services if self._next(service)]
        if not waiting:
            return Ready("done")
        told = ["%s has %d tasks, %d wanted" % (item.name, item.running, item.desired) for item in waiting]
        return Pending(len(self.services) - len(waiting), len(self.services), "; ".join(told))
