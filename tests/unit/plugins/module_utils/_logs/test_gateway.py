# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, UnexpectedAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.gateway import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import ContainerLog, Event, Stream, Task
from botocore.stub import Stubber

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TASK_ARN = "arn:aws:ecs:eu-west-3:123456789012:task/production/aaaa"
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"
STREAM = Stream("app", "/ecs/app", "ecs/web/aaaa", NOON)
ASKED = {"logGroupName": "/ecs/app", "logStreamNames": ["ecs/web/aaaa"], "startTime": int(NOON.timestamp() * 1000)}


class Stubs:
    def __init__(self):
        keys = dict(region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
        ecs, logs = boto3.client("ecs", **keys), boto3.client("logs", **keys)
        self.ecs, self.logs = Stubber(ecs), Stubber(logs)
        self.gateway = LogsGateway(ecs, logs, "production")


@pytest.fixture
def stubs():
    stubs = Stubs()
    with stubs.ecs, stubs.logs:
        yield stubs
        stubs.ecs.assert_no_pending_responses()
        stubs.logs.assert_no_pending_responses()


def line(number):
    return {"eventId": f"e{number}", "timestamp": number, "message": f"line {number}", "logStreamName": STREAM.name}


def test_tells_the_tasks_that_are_running_of_every_page(stubs):
    asked = {"cluster": "production", "serviceName": "app", "desiredStatus": "RUNNING", "maxResults": 100}
    starting = {"taskArn": "x/bbbb", "taskDefinitionArn": DEFINITION, "createdAt": NOON, "lastStatus": "PENDING"}
    running = {"taskArn": TASK_ARN, "taskDefinitionArn": DEFINITION, "createdAt": NOON, "lastStatus": "RUNNING"}
    stubs.ecs.add_response("list_tasks", {"taskArns": [TASK_ARN], "nextToken": "2"}, asked)
    stubs.ecs.add_response("list_tasks", {"taskArns": ["x/bbbb"]}, {**asked, "nextToken": "2"})
    stubs.ecs.add_response("describe_tasks", {"tasks": [running]}, {"cluster": "production", "tasks": [TASK_ARN]})
    stubs.ecs.add_response("describe_tasks", {"tasks": [starting]}, {"cluster": "production", "tasks": ["x/bbbb"]})
    assert stubs.gateway.running_tasks("app") == [Task("aaaa", "app", DEFINITION, NOON)]


def test_asks_nothing_more_when_no_task_runs(stubs):
    stubs.ecs.add_response("list_tasks", {"taskArns": []})
    assert stubs.gateway.running_tasks("app") == []


@pytest.mark.parametrize(
    ("code", "option"), [("ClusterNotFoundException", "cluster"), ("ServiceNotFoundException", "services")]
)
def test_names_the_variable_of_what_does_not_exist(stubs, code, option):
    stubs.ecs.add_client_error("list_tasks", code)
    with pytest.raises(BadInput, match=f"rollback_{option}"):
        stubs.gateway.running_tasks("app")


def test_an_answer_without_what_it_must_have_is_an_error(stubs):
    stubs.ecs.add_response("list_tasks", {"taskArns": [TASK_ARN]})
    stubs.ecs.add_response("describe_tasks", {"tasks": [{"lastStatus": "RUNNING", "taskArn": TASK_ARN}]})
    with pytest.raises(UnexpectedAnswer, match="it lacks taskDefinitionArn"):
        stubs.gateway.running_tasks("app")


def test_tells_where_the_containers_log(stubs):
    options = {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "ecs", "awslogs-region": "eu-west-3"}
    containers = [
        {"name": "web", "logConfiguration": {"logDriver": "awslogs", "options": options}},
        {"name": "agent", "logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": "x"}}},
        {"name": "silent"},
    ]
    stubs.ecs.add_response(
        "describe_task_definition",
        {"taskDefinition": {"containerDefinitions": containers}},
        {"taskDefinition": DEFINITION},
    )
    assert stubs.gateway.container_logs(DEFINITION) == (ContainerLog("web", "/ecs/app", "ecs"),)


def test_refuses_a_log_group_that_does_not_exist(stubs):
    stubs.logs.add_response("filter_log_events", {"events": []}, {"logGroupName": "/ecs/app", "limit": 1})
    stubs.logs.add_client_error("filter_log_events", "ResourceNotFoundException")
    with pytest.raises(BadInput, match=r"rollback_log_groups \(option log_groups\) is '/ecs/nix'"):
        stubs.gateway.refuse_missing_groups(["/ecs/app", "/ecs/nix"])


def test_reads_on_after_an_empty_page(stubs):
    stubs.logs.add_response("filter_log_events", {"events": [line(1)], "nextToken": "2"}, ASKED)
    stubs.logs.add_response("filter_log_events", {"events": [], "nextToken": "3"}, {**ASKED, "nextToken": "2"})
    stubs.logs.add_response("filter_log_events", {"events": [line(2)]}, {**ASKED, "nextToken": "3"})
    assert list(stubs.gateway.events(STREAM)) == [Event("e1", 1, "line 1"), Event("e2", 2, "line 2")]


def test_a_stream_that_does_not_exist_has_logged_nothing(stubs):
    stubs.logs.add_client_error("filter_log_events", "ResourceNotFoundException")
    assert stubs.gateway.has_logged(STREAM) is False


def test_one_line_is_enough_to_have_logged(stubs):
    stubs.logs.add_response("filter_log_events", {"events": [], "nextToken": "2"})
    stubs.logs.add_response("filter_log_events", {"events": [line(1), line(2)], "nextToken": "3"})
    assert stubs.gateway.has_logged(STREAM) is True
