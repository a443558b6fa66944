# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one service ran, as far as it was read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import candidates
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import ServicePast
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Timeline

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import Candidate
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Key


@dataclass(frozen=True)
class ServiceRecord:
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
    def as_past(self) -> ServicePast:
        """The ServicePast by which a release point is chosen. Where AWS has no record, it runs as long as its deployment is old."""
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
        return ServicePast(
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
    def as_past_of_definition(self) -> ServicePast:
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
