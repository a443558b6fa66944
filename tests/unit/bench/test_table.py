# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The numbers of the bench: medians, ranges, budgets."""

from __future__ import annotations

import pytest

from bench.table import Row, breakdown, spread, table


def row(**changes):
    values = dict(
        case="one", budget=6.0, wall=[7.0, 6.0, 9.0], deployment=[1.0, 1.0, 2.0], cpu=[5.0] * 3, memory=[60.4] * 3,
        calls=[40, 41, 40], written=[1] * 3, processes=[5] * 3,
    )  # fmt: skip
    return Row(**{**values, **changes})


@pytest.mark.parametrize(
    ("values", "text"), [([1.0], "1.0"), ([2.0, 1.0, 4.0], "2.0 (1.0 to 4.0)"), ([1.01, 0.99], "1.0")]
)
def test_a_spread_is_median_and_range(values, text):
    assert spread(values) == text


@pytest.mark.parametrize(("budget", "met"), [(6.0, True), (5.9, False), (None, True)])
def test_the_median_of_what_is_not_the_deployment_keeps_the_budget(budget, met):
    assert row().overhead == [6.0, 5.0, 7.0]
    assert row(budget=budget).met is met


def test_a_row_tells_a_budget_that_is_missed():
    line = table([row(budget=5.0)]).splitlines()[-1]
    assert (
        line
        == "| one | 7.0 (6.0 to 9.0) | 1.0 (1.0 to 2.0) | 6.0 (5.0 to 7.0) | ≤ 5 **missed** | 5.0 | 60 | 40 (40 to 41) | 1 | 5 |"
    )


def test_the_breakdown_adds_up():
    tasks = [
        {"name": "spymeo.rollback.code : Deploy", "action": "a", "began": 1.0, "ended": 3.0},
        {"name": "tiny", "action": "b", "began": 3.0, "ended": 3.01},
        {"name": "failed", "action": "b", "began": 3.0, "ended": None},
    ]
    assert breakdown(tasks, 0.0, 4.0).splitlines()[2:] == ["| Deploy | 2.00 |", "| start, end and small tasks | 2.00 |"]
