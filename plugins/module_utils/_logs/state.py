# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the tasks of a service log, and what they logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Task:
    """A running task. ``created`` is before its first line; ``task_definition`` is an ARN."""

    id: str
    service: str
    task_definition: str
    created: datetime

    @classmethod
    def from_boto(cls, answer, service):
        """From the shape Task (ecs)."""
        return cls(
            id=answer["taskArn"].rpartition("/")[2],
            service=service,
            task_definition=answer["taskDefinitionArn"],
            created=answer["createdAt"],
        )


@dataclass(frozen=True)
class ContainerLog:
    """Where a container of a task definition logs with the awslogs driver."""

    container: str
    group: str
    prefix: str


def container_logs(task_definition):
    """The ContainerLogs of the shape TaskDefinition (ecs). Containers that log elsewhere, or without a stream prefix, have none:
    only the prefix makes the name of a stream known (prefix/container/task-id)."""
    found = []
    for container in task_definition["containerDefinitions"]:
        options = container.get("logConfiguration", {}).get("options", {})
        if "awslogs-group" in options and "awslogs-stream-prefix" in options:
            found.append(ContainerLog(container["name"], options["awslogs-group"], options["awslogs-stream-prefix"]))
    return tuple(found)


@dataclass(frozen=True)
class Stream:
    """A log stream of one container of one task, to be read from ``since`` on."""

    service: str
    group: str
    name: str
    since: datetime


@dataclass(frozen=True)
class Event:
    """One line. ``timestamp`` is milliseconds since 1970."""

    id: str
    timestamp: int
    message: str


@dataclass(frozen=True)
class ErrorGroup:
    """Errors that differ only in numbers, ids and quoted texts. ``first`` is when the first of them was logged, milliseconds since 1970."""

    fingerprint: str
    count: int
    first: int
    service: str
    stream: str
    example: str
    codes: tuple[str, ...]
