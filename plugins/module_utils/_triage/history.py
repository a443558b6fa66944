# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service runs, what ran before it, and since when, from what ECS remembers. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import short
from ansible_collections.spymeo.rollback.plugins.module_utils._triage.state import Outcome, ServiceSeen

MOST_EVENTS, MOST_DEPLOYMENTS = 10, 5


def service_seen(chosen, no_choice):
    """The ServiceSeen of a Chosen.

    :param no_choice: why no release before can be chosen, else empty.
    """
    service, definitions = chosen.service, chosen.definitions
    release_of = {arn: definition.release for arn, definition in definitions.items()}
    running = chosen.running
    born = _born(chosen.history, release_of, running) or (service.primary.created_at if service.primary else None)
    brought_back = not no_choice and chosen.stays
    ours = [item for item in service.deployments if item.task_definition == running]
    return ServiceSeen(
        name=service.name,
        release=short(running),
        desired=service.desired,
        running=service.running,
        pending=service.pending,
        came=born,
        before="" if no_choice else short(chosen.target.arn),
        before_reason=no_choice or chosen.choice.reason,
        proven=None if no_choice else _proven(chosen, release_of, chosen.choice.bad_since if brought_back else born),
        brought_back=brought_back,
        gone=tuple(_younger(chosen, born)) if brought_back else (),
        failed_tasks=max((item.failed_tasks for item in ours), default=0),
        rollout=(service.primary.rollout_state or "") if service.primary else "",
        deployments=tuple(
            Outcome(short(item.task_definition), item.status, item.created_at, item.reason)
            for item in chosen.history[:MOST_DEPLOYMENTS]
        ),
        events=tuple(message for _at, message in service.events[:MOST_EVENTS]),
        fenced_by=service.fence.run_id if service.fence and not service.desired else "",
    )


def _born(history, release_of, arn):
    """When a release was first deployed."""
    wanted = release_of.get(arn, arn)
    times = [
        item.created_at for item in history if release_of.get(item.task_definition, item.task_definition) == wanted
    ]
    return min(times, default=None)


def _proven(chosen, release_of, before):
    """When the target was last known to serve before ``before``: what the database got later, it does not know."""
    wanted = release_of.get(chosen.target.arn, chosen.target.arn)
    ends = [
        item.finished_at or item.created_at
        for item in chosen.history
        if wanted == _served(item, release_of) and (before is None or item.created_at < before)
    ]
    return max(ends, default=chosen.began)


def _served(deployment, release_of):
    """The release that served when a ServiceDeployment had ended, None when that is not known."""
    arn = dict(SUCCESSFUL=deployment.task_definition, ROLLBACK_SUCCESSFUL=deployment.brought_back).get(
        deployment.status
    )
    return release_of.get(arn, arn)


def _younger(chosen, born):
    return [short(item.task_definition) for item in chosen.choice.candidates if born and item.first_deployed > born]
