# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one service ran, and where it goes back to: reads the history and the task definitions in it, then chooses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import (
    Choice,
    as_releases,
    choose_target,
    in_flight,
    short,
    times_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.points import Past
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import (
    Service,
    ServiceDeployment,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.targets import (
    deployed_with,
    is_digest,
    recorded_digests,
)


@dataclass(frozen=True)
class Chosen:
    """Where a service goes back to. ``began`` is when the first release after the target began to do harm, ``since`` when the release that
    it runs began."""

    service: Service
    target: TaskDefinition
    choice: Choice
    began: datetime | None
    history: list[ServiceDeployment]
    definitions: dict[str, TaskDefinition]
    since: datetime | None = None

    @property
    def running(self):
        """The ARN of what it runs: what is being deployed, if anything is."""
        going = in_flight(self.history)
        return going.task_definition if going else self.service.task_definition

    @property
    def stays(self):
        """Whether the service runs its target already."""
        return self.target.arn == self.running

    def told(self):
        """This choice in JSON types."""
        return dict(
            name=self.service.name,
            running=self.running,
            target=self.target.arn,
            reason=self.choice.reason,
            release=self.target.release,
            image=list(self.target.images),
            digest=recorded_digests(self.target, self.history),
            candidates=[self._candidate(item) for item in self.choice.candidates],
        )

    def _candidate(self, candidate):
        arn = candidate.task_definition
        deployed = [item for item in self._past if item.task_definition == arn]
        last = deployed[0] if deployed else None
        proven = next((item for item in deployed if item.status == "SUCCESSFUL"), last)
        definition = self.definitions.get(arn)
        return dict(
            task_definition=short(arn),
            image=list(definition.images) if definition else [],
            digest=dict(proven.digests) if proven else {},
            first_deployed=candidate.first_deployed.isoformat(),
            outcome=last.status if last else "",
            status=definition.status if definition else "",
            in_use=arn == self.running,
            verdict=candidate.verdict,
            chosen=arn == self.choice.target,
        )

    @property
    def _past(self):
        return as_releases(self.service, self.history, self.definitions)[1]


@dataclass(frozen=True)
class Looked:
    """One service with its history and the TaskDefinitions in it by ARN, and both again under the names of releases."""

    service: Service
    history: list[ServiceDeployment]
    definitions: dict[str, TaskDefinition]
    released: Service
    past: list[ServiceDeployment]

    @property
    def as_past(self):
        """The Past by which a release point is chosen. Where AWS has no record, it runs as long as its deployment is old."""
        times, primary = times_of(self.released, self.past), self.service.primary
        since = times.since or (
            primary.created_at if primary else self.definitions[self.service.task_definition].registered_at
        )
        return Past(self.service.name, times.running, since, times.brought_back, times.bad_since, times.bad)


def look(gateway, services):
    """What each service ran.

    :param gateway: EcsGateway.
    :return: list of Looked.
    """
    histories = gateway.histories([service.name for service in services])
    named = {service.name: _named(service, histories[service.name]) for service in services}
    known = gateway.task_definitions({arn for arns in named.values() for arn in arns})
    looked = []
    for service in services:
        history, definitions = histories[service.name], {arn: known[arn] for arn in named[service.name]}
        looked.append(Looked(service, history, definitions, *as_releases(service, history, definitions)))
    return looked


def _named(service, history):
    """The ARNs of the task definitions that a service has to do with."""
    deployed = [item.task_definition for item in history]
    return {service.task_definition, *deployed, *(item.brought_back for item in history if item.brought_back)}


def named_release(gateway, looked, named):
    """The ARN of the release that the operator named (``family:revision``, ARN, digest), None without one.

    :raises BadInput: there is no such task definition, or none was deployed with that digest.
    """
    if not named:
        return None
    wanted = deployed_with(looked.past, named, looked.service.name) if is_digest(named) else named
    return gateway.task_definition(wanted).release


def stay(gateway, looked):
    """The Chosen of a service that stays on what it runs, and is to be started again."""
    history = looked.history
    going = in_flight(history)
    running = gateway.task_definition(going.task_definition if going else looked.service.task_definition)
    choice = Choice(running.arn, "its code stays as it is", None, None, ())
    origin = gateway.task_definition(running.release)
    deployed = [item.created_at for item in history if item.task_definition in (running.arn, origin.arn)]
    since = min([origin.registered_at, *deployed])
    return Chosen(looked.service, running, choice, None, history, {running.arn: running}, since)


def choose(gateway, looked, named, point=None, insisted=False):
    """The Chosen of a service.

    :param named: the release (ARN) that the operator named, or None.
    :param point: the Point that the rollback uses, or None.
    :param insisted: whether the operator named that point, so that it counts also where the service was brought back already.
    :raises BadInput: there is no such task definition.
    :raises RollbackError: none can be chosen.
    """
    service, wanted, why = looked.service, named, "rollback_task_definition names it"
    recorded = point and (insisted or not looked.as_past.brought_back) and not named
    if recorded:
        wanted, why = point.releases[service.name], "%s has recorded it" % point.told
    choice = choose_target(looked.released, looked.past, wanted, why)
    # The release that a service runs may be there as a copy only, which stays where it is.
    stays = choice.target == looked.released.task_definition
    back = point.deployed[service.name] if recorded else choice.target
    target = gateway.task_definition(service.task_definition if stays else back)
    began = choice.bad_since
    if choice.first_bad:
        began = min(began, gateway.task_definition(choice.first_bad).registered_at)
    return Chosen(service, target, choice, began, looked.history, looked.definitions)
