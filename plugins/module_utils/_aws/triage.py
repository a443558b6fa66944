# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS that only triage makes. All of them read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

try:
    from botocore.exceptions import BotoCoreError, ClientError

    AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
except ImportError as missing:
    BOTOCORE_MISSING = missing  # the module has told which library to install before it comes here
    AWS_ERRORS = ()


from ansible_collections.spymeo.rollback.plugins.module_utils._aws import ecs_operations as operations
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import described_health
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import described_events
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import LoggedTask, StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import RdsEvent, TargetsSeen

MOST_TASKS = 300
MOST_EVENTS = 10
_COUNTED = ("healthy", "unhealthy", "initial", "draining")


class TriageGateway:
    """:param client: callable: the name of a service → its boto3 client. Called from several threads."""

    def __init__(self, client: Callable[[str], Any], cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def stopped_tasks(self, service: str) -> list[LoggedTask]:
        """The LoggedTasks of a service, as long as ECS remembers them (about an hour), the newest first."""
        ecs = self._client("ecs")
        arns = operations.task_arns(ecs, self._cluster, service, "STOPPED", MOST_TASKS)
        tasks = operations.described_tasks(ecs, self._cluster, arns)
        with reading("DescribeTasks"):
            found = [
                LoggedTask(StoppedTask.from_boto(task, service), task["taskDefinitionArn"], task["createdAt"])
                for task in tasks
                if task.get("stoppedAt")
            ]
        return sorted(found, key=lambda ended: ended.task.at, reverse=True)

    def target_health(self, arn: str) -> TargetsSeen:
        """The TargetsSeen of a target group."""
        with reading("DescribeTargetHealth"):
            states = [item["TargetHealth"] for item in described_health(self._client("elbv2"), TargetGroupArn=arn)]
            counts = Counter(state["State"] for state in states)
        why = [
            foreign("%s: %s" % (state["State"], state.get("Description") or state.get("Reason", "no reason given")))
            for state in states
            if state["State"] not in ("healthy", "draining")
        ]
        healthy, unhealthy, initial, draining = (counts.pop(state, 0) for state in _COUNTED)
        other = sum(counts.values())
        return TargetsSeen(arn.split("/")[1], healthy, unhealthy, initial, draining, other, tuple(dict.fromkeys(why)))

    def instance_events(self, name: str) -> tuple[RdsEvent, ...]:
        """The RdsEvents of a DB instance in the last three hours, the newest last."""
        with reading("DescribeEvents"):
            events = described_events(self._client("rds"), "db-instance", name)
            return tuple(RdsEvent(event["Date"], foreign(event["Message"])) for event in events)[-MOST_EVENTS:]
