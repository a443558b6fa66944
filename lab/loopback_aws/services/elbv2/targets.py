# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target group: which targets it has, how a health check changes their state, which of them gets the next request."""

from __future__ import annotations

import dataclasses
from typing import Any

from .balancer import Failure

NOT_IN_USE = ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
REGISTERING = ("Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = ("Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = ("Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = ("Target.NotRegistered", "Target is not registered to the target group")
DEFAULT_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
}


@dataclasses.dataclass(eq=False)
class Target:
    """One registration of an address; registered again, it is another one."""

    address: str
    port: int
    state: str
    why: Failure | None
    passed: bool | None = None
    streak: int = 0  # checks in a row with the same result

    def checked(self, failure: Failure | None, healthy_threshold: int, unhealthy_threshold: int) -> None:
        """Take in the result of a health check.

        A new target must pass one check; an unhealthy one must pass `healthy_threshold` in a row ("Health checks for your
        target groups" in AWS's guide). A target fails after `unhealthy_threshold` in a row.
        """
        passed = failure is None
        self.streak = self.streak + 1 if passed is self.passed else 1
        self.passed = passed
        if passed and (self.state == "initial" or self.streak >= healthy_threshold):
            self.state, self.why = "healthy", None
        elif not passed and (self.state == "unhealthy" or self.streak >= unhealthy_threshold):
            self.state, self.why = "unhealthy", failure
        elif self.state == "initial":
            self.why = CHECKING

    def health(self) -> dict[str, Any]:
        """TargetHealth: a healthy target has neither Reason nor Description."""
        return shape(self.state, self.why)


def shape(state: str, why: Failure | None) -> dict[str, Any]:
    """TargetHealth of a state."""
    return {"State": state, **({"Reason": why[0], "Description": why[1]} if why else {})}


class TargetGroup:
    """A target group; `settings` is its TargetGroup shape without LoadBalancerArns."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.attributes = dict(DEFAULT_ATTRIBUTES)
        self.targets: dict[tuple[str, int], Target] = {}
        self._first_interval = settings["HealthCheckIntervalSeconds"]
        self._turn = 0

    @property
    def arn(self) -> str:
        """The group's ARN."""
        arn: str = self.settings["TargetGroupArn"]
        return arn

    def accepts(self, status: int) -> bool:
        """Whether the matcher (`200`, `200,302`, `200-299`) takes an HTTP status for healthy."""
        for part in self.settings["Matcher"]["HttpCode"].split(","):
            first, _, last = part.partition("-")
            if int(first) <= status <= int(last or first):
                return True
        return False

    def check_share(self) -> float:
        """The interval between two health checks, as a share of the one that the group was created with."""
        share: float = self.settings["HealthCheckIntervalSeconds"] / self._first_interval
        return share

    def drain_share(self) -> float:
        """The deregistration delay, as a share of AWS's default of 300 seconds."""
        return int(self.attributes["deregistration_delay.timeout_seconds"]) / 300

    def choose(self) -> Target | None:
        """The next target in turn: healthy ones, or all of them when none is healthy (an ALB fails open); None without any."""
        registered = [target for target in self.targets.values() if target.state in ("initial", "healthy", "unhealthy")]
        candidates = [target for target in registered if target.state == "healthy"] or registered
        if not candidates:
            return None
        self._turn += 1
        return candidates[self._turn % len(candidates)]


class Forward:
    """Where a listener sends requests: target groups with weights (0 to 999), chosen in proportion."""

    def __init__(self, weights: dict[str, int]) -> None:
        self.weights = weights
        self._credit = dict.fromkeys(weights, 0)

    def choose(self) -> str | None:
        """The ARN of the next request's target group; None when every weight is 0."""
        total = sum(self.weights.values())
        if total == 0:
            return None
        for arn, weight in self.weights.items():
            self._credit[arn] += weight
        chosen = max(self._credit, key=lambda arn: self._credit[arn])
        self._credit[chosen] -= total
        return chosen
