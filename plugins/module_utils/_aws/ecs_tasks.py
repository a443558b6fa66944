# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that runs one-off tasks on the application's network, and reads what they wrote."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

try:
    from botocore.exceptions import ClientError
except ImportError as missing:
    BOTOCORE_MISSING = missing  # the module has told which library to install before it comes here

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.one_off_task import same
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_RUN

_PLACEMENT = ("networkConfiguration", "launchType", "capacityProviderStrategy", "platformVersion")


class OneOffGateway:
    """Runs one task in a cluster.

    :param ecs: boto3 client.
    :param logs: boto3 client.
    :param purpose: what the task is for, such as ``the probe of the database``, for messages.
    :param cure: what to do where ECS refuses it, a sentence.
    """

    def __init__(self, ecs: Any, logs: Any, cluster: str, purpose: str, cure: str) -> None:
        self._ecs = ecs
        self._logs = logs
        self._cluster = cluster
        self._purpose, self._cure = purpose, cure

    def application(self, task_definition: str) -> dict[str, Any]:
        """The shape TaskDefinition of an ARN or family:revision."""
        answer = self._ecs.describe_task_definition(taskDefinition=task_definition)
        with reading("DescribeTaskDefinition"):
            definition: dict[str, Any] = answer["taskDefinition"]
            return definition

    def placement(self, service: str) -> dict[str, Any]:
        """Where the tasks of a service run, as RunTask takes it.

        :raises BadInput: there is no such service.
        """
        found = self._ecs.describe_services(cluster=self._cluster, services=[service])["services"]
        if not found:
            raise BadInput("service", service, "cluster %s has no such service" % self._cluster)
        return {key: found[0][key] for key in _PLACEMENT if found[0].get(key)}

    def registered(self, content: Mapping[str, Any], run_id: str) -> str:
        """The ARN of the task definition with this content: the one of this run if it is there, else a new one.

        :raises RollbackError: ECS refuses it.
        """
        known = self._newest(content["family"])
        if (
            known
            and {"key": TAG_RUN, "value": run_id} in known.get("tags", [])
            and same(known["taskDefinition"], content)
        ):
            arn: str = known["taskDefinition"]["taskDefinitionArn"]
            return arn
        with self._refused():
            answer = self._ecs.register_task_definition(tags=[{"key": TAG_RUN, "value": run_id}], **content)
        with reading("RegisterTaskDefinition"):
            new: str = answer["taskDefinition"]["taskDefinitionArn"]
            return new

    def _newest(self, family: str) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = self._ecs.describe_task_definition(taskDefinition=family, include=["TAGS"])
        except is_boto3_error_code("ClientException"):  # "Unable to describe task definition.": the family is new
            return None
        return answer

    def start(
        self,
        task_definition: str,
        placement: Mapping[str, Any],
        run_id: str,
        overrides: Mapping[str, Any] | None = None,
    ) -> str:
        """The ARN of a task that was started.

        :param overrides: shape TaskOverride, or None.
        :raises RollbackError: ECS refuses it, or has no room for it.
        """
        with self._refused():
            answer = self._ecs.run_task(
                cluster=self._cluster,
                taskDefinition=task_definition,
                startedBy=run_id,
                tags=[{"key": TAG_RUN, "value": run_id}],
                **({"overrides": overrides} if overrides else {}),
                **placement,
            )
        if answer["failures"]:
            said = ["%s: %s" % (item.get("arn", ""), item.get("reason", "")) for item in answer["failures"]]
            raise RollbackError("ECS could not start the task for %s. %s" % (self._purpose, self._cure), said)
        with reading("RunTask"):
            arn: str = answer["tasks"][0]["taskArn"]
            return arn

    def stop(self, arn: str, why: str) -> None:
        """End a task of ours before its time."""
        self._ecs.stop_task(cluster=self._cluster, task=arn, reason=why)

    def task(self, arn: str) -> dict[str, Any]:
        """The shape Task."""
        answer = self._ecs.describe_tasks(cluster=self._cluster, tasks=[arn])
        with reading("DescribeTasks"):
            task: dict[str, Any] = answer["tasks"][0]
            return task

    def lines(self, group: str, stream: str) -> list[str]:
        """What a container has written, line by line; none when its stream is not there yet."""
        question: dict[str, Any] = dict(logGroupName=group, logStreamName=stream, startFromHead=True)
        found: list[str] = []
        while True:
            try:
                page = self._logs.get_log_events(**question)
            except is_boto3_error_code("ResourceNotFoundException"):
                return found
            with reading("GetLogEvents"):
                found += [item["message"] for item in page["events"]]
                if page["nextForwardToken"] == question.get("nextToken"):  # the end gives the token that was asked with
                    return found
                question["nextToken"] = page["nextForwardToken"]

    @contextlib.contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            answer = error.response["Error"]
            raise RollbackError(
                "ECS refuses %s for %s (%s: %s). %s"
                % (error.operation_name, self._purpose, answer["Code"], answer["Message"], self._cure)
            ) from error
