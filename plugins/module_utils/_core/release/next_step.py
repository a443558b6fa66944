# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a service is brought to what it goes back to, and whether that takes a deployment. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ENDED, IN_FLIGHT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import (
    ConfigurationChanges,
    Revision,
    changes,
    same_images,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Edit

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition

NO_CHANGES = ConfigurationChanges()


@dataclass(frozen=True)
class DeploymentStep:
    """What is to be done for one service. ``verb`` is

    - ``nothing``: it runs its target;
    - ``join``: a deployment to the target is under way already;
    - ``stop``: the deployment ``stopped`` is under way, and rolling it back leads to the target: the fastest way;
    - ``deploy``: ``task_definition`` is deployed;
    - ``register``: its content is registered again, with the images of ``pins`` and the values of ``edits``, and that is deployed.

    ``changes`` are those of the service's configuration that come with it; with ``stop``, ECS makes them itself.
    """

    verb: str
    reason: str
    task_definition: str
    force: bool = False
    stopped: str | None = None
    pins: tuple[tuple[str, str], ...] = ()
    edits: tuple[Edit, ...] = ()
    changes: ConfigurationChanges = NO_CHANGES


def short(arn: str) -> str:
    """family:revision of a task definition ARN, for people."""
    return arn.rpartition("/")[2]


def in_flight(history: Iterable[ServiceDeployment]) -> ServiceDeployment | None:
    """The ServiceDeployment that is under way and can be stopped, or None.

    What it deploys counts as running: of a blue/green, linear or canary deployment users get some of it already. Only the
    newest can be it, because a newer one ends the one before.
    """
    newest = max(history, key=lambda item: item.created_at, default=None)
    return newest if newest and newest.status in IN_FLIGHT else None


def running_revision(service: Service, history: Sequence[ServiceDeployment]) -> Revision:
    """The Revision that a service runs, or is being brought to; where AWS's record does not have it, what is known of it."""
    newest = max(history, key=lambda item: item.created_at, default=None)
    if newest is not None:
        ran = newest.returned or newest.target
        if ran.task_definition == service.task_definition or in_flight(history):
            return ran
    known = [item.target for item in history if item.task_definition == service.task_definition]
    return known[0] if known else Revision("", service.task_definition)


def next_step(
    service: Service,
    target: TaskDefinition,
    running: TaskDefinition,
    history: Sequence[ServiceDeployment],
    secrets_changed_at: datetime | None = None,
    pins: Sequence[tuple[str, str]] = (),
    edits: Sequence[Edit] = (),
    wanted: Revision | None = None,
    superseded: bool = False,
    as_is: bool = False,
) -> DeploymentStep:
    """How ``service`` is brought to ``target``.

    :param target: TaskDefinition; a copy of it counts as the target itself.
    :param running: TaskDefinition of the primary deployment.
    :param history: ServiceDeployments, newest first.
    :param secrets_changed_at: when the newest change to a secret or parameter that ``target`` names was made; None without any.
        Tasks read secrets when they start, never later: a change after the deployment began needs another one.
    :param pins: (image reference, reference by digest) where a tag means another image than it did.
    :param edits: Edits of what ``target`` is to read of a database that has moved.
    :param superseded: whether ``running`` pins a version of a secret for a run, and another one is current by now.
    :param as_is: whether a copy of ``target``, or of what it is a copy of, is not the target: what it pins or names itself counts, too.
    :param wanted: the Revision that is to come back, whose images and configuration count as well; None where only ``target`` does.
    :return: a DeploymentStep.
    :raises BadInput, RollbackError: ECS would refuse it, or it could not succeed.
    """
    _refuse_what_cannot_work(service, target)
    present = running_revision(service, history)
    change = changes(present, wanted)
    if edits and not _reads(running, target, pins, edits):
        return _copied(target, pins, edits, change)
    step = _step(service, target, running, history, secrets_changed_at, pins, wanted, present, as_is)
    if edits and step.task_definition != running.arn:
        return _copied(target, pins, edits, change, force=True)
    if superseded and not edits and step.task_definition == running.arn:
        reason = "%s pins a version of a secret that is not the current one any more" % short(running.arn)
        verb = "deploy" if target.status == "ACTIVE" else "register"
        step = DeploymentStep(verb, reason, target.arn, pins=tuple(pins), changes=change)
    if service.fence is None or service.desired or step.verb in ("deploy", "register"):
        return step  # with tasks that are wanted again, an earlier try has asked for them
    reason = "%s was brought to 0 tasks for the rollback, and gets its %d back" % (service.name, service.fence.desired)
    same = running.release == target.release and step.verb != "stop" and not _otherwise(running, target, as_is)
    again = running.arn if same else target.arn
    return DeploymentStep("deploy", reason, again, force=True, changes=change)


def _reads(
    running: TaskDefinition, target: TaskDefinition, pins: Sequence[tuple[str, str]], edits: Sequence[Edit]
) -> bool:
    """Whether what runs is the copy that ``edits`` make of ``target``."""
    return running.release == target.release and running.containers == target.changed(pins, edits)


def _copied(
    target: TaskDefinition,
    pins: Sequence[tuple[str, str]],
    edits: Sequence[Edit],
    change: ConfigurationChanges,
    force: bool = False,
) -> DeploymentStep:
    what = ", ".join(dict.fromkeys(edit.name for edit in edits))
    reason = "a copy of %s gets another %s" % (short(target.arn), what)
    return DeploymentStep("register", reason, target.arn, force, pins=tuple(pins), edits=tuple(edits), changes=change)


def _otherwise(running: TaskDefinition, target: TaskDefinition, as_is: bool) -> bool:
    """Whether what runs has not what the very target has, where that counts."""
    return as_is and running.containers != target.containers


def _step(
    service: Service,
    target: TaskDefinition,
    running: TaskDefinition,
    history: Sequence[ServiceDeployment],
    secrets_changed_at: datetime | None,
    pins: Sequence[tuple[str, str]],
    wanted: Revision | None,
    present: Revision,
    as_is: bool,
) -> DeploymentStep:
    going, change = in_flight(history), changes(present, wanted)
    other_images = wanted is not None and same_images(present, wanted) is False
    same_release = running.release == target.release and (going is None or going.task_definition == running.arn)
    if same_release and not other_images and not change and not _otherwise(running, target, as_is):
        return _stay(service, running, history, secrets_changed_at)
    if going and not pins and _rollback_leads_to(target.arn, history, secrets_changed_at, wanted):
        reason = "the deployment of %s to %s is still under way, and ECS can roll it back" % (
            short(going.task_definition),
            service.name,
        )
        return DeploymentStep("stop", reason, target.arn, stopped=going.arn, changes=change)
    reason = "%s runs %s" % (service.name, short(going.task_definition if going else running.arn))
    if same_release:
        reason += " with other images" if other_images else " with another configuration"
    if pins:
        moved = ", ".join(reference for reference, _pinned in pins)
        reason = "%s; the tag of %s means another image today" % (reason, moved)
        return DeploymentStep("register", reason, target.arn, pins=tuple(pins), changes=change)
    if target.status != "ACTIVE":
        return DeploymentStep(
            "register", "%s; %s is %s" % (reason, short(target.arn), target.status), target.arn, changes=change
        )
    # Without another task definition, a changed capacity provider strategy starts no deployment, and nor does a tag that was moved back.
    again = target.arn == (going.task_definition if going else service.task_definition)
    return DeploymentStep("deploy", reason, target.arn, force=again, changes=change)


def _stay(
    service: Service, running: TaskDefinition, history: Sequence[ServiceDeployment], secrets_changed_at: datetime | None
) -> DeploymentStep:
    primary, name = service.primary, short(running.arn)
    if primary is None:
        return DeploymentStep("deploy", "%s has no deployment" % service.name, running.arn)
    if secrets_changed_at and secrets_changed_at > primary.created_at:
        reason = "%s runs %s, but a secret or parameter changed after its tasks were started" % (service.name, name)
        return DeploymentStep("deploy", reason, running.arn, force=True)
    # Only rolling deployments have a rollout state (botocore Deployment); the others are known by the history alone.
    if primary.rollout_state == "IN_PROGRESS" or (history and history[0].status not in ENDED):
        return DeploymentStep("join", "a deployment of %s to %s is under way" % (name, service.name), running.arn)
    if primary.rollout_state == "FAILED":
        reason = "the deployment of %s to %s has failed, and ECS starts no more tasks of it" % (name, service.name)
        return DeploymentStep("deploy", reason, running.arn, force=True)
    return DeploymentStep("nothing", "%s runs %s, and no secret changed since" % (service.name, name), running.arn)


def _rollback_leads_to(
    target: str, history: Sequence[ServiceDeployment], secrets_changed_at: datetime | None, wanted: Revision | None
) -> bool:
    """ECS goes back to the newest deployment that succeeded; tasks of it that still run keep the secrets that they read then."""
    succeeded = next((item for item in history if item.status == "SUCCESSFUL"), None)
    if succeeded is None or succeeded.task_definition != target:
        return False
    if wanted and (same_images(succeeded.target, wanted) is False or changes(succeeded.target, wanted)):
        return False
    return not secrets_changed_at or secrets_changed_at <= succeeded.created_at


def failed_tasks_that_prove_it(desired: int) -> int:
    """So many tasks that failed in a row prove that a deployment will not succeed: ECS's own default for its circuit
    breaker, half of the desired count, from 3 to 200 (DeploymentCircuitBreaker)."""
    return min(200, max(3, math.ceil(desired / 2)))


def _refuse_what_cannot_work(service: Service, target: TaskDefinition) -> None:
    if service.status != "ACTIVE":
        raise BadInput("services", service.name, "this service is %s" % service.status)
    if service.controller != "ECS":
        raise RollbackError(
            "Service %s is deployed by the %s controller, under which ECS does not let anybody change the task definition. "
            "Roll back with the tool that deploys it (for CODE_DEPLOY: stop its deployment with rollback)."
            % (service.name, service.controller)
        )
    if target.status not in ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"):
        raise RollbackError(
            "Task definition %s is %s and cannot come back. Name another one in rollback_task_definition."
            % (short(target.arn), target.status)
        )
    if service.wanted == 0:
        raise RollbackError(
            "Service %s is scaled to 0, so no deployment could prove itself. Set its desired count, then run again."
            % service.name
        )
