# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CopyDBSnapshot, DescribeDBInstanceAutomatedBackups, AddRoleToDBInstance, DescribeCertificates."""

from __future__ import annotations

import datetime

import pytest

ROLE = {"RoleArn": "arn:aws:iam::123456789012:role/import", "FeatureName": "s3Import"}
COPY = "copy"


@pytest.fixture(scope="module")
def copied(production, helpers):
    """A copy, with a row more in the instance."""
    with production.connect(helpers.NAME) as connection:
        connection.execute("INSERT INTO practitioners VALUES (900) ON CONFLICT DO NOTHING")
    production.rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=helpers.SNAPSHOT, TargetDBSnapshotIdentifier=COPY, CopyTags=True
    )
    production.rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier=COPY, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    return production


def snapshot(stage, name):
    return stage.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]


def test_a_copy_has_the_data_the_instance_and_the_time_of_its_original(copied, helpers):
    one, other = snapshot(copied, helpers.SNAPSHOT), snapshot(copied, COPY)
    same = ("DBInstanceIdentifier", "DbiResourceId", "OriginalSnapshotCreateTime", "TagList")
    assert {key: one[key] for key in same} == {key: other[key] for key in same}
    assert other["SnapshotCreateTime"] > one["SnapshotCreateTime"]
    copied.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="of-copy", DBSnapshotIdentifier=COPY, VpcSecurityGroupIds=[copied.open_group]
    )
    copied.await_available("of-copy")
    assert copied.count("of-copy") == 100


def test_a_copy_can_have_another_key_and_a_name_once(copied, helpers):
    key = copied.client("kms").create_key()["KeyMetadata"]["Arn"]
    answer = copied.rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=COPY, TargetDBSnapshotIdentifier="recrypted", KmsKeyId=key
    )["DBSnapshot"]
    assert (answer["KmsKeyId"], answer["Status"]) == (key, "creating")
    again = dict(SourceDBSnapshotIdentifier=helpers.SNAPSHOT, TargetDBSnapshotIdentifier=COPY)
    assert helpers.refusal(copied.rds.copy_db_snapshot, **again)[0] == "DBSnapshotAlreadyExists"
    missing = dict(SourceDBSnapshotIdentifier="nowhere", TargetDBSnapshotIdentifier="x")
    assert helpers.refusal(copied.rds.copy_db_snapshot, **missing)[0] == "DBSnapshotNotFound"


def test_automated_backups_tell_what_can_be_restored(copied, helpers):
    helpers.await_that(lambda: "LatestRestorableTime" in copied.instance(helpers.NAME))
    answer = copied.rds.describe_db_instance_automated_backups(DBInstanceIdentifier=helpers.NAME)
    (backup,) = answer["DBInstanceAutomatedBackups"]
    shown = copied.instance(helpers.NAME)
    assert backup["DbiResourceId"] == shown["DbiResourceId"]
    window = backup["RestoreWindow"]
    assert shown["InstanceCreateTime"] <= window["EarliestTime"] <= window["LatestTime"]
    early = dict(
        SourceDBInstanceIdentifier=helpers.NAME,
        TargetDBInstanceIdentifier="early",
        RestoreTime=window["EarliestTime"] - datetime.timedelta(seconds=1),
    )
    assert "earlier than" in helpers.refusal(copied.rds.restore_db_instance_to_point_in_time, **early)[1]


def test_a_role_is_pending_and_then_active_and_a_restore_does_not_bring_it(copied, helpers):
    copied.rds.add_role_to_db_instance(DBInstanceIdentifier=helpers.NAME, **ROLE)
    (shown,) = copied.instance(helpers.NAME)["AssociatedRoles"]
    assert shown in ({**ROLE, "Status": "PENDING"}, {**ROLE, "Status": "ACTIVE"})
    helpers.await_that(lambda: copied.instance(helpers.NAME)["AssociatedRoles"][0]["Status"] == "ACTIVE")
    again = {"DBInstanceIdentifier": helpers.NAME, **ROLE}
    assert helpers.refusal(copied.rds.add_role_to_db_instance, **again)[0] == "DBInstanceRoleAlreadyExists"
    assert copied.restore("without-role")["AssociatedRoles"] == []
    copied.rds.remove_role_from_db_instance(**again)
    assert copied.instance(helpers.NAME)["AssociatedRoles"] == []


def test_a_ca_that_is_withdrawn_is_given_to_nobody_any_more(copied, helpers):
    names = [item["CertificateIdentifier"] for item in copied.rds.describe_certificates()["Certificates"]]
    assert "rds-ca-ecc384-g1" in names
    copied.lab.lab.rds.roles.withdraw_authority("rds-ca-ecc384-g1")
    names = [item["CertificateIdentifier"] for item in copied.rds.describe_certificates()["Certificates"]]
    assert "rds-ca-ecc384-g1" not in names
    wanted = dict(
        DBInstanceIdentifier="old-ca", DBSnapshotIdentifier=helpers.SNAPSHOT, CACertificateIdentifier="rds-ca-ecc384-g1"
    )
    assert helpers.refusal(copied.rds.restore_db_instance_from_db_snapshot, **wanted)[0] == "CertificateNotFound"
