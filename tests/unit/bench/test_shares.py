# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every moment of a run belongs to one kind of work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.shares import KINDS, REST, Span, report, shares


def found(*spans, began=0.0, ended=10.0):
    """The kinds that have a share, in seconds."""
    told = shares([Span(*span) for span in spans], began, ended)
    return {kind: seconds for kind, seconds in told.items() if seconds}


def test_what_no_span_covers_is_start():
    assert found() == {REST: 10.0}


def test_what_is_further_inside_has_the_time():
    assert found(("worker", 1, 9), ("module", 2, 8), ("AWS", 3, 5)) == {
        REST: 2.0,
        "worker": 2.0,
        "module": 4.0,
        "AWS": 2.0,
    }


def test_calls_side_by_side_are_waited_for_once():
    assert found(("module", 0, 10), ("AWS", 1, 4), ("AWS", 2, 6), ("AWS", 8, 9)) == {"module": 4.0, "AWS": 6.0}


def test_only_what_is_inside_the_run_counts():
    assert found(("AWS", -5, 1), ("AWS", 9, 20), ("AWS", 30, 40)) == {REST: 8.0, "AWS": 2.0}


@given(
    st.lists(st.tuples(st.sampled_from(list(KINDS)), st.floats(-5, 15), st.floats(-5, 15)), max_size=30),
)
def test_the_shares_add_up_to_the_whole(spans):
    assert sum(shares([Span(*span) for span in spans], 0.0, 10.0).values()) == pytest.approx(10.0)


def test_a_task_is_told_with_what_matters_in_it():
    tasks = [
        {"name": "spymeo.rollback.code : Deploy", "began": 1.0, "ended": 3.0},
        {"name": "tiny", "began": 3.0, "ended": 3.01},
    ]
    lines = report([Span("worker", 1, 3), Span("AWS", 1.5, 2.5), Span("fork", 3, 3.005)], tasks, 0.0, 4.0).splitlines()
    assert "| AWS | 1.00 | AWS answers |" in lines
    assert "| **all** | **4.00** | |" in lines
    assert lines[-1] == "| Deploy | 2.00 | AWS 1.00, worker 1.00 |"
