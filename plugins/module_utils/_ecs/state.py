# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ECS as we decide on it. Times are aware datetimes in UTC, counts are tasks, task definitions are full ARNs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ENDED_BY_ROLLBACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
"""Statuses of a service deployment that mean: *this* deployment failed (botocore ServiceDeploymentStatus)."""


@dataclass(frozen=True)
class TaskDefinition:
    """One revision of a family; ``secrets`` are the ``valueFrom`` of its containers."""

    arn: str
    status: str
    registered_at: datetime
    images: tuple[str, ...]
    secrets: tuple[str, ...]

    @classmethod
    def from_boto(cls, answer):
        """From the shape TaskDefinition."""
        containers = answer["containerDefinitions"]
        return cls(
            arn=answer["taskDefinitionArn"],
            status=answer["status"],
            registered_at=answer["registeredAt"],
            images=tuple(container["image"] for container in containers),
            secrets=tuple(secret["valueFrom"] for container in containers for secret in container.get("secrets", [])),
        )

    @property
    def secret_arns(self):
        """The Secrets Manager ARNs behind ``secrets``, without key, stage and version (arn:…:secret:NAME:key:stage:version)."""
        named = [
            ":".join(value.split(":")[:7]) for value in self.secrets if value.split(":")[2:3] == ["secretsmanager"]
        ]
        return tuple(sorted(set(named)))


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
    def from_boto(cls, answer):
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
class Service:
    """A service as DescribeServices tells it; ``events`` are (time, message), newest first."""

    name: str
    status: str
    controller: str
    task_definition: str
    desired: int
    running: int
    deployments: tuple[Deployment, ...]
    events: tuple[tuple[datetime, str], ...]

    @classmethod
    def from_boto(cls, answer):
        """From the shape Service. Without ``deploymentController`` the controller is ECS (CreateService's default)."""
        return cls(
            name=answer["serviceName"],
            status=answer["status"],
            controller=answer.get("deploymentController", {"type": "ECS"})["type"],
            task_definition=answer["taskDefinition"],
            desired=answer["desiredCount"],
            running=answer["runningCount"],
            deployments=tuple(Deployment.from_boto(deployment) for deployment in answer["deployments"]),
            events=tuple((event["createdAt"], event["message"]) for event in answer["events"]),
        )

    @property
    def primary(self):
        """The deployment that ECS is bringing about, or has brought about; None for a service without one."""
        return next((deployment for deployment in self.deployments if deployment.status == "PRIMARY"), None)


@dataclass(frozen=True)
class ServiceDeployment:
    """An entry of the deployment history, which AWS keeps for 90 days.

    ``brought_back`` is the task definition that ECS returned to when this deployment was rolled back, else None.
    """

    arn: str
    status: str
    reason: str
    created_at: datetime
    task_definition: str
    brought_back: str | None = None
