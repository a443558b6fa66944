# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is read ahead, and in which order; tests/integration/ has a real server read it."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.warm import in_order
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.lists(st.sampled_from("abcdef"), max_size=6)


@pytest.mark.parametrize(
    ("tables", "hottest", "expected"),
    [
        (["Log", "Practitioner"], ["Practitioner", "Session", "Log"], ["Practitioner", "Log"]),
        (["Log", "Practitioner"], [], ["Log", "Practitioner"]),
        (["New", "Log", "Log"], ["Log"], ["Log", "New"]),
        ([], ["Log"], []),
    ],
)
def test_the_hottest_come_first_and_nothing_that_nobody_has_named(tables, hottest, expected):
    assert in_order(tables, hottest) == expected


@given(NAMES, NAMES)
def test_each_is_read_once(tables, hottest):
    found = in_order(tables, list(dict.fromkeys(hottest)))
    assert sorted(found) == sorted(set(tables))
