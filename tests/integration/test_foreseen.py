# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS would refuse or give otherwise is in the plan, and what can be done about it is done. A point in time finds its ancestor.

One lab, in the order of the tests; every end state is asked of RDS and of PostgreSQL.
"""

from __future__ import annotations

import datetime
import json
import time

import pytest

from spymeo_world import world

P = world.DB_INSTANCE
FIRST, SECOND = "rb-first", "rb-second"
R1 = f"{P}-{FIRST}"
R2 = f"{R1}-{SECOND}"
ROLE = {"RoleArn": "arn:aws:iam::123456789012:role/import", "FeatureName": "s3Import"}
QUICKLY = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def production(shared_production):
    """The migration of release 2 has done its harm; the instance has a role, and backups that begin after its creation."""
    shared_production.before_the_backups = now()
    rds = shared_production.aws("rds")
    shared_production.control("durations", backing_up=0.5)
    for days in (0, 14):
        rds.modify_db_instance(DBInstanceIdentifier=P, BackupRetentionPeriod=days, ApplyImmediately=True)
        shared_production.until(lambda days=days: settled(shared_production, days))
    rds.add_role_to_db_instance(DBInstanceIdentifier=P, **ROLE)
    shared_production.until(lambda: shared_production.instances()[P].get("LatestRestorableTime"))
    sign_up(shared_production, P, "before")
    time.sleep(1)
    shared_production.before_the_harm = now()
    time.sleep(1)
    sign_up(shared_production, P, "after")
    shared_production.accident("bad-migration")
    restorable = lambda: shared_production.instances()[P]["LatestRestorableTime"].isoformat()  # noqa: E731
    shared_production.until(lambda: restorable() > shared_production.before_the_harm)
    return shared_production


def settled(production, days: int) -> bool:
    shown = production.instances()[P]
    return shown["DBInstanceStatus"] == "available" and shown["BackupRetentionPeriod"] == days


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def sql(production, db_instance: str, statement: str):
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def sign_up(production, db_instance: str, name: str) -> None:
    values = f"""('then-{name}', 'then-{name}@spymeo.invalid', 'Some One', 'Nice', 'hash')"""
    columns = '"id", "email", "fullName", "city", "passwordHash"'
    sql(production, db_instance, f'INSERT INTO "Practitioner" ({columns}) VALUES {values}')


def users(production, db_instance: str) -> set[str]:
    found = sql(production, db_instance, """SELECT "id" FROM "Practitioner" WHERE "id" LIKE 'then-%'""")
    return {row[0] for row in found}


def variables(**given) -> list[str]:
    return ["-e", json.dumps(given)]


def says(played, *parts: str) -> None:
    text = " ".join(played.output.split())
    missing = [part for part in parts if part not in text]
    assert missing == [], f"{missing}\n{played.output}"


def serves(production) -> str:
    url = production.database_url()
    return next(name for name, shown in production.instances().items() if f"@{shown['Endpoint']['Address']}:" in url)


def test_a_time_before_the_backups_is_refused_with_both_times_and_nothing_stands_still(production):
    moment = production.before_the_backups
    played = production.play(
        "rollback_full", *variables(rollback_point_in_time=moment, rollback_fence="scale_to_zero", rollback_snapshot="")
    )
    assert (played.code != 0, played.written) == (True, [])
    says(played, f"{moment[:19]}+00:00 is asked for, and RDS can restore {P} from")
    assert production.service()["desiredCount"] > 0


def test_another_key_is_refused_with_the_copy_that_has_the_right_one(production):
    rds, key = production.aws("rds"), production.aws("kms").create_key()["KeyMetadata"]["Arn"]
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=world.SNAPSHOT, TargetDBSnapshotIdentifier="other-key", KmsKeyId=key
    )
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="other-key", WaiterConfig=QUICKLY)
    played = production.play("rollback_database", "--check", *variables(rollback_snapshot="other-key"))
    assert played.code != 0
    right = production.instances()[P]["KmsKeyId"]
    copy = (
        "aws rds copy-db-snapshot --source-db-snapshot-identifier other-key --target-db-snapshot-identifier "
        f"other-key-recrypted --kms-key-id {right}"
    )
    says(played, copy, "-e rollback_snapshot=other-key-recrypted")
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="other-key", TargetDBSnapshotIdentifier="other-key-recrypted", KmsKeyId=right
    )
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="other-key-recrypted", WaiterConfig=QUICKLY)
    copied = production.play(
        "rollback_database",
        "--check",
        *variables(rollback_snapshot="other-key-recrypted", rollback_despite_migrations=True),
    )
    assert copied.code == 0, copied.output


def test_a_rollback_while_the_source_is_backing_up_with_a_role_and_a_ca_that_is_given_no_more(production):
    rds, authority = production.aws("rds"), production.instances()[P]["CACertificateIdentifier"]
    production.control("rds_withdraw_ca", name=authority)
    production.control("durations", snapshot=600.0)
    rds.create_db_snapshot(DBInstanceIdentifier=P, DBSnapshotIdentifier="somebody-elses")
    production.control("durations", snapshot=1.0)
    played = production.play("rollback_full", *variables(rollback_run_id=FIRST))
    assert played.code == 0, played.output
    says(played, f"{P} is backing-up now; the restore begins at once", f"certificate {authority}: RDS gives this CA to")
    restored = production.instances()[R1]
    assert restored["AssociatedRoles"] == [{**ROLE, "Status": "ACTIVE"}]
    assert restored["CACertificateIdentifier"] != authority
    says(
        played, f"LATER snapshot {P}-failed-migration-{FIRST}: RDS takes none of DB instance {P} while it is backing-up"
    )
    assert "rds CreateDBSnapshot" not in played.written
    production.control("rds_status", db_instance=P, status="available")
    finished = production.play("finish")
    assert finished.code == 0, finished.output
    safety = rds.describe_db_snapshots(DBSnapshotIdentifier=f"{P}-failed-migration-{FIRST}")["DBSnapshots"][0]
    assert safety["Status"] == "available"
    assert {"Key": "spymeo:rollback-safety", "Value": production.instances()[P]["DbiResourceId"]} in safety["TagList"]
    assert serves(production) == R1
    assert users(production, R1) == set()


def test_a_point_in_time_before_the_restored_instance_is_of_the_ancestor(production):
    """Seen: only the restored instance was asked, which "was created at … only"."""
    moment = production.before_the_harm
    given = variables(rollback_point_in_time=moment, rollback_run_id=SECOND)
    played = production.play("rollback_database", *given)
    assert played.code == 0, played.output
    says(played, f"{P} as it was at {moment[:19]}")
    (restore,) = [call for call in played.calls if call["operation"] == "RestoreDBInstanceToPointInTime"]
    assert restore["error"] is None
    assert serves(production) == R2
    assert users(production, R2) == {"then-before"}
    assert users(production, P) == {"then-before", "then-after"}
    again = production.play("rollback_database", *given)
    assert (again.code, again.written, again.recap["changed"]) == (0, [], 0), again.output
