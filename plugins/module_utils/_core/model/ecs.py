# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ECS as we decide on it. Times are aware datetimes in UTC, counts are tasks, task definitions are full ARNs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    TAG_FAST,
    TAG_FENCE,
)

ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
"""Statuses of a service deployment that are final."""


ENDED_BY_ROLLBACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
"""Statuses of a service deployment that mean: *this* deployment failed (botocore ServiceDeploymentStatus)."""


IN_FLIGHT = ("PENDING", "IN_PROGRESS")
"""Statuses of a service deployment that StopServiceDeployment takes."""


@dataclass(frozen=True)
class Deployment:
    """An entry of ``deployments`` in DescribeServices."""

    status: str
    task_definition: str
    created_at: datetime
    desired: int
    running: int
    failed_tasks: int
    rollout_state: str | None  # only the ECS controller has one

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> Deployment:
        """From the shape Deployment."""
        return cls(
            status=answer["status"],
            task_definition=answer["taskDefinition"],
            created_at=answer["createdAt"],
            desired=answer["desiredCount"],
            running=answer["runningCount"],
            failed_tasks=answer.get("failedTasks", 0),
            rollout_state=answer.get("rolloutState"),
        )


@dataclass(frozen=True)
class Strategy:
    """How ECS brings a new revision into service, and how many seconds of its own choice it takes for that (bake times).

    ``pauses`` are (lifecycle stage, minutes, what ECS does then: ROLLBACK or CONTINUE) of its lifecycle hooks of type PAUSE, which wait for a person.
    """

    name: str = "ROLLING"
    bake: float = 0.0
    pauses: tuple[tuple[str, int, str], ...] = ()

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> Strategy:
        """From the shape DeploymentConfiguration, whose documentation gives the defaults of what it leaves out."""
        name, last = answer.get("strategy", "ROLLING"), answer.get("bakeTimeInMinutes", 0)
        before = 0
        if name == "CANARY":
            before = answer.get("canaryConfiguration", {}).get("canaryBakeTimeInMinutes", 10)
        elif name == "LINEAR":
            steps = answer.get("linearConfiguration", {})
            pauses = math.ceil(100 / steps.get("stepPercent", 10.0)) - 1  # none after the step to 100 %
            before = pauses * steps.get("stepBakeTimeInMinutes", 6)
        return cls(name, 0.0 if name == "ROLLING" else 60.0 * (before + last), tuple(_pauses(answer)))


def _pauses(answer: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Defaults are those of botocore's documentation of DeploymentLifecycleHookTimeoutConfiguration."""
    for hook in answer.get("lifecycleHooks", []):
        timeout = hook.get("timeoutConfiguration", {})
        for stage in hook.get("lifecycleStages", []) if hook.get("targetType") == "PAUSE" else ():
            yield stage, timeout.get("timeoutInMinutes", 1440), timeout.get("action", "ROLLBACK")


@dataclass(frozen=True)
class Balancer:
    """A load balancer's way to the tasks of a service: traffic comes through one of ``groups`` (ARNs of target groups; blue/green
    has two that take turns) to ``port`` of a task."""

    groups: tuple[str, ...]
    port: int

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> Balancer:
        """From the shape LoadBalancer (ecs). A Classic Load Balancer has no target group."""
        groups = (answer.get("targetGroupArn"), answer.get("advancedConfiguration", {}).get("alternateTargetGroupArn"))
        return cls(tuple(arn for arn in groups if arn), answer["containerPort"])


@dataclass(frozen=True)
class Service:
    """A service as DescribeServices tells it; ``events`` are (time, message), newest first.

    ``configuration`` is its DeploymentConfiguration, in botocore's shape, ``grace`` its healthCheckGracePeriodSeconds. ``fast`` are the tags, (key,
    value), in which runs remember what they were before. ``room``: whether it has room for more tasks at any time, as on Fargate.
    """

    name: str
    status: str
    controller: str
    task_definition: str
    desired: int
    running: int
    deployments: tuple[Deployment, ...]
    events: tuple[tuple[datetime, str], ...]
    strategy: Strategy = Strategy()
    load_balanced: bool = False
    balancers: tuple[Balancer, ...] = ()
    arn: str = ""
    pending: int = 0
    fence: Fence | None = None
    target_groups: tuple[str, ...] = ()
    configuration: dict[str, Any] = field(default_factory=dict, hash=False, repr=False)
    grace: int | None = None
    fast: tuple[tuple[str, str], ...] = ()
    room: bool = False

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> Service:
        """From the shape Service. Without ``deploymentController`` the controller is ECS (CreateService's default)."""
        return cls(
            name=answer["serviceName"],
            status=answer["status"],
            controller=answer.get("deploymentController", {"type": "ECS"})["type"],
            task_definition=answer["taskDefinition"],
            desired=answer["desiredCount"],
            running=answer["runningCount"],
            deployments=tuple(Deployment.from_boto(deployment) for deployment in answer["deployments"]),
            events=tuple((event["createdAt"], foreign(event["message"])) for event in answer["events"]),
            strategy=Strategy.from_boto(answer.get("deploymentConfiguration", {})),
            load_balanced=bool(answer.get("loadBalancers")),
            balancers=tuple(item for item in map(Balancer.from_boto, answer.get("loadBalancers", [])) if item.groups),
            arn=answer["serviceArn"],
            pending=answer["pendingCount"],
            fence=_fence(answer.get("tags", [])),
            target_groups=tuple(
                item["targetGroupArn"] for item in answer.get("loadBalancers", []) if "targetGroupArn" in item
            ),
            configuration=answer.get("deploymentConfiguration", {}),
            grace=answer.get("healthCheckGracePeriodSeconds"),
            fast=tuple((tag["key"], tag["value"]) for tag in answer.get("tags", []) if tag["key"].startswith(TAG_FAST)),
            room=_has_room(answer),
        )

    @property
    def wanted(self) -> int:
        """How many tasks it has, or had before it was brought to 0 for a rollback."""
        return self.fence.desired if self.fence and not self.desired else self.desired

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS is bringing about, or has brought about; None for a service without one."""
        return next((deployment for deployment in self.deployments if deployment.status == "PRIMARY"), None)

    @property
    def settled(self) -> bool:
        """Whether its primary deployment is all that is to run: what there may be of others only drains (early success, DEFERRED)."""
        primary = self.primary
        others = [item for item in self.deployments if item is not primary]
        if primary is None or not others:
            return primary is not None
        return primary.rollout_state == "COMPLETED" and not any(item.desired or item.running for item in others)


def _has_room(answer: dict[str, Any]) -> bool:
    """Whether all of its tasks run on Fargate. Without a capacity provider strategy there is a launch type."""
    providers = [item["capacityProvider"] for item in answer.get("capacityProviderStrategy", [])]
    return all(name.startswith("FARGATE") for name in providers or [answer.get("launchType", "")])


def _fence(tags: Iterable[dict[str, str]]) -> Fence | None:
    value = next((tag["value"] for tag in tags if tag["key"] == TAG_FENCE), None)
    return Fence.parse(value) if value else None


@dataclass(frozen=True)
class Pause:
    """A lifecycle hook of type PAUSE at which a service deployment waits for a person, until ``expires``; then ECS does ``action``, ROLLBACK or
    CONTINUE."""

    hook_id: str
    expires: datetime | None
    action: str

    @classmethod
    def from_boto(cls, details: Iterable[dict[str, Any]]) -> Pause | None:
        """From the shape DeploymentLifecycleHookDetailList; None where nothing is waited for."""
        waiting = [item for item in details if item.get("status") == "AWAITING_ACTION"]
        if not waiting:
            return None
        # What it leaves out is told by botocore's documentation of DeploymentLifecycleHookTimeoutConfiguration.
        return cls(
            foreign(waiting[0]["hookId"]), waiting[0].get("expiresAt"), waiting[0].get("timeoutAction", "ROLLBACK")
        )


@dataclass(frozen=True)
class ServiceDeployment:
    """An entry of the deployment history, which AWS keeps for 90 days.

    ``brought_back`` is the task definition that ECS returned to when this deployment was rolled back, else None.
    ``digests`` are (image reference, digest): what a tag meant when this was deployed. ``stage`` is the lifecycle stage
    (ServiceDeploymentLifecycleStage), which a blue/green, linear or canary deployment has; ``pause`` is the Pause at which it waits, or None.
    ``alarms`` are the names of the CloudWatch alarms, and ``breaker`` tells whether it was the circuit breaker, that made it fail.
    ``revision``, ``back`` and ``sources`` are the service revisions of the same: what it deploys, what ECS
    returned to, and what it replaced; the last is read of the newest deployments and of the oldest one only.
    """

    arn: str
    status: str
    reason: str
    created_at: datetime
    task_definition: str
    brought_back: str | None = None
    digests: tuple[tuple[str, str], ...] = ()
    stage: str = ""
    pause: Pause | None = None
    alarms: tuple[str, ...] = ()
    breaker: bool = False
    finished_at: datetime | None = None
    revision: Revision | None = field(default=None, repr=False)
    back: Revision | None = field(default=None, repr=False)
    sources: tuple[Revision, ...] = field(default=(), repr=False)

    @property
    def target(self) -> Revision:
        """The Revision that it deploys; where AWS's record of it was not read, what is known of it."""
        return self.revision or Revision(self.arn, self.task_definition, self.digests)

    @property
    def returned(self) -> Revision | None:
        """The Revision that ECS returned to, or None."""
        if self.back is None and self.brought_back:
            return Revision("%s back" % self.arn, self.brought_back)
        return self.back


@dataclass(frozen=True)
class ServiceTask:
    """A task of a service. ``created`` is before its first line of log. ``address`` is its own in the VPC; None until it has one, and
    where it shares that of its host (network modes bridge and host)."""

    id: str
    service: str
    task_definition: str
    created: datetime
    status: str
    address: str | None = None

    @classmethod
    def from_boto(cls, answer: dict[str, Any], service: str) -> ServiceTask:
        """From the shape Task."""
        details = [detail for item in answer.get("attachments", []) for detail in item.get("details", [])]
        return cls(
            id=answer["taskArn"].rpartition("/")[2],
            service=service,
            task_definition=answer["taskDefinitionArn"],
            created=answer["createdAt"],
            status=answer["lastStatus"],
            address=next((item["value"] for item in details if item["name"] == "privateIPv4Address"), None),
        )
