# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting services and their target groups for one fast deployment, and putting back what was there; ``fast`` decides.

It makes a deployment quicker and is never needed for it: what AWS refuses stays as it is configured, and that is reported.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import absence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RefusedByAws
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release import fast_deployment as fast
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import some_healthy
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Unrecorded
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import look_at
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import PATIENCE, once_answered

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

SERVICE = ""  # the place that is the service itself; others are ARNs of target groups
TRIES = 4  # looks; where the answer of a call was lost, one more shows what came of it
LEFT = "service %s still has settings of the fast deployment of run %s: %s"


class Hastening:
    """The services of a rollout, by what they and their target groups are set to.

    :param ecs: EcsGateway. ``elb``: callable → ElbGateway; it is asked for only where it is needed.
    """

    def __init__(self, ecs: EcsGateway, elb: Callable[[], ElbGateway], run_id: str, clock: Clock) -> None:
        self._ecs, self._elb, self._run_id, self._clock = ecs, elb, run_id, clock
        self._memories: dict[str, dict[str, fast.RecordedSettings]] = {}
        self._now: dict[str, dict[str, dict[str, str]]] = {}
        self._wanted: dict[str, dict[str, dict[str, str]]] = {}
        self._refused: dict[str, list[str]] = {}
        self._begun: set[str] = set()
        self._stays: dict[tuple[str, str], dict[str, str]] = {}
        self._left: set[str] = set()
        self.notes: list[str] = []  # what was not done, or not put back, and why: for people
        self.unfinished: list[str] = []  # what is left of it, for whoever comes next
        self.changed = False

    def remembers(self, service: Service) -> bool:
        """Whether a Service bears what a run has written down, and nobody has put back."""
        return service.name in self._begun or bool(fast.memories(service.fast, service.arn))

    # Before the deployment

    def choose(self, services: Sequence[Service], whole: Container[str]) -> None:
        """Decide what is set. Nothing is written.

        :param services: Services that are deployed.
        :param whole: names of those that get an UpdateService; others are brought back by ECS itself, with what they are configured to.
        """
        looks = {seen.service.name: seen for seen in look_at(self._ecs, services, self._elb())} if services else {}
        for service in services:
            memories = fast.memories(service.fast, service.arn)
            now = {SERVICE: fast.settings_of(service.configuration, service.grace), **self._read(service)}
            before = {place: fast.originals(now[place], memories.get(place)) for place in now}
            groups = [before[place] for place in now if place]
            wanted = {place: fast.wanted_of_group(before[place]) for place in now if place}
            if service.name in whole:
                healthy, rolling = some_healthy(looks[service.name]), service.strategy.name == "ROLLING"
                known = self._ecs.knows_early_success
                room = (rolling, healthy, service.room, known)
                wanted[SERVICE] = fast.wanted_of_service(before[SERVICE], groups, *room)
            self._memories[service.name] = memories
            self._now[service.name], self._wanted[service.name] = now, wanted

    def _read(self, service: Service) -> dict[str, dict[str, str]]:
        """The settings of each target group of a service; none where they cannot be asked for."""
        arns = [arn for balancer in service.balancers for arn in balancer.groups]
        found, why = self._settings(dict.fromkeys(arns))
        if why:
            self.notes.append("%s: its target groups stay as they are: %s" % (service.name, why))
        return found

    def _settings(self, groups: Collection[str]) -> tuple[dict[str, dict[str, str]], str | None]:
        """(what target groups are set to by their ARNs, without those that are gone; why they cannot be asked, or None)."""
        found = {}
        why = _kept(lambda: found.update(self._elb().settings(list(groups)))) if groups else None
        names = {aws: name for name, aws in fast.OF_GROUP.items()}
        return {arn: {names[aws]: str(value) for aws, value in told.items()} for arn, told in found.items()}, why

    def plan(self) -> list[str]:
        """What is set, and what it was and will be again, one line for each place; after ``put_back``, what it is again."""
        lines = []
        for name, wanted in self._wanted.items():
            for place, values in wanted.items():
                before = fast.originals(self._now[name][place], self._memories[name].get(place))
                if values:
                    after = (self._stays.get((name, place), {}), name in self._left)
                    lines.append("%s: %s" % (name, fast.describe_change(place, values, before, *after)))
        return lines

    def begin(self, service: Service) -> dict[str, Any]:
        """Write down what a Service and its target groups are set to, then set the target groups.

        :return: what its UpdateService is to set besides (dict); nothing where it could not be written down.
        """
        wanted, now = self._wanted.get(service.name, {}), self._now.get(service.name, {})
        memories = {
            place: fast.to_remember(now[place], self._memories[service.name].get(place), values, self._run_id)
            for place, values in wanted.items()
        }
        tags = {fast.key_of(place): memory.text for place, memory in memories.items() if memory}
        if not tags:
            return {}
        self._begun.add(service.name)
        if any(dict(service.fast).get(key) != text for key, text in tags.items()):
            why = _kept(lambda: self._ecs.remember(service.arn, tags))
            if why:
                self.notes.append("%s is deployed as it is configured: %s" % (service.name, why))
                return {}
            self.changed = True
        for place in filter(None, wanted):
            self._set(
                service.name, place, fast.to_set(now[place], self._memories[service.name].get(place), wanted[place])
            )
        if SERVICE not in wanted:
            return {}
        return _arguments(
            service, fast.to_set(now[SERVICE], self._memories[service.name].get(SERVICE), wanted[SERVICE])
        )

    def _set(self, name: str, group: str, values: Mapping[str, str]) -> None:
        if values:
            numbers = {fast.OF_GROUP[setting]: int(value) for setting, value in values.items()}
            why = _kept(lambda: self._elb().set(group, numbers))
            self.changed = True
            if why:
                self.notes.append("%s: %s" % (name, why))

    # After it

    def put_back(self, names: Sequence[str]) -> None:
        """Give services and their target groups back what they had, as their tags tell it, whoever has written them.

        What somebody else has set meanwhile stays. What AWS refuses stays in the tag for whoever comes next.
        """
        for _trial in range(TRIES):
            self._refused.clear()
            services = [service for service in self._look(names) if fast.memories(service.fast, service.arn)]
            if not any(side_by_side(self._put_back_one, services)):
                break
        for service in services:
            left = self._refused.get(service.name) or ["AWS does not show it yet"]
            runs = sorted({item.run_id for item in fast.memories(service.fast, service.arn).values()})
            self.unfinished.append(LEFT % (service.name, ", ".join(runs), "; ".join(left)))
            self._left.add(service.name)

    def plan_back(self, services: Iterable[Service]) -> list[str]:
        """What is put back of Services that bear tags, one sentence each; ``notes`` gets what stays. Nothing is written."""
        lines = []
        for service in services:
            memories = fast.memories(service.fast, service.arn)
            now, why = self._set_now(service, memories)
            line, others = fast.plan_back(service.name, memories, now, read=not why)
            lines.append(line)
            self.notes += [text for text in others if text not in self.notes]
        return lines

    def _set_now(self, service: Service, memories: Iterable[str]) -> tuple[dict[str, dict[str, str]], str | None]:
        """(the settings by their place, of those that a Service's tags tell of; why some cannot be read, or None)."""
        groups, why = self._settings([place for place in memories if place])
        return {SERVICE: fast.settings_of(service.configuration, service.grace), **groups}, why

    def _look(self, names: Sequence[str]) -> list[Service]:
        what = "Looking at what was set for a fast deployment"
        return once_answered(what, lambda: self._ecs.services(names), PATIENCE, self._clock)

    def _put_back_one(self, service: Service) -> bool:
        """Put back what is not yet, or, once another look has shown that all is, forget it. Whether looking again may find more to do."""
        memories = fast.memories(service.fast, service.arn)
        now, why = self._set_now(service, memories)
        back, others = {}, []
        for place in [place for place in memories if place in now]:
            back[place], changed = fast.to_put_back(now[place], memories[place])
            self._stays[service.name, place] = changed
            others += [fast.stays_line(service.name, place, *item) for item in changed.items()]
        back = {place: values for place, values in back.items() if values}
        asked: list[Callable[[], None]] = [
            functools.partial(self._give, service, place, values) for place, values in back.items()
        ]
        if not back and not why:
            self.notes += [line for line in others if line not in self.notes]
            asked = [functools.partial(self._ecs.forget, service.arn, [fast.key_of(place) for place in memories])]
        self._refused[service.name] = [text for text in (why, *map(_kept, asked)) if text]
        self.changed = self.changed or bool(asked)
        return not self._refused[service.name]

    def _give(self, service: Service, place: str, values: Mapping[str, str]) -> None:
        if place:
            self._elb().set(place, {fast.OF_GROUP[setting]: int(value) for setting, value in values.items()})
        else:
            self._ecs.configure(service.name, _arguments(service, values))


def _arguments(service: Service, values: Mapping[str, str]) -> dict[str, Any]:
    """Settings of a service as arguments of UpdateService."""
    deployed = {name: value for name, value in values.items() if name != "grace"}
    arguments: dict[str, Any] = {"healthCheckGracePeriodSeconds": int(values["grace"])} if "grace" in values else {}
    if deployed:
        arguments["deploymentConfiguration"] = fast.configuration_with(service.configuration, deployed)
    return arguments


def _kept(act: Callable[[], object]) -> str | None:
    """Why AWS has not done it (str), None when it has. It is nothing that a deployment needs, so it keeps nobody from going on."""
    try:
        act()
    except Unrecorded:
        raise
    except RefusedByAws as error:
        return error.message
    except Exception as error:
        away = absence(error)
        if away is None:
            raise
        return "AWS does not answer (%s)" % away
    return None
