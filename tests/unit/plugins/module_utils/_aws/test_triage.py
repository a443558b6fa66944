# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.triage import TriageGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import UnexpectedAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import ContainerExit, StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    RdsEvent,
    TargetsSeen,
)
from botocore.stub import Stubber

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:42"
GROUP = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/app/0123456789abcdef"


@pytest.fixture
def stubbed():
    """Makes (gateway, stubber) of one service."""
    stubbers = []

    def make(service):
        client = boto3.client(
            service, region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret"
        )
        stubbers.append(Stubber(client))
        stubbers[-1].activate()
        return TriageGateway(lambda name: {service: client}[name], "production"), stubbers[-1]

    yield make
    for stubber in stubbers:
        stubber.assert_no_pending_responses()


def stopped(name, minute, **changes):
    told = {
        "taskArn": f"arn:aws:ecs:eu-west-3:123456789012:task/production/{name}",
        "taskDefinitionArn": DEFINITION,
        "createdAt": NIGHT,
        "stoppedAt": NIGHT + timedelta(minutes=minute),
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "app", "exitCode": 137, "reason": "OutOfMemoryError: killed"}, {"name": "sidecar"}],
    }
    return {**told, **changes}


def test_tells_stopped_tasks_newest_first_with_stop_code_and_exits(stubbed):
    gateway, ecs = stubbed("ecs")
    ecs.add_response("list_tasks", {"taskArns": ["a"], "nextToken": "2"})
    ecs.add_response("list_tasks", {"taskArns": ["b", "c"]})
    stopping = stopped("cccc", 3)
    del stopping["stoppedAt"]
    answer = {"tasks": [stopped("aaaa", 1), stopped("bbbb", 2), stopping]}
    ecs.add_response("describe_tasks", answer, {"cluster": "production", "tasks": ["a", "b", "c"]})
    found = gateway.stopped_tasks("app")
    assert [dead.task.id for dead in found] == ["bbbb", "aaaa"]
    assert found[1].task == StoppedTask(
        "app",
        "app:42",
        "EssentialContainerExited",
        "Essential container in task exited",
        NIGHT + timedelta(minutes=1),
        "aaaa",
        (ContainerExit("app", 137, "OutOfMemoryError: killed"), ContainerExit("sidecar", None, "")),
    )
    assert (found[1].definition, found[1].created) == (DEFINITION, NIGHT)


def test_asks_nothing_more_when_no_task_stopped(stubbed):
    gateway, ecs = stubbed("ecs")
    ecs.add_response("list_tasks", {"taskArns": []})
    assert gateway.stopped_tasks("app") == []


def test_a_task_without_its_definition_is_no_default(stubbed):
    gateway, ecs = stubbed("ecs")
    ecs.add_response("list_tasks", {"taskArns": ["a"]})
    task = stopped("aaaa", 1)
    del task["taskDefinitionArn"]
    ecs.add_response("describe_tasks", {"tasks": [task]})
    with pytest.raises(UnexpectedAnswer, match="taskDefinitionArn"):
        gateway.stopped_tasks("app")


def test_counts_targets_by_state_and_tells_why_once(stubbed):
    gateway, elb = stubbed("elbv2")
    sick = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    states = [{"State": "healthy"}, sick, sick, {"State": "draining"}, {"State": "unused", "Reason": "Target.NotInUse"}]
    targets = [{"Target": {"Id": f"10.0.0.{number}"}, "TargetHealth": state} for number, state in enumerate(states)]
    elb.add_response("describe_target_health", {"TargetHealthDescriptions": targets}, {"TargetGroupArn": GROUP})
    why = ("unhealthy: Request timed out", "unused: Target.NotInUse")
    assert gateway.target_health(GROUP) == TargetsSeen("app", healthy=1, unhealthy=2, draining=1, other=1, why=why)


def test_tells_the_newest_events_of_the_instance(stubbed):
    gateway, rds = stubbed("rds")
    events = [{"Date": NIGHT + timedelta(minutes=number), "Message": f"event {number}"} for number in range(12)]
    asked = {"SourceIdentifier": "app-db", "SourceType": "db-instance", "Duration": 180}
    rds.add_response("describe_events", {"Events": events}, asked)
    found = gateway.instance_events("app-db")
    assert len(found) == 10
    assert found[-1] == RdsEvent(NIGHT + timedelta(minutes=11), "event 11")
