# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.one_off_task import (
    exit_code,
    one_off_task_status,
    same,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready


def made():
    """The content of a task definition."""
    return {"family": "app-probe", "cpu": "256", "containerDefinitions": [{"name": "probe", "command": ["x"]}]}


def test_a_registered_definition_is_the_same_whatever_ecs_adds_and_another_when_anything_of_ours_differs():
    registered = {**made(), "revision": 3, "status": "ACTIVE", "volumes": []}
    registered["containerDefinitions"] = [{**made()["containerDefinitions"][0], "environment": [], "mountPoints": []}]
    assert same(registered, made())
    assert not same({**registered, "cpu": "512"}, made())
    assert not same({**registered, "containerDefinitions": []}, made())
    assert not same({"family": "spymeo-app-rollback-probe"}, made())


def task(status, stopped_reason="", **container):
    return {"lastStatus": status, "stoppedReason": stopped_reason, "containers": [{"name": "probe", **container}]}


@pytest.mark.parametrize(
    ("shape", "answer"),
    [
        (task("PENDING"), Pending(0, 1, "it is PENDING")),
        (task("STOPPED", exitCode=0), Ready("it has ended with exit code 0")),
        (task("STOPPED", exitCode=2), Ready("it has ended with exit code 2")),
        (task("STOPPED", "TaskFailedToStart", reason="CannotPullContainerError"), Failed("CannotPullContainerError")),
        (task("STOPPED", "ResourceInitializationError"), Failed("ResourceInitializationError")),
        (task("STOPPED"), Failed("ECS gives no reason")),
    ],
)
def test_a_task_is_ready_once_its_container_has_ended_and_failed_when_it_never_ran(shape, answer):
    assert one_off_task_status(shape, "probe") == answer


def test_tells_the_exit_code_of_one_container():
    assert exit_code({"containers": [{"name": "agent", "exitCode": 1}, {"name": "probe", "exitCode": 3}]}, "probe") == 3
