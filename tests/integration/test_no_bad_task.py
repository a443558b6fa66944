# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No task of the bad release ever opens a session on the restored database, whatever ECS starts meanwhile: told by PostgreSQL's own log.

The bad release migrates at its start, as `migrate deploy && serve` does, so that one start would be harm.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess

import pytest

from spymeo_world import world

from .conftest import ROOT, bring_up, take_down

GOOD, BAD = f"{world.FAMILY} 1.0.0", f"{world.FAMILY} 2.0.0"
RUN = "run-without-bad"
NEW = f"{world.DB_INSTANCE}-{RUN}"
GIVEN = ["-e", f"rollback_run_id={RUN}", "-e", "rollback_lease=2"]
SLOW = ["--percent", "100", "200", "--set", "task_pull=2", "--set", "health_check_interval=3"]


@pytest.fixture(scope="module", name="served")
def _served():
    """A production as most are, whose bad release serves: its tasks are healthy."""
    lab = bring_up(*SLOW)
    lab.accident("bad-migration", at_start=True)
    yield lab
    take_down(lab)


@pytest.fixture(name="crashing")
def _crashing():
    """A production as most are, whose release crashes, and nothing of another one is left."""
    lab = bring_up()
    lab.accident("full", at_start=True)
    lab.control(
        "durations", task_pull=2.0, health_check_interval=1.0
    )  # so that the new tasks are healthy after four seconds
    lab.until(
        lambda: all(lab.origin(item["taskDefinition"]) != f"{world.FAMILY}:1" for item in lab.service()["deployments"])
    )
    percent = {"minimumHealthyPercent": 100, "maximumPercent": 200}
    lab.aws("ecs").update_service(cluster=world.CLUSTER, service=world.SERVICE, deploymentConfiguration=percent)
    yield lab
    take_down(lab)


@pytest.fixture(name="ill")
def _ill():
    """A production whose health check has begun to fail for whatever runs, with a circuit breaker that rolls back."""
    lab = bring_up("--percent", "100", "200", "--breaker")
    lab.accident("bad-migration", at_start=True)
    ecs, elb = lab.aws("ecs"), lab.aws("elbv2")
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, healthCheckGracePeriodSeconds=0)
    (group,) = elb.describe_target_groups()["TargetGroups"]
    elb.modify_target_group(TargetGroupArn=group["TargetGroupArn"], HealthCheckPath="/nothing")
    yield lab
    take_down(lab)


def sessions(production, db_instance=NEW) -> set[str]:
    return set(production.control("sessions", db_instance=db_instance)["of"])


def tasks(production, definition) -> dict[str, dict]:
    """Every task of a task definition that there is, or was, by ARN."""
    ecs, found = production.aws("ecs"), {}
    for status in ("RUNNING", "STOPPED"):
        arns = ecs.list_tasks(cluster=world.CLUSTER, desiredStatus=status)["taskArns"]
        for some in (arns[place : place + 100] for place in range(0, len(arns), 100)):
            found.update(
                {task["taskArn"]: task for task in ecs.describe_tasks(cluster=world.CLUSTER, tasks=some)["tasks"]}
            )
    return {arn: task for arn, task in found.items() if task["taskDefinitionArn"] == definition}


def end_one(production, definition) -> None:
    """End a task of a task definition that runs, as a machine that fails does; the other one serves on."""
    running = [arn for arn, task in tasks(production, definition).items() if task["lastStatus"] == "RUNNING"]
    production.aws("ecs").stop_task(cluster=world.CLUSTER, task=running[0])


def deployments(production) -> list[dict]:
    calls = (call for call in production.calls() if call["operation"] == "UpdateService")
    return [call for call in calls if "taskDefinition" in call["parameters"]]


def reads(production) -> str:
    """What the service's task definition names for DATABASE_URL."""
    content = production.aws("ecs").describe_task_definition(taskDefinition=production.service()["taskDefinition"])
    secrets = content["taskDefinition"]["containerDefinitions"][0]["secrets"]
    return next(entry["valueFrom"] for entry in secrets if entry["name"] == "DATABASE_URL")


def labels(production) -> dict[str, str]:
    """The version of the database secret that bears each label."""
    answer = production.aws("secretsmanager").list_secret_version_ids(SecretId=world.DATABASE_SECRET)
    return {stage: item["VersionId"] for item in answer["Versions"] for stage in item.get("VersionStages", [])}


def test_a_bad_release_that_serves_is_started_again_and_reads_its_own_database(served):
    """While our deployment runs, tasks of it fail, somebody scales out, and the playbook is killed. The same run goes on."""
    bad, before, url = served.service()["taskDefinition"], len(deployments(served)), served.database_url()
    command = ["ansible-playbook", "playbooks/rollback_full.yml", "-i", "inventories/lab", *GIVEN]
    playing = subprocess.Popen(
        command, env=served.environment(), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
    )
    served.until(lambda: len(deployments(served)) > before, 120)
    known = set(tasks(served, bad))
    served.aws("ecs").update_service(cluster=world.CLUSTER, service=world.SERVICE, desiredCount=4)
    end_one(served, bad)
    served.until(lambda: len(set(tasks(served, bad)) - known) >= 2)
    os.killpg(playing.pid, signal.SIGKILL)
    playing.wait()
    assert served.database_url() == url
    played = served.play("rollback_full", *GIVEN)
    assert played.code == 0, played.output
    assert "FENCE     none, because something serves" in played.output
    again = [arn for arn, task in tasks(served, bad).items() if arn not in known and "startedAt" in task]
    assert len(again) >= 2
    assert sessions(served) >= {GOOD}
    assert BAD not in sessions(served)
    assert BAD in sessions(served, world.DB_INSTANCE)
    assert served.service()["runningCount"] == 4


def test_what_is_deployed_pins_the_version_that_is_current_and_a_second_run_changes_nothing(served):
    assert reads(served).endswith(f":::{labels(served)['AWSCURRENT']}")
    assert labels(served)["spymeo-rollback-pinned"] == labels(served)["AWSCURRENT"]
    assert not [label for label in labels(served) if label.startswith("spymeo-rollback-pending")]
    again = served.play("rollback_full", *GIVEN)
    assert (again.code, again.written, again.recap["changed"]) == (0, [], 0), again.output


def test_after_a_rotation_the_same_rollback_has_the_service_read_the_current_version(served):
    served.control("durations", task_pull=0.2, health_check_interval=0.25)
    rotated = {"SecretId": world.DATABASE_SECRET, "SecretString": served.database_url() + "&pool_timeout=11"}
    served.aws("secretsmanager").put_secret_value(**rotated)
    played = served.play("rollback_full", *GIVEN)
    assert played.code == 0, played.output
    assert reads(served).count(":") == 6
    again = served.play("rollback_full", *GIVEN)
    assert (again.code, again.written) == (0, []), again.output


def test_a_bad_release_that_crashes_is_started_again_and_reads_its_own_database(crashing):
    bad = crashing.service()["taskDefinition"]
    played = crashing.play("rollback_full", *GIVEN, "-e", json.dumps({"rollback_fence": "none"}))
    assert played.code == 0, played.output
    assert played.written.count("ecs UpdateService") == 1
    began = next(item for item in crashing.service()["deployments"] if item["status"] == "PRIMARY")["createdAt"]
    assert [task for task in tasks(crashing, bad).values() if task["createdAt"] > began]
    assert BAD not in sessions(crashing)


def test_a_deployment_that_ecs_rolls_back_leads_to_the_bad_release_on_its_own_database(ill):
    bad, url = ill.service()["taskDefinition"], ill.database_url()
    played = ill.play("rollback_full", *GIVEN, "-e", json.dumps({"rollback_fence": "none"}))
    assert played.code != 0, played.output
    assert "ECS gave up" in played.output
    ours = next(call["time"] for call in reversed(played.calls) if call["operation"] == "UpdateService")
    ill.until(
        lambda: [
            task
            for task in tasks(ill, bad).values()
            if task["createdAt"] > datetime.datetime.fromisoformat(ours) and "startedAt" in task
        ]
    )
    assert ill.database_url() == url
    assert BAD not in sessions(ill)
