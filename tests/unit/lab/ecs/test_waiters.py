# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""botocore's own waiters on the lab's ECS, with their known false positives (aws-semantics: do not use services_stable)."""

from __future__ import annotations

import pytest
from botocore.exceptions import WaiterError

from .conftest import BREAKER


def wait(stage, waiter: str, attempts: int = 200, **arguments) -> None:
    """Wait as boto3 does, only faster."""
    configuration = {"Delay": 0.05, "MaxAttempts": attempts}
    stage.ecs.get_waiter(waiter).wait(cluster="main", WaiterConfig=configuration, **arguments)


def test_services_stable_after_a_deployment(stage):
    stage.create(stage.definition())
    wait(stage, "services_stable", services=["web"])
    stage.update(taskDefinition=(second := stage.definition()))
    wait(stage, "services_stable", services=["web"])
    assert {task["taskDefinitionArn"] for task in stage.tasks()} == {second}


def test_services_stable_calls_a_breaker_rollback_stable(stage):
    first = stage.definition()
    stage.running(first, deploymentConfiguration=BREAKER)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    wait(stage, "services_stable", services=["web"])
    assert stage.service()["taskDefinition"] == first


def test_services_stable_calls_a_service_without_tasks_stable(stage):
    stage.create(stage.definition("no-such-tag"), 0)
    wait(stage, "services_stable", services=["web"])


def test_services_stable_never_succeeds_under_code_deploy(stage):
    stage.create(stage.definition(), 1, deploymentController={"type": "CODE_DEPLOY"})
    stage.until(lambda: stage.service()["runningCount"] == 1)
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        wait(stage, "services_stable", attempts=5, services=["web"])


def test_services_stable_fails_at_once_for_a_missing_service(stage):
    with pytest.raises(WaiterError, match="MISSING"):
        wait(stage, "services_stable", services=["none"])


def test_tasks_running_and_stopped(stage):
    task = stage.run(stage.definition())
    wait(stage, "tasks_running", tasks=[task["taskArn"]])
    stage.ecs.stop_task(cluster="main", task=task["taskArn"])
    wait(stage, "tasks_stopped", tasks=[task["taskArn"]])
    with pytest.raises(WaiterError, match="STOPPED"):
        wait(stage, "tasks_running", tasks=[task["taskArn"]])


def test_services_inactive_after_delete(stage):
    stage.running(stage.definition(), 1)
    stage.ecs.delete_service(cluster="main", service="web", force=True)
    wait(stage, "services_inactive", services=["web"])
