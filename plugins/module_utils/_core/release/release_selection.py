# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where one service goes back to, with what there is to say about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision, changes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import (
    spans_result,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import (
    is_digest,
    is_service_revision,
    same_content,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import in_flight, short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.select import ReleaseChoice
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import (
        ConfigurationChanges,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import Candidate
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Key


TOLD = 30  # candidates in a result, those that ran last


@dataclass(frozen=True)
class ReleaseSelection:
    """Where a service goes back to. ``revision`` is the service revision that comes back, ``target`` its TaskDefinition. ``began`` is when the
    first release after the target began to do harm, ``since`` when the release that it runs began."""

    record: ServiceRecord
    target: TaskDefinition
    choice: ReleaseChoice
    began: datetime | None
    since: datetime | None = None
    named: str = ""

    @property
    def service(self) -> Service:
        """The service."""
        return self.record.service

    @property
    def history(self) -> list[ServiceDeployment]:
        """Its ServiceDeployments, newest first."""
        return self.record.history

    @property
    def definitions(self) -> dict[str, TaskDefinition]:
        """The TaskDefinitions by ARN that were read."""
        return self.record.definitions

    @property
    def revision(self) -> Revision:
        """The service revision that comes back."""
        return self.choice.target

    @property
    def running(self) -> str:
        """The ARN of what it runs: what is being deployed, if anything is."""
        going = in_flight(self.history)
        return going.task_definition if going else self.service.task_definition

    @property
    def stays(self) -> bool:
        """Whether the service runs its target already: task definition, images and configuration."""
        return self.target.arn == self.running and same_content(self.revision, self.record.running, self.record.origins)

    @property
    def is_copy(self) -> bool:
        """Whether what the service runs is a copy that this collection has registered."""
        return self.running in self.record.origins

    @property
    def _ours(self) -> Key | None:
        """The key of the release of the target, None when AWS has no record of it."""
        stays = self.record.timeline.stays
        return next((stay.release for stay in reversed(stays) if self.revision in stay.revisions), None)

    @property
    def recorded(self) -> dict[str, str]:
        """What the image references of the target meant when it served (dict); nothing was proven with what never has."""
        proven = {item.arn for stay in self.record.timeline.stays for item in stay.proven}
        meant = self.revision.arn in proven or is_digest(self.named) or is_service_revision(self.named)
        return dict(self.revision.digests) if meant else {}

    @property
    def changes(self) -> ConfigurationChanges:
        """How the configuration of the service changes with it."""
        return changes(self.record.running, self.revision)

    def to_result(self) -> dict[str, Any]:
        """This choice in JSON types."""
        first_bad = self.choice.bad_since
        return dict(
            name=self.service.name,
            running=self.running,
            target=self.target.arn,
            reason=self.choice.reason,
            release=self.target.release,
            release_name=", ".join(self.revision.names),
            service_revision=self.revision.arn if is_service_revision(self.revision.arn) and self.recorded else "",
            image=list(self.target.images),
            digest=dict(self.revision.digests),
            served=spans_result(self._served()),
            began=self.began.isoformat() if self.began else "",
            bad_since=first_bad.isoformat() if first_bad else "",
            bad=[
                [short(stay.revision.task_definition), *span]
                for stay in self.choice.bad
                for span in spans_result([(stay.began, stay.ended)])
            ],
            stays=self.stays,
            restarted=self.since is not None,
            since=self.since.isoformat() if self.since else "",
            changes=list(self.changes.lines),
            reads=list(self.target.values_read),
            notes=list(self.choice.notes),
            next=[item.to_result() for item in self.choice.next],
            candidates=[self._candidate(item) for item in self.choice.candidates[:TOLD]],
        )

    def _served(self) -> list[tuple[datetime, datetime | None]]:
        """The spans in which the release of the target served. What is bad may have its images, so they end where that began."""
        release, bad = self._ours, self.choice.bad_since
        spans = self.record.timeline.spans(release) if release is not None else []
        if self.stays or bad is None:
            return spans
        return [(began, min(ended or bad, bad)) for began, ended in spans if began < bad]

    def _candidate(self, candidate: Candidate) -> dict[str, Any]:
        arns = {item.arn for stay in self.record.timeline.of(candidate.release) for item in stay.revisions}
        last = next((item for item in self.history if item.target.arn in arns), None)
        definition = self.definitions.get(candidate.task_definition)
        return dict(
            candidate.to_result(),
            image=[reference for reference, _digest in candidate.revision.images]
            or list(definition.images if definition else []),
            outcome=last.status if last else "",
            status=definition.status if definition else "",
            in_use=candidate.verdict == "running",
            chosen=candidate.is_of(self.revision, self.record.origins),
        )
