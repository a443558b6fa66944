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
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "app"},
        },
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
        "loadBalancers": [{"targetGroupArn": "group", "containerName": "app", "containerPort": 8080}],
        "events": [{"id": "1", "createdAt": minute(60), "message": "(service app) was unable to start a task."}],
    }
    return {"services": [told], "failures": []}


def expect_history(aws, *deployments, revisions=None):
    """`deployments` are (number, revision, status), in any order; `revisions` are the numbers that are not known yet."""
    arns = [f"{PREFIX}:service-deployment/{number}" for number, _revision, _status in deployments]
    briefs = [{"serviceDeploymentArn": arn} for arn in arns]
    aws.answer("ecs", "list_service_deployments", {"serviceDeployments": briefs})
    new = [item for item in deployments if revisions is None or item[0] in revisions]
    expect_deployments(aws, *new, revisions=revisions)


def expect_deployments(aws, *deployments, revisions=None, back_to=None):
    whole = [
        {
            "serviceDeploymentArn": f"{PREFIX}:service-deployment/{number}",
            "status": status,
            "statusReason": "because",
            "createdAt": minute(number * 10),
            "targetServiceRevision": {"arn": f"{PREFIX}:service-revision/{number}"},
            **({"rollback": {"serviceRevisionArn": f"{PREFIX}:service-revision/{back_to}"}} if back_to else {}),
        }
        for number, _revision, status in deployments
    ]
    aws.answer("ecs", "describe_service_deployments", {"serviceDeployments": whole, "failures": []})
    new = [item for item in deployments if revisions is None or item[0] in revisions]
    if new:
        told = [
            {
                "serviceRevisionArn": f"{PREFIX}:service-revision/{number}",
                "taskDefinition": definition(revision),
                "containerImages": [
                    {"containerName": "app", "image": f"app:1.{revision}", "imageDigest": f"sha256:{revision}"}
                ],
            }
            for number, revision, _status in new
        ]
        aws.answer("ecs", "describe_service_revisions", {"serviceRevisions": told, "failures": []})


def expect_definitions(aws, *revisions, **status):
    for revision in revisions:
        asked = {"taskDefinition": definition(revision), "include": ["TAGS"]}
        aws.answer("ecs", "describe_task_definition", described(revision, **status), asked)


def expect_secret(aws, changed):
    aws.answer(
        "secretsmanager",
        "describe_secret",
        {"ARN": SECRET, "Name": "app/key", "LastChangedDate": changed},
        {"SecretId": SECRET},
    )


def expect_checks(aws):
    """What ecs_release_info looks at once it has chosen; the images are not in ECR."""
    aws.answer("logs", "describe_log_streams", {"logStreams": []}, {"logGroupName": "/ecs/app", "limit": 1})
    expect_secret(aws, START)
    version = {"VersionId": "1" * 32, "VersionStages": ["AWSCURRENT"], "CreatedDate": START}
    aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [version]})
    aws.answer("secretsmanager", "get_secret_value", {"SecretString": '{"KEY": "value"}'}, {"SecretId": SECRET})


def test_info_chooses_and_tells_since_when_it_is_bad(aws, run_module):
    aws.answer(
        "ecs", "describe_services", service(2), {"cluster": "production", "services": ["app"], "include": ["TAGS"]}
    )
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"))
    expect_definitions(aws, 2, 1)
    expect_checks(aws)
    result = run_module("ecs_release_info", cluster="production", services=["app"])
    assert result["targets"] == {"app": definition(1)}
    assert result["bad_since"] == minute(18).isoformat(), (
        "its registration counts: pipelines migrate before they deploy"
    )
    newest, oldest = result["services"][0]["candidates"]
    assert (newest["task_definition"], newest["verdict"], newest["in_use"], newest["chosen"]) == (
        "app:2",
        "running",
        True,
        False,
    )
    assert (oldest["task_definition"], oldest["verdict"], oldest["in_use"], oldest["chosen"]) == (
        "app:1",
        "served",
        False,
        True,
    )
    assert (oldest["outcome"], oldest["status"], oldest["image"]) == ("SUCCESSFUL", "ACTIVE", ["app:1.1"])
    assert oldest["digest"] == {"app:1.1": "sha256:1"}


def point(name, revision, at):
    """A release point made at a minute, when a revision ran."""
    ran = {"release": definition(revision), "task_definition": definition(revision), "digest": {}}
    return {"id": name, "created": minute(at).isoformat(), "services": {"app": ran}}


def expect_three(aws):
    """Revision 3 runs; 1 and 2 have served before."""
    aws.answer("ecs", "describe_services", service(3))
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"), (3, 3, "SUCCESSFUL"))
    expect_definitions(aws, 3, 1, 2)


POINTS = [point("cp-b", 1, 18), point("cp-a", 1, 15)]


@pytest.mark.parametrize(
    ("options", "target", "used"),
    [
        ({}, 1, "cp-b"),  # what it has recorded comes before the newest one that has served
        ({"release_point": "cp-a"}, 1, "cp-a"),
        ({"release_point": "none"}, 2, None),
    ],
)
def test_info_goes_back_to_the_release_point_where_there_is_one(aws, run_module, options, target, used):
    expect_three(aws)
    expect_checks(aws)
    asked = {"cluster": "production", "services": ["app"], "release_points": POINTS}
    result = run_module("ecs_release_info", **asked, **options)
    assert result["targets"] == {"app": definition(target)}
    assert result["release_point"].get("id") == used
    if used:
        assert result["services"][0]["reason"] == f"release point {used} has recorded it"
        assert (result["services"][0]["digest"], result["services"][0]["release"]) == (
            {"app:1.1": "sha256:1"},
            definition(1),
        )


def test_info_tells_the_point_and_since_when_the_release_runs_where_the_code_stays(aws, run_module):
    expect_three(aws)
    expect_checks(aws)
    asked = {"cluster": "production", "services": ["app"], "release_points": POINTS}
    result = run_module("ecs_release_info", **asked, choose="running")
    assert result["targets"] == {"app": definition(3)}
    assert result["release_point"]["id"] == "cp-b"
    assert (result["running_since"], result["bad_since"]) == (minute(28).isoformat(), "")


def test_info_tells_of_release_points_also_where_no_release_can_be_chosen(aws, run_module):
    aws.answer("ecs", "describe_services", service(1))
    expect_history(aws, (1, 1, "SUCCESSFUL"))
    expect_definitions(aws, 1)
    result = run_module(
        "ecs_release_info", cluster="production", services=["app"], release_points=[point("cp-a", 1, 15)]
    )
    assert "There is no task definition to bring service app back to" in result["msg"]
    assert result["release_points"] == [{"id": "cp-a", "verdict": "what it has recorded runs"}]


def test_info_refuses_a_release_point_that_is_not_there(aws, run_module):
    expect_three(aws)
    asked = {"cluster": "production", "services": ["app"], "release_points": POINTS}
    result = run_module("ecs_release_info", **asked, release_point="cp-x")
    assert "rollback_release_point (option release_point) is 'cp-x': there is no such release point" in result["msg"]


def test_info_finds_the_release_of_a_digest(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    expect_history(aws, (1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"))
    expect_definitions(aws, 2, 1)
    digest = "sha256:" + "f" * 64
    result = run_module("ecs_release_info", cluster="production", services=["app"], task_definition=digest)
    assert "was never deployed with this image" in result["msg"]


def test_info_names_the_variable_of_a_task_definition_that_is_not_there(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    expect_history(aws, (2, 2, "SUCCESSFUL"))
    expect_definitions(aws, 2)
    aws.refuse("ecs", "describe_task_definition", "ClientException", "Unable to describe task definition.")
    there = [definition(2), definition(1), f"{PREFIX}:task-definition/app-worker:7"]
    aws.answer("ecs", "list_task_definitions", {"taskDefinitionArns": there})
    aws.answer("ecs", "list_task_definitions", {"taskDefinitionArns": there})
    expect_definitions(aws, 1)
    result = run_module("ecs_release_info", cluster="production", services=["app"], task_definition="app:99")
    assert "AWS tells nothing of the content of app:99 any more, and no copy of it is there" in result["msg"]
    assert "rollback_task_definition (option task_definition) is 'app:99'" in result["msg"]
    assert "The newest there are: app:2, app:1. If it was deleted:" in result["msg"]


def test_info_refuses_a_bare_number_before_it_asks_about_releases(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    result = run_module("ecs_release_info", cluster="production", services=["app"], task_definition=41)
    assert "a bare int names no task definition" in result["msg"]


def test_info_names_the_services_there_are(aws, run_module):
    aws.answer("ecs", "describe_services", {"services": [], "failures": [{"arn": "x", "reason": "MISSING"}]})
    aws.answer("ecs", "list_services", {"serviceArns": [f"{PREFIX}:service/production/app"]})
    result = run_module("ecs_release_info", cluster="production", services=["web"])
    assert "rollback_services (option services) is 'web'" in result["msg"]
    assert result["msg"].endswith("The services there are: app.")


def expect_look(aws, seen, history, changed=START, running=2, status="ACTIVE"):
    """What ecs_rollback reads before it decides."""
    aws.answer("ecs", "describe_services", seen)
    asked = {"taskDefinition": "app:1", "include": ["TAGS"]}
    aws.answer("ecs", "describe_task_definition", described(1, status=status), asked)
    if running != 1:
        expect_definitions(aws, running)
    expect_history(aws, *history)
    expect_secret(aws, changed)


SERVED = ((1, 1, "SUCCESSFUL"), (2, 2, "SUCCESSFUL"))
CRASHING = ((1, 1, "SUCCESSFUL"), (2, 2, "IN_PROGRESS"))


def roll_back(run_module, **more):
    return run_module("ecs_rollback", cluster="production", targets={"app": "app:1"}, run_id="rb-1", **more)


def test_check_mode_tells_the_plan_and_writes_nothing(aws, run_module):
    expect_look(aws, service(2), SERVED)
    result = roll_back(run_module, check_mode=True)
    assert (result["changed"], result["plan"]) == (True, ["app: deploy app:1"])
    assert "app:2" in result["diff"]["before"]
    assert "app:1.1" in result["diff"]["after"]
    assert (result["services"][0]["before"], result["services"][0]["after"]) == ("app:2", "app:1")


def test_a_service_that_runs_its_target_is_left_alone(aws, run_module):
    expect_look(aws, service(1), SERVED, running=1)
    result = roll_back(run_module)
    assert (result["changed"], result["plan"], result["before"]) == (False, ["app: nothing app:1"], result["after"])
    assert result["services"][0]["outcome"] == "as before"


def expect_deploy(aws, force, revision=1):
    asked = {
        "cluster": "production",
        "service": "app",
        "taskDefinition": definition(revision),
        "forceNewDeployment": force,
    }
    aws.answer("ecs", "update_service", {"service": service(revision)["services"][0]}, asked)


@pytest.mark.parametrize(("running", "changed", "force"), [(2, START, False), (1, minute(30), True)])
def test_deploys_once_and_waits_for_that_very_deployment(aws, run_module, running, changed, force):
    expect_look(aws, service(running), SERVED, changed, running)
    expect_deploy(aws, force)
    expect_history(aws, *SERVED, (3, 1, "IN_PROGRESS"), revisions=[3])
    expect_deployments(aws, (3, 1, "SUCCESSFUL"), revisions=[])
    aws.answer("ecs", "describe_services", service(1))
    result = roll_back(run_module)
    assert result["changed"], result
    assert (result["services"][0]["outcome"], result["services"][0]["after"]) == ("serves", "app:1")


def test_a_deployment_under_way_is_stopped_where_that_leads_back(aws, run_module):
    expect_look(aws, service(2, "IN_PROGRESS"), CRASHING)
    stopped = f"{PREFIX}:service-deployment/2"
    aws.answer(
        "ecs",
        "stop_service_deployment",
        {"serviceDeploymentArn": stopped},
        {"serviceDeploymentArn": stopped, "stopType": "ROLLBACK"},
    )
    expect_deployments(aws, (2, 2, "ROLLBACK_SUCCESSFUL"), revisions=[], back_to=1)
    aws.answer("ecs", "describe_services", service(1))
    result = roll_back(run_module)
    assert result["changed"], result
    assert result["services"][0]["outcome"] == "serves"


def test_a_deployment_that_ended_before_it_could_be_stopped_is_replaced(aws, run_module):
    expect_look(aws, service(2, "IN_PROGRESS"), CRASHING)
    aws.refuse("ecs", "stop_service_deployment", "ConflictException", "its status is SUCCESSFUL")
    expect_deploy(aws, False)
    result = roll_back(run_module, wait=False)
    assert result["services"][0]["outcome"] == "under way"


def test_what_is_inactive_is_registered_again_and_its_copy_deployed(aws, run_module):
    expect_look(aws, service(2), SERVED, status="INACTIVE")
    aws.answer("ecs", "list_task_definitions", {"taskDefinitionArns": [definition(2)]})
    tags = [{"key": "spymeo:rollback-origin", "value": definition(1)}, {"key": "spymeo:rollback-run", "value": "rb-1"}]
    content = described(1)["taskDefinition"]["containerDefinitions"]
    aws.answer(
        "ecs",
        "register_task_definition",
        described(3),
        {"family": "app", "containerDefinitions": content, "tags": tags},
    )
    expect_deploy(aws, False, revision=3)
    result = roll_back(run_module, wait=False)
    assert result["services"][0]["after"] == "app:3"


def test_the_copy_that_an_interrupted_run_has_registered_is_used(aws, run_module):
    expect_look(aws, service(2), SERVED, status="INACTIVE")
    aws.answer("ecs", "list_task_definitions", {"taskDefinitionArns": [definition(3)]})
    tags = [{"key": "spymeo:rollback-origin", "value": definition(1)}, {"key": "spymeo:rollback-run", "value": "rb-1"}]
    copy = described(3)
    copy["taskDefinition"]["containerDefinitions"] = described(1)["taskDefinition"]["containerDefinitions"]
    aws.answer("ecs", "describe_task_definition", {**copy, "tags": tags})
    expect_deploy(aws, False, revision=3)
    assert roll_back(run_module, wait=False)["services"][0]["after"] == "app:3"


def test_what_ecs_refuses_is_told_with_its_service(aws, run_module):
    expect_look(aws, service(2), SERVED)
    aws.refuse("ecs", "update_service", "InvalidParameterException", "no such subnet")
    result = roll_back(run_module)
    assert result["msg"].startswith("1 of 1 services were not deployed.")
    assert result["evidence"] == ["app: ECS refuses UpdateService for app (InvalidParameterException: no such subnet)"]


def test_a_breaker_that_rolls_ours_back_is_a_failure_with_evidence(aws, run_module):
    expect_look(aws, service(2), SERVED)
    expect_deploy(aws, False)
    expect_history(aws, *SERVED, (3, 1, "IN_PROGRESS"), revisions=[3])
    expect_deployments(aws, (3, 1, "ROLLBACK_SUCCESSFUL"), revisions=[])
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
    lines = [{"timestamp": 1, "message": "cannot reach postgresql://app:hunter2@db:5432/app", "ingestionTime": 1}]
    asked = {"logGroupName": "/ecs/app", "logStreamName": "app/app/abc", "limit": 100, "startFromHead": False}
    aws.answer("logs", "get_log_events", {"events": lines}, asked)
    result = roll_back(run_module, next={"app": {"option": "app:0", "told": "app:0, served 3 d"}})
    assert "ECS gave up app:1 on app and rolled back (ROLLBACK_SUCCESSFUL: because)" in result["msg"]
    assert result["services"][0]["outcome"] == "failed: ECS has rolled it back by itself"
    assert (result["failed_services"], result["next_task_definition"]) == (["app"], "app:0")
    assert result["evidence"] == [
        "app: ECS has rolled it back by itself",
        "app: event: (service app) was unable to start a task.",
        "app: task abc: Essential container in task exited; app exited with 1",
        "app:   log: cannot reach postgresql://********@db:5432/app",
        "app: next: app:0, served 3 d",
    ]


def test_an_answer_without_a_revision_is_an_error_not_a_guess(aws, run_module):
    aws.answer("ecs", "describe_services", service(2))
    aws.answer(
        "ecs",
        "list_service_deployments",
        {"serviceDeployments": [{"serviceDeploymentArn": f"{PREFIX}:service-deployment/1"}]},
    )
    expect_deployments(aws, (1, 1, "SUCCESSFUL"), revisions=[])
    aws.answer("ecs", "describe_service_revisions", {"serviceRevisions": []})
    result = run_module("ecs_release_info", cluster="production", services=["app"])
    assert "AWS answered DescribeServiceRevisions in a way that this collection does not know" in result["msg"]


FENCED = [{"key": "spymeo:rollback-fence", "value": "rb-1 desired=2 suspended=nnn"}]
SCALABLE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/production/app",
    "ScalableDimension": "ecs:service:DesiredCount",
}
FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def counted(desired, running, tags=(), revision=2):
    answer = service(revision, running=running)
    answer["services"][0].update(desiredCount=desired, runningCount=running, tags=list(tags))
    return answer


def expect_scaling(aws, suspended):
    target = {
        **SCALABLE,
        "MinCapacity": 2,
        "MaxCapacity": 4,
        "RoleARN": "arn:aws:iam::1:role/r",
        "CreationTime": START,
        "SuspendedState": dict.fromkeys(FLAGS, suspended),
    }
    asked = {
        "ServiceNamespace": "ecs",
        "ResourceIds": ["service/production/app"],
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    aws.answer("application-autoscaling", "describe_scalable_targets", {"ScalableTargets": [target]}, asked)


def expect_suspend(aws, suspended):
    asked = {**SCALABLE, "SuspendedState": dict.fromkeys(FLAGS, suspended)}
    aws.answer("application-autoscaling", "register_scalable_target", {}, asked)


def fence(run_module, **more):
    return run_module("ecs_fence", cluster="production", services=["app"], run_id="rb-1", **more)


def test_a_fence_remembers_first_then_suspends_then_scales(aws, run_module):
    arn = f"{PREFIX}:service/production/app"
    aws.answer("ecs", "describe_services", counted(2, 2))
    expect_scaling(aws, False)
    aws.answer("ecs", "tag_resource", {}, {"resourceArn": arn, "tags": FENCED})
    aws.answer("ecs", "describe_services", counted(2, 2, FENCED))
    expect_scaling(aws, False)
    expect_suspend(aws, True)
    aws.answer("ecs", "describe_services", counted(2, 2, FENCED))
    expect_scaling(aws, True)
    asked = {"cluster": "production", "service": "app", "desiredCount": 0}
    aws.answer("ecs", "update_service", {"service": service(2)["services"][0]}, asked)
    for _ in range(3):
        aws.answer("ecs", "describe_services", counted(0, 0, FENCED))
        expect_scaling(aws, True)
    result = fence(run_module)
    assert result["changed"], result
    assert (result["before"], result["after"], result["remembered"]) == ({"app": 2}, {"app": 0}, {"app": 2})


def test_what_serves_by_now_is_not_fenced_where_nothing_was_to_be_lost(aws, run_module):
    """It has no load balancer here, so a task that runs may serve."""
    aws.answer("ecs", "describe_services", counted(2, 2))
    expect_scaling(aws, False)
    aws.answer("ecs", "describe_services", counted(2, 2))
    aws.answer("ecs", "list_tasks", {"taskArns": [f"{PREFIX}:task/production/abc"]})
    task = {
        "taskArn": f"{PREFIX}:task/production/abc",
        "taskDefinitionArn": definition(2),
        "createdAt": minute(1),
        "lastStatus": "RUNNING",
    }
    aws.answer("ecs", "describe_tasks", {"tasks": [task]})
    result = fence(run_module, unless_serving=True)
    assert (result["changed"], result["after"]) == (False, {"app": 2})
    assert "something serves by now" in result["reason"]
    assert "remembered" not in result


def test_a_fence_in_check_mode_reads_only(aws, run_module):
    aws.answer("ecs", "describe_services", counted(2, 2))
    expect_scaling(aws, False)
    result = fence(run_module, check_mode=True)
    assert (result["changed"], result["plan"]) == (True, ["app: scale to 0"])


def test_a_service_that_somebody_else_scaled_to_0_is_refused(aws, run_module):
    aws.answer("ecs", "describe_services", counted(0, 0))
    expect_scaling(aws, False)
    assert "Service app is scaled to 0 already, and not by a rollback" in fence(run_module)["msg"]


def test_a_fenced_service_gets_its_tasks_back_with_the_deployment_and_its_scaling_after(aws, run_module):
    expect_look(aws, counted(0, 0, FENCED), SERVED)
    asked = {
        "cluster": "production",
        "service": "app",
        "taskDefinition": definition(1),
        "forceNewDeployment": False,
        "desiredCount": 2,
    }
    aws.answer("ecs", "describe_services", counted(0, 0, FENCED))
    aws.answer("ecs", "update_service", {"service": service(1)["services"][0]}, asked)
    expect_history(aws, *SERVED, (3, 1, "SUCCESSFUL"), revisions=[3])
    aws.answer("ecs", "describe_services", counted(2, 2, FENCED, revision=1))
    aws.answer("ecs", "describe_services", counted(2, 2, FENCED, revision=1))
    expect_scaling(aws, True)
    expect_suspend(aws, False)
    aws.answer("ecs", "describe_services", counted(2, 2, FENCED, revision=1))
    expect_scaling(aws, False)
    arn = f"{PREFIX}:service/production/app"
    aws.answer("ecs", "untag_resource", {}, {"resourceArn": arn, "tagKeys": ["spymeo:rollback-fence"]})
    for _ in range(3):
        aws.answer("ecs", "describe_services", counted(2, 2, revision=1))
        expect_scaling(aws, False)
    result = roll_back(run_module)
    assert result["services"][0]["outcome"] == "serves", result


def test_a_count_that_somebody_sets_right_before_the_deployment_stays_and_is_told(aws, run_module):
    expect_look(aws, counted(0, 0, FENCED), SERVED)
    asked = {"cluster": "production", "service": "app", "taskDefinition": definition(1), "forceNewDeployment": False}
    aws.answer("ecs", "describe_services", counted(5, 1, FENCED))
    aws.answer("ecs", "update_service", {"service": service(1)["services"][0]}, asked)
    result = roll_back(run_module, wait=False)
    assert "its desired count was set to 5 since, not by this run" in result["broken"][0]
    assert result["broken"][0].endswith("it keeps them")


def test_a_fenced_service_that_runs_its_target_is_deployed_again_with_its_tasks(aws, run_module):
    expect_look(aws, counted(0, 0, FENCED, revision=1), SERVED, running=1)
    result = roll_back(run_module, check_mode=True)
    assert result["plan"] == ["app: deploy app:1"]
    assert "gets its 2 back" in result["reason"]
