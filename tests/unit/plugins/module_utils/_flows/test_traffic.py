# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Targets that cannot be told apart, and the traffic through load balancers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Balancer, Service, ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.traffic import Minute
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import ServiceObservation
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.targets import verdict_of_all_targets
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.traffic import verdict_of_traffic

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:"
GROUP, TURN, FOREIGN = (ARN + "targetgroup/%s/1" % name for name in ("app", "turn", "foreign"))
ALB, NLB = ARN + "loadbalancer/app/spymeo/1", ARN + "loadbalancer/net/spymeo/1"


def seen(*addresses, groups=(GROUP,), name="app", **health):
    balancers = (Balancer(groups, 8080),) if groups else ()
    service = Service(name, "ACTIVE", "ECS", "app:41", len(addresses), len(addresses), (), (), balancers=balancers)
    tasks = tuple(
        ServiceTask(str(place), name, "app:41", NOON, "RUNNING", address) for place, address in enumerate(addresses)
    )
    return ServiceObservation(service, tasks, "app:41", **health)


class Elb:
    """Target groups as a test says; each look takes the next answer, and the last one stays."""

    def __init__(self, *looks, balancers=None, groups=None):
        self._looks, self._balancers, self._groups = list(looks), balancers or {}, groups or {}

    def whole_health(self, group):
        states = self._looks[0] if len(self._looks) == 1 else self._looks.pop(0)
        return {("i-%d" % place, 32768 + place): (state, "") for place, state in enumerate(states)}

    def balancers(self, groups):
        return {group: self._balancers[group] for group in groups}

    def groups_of(self, balancer):
        return self._groups[balancer]


@pytest.mark.parametrize(
    ("states", "verdict", "words"),
    [
        (["healthy", "healthy"], "passed", "all 2 tasks are healthy targets"),
        (["healthy", "healthy", "draining", "unhealthy.draining"], "passed", "all 2 tasks"),
        (
            ["healthy", "unhealthy"],
            "failed",
            "1 of 2 registered targets healthy, and 2 tasks run, others are unhealthy",
        ),
        (["healthy", "initial"], "failed", "others are initial"),
        (["healthy"], "failed", "1 of 1 registered target healthy, and 2 tasks run"),
        (["healthy", "healthy", "healthy"], "inconclusive", "it is not known which targets are theirs"),
        (["healthy", "healthy", "unhealthy"], "inconclusive", "it is not known which targets are theirs"),
        ([], "failed", "0 of 0 registered targets healthy"),
    ],
)
def test_tasks_that_share_addresses_are_proven_by_their_number(states, verdict, words):
    answer = verdict_of_all_targets(Elb(states), [seen(None, None)], 0)
    assert answer[0] == verdict
    assert words in answer[1]


def test_targets_on_their_way_are_awaited():
    elb = Elb(["healthy", "initial"], ["healthy", "healthy"])
    assert verdict_of_all_targets(elb, [seen(None, None)], 5)[0] == "passed"


def test_tasks_with_addresses_are_judged_by_them_and_the_worst_decides():
    healthy = ((Balancer((GROUP,), 8080), ({"10.0.0.7": ("healthy", "")},)),)
    one, other = seen("10.0.0.7", health=healthy), seen(None, name="worker")
    assert verdict_of_all_targets(Elb(), [one], 0)[0] == "passed"
    assert verdict_of_all_targets(Elb(["unhealthy"]), [one, other], 0)[0] == "failed"
    assert verdict_of_all_targets(Elb(), [seen("10.0.0.7", groups=())], 0) is None
    assert verdict_of_all_targets(Elb(), [seen("10.0.0.7", unread="these credentials may not")], 0)[0] == "inconclusive"


class Cloudwatch:
    """An hour of quiet, and since noon what a test says."""

    def __init__(self, errors=0.0):
        self._errors, self.asked = errors, []

    def minutes(self, way, begin, end):
        self.asked.append((way, begin, end))
        count = round((end - begin) / timedelta(minutes=1))
        errors = self._errors if end > NOON else 0.0
        return [Minute(begin + place * timedelta(minutes=1), 100.0, errors, 0.2) for place in range(count)]


def traffic(looks, errors=0.0, minutes=3, since=NOON, elb=None):
    elb = elb or Elb(balancers={GROUP: (ALB,)}, groups={ALB: {GROUP}})
    cloudwatch = Cloudwatch(errors)
    return verdict_of_traffic(
        elb, lambda: cloudwatch, looks, since, None, NOON + timedelta(minutes=minutes)
    ), cloudwatch.asked


def test_traffic_as_before_passes_and_worse_traffic_fails():
    assert traffic([seen("10.0.0.7")])[0][0] == "passed"
    assert traffic([seen("10.0.0.7")], errors=25)[0][0] == "failed"


def test_without_a_word_the_newest_task_says_since_when():
    assert traffic([seen("10.0.0.7")], since=None)[1][0][1:] == (NOON, NOON + timedelta(minutes=3))


def test_before_a_minute_is_over_nothing_can_be_said_and_nobody_is_asked():
    answer, asked = traffic([seen("10.0.0.7")], minutes=0.9)
    assert (answer[0], asked) == (None, [])
    assert "no minute is over since then" in answer[1]


def test_where_nothing_is_balanced_there_is_no_check():
    assert traffic([seen("10.0.0.7", groups=())])[0] is None


@pytest.mark.parametrize(
    ("balancers", "groups", "words"),
    [
        ({GROUP: (NLB,)}, {NLB: {GROUP}}, "no Application Load Balancer"),
        ({GROUP: ()}, {}, "no load balancer sends requests"),
    ],
)
def test_what_has_no_such_metrics_is_said(balancers, groups, words):
    answer, asked = traffic([seen("10.0.0.7")], elb=Elb(balancers=balancers, groups=groups))
    assert (answer[0], asked) == (None, [])
    assert words in answer[1]


@pytest.mark.parametrize(
    ("forwards", "whole"), [({GROUP, TURN}, [True, False]), ({GROUP, TURN, FOREIGN}, [False, False])]
)
def test_what_a_load_balancer_answers_itself_counts_once_and_only_where_all_of_it_is_ours(forwards, whole):
    elb = Elb(balancers={GROUP: (ALB,), TURN: (ALB,)}, groups={ALB: forwards})
    _answer, asked = traffic([seen("10.0.0.7", groups=(GROUP, TURN))], elb=elb)
    assert [way.whole for way, _begin, _end in asked] == whole * 2
