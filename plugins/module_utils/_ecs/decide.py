# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which task definition a service goes back to, and whether that takes a deployment. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
    """What is to be done for one service: ``deploy``, ``join`` a deployment under way, or ``nothing``."""

    verb: str
    reason: str
    force: bool = False


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

    def older(self, arn):
        """Task definitions born before ``arn``, oldest first."""
        return self.order[: self.order.index(arn)]

    def younger(self, arn):
        """Task definitions born after ``arn``, oldest first; all of them when ``arn`` was never deployed."""
        return self.order[self.order.index(arn) + 1 :] if arn in self.order else []


def choose_target(service, history, wanted=None):
    """The task definition that ``service`` goes back to.

    In this order: the one that the operator named; the running one, when it was brought back already, so that a second
    run changes nothing; the newest one older than the running one that has served and was not rolled back from.

    :param history: ServiceDeployments in any order.
    :param wanted: ARN that the operator named, or None.
    :return: a Choice.
    :raises RollbackError: none can be chosen; the evidence lists the candidates.
    """
    timeline = _Timeline(history)
    running = service.task_definition
    candidates = tuple(
        Candidate(arn, timeline.born[arn], _verdict(arn, running, timeline)) for arn in reversed(timeline.order)
    )
    if wanted:
        return _choice(wanted, "rollback_task_definition names it", running, timeline, candidates)
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


def next_step(service, target, secrets_changed_at=None):
    """Whether bringing ``service`` to ``target`` (TaskDefinition) takes a deployment.

    :param secrets_changed_at: when the newest change to a secret that ``target`` names was made; None without secrets.
        Tasks read secrets when they start, never later: a change after the deployment began needs another one.
    :return: a Step.
    :raises BadInput, RollbackError: ECS would refuse it, or it could not succeed.
    """
    _refuse_what_cannot_work(service, target)
    primary = service.primary
    if primary is None or primary.task_definition != target.arn:
        return Step("deploy", "%s runs %s" % (service.name, short(service.task_definition)))
    if secrets_changed_at and secrets_changed_at > primary.created_at:
        return Step(
            "deploy",
            "%s runs %s, but a secret changed after its tasks were started" % (service.name, short(target.arn)),
            force=True,
        )
    if primary.rollout_state != "COMPLETED":
        return Step("join", "a deployment of %s to %s is under way" % (short(target.arn), service.name))
    return Step("nothing", "%s runs %s, and no secret changed since" % (service.name, short(target.arn)))


def _refuse_what_cannot_work(service, target):
    if service.status != "ACTIVE":
        raise BadInput("services", service.name, "this service is %s" % service.status)
    if service.controller != "ECS":
        raise RollbackError(
            "Service %s is deployed by the %s controller, under which ECS does not let anybody change the task definition. "
            "Roll back with the tool that deploys it (for CODE_DEPLOY: stop its deployment with rollback)."
            % (service.name, service.controller)
        )
    if target.status != "ACTIVE":
        raise RollbackError(
            "Task definition %s is %s, and ECS starts no deployment of it. Register its content again and name the new revision in "
            "rollback_task_definition." % (short(target.arn), target.status)
        )
    if service.desired == 0:
        raise RollbackError(
            "Service %s is scaled to 0, so no deployment could prove itself. Set its desired count, then run again."
            % service.name
        )
