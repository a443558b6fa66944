# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task definition of ECS, its containers, and what is edited in a copy of it, from the shape TaskDefinition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    TAG_ORIGIN,
    TAG_RUN,
)


@dataclass(frozen=True)
class Container:
    """A container of a task definition. ``environment`` and ``secrets`` are (name, value) and (name, valueFrom).

    ``log_group`` and ``log_prefix`` are those of awslogs, ``routed`` is (log group, stream prefix) where FireLens hands its lines to CloudWatch
    Logs. ``log_driver`` is empty where none is named.
    """

    name: str
    image: str
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # a plain entry may hold a password
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
    def values_read(self) -> tuple[str, ...]:
        """What the secrets and parameters may be called of which it reads whatever is current: ARN or what stands for it, and name. The ARN of a secret
        ends in six characters that may be left out (arn:…:secret:NAME-AbCdEf)."""
        names = [arn.split(":", 6)[-1] for arn in self.secret_arns]
        of_parameters = [
            value.partition(":parameter")[2] if value.startswith("arn:") else value for value in self.parameters
        ]
        shorter = [re.sub("-[^-]{6}$", "", name) for name in names] + [name.lstrip("/") for name in of_parameters]
        return tuple(sorted({*self.secret_arns, *self.parameters, *names, *of_parameters, *shorter}))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The SSM parameters that it names, by ARN or name: whatever is no ARN is a parameter's name (botocore Secret.valueFrom)."""
        values = {value for container in self.containers for _name, value in container.secrets}
        return tuple(
            sorted(value for value in values if not value.startswith("arn:") or value.split(":")[2:3] == ["ssm"])
        )
