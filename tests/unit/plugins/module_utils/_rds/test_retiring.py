# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of the instance that was taken out of service."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.retiring import Retirement, retire
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.state import DbInstance

MARKED = {"spymeo:rollback-replaced-by": "new-db"}
REPLICAS = {"ReadReplicaDBInstanceIdentifiers": ["app-replica"]}


@pytest.fixture
def both(db_instance_answer):
    """The old instance with changes, and the new one that replaces it."""

    def make(replaces="app-db", **changes):
        new = db_instance_answer(name="new-db", tags={"spymeo:rollback-replaces": replaces})
        return DbInstance.from_boto(db_instance_answer(**changes)), DbInstance.from_boto(new)

    return make


@pytest.mark.parametrize(
    ("changes", "stop", "expected"),
    [
        ({}, False, Retirement(True, False)),
        ({}, True, Retirement(True, True)),
        ({"tags": MARKED}, False, Retirement(False, False)),
        ({"tags": MARKED, "DBInstanceStatus": "stopped"}, True, Retirement(False, False)),
        ({"tags": MARKED, "DBInstanceStatus": "stopping"}, True, Retirement(False, False)),
        ({"tags": {"spymeo:rollback-replaced-by": "older-db"}}, False, Retirement(True, False)),
        (
            {"DBInstanceStatus": "backing-up"},
            True,
            Retirement(True, False, "RDS stops an available instance only, and it is backing-up"),
        ),
        (REPLICAS, True, Retirement(True, False, "RDS does not stop an instance with read replicas (app-replica)")),
    ],
)
def test_is_tagged_once_and_stopped_only_where_that_is_asked_for_and_possible(both, changes, stop, expected):
    assert retire(*both(**changes), stop) == expected


@pytest.mark.parametrize("replaces", ["other-db", None])
def test_an_instance_that_nothing_has_replaced_is_left_alone(both, replaces):
    with pytest.raises(RollbackError, match="was not restored in the place of app-db"):
        retire(*both(replaces=replaces), True)
