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

from ansible_collections.spymeo.rollback.plugins.module_utils._aws import ecs_operations as operations
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import whole_stream
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
        """The shape TaskDefinition of an ARN or family:revision.

        :raises BadInput: there is none.
        """
        return operations.needed_definition(self._ecs, task_definition)

    def placement(self, service: str) -> dict[str, Any]:
        """Where the tasks of a service run, as RunTask takes it.

        :raises BadInput: there is no such service.
        """
        found = operations.described_services(self._ecs, self._cluster, [service])
        if not found:
            raise BadInput("service", service, "cluster %s has no such service" % self._cluster)
        return {key: found[0][key] for key in _PLACEMENT if found[0].get(key)}

    def registered(self, content: Mapping[str, Any], run_id: str) -> str:
        """The ARN of the task definition with this content: the one of this run if it is there, else a new one.

        :raises RollbackError: ECS refuses it.
        """
        known = operations.described_definition(self._ecs, content["family"])
        if (
            known
            and {"key": TAG_RUN, "value": run_id} in known.get("tags", [])
            and same(known["taskDefinition"], content)
        ):
            arn: str = known["taskDefinition"]["taskDefinitionArn"]
            return arn
        with self._refused():
            return operations.registered(self._ecs, dict(content, tags=[{"key": TAG_RUN, "value": run_id}]))

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
        found = operations.described_tasks(self._ecs, self._cluster, [arn])
        with reading("DescribeTasks"):
            return found[0]

    def lines(self, group: str, stream: str) -> list[str]:
        """What a container has written, line by line; none when its stream is not there yet."""
        return whole_stream(self._logs, group, stream)

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
