# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CreateDBSnapshot, DescribeDBSnapshots, DeleteDBSnapshot."""

from __future__ import annotations

import time

import pytest


def snapshot(stage, name: str) -> dict:
    """What DescribeDBSnapshots says."""
    return stage.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]


def test_the_data_of_a_snapshot_is_that_of_the_call(production, helpers):
    with production.connect(helpers.NAME) as connection:
        connection.execute("INSERT INTO practitioners VALUES (101)")
        production.rds.create_db_snapshot(DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="at-101")
        assert snapshot(production, "at-101")["Status"] == "creating"
        connection.execute("INSERT INTO practitioners VALUES (102)")
    production.await_available(helpers.NAME)
    production.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="from-101", DBSnapshotIdentifier="at-101", VpcSecurityGroupIds=[production.open_group]
    )
    production.await_available("from-101")
    assert (production.count("from-101"), production.count(helpers.NAME)) == (101, 102)


def test_a_snapshot_shows_its_progress_until_it_is_available(production, helpers):
    answer = production.rds.create_db_snapshot(DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="watched")[
        "DBSnapshot"
    ]
    assert (answer["Status"], answer["PercentProgress"]) == ("creating", 0)
    assert "SnapshotCreateTime" not in answer
    seen = []
    while not seen or seen[-1]["Status"] == "creating":
        seen.append(snapshot(production, "watched"))
        time.sleep(0.02)
    progress = [shown["PercentProgress"] for shown in seen]
    assert progress == sorted(progress)
    assert progress[0] < progress[-1] == 100
    assert seen[-1]["SnapshotCreateTime"] == seen[-1]["OriginalSnapshotCreateTime"]
    assert production.messages("watched", "db-snapshot") == ["Creating manual snapshot", "Manual snapshot created"]


def test_while_a_snapshot_is_made_its_source_serves_and_nothing_else_can_be_done_with_either(production, helpers):
    production.rds.create_db_snapshot(DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="short-lived")
    assert production.instance(helpers.NAME)["DBInstanceStatus"] == "backing-up"
    for call, arguments, code in (
        (production.rds.create_db_snapshot, {"DBInstanceIdentifier": helpers.NAME}, "InvalidDBInstanceState"),
        (
            production.rds.restore_db_instance_from_db_snapshot,
            {"DBInstanceIdentifier": "early"},
            "InvalidDBSnapshotState",
        ),
        (production.rds.delete_db_snapshot, {}, "InvalidDBSnapshotState"),
    ):
        assert helpers.refusal(call, DBSnapshotIdentifier="short-lived", **arguments)[0] == code
    assert production.count(helpers.NAME) >= 100
    production.await_available(helpers.NAME)


def test_a_snapshot_tells_the_settings_of_its_source(production, helpers):
    shown = snapshot(production, helpers.SNAPSHOT)
    same = ("AllocatedStorage", "Iops", "StorageType", "StorageThroughput", "EngineVersion", "BackupRetentionPeriod")
    assert {name: shown[name] for name in same} == {name: helpers.SETTINGS[name] for name in same}
    assert (shown["DBInstanceIdentifier"], shown["Port"], shown["SnapshotType"]) == (helpers.NAME, 5432, "manual")
    assert shown["DbiResourceId"] == production.instance(helpers.NAME)["DbiResourceId"]
    assert shown["Encrypted"] is True
    assert shown["KmsKeyId"] == production.instance(helpers.NAME)["KmsKeyId"]


def test_tags_are_copied_because_the_instance_says_so(production, helpers):
    assert snapshot(production, helpers.SNAPSHOT)["TagList"] == [{"Key": "team", "Value": "care"}]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"DBInstanceIdentifier": "spymeo-production-db"}, True),
        ({"DBInstanceIdentifier": "another"}, False),
        ({"SnapshotType": "manual"}, True),
        ({"SnapshotType": "automated"}, False),
        ({"Filters": [{"Name": "db-instance-id", "Values": ["spymeo-production-db"]}]}, True),
        ({"Filters": [{"Name": "engine", "Values": ["mysql"]}]}, False),
        ({"DbiResourceId": "db-ANOTHER"}, False),
    ],
)
def test_snapshots_are_found_by_what_describes_them(production, helpers, condition, found):
    names = [
        shown["DBSnapshotIdentifier"] for shown in production.rds.describe_db_snapshots(**condition)["DBSnapshots"]
    ]
    assert (helpers.SNAPSHOT in names) is found


def test_a_deleted_snapshot_is_gone(production, helpers):
    production.rds.create_db_snapshot(DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="doomed")
    production.await_available(helpers.NAME)
    directory = production.lab.lab.rds.store.snapshots["doomed"].directory
    assert production.rds.delete_db_snapshot(DBSnapshotIdentifier="doomed")["DBSnapshot"]["Status"] == "deleted"
    assert helpers.refusal(snapshot, stage=production, name="doomed")[0] == "DBSnapshotNotFound"
    helpers.await_that(lambda: not directory.exists())


def test_names_and_quota_are_checked_before_anything_happens(production, helpers):
    create = production.rds.create_db_snapshot
    assert (
        helpers.refusal(create, DBInstanceIdentifier="nothing", DBSnapshotIdentifier="new")[0] == "DBInstanceNotFound"
    )
    assert (
        helpers.refusal(create, DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier=helpers.SNAPSHOT)[0]
        == "DBSnapshotAlreadyExists"
    )
    assert (
        helpers.refusal(create, DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="no_good")[0]
        == "InvalidParameterValue"
    )
    quotas = production.lab.lab.rds.account.quotas
    before, quotas["ManualSnapshots"] = quotas["ManualSnapshots"], 1
    try:
        assert (
            helpers.refusal(create, DBInstanceIdentifier=helpers.NAME, DBSnapshotIdentifier="new")[0]
            == "SnapshotQuotaExceeded"
        )
    finally:
        quotas["ManualSnapshots"] = before
    assert production.instance(helpers.NAME)["DBInstanceStatus"] == "available"
