# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What becomes of the instance that was taken out of service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Tree
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.retire import Retirement, retire
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NEW = "app-db-rb-1"
SERVED = "db-APPDBXXXXXXXXXXXXXXXXXXXXX 20260814T120000Z/20261122T120000Z"
MARK = {"spymeo:rollback-served": SERVED, "spymeo:rollback-replaced-by": NEW}
BEGUN = {"spymeo:rollback-served": "db-APPDBRB1XXXXXXXXXXXXXXXXXX 20261122T120000Z/"}
MARKED = MARK
REPLICAS = {"ReadReplicaDBInstanceIdentifiers": ["app-replica"]}


@pytest.fixture
def both(db_instance_answer):
    """The old instance with changes, and the new one that replaces it."""

    def make(replaces="app-db", **changes):
        tags = {"spymeo:rollback-replaces": replaces, "spymeo:rollback-run": "rb-1"} if replaces else {}
        new = db_instance_answer(name=NEW, tags=tags)
        return DbInstance.from_boto(db_instance_answer(**changes)), DbInstance.from_boto(new)

    return make


@pytest.mark.parametrize(
    ("changes", "stop", "expected"),
    [
        ({}, False, Retirement(MARK, BEGUN, False)),
        ({}, True, Retirement(MARK, BEGUN, True)),
        ({"tags": MARKED}, False, Retirement({}, BEGUN, False)),
        ({"tags": MARKED, "DBInstanceStatus": "stopped"}, True, Retirement({}, BEGUN, False)),
        ({"tags": MARKED, "DBInstanceStatus": "stopping"}, True, Retirement({}, BEGUN, False)),
        (
            {"tags": {**MARKED, "spymeo:rollback-replaced-by": "older-db"}},
            False,
            Retirement({"spymeo:rollback-replaced-by": NEW}, BEGUN, False),
        ),
        (
            {"DBInstanceStatus": "backing-up"},
            True,
            Retirement(MARK, BEGUN, False, "RDS stops an available instance only, and it is backing-up"),
        ),
        (
            REPLICAS,
            True,
            Retirement(MARK, BEGUN, False, "RDS does not stop an instance with read replicas (app-replica)"),
        ),
    ],
)
def test_is_tagged_once_and_stopped_only_where_that_is_asked_for_and_possible(both, changes, stop, expected):
    old, new = both(**changes)
    assert retire(old, new, stop, Tree([old, new], ()).family_of("app-db"), NOW) == expected


@pytest.mark.parametrize("replaces", ["other-db", None])
def test_an_instance_that_nothing_has_replaced_is_left_alone(both, replaces):
    old, new = both(replaces=replaces)
    family = Tree([old, new], ()).family_of("app-db")
    with pytest.raises(RollbackError, match="was not restored in the place of app-db"):
        retire(old, new, True, family, NOW)


def test_after_an_undo_the_mark_of_the_one_that_is_back_is_taken_away(both):
    old, new = both(tags=MARKED)
    undone = retire(new, old, False, {"app-db", NEW}, NOW + timedelta(hours=1))
    assert undone.new["spymeo:rollback-replaced-by"] == ""
    assert undone.new["spymeo:rollback-served"] == SERVED + " 20261122T130000Z/"
    assert undone.old["spymeo:rollback-replaced-by"] == "app-db"
