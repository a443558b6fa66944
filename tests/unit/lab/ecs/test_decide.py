# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the scheduler decides, as tables."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_aws.services.ecs.decide import Counts, Step, breaker_threshold, next_step, restart_delay

NONE = Counts()
STEPS = {
    "a new service starts all its tasks": ((2, 100, 200, NONE, ()), Step(2, 0, ())),
    "a steady service is left alone": ((2, 100, 200, Counts(healthy=2), ()), Step(0, 0, ())),
    "a lost task is replaced": ((2, 100, 200, Counts(healthy=1), ()), Step(1, 0, ())),
    "scaling in stops what is too much": ((1, 100, 200, Counts(healthy=3), ()), Step(0, 2, ())),
    "scaling to zero stops all": ((0, 100, 200, Counts(pending=1, healthy=1), ()), Step(0, 2, ())),
    "a rolling update starts new tasks beside the old": ((2, 100, 200, NONE, (Counts(healthy=2),)), Step(2, 0, (0,))),
    "old tasks stay while the new ones start": (
        (2, 100, 200, Counts(pending=2), (Counts(healthy=2),)),
        Step(0, 0, (0,)),
    ),
    "old tasks stay while the new ones are unhealthy": (
        (2, 100, 200, Counts(unhealthy=2), (Counts(healthy=2),)),
        Step(0, 0, (0,)),
    ),
    "each healthy new task releases an old one": (
        (2, 100, 200, Counts(pending=1, healthy=1), (Counts(healthy=2),)),
        Step(0, 0, (1,)),
    ),
    "150 percent of 2 leave room for one": ((2, 100, 150, NONE, (Counts(healthy=2),)), Step(1, 0, (0,))),
    "50 and 100 percent of 2 stop first, then start": ((2, 50, 100, NONE, (Counts(healthy=2),)), Step(0, 0, (1,))),
    "50 and 100 percent of 2 start in the room made": ((2, 50, 100, NONE, (Counts(healthy=1),)), Step(1, 0, (0,))),
    "the floor is rounded up": ((3, 50, 200, NONE, (Counts(healthy=3),)), Step(3, 0, (1,))),
    "the ceiling is rounded down": ((3, 100, 150, NONE, (Counts(healthy=3),)), Step(1, 0, (0,))),
    "old tasks that serve nobody go at once": (
        (2, 100, 200, Counts(pending=2), (Counts(pending=1, unhealthy=1, healthy=1),)),
        Step(0, 0, (2,)),
    ),
    "an old task that failed is replaced by one of its own": (
        (2, 100, 200, Counts(pending=2), (Counts(healthy=1),), (2,)),
        Step(0, 0, (0,), (1,)),
    ),
    "old tasks that serve nobody are kept until the new ones are healthy": (
        (2, 100, 200, Counts(pending=2), (Counts(unhealthy=1),), (2,)),
        Step(0, 0, (0,), (1,)),
    ),
    "each healthy new task takes one of those away": (
        (2, 100, 200, Counts(pending=1, healthy=1), (Counts(pending=1, unhealthy=1),), (2,)),
        Step(0, 0, (1,), (0,)),
    ),
    "no room is left for old tasks beside the new ones": (
        (2, 100, 150, Counts(pending=1), (Counts(healthy=1),), (2,)),
        Step(1, 0, (0,), (0,)),
    ),
    "what serves nobody gives way to new tasks": (
        (2, 100, 150, Counts(pending=1), (Counts(unhealthy=2),), (2,)),
        Step(0, 0, (1,), (0,)),
    ),
    "with a minimum of 0 nothing old is replaced": (
        (2, 0, 100, Counts(pending=2), (NONE,), (2,)),
        Step(0, 0, (0,), (0,)),
    ),
    "what stood at 0 tasks is not started": ((2, 100, 200, NONE, (NONE,), (0,)), Step(2, 0, (0,), (0,))),
    "scaling out is for both": (
        (4, 100, 200, Counts(pending=2), (Counts(healthy=2),), (4,)),
        Step(2, 0, (0,), (2,)),
    ),
    "of two old deployments the newer one goes first": (
        (2, 100, 200, Counts(healthy=2), (Counts(healthy=1), Counts(healthy=2))),
        Step(0, 0, (1, 2)),
    ),
    "the floor counts healthy tasks of every deployment": (
        (2, 100, 200, Counts(healthy=1), (Counts(healthy=1), Counts(healthy=1))),
        Step(1, 0, (1, 0)),
    ),
}


@pytest.mark.parametrize(("situation", "expected"), STEPS.values(), ids=STEPS.keys())
def test_next_step(situation, expected):
    step = next_step(*situation)
    assert dataclasses.replace(step, start_older=expected.start_older) == expected
    assert (expected.start_older or tuple(0 for _ in step.stop_older)) == step.start_older


def test_a_failed_deployment_starts_nothing_and_takes_nothing_away():
    assert next_step(2, 100, 200, Counts(pending=1), (Counts(healthy=2),), frozen=True) == Step(0, 0, (0,), (0,))


def test_what_a_failed_deployment_was_to_replace_is_kept_up():
    assert next_step(2, 100, 200, Counts(pending=1), (Counts(healthy=1),), (2,), frozen=True) == Step(0, 0, (0,), (1,))


def test_a_new_deployment_always_gets_its_tasks_whatever_the_old_ones_do():
    """Of what has room for one task beside the wanted ones, the new one gets it in the end, though old tasks fail and come again."""
    primary, older = NONE, Counts(unhealthy=2)
    for _ in range(20):
        step = next_step(2, 100, 150, primary, (older,), (2,))
        pending = older.pending + step.start_older[0] - max(0, step.stop_older[0] - older.unhealthy)
        older = Counts(unhealthy=max(0, older.unhealthy - step.stop_older[0]) + pending)
        primary = Counts(healthy=primary.all + step.start)
    assert (primary.healthy, older.all) == (2, 0)


counts = st.builds(Counts, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@given(
    st.integers(0, 10),
    st.integers(0, 100),
    st.integers(100, 200),
    counts,
    st.lists(st.tuples(counts, st.integers(0, 10)), max_size=3),
)
def test_never_below_the_minimum_nor_above_the_maximum(desired, minimum, maximum, primary, pairs):
    older, held = tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
    step = next_step(desired, minimum, maximum, primary, older, held)
    healthy = primary.healthy + sum(each.healthy for each in older)
    lost = sum(max(0, stop - each.pending - each.unhealthy) for each, stop in zip(older, step.stop_older, strict=True))
    if lost:
        assert (healthy - lost) * 100 >= desired * minimum
    if step.start or any(step.start_older):
        total = primary.all + sum(each.all for each in older) + step.start + sum(step.start_older)
        assert total * 100 <= desired * maximum
    assert step.stop <= primary.all
    assert all(stop <= each.all for each, stop in zip(older, step.stop_older, strict=True))


@pytest.mark.parametrize(
    ("desired", "threshold"), [(0, 3), (1, 3), (2, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)]
)
def test_breaker_threshold_is_half_the_desired_count_within_3_and_200(desired, threshold):
    assert breaker_threshold(desired, {"enable": True, "rollback": True}) == threshold


@pytest.mark.parametrize(
    ("kind", "value", "desired", "threshold"),
    [("COUNT", 5, 2, 5), ("COUNT", 1, 400, 1), ("UNBOUNDED_PERCENT", 50, 800, 400), ("BOUNDED_PERCENT", 10, 100, 10)],
)
def test_breaker_threshold_as_configured(kind, value, desired, threshold):
    assert breaker_threshold(desired, {"thresholdConfiguration": {"type": kind, "value": value}}) == threshold


@pytest.mark.parametrize(("failures", "delay"), [(0, 0.5), (1, 0.5), (2, 1.0), (4, 2.0), (10, 5.0), (50, 5.0)])
def test_the_pause_between_failed_starts_grows_up_to_a_limit(failures, delay):
    assert restart_delay(0.5, failures) == delay
