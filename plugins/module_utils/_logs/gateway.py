# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only room that reads logs, and the few things of ECS that tell where they are."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import Event, Task, container_logs

TASKS_A_CALL = 100  # DescribeTasks, and a page of ListTasks


class LogsGateway:
    """Reads the logs of the services of one cluster.

    :param ecs: boto3 client.
    :param logs: boto3 client.
    """

    def __init__(self, ecs, logs, cluster):
        self._ecs = ecs
        self._logs = logs
        self._cluster = cluster

    def running_tasks(self, service):
        """The Tasks of a service that are running.

        :raises BadInput: the cluster or the service does not exist.
        """
        found = []
        for page in self._task_pages(service):
            if page:
                answer = self._ecs.describe_tasks(cluster=self._cluster, tasks=page)
                with reading("DescribeTasks"):
                    found += [
                        Task.from_boto(task, service) for task in answer["tasks"] if task["lastStatus"] == "RUNNING"
                    ]
        return found

    def _task_pages(self, service):
        region = self._ecs.meta.region_name
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._cluster,
            serviceName=service,
            desiredStatus="RUNNING",
            PaginationConfig={"PageSize": TASKS_A_CALL},
        )
        try:
            return [page["taskArns"] for page in pages]
        except is_boto3_error_code("ClusterNotFoundException") as error:
            raise BadInput("cluster", self._cluster, "there is no such ECS cluster in %s" % region) from error
        except is_boto3_error_code("ServiceNotFoundException") as error:
            raise BadInput("services", service, "cluster %s has no such service" % self._cluster) from error

    def container_logs(self, task_definition):
        """The ContainerLogs of a task definition (ARN)."""
        answer = self._ecs.describe_task_definition(taskDefinition=task_definition)
        with reading("DescribeTaskDefinition"):
            return container_logs(answer["taskDefinition"])

    def refuse_missing_groups(self, names):
        """Read one line of each log group, which takes no other permission than reading them all.

        :raises BadInput: a group does not exist.
        """
        for name in names:
            try:
                self._logs.filter_log_events(logGroupName=name, limit=1)
            except is_boto3_error_code("ResourceNotFoundException") as error:
                raise BadInput(
                    "log_groups", name, "there is no such log group in %s" % self._logs.meta.region_name
                ) from error

    def has_logged(self, stream):
        """Whether a stream has at least one line. One that does not exist has none: awslogs makes it with the first."""
        return next(self.events(stream), None) is not None

    def events(self, stream):
        """Every Event of a stream, in order. An empty page says nothing about the next one (FilterLogEvents, nextToken)."""
        question = dict(
            logGroupName=stream.group, logStreamNames=[stream.name], startTime=int(stream.since.timestamp() * 1000)
        )
        while True:
            try:
                page = self._logs.filter_log_events(**question)
            except is_boto3_error_code("ResourceNotFoundException"):
                return
            with reading("FilterLogEvents"):
                yield from [Event(item["eventId"], item["timestamp"], item["message"]) for item in page["events"]]
            if not page.get("nextToken"):
                return
            question["nextToken"] = page["nextToken"]

    def last_lines(self, group, name, most=5):
        """The last lines of a stream, oldest first; none when it does not exist."""
        try:
            page = self._logs.get_log_events(logGroupName=group, logStreamName=name, limit=most, startFromHead=False)
        except is_boto3_error_code("ResourceNotFoundException"):
            return []
        with reading("GetLogEvents"):
            return [item["message"].rstrip() for item in page["events"] if item["message"].strip()]
