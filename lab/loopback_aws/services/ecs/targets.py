# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: a service's tasks in the target groups of Elastic Load Balancing; the only part of ECS that talks to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...wire import ApiError
from .state import Task

if TYPE_CHECKING:
    from ...lab import Lab

GONE = "Gone"  # our own Reason: the target group itself is not there any more


class Targets:
    """Registers, deregisters and observes tasks. What people delete under a running service is told by `health`."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def register(self, task: Task) -> None:
        """Put a task into its target groups."""
        task.registered = True
        for group, port in _places(task):
            self._ask(self.lab.elbv2.register, group, task.address, port)

    def deregister(self, task: Task) -> bool:
        """Take a task out of its target groups, where it drains; False when it is in none."""
        if not task.registered:
            return False
        task.registered = False
        for group, port in _places(task):
            self._ask(self.lab.elbv2.deregister, group, task.address, port)
        return True

    def drained(self, task: Task) -> bool:
        """No target group knows the task any more."""
        found = [self._ask(self.lab.elbv2.health, group, task.address, port) for group, port in _places(task)]
        return all(health is None or health.get("Reason") == GONE for health in found)

    def health(self, task: Task) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """For each load balancer of a task's service (botocore's LoadBalancer) the task's TargetHealth there."""
        nowhere = {"State": "unused"}
        return [
            (balancer, self._ask(self.lab.elbv2.health, group, task.address, port) or nowhere)
            for balancer, (group, port) in zip(_balancers(task), _places(task), strict=True)
        ]

    @staticmethod
    def _ask(call: Callable[[str, str, int], Any], group: str, address: str, port: int) -> dict[str, Any] | None:
        try:
            health: dict[str, Any] | None = call(group, address, port)
            return health
        except ApiError as error:
            return {"State": "unused", "Reason": GONE, "Description": error.message}


def _places(task: Task) -> list[tuple[str, int]]:
    return [(each["targetGroupArn"], each["containerPort"]) for each in _balancers(task)]


def _balancers(task: Task) -> list[dict[str, Any]]:
    """A task of RunTask is in no target group."""
    return task.revision.load_balancers if task.revision else []
