# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at services until it is decided whether they run what they should."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    ServiceObservation,
    decided,
    expected_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import late_is_fine, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import Health
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

NEWEST_DEAD = 20  # tasks; a crash loop leaves hundreds that all say the same


def observe_services(
    ecs: EcsGateway, names: Sequence[str], elb: ElbGateway | None = None, targets: dict[str, Any] | None = None
) -> list[ServiceObservation]:
    """The ServiceObservation of each service, now.

    :param ecs: EcsGateway.
    :param elb: ElbGateway, or None where the health of targets is not asked for.
    :param targets: service → task definition that it should run (ARN or family:revision).
    """
    return look_at(ecs, ecs.services(names), elb, targets)


def look_at(
    ecs: EcsGateway,
    services: Sequence[Service],
    elb: ElbGateway | None = None,
    targets: dict[str, Any] | None = None,
    left: Mapping[str, Iterable[str]] | None = None,
) -> list[ServiceObservation]:
    """The same for Services that were read a moment ago.

    :param left: service → addresses of tasks that are not to run any more, which target groups are asked about, too.
    """
    running = ecs.tasks([service.name for service in services])

    def see(service: Service) -> ServiceObservation:
        tasks = tuple(running[service.name])
        addresses = sorted({task.address for task in tasks if task.address} | set((left or {}).get(service.name, ())))
        health, unread = _health(elb, service, addresses) if elb and addresses else ((), "")
        return ServiceObservation(service, tasks, expected_of(service, targets or {}), health, unread)

    return side_by_side(see, services)


def _health(elb: ElbGateway, service: Service, addresses: Sequence[str]) -> tuple[Health, str]:
    """(what each target group says, why it could not be read). Tasks and logs can be judged without it."""
    try:
        return tuple(
            (balancer, tuple(elb.health(group, addresses, balancer.port) for group in balancer.groups))
            for balancer in service.balancers
        ), ""
    except RollbackError as error:
        return (), error.message


def look_until_decided(
    ecs: EcsGateway,
    names: Sequence[str],
    elb: ElbGateway,
    targets: dict[str, Any],
    timeout: float,
    clock: Clock | None = None,
    tell: Callable[[Pending, float], object] | None = None,
) -> list[ServiceObservation]:
    """The ServiceObservation of each service at the last look: when all is decided, or ``timeout`` seconds after the first."""
    looks: list[ServiceObservation] = []

    def once() -> Ready | Pending:
        looks[:] = observe_services(ecs, names, elb, targets)
        return decided(looks)

    with late_is_fine():  # the verdict tells what is missing
        wait_for("The tasks of %s" % ", ".join(names), once, timeout, clock, tell=tell)
    return looks


def dead_tasks_of(ecs: EcsGateway, looks: Sequence[ServiceObservation]) -> list[list[ServiceTask]]:
    """The newest ServiceTasks of the deployment that is being looked at which have stopped, or are about to; a list for each ServiceObservation."""
    stopped = ecs.tasks([seen.service.name for seen in looks if seen.service.primary], "STOPPED")
    found = []
    for seen in looks:
        primary = seen.service.primary
        dead = [
            task
            for task in stopped.get(seen.service.name, [])
            if primary and task.task_definition == primary.task_definition and task.created >= primary.created_at
        ]
        found.append(sorted(dead, key=lambda task: task.created)[-NEWEST_DEAD:])
    return found
