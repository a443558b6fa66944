# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ids that look like Prisma's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spymeo_app.identifiers import compose, cuid

TIME, NUMBER = st.integers(0, 36**8 - 1), st.integers(0, 36**16 - 1)


def test_two_ids_differ():
    assert cuid() != cuid()


@given(TIME, NUMBER)
def test_an_id_says_its_time_and_its_number(milliseconds, number):
    made = compose(milliseconds, number)
    assert len(made) == 25
    assert (made[0], int(made[1:9], 36), int(made[9:], 36)) == ("c", milliseconds, number)


@given(TIME, TIME, NUMBER)
def test_ids_sort_by_time(earlier, later, number):
    assert (compose(earlier, number) < compose(later, number)) == (earlier < later)
