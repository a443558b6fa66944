# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of ECS that more than one gateway needs, one function each. Answers are as AWS gives them, checked for what is read here.

``client`` is a boto3 client of ECS. ClientErrors go to the gateways, which know what the question was for, unless a function says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import chunks, side_by_side

SERVICES_A_CALL = 10  # DescribeServices
SERVICES_A_PAGE = 100  # ListServices
TASKS_A_CALL = 100  # DescribeTasks, and a page of ListTasks


def cluster_arns(client: Any) -> list[str]:
    """ListClusters: the ARNs of the clusters of the region."""
    return [arn for page in client.get_paginator("list_clusters").paginate() for arn in page["clusterArns"]]


def service_arns(client: Any, cluster: str) -> list[str]:
    """ListServices: the ARNs of the services of a cluster."""
    asked = dict(cluster=cluster, PaginationConfig={"PageSize": SERVICES_A_PAGE})
    return [arn for page in client.get_paginator("list_services").paginate(**asked) for arn in page["serviceArns"]]


def described_services(client: Any, cluster: str, names: Sequence[str], tags: bool = False) -> list[dict[str, Any]]:
    """DescribeServices: the shapes Service of those names or ARNs that there are, in no order that means anything."""
    include: dict[str, list[str]] = dict(include=["TAGS"]) if tags else {}
    answers = side_by_side(
        lambda some: client.describe_services(cluster=cluster, services=some, **include),
        chunks(names, SERVICES_A_CALL),
    )
    with reading("DescribeServices"):
        return [service for answer in answers for service in answer["services"]]


def described_definition(client: Any, name: str) -> dict[str, Any] | None:
    """DescribeTaskDefinition: the answer for a ``family``, ``family:revision`` or ARN, tags included; None when there is none of that name."""
    try:
        answer: dict[str, Any] = client.describe_task_definition(taskDefinition=name, include=["TAGS"])
    except is_boto3_error_code("ClientException"):  # "Unable to describe task definition."
        return None
    return answer


def needed_definition(client: Any, name: str) -> dict[str, Any]:
    """The shape TaskDefinition of a ``family``, ``family:revision`` or ARN.

    :raises BadInput: there is none of that name.
    """
    answer = described_definition(client, name)
    if answer is None:
        raise BadInput("task_definition", name, "there is no such task definition")
    return definition_in(answer)


def definition_in(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The shape TaskDefinition in an answer of DescribeTaskDefinition."""
    with reading("DescribeTaskDefinition"):
        found: dict[str, Any] = answer["taskDefinition"]
        return found


def registered(client: Any, content: Mapping[str, Any]) -> str:
    """RegisterTaskDefinition: the ARN of the new revision with this content. Asked twice, it makes two."""
    answer = client.register_task_definition(**content)
    with reading("RegisterTaskDefinition"):
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        return arn


def task_arns(client: Any, cluster: str, service: str, status: str, most: int | None = None) -> list[str]:
    """ListTasks: the ARNs of the tasks of a service of that desiredStatus, ``most`` of them at most (None: all)."""
    limits = {"PageSize": TASKS_A_CALL, **({} if most is None else {"MaxItems": most})}
    pages = client.get_paginator("list_tasks").paginate(
        cluster=cluster, serviceName=service, desiredStatus=status, PaginationConfig=limits
    )
    return [arn for page in pages for arn in page["taskArns"]]


def described_tasks(client: Any, cluster: str, arns: Sequence[str]) -> list[dict[str, Any]]:
    """DescribeTasks: the shapes Task of those ARNs that ECS still knows."""
    answers = side_by_side(lambda some: client.describe_tasks(cluster=cluster, tasks=some), chunks(arns, TASKS_A_CALL))
    with reading("DescribeTasks"):
        return [task for answer in answers for task in answer["tasks"]]
