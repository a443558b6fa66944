# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that probes: what it is made of. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError

CONTAINER, STREAM_PREFIX = "probe", "rollback-probe"
CPU, MEMORY = "256", "512"  # Fargate's smallest task, in CPU units and MiB
_SHARED = (
    "executionRoleArn",
    "networkMode",
    "requiresCompatibilities",
    "runtimePlatform",
)  # with the application's tasks


def definition(
    application: Mapping[str, Any], image: str, command: str, value_from: str, failed_from: str = ""
) -> dict[str, Any]:
    """The content of the probe's task definition (shape RegisterTaskDefinitionRequest, without tags).

    It logs where the application logs, runs on the application's network, and pulls secrets with its execution role.

    :param application: the application's task definition, shape TaskDefinition.
    :param value_from: where DATABASE_URL comes from.
    :param failed_from: where FAILED_DATABASE_URL comes from, empty where the task needs none.
    :raises RollbackError: the application has no execution role, or no container that logs to CloudWatch Logs.
    """
    family = application["family"]
    if not application.get("executionRoleArn"):
        raise RollbackError(
            "Task definition %s has no execution role, which a task needs to read a secret. Set rollback_db_probe to direct."
            % family
        )
    shared = {key: application[key] for key in _SHARED if key in application}
    urls = dict(DATABASE_URL=value_from, FAILED_DATABASE_URL=failed_from)
    container = dict(
        name=CONTAINER,
        image=image,
        essential=True,
        entryPoint=["sh", "-c"],
        command=[command],
        secrets=[dict(name=name, valueFrom=source) for name, source in urls.items() if source],
        logConfiguration=dict(logDriver="awslogs", options=_log_options(application)),
    )
    return dict(family="%s-rollback-probe" % family, cpu=CPU, memory=MEMORY, containerDefinitions=[container], **shared)


def _log_options(application: Mapping[str, Any]) -> dict[str, str]:
    for container in application["containerDefinitions"]:
        logs = container.get("logConfiguration", {})
        if logs.get("logDriver") == "awslogs":
            kept = {key: logs["options"][key] for key in ("awslogs-group", "awslogs-region")}
            return {**kept, "awslogs-stream-prefix": STREAM_PREFIX}
    raise RollbackError(
        "No container of task definition %s logs to CloudWatch Logs, where a probe's answer could be read. Set rollback_db_probe to direct."
        % application["family"]
    )


def stream_of(task: str) -> str:
    """The name of the log stream of a probe's task (ARN)."""
    return "/".join((STREAM_PREFIX, CONTAINER, task.rpartition("/")[2]))
