# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The second night: which data a rollback takes, what it says is lost, and where the rest is, after a rollback, an undo, another rollback.

One lab, in the order of the tests; every end state is asked of RDS and of PostgreSQL.
"""

from __future__ import annotations

import datetime
import json
import re

import pytest

import spymeo_app.seed
from spymeo_world import world

FIRST, SECOND, THIRD = "rb-first", "rb-second", "rb-third"
P = world.DB_INSTANCE
R1 = f"{P}-{FIRST}"
R2 = f"{R1}-{SECOND}"
R3 = f"{R2}-{THIRD}"
QUICKLY = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def night(shared_production):
    """A production that was rolled back once: the bad migration's harm is in P, R1 serves."""
    shared_production.whole = fingerprint(shared_production, P)
    shared_production.control("durations", backing_up=0.5)  # its backups are there when the night goes on
    shared_production.accident("bad-migration")
    played = shared_production.play("rollback_full", *variables(rollback_run_id=FIRST))
    assert played.code == 0, played.output
    return shared_production


def fingerprint(production, db_instance: str) -> str:
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        return spymeo_app.seed.fingerprint(connection)


def sql(production, db_instance: str, statement: str):
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def users(production, db_instance: str) -> set[str]:
    """The ids of the practitioners that the tests have written."""
    found = sql(production, db_instance, """SELECT "id" FROM "Practitioner" WHERE "id" LIKE 'night-%'""")
    return {row[0] for row in found}


def sign_up(production, db_instance: str, name: str, column: str = "fullName") -> None:
    values = f"""('night-{name}', 'night-{name}@spymeo.invalid', 'Some One', 'Nice', 'hash')"""
    names = f'"id", "email", "{column}", "city", "passwordHash"'
    sql(production, db_instance, f'INSERT INTO "Practitioner" ({names}) VALUES {values}')


def variables(**given) -> list[str]:
    return ["-e", json.dumps(given)]


def words(played) -> str:
    return " ".join(played.output.split())


def says(played, *parts: str) -> None:
    """The output has each of the parts, whatever the line breaks."""
    missing = [part for part in parts if " ".join(part.split()) not in words(played)]
    assert missing == [], f"{missing}\n{played.output}"


def take(production, db_instance: str, name: str) -> None:
    rds = production.aws("rds")
    rds.create_db_snapshot(DBInstanceIdentifier=db_instance, DBSnapshotIdentifier=name)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=name, WaiterConfig=QUICKLY)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=db_instance, WaiterConfig=QUICKLY)


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def serves(production) -> str:
    """The name of the instance that DATABASE_URL names."""
    url = production.database_url()
    return next(name for name, shown in production.instances().items() if f"@{shown['Endpoint']['Address']}:" in url)


def tags(production, db_instance: str) -> dict:
    return {tag["Key"]: tag["Value"] for tag in production.instances()[db_instance]["TagList"]}


def test_both_instances_tell_since_and_until_when_they_were_in_service(night):
    assert serves(night) == R1
    assert fingerprint(night, R1) == night.whole
    old, new = tags(night, P), tags(night, R1)
    shown = night.instances()
    assert old["spymeo:rollback-served"].startswith(shown[P]["DbiResourceId"] + " ")
    assert not old["spymeo:rollback-served"].endswith("/")
    assert new["spymeo:rollback-served"].endswith("/")
    assert new["spymeo:rollback-data"].startswith(f"{R1}/{shown[P]['DbiResourceId']}/")


def test_a_time_takes_what_is_in_service_and_never_what_the_failed_instance_holds(night):
    """Seen: the nightly snapshot of the failed instance came back over a healthy production, LOST 0.0 hours."""
    sign_up(night, R1, "month1")
    take(night, R1, "nightly-of-production")
    sign_up(night, R1, "after-the-nightly")
    take(night, P, "nightly-of-the-failed-one")
    inherited = night.aws("rds").describe_db_snapshots(DBSnapshotIdentifier="nightly-of-production")["DBSnapshots"][0]
    assert {"Key": "spymeo:rollback-run", "Value": FIRST} in inherited["TagList"], "CopyTagsToSnapshot"
    latest = variables(rollback_snapshot_before=now())
    check = night.play("rollback_database", "--check", *latest)
    assert check.code == 0, check.output
    says(check, "from snapshot nightly-of-production")
    says(check, "1 row of Practitioner was created since then")
    says(check, f"KEPT      DB instance {P}: what was written from")
    played = night.play("rollback_database", *variables(rollback_snapshot_before=now(), rollback_run_id=SECOND))
    assert played.code == 0, played.output
    assert serves(night) == R2
    assert users(night, R2) == {"night-month1"}
    assert users(night, R1) == {"night-month1", "night-after-the-nightly"}
    says(played, f"DB instance {P}: what was written from")


def test_a_name_is_refused_that_is_of_the_failed_instance_after_the_cutover(night):
    named = variables(rollback_snapshot="nightly-of-the-failed-one")
    played = night.play("rollback_database", "--check", *named)
    assert played.code != 0
    assert played.written == []
    says(
        played,
        "lineage snapshot nightly-of-the-failed-one",
        f"{P} had been taken out of service at",
        "-e rollback_despite_lineage=true",
    )
    despite = variables(rollback_snapshot="nightly-of-the-failed-one", rollback_despite_lineage=True)
    forced = night.play("rollback_database", "--check", *despite)
    assert forced.code == 0, forced.output
    says(forced, "BEWARE    lineage snapshot nightly-of-the-failed-one")
    says(forced, "LOST      what was written since")


def test_a_snapshot_of_another_instance_is_refused(night):
    rds = night.aws("rds")
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="by-hand", DBSnapshotIdentifier="nightly-of-production"
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="by-hand", WaiterConfig=QUICKLY)
    assert tags(night, "by-hand")["spymeo:rollback-replaces"] == P, "RDS gives it the tags of the snapshot's instance"
    take(night, "by-hand", "of-by-hand")
    played = night.play("rollback_database", "--check", *variables(rollback_snapshot="of-by-hand"))
    assert played.code != 0
    says(
        played,
        "it was taken of DB instance by-hand (db-",
        f"from which {R2}, which is in service, is not known to have come",
    )
    latest = night.play("rollback_database", "--check", *variables(rollback_snapshot_before=now()))
    assert "of-by-hand" not in latest.output


def test_bad_data_in_what_was_restored_from_the_right_snapshot_are_restored_again(night):
    """Seen: 3,000 rows overwritten, 1,000 payments deleted, and DONE; nobody could restore the snapshot again without a copy."""
    sql(night, R2, 'DELETE FROM "Payment"')
    before = set(night.instances())
    given = {"rollback_snapshot": "nightly-of-production", "rollback_run_id": THIRD, "rollback_database_again": True}
    check = night.play("rollback_database", "--check", *variables(**given))
    says(check, f"DATABASE  {R2} -> {R3}")
    says(check, "and it is restored again")
    played = night.play("rollback_database", *variables(**given))
    assert played.code == 0, played.output
    assert set(night.instances()) - before == {R3}
    assert serves(night) == R3
    assert sql(night, R3, 'SELECT count(*) FROM "Payment"')[0][0] > 0
    assert sql(night, R2, 'SELECT count(*) FROM "Payment"')[0][0] == 0
    assert night.play("finish").code == 0  # else the second run does what RDS did not let the first one do
    again = night.play("rollback_database", *variables(**given))
    assert (again.code, again.written, again.recap["changed"]) == (0, [], 0), again.output
    assert not [call for call in night.calls() if call["operation"] == "CopyDBSnapshot"]


def test_a_copy_of_a_safety_snapshot_is_not_taken_by_a_time(night):
    rds = night.aws("rds")
    harm = f"{R2}-failed-migration-{THIRD}"
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier=harm, TargetDBSnapshotIdentifier="copied-harm", CopyTags=True)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="copied-harm", WaiterConfig=QUICKLY)
    check = night.play("rollback_database", "--check", *variables(rollback_snapshot_before=now()))
    assert check.code == 0, check.output
    assert "copied-harm" not in check.output
    says(check, "nightly-of-production")


def test_an_undo_is_remembered_and_salvage_finds_what_the_undone_instance_has(night):
    """Seen: after an undo, salvage failed with "Name the instance that a rollback has replaced", without naming it."""
    sign_up(night, R3, "in-the-third")
    undone = night.play("undo")
    assert serves(night) == R2, undone.output
    says(undone, f"{R2} at")
    old, new = tags(night, R3), tags(night, R2)
    assert (old["spymeo:rollback-replaced-by"], new["spymeo:rollback-replaced-by"]) == (R2, "")
    assert new["spymeo:rollback-served"].endswith("/")
    assert not old["spymeo:rollback-served"].endswith("/")
    night.undo_id = re.search(r"run (rb-[0-9-]+) on", undone.output)[1]
    salvaged = night.play("salvage", "--check", *variables(rollback_salvage_rules={}))
    assert salvaged.code == 0, salvaged.output
    says(salvaged, f"SALVAGE   {R3} against the database of now")
    says(salvaged, f"-e rollback_failed_db_instance={P}")


def test_a_stopped_instance_is_said_to_be_stopped_with_the_command(night):
    rds = night.aws("rds")
    rds.stop_db_instance(DBInstanceIdentifier=R3)
    night.until(lambda: night.instances()[R3]["DBInstanceStatus"] == "stopped")
    salvaged = night.play("salvage", "--check")
    assert salvaged.code != 0
    says(salvaged, f"{R3} is stopped. Start it: aws rds start-db-instance --db-instance-identifier {R3}")
    undone = night.play("undo", *variables(rollback_undo_run=night.undo_id))
    assert (undone.code != 0, undone.written) == (True, [])
    says(undone, f"aws rds start-db-instance --db-instance-identifier {R3}")
    rds.start_db_instance(DBInstanceIdentifier=R3)
    night.until(lambda: night.instances()[R3]["DBInstanceStatus"] == "available")


def test_after_an_undo_the_plan_names_every_instance_that_holds_something_else(night):
    named = variables(rollback_snapshot="nightly-of-production", rollback_database_again=True)
    check = night.play("rollback_database", "--check", *named)
    assert check.code == 0, check.output
    kept = [line for line in check.output.splitlines() if "KEPT      DB instance" in line]
    assert [name for name in (P, R1, R3) if not any(f"instance {name}:" in line for line in kept)] == [], kept


def test_a_source_that_rds_takes_no_snapshot_of_goes_on_without_one_by_name(night):
    night.control("rds_status", db_instance=R2, status="storage-full")
    named = {"rollback_snapshot": "nightly-of-production", "rollback_database_again": True}
    refused = night.play("rollback_database", "--check", *variables(**named))
    assert refused.code != 0
    says(refused, "because it is storage-full")
    says(refused, "-e rollback_safety_snapshot=none")
    run_id, before = "rb-fourth", serves(night)
    given = variables(**named, rollback_safety_snapshot="none", rollback_run_id=run_id)
    played = night.play("rollback_database", *given)
    assert played.code == 0, played.output
    says(played, "BEWARE    safety snapshot")
    assert "rds CreateDBSnapshot" not in played.written
    assert serves(night) == f"{before}-{run_id}"
    night.control("rds_status", db_instance=R2, status="available")


def test_nothing_was_deleted(night):
    assert not [call for call in night.calls() if call["operation"].startswith(("Delete", "Deregister", "Remove"))]
