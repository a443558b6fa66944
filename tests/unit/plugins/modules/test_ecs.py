# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ecs_release_info and ecs_rollback against whole answers of ECS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PREFIX = "arn:aws:ecs:eu-west-3:123456789012"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/key-AbCdEf"
CLUSTER = f"{PREFIX}:cluster/production"


def minute(number):
    return START + timedelta(minutes=number)


def definition(revision):
    return f"{PREFIX}:task-definition/app:{revision}"


def described(revision, status="ACTIVE"):
    container = {
        "name": "app",
        "image": f"app:1.{revision}",
        "secrets": [{"name": "KEY", "valueFrom": f"{SECRET}:KEY::"}],
    }
    return {
        "taskDefinition": {
            "taskDefinitionArn": definition(revision),
            "containerDefinitions": [container],
            "family": "app",
            "revision": revision,
            "status": status,
            "registeredAt": minute(revision * 10 - 2),
        }
    }


def service(revision, rollout_state="COMPLETED", running=2, since=0):
    primary = {
        "id": f"ecs-svc/{revision}",
        "status": "PRIMARY",
        "taskDefinition": definition(revision),
        "desiredCount": 2,
        "pendingCount": 0,
        "runningCount": running,
        "failedTasks": 0,
        "createdAt": minute(since or revision * 10),
        "updatedAt": minute(since or revision * 10),
        "rolloutState": rollout_state,
    }
    told = {
        "serviceName": "app",
        "serviceArn": f"{PREFIX}:service/production/app",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "taskDefinition": definition(revision),
        "desiredCount": 2,
        "runningCount": running,
        "pendingCount": 0,
        "deployments": [primary],
        "events": [{"id": "1", "createdAt": minute(60), "message": "(service app) was unable to start a task."}],
    }
    return {"services": [told], "failures": []}


def expect_history(aws, *deployments):
    """`deployments` are (number, revision, status), in any order."""
    arns = [f"{PREFIX}:service-deployment/{number}" for number, _revision, _status in deployments]
    briefs = [{"serviceDeploymentArn": arn} for arn in arns]
    aws.answer("ecs", "list_service_deployments", {"serviceDeployments": briefs})
    expect_deployments(aws, *deployments)


def expect_deployments(aws, *deployments, revisions_known=False):
    whole = [
        {
            "serviceDeploymentArn": f"{PREFIX}:service-deployment/{number}",
            "status": status,
            "statusReason": "because",
            "createdAt": minute(number * 10),
            "targetServiceRevision": {"arn": f"{PREFIX}:service-revision/{number}"},
        }
        for number, revision, status in deployments
    ]
    aws.answer("ecs", "describe_service_deployments", {"serviceDeployments": whole, "failures": []})
    if not revisions_known:
        revisions = [
            {"serviceRevisionArn": f"{PREFIX}:service-revision/{number}", "taskDefinition": definition(revision)}
            for number, revision, _status in deployments
        ]
        aws.answer("ecs", "describe_service_revisions", {"serviceRevisions": revisions, "failures": []})


def expect_secret(aws, changed):
    aws.answer(
        "secretsmanager",
        "describe_secret",
        {"ARN": SECRET, "Name": "app/key", "LastChangedDate": changed},
        {"SecretId": SECRET},
    )


def test_info_chooses_and_tells_since_when_it_is_bad(aws, run_module):
    aws.answer("ecs", "describe_services", service(2), {"cluster": "production", "services": ["app"]})
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"))
    aws.answer("ecs", "describe_task_definition", described(1), {"taskDefinition": definition(1)})
    aws.answer("ecs", "describe_task_definition", described(2), {"taskDefinition": definition(2)})
    result = run_module("ecs_release_info", cluster="production", services=["app"])
    assert result["targets"] == {"app": definition(1)}
    assert result["bad_since"] == minute(18).isoformat(), (
        "its registration counts: pipelines migrate before they deploy"
    )
    assert [item["verdict"] for item in result["services"][0]["candidates"]] == ["running", "served"]


def test_info_names_the_variable_of_a_task_definition_that_is_not_there(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    aws.refuse("ecs", "describe_task_definition", "ClientException", "Unable to describe task definition.")
    result = run_module("ecs_release_info", cluster="production", services=["app"], task_definition="app:99")
    assert result["failed"]
    assert "rollback_task_definition (option task_definition) is 'app:99'" in result["msg"]


def test_info_names_the_services_there_are(aws, run_module):
    aws.answer("ecs", "describe_services", {"services": [], "failures": [{"arn": "x", "reason": "MISSING"}]})
    aws.answer("ecs", "list_services", {"serviceArns": [f"{PREFIX}:service/production/app"]})
    result = run_module("ecs_release_info", cluster="production", services=["web"])
    assert "rollback_services (option services) is 'web'" in result["msg"]
    assert result["msg"].endswith("The services there are: app.")


def test_check_mode_tells_the_plan_and_writes_nothing(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    aws.answer("ecs", "describe_task_definition", described(1))
    expect_secret(aws, minute(1))
    result = run_module("ecs_rollback", check_mode=True, cluster="production", targets={"app": "app:1"}, run_id="rb-1")
    assert (result["changed"], result["before"], result["after"]) == (True, {"app": "app:2"}, {"app": "app:1"})
    assert result["plan"] == ["app: deploy app:1"]
    assert "app:2" in result["diff"]["before"]


def test_a_service_that_runs_its_target_is_left_alone(aws, run_module):
    aws.answer("ecs", "describe_services", service(1))
    aws.answer("ecs", "describe_task_definition", described(1))
    expect_secret(aws, minute(1))
    result = run_module("ecs_rollback", cluster="production", targets={"app": "app:1"}, run_id="rb-1")
    assert (result["changed"], result["plan"]) == (False, ["app: nothing app:1"])


def expect_start(aws, seen, changed, force):
    aws.answer("ecs", "describe_services", seen)
    aws.answer("ecs", "describe_task_definition", described(1))
    expect_secret(aws, changed)
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"))
    asked = {"cluster": "production", "service": "app", "taskDefinition": definition(1), "forceNewDeployment": force}
    aws.answer("ecs", "update_service", {"service": service(1)["services"][0]}, asked)


@pytest.mark.parametrize(("seen", "changed", "force"), [(service(2), minute(1), False), (service(1), minute(30), True)])
def test_deploys_once_and_waits_for_that_very_deployment(aws, run_module, seen, changed, force):
    expect_start(aws, seen, changed, force)
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"), (3, 1, "IN_PROGRESS"))
    expect_deployments(aws, (3, 1, "SUCCESSFUL"), revisions_known=True)
    aws.answer("ecs", "describe_services", service(1))
    result = run_module("ecs_rollback", cluster="production", targets={"app": "app:1"}, run_id="rb-1")
    assert result["changed"], result
    assert result["after"] == {"app": "app:1"}


def test_a_breaker_that_rolls_ours_back_is_a_failure_with_evidence(aws, run_module):
    expect_start(aws, service(2), minute(1), False)
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"), (3, 1, "IN_PROGRESS"))
    expect_deployments(aws, (3, 1, "ROLLBACK_SUCCESSFUL"), revisions_known=True)
    aws.answer("ecs", "describe_services", service(2))
    aws.answer("ecs", "describe_services", service(2))
    aws.answer("ecs", "list_tasks", {"taskArns": ["x/earlier", "x/scaled", f"{PREFIX}:task/production/abc"]})
    task = {
        "taskArn": f"{PREFIX}:task/production/abc",
        "taskDefinitionArn": definition(1),
        "stoppedAt": minute(61),
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "app", "exitCode": 1}],
    }
    earlier = dict(task, taskArn="x/earlier", stoppedAt=minute(1))
    scaled = dict(task, taskArn="x/scaled", stoppedReason="Scaling activity initiated by (deployment ecs-svc/3)")
    aws.answer("ecs", "describe_tasks", {"tasks": [earlier, scaled, task], "failures": []})
    result = run_module("ecs_rollback", cluster="production", targets={"app": "app:1"}, run_id="rb-1")
    assert "ECS gave up app:1 on app and rolled back (ROLLBACK_SUCCESSFUL: because)" in result["msg"]
    assert result["evidence"] == [
        "app: event: (service app) was unable to start a task.",
        "app: task abc: Essential container in task exited; app exited with 1",
    ]


def test_an_answer_without_a_revision_is_an_error_not_a_guess(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    aws.answer(
        "ecs",
        "list_service_deployments",
        {"serviceDeployments": [{"serviceDeploymentArn": f"{PREFIX}:service-deployment/1"}]},
    )
    whole = {
        "serviceDeploymentArn": f"{PREFIX}:service-deployment/1",
        "status": "SUCCESSFUL",
        "createdAt": minute(10),
        "targetServiceRevision": {"arn": f"{PREFIX}:service-revision/1"},
    }
    aws.answer("ecs", "describe_service_deployments", {"serviceDeployments": [whole]})
    aws.answer("ecs", "describe_service_revisions", {"serviceRevisions": []})
    result = run_module("ecs_release_info", cluster="production", services=["app"])
    assert "AWS answered DescribeServiceRevisions in a way that this collection does not know" in result["msg"]
