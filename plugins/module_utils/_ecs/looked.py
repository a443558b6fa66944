# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one service ran: reads as much of AWS's record as the answer needs, and asks which task definitions are still there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.candidates import candidates
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.choosing import offered
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import running_revision
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.naming import Ambiguous, is_service_revision, resolve
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.points import Past
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.revision import Revision, same_images
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import (
    Service,
    ServiceDeployment,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.timeline import Timeline
from ansible_collections.spymeo.rollback.plugins.module_utils._side_by_side import side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.candidates import Candidate
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.record import History
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.timeline import Key

MOMENTS = 300  # seconds; a release that served no longer has proven nothing
UNRECORDED = 20  # task definitions without recorded digests that are asked whether they are copies


@dataclass(frozen=True)
class Looked:
    """One service with as much of its history as was needed.

    ``timeline`` is what it ran, ``running`` the Revision that it runs or is being brought to. ``definitions`` are the TaskDefinitions by ARN
    that were read, ``gone`` the ARNs of those that were deleted, ``origins`` map copies to what they are copies of.
    """

    service: Service
    history: list[ServiceDeployment]
    timeline: Timeline
    running: Revision
    definitions: dict[str, TaskDefinition]
    gone: frozenset[str] = frozenset()
    origins: dict[str, str] = field(default_factory=dict)

    def release_of(self, arn: str) -> str:
        """The ARN of the task definition that one is a copy of; itself when it is none, or not known to be."""
        return self.origins.get(arn, arn)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The Candidates."""
        return candidates(self.timeline, self.running, self.gone, self.origins)

    @property
    def as_past(self) -> Past:
        """The Past by which a release point is chosen. Where AWS has no record, it runs as long as its deployment is old."""
        line_, primary = self.timeline, self.service.primary
        recorded = self.running.arn in {item.arn for stay in line_.stays[-1:] for item in stay.revisions}
        stay = line_.stays[-1] if recorded else None
        since = (
            stay.began if stay else primary.created_at if primary else self._registered(self.running.task_definition)
        )
        brought_back = recorded and line_.brought_back
        bad = line_.bad_stay(line_.running) if brought_back else None
        moments_count = not any(map(line_.proven, line_.releases))
        fallen = [item for item in line_.releases if line_.rolled_back_from(item, moments_count)]
        standing = [item for item in line_.releases if item not in fallen]
        return Past(
            self.service.name,
            self.release_of(self.running.task_definition),
            since,
            bool(brought_back),
            bad.began if bad else None,
            frozenset(self._names(fallen) - self._names(standing)),
            self.running.image_set or frozenset(),
            frozenset(item if isinstance(item, frozenset) else frozenset() for item in fallen),
            self._configured() or since,
            self._ended(),
        )

    def _ended(self) -> dict[str, datetime]:
        """Release → when another one took its place. Of one that was deployed with several images, the last time."""
        ended: dict[str, datetime] = {}
        for release in self.timeline.releases:
            stay = self.timeline.bad_stay(release)
            if stay:
                ended.update((name, max(stay.began, ended.get(name, stay.began))) for name in self._names([release]))
        return ended

    @property
    def as_past_of_definition(self) -> Past:
        """The same by task definitions, where the code stays: what went bad may be what came with another one of the same image."""
        past = self.as_past
        since = past.since if past.brought_back else past.configured or past.since
        return replace(past, since=since, images=frozenset(), bad_images=frozenset())

    def _configured(self) -> datetime | None:
        """When the task definition that it runs came, the last time; None where AWS has no record."""
        running, began = self.release_of(self.running.task_definition), None
        for item in self.history:
            ran = [one.task_definition for one in (item.returned, item.target) if one]
            if self.release_of(ran[0]) != running:
                break
            began = item.created_at
            if len(ran) > 1:
                break
        return began

    def _registered(self, arn: str) -> datetime:
        return self.definitions[arn].registered_at

    def _names(self, releases: Iterable[Key]) -> set[str]:
        stays = [stay for release in releases for stay in self.timeline.of(release)]
        return {self.release_of(item.task_definition) for stay in stays for item in stay.revisions}


def look(
    gateway: EcsGateway,
    services: Sequence[Service],
    named: Mapping[str, str] | None = None,
    moments: int = MOMENTS,
    now: datetime | None = None,
) -> list[Looked]:
    """What each service ran.

    :param gateway: EcsGateway.
    :param named: service → what the operator named, which is looked for as far back as the record goes.
    :param moments: seconds; what served no longer has served for moments only.
    :return: list of Looked.
    """
    now, span = now or datetime.now(timezone.utc), timedelta(seconds=moments)

    def enough(name: str, history: History) -> bool:
        return _answers(Timeline(history, {}, now, span), (named or {}).get(name))

    histories = gateway.histories([service.name for service in services], enough)
    return side_by_side(lambda service: _looked(gateway, service, histories[service.name], now, span), services)


def _answers(timeline: Timeline, named: str | None) -> bool:
    """Whether a part of the history is enough to choose by."""
    if named and not is_service_revision(named):
        try:
            return resolve(named, timeline, {}) is not None
        except Ambiguous:
            return True
    return timeline.brought_back or any(timeline.proven(release) for release in timeline.releases)


def _looked(gateway: EcsGateway, service: Service, history: History, now: datetime, span: timedelta) -> Looked:
    """What is asked of task definitions: whether they are copies, where no digests tell; and whether the best ones are still there."""
    running = running_revision(service, history)
    ran = [
        item for deployment in history for item in (deployment.target, deployment.returned, *deployment.sources) if item
    ]
    unrecorded = dict.fromkeys(item.task_definition for item in ran if item.image_set is None)
    wanted = {service.task_definition, running.task_definition, *list(unrecorded)[:UNRECORDED]}
    definitions = gateway.there(wanted)
    gone = _gone(wanted, definitions)
    origins = {arn: item.origin for arn, item in definitions.items() if item.origin}
    looked = Looked(service, history, Timeline(history, origins, now, span), running, definitions, gone, origins)
    while True:
        known = with_definitions(gateway, looked, [item.task_definition for item in offered(looked.candidates)])
        if known is looked:
            return looked
        looked = known


def with_definitions(gateway: EcsGateway, looked: Looked, arns: Iterable[str]) -> Looked:
    """A Looked that knows which of these task definitions are there; the same one where it knows that already."""
    new = set(arns) - set(looked.definitions) - looked.gone
    if not new:
        return looked
    return _with(looked, gateway.there(new), new, looked.timeline.now, looked.timeline.moments)


def with_origins(gateway: EcsGateway, looked: Looked, revision: Revision) -> Looked:
    """A Looked that knows which task definitions are copies, of those that the images of a Revision were deployed with: a copy is no other
    configuration. It takes a call for each, so it is for what the operator named."""
    same = [item for item in looked.timeline.revisions if same_images(item, revision)]
    return with_definitions(
        gateway, looked, list(dict.fromkeys(item.task_definition for item in same[::-1]))[:UNRECORDED]
    )


def _with(
    looked: Looked, found: Mapping[str, TaskDefinition], asked: Iterable[str], now: datetime | None, span: timedelta
) -> Looked:
    """A Looked that knows more TaskDefinitions."""
    definitions = {**looked.definitions, **found}
    origins = {arn: item.origin for arn, item in definitions.items() if item.origin}
    return replace(
        looked,
        definitions=definitions,
        gone=looked.gone | _gone(asked, found),
        origins=origins,
        timeline=Timeline(looked.history, origins, now, span),
    )


def _gone(asked: Iterable[str], found: Mapping[str, TaskDefinition]) -> frozenset[str]:
    """The ARNs of what cannot come back: it was deleted, or is being deleted. What is INACTIVE is registered again."""
    return frozenset(arn for arn in asked if arn not in found or found[arn].status == "DELETE_IN_PROGRESS")
