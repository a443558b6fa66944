# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the name of a release means, and which name means a release: task definition, digest, image tag, service revision. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import changes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Stay, Timeline


class Ambiguous(Exception):
    """A name means several; ``revisions`` are those, newest first."""

    def __init__(self, revisions: Sequence[Revision]) -> None:
        super().__init__(len(revisions))
        self.revisions = revisions


def is_digest(name: str) -> bool:
    """Whether a name is an image digest."""
    return name.startswith("sha256:")


def is_service_revision(name: str) -> bool:
    """Whether a name is the ARN of a service revision."""
    return ":service-revision/" in name


def is_task_definition(name: str) -> bool:
    """Whether a name is ``family:revision`` or the ARN of a task definition."""
    return ":" in name and not is_digest(name) and not is_service_revision(name)


def resolve(name: str, timeline: Timeline, origins: Mapping[str, str]) -> Revision | None:
    """The Revision that ``name`` means, None when nothing in the record bears it.

    What runs comes first where the name says no more than that. Else it is the newest that has served under this name.

    :param timeline: Timeline.
    :param origins: ARN of a copy → ARN of its origin.
    :raises Ambiguous: the name means several releases, or what runs and another configuration of it.
    """
    found = [
        (stay, revision) for stay in timeline.stays for revision in stay.revisions if _bears(revision, name, origins)
    ]
    if not found:
        return None
    running = timeline.stays[-1].revisions[-1]
    if is_service_revision(name):
        return found[-1][1]
    if found[-1][1] is running:
        return _against_what_runs(name, found, timeline, origins, running)
    releases = list(dict.fromkeys(stay.release for stay, _revision in found))
    good = [item for item in releases if timeline.has_served(item) and not timeline.rolled_back_from(item, True)]
    if len(good) > 1 or (len(releases) > 1 and not good):
        raise Ambiguous(_newest_of_each(found, origins))
    wanted = good[0] if good else releases[0]
    ours = [(stay, revision) for stay, revision in found if stay.release == wanted]
    proven = [revision for stay, revision in ours if revision in stay.proven]
    return (proven or [revision for _stay, revision in ours])[-1]


def _against_what_runs(
    name: str, found: Sequence[tuple[Stay, Revision]], timeline: Timeline, origins: Mapping[str, str], running: Revision
) -> Revision:
    """What a name means that what runs bears, too."""
    if is_digest(name) or timeline.brought_back:
        return running
    others = [
        (stay, revision)
        for stay, revision in found
        if revision in stay.proven
        and not timeline.rolled_back_from(stay.release, True)
        and not same_content(revision, running, origins)
    ]
    different = [item for item in others if item[0].release != timeline.running]
    if different or (others and is_task_definition(name)):
        raise Ambiguous(_newest_of_each(found, origins))
    return running


def _newest_of_each(found: Sequence[tuple[Stay, Revision]], origins: Mapping[str, str]) -> list[Revision]:
    newest: list[Revision] = []
    for _stay, revision in reversed(found):
        if not any(same_content(revision, other, origins) for other in newest):
            newest.append(revision)
    return newest


def _bears(revision: Revision, name: str, origins: Mapping[str, str]) -> bool:
    if is_service_revision(name):
        return revision.arn == name
    if is_digest(name):
        return name in (digest for _reference, digest in revision.images)
    if is_task_definition(name):
        known = (revision.task_definition, origins.get(revision.task_definition, ""))
        return name in known or name in map(short, known)
    return name in revision.names


def same_content(one: Revision, other: Revision, origins: Mapping[str, str]) -> bool:
    """Whether two Revisions would bring the same: task definition, images and configuration."""
    ours, theirs = (origins.get(item.task_definition, item.task_definition) for item in (one, other))
    if ours != theirs or changes(one, other):
        return False
    return one.image_set == other.image_set or None in (one.image_set, other.image_set)


def option_of(revision: Revision, timeline: Timeline, origins: Mapping[str, str]) -> str:
    """The shortest value of ``rollback_task_definition`` that picks this Revision, and nothing else."""
    digests = [digest for _reference, digest in revision.images if digest]
    for name in (short(revision.task_definition), *digests):
        try:
            meant = resolve(name, timeline, origins)
        except Ambiguous:
            continue
        if meant is not None and same_content(meant, revision, origins):
            return name
    return revision.arn if is_service_revision(revision.arn) else short(revision.task_definition)
