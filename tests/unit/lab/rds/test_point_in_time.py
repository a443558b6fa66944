# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RestoreDBInstanceToPointInTime: exactly what was committed at that time, and RDS's defaults for what is not passed."""

from __future__ import annotations

import dataclasses
import datetime
import time

import pytest

from loopback_aws.durations import Durations

SOURCE = "written"
MOMENT = datetime.timedelta(milliseconds=50)


@pytest.fixture(name="module_durations", scope="module")
def _module_durations() -> Durations:
    return Durations(
        restore=0.1, backing_up=0.05, modify=0.05, stop=0.05, security_group_interval=0.02, log_upload=0.05
    )


@pytest.fixture(scope="module")
def written(stage):
    """A database with settings away from RDS's defaults, and rows whose times are known: `first` has 1, `second` 2."""
    stage.create_plain(
        SOURCE, DBName="spymeo", AllocatedStorage=400, Iops=13000, StorageThroughput=600, StorageType="gp3", MultiAZ=True,
        BackupRetentionPeriod=14, PreferredBackupWindow="02:00-02:30", PreferredMaintenanceWindow="sun:04:00-sun:04:30",
        DeletionProtection=True, DBParameterGroupName="tuned", DBSubnetGroupName="private", OptionGroupName="own",
        DBInstanceClass="db.m6g.large", MaxAllocatedStorage=1000, EnableCloudwatchLogsExports=["postgresql"], StorageEncrypted=True,
        CopyTagsToSnapshot=True, Tags=[{"Key": "team", "Value": "care"}],
    )  # fmt: skip
    stage.await_available(SOURCE)
    with stage.connect(SOURCE) as connection:
        connection.execute("CREATE TABLE practitioners (id int PRIMARY KEY)")
        stage.moments = [insert(connection, number) for number in (1, 2, 3)]
    return stage


def insert(connection, number: int) -> datetime.datetime:
    """Commit one more row; returns a moment after it and before whatever comes next."""
    connection.execute("INSERT INTO practitioners VALUES (%s)", [number])
    time.sleep(MOMENT.total_seconds())
    moment = datetime.datetime.now(datetime.UTC)
    time.sleep(MOMENT.total_seconds())
    return moment


def restore(stage, name: str, moment: datetime.datetime | None, source: str = SOURCE, **options) -> dict:
    """Restore once the log has come as far, and wait; returns the instance."""
    while moment and stage.instance(source)["LatestRestorableTime"] < moment:
        time.sleep(0.02)
    when = {"RestoreTime": moment} if moment else {"UseLatestRestorableTime": True}
    wanted = {"VpcSecurityGroupIds": [stage.open_group], **options}
    stage.rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=source, TargetDBInstanceIdentifier=name, **when, **wanted
    )
    return stage.await_available(name)


@pytest.fixture(scope="module")
def bare(written):
    """The source with its first row, and nothing passed but that anyone can reach it."""
    return restore(written, "bare", written.moments[0])


def test_the_data_are_those_of_the_time(written, bare):
    assert bare["DBInstanceStatus"] == "available"
    restore(written, "second", written.moments[1])
    assert [written.count(name) for name in ("bare", "second", SOURCE)] == [1, 2, 3]
    assert written.messages("second")[0].startswith(f"Restored from DB instance {SOURCE} to ")


def test_a_restored_server_is_independent_and_can_be_restored_to_a_time_itself(written, bare, helpers):
    helpers.await_that(lambda: "LatestRestorableTime" in written.instance("bare"))
    with written.connect("bare") as connection:
        moment = insert(connection, 7)
        connection.execute("DELETE FROM practitioners")
    restore(written, "again", moment, source="bare")
    assert [written.count(name) for name in ("again", "bare", SOURCE)] == [2, 0, 3]


def test_what_a_snapshot_restored_can_be_restored_to_a_time_as_well(written):
    written.rds.create_db_snapshot(DBInstanceIdentifier=SOURCE, DBSnapshotIdentifier="three")
    written.rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier="three", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )
    written.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="of-three", DBSnapshotIdentifier="three", VpcSecurityGroupIds=[written.open_group]
    )
    written.await_available("of-three")
    written.rds.delete_db_snapshot(DBSnapshotIdentifier="three")
    with written.connect("of-three") as connection:
        moment = insert(connection, 4)
        insert(connection, 5)
    restore(written, "of-four", moment, source="of-three")
    assert (written.count("of-four"), written.count("of-three")) == (4, 5)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MultiAZ", False),
        ("DeletionProtection", False),
        ("CopyTagsToSnapshot", False),
        ("StorageThroughput", 500),
        ("BackupRetentionPeriod", 14),
        ("PreferredBackupWindow", "02:00-02:30"),
        ("DBInstanceClass", "db.m6g.large"),
        ("AllocatedStorage", 400),
        ("Iops", 13000),
        ("StorageEncrypted", True),
        ("TagList", [{"Key": "team", "Value": "care"}]),
    ],
)
def test_what_is_not_passed_is_as_after_the_restore_of_a_snapshot(bare, setting, value):
    assert bare[setting] == value


def test_groups_and_autoscaling_are_not_the_sources(bare):
    assert bare["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres16"
    assert bare["OptionGroupMemberships"][0]["OptionGroupName"] == "default:postgres-16"
    assert bare["DBSubnetGroup"]["DBSubnetGroupName"] == "default"
    assert not {"EnabledCloudwatchLogsExports", "MaxAllocatedStorage"} & set(bare)


def test_what_is_passed_is_honoured_storage_autoscaling_too(written):
    shown = {
        "MultiAZ": True, "DeletionProtection": True, "StorageType": "gp3", "Iops": 14000, "StorageThroughput": 700,
        "BackupRetentionPeriod": 0, "DBInstanceClass": "db.r6g.large", "AutoMinorVersionUpgrade": False, "MaxAllocatedStorage": 900,
        "CACertificateIdentifier": "rds-ca-rsa4096-g1", "CopyTagsToSnapshot": True, "PubliclyAccessible": True,
    }  # fmt: skip
    instance = restore(
        written, "full", None, **shown, DBParameterGroupName="tuned", DBSubnetGroupName="private", OptionGroupName="own", Port=6432,
        EnableCloudwatchLogsExports=["upgrade"], EnableIAMDatabaseAuthentication=True, Tags=[{"Key": "run", "Value": "1"}],
    )  # fmt: skip
    assert {name: instance[name] for name in shown} == shown
    assert instance["DBParameterGroups"] == [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "in-sync"}]
    assert (instance["Endpoint"]["Port"], instance["IAMDatabaseAuthenticationEnabled"]) == (6432, True)
    assert instance["EnabledCloudwatchLogsExports"] == ["upgrade"]
    assert instance["TagList"] == [{"Key": "run", "Value": "1"}]
    assert "LatestRestorableTime" not in instance


def test_the_latest_restorable_time_moves_in_steps_behind_the_clock(written, helpers, monkeypatch):
    since = written.lab.lab.rds.store.instances[SOURCE].backups_since
    monkeypatch.setattr(written.lab.lab, "durations", dataclasses.replace(written.lab.lab.durations, log_upload=300))
    assert written.instance(SOURCE)["LatestRestorableTime"] == since
    late = {"SourceDBInstanceIdentifier": SOURCE, "TargetDBInstanceIdentifier": "late"}
    code, message = helpers.refusal(
        written.rds.restore_db_instance_to_point_in_time, RestoreTime=since + MOMENT, **late
    )
    assert code == "InvalidParameterValue"
    assert message.startswith("The specified instance cannot be restored to a time later than ")


def test_a_time_before_the_backups_is_refused(written, helpers):
    early = {
        "SourceDBInstanceIdentifier": SOURCE,
        "TargetDBInstanceIdentifier": "early",
        "RestoreTime": written.instance(SOURCE)["InstanceCreateTime"] - MOMENT,
    }
    code, message = helpers.refusal(written.rds.restore_db_instance_to_point_in_time, **early)
    assert code == "InvalidParameterValue"
    assert "to a time earlier than" in message


def test_without_automated_backups_there_is_nothing_to_go_back_to(written, helpers):
    written.create_plain("careless", DBName="spymeo", BackupRetentionPeriod=0)
    assert "LatestRestorableTime" not in written.await_available("careless")
    wanted = {
        "SourceDBInstanceIdentifier": "careless",
        "TargetDBInstanceIdentifier": "none",
        "UseLatestRestorableTime": True,
    }
    call = written.rds.restore_db_instance_to_point_in_time
    assert helpers.refusal(call, **wanted)[0] == "PointInTimeRestoreNotEnabled"
    written.rds.modify_db_instance(DBInstanceIdentifier="careless", BackupRetentionPeriod=1, ApplyImmediately=True)
    helpers.await_that(lambda: "LatestRestorableTime" in written.instance("careless"))
    with written.connect("careless") as connection:
        connection.execute("CREATE TABLE practitioners (id int PRIMARY KEY)")
        moment = insert(connection, 1)
    restore(written, "careful", moment, source="careless")
    assert written.count("careful") == 1


def test_a_stopped_instance_can_be_restored_to_its_end(written, helpers):
    written.create_plain("asleep", DBName="spymeo")
    written.await_available("asleep")
    with written.connect("asleep") as connection:
        connection.execute("CREATE TABLE practitioners (id int PRIMARY KEY)")
        insert(connection, 1)
    written.rds.stop_db_instance(DBInstanceIdentifier="asleep")
    helpers.await_that(lambda: written.instance("asleep")["DBInstanceStatus"] == "stopped")
    latest = written.instance("asleep")["LatestRestorableTime"]
    restore(written, "awake", None, source="asleep")
    assert written.count("awake") == 1
    assert written.instance("asleep")["LatestRestorableTime"] == latest


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"TargetDBInstanceIdentifier": SOURCE}, "DBInstanceAlreadyExists"),
        ({"SourceDBInstanceIdentifier": "nothing"}, "DBInstanceNotFound"),
        ({"RestoreTime": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}, "InvalidParameterCombination"),
        ({"UseLatestRestorableTime": False}, "InvalidParameterCombination"),
        ({"DBParameterGroupName": "tuned-15"}, "InvalidParameterCombination"),
        ({"AllocatedStorage": 100}, "InvalidParameterValue"),
        ({"TdeCredentialArn": "x"}, "InvalidParameterCombination"),
    ],
)
def test_a_restore_to_a_time_refuses_what_rds_refuses(written, helpers, arguments, code):
    wanted = {
        "SourceDBInstanceIdentifier": SOURCE, "TargetDBInstanceIdentifier": "refused", "UseLatestRestorableTime": True, **arguments,
    }  # fmt: skip
    assert helpers.refusal(written.rds.restore_db_instance_to_point_in_time, **wanted)[0] == code
    assert helpers.refusal(written.instance, name="refused")[0] == "DBInstanceNotFound"


def test_it_may_end_in_a_terminal_state(written, helpers):
    written.lab.lab.rds.restores.fail_next_restore("incompatible-restore")
    written.rds.restore_db_instance_to_point_in_time(
        SourceDbiResourceId=written.instance(SOURCE)["DbiResourceId"], TargetDBInstanceIdentifier="lost",
        UseLatestRestorableTime=True,
    )  # fmt: skip
    helpers.await_that(lambda: written.instance("lost")["DBInstanceStatus"] == "incompatible-restore")
