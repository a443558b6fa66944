# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is read ahead, and in which order; tests/integration/ has a real server read it."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.warm import AT_ONCE, in_order, pieces
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_pieces_are_one_after_the_other_and_the_whole(first, blocks, ranged):
    found = pieces(first, first + blocks, ranged)
    assert [block for piece in found for block in piece][1:-1:2] == [piece[0] for piece in found][1:]
    assert (found[0][0], found[-1][1]) == (first, first + blocks) if blocks else found == []
    assert all(0 < after - start <= (AT_ONCE if ranged else blocks) for start, after in found)
    assert ranged or len(found) <= 1


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
