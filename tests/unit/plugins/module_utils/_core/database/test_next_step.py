# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The next step of a restore, from every state that it can be found in."""

from __future__ import annotations

import botocore.session
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.next_step import (
    SETTLE,
    Busy,
    Create,
    Done,
    LastAction,
    Modify,
    Reboot,
    Refuse,
    RestoreSpecification,
    finishing_step,
    next_step,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot

RDS = botocore.session.get_session().get_service_model("rds")
RESTORE, MODIFY = (
    frozenset(RDS.operation_model(name).input_shape.members)
    for name in ("RestoreDBInstanceFromDBSnapshot", "ModifyDBInstance")
)
RUN = "rb-20261122-120000"
NEW = "app-db-" + RUN
WANTED = RestoreSpecification(NEW, RUN, RESTORE, MODIFY)

PENDING_REBOOT = {"DBParameterGroups": [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "pending-reboot"}]}
APPLYING = {"DBParameterGroups": [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "applying"}]}
BROKEN_GROUP = {"DBParameterGroups": [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "failed-to-apply"}]}
UNFELT = {"MonitoringInterval": 0, "MonitoringRoleArn": None, "MaxAllocatedStorage": None}
UNMODIFIED = {"DeletionProtection": False, "PubliclyAccessible": False, **UNFELT}
CREATING = {"DBInstanceStatus": "creating", "without": ["Endpoint", "InstanceCreateTime"], **UNMODIFIED}
BACKING_UP = {"DBInstanceStatus": "backing-up"}
COMING = {"MultiAZ": False, "AvailabilityZone": None, "PendingModifiedValues": {"MultiAZ": True}}
UPGRADE = {"PendingModifiedValues": {"EngineVersion": "16.5"}}
UNFIXABLE = {"DBName": "another"}

ROWS = {
    # what is there (changes, or None for nothing), what this process did last, the step
    "nothing": (None, LastAction(), Create),
    "created, not shown yet": (None, LastAction("create", 5), Busy),
    "created, never shown": (None, LastAction("create", SETTLE), Refuse),
    "deleted by somebody": (None, LastAction("join", SETTLE), Refuse),
    "creating": (CREATING, LastAction("create", 5), Busy),
    "creating, in a new process": (CREATING, LastAction("join", 0), Busy),
    "unknown status": ({"DBInstanceStatus": "levitating"}, LastAction("join", 0), Busy),
    "incompatible-network": ({"DBInstanceStatus": "incompatible-network"}, LastAction("create", 5), Refuse),
    "stopped by somebody": ({"DBInstanceStatus": "stopped"}, LastAction("join", 5), Refuse),
    "restored, what nobody feels is left": (UNFELT, LastAction("create", 5), Done),
    "the same, while its first backup runs": ({**UNFELT, **BACKING_UP}, LastAction("join", 0), Done),
    "restored, settings that are felt are left to set": (UNMODIFIED, LastAction("create", 5), Modify),
    "the same, in a new process": (UNMODIFIED, LastAction("join", 0), Modify),
    "these, while its first backup runs": ({**UNMODIFIED, **BACKING_UP}, LastAction("create", 5), Busy),
    "these, while blocks are loaded": (
        {**UNMODIFIED, "DBInstanceStatus": "storage-initialization"},
        LastAction("join", 0),
        Modify,
    ),
    "modified, still shows available and old values": (UNMODIFIED, LastAction("modify", 5), Busy),
    "modified, at work": ({**UNMODIFIED, "DBInstanceStatus": "modifying"}, LastAction("modify", 5), Busy),
    "modified, nothing happened for long": (UNMODIFIED, LastAction("modify", SETTLE), Done),
    "a value is pending": (COMING, LastAction("create", 5), Busy),
    "an upgrade is pending, which is no difference": (UPGRADE, LastAction("join", 0), Done),
    "parameter group waits for a reboot": (PENDING_REBOOT, LastAction("modify", 5), Reboot),
    "parameter group is applied": (APPLYING, LastAction("modify", 5), Busy),
    "parameter group is broken": (BROKEN_GROUP, LastAction("modify", 5), Refuse),
    "settings come before the reboot": ({**PENDING_REBOOT, **UNMODIFIED}, LastAction("join", 0), Modify),
    "no reboot during a backup": ({**PENDING_REBOOT, **BACKING_UP}, LastAction("join", 0), Busy),
    "rebooting": ({**PENDING_REBOOT, "DBInstanceStatus": "rebooting"}, LastAction("reboot", 5), Busy),
    "rebooted, still shows available": (PENDING_REBOOT, LastAction("reboot", 5), Busy),
    "rebooted in vain": (PENDING_REBOOT, LastAction("reboot", SETTLE), Refuse),
    "as its source": ({}, LastAction("modify", 5), Done),
    "as its source, its first backup runs": (BACKING_UP, LastAction("create", 5), Done),
    "a difference that nobody can set": (UNFIXABLE, LastAction("join", 0), Done),
}


@pytest.fixture
def step(db_instance_answer, db_snapshot_answer, ours):
    def decide(changes, asked, source=None, snapshot=None, tags=None):
        new = None
        if changes is not None:
            new = DbInstance.from_boto(
                db_instance_answer(**{"name": NEW, "tags": ours if tags is None else tags, **changes})
            )
        return next_step(
            DbInstance.from_boto(db_instance_answer(**(source or {}))),
            DbSnapshot.from_boto(db_snapshot_answer(**(snapshot or {}))),
            new,
            WANTED,
            asked,
        )

    return decide


@pytest.mark.parametrize(("changes", "asked", "expected"), ROWS.values(), ids=ROWS)
def test_next_step(step, changes, asked, expected):
    assert isinstance(step(changes, asked), expected)


def test_done_tells_the_differences_that_stay(step):
    assert [item.setting for item in step(UNFIXABLE, LastAction("join", 0)).differences] == ["DBName"]
    unmodified = step(UNMODIFIED, LastAction("modify", SETTLE)).differences
    assert {item.setting for item in unmodified} == {"DeletionProtection", "PubliclyAccessible"}
    assert step({}, LastAction("join", 0)).differences == ()


def test_waits_tell_what_for(step):
    assert "backing-up" in step({**UNMODIFIED, **BACKING_UP}, LastAction("create", 5)).pending.detail
    assert "MultiAZ" in step(COMING, LastAction("create", 5)).pending.detail
    assert "levitating" in step({"DBInstanceStatus": "levitating"}, LastAction("join", 0)).pending.detail


FINISHING = {
    "all is equal": ({}, LastAction(), Done, ()),
    "what somebody has changed since then stays": ({"DBInstanceClass": "db.r6g.large"}, LastAction(), Done, ()),
    "what nobody feels is set": (UNFELT, LastAction(), Modify, ()),
    "not while its first backup runs": ({**UNFELT, **BACKING_UP}, LastAction(), Busy, ()),
    "not while it is modified": ({**UNFELT, "DBInstanceStatus": "modifying"}, LastAction(), Busy, ()),
    "equal while it is modified": ({"DBInstanceStatus": "modifying"}, LastAction(), Done, ()),
    "asked for": (UNFELT, LastAction("modify", 5), Busy, ()),
    "asked for in vain": (
        UNFELT,
        LastAction("modify", SETTLE),
        Done,
        ("MaxAllocatedStorage", "MonitoringInterval", "MonitoringRoleArn"),
    ),
    "stopped by somebody": ({**UNFELT, "DBInstanceStatus": "stopped"}, LastAction(), Refuse, ()),
}


@pytest.mark.parametrize(("changes", "asked", "expected", "left"), FINISHING.values(), ids=FINISHING)
def test_finishing_step(db_instance_answer, ours, changes, asked, expected, left):
    new = DbInstance.from_boto(db_instance_answer(**{"name": NEW, "tags": ours, **changes}))
    step = finishing_step(DbInstance.from_boto(db_instance_answer()), new, MODIFY, asked)
    assert isinstance(step, expected)
    assert sorted(item.setting for item in getattr(step, "differences", ())) == sorted(left)


def test_finishing_does_not_bring_forward_what_waits_for_the_maintenance_window(db_instance_answer, ours):
    """ApplyImmediately applies all that is pending, and an upgrade restarts."""
    source = DbInstance.from_boto(db_instance_answer())
    for pending, at_once in ((UPGRADE, False), ({}, True)):
        new = DbInstance.from_boto(db_instance_answer(**{"name": NEW, "tags": ours, **UNFELT, **pending}))
        assert finishing_step(source, new, MODIFY).request["ApplyImmediately"] is at_once


def test_what_comes_first_is_restored_without_backups(db_instance_answer, db_snapshot_answer):
    source, snapshot = DbInstance.from_boto(db_instance_answer()), DbSnapshot.from_boto(db_snapshot_answer())
    for gives_password, retention, first in ((False, 14, ()), (True, 0, ("MasterUserPassword",))):
        created = next_step(source, snapshot, None, RestoreSpecification(NEW, RUN, RESTORE, MODIFY, gives_password))
        assert (created.request["BackupRetentionPeriod"], created.first) == (retention, first)


@pytest.mark.parametrize(
    "world",
    [
        pytest.param({"changes": None, "snapshot": {"Status": "creating"}}, id="snapshot is not available"),
        pytest.param({"changes": None, "source": {"DBClusterIdentifier": "aurora"}}, id="a cluster's instance"),
        pytest.param({"changes": {}, "tags": {}}, id="a stranger has the name"),
        pytest.param({"changes": {}, "snapshot": {"name": "other"}}, id="this run restored another snapshot"),
    ],
)
def test_refuses_before_the_first_writing_call(step, world):
    with pytest.raises(BadInput):
        step(asked=LastAction(), **world)
