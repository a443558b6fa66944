# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around all checks; AWS answers what the test announces, and the application what the test says."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STARTED = datetime.now(UTC).replace(microsecond=0) + timedelta(
    hours=1
)  # the tasks started in the one slice of time that is read
LATER = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
OTHER = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:42"
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"
GROUP = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/app/1"
HTTP = {"base_url": "https://app.spymeo.fr", "scenarios": [{"name": "health", "steps": [{"path": "/api/health"}]}]}
TASKS = {"cluster": "production", "services": ["app"]}
LOGS = {"log_groups": ["/ecs/app"], "settle": 0, "include_stopped": False}
SERVICE = {
    "serviceName": "app",
    "serviceArn": "x/app",
    "status": "ACTIVE",
    "taskDefinition": DEFINITION,
    "desiredCount": 1,
    "runningCount": 1,
    "pendingCount": 0,
    "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}],
    "deployments": [
        {
            "status": "PRIMARY",
            "taskDefinition": DEFINITION,
            "createdAt": NOON,
            "desiredCount": 1,
            "runningCount": 1,
            "rolloutState": "COMPLETED",
        }
    ],
    "events": [],
}
TASK = {
    "taskArn": "x/aaaa",
    "taskDefinitionArn": DEFINITION,
    "createdAt": STARTED,
    "lastStatus": "RUNNING",
    "attachments": [{"details": [{"name": "privateIPv4Address", "value": "10.0.0.7"}]}],
}
OPTIONS = {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "ecs"}
CONTAINER = {"name": "web", "image": "i", "logConfiguration": {"logDriver": "awslogs", "options": OPTIONS}}
DESCRIBED = {
    "taskDefinitionArn": DEFINITION,
    "status": "ACTIVE",
    "registeredAt": NOON,
    "containerDefinitions": [CONTAINER],
}


@pytest.fixture
def answers(monkeypatch):
    """path → answer of the application."""
    module = importlib.import_module("ansible_collections.spymeo.rollback.plugins.module_utils._flows.verify_request")
    given = {"/api/health": Answer(200, "ok", 0.1)}

    class Session:
        def __init__(self, base_url, timeout):
            pass

        def send(self, _method, path, _headers, json, _form):
            return given[path] if not callable(given[path]) else given[path](json)

    monkeypatch.setattr(module, "ScenarioSession", Session)
    return given


@pytest.fixture
def services(aws):
    """Announces one service with a task, whose target is in this state."""

    def announce(state="healthy"):
        aws.answer("ecs", "describe_services", {"services": [SERVICE]})
        aws.answer("ecs", "list_tasks", {"taskArns": ["x/aaaa"]})
        aws.answer("ecs", "describe_tasks", {"tasks": [TASK]})
        target = {"Id": "10.0.0.7", "Port": 8080}
        asked = {"TargetGroupArn": GROUP, "Targets": [target]}
        health = [{"Target": target, "TargetHealth": {"State": state}}]
        if state:
            aws.answer("elbv2", "describe_target_health", {"TargetHealthDescriptions": health}, asked)

    return announce


@pytest.fixture
def logged(aws):
    """Announces what that task has logged."""

    def announce(*messages):
        aws.answer("logs", "filter_log_events", {"events": []}, {"logGroupName": "/ecs/app", "limit": 1})
        aws.answer("ecs", "describe_task_definition", {"taskDefinition": DESCRIBED})
        aws.answer("logs", "filter_log_events", {"events": []})  # nothing is younger than the last request yet
        events = [
            {
                "eventId": str(place),
                "timestamp": int(STARTED.timestamp()) * 1000,
                "message": message,
                "logStreamName": "ecs/web/aaaa",
            }
            for place, message in enumerate(messages)
        ]
        aws.answer("logs", "filter_log_events", {"events": events})

    return announce


@pytest.fixture
def at_the_end(aws):
    """Announces what the service is when the other checks have been made."""

    def announce(deployment=None, **service):
        deployments = [{**SERVICE["deployments"][0], **(deployment or {})}]
        aws.answer("ecs", "describe_services", {"services": [{**SERVICE, "deployments": deployments, **service}]})

    return announce


def verdicts(result):
    return {check["name"]: check["verdict"] for check in result["checks"]}


def test_passes_when_everything_has_passed(answers, services, logged, at_the_end, run_module):
    services()
    logged('{"level":"info","msg":"listening"}')
    at_the_end()
    result = run_module("verify_application", http=HTTP, tasks=TASKS, logs=LOGS)
    assert (result["verdict"], result["changed"], result["next"]) == ("passed", False, [])
    assert verdicts(result) == dict.fromkeys(("health", "tasks", "targets", "logs", "deployment"), "passed")
    assert result["plan"] == ["health: GET /api/health"]
    assert result["logs"]["lines"] == 1


def test_fails_with_the_evidence_of_each_check_and_what_to_do(answers, services, logged, at_the_end, run_module):
    answers["/api/health"] = Answer(503, "down", 0.1)
    services("unhealthy")
    logged("Error: P2022")
    at_the_end()
    tasks = {**TASKS, "wait_timeout": 0, "targets": {"app": "app:41"}}
    result = run_module("verify_application", http=HTTP, tasks=tasks, logs=LOGS, after="code")
    assert result["failed"]
    failed = dict.fromkeys(("health", "targets", "logs"), "failed")
    assert verdicts(result) == {**failed, "tasks": "passed", "deployment": "passed"}
    assert result["evidence"] == [
        "health, failed: /api/health: failed: status 503 instead of 200; the body is: down",
        "targets, failed: app: 0 of 1 tasks are healthy targets, others are unhealthy",
        "logs, failed: 1 time: Error: P2022",
    ]
    assert "playbooks/rollback_full.yml" in " ".join(result["next"])


def test_another_task_definition_than_the_one_deployed_is_a_failure(services, run_module):
    services()
    tasks = {**TASKS, "targets": {"app": "app:40"}}
    result = run_module("verify_application", tasks=tasks, fail_on_error=False)
    assert "failed" not in result
    assert verdicts(result) == {"tasks": "failed", "targets": "passed"}
    assert "app is to run app:41, not app:40" in result["evidence"][0]


def test_a_missing_permission_makes_one_check_inconclusive_and_hides_no_other(
    aws, answers, services, at_the_end, run_module
):
    services(state=None)
    aws.refuse("elbv2", "describe_target_health", "AccessDenied")
    at_the_end()
    result = run_module("verify_application", http=HTTP, tasks=TASKS)
    assert verdicts(result) == {
        "health": "passed",
        "tasks": "passed",
        "targets": "inconclusive",
        "deployment": "passed",
    }
    assert result["failed"]
    assert "Allow elasticloadbalancing:DescribeTargetHealth" in result["evidence"][0]


def test_whatever_aws_refuses_is_inconclusive_in_its_own_words(aws, answers, run_module):
    aws.refuse("ecs", "describe_services", "InvalidParameterException", "Identifier too long")
    result = run_module("verify_application", http=HTTP, tasks=TASKS, logs=LOGS)
    inconclusive = dict.fromkeys(("tasks", "targets", "logs"), "inconclusive")
    assert verdicts(result) == {"health": "passed", **inconclusive}
    assert "AWS refused DescribeServices with InvalidParameterException: Identifier too long" in result["msg"]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (
            {"deployment": {"taskDefinition": OTHER, "createdAt": LATER}},
            "somebody has deployed app:42 at 2026-11-22 12:05:00 UTC",
        ),
        ({"deployment": {"createdAt": LATER}}, "somebody has deployed app:41"),
        (
            {"deployments": [*SERVICE["deployments"], {**SERVICE["deployments"][0], "status": "ACTIVE"}]},
            "no longer the only one",
        ),
        ({"desiredCount": 0, "runningCount": 0}, "was scaled to 0"),
        ({"runningCount": 0}, "0 of 1 tasks run now"),
        ({"status": "DRAINING"}, "is DRAINING"),
    ],
)
def test_what_happens_to_the_service_while_the_checks_are_made_is_seen(services, at_the_end, run_module, now, words):
    services()
    at_the_end(**now)
    result = run_module("verify_application", tasks=TASKS, fail_on_error=False)
    assert verdicts(result) == {"tasks": "passed", "targets": "passed", "deployment": "failed"}
    assert words in result["evidence"][0]


def test_autoscaling_may_add_tasks_meanwhile(services, at_the_end, run_module):
    services()
    at_the_end(desiredCount=3, runningCount=1)
    assert run_module("verify_application", tasks=TASKS)["verdict"] == "passed"


LOGIN = {
    "name": "admin",
    "steps": [{"method": "POST", "path": "/login", "json": {"password": "${password}"}}],
}


def test_credentials_come_from_the_secret_that_is_named_and_are_never_shown(aws, answers, run_module):
    sent = []
    answers["/login"] = lambda json: sent.append(json) or Answer(500, "no such password hunter22", 0.1)
    arn = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:admin-AbCdEf"
    value = {"ARN": arn, "Name": "admin", "VersionId": "v1" * 16, "SecretString": '{"password": "hunter22"}'}
    aws.answer("secretsmanager", "get_secret_value", value, {"SecretId": "admin", "VersionStage": "AWSCURRENT"})
    secrets = {"password": {"secret": "admin", "key": "password"}}
    result = run_module("verify_application", http={**HTTP, "scenarios": [LOGIN], "secrets": secrets})
    assert sent == [{"password": "hunter22"}]
    assert "no such password ********" in result["evidence"][0]
    assert "hunter22" not in str(result)


def test_tests_of_the_application_are_run_and_their_output_is_kept(answers, run_module, tmp_path):
    e2e = {"command": "echo at $BASE_URL for $ROLLBACK_RUN_ID; exit 2", "directory": str(tmp_path)}
    result = run_module("verify_application", http=HTTP, e2e=e2e, run_id="rb-20261122-031500")
    assert verdicts(result) == {"health": "passed", "end-to-end tests": "failed"}
    assert result["e2e"]["exit_code"] == 2
    assert (tmp_path / "rb-20261122-031500-e2e.log").read_text() == "at https://app.spymeo.fr for rb-20261122-031500\n"
    assert "| at https://app.spymeo.fr for rb-20261122-031500" in result["msg"]


WATCH = {"seconds": 1, "interval": 0.2, "health": {"path": "/api/health"}}


def test_a_watch_asks_for_the_health_and_is_told(answers, run_module):
    result = run_module("verify_application", http=HTTP, watch=WATCH)
    assert verdicts(result) == {"health": "passed", "watch": "passed"}
    assert result["plan"] == ["health: GET /api/health", "watch, 1 s long, every 0.2 s: GET /api/health"]
    assert (result["watch"]["requests"], result["watch"]["failed"]) == (5, 0)


def test_flapping_that_one_look_does_not_see_is_seen_by_the_watch(answers, run_module):
    asked = []

    def flapping(_json):
        asked.append(1)
        return Answer(502 if len(asked) % 4 == 0 else 200, "", 0.01)

    answers["/api/health"] = flapping
    times = {"name": "health", "steps": [{"path": "/api/health", "times": 3}]}
    result = run_module("verify_application", http={**HTTP, "scenarios": [times]}, watch={**WATCH, "seconds": 3})
    assert verdicts(result) == {"health": "passed", "watch": "failed"}
    assert "2 of 5 health requests failed (1 may): status 502 instead of 200" in result["msg"]


def test_where_a_scenario_has_failed_nothing_is_watched(answers, run_module):
    answers["/api/health"] = Answer(503, "", 0.1)
    result = run_module("verify_application", http=HTTP, watch=WATCH)
    assert verdicts(result) == {"health": "failed"}


def test_an_application_without_http_and_logs_is_proven_by_its_tasks(aws, services, at_the_end, run_module):
    services()
    aws.answer("ecs", "describe_task_definition", {"taskDefinition": DESCRIBED})
    at_the_end()
    without = {"base_url": "none", "scenarios": []}
    logs = {**LOGS, "log_groups": [], "log_elsewhere": ["app"]}
    result = run_module("verify_application", http=without, tasks=TASKS, logs=logs)
    assert verdicts(result) == dict.fromkeys(("tasks", "targets", "logs", "deployment"), "passed")


def test_check_mode_sends_runs_and_reads_nothing(run_module, tmp_path):
    e2e = {"command": f"touch {tmp_path}/ran", "directory": str(tmp_path)}
    result = run_module("verify_application", check_mode=True, http=HTTP, tasks=TASKS, logs=LOGS, e2e=e2e)
    assert result["plan"] == ["health: GET /api/health", f"end-to-end tests: touch {tmp_path}/ran"]
    assert (result["verdict"], list(tmp_path.iterdir())) == ("inconclusive", [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"http": {**HTTP, "base_url": "app"}}, "rollback_base_url"),
        ({"http": {**HTTP, "scenarios": [LOGIN]}}, "${password} is no variable"),
        ({"http": {**HTTP, "secrets": {"password": "admin"}}}, "verify_secrets"),
        ({"http": HTTP, "tasks": TASKS, "logs": {**LOGS, "noise": [{"pattern": "x"}]}}, "entry 1: reason is missing"),
        ({"http": HTTP, "tasks": TASKS, "logs": {**LOGS, "patterns": ["("]}}, "no regular expression"),
        ({"http": HTTP, "tasks": TASKS, "logs": {**LOGS, "baseline_until": "noon"}}, "baseline_until"),
        ({"e2e": {"command": "x", "runs_on": "task"}}, "rollback_e2e_runs_on"),
        ({"e2e": {"command": "x", "secret_environment": {"A": "1"}}}, "fewer than 4 characters"),
        ({"http": {**HTTP, "base_url": "none"}}, "there are scenarios, which need a URL"),
        ({"http": HTTP, "watch": {"seconds": 0}}, "watch: seconds"),
        ({"http": HTTP, "watch": {"interval": 0}}, "watch: interval"),
        ({"http": HTTP, "watch": {"failures": -1}}, "watch: failures"),
        ({"http": HTTP, "watch": {"since": "noon"}}, "since"),
        ({"http": HTTP, "watch": {"health": {"path": "health"}}}, "does not begin with a slash"),
        ({}, "one of the following is required"),
        ({"http": HTTP, "logs": LOGS}, "missing parameter(s) required by 'logs': tasks"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_asked(run_module, options, words):
    result = run_module("verify_application", **options)
    assert result["failed"]
    assert words in result["msg"]


@pytest.mark.parametrize(("versions", "password"), [({}, "of-now"), ({"db-url": "of-then" * 5}, "of-then")])
def test_the_database_that_was_left_is_asked_with_the_password_of_its_time_and_alone(
    aws, run_module, monkeypatch, versions, password
):
    left = importlib.import_module("ansible_collections.spymeo.rollback.plugins.module_utils._flows.left_sessions")
    asked = []

    class Server:
        def __init__(self, target, _timeout):
            asked.append((target.host, target.port, target.password))

        def sessions(self):
            return (), 0

    monkeypatch.setattr(left, "PostgresqlGateway", Server)
    arn, current = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf", "of-now" * 6
    described = {"ARN": arn, "Name": "db-url", "CreatedDate": NOON, "LastChangedDate": NOON}
    entry = {"VersionId": current, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
    aws.answer("secretsmanager", "describe_secret", described)
    aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})
    which = {"VersionId": versions["db-url"]} if versions else {"VersionStage": "AWSCURRENT"}
    value = {"VersionId": which.get("VersionId", current), "SecretString": f"postgresql://app:{password}@db:5432/app"}
    aws.answer("secretsmanager", "get_secret_value", value, {"SecretId": arn, **which})
    failed = {"db_instance": "app-db-rb", "host": "restored", "port": 5433, "versions": versions}
    result = run_module("verify_application", database={"database_secret": "db-url", "failed": failed})
    assert asked == [("restored", 5433, password)]
    assert [(item["name"], item["verdict"]) for item in result["checks"]] == [("failed database", "passed")]
