# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A checkpoint before a bad release, the list of release points, and rollbacks that go back to it; ends are asked of AWS and the store."""

from __future__ import annotations

import json
import pathlib
import urllib.request

import pytest

import spymeo_app.seed
from spymeo_world import world

RUN, POINT = "rb-before-two", "cp-before-two"
SNAPSHOT = f"{world.DB_INSTANCE}-{POINT}"
FROM_THE_POINT = ("-e", "rollback_snapshot=")  # the inventory names one


def store(production) -> dict[str, dict]:
    """What is remembered, by key."""
    folder = pathlib.Path(production.environment()["SPYMEO_LAB_STORE"])
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(folder)): json.loads(path.read_text()) for path in files}


def record(production) -> dict:
    return store(production)[f"lab/spymeo-lab/points/{POINT}"]


def labels(production, secret: str) -> dict[str, str]:
    """Label → version id."""
    stages = production.aws("secretsmanager").describe_secret(SecretId=secret)["VersionIdsToStages"]
    return {label: version for version, found in stages.items() for label in found}


def fingerprint(production, db_instance: str) -> str:
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        return spymeo_app.seed.fingerprint(connection)


def write_a_row(production) -> None:
    """What a user does after the inventory's snapshot and before the checkpoint."""
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute(
            """UPDATE "Practitioner" SET "city" = 'Brest' WHERE "id" = (SELECT min("id") FROM "Practitioner")"""
        )


@pytest.fixture(scope="module")
def story(shared_production):
    """Checkpoint (checked, made, made again), the accident, and everything that goes back from it."""
    production, told = shared_production, {"production": shared_production}
    write_a_row(production)
    told["whole"] = fingerprint(production, world.DB_INSTANCE)
    more = ("-e", f"rollback_run_id={RUN}", "-e", "rollback_release=v2.0.0")
    told["check"] = production.play("checkpoint", "--check", *more)
    told["store after the check"] = store(production)
    told["made"] = production.play("checkpoint", "--diff", *more)
    told["versions"] = {
        name: labels(production, name)["AWSCURRENT"] for name in (world.APP_SECRET, world.DATABASE_SECRET)
    }
    told["again"] = production.play("checkpoint", *more)
    told["list before"] = production.play("releases")
    production.accident("full")
    told["list after"] = production.play("releases")
    told["triage"] = production.play("triage", *FROM_THE_POINT, "-e", "rollback_slow_after=8")
    told["code"] = production.play("rollback_code")
    told["code all the same"] = production.play("rollback_code", "--check", "-e", "rollback_despite_migrations=true")
    told["full"] = production.play("rollback_full", *FROM_THE_POINT)
    told["full again"] = production.play("rollback_full", *FROM_THE_POINT)
    told["held"] = production.play("checkpoint")
    return told


def test_a_check_writes_nothing_neither_to_aws_nor_to_the_store(story):
    assert story["check"].code == 0, story["check"].output
    assert (story["check"].written, story["store after the check"]) == ([], {})


def test_a_checkpoint_takes_the_snapshot_waits_for_it_and_labels_the_secrets(story):
    made = story["made"]
    assert made.code == 0, made.output
    assert made.written == [
        "rds CreateDBSnapshot",
        "secretsmanager UpdateSecretVersionStage",
        "secretsmanager UpdateSecretVersionStage",
    ]
    rds = story["production"].aws("rds")
    (snapshot,) = rds.describe_db_snapshots(DBSnapshotIdentifier=SNAPSHOT)["DBSnapshots"]
    assert snapshot["Status"] == "available"
    for name, version in story["versions"].items():
        assert labels(story["production"], name)[f"spymeo-release-{POINT}"] == version


def test_triage_looks_at_the_release_and_the_snapshot_of_the_point(story):
    triage = story["triage"]
    assert (triage.code, triage.written) == (0, []), triage.output
    assert "===== FULL: " in triage.output
    assert SNAPSHOT in triage.output


def test_the_record_holds_what_ran_and_no_value(story):
    found = record(story["production"])
    (service,) = found["services"].values()
    assert service["task_definition"].endswith(":task-definition/spymeo-app:1")
    (digest,) = service["digest"].values()
    assert digest.startswith("sha256:")
    assert found["release"] == "v2.0.0"
    assert found["database"]["snapshot"] == SNAPSHOT
    assert found["database"]["migrations"] == ["20250110090000_init", "20250214103000_add_payments"]
    assert sorted(found["secrets"].values()) == sorted(story["versions"].values())
    assert world.PAYMENT_KEY not in json.dumps(store(story["production"]))


def test_the_same_checkpoint_again_changes_nothing(story):
    assert story["again"].code == 0, story["again"].output
    assert story["again"].written == []
    assert story["again"].recap["changed"] == 0


def test_the_list_tells_which_point_a_rollback_would_use_and_why(story):
    assert "not used: what it has recorded runs" in story["list before"].output
    after = story["list after"].output
    assert story["list after"].written == []
    (row,) = [line for line in after.splitlines() if "->" in line]
    for cell in (POINT, "v2.0.0", "spymeo-app:1", SNAPSHOT):
        assert cell in row
    assert f"A rollback would use {POINT}: it is the newest one older than spymeo-app:2." in after


def test_the_code_alone_does_not_go_back_to_a_release_that_does_not_know_the_migrations(story):
    refused = story["code"]
    assert refused.code == 2
    assert refused.written == []
    assert "migrations that the release to come back does not know: 20250310140000_rename_full_name" in refused.output
    assert "rollback_despite_migrations" in refused.output
    assert story["code all the same"].code == 0, story["code all the same"].output


def test_a_full_rollback_goes_back_to_the_point(story):
    full = story["full"]
    assert full.code == 0, full.output
    assert f"POINT     {POINT} of " in full.output
    production = story["production"]
    assert production.origin().endswith(":1")
    (restored,) = set(production.instances()) - {world.DB_INSTANCE}
    assert fingerprint(production, restored) == story["whole"]
    assert labels(production, world.APP_SECRET)["AWSCURRENT"] == story["versions"][world.APP_SECRET]
    with urllib.request.urlopen(production.state["health_url"], timeout=10) as answer:
        assert json.load(answer)["release"] == "1.0.0"


def test_a_second_rollback_uses_the_same_point_and_changes_nothing(story):
    again = story["full again"]
    assert again.code == 0, again.output
    assert f"POINT     {POINT} of " in again.output
    assert again.written == []


def test_while_a_rollback_stands_no_checkpoint_is_made(story):
    assert story["held"].code == 2
    assert story["held"].written == []
    assert "holds deployments back" in story["held"].output
