# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that would make a restore fail is found at once, each with its cure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Ancestor
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import DataLoss, Rollback
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.preflight import (
    DatabaseObservation,
    database_findings,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import against
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RUN = "rb-20261122-120000"
NEW, SAFETY = "app-db-" + RUN, "app-db-failed-migration-" + RUN
DENIED = NotRead("these credentials may not call it", "Allow it.")
ROOM = {"DBInstances": (3, 40), "ManualSnapshots": (5, 100), "AllocatedStorage": (500, 100000)}


@pytest.fixture
def look(db_instance_answer, db_snapshot_answer):
    """The findings of a restore that can be done, with something changed."""

    def run(state="restore", current=None, snapshot=None, restored=None, safety=None, safety_wanted=True, **readings):
        source = DbSnapshot.from_boto(db_snapshot_answer(**(snapshot or {})))
        rollback = Rollback(
            state=state,
            reason="",
            replaced="app-db",
            restored=DbInstance.from_boto(db_instance_answer(**restored)) if restored else None,
            new_db_instance=NEW,
            safety_snapshot=SAFETY if safety_wanted else "",
            lost=DataLoss(NOON - timedelta(hours=1), NOON, ""),
            current=DbInstance.from_boto(db_instance_answer(**(current or {}))),
            source=source,
            against=against(source, (Ancestor("db-APPDBXXXXXXXXXXXXXXXXXXXXX", "app-db", None, NOON),)),
        )
        taken = DbSnapshot.from_boto(db_snapshot_answer(name=SAFETY, **safety)) if safety else None
        seen = DatabaseObservation(rollback, RUN, NOON, taken, **{"quotas": ROOM, **readings})
        return database_findings(seen)

    return run


def not_passed(found):
    return [(item.check, item.verdict) for item in found if item.verdict != "passed"]


def test_a_restore_that_can_be_done_passes_every_check(look):
    found = look()
    assert not_passed(found) == []
    assert {item.check for item in found} == {
        "source",
        "name",
        "safety_snapshot",
        "lineage",
        "quota",
        "class",
        "subnet_group",
        "key",
        "proxy",
    }


ROWS = {
    "snapshot not available": (dict(snapshot={"Status": "creating"}), ("source", "failed")),
    "snapshot of another engine": (dict(snapshot={"Engine": "mysql"}), ("source", "failed")),
    "a cluster's instance": (dict(current={"DBClusterIdentifier": "aurora"}), ("source", "failed")),
    "snapshot of another instance": (dict(snapshot={"DBInstanceIdentifier": "staging-db"}), ("lineage", "failed")),
    "a stranger has the name": (dict(restored={"name": NEW, "tags": {}}), ("name", "failed")),
    "a stranger has the safety snapshot's name": (dict(safety={"tags": {}}), ("safety_snapshot", "failed")),
    "the instance cannot be snapshotted": (
        dict(current={"DBInstanceStatus": "stopped"}),
        ("safety_snapshot", "failed"),
    ),
    "no room for an instance": (dict(quotas={**ROOM, "DBInstances": (40, 40)}), ("quota", "failed")),
    "no room for a snapshot": (dict(quotas={**ROOM, "ManualSnapshots": (100, 100)}), ("quota", "failed")),
    "no room for its storage": (dict(quotas={**ROOM, "AllocatedStorage": (99999, 100000)}), ("quota", "failed")),
    "a quota that RDS does not tell": (
        dict(quotas={name: value for name, value in ROOM.items() if name != "DBInstances"}),
        ("quota", "inconclusive"),
    ),
    "quotas may not be read": (dict(quotas=DENIED), ("quota", "inconclusive")),
    "class not offered": (dict(offered=False), ("class", "failed")),
    "class may not be read": (dict(offered=DENIED), ("class", "inconclusive")),
    "subnet group gone": (dict(subnet_group=None), ("subnet_group", "failed")),
    "subnet group may not be read": (dict(subnet_group=DENIED), ("subnet_group", "inconclusive")),
    "key disabled": (dict(key_state="Disabled"), ("key", "failed")),
    "key gone": (dict(key_state=None), ("key", "failed")),
    "key may not be read": (dict(key_state=DENIED), ("key", "inconclusive")),
    "a proxy": (dict(proxies=["app-proxy"]), ("proxy", "noted")),
    "proxies may not be read": (dict(proxies=DENIED), ("proxy", "inconclusive")),
    "a snapshot of another instance, all the same": (
        dict(snapshot={"DBInstanceIdentifier": "staging-db"}, despite_lineage=True),
        ("lineage", "noted"),
    ),
    "a safety snapshot": (
        dict(snapshot={"TagList": [{"Key": "spymeo:rollback-safety", "Value": "app-db"}]}),
        ("lineage", "noted"),
    ),
    "a source that is backing up": (dict(current={"DBInstanceStatus": "backing-up"}), ("safety_snapshot", "noted")),
    "no safety snapshot wanted": (
        dict(current={"DBInstanceStatus": "failed"}, safety_wanted=False),
        ("safety_snapshot", "noted"),
    ),
    "another key": (dict(snapshot={"KmsKeyId": "arn:aws:kms:eu-west-3:123456789012:key/9"}), ("encryption", "failed")),
    "not encrypted": (dict(snapshot={"KmsKeyId": None}), ("encryption", "failed")),
    "only the snapshot is encrypted": (dict(current={"KmsKeyId": None}), ("encryption", "failed")),
    "a newer minor version": (dict(snapshot={"EngineVersion": "16.10"}), ("version", "noted")),
    "a CA that is given no more": (
        dict(authorities={"other": NOON + timedelta(days=1)}),
        ("certificate", "noted"),
    ),
    "a CA whose life is over": (dict(authorities={"rds-ca-rsa4096-g1": NOON}), ("certificate", "noted")),
    "CAs may not be read": (dict(authorities=DENIED), ("certificate", "inconclusive")),
    "the earliest time may not be read": (dict(earliest=DENIED), ("earliest", "inconclusive")),
    "parameters that wait for a reboot": (
        dict(current={"DBParameterGroups": [{"DBParameterGroupName": "g", "ParameterApplyStatus": "pending-reboot"}]}),
        ("parameter_group", "noted"),
    ),
    "a role that RDS cannot use": (
        dict(current={"AssociatedRoles": [{"RoleArn": "arn:r", "FeatureName": "s3Import", "Status": "INVALID"}]}),
        ("role", "noted"),
    ),
    "a role without a feature": (dict(current={"AssociatedRoles": [{"RoleArn": "arn:r"}]}), ("role", "noted")),
    "a read replica": (dict(current={"ReadReplicaDBInstanceIdentifiers": ["copy"]}), ("left_behind", "noted")),
}


@pytest.mark.parametrize(("changes", "expected"), ROWS.values(), ids=ROWS)
def test_finds_the_one_thing_that_is_wrong(look, changes, expected):
    assert not_passed(look(**changes)) == [expected]


def test_what_is_made_already_needs_no_room(look):
    full = {"DBInstances": (40, 40), "ManualSnapshots": (100, 100), "AllocatedStorage": (100000, 100000)}
    tags = {
        "spymeo:rollback-run": RUN,
        "spymeo:rollback-replaces": "app-db",
        "spymeo:rollback-source-snapshot": "arn:aws:rds:eu-west-3:123456789012:snapshot:before",
    }
    made = dict(restored={"name": NEW, "tags": tags}, safety={"tags": {"spymeo:rollback-run": RUN}})
    assert not_passed(look(state="resume", quotas=full, **made)) == []


def test_all_failures_are_told_at_once_and_first(look):
    found = look(snapshot={"Status": "creating"}, offered=False, key_state="Disabled", proxies=["app-proxy"])
    assert not_passed(found) == [("source", "failed"), ("class", "failed"), ("key", "failed"), ("proxy", "noted")]
    assert all(item.cure for item in found if item.verdict == "failed")


def test_nothing_is_checked_when_the_rollback_is_done(look):
    assert look(state="done", offered=False) == []
