# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ECS as we decide on it. Times are aware datetimes in UTC, counts are tasks, task definitions are full ARNs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    TAG_FAST,
    TAG_FENCE,
    TAG_ORIGIN,
    TAG_RUN,
)

ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
"""Statuses of a service deployment that are final."""


ENDED_BY_ROLLBACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
"""Statuses of a service deployment that mean: *this* deployment failed (botocore ServiceDeploymentStatus)."""


IN_FLIGHT = ("PENDING", "IN_PROGRESS")
"""Statuses of a service deployment that StopServiceDeployment takes."""


@dataclass(frozen=True)
class Container:
    """A container of a task definition. ``environment`` and ``secrets`` are (name, value) and (name, valueFrom).

    ``log_group`` and ``log_prefix`` are those of awslogs, ``routed`` is (log group, stream prefix) where FireLens hands its lines to CloudWatch
    Logs. ``log_driver`` is empty where none is named.
    """

    name: str
    image: str
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    log_group: str | None = None
    log_prefix: str | None = None
    has_health_check: bool = False
    essential: bool = True
    log_driver: str = ""
    routed: tuple[str, str] | None = None

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> Container:
        """From the shape ContainerDefinition."""
        configuration = answer.get("logConfiguration", {})
        options = configuration.get("options", {})
        return cls(
            name=answer["name"],
            image=answer["image"],
            environment=tuple((item["name"], item["value"]) for item in answer.get("environment", [])),
            secrets=tuple((item["name"], item["valueFrom"]) for item in answer.get("secrets", [])),
            log_group=options.get("awslogs-group"),
            log_prefix=options.get("awslogs-stream-prefix"),
            has_health_check="healthCheck" in answer,
            essential=answer.get("essential", True),
            log_driver=configuration.get("logDriver", ""),
            routed=_routed(options) if configuration.get("logDriver") == "awsfirelens" else None,
        )

    def log_stream(self, task: str) -> tuple[str, str] | None:
        """(log group, stream) of the lines of this container in a task, by the task's id; None where the stream's name is not known.

        awslogs names it prefix/container/task, and without a prefix Docker makes a name up. Fluent Bit puts its tag behind the prefix, and
        FireLens tags with container-firelens-task.
        """
        if self.log_group and self.log_prefix:
            return self.log_group, "%s/%s/%s" % (self.log_prefix, self.name, task)
        if self.routed:
            return self.routed[0], "%s%s-firelens-%s" % (self.routed[1], self.name, task)
        return None


def _routed(options: Mapping[str, str]) -> tuple[str, str] | None:
    """(log group, stream prefix) of Fluent Bit's outputs to CloudWatch Logs; None for any other, or where a template makes the names."""
    if options.get("Name") not in ("cloudwatch", "cloudwatch_logs"):
        return None
    group, prefix = options.get("log_group_name", ""), options.get("log_stream_prefix", "")
    return (group, prefix) if group and prefix and "$(" not in group + prefix else None


@dataclass(frozen=True)
class Edit:
    """What a container of a copy gets otherwise than the original: ``kind`` is ``environment`` or ``secrets``, ``value`` the new
    value or valueFrom. It shows in no repr, because a plain environment entry may hold a password."""

    container: str
    kind: str
    name: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class TaskDefinition:
    """One revision of a family. ``origin`` is the ARN whose content it is a copy of, when this collection registered it, and ``run_id`` the run that
    has, empty for any other."""

    arn: str
    status: str
    registered_at: datetime
    containers: tuple[Container, ...]
    origin: str | None = None
    run_id: str = ""

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> TaskDefinition:
        """From DescribeTaskDefinition with TAGS."""
        definition = answer["taskDefinition"]
        tags = {tag["key"]: tag["value"] for tag in answer.get("tags", [])}
        return cls(
            arn=definition["taskDefinitionArn"],
            status=definition["status"],
            registered_at=definition["registeredAt"],
            containers=tuple(Container.from_boto(item) for item in definition["containerDefinitions"]),
            origin=tags.get(TAG_ORIGIN),
            run_id=tags.get(TAG_RUN, "") if TAG_ORIGIN in tags else "",
        )

    @property
    def release(self) -> str:
        """What it stands for: the task definition that it is a copy of, else itself."""
        return self.origin or self.arn

    def changed(self, pins: Iterable[tuple[str, str]], edits: Iterable[Edit]) -> tuple[Container, ...]:
        """Its containers with the images of ``pins`` and the values of ``edits``, as a copy gets them."""
        images: dict[str, str] = dict(pins)
        values = {(edit.container, edit.kind, edit.name): edit.value for edit in edits}

        def entries(container: Container, kind: str) -> tuple[tuple[str, str], ...]:
            before = container.environment if kind == "environment" else container.secrets
            return tuple((name, values.get((container.name, kind, name), value)) for name, value in before)

        return tuple(
            replace(
                container,
                image=images.get(container.image, container.image),
                environment=entries(container, "environment"),
                secrets=entries(container, "secrets"),
            )
            for container in self.containers
        )

    @property
    def images(self) -> tuple[str, ...]:
        """The image references of its containers."""
        return tuple(container.image for container in self.containers)

    @property
    def secret_arns(self) -> tuple[str, ...]:
        """The Secrets Manager ARNs of which it reads what a label is on, without key, stage and version
        (arn:…:secret:NAME:key:stage:version). A version that it names by its id never changes."""
        values = [value.split(":") for container in self.containers for _name, value in container.secrets]
        named = [":".join(parts[:7]) for parts in values if parts[2:3] == ["secretsmanager"] and not any(parts[9:])]
        return tuple(sorted(set(named)))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The SSM parameters that it names, by ARN or name: whatever is no ARN is a parameter's name (botocore Secret.valueFrom)."""
        values = {value for container in self.containers for _name, value in container.secrets}
        return tuple(
            sorted(value for value in values if not value.startswith("arn:") or value.split(":")[2:3] == ["ssm"])
        )


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
