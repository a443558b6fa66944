# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can make a deployment fail, as it was observed. Values of secrets are not here: only whether a JSON key is in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.deleted_definition import how_again

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret

FOUND, NO_VERSION, NO_JSON, NO_KEY = "found", "no version", "no JSON", "no key"
"""What reading a secret for one JSON key came to."""


@dataclass(frozen=True)
class NotRead:
    """Stands where a reading should be that could not be made: ``why``, and the ``cure`` that would make it possible."""

    why: str
    cure: str


@dataclass(frozen=True)
class ValueFrom:
    """A reference to a secret, taken apart (botocore Secret.valueFrom); what it does not say is empty.

    ``kind`` is ``secret`` (Secrets Manager), ``parameter`` (SSM) or ``malformed``. ``id`` is the secret's ARN without key,
    stage and version, or the parameter's ARN or name. ``region`` is empty for a name, which means the task's region.
    """

    kind: str
    id: str
    region: str = ""
    key: str = ""
    stage: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> ValueFrom:
        """From ``ARN``, ``ARN:key:stage:version-id`` with any of the three empty, a parameter's ARN, or its name."""
        parts = text.split(":")
        if parts[0] != "arn":
            return cls("parameter", text)
        if len(parts) < 6:
            return cls("malformed", text)
        if parts[2] == "ssm":
            return cls("parameter", text, parts[3])
        if parts[2] != "secretsmanager" or len(parts) not in (7, 10):
            return cls("malformed", text)
        return cls("secret", ":".join(parts[:7]), parts[3], *parts[7:])


@dataclass(frozen=True)
class LogGroup:
    """A log group that a container logs to; ``created`` tells whether the container's start creates it when it is missing."""

    name: str
    region: str
    created: bool = False


@dataclass(frozen=True)
class TaskDefinitionNeeds:
    """What a task definition needs of others. Roles are ARNs, or names; both are optional in ECS. ``again`` tells how one that is being deleted is
    registered again; of any other it is empty."""

    arn: str
    status: str
    images: tuple[str, ...]
    execution_role: str | None = None
    task_role: str | None = None
    log_groups: tuple[LogGroup, ...] = ()
    secrets: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()
    again: str = ""

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> TaskDefinitionNeeds:
        """From the shape TaskDefinition."""
        dying = answer["status"] == "DELETE_IN_PROGRESS"
        again = how_again(answer["taskDefinitionArn"].rpartition("/")[2], answer) if dying else ""
        containers = answer["containerDefinitions"]
        logs = [container["logConfiguration"] for container in containers if "logConfiguration" in container]
        return cls(
            arn=answer["taskDefinitionArn"],
            status=answer["status"],
            again=again,
            images=tuple(dict.fromkeys(container["image"] for container in containers)),
            execution_role=answer.get("executionRoleArn"),
            task_role=answer.get("taskRoleArn"),
            log_groups=tuple(dict.fromkeys(filter(None, map(_log_group, logs)))),
            secrets=tuple(dict.fromkeys(_secrets(containers, logs))),
            environment_files=tuple(dict.fromkeys(_environment_files(containers))),
        )


def _log_group(configuration: Mapping[str, Any]) -> LogGroup | None:
    """Only the driver awslogs needs a group. On Fargate its region is given; elsewhere the container's own is the default."""
    options = configuration.get("options", {})
    if configuration["logDriver"] != "awslogs" or "awslogs-group" not in options:
        return None
    created = options.get("awslogs-create-group", "false").lower() == "true"
    return LogGroup(options["awslogs-group"], options.get("awslogs-region", ""), created)


def _environment_files(containers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for container in containers:
        yield from [item["value"] for item in container.get("environmentFiles", [])]


def _secrets(containers: Iterable[Mapping[str, Any]], logs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Every reference that the execution role reads before a container starts."""
    for container in containers:
        yield from [item["valueFrom"] for item in container.get("secrets", [])]
        if "repositoryCredentials" in container:
            yield container["repositoryCredentials"]["credentialsParameter"]
    for configuration in logs:
        yield from [item["valueFrom"] for item in configuration.get("secretOptions", [])]


@dataclass(frozen=True)
class ReleaseTarget:
    """What one service is to run.

    ``service`` is a Service of ECS and ``under_way`` are its ServiceDeployments that have not ended. ``recorded`` is what
    the image references meant when the definition last served. ``since`` is when its tasks were started, for a service
    that runs it already and is at rest; else None. ``left`` is when the first release after it began, None where it
    stays or nothing came after it.
    """

    service: Service
    definition: TaskDefinitionNeeds
    under_way: tuple[ServiceDeployment, ...] = ()
    recorded: dict[str, str] = field(default_factory=dict)
    since: datetime | None = None
    left: datetime | None = None


@dataclass(frozen=True)
class ReleaseObservation:
    """The targets by service, and everything that was read of what they name, each reading under the name it was asked for by.

    A reading is None (or False) when the thing is not there, and a NotRead when it could not be read. ``secrets`` holds
    the Secrets of Secrets Manager with their versions, ``images`` the Images of ECR, ``keys`` is by the whole reference.
    ``restored`` are the secrets that this run brings back, ``wait_timeout`` is how many seconds the deployment may take.
    """

    region: str
    targets: dict[str, ReleaseTarget]
    restored: frozenset[str] = frozenset()
    wait_timeout: int = 900
    images: dict[str, Image | NotRead] = field(default_factory=dict)
    roles: dict[str, str | NotRead | None] = field(default_factory=dict)
    log_groups: dict[LogGroup, bool | NotRead] = field(default_factory=dict)
    secrets: dict[str, Secret | NotRead | None] = field(default_factory=dict)
    keys: dict[str, str | NotRead] = field(default_factory=dict)
    parameters: dict[str, bool | NotRead] = field(default_factory=dict)
