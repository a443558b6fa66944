# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How health checks change a target's state, and how weights divide requests: no clock, no socket."""

from __future__ import annotations

import pytest

from loopback_aws.services.elbv2.targets import REGISTERING, Forward, Target, TargetGroup

FAILURE = ("Target.Timeout", "Request timed out")


@pytest.mark.parametrize(
    ("checks", "states"),
    [
        ("+", "initial healthy"),  # a new target must pass one check only
        ("--", "initial initial initial"),
        ("---", "initial initial initial unhealthy"),
        ("--+", "initial initial initial healthy"),
        ("+--", "initial healthy healthy healthy"),
        ("+---", "initial healthy healthy healthy unhealthy"),
        ("+--+--", "initial healthy healthy healthy healthy healthy healthy"),  # only failures in a row count
        ("---+", "initial initial initial unhealthy unhealthy"),
        ("---++", "initial initial initial unhealthy unhealthy healthy"),
        ("---+-+", "initial initial initial unhealthy unhealthy unhealthy unhealthy"),
    ],
)
def test_a_target_changes_after_two_successes_or_three_failures_in_a_row(checks, states):
    target = Target("127.0.0.1", 8080, "initial", REGISTERING)
    seen = [target.state]
    for check in checks:
        target.checked(None if check == "+" else FAILURE, healthy_threshold=2, unhealthy_threshold=3)
        seen.append(target.state)
    assert seen == states.split()


def test_a_target_says_why_it_is_not_healthy():
    target = Target("127.0.0.1", 8080, "initial", REGISTERING)
    target.checked(FAILURE, healthy_threshold=2, unhealthy_threshold=2)
    assert target.health()["Reason"] == "Elb.InitialHealthChecking"
    target.checked(FAILURE, healthy_threshold=2, unhealthy_threshold=2)
    assert target.health() == {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}


@pytest.mark.parametrize(
    ("codes", "accepted", "refused"),
    [("200", [200], [201, 404]), ("200,302", [200, 302], [301]), ("200-299,404", [200, 250, 299, 404], [300, 403])],
)
def test_the_matcher_takes_codes_lists_and_ranges(codes, accepted, refused):
    group = TargetGroup({"HealthCheckIntervalSeconds": 30, "Matcher": {"HttpCode": codes}})
    assert all(group.accepts(status) for status in accepted)
    assert not any(group.accepts(status) for status in refused)


def test_weights_divide_requests_and_all_zero_sends_them_nowhere():
    forward = Forward({"blue": 2, "green": 1, "none": 0})
    assert sorted(forward.choose() for _ in range(6)) == ["blue"] * 4 + ["green"] * 2
    assert Forward({"blue": 0, "green": 0}).choose() is None
