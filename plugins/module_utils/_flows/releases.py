# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where one service goes back to, from what it ran and from what the operator or a release point names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RollbackError,
    UnexpectedAnswer,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import (
    candidate_line,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import (
    Ambiguous,
    is_service_revision,
    is_task_definition,
    resolve,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_selection import ReleaseSelection
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.select import (
    LISTED,
    ReleaseChoice,
    choose_target,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_record import (
    with_definitions,
    with_origins,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import Candidate
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import ReleasePoint


def named_release(gateway: EcsGateway, record: ServiceRecord, named: str | None) -> Revision | None:
    """The Revision that the operator named (``family:revision``, ARN, digest, image tag, service revision), None without one.

    :raises BadInput: there is no such release, or the name means several.
    """
    if not named:
        return None
    try:
        found = resolve(named, record.timeline, record.origins)
    except Ambiguous as several:
        problem = "of %s that means more than one" % record.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, record, several.revisions)) from None
    if found is None and is_service_revision(named):
        found = _service_revision(gateway, record, named)
    if found is None and is_task_definition(named):
        found = Revision("", gateway.task_definition(named).arn)
    if found is None:
        problem = "%s was never deployed with this image, as far as AWS's record goes" % record.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, record))
    return found


def points_of(
    records: Iterable[ServiceRecord], named: Mapping[str, Revision | None], wanted: str
) -> tuple[dict[str, str], str, dict[str, frozenset[str]]]:
    """What ``select_release_point`` takes besides the points and what was run: what the operator named."""
    of = {item.service.name: item for item in records}
    said = {name: revision for name, revision in named.items() if revision}
    releases = {name: of[name].release_of(revision.task_definition) for name, revision in said.items()}
    return releases, wanted, {name: revision.image_set for name, revision in said.items() if revision.image_set}


def _service_revision(gateway: EcsGateway, record: ServiceRecord, named: str) -> Revision:
    """The Revision of an ARN that the record does not have as far as it was read."""
    if named.split("/")[-2] != record.service.name:
        problem = "it is a service revision of another service than %s" % record.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, record))
    try:
        return gateway.revisions([named])[named]
    except UnexpectedAnswer:
        problem = "%s has no such service revision" % record.service.name
        raise BadInput("task_definition", named, problem, _name_one(gateway, record)) from None


def _name_one(gateway: EcsGateway, record: ServiceRecord, revisions: Sequence[Revision] | None = None) -> str:
    """Which candidates can be named, with the value for each that is there.

    :param revisions: those that are meant; None for all.
    """

    def meant() -> Sequence[Candidate]:
        known = record.candidates
        of = (
            known
            if revisions is None
            else [item for item in known if any(item.is_of(one, record.origins) for one in revisions)]
        )
        return of[:LISTED]

    record = with_definitions(gateway, record, [item.task_definition for item in meant()])
    lines = [candidate_line(item) for item in meant()]
    return "Name one of these:\n  %s" % "\n  ".join(lines) if lines else "AWS lists no deployment of this service."


def stay(gateway: EcsGateway, record: ServiceRecord) -> ReleaseSelection:
    """The ReleaseSelection of a service that stays on what it runs, and is to be started again."""
    running = gateway.task_definition(record.running.task_definition)
    choice = ReleaseChoice(record.running, "its code stays as it is", None, None, None)
    origin = gateway.there([running.release]).get(running.release, running)
    # Here the configuration counts as well: the same image with other secrets is what may have gone bad.
    began = [item.created_at for item in record.history if item.task_definition in (running.arn, origin.arn)]
    return ReleaseSelection(record, running, choice, None, min([origin.registered_at, *began]))


def choose_release(
    gateway: EcsGateway,
    record: ServiceRecord,
    named: Revision | None,
    point: ReleasePoint | None = None,
    insisted: bool = False,
    word: str = "",
) -> ReleaseSelection:
    """The ReleaseSelection of a service.

    :param named: the Revision that the operator named, or None.
    :param point: the ReleasePoint that the rollback uses, or None.
    :param insisted: whether the operator named that point, so that it counts also where the service was brought back already.
    :param word: what the operator named, as it was written.
    :raises BadInput: there is no such task definition.
    :raises RollbackError: none can be chosen.
    """
    recorded = (_recorded(record, point, insisted), "%s has recorded it" % point.label, insisted) if point else None
    insisted_on = named or (recorded[0] if recorded and insisted else None)
    if insisted_on:
        record = with_origins(gateway, record, insisted_on)
    try:
        choice = choose_target(
            record.service.name, record.running, record.timeline, named, recorded, record.gone, record.origins
        )
    except RollbackError as error:
        error.evidence += [gateway.of_deleted(arn) for arn in sorted(record.gone)[:LISTED]]
        raise
    target = gateway.task_definition(choice.target.task_definition)
    began = choice.bad_since
    if choice.first_bad and began:
        definition = gateway.there([choice.first_bad]).get(choice.first_bad)
        # Pipelines migrate between the registration and the deployment. One that was registered before the target served did no harm by that.
        if definition and (choice.good_since is None or definition.registered_at > choice.good_since):
            began = min(began, definition.registered_at)
    return ReleaseSelection(record, target, choice, began, None, word)


def _recorded(record: ServiceRecord, point: ReleasePoint, insisted: bool) -> Revision:
    """The Revision that a release point has recorded; where the record of AWS does not have it, what the release point knows. Another
    configuration of what runs is what runs, unless the operator named the point."""
    name = record.service.name
    arn, images = point.deployed[name], point.images.get(name, frozenset())
    ran = [item for stay in record.timeline.stays for item in stay.revisions if item.task_definition == arn]
    same = [item for item in ran if not images or item.image_set is None or images <= item.image_set]
    running = record.running
    as_running = record.release_of(running.task_definition) in (arn, point.releases[name])
    same_images = images <= running.image_set if images and running.image_set else as_running
    if same_images and (as_running or not insisted):
        return running
    digests = point.record["services"][name].get("digest") or {}
    return same[-1] if same else Revision("", arn, tuple(digests.items()))
