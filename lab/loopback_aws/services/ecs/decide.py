# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: what a service scheduler decides, from counts alone. No state, no clock, no I/O."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from ...wire import ApiError


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
    """How many tasks to start and to stop: of the primary deployment, and of each older one."""

    start: int
    stop: int
    stop_older: tuple[int, ...]
    start_older: tuple[int, ...] = ()


def next_step(
    desired: int,
    minimum_percent: int,
    maximum_percent: int,
    primary: Counts,
    older: tuple[Counts, ...],
    held: tuple[int, ...] | None = None,
    *,
    frozen: bool = False,
) -> Step:
    """What a rolling update does next.

    Healthy older tasks go as far as `minimum_percent` of `desired` allows. Until so many of the primary deployment are healthy, an older
    deployment's tasks that fail or end are replaced by tasks of its own (since November 2025), in the room that the primary's leave. What
    serves nobody gives way to those.

    `held`: how many tasks each older deployment had to run when it was replaced, and what scaling out has added since (None: none).
    `frozen`: the primary deployment has FAILED: nothing is started for it, nothing older is given up.
    """
    held = held or tuple(0 for _ in older)
    floor = math.ceil(desired * minimum_percent / 100)
    ceiling = desired * maximum_percent // 100
    # A service whose desired count was lowered may be above the ceiling already.
    room = max(0, ceiling - primary.all - sum(counts.all for counts in older))
    start = 0 if frozen else max(0, min(desired - primary.all, room))
    lack = 0 if frozen else max(0, desired - primary.all - start)
    need = max(0, floor - primary.healthy)
    stops = [0 for _ in older] if frozen else _stops(older, held, need, primary.healthy - floor, lack)
    starts, room = [], 0 if lack else room - start
    for counts, wanted, stop in zip(older, held, stops, strict=True):
        starts.append(0 if stop else max(0, min(room, min(wanted, need) - counts.all)))
        room -= starts[-1]
    return Step(start, max(0, primary.all - desired), tuple(stops), tuple(starts))


def _stops(older: tuple[Counts, ...], held: tuple[int, ...], need: int, surplus: int, lack: int) -> list[int]:
    """How many tasks of each older deployment go: healthy ones that are spared, others that are not needed or in the way."""
    spare = max(0, surplus + sum(counts.healthy for counts in older))
    stops = []
    for counts, wanted in zip(older, held, strict=True):
        going = min(counts.healthy, spare)
        spare -= going
        idle = counts.pending + counts.unhealthy
        kept = min(idle, max(0, min(wanted, need) - (counts.healthy - going)))
        given_way = min(kept, lack)
        lack -= given_way
        stops.append(going + idle - kept + given_way)
    return stops


def wanted_percent(configuration: dict[str, Any]) -> tuple[int, bool]:
    """From how many percent of healthy tasks on a rolling deployment is a success, and whether it waits for the end of older tasks.

    `configuration` is botocore's DeploymentConfiguration.
    """
    early = configuration.get("earlySuccessCriteria", {})
    if not early.get("enable"):
        return 100, True
    return early["healthyPercent"], early["sourceServiceRevisionCleanup"] == "BLOCKING"


def breaker_threshold(desired: int, breaker: dict[str, Any]) -> int:
    """How many failed tasks trip the deployment circuit breaker; `breaker` is botocore's DeploymentCircuitBreaker."""
    configuration = breaker.get("thresholdConfiguration", {"type": "BOUNDED_PERCENT", "value": 50})
    value: int = configuration["value"]
    if configuration["type"] == "COUNT":
        return value
    threshold = math.ceil(desired * value / 100)
    if configuration["type"] == "BOUNDED_PERCENT":
        return min(200, max(3, threshold))
    return threshold


def restart_delay(base: float, launch_failures: int) -> float:
    """Seconds until the next task after a failed one.

    Longer with each in a row that did not reach RUNNING, at most ten times `base`.
    """
    return base * min(10, max(1, launch_failures))


def check_configuration(configuration: dict[str, Any]) -> None:
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
    _check_early_success(configuration)


def _check_early_success(configuration: dict[str, Any]) -> None:
    early = configuration.get("earlySuccessCriteria", {})
    if not early.get("enable"):
        return
    if configuration.get("strategy", "ROLLING") != "ROLLING":
        raise ApiError(
            "InvalidParameterException", "earlySuccessCriteria is only valid with deployment strategy ROLLING."
        )
    if "healthyPercent" not in early or "sourceServiceRevisionCleanup" not in early:
        raise ApiError(
            "InvalidParameterException",
            "healthyPercent and sourceServiceRevisionCleanup are required when earlySuccessCriteria is enabled.",
        )
    if early["healthyPercent"] < configuration["minimumHealthyPercent"]:
        raise ApiError(
            "InvalidParameterException", "healthyPercent must be greater than or equal to minimumHealthyPercent."
        )


def check_strategy(configuration: dict[str, Any], load_balancers: list[dict[str, Any]]) -> None:
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
