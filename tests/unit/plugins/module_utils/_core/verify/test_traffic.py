# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ranks, and what they say about minutes of traffic."""

from __future__ import annotations

import itertools
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.traffic import Minute, Way
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.rank_test import chance_of_larger
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.traffic import compare, merged, windows
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FEW = st.lists(st.integers(0, 4), min_size=1, max_size=4)


def minutes(count, requests=100.0, errors=0.0, latency=0.2, spread=0.0):
    """As many minutes; the latency swings by ``spread`` to both sides."""
    return [
        Minute(
            NOON + place * timedelta(minutes=1),
            requests,
            errors,
            None if latency is None else latency + spread * (place % 3 - 1),
        )
        for place in range(count)
    ]


@given(FEW, FEW)
def test_the_chance_is_the_share_of_all_ways_to_choose(values, others):
    both = [*values, *others]
    order = sorted(both)
    rank = {
        value: sum(place + 1 for place, item in enumerate(order) if item == value) / order.count(value)
        for value in both
    }
    reached = sum(rank[value] for value in values)
    ways = [sum(rank[both[place]] for place in some) for some in itertools.combinations(range(len(both)), len(values))]
    assert chance_of_larger(values, others) == pytest.approx(sum(way >= reached for way in ways) / len(ways))


@pytest.mark.parametrize(
    ("values", "others", "chance"),
    [
        ([9], list(range(9)), 1 / 10),
        ([8, 9], list(range(8)), 1 / 45),
        ([1, 1], [1, 1], 1.0),
        ([0, 1], [5, 6, 7], 1.0),
    ],
)
def test_known_chances(values, others, chance):
    assert chance_of_larger(values, others) == pytest.approx(chance)


def test_a_whole_hour_takes_no_time():
    values = random.Random(1)
    started = time.process_time()
    chance_of_larger([values.random() for _ in range(10)], [values.random() for _ in range(60)])
    assert time.process_time() - started < 2


QUIET = minutes(60)


@pytest.mark.parametrize(
    ("now", "before", "verdict", "words"),
    [
        (minutes(3), QUIET, "passed", "3 minutes are like the 60 before"),
        (minutes(3, errors=25), QUIET, "failed", "25.0 % of the requests are answered with 5xx, and 0.0 %"),
        (
            minutes(2, errors=25),
            minutes(10),
            None,
            "25.0 % of the requests",
        ),  # 1 in 66 is not sure enough, and no good news
        (minutes(3, errors=25), minutes(60, errors=25), "passed", "25.0 % of 5xx (25.0 %)"),
        (
            minutes(3, errors=25),
            minutes(60, errors=15),
            "failed",
            "25.0 % of the requests",
        ),  # not twice as much, and felt
        ([*minutes(8), *minutes(2, errors=100)], QUIET, None, "which may be chance after 10 minutes"),  # flapping
        (minutes(3, errors=0.5), QUIET, "passed", ""),  # sure, but nobody feels it
        (minutes(3, latency=0.9), QUIET, "failed", "nine of ten answers take up to 0.90 s, and 0.20 s"),
        (minutes(3, latency=0.25), QUIET, "passed", ""),
        (minutes(3, latency=0.4, spread=0.2), minutes(60, latency=0.4, spread=0.2), "passed", ""),
        (
            minutes(3, requests=0, errors=100, latency=None),
            QUIET,
            "failed",
            "100.0 % of the requests",
        ),  # no target at all
        (minutes(1, errors=100), QUIET, None, "has 1 minute with 60 requests or more since then, and 2 are needed"),
        (minutes(9, requests=59, errors=59), QUIET, None, "has 0 minutes"),
        (minutes(9), minutes(60, requests=30), None, "has 0 minutes with 60 requests or more before, and 10"),
        ([], [], None, ""),
    ],
)
def test_minutes_are_compared_with_the_hour_before(now, before, verdict, words):
    answer = compare(now, before)
    assert answer[0] == verdict or (verdict is None and answer[0] == "passed" and not words)
    assert words in answer[1]
    assert bool(answer[2]) == (answer[0] == "failed")


def test_what_comes_from_where_it_came_from_seldom_looks_worse():
    """The test holds: of many hours of noise in which nothing has changed, at most one in a hundred is called worse."""
    chance, wrong, hours = random.Random(19), 0, 300
    for _hour in range(hours):
        noise = [
            Minute(NOON, 100.0, chance.choice([0, 0, 0, 1, 5]), chance.lognormvariate(-1.5, 0.4))
            for _minute in range(65)
        ]
        wrong += compare(noise[:5], noise[5:])[0] == "failed"
    assert wrong <= hours / 100


@pytest.mark.parametrize(
    ("since", "now", "harm", "latest", "earlier"),
    [
        (NOON, NOON + timedelta(minutes=3, seconds=20), None, (0, 3), (-60, 0)),
        (NOON + timedelta(seconds=1), NOON + timedelta(minutes=3), None, (1, 3), (-60, 0)),
        (NOON, NOON + timedelta(minutes=30), None, (20, 30), (-60, 0)),
        (NOON, NOON + timedelta(seconds=59), None, (0, 0), (-60, 0)),
        (NOON, NOON + timedelta(minutes=3), NOON - timedelta(hours=2), (0, 3), (-180, -120)),
        (NOON, NOON + timedelta(minutes=3), NOON + timedelta(hours=2), (0, 3), (-60, 0)),
    ],
)
def test_whole_minutes_of_now_and_of_before(since, now, harm, latest, earlier):
    got = windows(since, now, harm)
    assert [tuple((moment - NOON) / timedelta(minutes=1) for moment in window) for window in got] == [latest, earlier]


def test_two_groups_that_take_turns_are_one_way():
    one, other = Minute(NOON, 90, 1, 0.1), Minute(NOON, 10, 2, 1.1)
    (both,) = merged([[one], [other]])
    assert (both.requests, both.errors, both.latency) == (100, 3, pytest.approx(0.2))
    assert merged([[Minute(NOON, 0, 5, None)], []])[0].latency is None


def test_only_an_application_load_balancer_has_these_metrics():
    arn = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:"
    way = Way.of_arns(
        arn + "loadbalancer/app/spymeo/50dc6c495c0c9188", arn + "targetgroup/app/6d0ecf831eec9f09", whole=True
    )
    assert way == Way("app/spymeo/50dc6c495c0c9188", "targetgroup/app/6d0ecf831eec9f09", whole=True)
    assert Way.of_arns(arn + "loadbalancer/net/spymeo/50dc", arn + "targetgroup/app/6d0e", whole=True) is None
