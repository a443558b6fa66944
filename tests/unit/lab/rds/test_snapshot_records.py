# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots that the lab never took, by its control `rds_snapshot`: described like others, and refused by restores."""

from __future__ import annotations

import pytest

SOURCE = "described"


@pytest.fixture(scope="module")
def recorded(stage):
    """An instance with one snapshot of each kind."""
    stage.create_plain(SOURCE)
    stage.await_available(SOURCE)
    record = stage.lab.lab.controls["rds_snapshot"]
    record("foreign", SOURCE, engine="mysql", engine_version="8.0.40")
    record("endless", SOURCE, status="creating")
    record("rds:described-2026-11-22-03-05", SOURCE, kind="automated", created="2026-11-22T03:05:00+00:00")
    return stage


def described(stage, name: str) -> dict:
    """What DescribeDBSnapshots says."""
    return stage.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]


def test_another_engine_shows_and_cannot_be_restored_as_postgres(recorded, helpers):
    shown = described(recorded, "foreign")
    assert (shown["Engine"], shown["EngineVersion"], shown["Status"]) == ("mysql", "8.0.40", "available")
    restore = recorded.rds.restore_db_instance_from_db_snapshot
    for options in ({}, {"Engine": "postgres"}):
        wanted = {"DBInstanceIdentifier": "refused", "DBSnapshotIdentifier": "foreign", **options}
        assert helpers.refusal(restore, **wanted)[0] == "InvalidParameterCombination"


def test_a_snapshot_may_be_creating_for_ever_while_its_source_is_available(recorded, helpers):
    shown = described(recorded, "endless")
    assert shown["Status"] == "creating"
    assert shown["PercentProgress"] < 100
    assert recorded.instance(SOURCE)["DBInstanceStatus"] == "available"
    restore = {"DBInstanceIdentifier": "refused", "DBSnapshotIdentifier": "endless"}
    assert helpers.refusal(recorded.rds.restore_db_instance_from_db_snapshot, **restore)[0] == "InvalidDBSnapshotState"


def test_automated_snapshots_are_listed_with_manual_ones_and_are_in_no_quota(recorded):
    read = recorded.rds.describe_db_snapshots
    listed = {kind: names(read(DBInstanceIdentifier=SOURCE, **kind_of(kind))) for kind in ("", "automated", "manual")}
    assert listed["automated"] == ["rds:described-2026-11-22-03-05"]
    assert listed[""] == sorted(listed["manual"] + listed["automated"])
    quotas = recorded.rds.describe_account_attributes()["AccountQuotas"]
    assert {quota["AccountQuotaName"]: quota["Used"] for quota in quotas}["ManualSnapshots"] == 2


def kind_of(kind: str) -> dict:
    """The parameter that asks for one type."""
    return {"SnapshotType": kind} if kind else {}


def names(answer: dict) -> list[str]:
    """The identifiers of an answer's snapshots."""
    return sorted(shown["DBSnapshotIdentifier"] for shown in answer["DBSnapshots"])
