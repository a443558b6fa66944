# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names derive from the run's id, fit AWS's rules, and do not grow from run to run."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    RUN_ID,
    new_run_id,
    restored_instance,
    safety_snapshot,
)
from hypothesis import given
from hypothesis import strategies as st

INSTANCE = re.compile(r"^[a-z](?!.*--)[a-z0-9-]{0,62}(?<!-)$")  # CreateDBInstance, DBInstanceIdentifier
instances = st.from_regex(r"\A[a-z](-?[a-z0-9]){0,61}\Z", fullmatch=True).filter(lambda name: len(name) <= 63)


def test_a_new_id_is_the_time_and_begins_with_a_letter():
    run_id = new_run_id(datetime(2026, 11, 22, 3, 15, tzinfo=UTC))
    assert run_id == "rb-20261122-031500"
    assert RUN_ID.match(run_id)


@given(instances, st.from_regex(RUN_ID, fullmatch=True))
def test_the_restored_instance_has_a_name_that_rds_takes(db_instance, run_id):
    name = restored_instance(db_instance, run_id)
    assert INSTANCE.match(name)
    assert name.endswith(run_id)


@pytest.mark.parametrize("db_instance", ["spymeo-production-db", "spymeo-production-db-rb-20261001-120000"])
def test_names_do_not_grow_when_a_restored_instance_fails_in_its_turn(db_instance):
    assert restored_instance(db_instance, "rb-20261122-031500") == "spymeo-production-db-rb-20261122-031500"
    assert (
        safety_snapshot(db_instance, "rb-20261122-031500") == "spymeo-production-db-failed-migration-rb-20261122-031500"
    )
