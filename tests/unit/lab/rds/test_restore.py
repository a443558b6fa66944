# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RestoreDBInstanceFromDBSnapshot: RDS's defaults for what is not passed, and data that is its own."""

from __future__ import annotations

import itertools
import time

import psycopg
import pytest

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def bare(production):
    """A restore to which nothing was passed but the names."""
    return production.restore("bare")


@pytest.fixture(scope="module")
def full(production):
    """A restore to which everything was passed that the API takes."""
    return production.restore(
        "full", VpcSecurityGroupIds=[production.open_group], DBSubnetGroupName="private", DBParameterGroupName="tuned",
        OptionGroupName="own", MultiAZ=True, DeletionProtection=True, StorageType="gp3", Iops=14000, StorageThroughput=700,
        EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql", "upgrade"], BackupRetentionPeriod=7,
        PreferredBackupWindow="05:00-05:30", CACertificateIdentifier="rds-ca-rsa4096-g1", CopyTagsToSnapshot=True, Port=6432,
        DBInstanceClass="db.r6g.large", AutoMinorVersionUpgrade=False, PubliclyAccessible=True, Tags=[{"Key": "run", "Value": "1"}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MultiAZ", False),
        ("DeletionProtection", False),
        ("IAMDatabaseAuthenticationEnabled", False),
        ("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        ("CopyTagsToSnapshot", False),
        ("AutoMinorVersionUpgrade", True),
        ("PubliclyAccessible", False),
        ("MonitoringInterval", 0),
        ("PerformanceInsightsEnabled", False),
        ("DatabaseInsightsMode", "standard"),
        ("StorageType", "gp3"),
        ("StorageThroughput", 500),
    ],
)
def test_restore_gives_the_default_for_what_is_not_passed(bare, setting, value):
    assert bare[setting] == value


def test_restore_gives_default_groups(production, bare):
    default = production.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [production.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"][0]["GroupId"]
    assert bare["VpcSecurityGroups"] == [{"VpcSecurityGroupId": default, "Status": "active"}]
    assert bare["DBParameterGroups"] == [
        {"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}
    ]
    assert bare["OptionGroupMemberships"] == [{"OptionGroupName": "default:postgres-16", "Status": "in-sync"}]
    assert bare["DBSubnetGroup"]["DBSubnetGroupName"] == "default"


def test_restore_leaves_out_log_exports_autoscaling_and_monitoring_role(bare):
    assert not {
        "EnabledCloudwatchLogsExports",
        "MaxAllocatedStorage",
        "MonitoringRoleArn",
        "PerformanceInsightsRetentionPeriod",
    } & set(bare)


def test_restore_takes_class_port_iops_storage_and_retention_from_the_snapshot(bare, helpers):
    same = (
        "DBInstanceClass",
        "Iops",
        "AllocatedStorage",
        "BackupRetentionPeriod",
        "PreferredBackupWindow",
        "EngineVersion",
    )
    assert {name: bare[name] for name in same} == {name: helpers.SETTINGS[name] for name in same}
    assert bare["Endpoint"]["Port"] == 5432
    assert bare["MasterUsername"] == "spymeo"
    assert bare["StorageEncrypted"] is True


def test_restore_keeps_the_sources_tags_when_none_are_passed(bare):
    assert bare["TagList"] == [{"Key": "team", "Value": "care"}]


def test_tags_that_are_passed_replace_the_sources_tags(full):
    assert full["TagList"] == [{"Key": "run", "Value": "1"}]


def test_restore_honours_what_is_passed(production, full):
    shown = {
        "MultiAZ": True, "DeletionProtection": True, "StorageType": "gp3", "Iops": 14000, "StorageThroughput": 700,
        "IAMDatabaseAuthenticationEnabled": True, "EnabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "BackupRetentionPeriod": 7, "PreferredBackupWindow": "05:00-05:30", "CACertificateIdentifier": "rds-ca-rsa4096-g1",
        "CopyTagsToSnapshot": True, "DBInstanceClass": "db.r6g.large", "AutoMinorVersionUpgrade": False, "PubliclyAccessible": True,
    }  # fmt: skip
    assert {name: full[name] for name in shown} == shown
    assert full["VpcSecurityGroups"] == [{"VpcSecurityGroupId": production.open_group, "Status": "active"}]
    assert full["OptionGroupMemberships"][0]["OptionGroupName"] == "own"
    assert full["DBSubnetGroup"]["DBSubnetGroupName"] == "private"
    assert full["Endpoint"]["Port"] == 6432


def test_a_parameter_group_passed_at_restore_needs_no_reboot(full):
    assert full["DBParameterGroups"] == [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "in-sync"}]


def test_storage_is_io1_when_only_iops_are_passed(production):
    wanted = {
        "DBInstanceIdentifier": "provisioned",
        "DBSnapshotIdentifier": "spymeo-pre-migration-snapshot",
        "Iops": 5000,
    }
    assert production.rds.restore_db_instance_from_db_snapshot(**wanted)["DBInstance"]["StorageType"] == "io1"


def test_a_restore_with_the_default_group_cannot_be_reached(production, bare):
    assert bare["DBInstanceStatus"] == "available"
    with pytest.raises(psycopg.OperationalError):
        production.connect("bare")


def test_a_restored_server_is_independent_of_its_source(production, helpers):
    production.await_available(helpers.NAME)
    production.restore("independent", VpcSecurityGroupIds=[production.open_group])
    with production.connect("independent") as connection:
        connection.execute("DELETE FROM practitioners")
    assert (production.count("independent"), production.count(helpers.NAME)) == (0, 100)


def test_the_endpoint_is_missing_while_creating_and_backing_up_comes_before_available(production):
    production.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="watched", DBSnapshotIdentifier="spymeo-pre-migration-snapshot"
    )
    seen = {}
    while "available" not in seen:
        shown = production.instance("watched")
        seen.setdefault(shown["DBInstanceStatus"], "Endpoint" in shown)
        time.sleep(0.01)
    assert seen["creating"] is False
    assert list(seen) == ["creating", "backing-up", "available"]
    assert seen["backing-up"] is True
    assert production.messages("watched")[:2] == [
        "Restored from snapshot spymeo-pre-migration-snapshot",
        "Backing up DB instance",
    ]


@pytest.fixture
def answering(production, helpers, busy):
    """The name of an instance that was restored a moment ago, and is backing-up."""
    name = f"answering-{next(NUMBERS)}"
    production.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=name, DBSnapshotIdentifier=helpers.SNAPSHOT, VpcSecurityGroupIds=[production.open_group]
    )
    helpers.await_that(lambda: production.instance(name)["DBInstanceStatus"] == "backing-up")
    return name


def test_the_endpoint_answers_during_the_first_backup_and_rds_changes_nothing(production, helpers, answering):
    assert production.count(answering) == 100
    rds, of = production.rds, {"DBInstanceIdentifier": answering}
    for call, arguments in (
        (rds.modify_db_instance, {"MaxAllocatedStorage": 2000, "ApplyImmediately": True}),
        (rds.stop_db_instance, {}),
        (rds.reboot_db_instance, {}),
        (rds.create_db_snapshot, {"DBSnapshotIdentifier": "too-early"}),
        (rds.add_role_to_db_instance, {"RoleArn": "arn:aws:iam::123456789012:role/s3", "FeatureName": "s3Import"}),
    ):
        assert helpers.refusal(call, **of, **arguments)[0] == "InvalidDBInstanceState"
    assert "LatestRestorableTime" not in production.instance(answering)


def test_a_restore_without_backups_is_available_at_once_and_backs_up_when_they_are_turned_on(production, helpers, busy):
    production.restore("unbacked", BackupRetentionPeriod=0, VpcSecurityGroupIds=[production.open_group])
    assert production.instance("unbacked")["DBInstanceStatus"] == "available"
    production.rds.modify_db_instance(
        DBInstanceIdentifier="unbacked",
        BackupRetentionPeriod=7,
        PreferredBackupWindow="03:00-03:30",
        ApplyImmediately=True,
    )
    helpers.await_that(lambda: production.instance("unbacked")["DBInstanceStatus"] == "backing-up")
    assert production.count("unbacked") == 100


def test_the_blocks_of_a_restored_instance_are_loaded_while_it_answers(production, answering):
    first, second = (production.instance(answering) for _look in range(2))
    assert first["StorageOperationStatus"] == "Initializing"
    assert 0 <= first["StorageOperationPercentProgress"] <= second["StorageOperationPercentProgress"] < 100


def test_restore_while_the_source_is_snapshotted_is_possible(production, helpers):
    production.rds.create_db_snapshot(DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="safety")
    answer = production.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="meanwhile", DBSnapshotIdentifier=helpers.SNAPSHOT
    )
    assert production.instance(helpers.NAME)["DBInstanceStatus"] == "backing-up"
    assert answer["DBInstance"]["DBInstanceStatus"] == "creating"
    production.await_available("meanwhile")


def test_a_terminal_state_comes_with_the_event_that_tells_why(production, helpers):
    production.lab.lab.rds.restores.fail_next_restore("incompatible-network")
    production.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="lost", DBSnapshotIdentifier=helpers.SNAPSHOT
    )
    helpers.await_that(lambda: production.instance("lost")["DBInstanceStatus"] == "incompatible-network")
    assert "Endpoint" not in production.instance("lost")
    assert "incompatible network" in production.messages("lost")[-1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"DBInstanceIdentifier": "spymeo-production-db"}, "DBInstanceAlreadyExists"),
        ({"DBSnapshotIdentifier": "nothing"}, "DBSnapshotNotFound"),
        ({"DBParameterGroupName": "nothing"}, "DBParameterGroupNotFound"),
        ({"DBParameterGroupName": "tuned-15"}, "InvalidParameterCombination"),
        ({"OptionGroupName": "nothing"}, "OptionGroupNotFoundFault"),
        ({"DBSubnetGroupName": "nothing"}, "DBSubnetGroupNotFoundFault"),
        ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
        ({"AllocatedStorage": 100}, "InvalidParameterValue"),
        ({"DBInstanceClass": "db.x9.huge"}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "-bad-"}, "InvalidParameterValue"),
        ({"Engine": "mysql"}, "InvalidParameterValue"),
        ({"MultiAZ": True, "AvailabilityZone": "eu-west-3a"}, "InvalidParameterCombination"),
        ({"EnableCustomerOwnedIp": True}, "InvalidParameterCombination"),
    ],
)
def test_restore_refuses_what_rds_refuses(production, helpers, arguments, code):
    wanted = {"DBInstanceIdentifier": "refused", "DBSnapshotIdentifier": helpers.SNAPSHOT, **arguments}
    assert helpers.refusal(production.rds.restore_db_instance_from_db_snapshot, **wanted)[0] == code
    assert helpers.refusal(production.instance, name="refused")[0] == "DBInstanceNotFound"


@pytest.mark.parametrize(
    ("quota", "code"), [("DBInstances", "InstanceQuotaExceeded"), ("AllocatedStorage", "StorageQuotaExceeded")]
)
def test_restore_stops_at_a_quota(production, helpers, quota, code):
    rds = production.lab.lab.rds
    before = rds.account.quotas[quota]
    rds.controls()["rds_quota"](quota, 1)
    try:
        wanted = {"DBInstanceIdentifier": "refused", "DBSnapshotIdentifier": helpers.SNAPSHOT}
        assert helpers.refusal(production.rds.restore_db_instance_from_db_snapshot, **wanted)[0] == code
    finally:
        rds.controls()["rds_quota"](quota, before)
