# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls around the probe's task; tests/integration/ runs a real one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf"
VERSION = "aaaaaaaa-0000-4000-8000-000000000000"
ECS = "arn:aws:ecs:eu-west-3:123456789012:"
TASK = ECS + "task/main/0123456789abcdef0123456789abcdef"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
APPLICATION = {
    "family": "app",
    "taskDefinitionArn": ECS + "task-definition/app:41",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "networkMode": "awsvpc",
    "containerDefinitions": [
        {
            "name": "app",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/app", "awslogs-region": "eu-west-3"},
            },
        }
    ],
}
OPTIONS = {"cluster": "main", "targets": {"web": "app:41"}, "database_secret": "db-url", "run_id": "rb-1"}
ANSWER = [
    {"server_version": "18.1"},
    {"tables": ["Practitioner"]},
    {"table": "Practitioner", "rows": 4200},
    {"complete": True},
]


@pytest.fixture
def announced(aws):
    """What is read before anything starts."""
    described = {"ARN": ARN, "Name": "db-url", "CreatedDate": NOON, "LastChangedDate": NOON}
    entry = {"VersionId": VERSION, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
    url = "postgresql://spymeo:hunter%2F2@db.rds/spymeo"
    aws.answer("secretsmanager", "describe_secret", described)
    aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})
    aws.answer("secretsmanager", "get_secret_value", {"VersionId": VERSION, "SecretString": url})
    service = {"serviceName": "web", "networkConfiguration": NETWORK, "launchType": "FARGATE"}
    aws.answer("ecs", "describe_services", {"services": [service]}, {"cluster": "main", "services": ["web"]})
    aws.answer(
        "ecs",
        "describe_task_definition",
        {"taskDefinition": APPLICATION},
        {"taskDefinition": "app:41", "include": ["TAGS"]},
    )
    return aws


@pytest.fixture
def ran(announced):
    """Announces a task that ends, and the lines (list of str) that it writes."""

    def announce(lines):
        announced.refuse("ecs", "describe_task_definition", "ClientException", "Unable to describe task definition.")
        registered = {"taskDefinition": {"taskDefinitionArn": ECS + "task-definition/app-rollback-probe:1"}}
        announced.answer("ecs", "register_task_definition", registered)
        started = {
            "cluster": "main",
            "taskDefinition": ECS + "task-definition/app-rollback-probe:1",
            "startedBy": "rb-1",
            "tags": [{"key": "spymeo:rollback-run", "value": "rb-1"}],
            "networkConfiguration": NETWORK,
            "launchType": "FARGATE",
        }
        announced.answer("ecs", "run_task", {"tasks": [{"taskArn": TASK}], "failures": []}, started)
        ended = {"taskArn": TASK, "lastStatus": "STOPPED", "containers": [{"name": "probe", "exitCode": 0}]}
        announced.answer("ecs", "describe_tasks", {"tasks": [ended]})
        wanted = {
            "logGroupName": "/ecs/app",
            "logStreamName": "rollback-probe/probe/0123456789abcdef0123456789abcdef",
            "startFromHead": True,
        }
        page = {"events": [{"message": line} for line in lines], "nextForwardToken": "f/1"}
        announced.answer("logs", "get_log_events", page, wanted)
        announced.answer(
            "logs", "get_log_events", {"events": [], "nextForwardToken": "f/1"}, {**wanted, "nextToken": "f/1"}
        )

    return announce


def test_runs_a_task_on_the_services_network_and_tells_what_it_found(ran, run_module):
    ran([json.dumps(answer) for answer in ANSWER])
    result = run_module("database_probe_task", **OPTIONS)
    assert (result["changed"], result["connected"], result["task"]) == (True, True, TASK)
    assert (result["rows"], result["migrations_known"]) == ({"Practitioner": 4200}, False)
    assert "db.rds, port 5432" in result["reason"]


def test_check_mode_finds_out_whether_such_a_task_can_be_made_and_starts_none(announced, run_module):
    result = run_module("database_probe_task", check_mode=True, **OPTIONS)
    assert (result["changed"], result["task"]) == (True, "")
    assert result["plan"] == ["a task of app-rollback-probe on the network of web, which runs psql"]


def test_a_task_that_ecs_has_no_room_for_is_told(announced, run_module):
    announced.refuse("ecs", "describe_task_definition", "ClientException", "Unable to describe task definition.")
    registered = {"taskDefinition": {"taskDefinitionArn": ECS + "task-definition/app-rollback-probe:1"}}
    announced.answer("ecs", "register_task_definition", registered)
    failures = [{"arn": "arn:1", "reason": "RESOURCE:MEMORY"}]
    announced.answer("ecs", "run_task", {"tasks": [], "failures": failures})
    result = run_module("database_probe_task", **OPTIONS)
    assert result["evidence"] == ["arn:1: RESOURCE:MEMORY"]


def test_a_refusal_names_the_call_and_the_other_way(announced, run_module):
    announced.refuse("ecs", "describe_task_definition", "ClientException", "Unable to describe task definition.")
    announced.refuse("ecs", "register_task_definition", "AccessDeniedException", "not authorized")
    result = run_module("database_probe_task", **OPTIONS)
    assert "ECS refuses RegisterTaskDefinition" in result["msg"]
    assert "set rollback_db_probe to direct" in result["msg"]


def test_without_a_service_no_task_can_be_placed(run_module):
    result = run_module("database_probe_task", **{**OPTIONS, "targets": {}})
    assert "no service lends its network" in result["msg"]
