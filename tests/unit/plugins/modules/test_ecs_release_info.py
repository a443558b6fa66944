# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ecs_release_info checks of a target, against whole answers of ECS, ECR, IAM, CloudWatch Logs, Secrets Manager and SSM."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PREFIX = "arn:aws:ecs:eu-west-3:123456789012"
HOST = "123456789012.dkr.ecr.eu-west-3.amazonaws.com"
DIGEST = "sha256:" + "1" * 64
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/key-AbCdEf"
ELSEWHERE = SECRET.replace("eu-west-3", "us-east-1")
PARAMETER = "arn:aws:ssm:eu-west-3:123456789012:parameter/app/name"
ROLE = "arn:aws:iam::123456789012:role/execution"
VALUE = json.dumps({"KEY": "s3cr3t-value"})
ASKED = {"cluster": "production", "services": ["app"], "task_definition": "app:1"}


def arn(revision):
    return f"{PREFIX}:task-definition/app:{revision}"


def expect_services(aws, running=2, **changes):
    primary = {
        "status": "PRIMARY",
        "taskDefinition": arn(running),
        "createdAt": NOON,
        "desiredCount": 2,
        "runningCount": 2,
        "rolloutState": "COMPLETED",
    }
    told = {
        "serviceName": "app",
        "serviceArn": f"{PREFIX}:service/production/app",
        "pendingCount": 0,
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "deploymentController": {"type": "ECS"},
        "taskDefinition": arn(running),
        "deployments": [primary],
        "events": [],
    }
    answer = {"services": [{**told, **changes}], "failures": []}
    aws.answer("ecs", "describe_services", answer, {"cluster": "production", "services": ["app"], "include": ["TAGS"]})


def expect_history(aws, *deployments):
    """(number, status) each: number 2 deployed revision 2."""
    briefs = [{"serviceDeploymentArn": f"d/{number}"} for number, _status in deployments]
    aws.answer("ecs", "list_service_deployments", {"serviceDeployments": briefs})
    whole = [
        {
            "serviceDeploymentArn": f"d/{number}",
            "status": status,
            "createdAt": NOON + timedelta(hours=number),
            "targetServiceRevision": {"arn": f"r/{number}"},
        }
        for number, status in deployments
    ]
    aws.answer("ecs", "describe_service_deployments", {"serviceDeployments": whole})
    revisions = [
        {"serviceRevisionArn": f"r/{number}", "taskDefinition": arn(number)} for number, _status in deployments
    ]
    aws.answer("ecs", "describe_service_revisions", {"serviceRevisions": revisions})


def expect_definition(aws, revision, name=None, secrets=()):
    container = {
        "name": "app",
        "image": f"{HOST}/app:{revision}",
        "secrets": [{"name": f"N{number}", "valueFrom": text} for number, text in enumerate(secrets)],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/app", "awslogs-region": "eu-west-3"},
        },
    }
    told = {
        "taskDefinitionArn": arn(revision),
        "status": "ACTIVE",
        "registeredAt": NOON,
        "containerDefinitions": [container],
        "executionRoleArn": ROLE,
    }
    asked = {"taskDefinition": name or arn(revision), "include": ["TAGS"]}
    aws.answer("ecs", "describe_task_definition", {"taskDefinition": told}, asked)


def expect_target(aws, secrets=(), running=2, under_way=(), **changes):
    """Revision 1 is the target, by its name; revision 2 runs, unless told otherwise."""
    expect_services(aws, running, **changes)
    ended = (2, under_way[0]) if under_way else (2, "SUCCESSFUL")
    expect_history(aws, (1, "SUCCESSFUL"), ended)
    expect_definition(aws, 1, secrets=secrets)
    expect_definition(aws, 2)


def expect_image(aws):
    told = {"imageDigest": DIGEST, "imageTags": ["1"], "imageStatus": "ACTIVE"}
    aws.answer("ecr", "describe_images", {"imageDetails": [told]})


def expect_role(aws):
    role = {"Path": "/", "RoleName": "execution", "RoleId": "A" * 16, "Arn": ROLE, "CreateDate": NOON}
    aws.answer("iam", "get_role", {"Role": role}, {"RoleName": "execution"})


def expect_log_group(aws):
    aws.answer("logs", "describe_log_streams", {"logStreams": []}, {"logGroupName": "/ecs/app", "limit": 1})


def expect_secret(aws):
    told = {"ARN": SECRET, "Name": "app/key", "LastChangedDate": NOON}
    aws.answer("secretsmanager", "describe_secret", told, {"SecretId": SECRET})
    versions = [
        {"VersionId": number * 32, "VersionStages": [stage], "CreatedDate": NOON}
        for number, stage in (("1", "AWSPREVIOUS"), ("2", "AWSCURRENT"))
    ]
    aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": versions})


def of(result, verdict):
    return [(item["check"], item["subject"]) for item in result["findings"] if item["verdict"] == verdict]


def test_a_healthy_target_passes_and_no_value_is_told(aws, run_module):
    expect_target(aws, [f"{SECRET}:KEY:AWSPREVIOUS:", PARAMETER])
    expect_image(aws)
    expect_role(aws)
    expect_log_group(aws)
    expect_secret(aws)
    asked = {"SecretId": SECRET, "VersionStage": "AWSPREVIOUS"}
    aws.answer("secretsmanager", "get_secret_value", {"SecretString": VALUE}, asked)
    parameter = {"Parameters": [{"Name": "/app/name", "Value": "s3cr3t-value"}]}
    aws.answer("ssm", "get_parameters", parameter, {"Names": [PARAMETER]})
    result = run_module("ecs_release_info", **ASKED)
    assert (result["verdict"], result["changed"]) == ("passed", False), result
    assert result["reason"] == "of 10 checks, 10 passed"
    assert "s3cr3t-value" not in json.dumps(result)


def test_everything_that_is_wrong_is_told_in_one_message_with_its_cure(aws, run_module):
    expect_target(aws, [f"{SECRET}:LOST::", PARAMETER], under_way=["IN_PROGRESS"], desiredCount=0)
    aws.refuse("ecr", "describe_images", "RepositoryNotFoundException")
    aws.refuse("iam", "get_role", "NoSuchEntity")
    aws.refuse("logs", "describe_log_streams", "ResourceNotFoundException")
    expect_secret(aws)
    aws.answer("secretsmanager", "get_secret_value", {"SecretString": VALUE}, {"SecretId": SECRET})
    aws.answer("ssm", "get_parameters", {"InvalidParameters": [PARAMETER]})
    result = run_module("ecs_release_info", **ASKED)
    assert result["failed"]
    assert (result["verdict"], of(result, "noted")) == ("failed", [("deployment", "app")])
    assert [check for check, _subject in of(result, "failed")] == [
        "desired_count",
        "image",
        "execution_role",
        "log_group",
        "secret",
        "parameter",
    ]
    assert "Nothing was changed." in result["msg"]
    for failure in result["evidence"]:
        assert failure in result["msg"]
    assert "aws logs create-log-group --log-group-name /ecs/app" in result["msg"]
    assert "s3cr3t-value" not in json.dumps(result)


def test_with_fail_on_error_off_the_verdict_is_told_only(aws, run_module):
    expect_target(aws)
    aws.refuse("ecr", "describe_images", "ImageNotFoundException")
    expect_role(aws)
    expect_log_group(aws)
    result = run_module("ecs_release_info", fail_on_error=False, **ASKED)
    assert ("failed" in result, result["verdict"], of(result, "failed")) == (
        False,
        "failed",
        [("image", f"{HOST}/app:1")],
    )


def test_what_the_credentials_may_not_read_is_not_checked_and_does_not_fail(aws, run_module):
    expect_target(aws, [f"{SECRET}:KEY::", f"{ELSEWHERE}:KEY::", PARAMETER])
    aws.refuse("ecr", "describe_images", "AccessDeniedException")
    aws.refuse("iam", "get_role", "AccessDenied")
    aws.refuse("logs", "describe_log_streams", "AccessDeniedException")
    aws.refuse("secretsmanager", "describe_secret", "AccessDeniedException")
    aws.refuse("secretsmanager", "get_secret_value", "AccessDeniedException")
    aws.refuse("ssm", "get_parameters", "AccessDeniedException")
    result = run_module("ecs_release_info", **ASKED)
    assert ("failed" in result, result["verdict"]) == (False, "inconclusive")
    told = [item["what"] for item in result["findings"] if item["verdict"] == "inconclusive"]
    assert told == [
        "these credentials may not call ecr:DescribeImages",
        "these credentials may not call iam:GetRole",
        "these credentials may not call logs:DescribeLogStreams",
        "these credentials may not call secretsmanager:DescribeSecret, ListSecretVersionIds",
        "these credentials may not call secretsmanager:GetSecretValue, kms:Decrypt",
        "it is in us-east-1, and only eu-west-3 is looked at",
        "these credentials may not call ssm:GetParameters",
    ]


def test_rejected_credentials_are_an_error_and_not_a_gap(aws, run_module):
    expect_target(aws)
    aws.refuse("ecr", "describe_images", "UnrecognizedClientException", "The security token is invalid.")
    expect_role(aws)
    expect_log_group(aws)
    result = run_module("ecs_release_info", **ASKED)
    assert "AWS does not accept the credentials" in result["msg"]


def test_what_a_service_lacks_that_runs_its_target_is_a_note(aws, run_module):
    expect_target(aws, running=1)
    aws.refuse("ecr", "describe_images", "ImageNotFoundException")
    expect_role(aws)
    expect_log_group(aws)
    result = run_module("ecs_release_info", **ASKED)
    assert (result["verdict"], of(result, "noted")) == ("passed", [("image", f"{HOST}/app:1")]), result
    assert "the next task that has to start will fail" in json.dumps(result["findings"])


def test_a_cluster_that_is_not_there_names_its_variable(aws, run_module):
    aws.refuse("ecs", "describe_services", "ClusterNotFoundException")
    aws.answer("ecs", "list_clusters", {"clusterArns": []})
    result = run_module("ecs_release_info", **ASKED)
    assert "rollback_cluster (option cluster) is 'production'" in result["msg"]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({"SecretString": "plain"}, "its value is no JSON object"),
        ({"SecretString": "[]"}, "its value is no JSON object"),
        ({"SecretBinary": b"x"}, "its value is no JSON object"),
        ({"SecretString": "{}"}, "its JSON has no key KEY"),
        ("ResourceNotFoundException", "the version that is asked for cannot be read"),
    ],
)
def test_what_keeps_a_json_key_from_being_read(answer, what, aws, run_module):
    expect_target(aws, [f"{SECRET}:KEY::"])
    expect_image(aws)
    expect_role(aws)
    expect_log_group(aws)
    expect_secret(aws)
    if isinstance(answer, str):
        aws.refuse("secretsmanager", "get_secret_value", answer)
    else:
        aws.answer("secretsmanager", "get_secret_value", answer)
    result = run_module("ecs_release_info", **ASKED)
    assert of(result, "failed") == [("secret", "app/key-AbCdEf key KEY")]
    assert what in result["msg"]


def test_an_answer_of_ssm_that_tells_of_nothing_is_an_error_not_a_guess(aws, run_module):
    expect_target(aws, [PARAMETER])
    expect_image(aws)
    expect_role(aws)
    expect_log_group(aws)
    aws.answer("ssm", "get_parameters", {"Parameters": []})
    assert "AWS answered GetParameters in a way" in run_module("ecs_release_info", **ASKED)["msg"]
