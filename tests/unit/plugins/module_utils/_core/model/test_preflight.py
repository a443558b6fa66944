# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import (
    LogGroup,
    TaskDefinitionNeeds,
    ValueFrom,
)

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/key-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-3:123456789012:parameter/app/key"
ROLE = "arn:aws:iam::123456789012:role/"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (ARN, ValueFrom("secret", ARN, "eu-west-3")),
        (f"{ARN}:KEY::", ValueFrom("secret", ARN, "eu-west-3", key="KEY")),
        (f"{ARN}::AWSPREVIOUS:", ValueFrom("secret", ARN, "eu-west-3", stage="AWSPREVIOUS")),
        (f"{ARN}:::v1", ValueFrom("secret", ARN, "eu-west-3", version="v1")),
        (f"{ARN}:KEY:stage:", ValueFrom("secret", ARN, "eu-west-3", key="KEY", stage="stage")),
        (f"{ARN}:KEY", ValueFrom("malformed", f"{ARN}:KEY")),
        ("arn:aws:s3:::bucket", ValueFrom("malformed", "arn:aws:s3:::bucket")),
        ("arn:aws", ValueFrom("malformed", "arn:aws")),
        (PARAMETER, ValueFrom("parameter", PARAMETER, "eu-west-3")),
        ("app-key", ValueFrom("parameter", "app-key")),
        ("/app/key:3", ValueFrom("parameter", "/app/key:3")),
    ],
)
def test_takes_a_reference_to_a_secret_apart(text, reference):
    assert ValueFrom.parse(text) == reference


def log(driver="awslogs", **options):
    return {"logDriver": driver, "options": {f"awslogs-{key}": value for key, value in options.items()}}


def test_tells_everything_that_a_task_definition_needs_once():
    app = {
        "name": "app",
        "image": "app:1",
        "secrets": [{"name": "KEY", "valueFrom": ARN}],
        "repositoryCredentials": {"credentialsParameter": f"{ARN}2"},
        "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/app.env"}],
        "logConfiguration": log(group="/ecs/app", region="eu-west-3"),
    }
    proxy = {
        "name": "proxy",
        "image": "proxy:1",
        "secrets": [{"name": "KEY", "valueFrom": ARN}],
        "logConfiguration": {
            **log(group="/ecs/proxy", **{"create-group": "true"}),
            "secretOptions": [{"valueFrom": "x"}],
        },
    }
    answer = {
        "taskDefinitionArn": "app:1",
        "status": "ACTIVE",
        "containerDefinitions": [app, {**app, "name": "twin"}, proxy],
        "executionRoleArn": ROLE + "execution",
        "taskRoleArn": ROLE + "task",
    }
    assert TaskDefinitionNeeds.from_boto(answer) == TaskDefinitionNeeds(
        arn="app:1",
        status="ACTIVE",
        images=("app:1", "proxy:1"),
        execution_role=ROLE + "execution",
        task_role=ROLE + "task",
        log_groups=(LogGroup("/ecs/app", "eu-west-3"), LogGroup("/ecs/proxy", "", created=True)),
        secrets=(ARN, f"{ARN}2", "x"),
        environment_files=("arn:aws:s3:::bucket/app.env",),
    )


@pytest.mark.parametrize("configuration", [log("awsfirelens", group="x"), log("awslogs"), {"logDriver": "json-file"}])
def test_only_awslogs_with_a_group_needs_a_log_group(configuration):
    container = {"name": "app", "image": "app:1", "logConfiguration": configuration}
    answer = {"taskDefinitionArn": "app:1", "status": "ACTIVE", "containerDefinitions": [container]}
    assert TaskDefinitionNeeds.from_boto(answer).log_groups == ()
