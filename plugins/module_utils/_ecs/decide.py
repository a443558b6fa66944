# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which task definition a service goes back to, and whether that takes a deployment. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import ENDED, IN_FLIGHT, Edit
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError


@dataclass(frozen=True)
class Candidate:
    """A task definition that was deployed; ``verdict`` says in words whether it can be chosen."""

    task_definition: str
    first_deployed: datetime
    verdict: str


@dataclass(frozen=True)
class Choice:
    """Where a service goes back to. ``first_bad`` is the first task definition after the target, ``bad_since`` when it came."""

    target: str
    reason: str
    first_bad: str | None
    bad_since: datetime | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Step:
    """What is to be done for one service. ``verb`` is

    - ``nothing``: it runs its target;
    - ``join``: a deployment to the target is under way already;
    - ``stop``: the deployment ``stopped`` is under way, and rolling it back leads to the target: the fastest way;
    - ``deploy``: ``task_definition`` is deployed;
    - ``register``: its content is registered again, with the images of ``pins`` and the values of ``edits``, and that is deployed.
    """

    verb: str
    reason: str
    task_definition: str
    force: bool = False
    stopped: str | None = None
    pins: tuple[tuple[str, str], ...] = ()
    edits: tuple[Edit, ...] = ()


def short(arn):
    """family:revision of a task definition ARN, for people."""
    return arn.rpartition("/")[2]


class _Timeline:
    """What a service ran, in order, read from its history.

    Each task definition is born when it is first deployed. Deploying one again while a younger one runs is a rollback,
    whoever did it (a person, this collection, ECS's circuit breaker): everything born in between was rolled back from.
    """

    def __init__(self, history):
        runs = []
        for deployment in sorted(history, key=lambda item: item.created_at):
            runs.append(deployment.task_definition)
            if deployment.brought_back:
                runs.append(deployment.brought_back)
        self.order = sorted(set(runs), key=runs.index)
        self.stays = _stays(history)
        self.born = {}
        for deployment in sorted(history, key=lambda item: item.created_at):
            for arn in filter(None, (deployment.task_definition, deployment.brought_back)):
                self.born.setdefault(arn, deployment.created_at)
        self.served = {item.task_definition for item in history if item.status == "SUCCESSFUL"}
        self.served |= {
            item.brought_back for item in history if item.brought_back and item.status == "ROLLBACK_SUCCESSFUL"
        }
        self.rolled_back_from = self._rollbacks(runs)

    def _rollbacks(self, runs):
        bad = set()
        for place, arn in enumerate(runs):
            before = runs[:place]
            if arn in before and before[-1] != arn:
                bad |= set(before[before.index(arn) + 1 :]) - set(self.older(arn)) - {arn}
        return bad

    def last_began(self, arn):
        """When the service came to run ``arn``, the last time, and when the releases in between began if it had run that before; else None."""
        places = [place for place, (other, _began) in enumerate(self.stays) if other == arn]
        if not places:
            return None, None
        between = self.stays[places[-2] + 1 : places[-1]] if len(places) > 1 else []
        return self.stays[places[-1]][1], between[0][1] if between else None

    def older(self, arn):
        """Task definitions born before ``arn``, oldest first."""
        return self.order[: self.order.index(arn)]

    def younger(self, arn):
        """Task definitions born after ``arn``, oldest first; all of them when ``arn`` was never deployed."""
        return self.order[self.order.index(arn) + 1 :] if arn in self.order else []


def _stays(history):
    """(ARN, when it began) of each time that the service came to run another task definition, oldest first."""
    found = []
    for item in sorted(history, key=lambda item: item.created_at):
        for arn in filter(None, (item.task_definition, item.brought_back)):
            if not found or found[-1][0] != arn:
                found.append((arn, item.created_at))
    return found


@dataclass(frozen=True)
class Times:
    """When a service came to run what it runs, whether that was brought back, and from releases that began when (else None)."""

    running: str
    since: datetime | None
    brought_back: bool
    bad_since: datetime | None
    bad: frozenset


def times_of(service, history):
    """The Times of a Service and its ServiceDeployments, both under the names of releases; ``since`` is None where AWS has no record."""
    timeline, going = _Timeline(history), in_flight(history)
    running = going.task_definition if going else service.task_definition
    since, bad_since = timeline.last_began(running)
    brought_back = bool(timeline.younger(running))
    bad_since = (bad_since or timeline.born[timeline.younger(running)[0]]) if brought_back else None
    return Times(running, since, brought_back, bad_since, frozenset(timeline.rolled_back_from))


def as_releases(service, history, definitions):
    """``service`` and ``history`` with every copy that this collection registered under the name of its origin.

    A copy is the same release: without this, the copy of release 1 would be the youngest release of all.

    :param definitions: TaskDefinitions by ARN.
    """

    def release(arn):
        return definitions[arn].release if arn in definitions else arn

    renamed = [
        replace(
            item,
            task_definition=release(item.task_definition),
            brought_back=item.brought_back and release(item.brought_back),
        )
        for item in history
    ]
    return replace(service, task_definition=release(service.task_definition)), renamed


def in_flight(history):
    """The ServiceDeployment that is under way and can be stopped, or None.

    What it deploys counts as running: of a blue/green, linear or canary deployment users get some of it already. Only the
    newest can be it, because a newer one ends the one before.
    """
    newest = max(history, key=lambda item: item.created_at, default=None)
    return newest if newest and newest.status in IN_FLIGHT else None


def choose_target(service, history, wanted=None, why="rollback_task_definition names it"):
    """The task definition that ``service`` goes back to.

    In this order: the one that the operator named; the running one, when it was brought back already, so that a second
    run changes nothing; the newest one older than the running one that has served and was not rolled back from.

    :param history: ServiceDeployments in any order.
    :param wanted: ARN that the operator named, or that a release point has recorded, or None.
    :param why: for people, why it is wanted.
    :return: a Choice.
    :raises RollbackError: none can be chosen; the evidence lists the candidates.
    """
    timeline = _Timeline(history)
    going = in_flight(history)
    running = going.task_definition if going else service.task_definition
    candidates = tuple(
        Candidate(arn, timeline.born[arn], _verdict(arn, running, timeline)) for arn in reversed(timeline.order)
    )
    if wanted:
        return _choice(wanted, why, running, timeline, candidates)
    if running not in timeline.order:
        raise _nothing_to_choose(
            service, "AWS has no record that %s was deployed (it keeps 90 days)" % short(running), candidates
        )
    if timeline.younger(running):
        names = ", ".join(short(arn) for arn in timeline.younger(running))
        reason = (
            "it was brought back already, from %s; name another one in rollback_task_definition to go elsewhere" % names
        )
        return _choice(running, reason, running, timeline, candidates)
    eligible = [arn for arn in timeline.older(running) if arn in timeline.served - timeline.rolled_back_from]
    if not eligible:
        raise _nothing_to_choose(
            service, "nothing older than %s has served without being rolled back from" % short(running), candidates
        )
    reason = "it is the newest one before %s that has served and was not rolled back from" % short(running)
    return _choice(eligible[-1], reason, running, timeline, candidates)


def _choice(target, reason, running, timeline, candidates):
    younger = timeline.younger(target)
    if target not in timeline.born and running in timeline.born:
        younger = [running]  # a revision that was registered and never deployed takes the place of what runs
    first_bad = younger[0] if younger else None
    return Choice(target, reason, first_bad, timeline.born[first_bad] if first_bad else None, candidates)


def _verdict(arn, running, timeline):
    if arn == running:
        return "running"
    if arn in timeline.rolled_back_from:
        return "rolled back from"
    return "served" if arn in timeline.served else "never served"


def _nothing_to_choose(service, why, candidates):
    lines = [
        "%s  first deployed %s  %s" % (short(item.task_definition), item.first_deployed.isoformat(), item.verdict)
        for item in candidates
    ]
    return RollbackError(
        "There is no task definition to bring service %s back to: %s. Name one in rollback_task_definition, as family:revision."
        % (service.name, why),
        lines or ["AWS lists no deployment of this service"],
    )


def next_step(service, target, running, history, secrets_changed_at=None, pins=(), edits=()):
    """How ``service`` is brought to ``target``.

    :param target: TaskDefinition; a copy of it counts as the target itself.
    :param running: TaskDefinition of the primary deployment.
    :param history: ServiceDeployments, newest first.
    :param secrets_changed_at: when the newest change to a secret or parameter that ``target`` names was made; None without any.
        Tasks read secrets when they start, never later: a change after the deployment began needs another one.
    :param pins: (image reference, reference by digest) where a tag means another image than it did.
    :param edits: Edits of what ``target`` itself says of a database that has moved.
    :return: a Step.
    :raises BadInput, RollbackError: ECS would refuse it, or it could not succeed.
    """
    _refuse_what_cannot_work(service, target)
    if edits:
        what = ", ".join(dict.fromkeys(edit.name for edit in edits))
        reason = "%s of %s names the failed database in itself" % (what, short(target.arn))
        return Step("register", reason, target.arn, pins=tuple(pins), edits=tuple(edits))
    step = _step(service, target, running, history, secrets_changed_at, pins)
    if service.fence is None or step.verb in ("deploy", "register"):
        return step
    reason = "%s was brought to 0 tasks for the rollback, and gets its %d back" % (service.name, service.fence.desired)
    again = running.arn if running.release == target.release else target.arn
    return Step("deploy", reason, again, force=True)


def _step(service, target, running, history, secrets_changed_at, pins):
    going = in_flight(history)
    if running.release == target.release and (going is None or going.task_definition == running.arn):
        return _stay(service, running, history, secrets_changed_at)
    if going and not pins and _rollback_leads_to(target.arn, history, secrets_changed_at):
        reason = "the deployment of %s to %s is still under way, and ECS can roll it back" % (
            short(going.task_definition),
            service.name,
        )
        return Step("stop", reason, target.arn, stopped=going.arn)
    reason = "%s runs %s" % (service.name, short(going.task_definition if going else running.arn))
    if pins:
        moved = ", ".join(reference for reference, _pinned in pins)
        return Step(
            "register", "%s; the tag of %s means another image today" % (reason, moved), target.arn, pins=tuple(pins)
        )
    if target.status == "INACTIVE":
        return Step("register", "%s; %s is INACTIVE" % (reason, short(target.arn)), target.arn)
    return Step("deploy", reason, target.arn)


def _stay(service, running, history, secrets_changed_at):
    primary, name = service.primary, short(running.arn)
    if primary is None:
        return Step("deploy", "%s has no deployment" % service.name, running.arn)
    if secrets_changed_at and secrets_changed_at > primary.created_at:
        reason = "%s runs %s, but a secret or parameter changed after its tasks were started" % (service.name, name)
        return Step("deploy", reason, running.arn, force=True)
    # Only rolling deployments have a rollout state (botocore Deployment); the others are known by the history alone.
    if primary.rollout_state == "IN_PROGRESS" or (history and history[0].status not in ENDED):
        return Step("join", "a deployment of %s to %s is under way" % (name, service.name), running.arn)
    if primary.rollout_state == "FAILED":
        reason = "the deployment of %s to %s has failed, and ECS starts no more tasks of it" % (name, service.name)
        return Step("deploy", reason, running.arn, force=True)
    return Step("nothing", "%s runs %s, and no secret changed since" % (service.name, name), running.arn)


def _rollback_leads_to(target, history, secrets_changed_at):
    """ECS goes back to the newest deployment that succeeded; tasks of it that still run keep the secrets that they read then."""
    succeeded = next((item for item in history if item.status == "SUCCESSFUL"), None)
    if succeeded is None or succeeded.task_definition != target:
        return False
    return not secrets_changed_at or secrets_changed_at <= succeeded.created_at


def failed_tasks_that_prove_it(desired):
    """So many tasks that failed in a row prove that a deployment will not succeed: ECS's own default for its circuit
    breaker, half of the desired count, from 3 to 200 (DeploymentCircuitBreaker)."""
    return min(200, max(3, math.ceil(desired / 2)))


def _refuse_what_cannot_work(service, target):
    if service.status != "ACTIVE":
        raise BadInput("services", service.name, "this service is %s" % service.status)
    if service.controller != "ECS":
        raise RollbackError(
            "Service %s is deployed by the %s controller, under which ECS does not let anybody change the task definition. "
            "Roll back with the tool that deploys it (for CODE_DEPLOY: stop its deployment with rollback)."
            % (service.name, service.controller)
        )
    if target.status not in ("ACTIVE", "INACTIVE"):
        raise RollbackError(
            "Task definition %s is %s and cannot come back. Name another one in rollback_task_definition."
            % (short(target.arn), target.status)
        )
    if service.wanted == 0:
        raise RollbackError(
            "Service %s is scaled to 0, so no deployment could prove itself. Set its desired count, then run again."
            % service.name
        )
