# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: single tasks: run, stopped, listed, described."""

from __future__ import annotations

from typing import Any

from . import describe
from .operations import Operations
from .state import Task
from .store import page, refuse

MOST_TASKS = 10  # a RunTask call
MOST_DESCRIBED = 100  # a DescribeTasks call
FAMILY_GROUP = "family:"


class TaskOperations(Operations):
    """The operations on tasks."""

    def run_task(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start one-off tasks."""
        cluster = self.store.cluster(request.get("cluster"))
        definition = self.store.usable_definition(request["taskDefinition"])
        count = request.get("count", 1)
        if not 1 <= count <= MOST_TASKS:
            raise refuse(f"count should be between 1 and {MOST_TASKS}.")
        settings = self._run_settings(request, definition)
        group = request.get("group", FAMILY_GROUP + definition["family"])
        tasks = [
            self.agent.start(cluster, definition, settings, group=group, started_by=request.get("startedBy", ""))
            for _ in range(count)
        ]
        propagated = (
            self.store.tags_of(definition["taskDefinitionArn"])
            if request.get("propagateTags") == "TASK_DEFINITION"
            else []
        )
        for task in tasks:
            self.store.tag(task.arn, [*propagated, *request.get("tags", [])])
        return {"tasks": [describe.task(task) for task in tasks], "failures": []}

    def _run_settings(self, request: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
        names = [each["name"] for each in definition["containerDefinitions"]]
        for each in request.get("overrides", {}).get("containerOverrides", []):
            if each.get("name") not in names:
                raise refuse(
                    f"Override for container named {each.get('name')} is not a container in the TaskDefinition."
                )
        if request.get("launchType", "FARGATE") != "FARGATE":
            raise refuse("No Container Instances were found in your cluster.")
        return {
            "subnet": check_network(request)["subnets"][0],
            "availabilityZone": self.lab.region + "a",
            "enableExecuteCommand": request.get("enableExecuteCommand", False),
            "overrides": request.get("overrides", {}),
        }

    def stop_task(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop one task; its service, if it has one, replaces it."""
        task = self.store.find_task(self.store.cluster(request.get("cluster")), request["task"])
        if task is None:
            raise refuse("The referenced task was not found.")
        if task.wanted:
            self.agent.stop(task, "UserInitiated", request.get("reason", "Task stopped by user"))
        return {"task": describe.task(task)}

    def list_tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """ARNs of tasks; those with desiredStatus RUNNING unless asked otherwise."""
        cluster = self.store.cluster(request.get("cluster"))
        if "startedBy" in request and {"family", "serviceName"} & request.keys():
            raise refuse("startedBy cannot be combined with other filters.")
        group = None
        if "serviceName" in request:
            group = f"service:{self.store.service(cluster, request['serviceName']).name}"

        def listed(task: Task) -> bool:
            return (
                task.cluster is cluster
                and task.desired_status == request.get("desiredStatus", "RUNNING")
                and request.get("startedBy") in (None, task.started_by)
                and request.get("family") in (None, task.definition["family"])
                and request.get("launchType") in (None, "FARGATE")
                and group in (None, task.group)
            )

        return page([task.arn for task in self.store.tasks.values() if listed(task)], request, 100, "taskArns")

    def describe_tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tasks by id or ARN; those that are not there any more are in failures[]."""
        cluster = self.store.cluster(request.get("cluster"))
        answer: dict[str, list[dict[str, Any]]] = {"tasks": [], "failures": []}
        if len(request["tasks"]) > MOST_DESCRIBED:
            raise refuse(f"Tasks cannot be more than {MOST_DESCRIBED}.")
        for name in request["tasks"]:
            task = self.store.find_task(cluster, name)
            if task is None:
                arn = name if name.startswith("arn:") else self.lab.arn("ecs", f"task/{cluster.name}/{name}")
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
                continue
            shown = describe.task(task)
            if "TAGS" in request.get("include", []):
                shown["tags"] = self.store.tags_of(task.arn)
            answer["tasks"].append(shown)
        return answer


def check_network(request: dict[str, Any]) -> dict[str, Any]:
    """The awsvpc part of a request's networkConfiguration.

    :raises ApiError: InvalidParameterException when it is missing or has no subnet.
    """
    network: dict[str, Any] | None = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network is None:
        raise refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not network["subnets"]:
        raise refuse("subnets can not be empty.")
    return network
