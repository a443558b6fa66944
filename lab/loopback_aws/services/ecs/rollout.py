# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: what becomes of a service's deployments: begun, superseded, completed, failed, rolled back."""

from __future__ import annotations

import random
import time
import uuid
from typing import TYPE_CHECKING, Any

from . import describe, hooks, shift
from .state import ACTIVE, PRIMARY, Deployment, EcsService, Revision, ServiceDeployment
from .store import number, word

if TYPE_CHECKING:
    from ...lab import Lab

BREAKER = "ECS deployment circuit breaker: "
ALARM = "ECS deployment alarm: "
ROLLED_BACK = (hooks.ENDED, hooks.LATE)


def tell(lab: Lab, service: EcsService, message: str) -> None:
    """Add a service event; the newest is first, 100 are kept."""
    service.events.appendleft(
        {"id": str(uuid.uuid4()), "createdAt": lab.now(), "message": f"(service {service.name}) {message}"}
    )


def complain(lab: Lab, service: EcsService, message: str) -> None:
    """Add a warning once: ECS leaves out duplicates until the cause is gone (or for 6 hours)."""
    if message not in service.complaints:
        service.complaints.add(message)
        tell(lab, service, message)


def begin(lab: Lab, service: EcsService, definition: dict[str, Any], desired_before: int = 0) -> None:
    """Deploy: a new service revision, a new service deployment (PENDING), a new PRIMARY deployment.

    `desired_before` tasks were wanted until now: so many are kept of what ran.
    """
    now = lab.now()
    path = f"{service.cluster.name}/{service.name}"
    revision = Revision(
        arn=lab.arn("ecs", f"service-revision/{path}/{number()}"),
        service_arn=service.arn,
        cluster_arn=service.cluster.arn,
        definition=definition,
        settings={name: service.settings[name] for name in describe.SHOWN_BY_REVISION if name in service.settings},
        created_at=now,
    )
    service.revisions[revision.arn] = revision
    if service.controller == "ECS":
        sources = [each.revision for each in service.deployments]
        if service.ongoing is not None:
            _supersede(lab, service, service.ongoing)
        configuration = dict(service.settings["deploymentConfiguration"])
        arn = lab.arn("ecs", f"service-deployment/{path}/{word()}")
        deaf_to = hooks.in_alarm(lab, configuration)
        service.history.insert(0, ServiceDeployment(arn, revision, sources, configuration, now, now, deaf_to=deaf_to))
        shift.prepare(lab, service, service.history[0])
    _make_primary(lab, service, Deployment(f"ecs-svc/{number()}", revision, now, now), desired_before)


def _make_primary(
    lab: Lab, service: EcsService, deployment: Deployment, desired_before: int, reason: str | None = None
) -> None:
    for each in service.deployments:
        if each.status == PRIMARY:
            each.status, each.updated_at, each.held = ACTIVE, lab.now(), desired_before
    deployment.status, deployment.rollout_state, deployment.updated_at = PRIMARY, "IN_PROGRESS", lab.now()
    deployment.rollout_reason = reason or f"ECS deployment {deployment.id} in progress."
    deployment.failed_tasks = deployment.breaker_failures = deployment.launch_failures = 0
    service.deployments = [deployment, *(each for each in service.deployments if each is not deployment)]
    service.steady = False


def scale(service: EcsService, before: int) -> None:
    """The desired count was changed from `before`: scaling out during a deployment is for what it replaces, too (since November 2025)."""
    for each in service.deployments:
        if each.status == ACTIVE:
            each.held = min(service.desired, each.held + max(0, service.desired - before))


def _supersede(lab: Lab, service: EcsService, superseded: ServiceDeployment) -> None:
    """A newer deployment takes over: STOPPED, or ROLLBACK_FAILED when it was rolling back."""
    status = "ROLLBACK_FAILED" if superseded.status.startswith("ROLLBACK") else "STOPPED"
    finish(lab, service, superseded, status, "A newer service deployment was started.")


def advance(lab: Lab, service: EcsService) -> None:
    """The steps of a service deployment that need no task: PENDING to IN_PROGRESS, ROLLBACK_REQUESTED to the rollback."""
    ongoing = service.ongoing
    if ongoing is None:
        return
    if ongoing.status == "PENDING":
        ongoing.status, ongoing.started_at, ongoing.updated_at = "IN_PROGRESS", lab.now(), lab.now()
    elif ongoing.status == "ROLLBACK_REQUESTED":
        by = "a lifecycle hook" if any(hook.status in ROLLED_BACK for hook in ongoing.hooks) else "a user"
        fail(lab, service, f"ECS deployment was stopped by {by}.", f"deployment stopped by {by}.")
        reason = "of a lifecycle hook." if by != "a user" else "of a StopServiceDeployment request."
        _roll_back(lab, service, ongoing, f"Service deployment rolled back because {reason}", "ECS deployment: ")
    else:
        shift.advance(lab, service)


def complete(lab: Lab, service: EcsService) -> None:
    """The PRIMARY deployment has all its tasks, and nothing else is left."""
    primary, ongoing = service.primary, service.ongoing
    primary.rollout_state, primary.updated_at = "COMPLETED", lab.now()
    primary.rollout_reason = f"ECS deployment {primary.id} completed."
    service.completed = primary
    for each in service.deployments:  # with early success there may be some left: they are only cleaned up from now on
        each.held = 0
    tell(lab, service, f"(deployment {primary.id}) deployment completed.")
    if ongoing is not None:
        # A rollback that reached its end looks like success in deployments[]; only here it is told apart.
        finish(lab, service, ongoing, "ROLLBACK_SUCCESSFUL" if ongoing.rollback else "SUCCESSFUL", ongoing.reason)


def finish(lab: Lab, service: EcsService, ended: ServiceDeployment, status: str, reason: str) -> None:
    """Give a service deployment its final status and keep the counts of this moment."""
    now = lab.now()
    ended.final_counts = {each.arn: describe.revision_counts(service, each) for each in (*ended.sources, ended.target)}
    ended.failure_count = max(
        ended.failure_count, service.primary.breaker_failures if service.primary.revision is ended.target else 0
    )
    ended.status, ended.reason, ended.updated_at, ended.finished_at = status, reason, now, now
    ended.started_at = ended.started_at or now
    if status == "STOPPED":
        ended.stopped_at = now


def trip_breaker(lab: Lab, service: EcsService, *, may_roll_back: bool) -> None:
    """The circuit breaker has counted enough failed tasks of the PRIMARY deployment."""
    ongoing = service.ongoing
    if ongoing is None:
        raise RuntimeError(f"{service.name} has no deployment that the circuit breaker could end")
    ongoing.breaker_triggered, ongoing.failure_count = True, service.primary.breaker_failures
    fail(lab, service, BREAKER + "tasks failed to start.", "deployment failed: tasks failed to start.")
    _end_badly(lab, service, "the circuit breaker threshold was exceeded.", BREAKER, may_roll_back=may_roll_back)


def watch_alarms(lab: Lab, service: EcsService) -> None:
    """An alarm that has gone into ALARM since the deployment began ends it. ECS is deaf to those that were in ALARM before."""
    ongoing = service.ongoing
    if ongoing is None or ongoing.status != "IN_PROGRESS" or service.primary.rollout_state == "FAILED":
        return
    ongoing.triggered = tuple(
        name for name in hooks.in_alarm(lab, ongoing.configuration) if name not in ongoing.deaf_to
    )
    if ongoing.triggered:
        fail(lab, service, ALARM + "alarm detected.", "deployment failed: alarm detected.")
        _end_badly(
            lab,
            service,
            "a CloudWatch alarm was detected.",
            ALARM,
            may_roll_back=ongoing.configuration["alarms"]["rollback"],
        )


def baked(lab: Lab, ongoing: ServiceDeployment) -> bool:
    """Whether a rolling deployment whose tasks are there is done: its alarms are watched for a while more."""
    if not ongoing.configuration.get("alarms", {}).get("enable") or ongoing.rollback or ongoing.strategy != "ROLLING":
        return True
    ongoing.baking_since = ongoing.baking_since or time.monotonic()
    return time.monotonic() - ongoing.baking_since >= lab.durations.alarm_bake


def _end_badly(lab: Lab, service: EcsService, why: str, prefix: str, *, may_roll_back: bool) -> None:
    """Roll a deployment that has failed back, if it may be; nothing more is started of it."""
    ongoing = service.ongoing
    if ongoing is None:
        raise RuntimeError(f"{service.name} has no deployment that could end badly")
    if ongoing.rollback:
        finish(lab, service, ongoing, "ROLLBACK_FAILED", f"The rollback failed because {why}")
    elif may_roll_back and service.completed is not None:
        _roll_back(lab, service, ongoing, f"Service deployment rolled back because {why}", prefix)
    else:  # AWS calls that stalled, and leaves it to a person
        finish(lab, service, ongoing, "STOPPED", f"Service deployment failed because {why}")


def fail(lab: Lab, service: EcsService, reason: str, event: str) -> None:
    """FAILED: the PRIMARY deployment starts no more tasks."""
    primary = service.primary
    primary.rollout_state, primary.rollout_reason, primary.updated_at = "FAILED", reason, lab.now()
    tell(lab, service, f"(deployment {primary.id}) {event}")


def _roll_back(lab: Lab, service: EcsService, ongoing: ServiceDeployment, reason: str, prefix: str) -> None:
    """Go back to the last COMPLETED deployment; when it is drained already, to a new deployment of its revision."""
    now, back = lab.now(), service.completed
    if back is None:
        raise RuntimeError(f"{service.name} has nothing to go back to")
    shift.give_back(lab, service, back.revision)
    if back not in service.deployments:
        back = Deployment(f"ecs-svc/{number()}", back.revision, now, now)
    # It is the service revision that comes back, whole: its network, load balancers, platform and capacity are the service's again.
    for name in describe.SHOWN_BY_REVISION:
        service.settings.pop(name, None)
    service.settings.update(back.revision.settings)
    _make_primary(lab, service, back, service.desired, f"{prefix}rolling back to deploymentId {back.id}.")
    tell(lab, service, f"rolling back to deployment {back.id}.")
    ongoing.status, ongoing.reason, ongoing.updated_at = "ROLLBACK_IN_PROGRESS", reason, now
    ongoing.rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": back.revision.arn}


def delay(deployment: Deployment, seconds: float) -> None:
    """No task of a deployment is started before this time, give or take a tenth: ECS throttles restarts."""
    deployment.not_before = max(deployment.not_before, time.monotonic() + seconds * random.uniform(0.9, 1.1))
