# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import (
    TERMINAL,
    instance_ready,
    parameter_group_ready,
    snapshot_ready,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready

USABLE = ["available", "storage-optimization", "storage-initialization", "backing-up"]
ON_THE_WAY = ["creating", "modifying", "rebooting", "configuring-enhanced-monitoring", "a status of the year 2030"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(status, Ready) for status in USABLE]
    + [(status, Pending) for status in ON_THE_WAY]
    + [(status, Failed) for status in TERMINAL],
)
def test_status_of_an_instance(db_instance_answer, status, answer):
    ready = instance_ready(DbInstance.from_boto(db_instance_answer(DBInstanceStatus=status)))
    assert isinstance(ready, answer)
    assert status in str(ready)


def test_an_instance_without_an_endpoint_cannot_be_used(db_instance_answer):
    assert isinstance(instance_ready(DbInstance.from_boto(db_instance_answer(without=["Endpoint"]))), Pending)


@pytest.mark.parametrize(
    ("status", "percent", "answer"),
    [
        ("available", 100, Ready("snapshot before is available")),
        ("creating", 37, Pending(37, 100, "37 % (snapshot before)")),
        (
            "failed",
            37,
            Failed(
                "snapshot before is failed, and holds nothing; delete it (aws rds delete-db-snapshot --db-snapshot-identifier before), "
                "then run again with the same run id"
            ),
        ),
        ("deleting", 100, Failed("snapshot before is deleting")),
    ],
)
def test_status_of_a_snapshot(db_snapshot_answer, status, percent, answer):
    assert snapshot_ready(DbSnapshot.from_boto(db_snapshot_answer(Status=status, PercentProgress=percent))) == answer


def test_a_snapshot_that_is_gone_has_failed():
    assert isinstance(snapshot_ready(None), Failed)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("in-sync", Ready("the parameter group is in sync")),
        ("pending-reboot", Pending(0, 1, "pending-reboot")),
        ("applying", Pending(0, 1, "applying")),
        ("failed-to-apply", Failed("RDS could not apply the parameter group of DB instance app-db")),
    ],
)
def test_status_of_the_parameter_group(db_instance_answer, status, answer):
    groups = [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": status}]
    assert parameter_group_ready(DbInstance.from_boto(db_instance_answer(DBParameterGroups=groups))) == answer
