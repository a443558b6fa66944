# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a snapshot keeps of its source besides rows: the master password of its day, and the key that it is encrypted with."""

from __future__ import annotations

import psycopg
import pytest

KEPT, SNAPSHOT = "kept", "before-the-rotation"
NEW = "second-Passw0rd"


@pytest.fixture(scope="module")
def rotated(stage):
    """An encrypted instance whose master password was changed after its snapshot."""
    stage.kms = stage.client("kms")
    stage.key = stage.kms.create_key()["KeyMetadata"]["Arn"]
    stage.create_plain(KEPT, DBName="spymeo", StorageEncrypted=True, KmsKeyId=stage.key)
    stage.await_available(KEPT)
    stage.rds.create_db_snapshot(DBInstanceIdentifier=KEPT, DBSnapshotIdentifier=SNAPSHOT)
    stage.rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier=SNAPSHOT, WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )
    stage.rds.modify_db_instance(DBInstanceIdentifier=KEPT, MasterUserPassword=NEW)
    return stage


def accepts(stage, name: str, password: str) -> bool:
    """Whether the master user gets in with a password."""
    try:
        stage.connect(name, password=password).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False
    return True


def test_a_restore_has_the_master_password_of_the_day_of_the_snapshot(rotated, helpers):
    helpers.await_that(lambda: accepts(rotated, KEPT, NEW))
    assert not accepts(rotated, KEPT, helpers.PASSWORD)
    rotated.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="old", DBSnapshotIdentifier=SNAPSHOT, VpcSecurityGroupIds=[rotated.open_group]
    )
    rotated.await_available("old")
    assert [accepts(rotated, "old", password) for password in (helpers.PASSWORD, NEW)] == [True, False]


def test_instance_and_snapshot_show_the_key(rotated):
    snapshot = rotated.rds.describe_db_snapshots(DBSnapshotIdentifier=SNAPSHOT)["DBSnapshots"][0]
    assert snapshot["KmsKeyId"] == rotated.instance(KEPT)["KmsKeyId"] == rotated.key


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("restore_db_instance_from_db_snapshot", {"DBInstanceIdentifier": "locked", "DBSnapshotIdentifier": SNAPSHOT}),
        (
            "restore_db_instance_to_point_in_time",
            {
                "TargetDBInstanceIdentifier": "locked",
                "SourceDBInstanceIdentifier": KEPT,
                "UseLatestRestorableTime": True,
            },
        ),
    ],
)
def test_what_a_key_that_is_not_enabled_encrypts_cannot_be_restored(rotated, helpers, operation, arguments):
    key = {"KeyId": rotated.key.rpartition("/")[2]}  # moto's DisableKey takes no ARN
    restore = getattr(rotated.rds, operation)
    for lock, state in ((rotated.kms.disable_key, "Disabled"), (rotated.kms.schedule_key_deletion, "PendingDeletion")):
        lock(**key)
        assert rotated.kms.describe_key(**key)["KeyMetadata"]["KeyState"] == state
        assert helpers.refusal(restore, **arguments)[0] == "KMSKeyNotAccessibleFault"
    rotated.kms.cancel_key_deletion(**key)
    rotated.kms.enable_key(**key)
