# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: the records that the lab keeps. How AWS words them is in describe.py."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import subprocess
from typing import Any

from .decide import Counts as Counts

STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")
FINISHED_DEPLOYMENT = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
PRIMARY, ACTIVE = "PRIMARY", "ACTIVE"


@dataclasses.dataclass(eq=False)
class Cluster:
    """A cluster: a name for services and tasks."""

    name: str
    arn: str
    settings: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Revision:
    """A service revision: what one deployment runs. It never changes, except that its images get their digests."""

    arn: str
    service_arn: str
    cluster_arn: str
    definition: dict[str, Any]  # botocore's TaskDefinition
    settings: dict[str, Any]  # launchType, platformVersion, loadBalancers, networkConfiguration …
    created_at: datetime.datetime
    digests: dict[str, str] = dataclasses.field(default_factory=dict)  # container name → sha256:…
    in_alternate: bool = False  # its tasks are in the alternate target groups (blue/green, linear, canary)

    @property
    def load_balancers(self) -> list[dict[str, Any]]:
        """botocore's LoadBalancers, each with the target group that this revision's tasks are in."""
        configured: list[dict[str, Any]] = self.settings.get("loadBalancers", [])
        if not self.in_alternate:
            return configured
        return [
            {**each, "targetGroupArn": each["advancedConfiguration"]["alternateTargetGroupArn"]} for each in configured
        ]


@dataclasses.dataclass(eq=False)
class Deployment:
    """An entry of deployments[] in DescribeServices."""

    id: str
    revision: Revision
    created_at: datetime.datetime
    updated_at: datetime.datetime
    status: str = PRIMARY
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0  # in a row
    breaker_failures: int = 0  # in a row, or all of them with resetOnHealthyTask false
    launch_failures: int = 0  # in a row, of tasks that never reached RUNNING
    not_before: float = 0.0  # monotonic seconds: no task is started earlier
    held: int = 0  # as ACTIVE: how many tasks it is to keep until its successor's are healthy


@dataclasses.dataclass(eq=False)
class ServiceDeployment:
    """One entry of a service's history: from PENDING to a final status."""

    arn: str
    target: Revision
    sources: list[Revision]
    configuration: dict[str, Any]
    created_at: datetime.datetime
    updated_at: datetime.datetime
    status: str = "PENDING"
    reason: str = ""
    started_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    stopped_at: datetime.datetime | None = None
    rollback: dict[str, Any] = dataclasses.field(default_factory=dict)
    breaker_triggered: bool = False
    failure_count: int = 0
    stage: str = ""  # lifecycleStage; rolling deployments have none
    stage_since: float = 0.0  # monotonic seconds
    shifted: float = 0.0  # percent of the traffic that the target gets
    final_counts: dict[str, dict[str, Any]] = dataclasses.field(
        default_factory=dict
    )  # revision ARN → counts when it ended
    hooks: list[Any] = dataclasses.field(default_factory=list)  # ecs_hooks.Hook: the pauses that it has come to
    deaf_to: tuple[str, ...] = ()  # alarms that were in ALARM before it began
    triggered: tuple[str, ...] = ()  # alarms that have ended it
    baking_since: float | None = None  # monotonic seconds: its tasks are there, and its alarms are still watched

    @property
    def strategy(self) -> str:
        """ROLLING, BLUE_GREEN, LINEAR or CANARY."""
        strategy: str = self.configuration.get("strategy", "ROLLING")
        return strategy

    @property
    def finished(self) -> bool:
        """Nothing will change it any more."""
        return self.status in FINISHED_DEPLOYMENT


@dataclasses.dataclass(eq=False)
class Task:
    """A task: one container, one process, one address."""

    arn: str
    cluster: Cluster
    definition: dict[str, Any]
    address: str
    group: str
    settings: dict[str, Any]  # launchType, networkConfiguration, overrides, tags …
    times: dict[str, datetime.datetime]  # by botocore's names: createdAt, startedAt …
    started_by: str = ""
    revision: Revision | None = None  # None: RunTask
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    stop_code: str = ""
    stopped_reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    digest: str = ""
    attachment_id: str = ""
    process: subprocess.Popen[bytes] | None = None
    registered: bool = False  # in the target groups of its service
    healthy: bool = False  # now
    was_running: bool = False  # the scheduler has seen it RUNNING
    was_healthy: bool = False  # the scheduler has seen it healthy
    accounted: bool = False  # the scheduler has seen its end

    @property
    def id(self) -> str:
        """The last part of the ARN: 32 hexadecimal digits."""
        return self.arn.rpartition("/")[2]

    @property
    def container(self) -> dict[str, Any]:
        """Its only container definition."""
        container: dict[str, Any] = self.definition["containerDefinitions"][0]
        return container

    @property
    def wanted(self) -> bool:
        """Not on its way out."""
        return self.desired_status == "RUNNING"


@dataclasses.dataclass(eq=False)
class EcsService:
    """A service: how many tasks of which revision are wanted, and what became of it."""

    cluster: Cluster
    name: str
    arn: str
    settings: dict[str, Any]  # what CreateService and UpdateService were given, without desiredCount and taskDefinition
    request: dict[str, Any]  # CreateService as it came: the same call again is idempotent
    desired: int
    created_at: datetime.datetime
    status: str = "ACTIVE"
    deployments: list[Deployment] = dataclasses.field(default_factory=list)  # newest first
    history: list[ServiceDeployment] = dataclasses.field(default_factory=list)  # newest first
    revisions: dict[str, Revision] = dataclasses.field(default_factory=dict)
    tasks: list[Task] = dataclasses.field(default_factory=list)  # not yet STOPPED
    events: collections.deque[Any] = dataclasses.field(
        default_factory=lambda: collections.deque(maxlen=100)
    )  # newest first
    complaints: set[str] = dataclasses.field(default_factory=set)  # warnings that are not repeated until it is steady
    completed: Deployment | None = None  # what a rollback goes back to
    steady: bool = False

    @property
    def controller(self) -> str:
        """ECS, CODE_DEPLOY or EXTERNAL."""
        controller: str = self.settings["deploymentController"]["type"]
        return controller

    @property
    def primary(self) -> Deployment:
        """The deployment that the service moves to, or has reached."""
        return next(deployment for deployment in self.deployments if deployment.status == PRIMARY)

    @property
    def ongoing(self) -> ServiceDeployment | None:
        """The newest service deployment, unless it has ended."""
        newest = self.history[0] if self.history else None
        return None if newest is None or newest.finished else newest

    def tasks_of(self, deployment: Deployment) -> list[Task]:
        """Its tasks that are not yet STOPPED."""
        return [task for task in self.tasks if task.started_by == deployment.id]

    def counts(self, deployment: Deployment) -> Counts:
        """Its tasks that are wanted, by what they can do."""
        wanted = [task for task in self.tasks_of(deployment) if task.wanted]
        pending = sum(task.last_status in STARTING for task in wanted)
        healthy = sum(task.healthy for task in wanted)
        return Counts(pending, len(wanted) - pending - healthy, healthy)
