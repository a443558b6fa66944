# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where one service goes back to, from what it ran and from what the operator or a release point names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.candidates import (
    line,
    spans_told,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.choosing import LISTED, Choice, choose_target
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import in_flight
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.looked import Looked, with_definitions, with_origins
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.naming import (
    Ambiguous,
    is_digest,
    is_service_revision,
    is_task_definition,
    resolve,
    same_content,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.revision import Revision, changes
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import (
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError, UnexpectedAnswer

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.candidates import Candidate
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.points import Point
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.revision import Changes
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import Service, ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.timeline import Key

TOLD = 30  # candidates in a result, those that ran last


@dataclass(frozen=True)
class Chosen:
    """Where a service goes back to. ``revision`` is the service revision that comes back, ``target`` its TaskDefinition. ``began`` is when the
    first release after the target began to do harm, ``since`` when the release that it runs began."""

    looked: Looked
    target: TaskDefinition
    choice: Choice
    began: datetime | None
    since: datetime | None = None
    named: str = ""

    @property
    def service(self) -> Service:
        """The service."""
        return self.looked.service

    @property
    def history(self) -> list[ServiceDeployment]:
        """Its ServiceDeployments, newest first."""
        return self.looked.history

    @property
    def definitions(self) -> dict[str, TaskDefinition]:
        """The TaskDefinitions by ARN that were read."""
        return self.looked.definitions

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
        return self.target.arn == self.running and same_content(self.revision, self.looked.running, self.looked.origins)

    @property
    def is_copy(self) -> bool:
        """Whether what the service runs is a copy that this collection has registered."""
        return self.running in self.looked.origins

    @property
    def _ours(self) -> Key | None:
        """The key of the release of the target, None when AWS has no record of it."""
        stays = self.looked.timeline.stays
        return next((stay.release for stay in reversed(stays) if self.revision in stay.revisions), None)

    @property
    def recorded(self) -> dict[str, str]:
        """What the image references of the target meant when it served (dict); nothing was proven with what never has."""
        proven = {item.arn for stay in self.looked.timeline.stays for item in stay.proven}
        meant = self.revision.arn in proven or is_digest(self.named) or is_service_revision(self.named)
        return dict(self.revision.digests) if meant else {}

    @property
    def changes(self) -> Changes:
        """How the configuration of the service changes with it."""
        return changes(self.looked.running, self.revision)

    def told(self) -> dict[str, Any]:
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
            served=spans_told(self._served()),
            began=self.began.isoformat() if self.began else "",
            bad_since=first_bad.isoformat() if first_bad else "",
            stays=self.stays,
            restarted=self.since is not None,
            since=self.since.isoformat() if self.since else "",
            changes=list(self.changes.told),
            notes=list(self.choice.notes),
            next=[item.told() for item in self.choice.next],
            candidates=[self._candidate(item) for item in self.choice.candidates[:TOLD]],
        )

    def _served(self) -> list[tuple[datetime, datetime | None]]:
        """The spans in which the release of the target served. What is bad may have its images, so they end where that began."""
        release, bad = self._ours, self.choice.bad_since
        spans = self.looked.timeline.spans(release) if release is not None else []
        if self.stays or bad is None:
            return spans
        return [(began, min(ended or bad, bad)) for began, ended in spans if began < bad]

    def _candidate(self, candidate: Candidate) -> dict[str, Any]:
        arns = {item.arn for stay in self.looked.timeline.of(candidate.release) for item in stay.revisions}
        last = next((item for item in self.history if item.target.arn in arns), None)
        definition = self.definitions.get(candidate.task_definition)
        return dict(
            candidate.told(),
            image=[reference for reference, _digest in candidate.revision.images]
            or list(definition.images if definition else []),
            outcome=last.status if last else "",
            status=definition.status if definition else "",
            in_use=candidate.verdict == "running",
            chosen=candidate.is_of(self.revision, self.looked.origins),
        )


def named_release(gateway: EcsGateway, looked: Looked, named: str | None) -> Revision | None:
    """The Revision that the operator named (``family:revision``, ARN, digest, image tag, service revision), None without one.

    :raises BadInput: there is no such release, or the name means several.
    """
    if not named:
        return None
    try:
        found = resolve(named, looked.timeline, looked.origins)
    except Ambiguous as several:
        problem = "of %s that means more than one" % looked.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, looked, several.revisions)) from None
    if found is None and is_service_revision(named):
        found = _service_revision(gateway, looked, named)
    if found is None and is_task_definition(named):
        found = Revision("", gateway.task_definition(named).arn)
    if found is None:
        problem = "%s was never deployed with this image, as far as AWS's record goes" % looked.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, looked))
    return found


def points_of(
    looked: Iterable[Looked], named: Mapping[str, Revision | None], wanted: str
) -> tuple[dict[str, str], str, dict[str, frozenset[str]]]:
    """What ``pick`` takes besides the points and what was run: what the operator named."""
    of = {item.service.name: item for item in looked}
    said = {name: revision for name, revision in named.items() if revision}
    releases = {name: of[name].release_of(revision.task_definition) for name, revision in said.items()}
    return releases, wanted, {name: revision.image_set for name, revision in said.items() if revision.image_set}


def _service_revision(gateway: EcsGateway, looked: Looked, named: str) -> Revision:
    """The Revision of an ARN that the record does not have as far as it was read."""
    if named.split("/")[-2] != looked.service.name:
        problem = "it is a service revision of another service than %s" % looked.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, looked))
    try:
        return gateway.revisions([named])[named]
    except UnexpectedAnswer:
        problem = "%s has no such service revision" % looked.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, looked)) from None


def _name_one(gateway: EcsGateway, looked: Looked, revisions: Sequence[Revision] | None = None) -> str:
    """Which candidates can be named, with the value for each that is there.

    :param revisions: those that are meant; None for all.
    """

    def meant() -> Sequence[Candidate]:
        known = looked.candidates
        of = (
            known
            if revisions is None
            else [item for item in known if any(item.is_of(one, looked.origins) for one in revisions)]
        )
        return of[:LISTED]

    looked = with_definitions(gateway, looked, [item.task_definition for item in meant()])
    lines = [line(item) for item in meant()]
    return "Name one of these:\n  %s" % "\n  ".join(lines) if lines else "AWS lists no deployment of this service."


def stay(gateway: EcsGateway, looked: Looked) -> Chosen:
    """The Chosen of a service that stays on what it runs, and is to be started again."""
    running = gateway.task_definition(looked.running.task_definition)
    choice = Choice(looked.running, "its code stays as it is", None, None, None)
    origin = gateway.there([running.release]).get(running.release, running)
    # Here the configuration counts as well: the same image with other secrets is what may have gone bad.
    began = [item.created_at for item in looked.history if item.task_definition in (running.arn, origin.arn)]
    return Chosen(looked, running, choice, None, min([origin.registered_at, *began]))


def choose(
    gateway: EcsGateway,
    looked: Looked,
    named: Revision | None,
    point: Point | None = None,
    insisted: bool = False,
    word: str = "",
) -> Chosen:
    """The Chosen of a service.

    :param named: the Revision that the operator named, or None.
    :param point: the Point that the rollback uses, or None.
    :param insisted: whether the operator named that point, so that it counts also where the service was brought back already.
    :param word: what the operator named, as it was written.
    :raises BadInput: there is no such task definition.
    :raises RollbackError: none can be chosen.
    """
    recorded = (_recorded(looked, point, insisted), "%s has recorded it" % point.told, insisted) if point else None
    insisted_on = named or (recorded[0] if recorded and insisted else None)
    if insisted_on:
        looked = with_origins(gateway, looked, insisted_on)
    try:
        choice = choose_target(
            looked.service.name, looked.running, looked.timeline, named, recorded, looked.gone, looked.origins
        )
    except RollbackError as error:
        error.evidence += [gateway.of_deleted(arn) for arn in sorted(looked.gone)[:LISTED]]
        raise
    target = gateway.task_definition(choice.target.task_definition)
    began = choice.bad_since
    if choice.first_bad and began:
        definition = gateway.there([choice.first_bad]).get(choice.first_bad)
        # Pipelines migrate between the registration and the deployment. One that was registered before the target served did no harm by that.
        if definition and (choice.good_since is None or definition.registered_at > choice.good_since):
            began = min(began, definition.registered_at)
    return Chosen(looked, target, choice, began, None, word)


def _recorded(looked: Looked, point: Point, insisted: bool) -> Revision:
    """The Revision that a release point has recorded; where the record of AWS does not have it, what the release point knows. Another
    configuration of what runs is what runs, unless the operator named the point."""
    name = looked.service.name
    arn, images = point.deployed[name], point.images.get(name, frozenset())
    ran = [item for stay in looked.timeline.stays for item in stay.revisions if item.task_definition == arn]
    same = [item for item in ran if not images or item.image_set is None or images <= item.image_set]
    running = looked.running
    as_running = looked.release_of(running.task_definition) in (arn, point.releases[name])
    same_images = images <= running.image_set if images and running.image_set else as_running
    if same_images and (as_running or not insisted):
        return running
    digests = point.record["services"][name].get("digest") or {}
    return same[-1] if same else Revision("", arn, tuple(digests.items()))
