# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_database.yml where this machine has no way to the database: a one-off task asks it, through the version that becomes current."""

from __future__ import annotations

import json

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.warm import STREAMS

from spymeo_world import world
from spymeo_world.demo import Visitor

RUN = "run-of-the-probe"
NEW = f"{world.DB_INSTANCE}-{RUN}"
GIVEN = {"rollback_db_probe": "task", "rollback_db_warm": ["Practitioner"]}
PROBE = f"{world.FAMILY}-rollback-probe"


@pytest.fixture(scope="module")
def harmed(shared_production):
    shared_production.url_before = shared_production.database_url()
    shared_production.accident("bad-migration")
    return shared_production


@pytest.fixture
def broken(harmed):
    """Each test begins without the runs of those before it."""
    harmed.forget_runs()
    return harmed


def play(production, *arguments, **given):
    return production.play(
        "rollback_database", *arguments, "-e", json.dumps({**GIVEN, "rollback_despite_migrations": True, **given})
    )


def probes(production) -> list[dict]:
    """The probe's tasks, whatever became of them."""
    ecs = production.aws("ecs")
    arns = ecs.list_tasks(cluster=world.CLUSTER, family=PROBE, desiredStatus="STOPPED")["taskArns"]
    return ecs.describe_tasks(cluster=world.CLUSTER, tasks=arns, include=["TAGS"])["tasks"] if arns else []


def test_a_check_starts_no_task_and_writes_nothing(broken):
    played = play(broken, "--check")
    assert (played.code, played.written) == (0, []), played.output
    assert probes(broken) == []


def test_an_image_without_psql_stops_the_run_before_the_cutover(broken):
    played = play(broken, rollback_run_id="rb-image", rollback_db_probe_image="nowhere.example.org/postgres:17")
    assert played.code != 0
    assert "CannotPullContainerError" in played.output
    assert "ecs UpdateService" not in played.written
    assert broken.database_url() == broken.url_before


def test_the_task_asks_the_rules_and_nothing_is_cut_over_to_data_that_break_one(broken):
    rules = {
        "Practitioner": {"columns": ["fullName"], "at_least": 1_000_000},
        "Payment": {"corrupted_when": '"amountCents" <= 0 OR "practitionerId" = E\'\\\\! touch /tmp/never\''},
        "Session": {"corrupted_when": "no such column"},
    }
    played = play(broken, rollback_run_id="rb-rules", rollback_data_rules=rules)
    assert played.code != 0, played.output
    said = " ".join(played.output.split())
    assert "data rule of Practitioner: Practitioner has 3000 rows, and had at least 1000000" in said
    assert "rule of Payment" not in said
    assert broken.database_url() == broken.url_before
    assert "ecs UpdateService" not in played.written


def test_the_version_that_the_task_tried_is_the_one_that_becomes_current(broken):
    before = len(probes(broken))
    played = play(broken, rollback_run_id=RUN)
    assert played.code == 0, played.output
    # Before the cutover, to move its sequences, and once the release runs on it.
    assert played.written.count("ecs RunTask") == 3
    assert (
        "IDS       sequences of the restored database go beyond those of the failed one: a task asks both"
        in played.output
    )
    assert "IDS       1 sequence went beyond those of the failed database, by 10,000 values or more" in played.output
    paid = {}
    for name in (world.DB_INSTANCE, NEW):
        with world.connect(broken.state["endpoint_url"], name) as connection:
            (paid[name],) = connection.execute('SELECT last_value FROM "Payment_id_seq"').fetchone()
    assert paid[NEW] >= paid[world.DB_INSTANCE] + 10_000
    assert played.written.count("secretsmanager PutSecretValue") == 1
    assert f"@{broken.instances()[NEW]['Endpoint']['Address']}:" in broken.database_url()
    listed = broken.aws("secretsmanager").list_secret_version_ids(SecretId=world.DATABASE_SECRET)["Versions"]
    labels = [stage for version in listed for stage in version["VersionStages"]]
    assert f"spymeo-rollback-pending-{RUN}" not in labels
    tasks = probes(broken)
    assert len(tasks) == before + 3
    tried = [task for task in tasks if {"key": "spymeo:rollback-run", "value": RUN} in task["tags"]]
    assert [container["exitCode"] for task in tried for container in task["containers"]] == [0, 0, 0]
    health = Visitor(broken.state["base_url"]).ask("GET", world.HEALTH_PATH)
    assert (health[0], health[1]["database"]) == (200, "ok")
    assert world.DB_PASSWORD not in played.output


def test_a_second_run_asks_nobody_and_changes_nothing(broken):
    played = play(broken, rollback_run_id=RUN)
    assert (played.code, played.written, played.recap["changed"]) == (0, [], 0), played.output


def test_the_password_is_in_no_task_definition_and_in_no_log_of_the_probe(broken):
    definition = broken.aws("ecs").describe_task_definition(taskDefinition=PROBE)["taskDefinition"]
    assert world.DB_PASSWORD not in json.dumps(definition, default=str)
    logged = broken.aws("logs").filter_log_events(logGroupName=world.LOG_GROUP, logStreamNamePrefix="rollback-probe/")
    text = "\n".join(event["message"] for event in logged["events"])
    assert '"complete"' in text
    assert (
        text.count('{"warmed" : "Practitioner"}') == 2 * STREAMS
    )  # of the run that a rule has stopped, and of this one
    assert world.DB_PASSWORD not in text
