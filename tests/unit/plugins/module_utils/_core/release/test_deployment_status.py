# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Success is OUR deployment, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
    Deployment,
    Pause,
    Service,
    ServiceDeployment,
    ServiceTask,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import (
    all_of,
    all_there,
    alone,
    asked_about_health,
    deployment_status,
    judge_rollback,
    watched,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def service(*deployments, desired=2):
    rows = tuple(
        Deployment(status, td, NOW, desired, running, failed, "COMPLETED")
        for status, td, running, failed in deployments
    )
    return Service("app", "ACTIVE", "ECS", rows[0].task_definition, desired, sum(row.running for row in rows), rows, ())


def ours(status, task_definition="x/app:1"):
    return ServiceDeployment("arn", status, "why", NOW, task_definition)


STEADY = service(("PRIMARY", "x/app:1", 2, 0))


@pytest.mark.parametrize(
    ("seen", "deployment", "answer"),
    [
        (STEADY, ours("SUCCESSFUL"), Ready),
        (STEADY, None, Pending),
        (STEADY, ours("PENDING"), Pending),
        (STEADY, ours("IN_PROGRESS"), Pending),
        (STEADY, ours("ROLLBACK_IN_PROGRESS"), Failed),
        (STEADY, ours("ROLLBACK_SUCCESSFUL"), Failed),  # steady, and not what was asked for
        (STEADY, ours("ROLLBACK_FAILED"), Failed),
        (STEADY, ours("ROLLBACK_REQUESTED"), Failed),
        (STEADY, ours("STOPPED"), Failed),
        (STEADY, ours("STOP_REQUESTED"), Failed),
        (STEADY, ours("SUCCESSFUL", "x/app:2"), Failed),  # somebody else's success
        (service(("PRIMARY", "x/app:3", 2, 0)), ours("SUCCESSFUL"), Failed),  # deployed over meanwhile
        (service(("PRIMARY", "x/app:1", 1, 0)), ours("SUCCESSFUL"), Pending),
        (service(("PRIMARY", "x/app:1", 2, 1)), ours("SUCCESSFUL"), Pending),  # tasks still fail
        (service(("PRIMARY", "x/app:1", 2, 3)), ours("SUCCESSFUL"), Failed),
        (
            service(("PRIMARY", "x/app:1", 0, 0), desired=0),
            ours("SUCCESSFUL"),
            Pending,
        ),  # nothing runs, nothing is proven
        (service(("PRIMARY", "x/app:1", 2, 0), ("ACTIVE", "x/app:2", 1, 0)), ours("SUCCESSFUL"), Pending),
    ],
)
def test_judges(seen, deployment, answer):
    assert isinstance(deployment_status(seen, deployment, "x/app:1"), answer)


@pytest.mark.parametrize(
    ("status", "brought_back", "answer"),
    [
        ("ROLLBACK_REQUESTED", None, Pending),
        ("ROLLBACK_IN_PROGRESS", "x/app:1", Pending),
        ("STOP_REQUESTED", None, Pending),
        ("ROLLBACK_SUCCESSFUL", "x/app:1", Ready),
        ("ROLLBACK_SUCCESSFUL", "x/app:0", Failed),
        ("ROLLBACK_SUCCESSFUL", None, Failed),
        ("ROLLBACK_FAILED", None, Failed),
        ("STOPPED", None, Failed),
        ("SUCCESSFUL", None, Failed),  # too late: it had ended before it could be stopped
    ],
)
def test_judges_the_rollback_of_a_deployment_that_we_stopped(status, brought_back, answer):
    stopped = ServiceDeployment("arn", status, "why", NOW, "x/app:2", brought_back)
    assert isinstance(judge_rollback(STEADY, stopped, "x/app:1"), answer)


def test_fails_as_soon_as_tasks_have_failed_in_a_row():
    seen = service(("PRIMARY", "x/app:1", 0, 3))
    assert deployment_status(seen, ours("IN_PROGRESS"), "x/app:1") == Failed(
        "3 tasks of app:1 on app failed in a row, so it will not come up"
    )


def test_pending_counts_the_tasks_of_the_target_only():
    seen = service(("PRIMARY", "x/app:1", 1, 2), ("ACTIVE", "x/app:2", 2, 9))
    assert deployment_status(seen, ours("IN_PROGRESS"), "x/app:1") == Pending(
        1, 2, "app: 1 of 2 tasks run app:1, 2 failed"
    )


@pytest.mark.parametrize(
    ("answers", "together"),
    [
        ([Ready("a"), Ready("b")], Ready("a; b")),
        ([Ready("a"), Pending(1, 2, "b")], Pending(1, 2, "b")),
        ([Failed("a"), Pending(1, 2, "b")], Pending(1, 2, "b")),  # one failure does not hide another
        ([Failed("a"), Ready("b"), Failed("c")], Failed("a; c")),
    ],
)
def test_several_services_are_one_answer(answers, together):
    assert all_of(answers) == together


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (dict(), "app: 2 of 2 tasks run app:1, 0 failed"),
        (dict(stage="BAKE_TIME"), "app: 2 of 2 tasks run app:1, 0 failed, BAKE_TIME"),
        (
            dict(stage="POST_SCALE_UP", pause=Pause("ecs-pause-1", NOW + timedelta(minutes=30), "ROLLBACK")),
            "POST_SCALE_UP, paused by a lifecycle hook until %s UTC, when it is rolled back; to let it go on now: aws ecs continue-service-deployment "
            "--service-deployment-arn %s --hook-id ecs-pause-1 --action CONTINUE"
            % ((NOW + timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M"), ours("IN_PROGRESS").arn),
        ),
        (
            dict(stage="BAKE_TIME", pause=Pause("p", None, "CONTINUE")),
            "paused by a lifecycle hook; to let it go on now: aws ecs",
        ),
    ],
)
def test_tells_the_stage_of_a_deployment_and_who_it_waits_for(changes, told):
    deployment = replace(ours("IN_PROGRESS"), **changes)
    assert told in deployment_status(STEADY, deployment, "x/app:1").detail


@pytest.mark.parametrize(
    ("load_balanced", "has_health_check", "asked"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
def test_who_asks_a_task_whether_it_is_well(load_balanced, has_health_check, asked):
    container = Container("app", "image", has_health_check=has_health_check)
    definition = TaskDefinition("x/app:1", "ACTIVE", NOW, (container,))
    assert asked_about_health(replace(STEADY, load_balanced=load_balanced), definition) == asked


@pytest.mark.parametrize(
    ("before", "seconds", "dead", "after"),
    [
        (Ready(), 0.0, 0, Pending),
        (Ready(), 5.0, 0, Ready),
        (Pending(1, 2, "x"), 0.0, 2, Pending),
        (Pending(1, 2, "x"), 0.0, 3, Failed),  # ECS itself would go on for ever
        (Failed("x"), 9.0, 3, Failed),
    ],
)
def test_tasks_that_nobody_asks_are_watched(before, seconds, dead, after):
    assert isinstance(watched(STEADY, "x/app:1", before, seconds, dead), after)


ALARM = "arn:aws:ecs:r:1:service-deployment/production/app/xyz"


@pytest.mark.parametrize("status", ["ROLLBACK_SUCCESSFUL", "STOPPED"])
def test_a_deployment_that_an_alarm_has_ended_names_it_and_what_to_do(status):
    seen = deployment_status(STEADY, replace(ours(status), arn=ALARM, alarms=("5xx",)), "x/app:1")
    assert seen.reason.startswith("ECS gave up app:1 on app and ")
    assert "of its deployment alarms, 5xx went into ALARM meanwhile" in seen.reason
    assert "aws cloudwatch describe-alarms --alarm-names 5xx" in seen.reason
    assert (
        "update-service --cluster production --service app --deployment-configuration 'alarms={alarmNames=[5xx],enable=false"
        in seen.reason
    )


def test_a_breaker_without_rollback_is_not_taken_for_somebody_else():
    assert (
        "starts no more tasks of it"
        in deployment_status(STEADY, replace(ours("STOPPED"), breaker=True), "x/app:1").reason
    )
    assert "by somebody else" in deployment_status(STEADY, ours("STOPPED"), "x/app:1").reason


def with_older(rollout_state, desired, running):
    primary, older = STEADY.deployments[0], Deployment("ACTIVE", "x/app:2", NOW, desired, running, 0, "COMPLETED")
    return replace(STEADY, deployments=(replace(primary, rollout_state=rollout_state), older))


@pytest.mark.parametrize(
    ("rollout_state", "desired", "running", "answer"),
    [
        ("COMPLETED", 0, 0, Ready),  # what is left drains, and ECS has been told not to wait for that (DEFERRED)
        ("COMPLETED", 0, 1, Pending),
        ("COMPLETED", 1, 0, Pending),
        ("IN_PROGRESS", 0, 0, Pending),
        (None, 0, 0, Pending),  # no rolling deployment
    ],
)
def test_what_only_drains_keeps_no_success_from_being_one(rollout_state, desired, running, answer):
    seen = with_older(rollout_state, desired, running)
    assert seen.settled is (answer is Ready)
    assert isinstance(deployment_status(seen, ours("SUCCESSFUL"), "x/app:1"), answer)


@pytest.mark.parametrize(
    ("target", "running", "there"), [("x/app:1", 2, True), ("x/app:1", 1, False), ("x/app:2", 2, False)]
)
def test_all_tasks_are_there(target, running, there):
    assert all_there(service(("PRIMARY", "x/app:1", running, 0)), target) is there


def to_run(*definitions):
    return {"app": [ServiceTask(f"t{place}", "app", arn, NOW, "RUNNING") for place, arn in enumerate(definitions)]}


@pytest.mark.parametrize(
    ("tasks", "answer"),
    [
        (to_run("x/app:1", "x/app:1"), Ready),
        (to_run(), Ready),
        (to_run("x/app:1", "x/app:2"), Pending),
    ],
)
def test_ecs_is_to_run_nothing_but_what_was_deployed(tasks, answer):
    assert isinstance(alone({"app": "x/app:1"}, {"app": STEADY}, tasks), answer)


def test_what_somebody_else_has_deployed_is_never_ours_alone():
    found = alone({"app": "x/app:2"}, {"app": STEADY}, to_run("x/app:2"))
    assert isinstance(found, Failed)
    assert "somebody has deployed app:1 of app" in found.reason
