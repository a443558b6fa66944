# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what containers are given, in memory: values are handed to whoever looks for a host in them, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._aws import ecs_operations as operations
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import referenced
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import parameters
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import reading
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom


class ReferencesGateway:
    """:param client: callable: the name of a service → its boto3 client."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def containers(self, task_definition: str) -> list[dict[str, Any]]:
        """The shapes ContainerDefinition of a ``family:revision`` or ARN.

        :raises BadInput: there is none.
        """
        return _containers(operations.needed_definition(self._client("ecs"), task_definition))

    def containers_if_there(self, task_definition: str) -> list[dict[str, Any]] | None:
        """The same, None when there is no such task definition (any more)."""
        answer = operations.described_definition(self._client("ecs"), task_definition)
        return None if answer is None else _containers(operations.definition_in(answer))

    def clusters(self) -> list[str]:
        """The ARNs of the clusters of the region."""
        return operations.cluster_arns(self._client("ecs"))

    def services(self, cluster: str) -> list[tuple[str, str, bool]]:
        """(name, ARN of the task definition, whether it has tasks or wants some) of each service of a cluster (ARN) that is not being deleted."""
        ecs = self._client("ecs")
        found = operations.described_services(ecs, cluster, operations.service_arns(ecs, cluster))
        with reading("DescribeServices"):
            return [
                (item["serviceName"], item["taskDefinition"], item["desiredCount"] + item["runningCount"] > 0)
                for item in found
                if item["status"] != "INACTIVE" and "taskDefinition" in item
            ]

    def rules(self, cluster: str) -> list[tuple[str, str]]:
        """(name, ARN of the task definition) of each EventBridge rule that starts tasks in a cluster (ARN)."""
        events = self._client("events")
        names = events.list_rule_names_by_target(TargetArn=cluster)["RuleNames"]
        answers = side_by_side(lambda name: (name, events.list_targets_by_rule(Rule=name)["Targets"]), names)
        return [
            (name, item["EcsParameters"]["TaskDefinitionArn"])
            for name, targets in answers
            for item in targets
            if "EcsParameters" in item
        ]

    def schedules(self, clusters: Collection[str]) -> list[tuple[str, str]]:
        """(name, ARN of the task definition) of each schedule of EventBridge Scheduler that starts tasks in one of the clusters (ARNs)."""
        scheduler = self._client("scheduler")
        pages = scheduler.get_paginator("list_schedules").paginate()
        listed = [item for page in pages for item in page["Schedules"] if item.get("Target", {}).get("Arn") in clusters]
        answers = side_by_side(
            lambda item: scheduler.get_schedule(Name=item["Name"], GroupName=item["GroupName"]), listed
        )
        return [
            (item["Name"], item["Target"]["EcsParameters"]["TaskDefinitionArn"])
            for item in answers
            if "EcsParameters" in item["Target"]
        ]

    def functions(self) -> list[tuple[str, dict[str, str]]]:
        """(name, environment as a dict) of each Lambda function of the region."""
        pages = self._client("lambda").get_paginator("list_functions").paginate()
        functions = [item for page in pages for item in page["Functions"]]
        return [(item["FunctionName"], item.get("Environment", {}).get("Variables", {})) for item in functions]

    def secret(self, reference: ValueFrom) -> str | None:
        """The text that a ValueFrom of Secrets Manager means, None when it has none: what is missing is preflight's finding."""
        answer = referenced(self._client("secretsmanager"), reference)
        if answer is None:
            return None
        text: str | None = answer.get("SecretString")
        if text is None or not reference.key:
            return text
        return _member(text, reference.key)

    def parameter(self, name: str) -> str | None:
        """The text of an SSM parameter (ARN or name), None when there is none."""
        found, _missing = parameters(self._client("ssm"), [name], decrypted=True)
        return found[0].get("Value") if found else None


def _containers(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    with reading("DescribeTaskDefinition"):
        found: list[dict[str, Any]] = definition["containerDefinitions"]
        return found


def _member(text: str, key: str) -> str | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None
