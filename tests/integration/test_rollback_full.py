# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The first whole rollback: `accident full`, then rollback_full.yml; every end state is asked of AWS, not of the playbook."""

from __future__ import annotations

import json
import re
import shlex
import urllib.parse
import urllib.request

import pytest

import spymeo_app.seed
from spymeo_world import world

from .conftest import ROOT


def health(production) -> tuple[int, dict]:
    with urllib.request.urlopen(production.state["health_url"], timeout=10) as answer:
        return answer.status, json.load(answer)


def fingerprint(production, db_instance: str) -> str:
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        return spymeo_app.seed.fingerprint(connection)


def app_secret(production) -> dict:
    return json.loads(production.aws("secretsmanager").get_secret_value(SecretId=world.APP_SECRET)["SecretString"])


@pytest.fixture(scope="module")
def story(shared_production):
    """The accident, a check, the rollback and a second rollback, each looked at by its own test below."""
    production = shared_production
    told = {
        "production": production,
        "whole": fingerprint(production, world.DB_INSTANCE),
        "url": production.database_url(),
    }
    production.accident("full")
    told["corrupted"] = fingerprint(production, world.DB_INSTANCE)
    told["check"] = production.play("rollback_full", "--check", "--diff")
    told["first"] = production.play("rollback_full", "--diff", "-vvvv")
    told["second"] = production.play("rollback_full")
    return told


def restored(story) -> str:
    (name,) = set(story["production"].instances()) - {world.DB_INSTANCE}
    return name


def test_a_check_makes_no_writing_call_and_shows_the_plan(story):
    check = story["check"]
    assert check.code == 0, check.output
    assert check.written == []
    assert "CODE      spymeo-app: spymeo-app:2 -> spymeo-app:1" in check.output
    assert world.SNAPSHOT in check.output


def test_the_rollback_succeeds(story):
    assert story["first"].code == 0, story["first"].output
    assert health(story["production"]) == (200, {"status": "ok", "release": "1.0.0", "database": "ok"})


def test_one_deployment_carries_everything(story):
    written = story["first"].written
    deployed = [
        call
        for call in story["first"].calls
        if "taskDefinition" in call["parameters"] and call["operation"] == "UpdateService"
    ]
    assert len(deployed) == 1
    assert written.index("secretsmanager PutSecretValue") < written.index("ecs RegisterTaskDefinition")
    assert written.count("ecs UpdateService") == 2, "nothing served, so there was a fence"
    deployments = (
        story["production"]
        .aws("ecs")
        .list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)["serviceDeployments"]
    )
    # At 0 tasks, what the bad release was deployed with has nothing left to do.
    assert [item["status"] for item in deployments] == ["SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL"]
    service = story["production"].service()
    assert story["production"].origin() == "spymeo-app:1"
    assert service["desiredCount"] == service["runningCount"] == world.TASKS


def test_the_safety_snapshot_is_taken_while_the_restore_runs(story):
    times = {call["operation"]: call["time"] for call in story["first"].calls if call["writes"]}
    assert times["RestoreDBInstanceFromDBSnapshot"] < times["CreateDBSnapshot"] < times["PutSecretValue"]
    snapshots = (
        story["production"].aws("rds").describe_db_snapshots(DBInstanceIdentifier=world.DB_INSTANCE)["DBSnapshots"]
    )
    assert {item["Status"] for item in snapshots} == {"available"}
    assert len(snapshots) == 2


def test_rows_are_whole_again_and_the_old_instance_keeps_its_data(story):
    assert story["corrupted"] != story["whole"]
    assert fingerprint(story["production"], restored(story)) == story["whole"]
    assert fingerprint(story["production"], world.DB_INSTANCE) == story["corrupted"]


IDENTITY = {
    "DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "Endpoint", "InstanceCreateTime", "LatestRestorableTime", "TagList",
}  # fmt: skip
STATE = {"DBInstanceStatus", "StorageOperationStatus", "StorageOperationPercentProgress"}
FINISHED_LATER = {
    "MaxAllocatedStorage", "PerformanceInsightsEnabled", "PerformanceInsightsRetentionPeriod", "PreferredMaintenanceWindow",
}  # fmt: skip


def settings(instance: dict) -> dict:
    """What a person would set: not the identity, not how long the certificate is valid."""
    certificate = instance["CertificateDetails"]["CAIdentifier"]
    kept = {key: value for key, value in instance.items() if key not in IDENTITY | STATE}
    return kept | {"CertificateDetails": certificate}


def test_every_setting_of_the_old_instance_that_is_felt_is_carried_over(story):
    instances = story["production"].instances()
    old, new = instances[world.DB_INSTANCE], instances[restored(story)]
    differing = {
        key for key in settings(new).keys() | settings(old) if settings(new).get(key) != settings(old).get(key)
    }
    assert differing == FINISHED_LATER  # by finish.yml, which tests/integration/test_finish.py plays
    tags = {tag["Key"]: tag["Value"] for tag in new["TagList"]}
    before = {tag["Key"]: tag["Value"] for tag in old["TagList"]}
    assert before.pop("spymeo:rollback-replaced-by") == restored(story)
    assert before.pop("spymeo:rollback-served").startswith(old["DbiResourceId"])
    assert before.items() <= tags.items()
    assert restored(story).endswith(tags["spymeo:rollback-run"])


def test_only_host_and_port_of_database_url_change(story):
    before, after = urllib.parse.urlsplit(story["url"]), urllib.parse.urlsplit(story["production"].database_url())
    endpoint = story["production"].instances()[restored(story)]["Endpoint"]
    assert (after.hostname, after.port) == (endpoint["Address"], endpoint["Port"])
    assert after.netloc.rpartition("@")[0] == before.netloc.rpartition("@")[0]
    assert (after.scheme, after.path, after.query) == (before.scheme, before.path, before.query)


def test_the_way_back_to_the_old_instance_is_a_command_that_can_be_pasted(story):
    undo = next(line for line in story["first"].output.splitlines() if "UNDO  " in line)
    told = undo.split("UNDO")[1].strip(' ",')
    assert told == f"ansible-playbook {shlex.quote(f'{ROOT}/playbooks/undo.yml')} -i inventories/lab --diff -vvvv"


def test_the_rotated_secret_is_back_and_no_version_is_lost(story):
    assert app_secret(story["production"])["PAYMENT_API_KEY"] == world.PAYMENT_KEY
    versions = (
        story["production"]
        .aws("secretsmanager")
        .list_secret_version_ids(SecretId=world.APP_SECRET, IncludeDeprecated=True)["Versions"]
    )
    assert len(versions) == 2


def test_a_second_run_changes_nothing(story):
    second = story["second"]
    assert second.code == 0, second.output
    assert second.written == []
    assert second.recap["changed"] == 0
    run_id = restored(story).removeprefix(f"{world.DB_INSTANCE}-")
    named = re.findall(r"finish\.yml.* -e rollback_run_id=([\w-]+)", second.output)
    assert named == [run_id, run_id], "whose restore it is, in the plan and in the outcome"
    assert set(re.findall(r"holds deployments back since .*: run ([\w-]+)", second.output)) == {run_id}
    assert "rollback_hold_reason" not in second.output


def test_no_task_of_the_bad_release_has_ever_opened_a_session_on_the_restored_database(story):
    """In PostgreSQL's own log."""
    came = {
        name: set(story["production"].control("sessions", db_instance=name)["of"])
        for name in story["production"].instances()
    }
    assert f"{world.FAMILY} 2.0.0" in came[world.DB_INSTANCE]
    assert f"{world.FAMILY} 2.0.0" not in came[restored(story)]
    assert f"{world.FAMILY} 1.0.0" in came[restored(story)]


def test_nothing_is_ever_deleted(story):
    operations = {call["operation"] for call in story["production"].calls()}
    assert not [name for name in operations if name.startswith(("Delete", "Deregister", "Remove"))]


def test_a_whole_rollback_meets_no_answer_that_does_not_fit_and_no_operation_that_is_missing(story):
    calls = story["production"].calls()
    assert {"ecs", "rds", "secretsmanager", "logs", "ecr", "ec2", "iam"} <= {call["service"] for call in calls}
    of_the_lab = ("InternalFailure", "UnknownOperationException")
    assert [call for call in calls if call["error"] in of_the_lab or (call["error"] or "").startswith("5")] == []


def test_no_secret_is_in_anything_that_was_printed(story):
    values = [
        world.DB_PASSWORD,
        urllib.parse.quote(world.DB_PASSWORD, safe=""),
        world.PAYMENT_KEY,
        world.SESSION_SECRET,
        world.ADMIN_PASSWORD,
    ]
    printed = story["check"].output + story["first"].output + story["second"].output
    assert [value for value in values if value in printed] == []
