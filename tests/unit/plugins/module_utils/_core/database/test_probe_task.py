# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_task import definition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError

LOGGING = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/ecs/app", "awslogs-region": "eu-west-3", "awslogs-stream-prefix": "app"},
}
APPLICATION = {
    "family": "spymeo-app",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "4096",
    "memory": "8192",
    "containerDefinitions": [{"name": "sidecar"}, {"name": "app", "logConfiguration": LOGGING}],
}
VALUE_FROM = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-AbCdEf:::version"


def made(**changes):
    return definition({**APPLICATION, **changes}, "postgres:17", "psql …", VALUE_FROM)


def test_the_task_has_the_applications_network_role_and_log_group_and_nothing_more():
    content = made()
    assert content["family"] == "spymeo-app-rollback-probe"
    assert (content["executionRoleArn"], content["networkMode"]) == (APPLICATION["executionRoleArn"], "awsvpc")
    assert (content["cpu"], content["memory"]) == ("256", "512")
    assert "taskRoleArn" not in content
    (container,) = content["containerDefinitions"]
    assert container["secrets"] == [{"name": "DATABASE_URL", "valueFrom": VALUE_FROM}]
    assert container["logConfiguration"]["options"] == {
        "awslogs-group": "/ecs/app",
        "awslogs-region": "eu-west-3",
        "awslogs-stream-prefix": "rollback-probe",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"executionRoleArn": ""}, "spymeo-app has no execution role"),
        ({"containerDefinitions": [{"name": "app"}]}, "No container of task definition spymeo-app logs to CloudWatch"),
        (
            {"containerDefinitions": [{"name": "app", "logConfiguration": {"logDriver": "awsfirelens"}}]},
            "No container of task definition spymeo-app logs to CloudWatch",
        ),
    ],
)
def test_what_such_a_task_cannot_do_without_is_told(changes, words):
    with pytest.raises(RollbackError, match=words):
        made(**changes)
