# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: what a service scheduler decides, from counts alone. No state, no clock, no I/O."""

from __future__ import annotations

import dataclasses
import math

from ..wire import ApiError


@dataclasses.dataclass(frozen=True)
class Counts:
    """Tasks of one deployment that ECS wants to run: not yet running, and running with or without being healthy."""

    pending: int = 0
    unhealthy: int = 0
    healthy: int = 0

    @property
    def all(self) -> int:
        """Every task that is not on its way out."""
        return self.pending + self.unhealthy + self.healthy


@dataclasses.dataclass(frozen=True)
class Step:
    """How many tasks to start for the primary deployment, and to stop: of it, and of each older one."""

    start: int
    stop: int
    stop_older: tuple[int, ...]


def next_step(
    desired: int,
    minimum_percent: int,
    maximum_percent: int,
    primary: Counts,
    older: tuple[Counts, ...],
    *,
    frozen: bool = False,
) -> Step:
    """What a rolling update does next.

    Older tasks that are not healthy serve nobody and go at once; healthy ones go as far as `minimum_percent` of
    `desired` allows. `frozen`: the primary deployment has FAILED: nothing is started for it, nothing older is given up.
    """
    floor = math.ceil(desired * minimum_percent / 100)
    ceiling = desired * maximum_percent // 100
    if frozen:
        return Step(0, max(0, primary.all - desired), tuple(0 for _ in older))
    total = primary.all + sum(counts.all for counts in older)
    # A service whose desired count was lowered may be above the ceiling already.
    start = max(0, min(desired - primary.all, ceiling - total))
    spare = max(0, primary.healthy + sum(counts.healthy for counts in older) - floor)
    stops = []
    for counts in older:
        going = min(counts.healthy, spare)
        spare -= going
        stops.append(counts.pending + counts.unhealthy + going)
    return Step(start, max(0, primary.all - desired), tuple(stops))


def breaker_threshold(desired: int, breaker: dict) -> int:
    """How many failed tasks trip the deployment circuit breaker; `breaker` is botocore's DeploymentCircuitBreaker."""
    configuration = breaker.get("thresholdConfiguration", {"type": "BOUNDED_PERCENT", "value": 50})
    if configuration["type"] == "COUNT":
        return configuration["value"]
    threshold = math.ceil(desired * configuration["value"] / 100)
    if configuration["type"] == "BOUNDED_PERCENT":
        return min(200, max(3, threshold))
    return threshold


def restart_delay(base: float, launch_failures: int) -> float:
    """Seconds until the next task after a failed one.

    Longer with each in a row that did not reach RUNNING, at most ten times `base`.
    """
    return base * min(10, max(1, launch_failures))


def check_configuration(configuration: dict) -> None:
    """Refuse a deployment configuration that AWS refuses, or that the lab could not keep.

    :raises ApiError: InvalidParameterException.
    """
    if configuration["minimumHealthyPercent"] == 100 and configuration["maximumPercent"] == 100:
        raise ApiError(
            "InvalidParameterException",
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        )
    if configuration["maximumPercent"] < 100:
        raise ApiError("InvalidParameterException", "maximumPercent must be greater than or equal to 100.")
    if configuration.get("lifecycleHooks"):
        raise ApiError("InvalidParameterException", "The lab has no lifecycle hooks.")
    if configuration.get("alarms", {}).get("enable"):
        raise ApiError("InvalidParameterException", "The lab does not watch deployment alarms.")


def check_strategy(configuration: dict, load_balancers: list[dict]) -> None:
    """Refuse what does not fit the strategy; the limits are those of botocore's documentation of each member.

    :raises ApiError: InvalidParameterException.
    """
    strategy = configuration.get("strategy", "ROLLING")
    for name, owner in (("canaryConfiguration", "CANARY"), ("linearConfiguration", "LINEAR")):
        if name in configuration and strategy != owner:
            raise ApiError("InvalidParameterException", f"{name} is only valid with deployment strategy {owner}.")
    shifting = all("advancedConfiguration" in each for each in load_balancers)
    if strategy != "ROLLING" and not shifting:
        raise ApiError(
            "InvalidParameterException",
            f"advancedConfiguration field is required for all loadBalancers when using a {strategy} deployment strategy.",
        )
    if strategy in ("CANARY", "LINEAR") and not load_balancers:
        raise ApiError("InvalidParameterException", f"Deployment strategy {strategy} needs a load balancer.")
    canary, linear = configuration.get("canaryConfiguration", {}), configuration.get("linearConfiguration", {})
    limits = (
        (configuration, "bakeTimeInMinutes", 0, 1440),
        (canary, "canaryPercent", 0.1, 100),
        (canary, "canaryBakeTimeInMinutes", 0, 1440),
        (linear, "stepPercent", 3, 100),
        (linear, "stepBakeTimeInMinutes", 0, 1440),
    )
    for members, name, least, most in limits:
        if name in members and not least <= members[name] <= most:
            raise ApiError("InvalidParameterException", f"{name} must be from {least} to {most}.")
