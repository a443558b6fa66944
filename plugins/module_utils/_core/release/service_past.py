# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service runs, what ran before it, and since when, from what ECS remembers. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import eligible, option_text
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    DeploymentOutcome,
    ServiceSeen,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_selection import (
        ReleaseSelection,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Timeline

MOST_EVENTS, MOST_DEPLOYMENTS = 10, 5


def service_seen(chosen: ReleaseSelection, no_choice: str) -> ServiceSeen:
    """The ServiceSeen of a ReleaseSelection.

    :param no_choice: why no release before can be chosen, else empty.
    """
    service, timeline, running = chosen.service, chosen.record.timeline, chosen.running
    brought_back = not no_choice and chosen.stays
    born = _came(timeline) or (service.primary.created_at if service.primary else None)
    ours = [item for item in service.deployments if item.task_definition == running]
    following = next(iter(eligible(chosen.choice.next)), None)
    return ServiceSeen(
        name=service.name,
        release=short(running),
        desired=service.desired,
        running=service.running,
        pending=service.pending,
        came=born,
        before="" if no_choice else short(chosen.target.arn),
        before_reason=no_choice or chosen.choice.reason,
        proven=None if no_choice else _proven(chosen, chosen.choice.bad_since if brought_back else born),
        brought_back=brought_back,
        gone=tuple(_younger(timeline)) if brought_back else (),
        failed_tasks=max((item.failed_tasks for item in ours), default=0),
        rollout=(service.primary.rollout_state or "") if service.primary else "",
        deployments=tuple(
            DeploymentOutcome(short(item.task_definition), item.status, item.created_at, item.reason)
            for item in chosen.history[:MOST_DEPLOYMENTS]
        ),
        events=tuple(message for _at, message in service.events[:MOST_EVENTS]),
        event_times=tuple(at for at, _message in service.events[:MOST_EVENTS]),
        against=() if no_choice or brought_back else _against(chosen),
        next=following.option if following else "",
        next_told=option_text(following) if following else "",
        fenced_by=service.fence.run_id if service.fence and not service.desired else "",
    )


def _came(timeline: Timeline) -> datetime | None:
    """When the release that runs came: one that was brought back is as old as it is, one that was deployed anew came then."""
    if timeline.running is None:
        return None
    return timeline.born(timeline.running) if timeline.brought_back else timeline.stays[-1].began


def _proven(chosen: ReleaseSelection, before: datetime | None) -> datetime | None:
    """When the target was last known to serve before ``before``: what the database got later, it does not know."""
    stays = [stay for stay in chosen.record.timeline.stays if chosen.revision in stay.revisions]
    release = stays[-1].release if stays else None
    ends = [
        stay.proven_at
        for stay in chosen.record.timeline.of(release)
        if stay.proven_at and (before is None or stay.began < before)
    ]
    return max(ends, default=chosen.began)


def _against(chosen: ReleaseSelection) -> tuple[str, ...]:
    """What is known against the target of a ReleaseSelection."""
    own = next((item for item in chosen.choice.candidates if item.is_of(chosen.revision, chosen.record.origins)), None)
    return own.against if own else ("it was never deployed, as far as AWS's record goes",)


def _younger(timeline: Timeline) -> list[str]:
    return [
        short(timeline.of(release)[-1].revision.task_definition)
        for release in reversed(timeline.younger(timeline.running))
    ]
