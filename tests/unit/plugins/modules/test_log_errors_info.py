# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"
ASKED = {"cluster": "production", "services": ["app"], "log_groups": ["/ecs/app"]}


def line(number, message):
    return {"eventId": f"e{number}", "timestamp": 1795348800000 + number, "message": message}


LISTENING = line(0, '{"level":"info","msg":"listening"}')
ERROR = line(1, "TypeError: password=hunter2, P2022")


@pytest.fixture
def one_task(aws):
    """Announces one running task of the service, and that its log group exists."""
    options = {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "ecs"}
    container = {"name": "web", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    task = {"taskArn": "x/aaaa", "taskDefinitionArn": DEFINITION, "createdAt": NOON, "lastStatus": "RUNNING"}
    aws.answer("logs", "filter_log_events", {"events": []}, {"logGroupName": "/ecs/app", "limit": 1})
    aws.answer("ecs", "list_tasks", {"taskArns": ["x/aaaa"]})
    aws.answer("ecs", "describe_tasks", {"tasks": [task]})
    aws.answer("ecs", "describe_task_definition", {"taskDefinition": {"containerDefinitions": [container]}})


@pytest.fixture
def logged(aws, one_task):
    """Announces what that task has logged: read once to see that it logs, and once to the end."""

    def announce(*lines):
        for _reading in range(2):
            aws.answer("logs", "filter_log_events", {"events": list(lines)})

    return announce


def test_passes_when_the_task_logs_and_none_of_it_is_an_error(logged, run_module):
    logged(LISTENING)
    result = run_module("log_errors_info", **ASKED)
    assert (result["verdict"], result["changed"]) == ("passed", False)
    assert result["streams"] == ["ecs/web/aaaa"]


def test_fails_with_count_code_and_example_and_no_secret(logged, run_module):
    logged(LISTENING, ERROR, line(2, "TypeError: password=hunter3, P2022"))
    result = run_module("log_errors_info", **ASKED)
    assert result["failed"]
    assert (result["verdict"], result["codes"]) == ("failed", {"P2022": 2})
    assert result["errors"][0]["first"] == "2026-11-22T12:00:00.001000+00:00"
    assert result["errors"][0]["example"] == "TypeError: password=********, P2022"
    assert result["evidence"] == ["2 times: TypeError: password=********, P2022"]
    assert "hunter" not in str(result)


def test_tells_without_failing_when_asked_to(logged, run_module):
    logged(ERROR)
    result = run_module("log_errors_info", fail_on_error=False, max_examples=0, **ASKED)
    assert "failed" not in result
    assert result["verdict"] == "failed"
    assert result["errors"][0]["example"] == ""


def test_patterns_of_ones_own_take_the_place_of_the_default(logged, run_module):
    logged(LISTENING, ERROR)
    assert run_module("log_errors_info", patterns=["^never$"], **ASKED)["verdict"] == "passed"


def test_a_task_that_logs_nothing_is_inconclusive(logged, run_module):
    logged()
    result = run_module("log_errors_info", wait_timeout=0, **ASKED)
    assert result["failed"]
    assert (result["verdict"], result["silent"]) == ("inconclusive", ["ecs/web/aaaa"])


def test_a_service_without_a_task_is_inconclusive(aws, run_module):
    aws.answer("logs", "filter_log_events", {"events": []})
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    result = run_module("log_errors_info", **ASKED)
    assert result["verdict"] == "inconclusive"
    assert "no task of app is running" in result["msg"]


def test_refuses_a_log_group_that_does_not_exist(aws, run_module):
    aws.refuse("logs", "filter_log_events", "ResourceNotFoundException")
    assert "rollback_log_groups (option log_groups) is '/ecs/app'" in run_module("log_errors_info", **ASKED)["msg"]
