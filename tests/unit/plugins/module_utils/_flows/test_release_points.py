# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Release points in a store, which here is a directory."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import point_id
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import Conflict, StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.release_points import (
    KEPT,
    known,
    remember,
    remembered,
    with_point,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore
from hypothesis import given
from hypothesis import strategies as st


def point(number):
    return {"id": f"cp-{number:03}", "created": f"2026-11-22T03:{number % 60:02}:00+00:00", "services": {}}


@pytest.fixture
def memory(tmp_path):
    return RunRepository(DirectoryStore(str(tmp_path)), "production", "spymeo")


def test_what_is_remembered_is_known_newest_first(memory):
    assert known(memory) == []
    for number in (2, 1, 3):
        remember(memory, point(number))
    assert [item["id"] for item in known(memory)] == ["cp-003", "cp-002", "cp-001"]
    assert remembered(memory, "cp-002") == point(2)
    assert remembered(memory, "cp-009") is None


def test_the_first_record_of_an_id_stays(memory):
    remember(memory, point(1))
    assert remember(memory, dict(point(1), created="later")) == point(1)
    assert known(memory) == [point(1)]


def test_a_process_that_died_between_the_two_writes_is_made_good_by_the_next(memory):
    put, memory.store.put = memory.store.put, lambda key, *more: put(key, *more) if key.endswith("cp-001") else 1 / 0
    with pytest.raises(ZeroDivisionError):
        remember(memory, point(1))
    memory.store.put = put
    assert known(memory) == []
    remember(memory, point(1))
    assert known(memory) == [point(1)]


def test_somebody_who_writes_at_the_same_time_loses_nothing(memory):
    put, rivals = memory.store.put, [point(7), point(8)]

    def with_a_rival(key, text, expect):
        if key.endswith("newest") and rivals:
            memory.store.put, rival = put, rivals.pop()
            remember(memory, rival)
            memory.store.put = with_a_rival
        return put(key, text, expect)

    memory.store.put = with_a_rival
    remember(memory, point(1))
    assert [item["id"] for item in known(memory)] == ["cp-008", "cp-007", "cp-001"]


def test_a_store_in_which_others_always_win_is_told(memory):
    put = memory.store.put

    def lost(key, text, expect):
        if key.endswith("newest"):
            raise Conflict(key)
        return put(key, text, expect)

    memory.store.put = lost
    with pytest.raises(RollbackError, match="is not listed; run the same again"):
        remember(memory, point(1))
    assert remembered(memory, "cp-001") == point(1)


def test_a_list_that_was_edited_is_an_error(memory):
    memory.write({"points": "none"}, "points", "newest")
    with pytest.raises(StoreError, match="has no list of points"):
        known(memory)


@given(st.lists(st.integers(0, 99), max_size=60))
def test_the_newest_are_kept_together_each_once(numbers):
    points = []
    for number in numbers:
        points = with_point(points, point(number))
    assert len(points) == min(KEPT, len(set(numbers)))
    assert points == sorted(points, key=lambda item: (item["created"], item["id"]), reverse=True)
    assert len({item["id"] for item in points}) == len(points)


def test_the_id_of_a_point_is_made_of_the_runs():
    assert point_id("rb-20261122-031500") == "cp-20261122-031500"
    assert point_id("before-two") == "cp-before-two"
