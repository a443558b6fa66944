# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The numbers of the bench: critical paths, medians, budgets, and what is kept of them."""

from __future__ import annotations

import json

import pytest

from bench.measure import processes
from bench.results import Row, Sample, Table, from_json, growth_missed, to_json
from bench.sets import LARGE, SMALL, Durations


def sample(**changes):
    values = dict(wall=54.0, critical=45.0, cpu=20.0, memory=66.4, calls=110, writing=6, processes=16)
    return Sample(**{**values, **changes})


@pytest.mark.parametrize(
    ("durations", "full", "code"),
    [(SMALL, 45, 15), (LARGE, 570, 140), (Durations("snapshot is longer", 50, 20, 10), 60, 10)],
)
def test_the_critical_path_is_the_longer_of_snapshot_and_restore_and_one_deployment(durations, full, code):
    assert (durations.full, durations.code) == (full, code)


def test_the_parts_of_a_deployment_leave_time_for_health_checks():
    given = SMALL.lab
    assert given["deregistration_delay"] + given["task_pull"] < given["deployment_minimum"] == 15


def test_a_sample_is_compared_with_what_aws_takes():
    assert sample().ratio == pytest.approx(1.2)
    assert sample().over == pytest.approx(9.0)


@pytest.mark.parametrize(("most", "missed"), [(20.0, []), (19.9, ["cpu"])])
def test_the_median_keeps_the_budget_and_not_each_run(most, missed):
    row = Row("ours", [sample(cpu=20.0), sample(cpu=99.0), sample(cpu=1.0)], {"cpu": most, "memory": 150})
    assert row.missed == missed


def test_what_was_not_measured_has_no_values():
    assert Row("script", [sample(processes=None)]).values("processes") == []


@pytest.mark.parametrize(
    ("wall", "told"), [(130.0, None), (131.0, "100 take 1.31 times as long as one; the budget is 1.3")]
)
def test_growth_is_judged_by_the_wall_time_of_one(wall, told):
    rows = [Row("1", [sample(wall=100.0)]), Row("100", [sample(wall=wall)], size=100)]
    assert growth_missed(rows, 100, 1.3) == told


def test_growth_that_was_not_measured_is_not_judged():
    assert growth_missed([Row("1", [sample()])], 100, 1.3) is None


def test_what_is_kept_comes_back():
    tables = [
        Table(
            "full",
            "Full",
            "about",
            ("wall", "cpu"),
            [Row("ours", [sample(), sample(processes=None)], {"cpu": 25}, 3)],
            "today",
        )
    ]
    stored = json.loads(json.dumps(to_json({"date": "today"}, tables)))
    assert from_json(stored) == ({"date": "today"}, tables)


def test_every_attempt_of_a_module_is_a_process_and_a_report_is_none():
    tasks = [
        {"action": "spymeo.rollback.ecs_rollback", "attempts": 1},
        {"action": "community.aws.ecs_service_info", "attempts": 4},
        {"action": "ansible.builtin.validate_argument_spec", "attempts": 1},
        {"action": "debug", "attempts": 1},
        {"action": "ansible.builtin.uri", "attempts": 0},  # skipped
    ]
    assert processes(tasks) == 5
