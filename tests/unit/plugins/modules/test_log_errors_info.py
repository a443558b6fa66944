# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime.now(UTC).replace(microsecond=0) + timedelta(
    hours=1
)  # the tasks started in the one slice of time that is read
AT = int(NOON.timestamp()) * 1000
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"
ASKED = {"cluster": "production", "services": ["app"], "log_groups": ["/ecs/app"]}


READ = {"logGroupName": "/ecs/app", "logStreamNames": ["ecs/web/aaaa"], "startTime": AT}


def line(number, message):
    at = AT + number
    return {"eventId": f"e{number}", "timestamp": at, "message": message, "logStreamName": "ecs/web/aaaa"}


LISTENING = line(0, '{"level":"info","msg":"listening"}')
ERROR = line(1, "TypeError: password=hunter2, code: P2022")
DEPLOYMENT = {
    "status": "PRIMARY",
    "taskDefinition": DEFINITION,
    "createdAt": NOON,
    "desiredCount": 1,
    "runningCount": 1,
}
SERVICE = {
    "serviceName": "app",
    "serviceArn": "x/app",
    "status": "ACTIVE",
    "taskDefinition": DEFINITION,
    "desiredCount": 1,
    "runningCount": 1,
    "pendingCount": 0,
    "deployments": [DEPLOYMENT],
    "events": [],
}


def task(name, **changes):
    return {
        "taskArn": f"x/{name}",
        "taskDefinitionArn": DEFINITION,
        "createdAt": NOON,
        "lastStatus": "RUNNING",
        **changes,
    }


@pytest.fixture
def tasks(aws):
    """Announces the tasks of the service that run, and those that have stopped if it is to be asked for them."""

    def announce(*running, stopped=None):
        aws.answer("logs", "filter_log_events", {"events": []}, {"logGroupName": "/ecs/app", "limit": 1})
        aws.answer("ecs", "describe_services", {"services": [SERVICE]})
        for found in (running, stopped):
            if found is not None:
                aws.answer("ecs", "list_tasks", {"taskArns": [item["taskArn"] for item in found]})
            if found:
                aws.answer("ecs", "describe_tasks", {"tasks": list(found)})
        options = {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "ecs"}
        container = {"name": "web", "image": "i", "logConfiguration": {"logDriver": "awslogs", "options": options}}
        definition = {
            "taskDefinitionArn": DEFINITION,
            "status": "ACTIVE",
            "registeredAt": NOON,
            "containerDefinitions": [container],
        }
        if running or stopped:
            aws.answer("ecs", "describe_task_definition", {"taskDefinition": definition})

    return announce


@pytest.fixture
def logged(aws, tasks):
    """Announces what the only task has logged."""

    def announce(*lines):
        tasks(task("aaaa"))
        aws.answer("logs", "filter_log_events", {"events": list(lines)})

    return announce


def test_passes_when_the_task_logs_and_none_of_it_is_an_error(logged, run_module):
    logged(LISTENING)
    result = run_module("log_errors_info", **ASKED)
    assert (result["verdict"], result["changed"]) == ("passed", False)
    assert result["streams"] == ["ecs/web/aaaa"]


def test_fails_with_count_code_and_example_and_no_secret(logged, run_module):
    logged(LISTENING, ERROR, line(2, "TypeError: password=hunter3, code: P2022"))
    result = run_module("log_errors_info", **ASKED)
    assert result["failed"]
    assert (result["verdict"], result["codes"]) == ("failed", {"P2022": 2})
    assert result["errors"][0]["first"] == (NOON + timedelta(milliseconds=1)).isoformat()
    assert result["errors"][0]["example"] == "TypeError: password=********, code: P2022"
    assert result["evidence"] == ["2 times: TypeError: password=********, code: P2022"]
    assert "hunter" not in str(result)


def test_tells_without_failing_when_asked_to(logged, run_module):
    logged(ERROR)
    result = run_module("log_errors_info", fail_on_error=False, max_examples=0, **ASKED)
    assert "failed" not in result
    assert result["verdict"] == "failed"
    assert result["errors"][0]["example"] == ""


def test_patterns_of_ones_own_come_to_those_that_are_known(logged, run_module):
    logged(LISTENING, ERROR, line(2, "EEK disk"))
    result = run_module("log_errors_info", patterns=["^EEK"], **ASKED)
    assert [error["example"] for error in result["errors"]][1:] == ["EEK disk"]


def test_lines_that_are_ignored_are_no_errors(logged, run_module):
    logged(LISTENING, ERROR)
    assert run_module("log_errors_info", ignore=["Error"], **ASKED)["verdict"] == "passed"


def test_lines_that_nobody_understands_are_inconclusive_and_say_what_helps(logged, run_module):
    logged(line(1, "EEK one"), line(2, "EEK two"))
    result = run_module("log_errors_info", **ASKED)
    assert result["verdict"] == "inconclusive"
    assert result["unclear"] == [dict(service="app", container="web", lines=2, unknown=2, example="EEK one")]
    assert (
        "2 of 2 lines of app/web have no level that could be read, like: EEK one; say in verify_log_patterns"
        in result["msg"]
    )


def test_the_reading_ends_in_time_and_says_how_far_it_came(logged, run_module):
    logged(LISTENING)
    result = run_module("log_errors_info", read_timeout=-1, **ASKED)
    assert "time was up after 1 line, read back to" in result["reason"]


def test_a_task_that_logs_nothing_is_inconclusive(aws, logged, run_module):
    logged()
    aws.answer("logs", "filter_log_events", {"events": []})
    result = run_module("log_errors_info", wait_timeout=0, **ASKED)
    assert result["failed"]
    assert (result["verdict"], result["silent"]) == ("inconclusive", ["ecs/web/aaaa"])


def test_a_task_that_logs_late_is_read_then(aws, logged, run_module):
    logged()
    aws.answer("logs", "filter_log_events", {"events": [ERROR]}, {**READ, "limit": 1})
    aws.answer("logs", "filter_log_events", {"events": [ERROR]}, READ)
    result = run_module("log_errors_info", **ASKED)
    assert (result["verdict"], result["silent"], result["lines"]) == ("failed", [], 1)


def test_last_words_of_tasks_that_have_stopped_count_if_they_are_of_this_deployment(aws, tasks, run_module):
    before = task("cccc", lastStatus="STOPPED", createdAt=NOON - timedelta(seconds=1))
    tasks(task("aaaa"), stopped=[task("bbbb", lastStatus="STOPPED"), before])
    both = {**READ, "logStreamNames": ["ecs/web/aaaa", "ecs/web/bbbb"]}
    last_words = {**ERROR, "logStreamName": "ecs/web/bbbb"}
    aws.answer("logs", "filter_log_events", {"events": [LISTENING, last_words]}, both)
    result = run_module("log_errors_info", include_stopped=True, **ASKED)
    assert (result["verdict"], result["errors"][0]["stream"]) == ("failed", "ecs/web/bbbb")


NOISE = {"pattern": "TypeError", "reason": "ticket 12", "until": "2999-12-31"}


def test_known_noise_does_not_count_and_is_told(logged, run_module):
    logged(LISTENING, ERROR)
    result = run_module("log_errors_info", noise=[NOISE], **ASKED)
    assert (result["verdict"], result["errors"]) == ("passed", [])
    assert result["noise"] == [{**NOISE, "count": 1, "expired": False}]
    assert "1 error is known noise" in result["reason"]


def test_noise_that_has_expired_counts_again_and_says_so(logged, run_module):
    logged(LISTENING, ERROR)
    result = run_module("log_errors_info", noise=[{**NOISE, "until": "2026-01-31"}], **ASKED)
    assert result["verdict"] == "failed"
    assert "1 of these were known noise (ticket 12) until 2026-01-31, which is over" in result["evidence"][-1]


def test_an_error_that_was_there_before_the_accident_does_not_count(aws, tasks, run_module):
    tasks(task("aaaa"))
    window = {"logGroupName": "/ecs/app", "logStreamNamePrefix": "ecs/web/"}
    window.update(startTime=AT - 600_000, endTime=AT - 1)
    aws.answer("logs", "filter_log_events", {"events": [line(-5, "TypeError: password=x, code: P2022")]}, window)
    aws.answer("logs", "filter_log_events", {"events": [LISTENING, ERROR, line(2, "RangeError: new")]}, READ)
    baseline = dict(baseline_until=NOON.isoformat(), baseline_minutes=10)
    result = run_module("log_errors_info", **baseline, **ASKED)
    assert [error["fingerprint"] for error in result["errors"]] == ["RangeError: new"]
    assert [(error["count"], error["before"]) for error in result["old_errors"]] == [(1, 1)]
    assert f"1 error of 1 kind that there were before {NOON.isoformat()}, too" in result["msg"]


def test_a_wrong_list_of_noise_is_refused_before_anything_is_read(run_module):
    result = run_module("log_errors_info", noise=[{"pattern": "(", "until": "soon"}], **ASKED)
    for words in ("entry 1: reason is missing", "pattern is no regular expression", "until is 'soon', not a day"):
        assert words in result["msg"]


def test_a_service_without_a_task_is_inconclusive(tasks, run_module):
    tasks()
    result = run_module("log_errors_info", **ASKED)
    assert result["verdict"] == "inconclusive"
    assert "no task of app is running" in result["msg"]


def test_refuses_a_log_group_that_does_not_exist(aws, run_module):
    aws.refuse("logs", "filter_log_events", "ResourceNotFoundException")
    assert "rollback_log_groups (option log_groups) is '/ecs/app'" in run_module("log_errors_info", **ASKED)["msg"]
