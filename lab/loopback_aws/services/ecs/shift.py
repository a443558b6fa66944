# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: blue/green, linear and canary deployments: the lifecycle stages, and the traffic that goes from blue to green.

The stages are those of botocore's ServiceDeploymentLifecycleStage. The lab has no test listener, so that a stage without work lasts one
round of the scheduler, unless a lifecycle hook pauses it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, TypeGuard

from . import hooks
from .state import Deployment, EcsService, Revision, ServiceDeployment

if TYPE_CHECKING:
    from ...lab import Lab

RECONCILE, BAKE, CLEAN_UP, SHIFT = "RECONCILE_SERVICE", "BAKE_TIME", "CLEAN_UP", "PRODUCTION_TRAFFIC_SHIFT"
STAGES = (
    RECONCILE, "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", SHIFT,
    "POST_PRODUCTION_TRAFFIC_SHIFT", BAKE, CLEAN_UP,
)  # fmt: skip
WEIGHT_OF_A_PERCENT = 9  # weights are whole numbers up to 999, and percentages have one decimal


def takes_part(ongoing: ServiceDeployment | None) -> TypeGuard[ServiceDeployment]:
    """Whether a service deployment shifts traffic in stages, and is not on its way back."""
    return ongoing is not None and ongoing.strategy != "ROLLING" and not ongoing.rollback


def prepare(lab: Lab, service: EcsService, ongoing: ServiceDeployment) -> None:
    """Give a new revision the target group that the revision in service has not; until it is ready, that one gets all traffic."""
    if ongoing.strategy == "ROLLING":
        return
    blue = service.completed
    if blue is not None:
        ongoing.target.in_alternate = not blue.revision.in_alternate
        give_back(lab, service, blue.revision)
    _enter(ongoing, RECONCILE if len(service.deployments) > 1 else STAGES[1])


def may_stop_older(service: EcsService, each: Deployment) -> bool:
    """Whether tasks of an older deployment may be stopped now: blue serves until the very end."""
    ongoing = service.ongoing
    if not takes_part(ongoing):
        return True
    return ongoing.stage == CLEAN_UP or (ongoing.stage == RECONCILE and each is not service.completed)


def may_start(service: EcsService) -> bool:
    """Whether tasks of the new revision may be started now."""
    ongoing = service.ongoing
    return not takes_part(ongoing) or ongoing.stage not in (RECONCILE, "PRE_SCALE_UP")


def may_complete(service: EcsService) -> bool:
    """Whether a deployment whose tasks are all there is done."""
    ongoing = service.ongoing
    return not takes_part(ongoing) or ongoing.stage == CLEAN_UP


def advance(lab: Lab, service: EcsService) -> None:
    """Go on to the next stage when this one has done its work."""
    ongoing = service.ongoing
    if not takes_part(ongoing) or ongoing.status != "IN_PROGRESS" or service.primary.rollout_state == "FAILED":
        return
    if ongoing.stage == SHIFT:
        _shift_on(lab, service, ongoing)
    if ongoing.stage != CLEAN_UP and _done(lab, service, ongoing) and not hooks.holds(lab, ongoing):
        _enter(ongoing, STAGES[STAGES.index(ongoing.stage) + 1])


def give_back(lab: Lab, service: EcsService, revision: Revision) -> None:
    """All traffic to a revision that serves still: what a rollback begins with."""
    _send(lab, service, revision, 100.0)


def _done(lab: Lab, service: EcsService, ongoing: ServiceDeployment) -> bool:
    elapsed = time.monotonic() - ongoing.stage_since
    if ongoing.stage == RECONCILE:
        return all(each in (service.primary, service.completed) for each in service.deployments)
    if ongoing.stage == "SCALE_UP":
        counts = service.counts(service.primary)
        return bool(counts.healthy == counts.all == service.desired)
    if ongoing.stage == SHIFT:
        return ongoing.shifted >= 100
    if ongoing.stage == BAKE:
        return bool(elapsed >= ongoing.configuration.get("bakeTimeInMinutes", 0) * lab.durations.minute)
    return True


def _enter(ongoing: ServiceDeployment, stage: str) -> None:
    ongoing.stage, ongoing.stage_since = stage, time.monotonic()


def _shift_on(lab: Lab, service: EcsService, ongoing: ServiceDeployment) -> None:
    wanted = percent_after(ongoing.configuration, (time.monotonic() - ongoing.stage_since) / lab.durations.minute)
    if service.completed is None:
        wanted = 100.0  # nobody has served before
    if wanted > ongoing.shifted:
        ongoing.shifted = wanted
        _send(lab, service, ongoing.target, wanted)


def percent_after(configuration: dict[str, Any], minutes: float) -> float:
    """How much of the traffic the new revision gets so many minutes after the shift began."""
    strategy = configuration["strategy"]
    if strategy == "CANARY":
        canary = configuration.get("canaryConfiguration", {})
        return float(canary.get("canaryPercent", 5.0)) if minutes < canary.get("canaryBakeTimeInMinutes", 10) else 100.0
    if strategy == "LINEAR":
        linear = configuration.get("linearConfiguration", {})
        pause = linear.get("stepBakeTimeInMinutes", 6)
        steps = math.inf if pause == 0 else 1 + math.floor(minutes / pause)
        return min(100.0, float(linear.get("stepPercent", 10.0)) * steps)
    return 100.0


def _send(lab: Lab, service: EcsService, revision: Revision, percent: float) -> None:
    for balancer in service.settings["loadBalancers"]:
        advanced = balancer.get("advancedConfiguration")
        if advanced is None:
            continue
        pair = [balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]]
        mine = pair[revision.in_alternate]
        weight = round(percent * WEIGHT_OF_A_PERCENT)
        weights = {arn: weight if arn == mine else 100 * WEIGHT_OF_A_PERCENT - weight for arn in pair}
        lab.elbv2.send(advanced["productionListenerRule"], weights)
