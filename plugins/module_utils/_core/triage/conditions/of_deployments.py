# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ECS shows of deployments and releases. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import of_tasks
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import (
    Words,
    ago,
    listed,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
        ServiceSeen,
    )


def brought_back(evidence: Evidence) -> Words | None:
    """Every service runs the release before already."""
    services = of_tasks.services_in(evidence)
    if services and all(service.brought_back for service in services):
        gone = [name for service in services for name in service.gone]
        told = "; %s was given up" % listed(gone) if gone else ""
        return dict(release=listed(service.release for service in services), gone=told)
    return None


def served_long(evidence: Evidence) -> Words | None:
    """Nothing was deployed lately."""
    known = [
        (item.came, item.release) for item in of_tasks.services_in(evidence) if item.came and not item.brought_back
    ]
    if known and len(known) == len(of_tasks.services_in(evidence)) and not of_tasks.fresh_services(evidence):
        came, release = max(known, key=lambda item: item[0])
        return dict(release=release, ago=ago(evidence, came))
    return None


def history_unknown(evidence: Evidence) -> Words | None:
    """ECS could not be asked, or does not tell when what runs came, so whether anything was deployed lately is not known."""
    if not evidence.services:
        return dict()
    unknown = [item for item in of_tasks.services_in(evidence) if item.came is None and not item.brought_back]
    return dict() if unknown and not of_tasks.fresh_services(evidence) else None


def no_release_before(evidence: Evidence) -> Words | None:
    """ECS's history names no release to go back to."""
    found = [service for service in of_tasks.services_in(evidence) if not service.before]
    return dict(service=found[0].name, why=found[0].before_reason or "ECS tells none") if found else None


def rolling_back(evidence: Evidence) -> Words | None:
    """ECS itself is bringing the release before back."""
    for service in of_tasks.services_in(evidence):
        last = service.deployments[0] if service.deployments else None
        if last and last.status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"):
            return dict(service=service.name, release=last.release)
    return None


def deployment_starting(evidence: Evidence) -> Words | None:
    """A deployment is young, under way, and nothing of it has failed."""
    for service in of_tasks.services_in(evidence):
        under_way = service.rollout == "IN_PROGRESS" or service.running < service.desired
        if (
            service.came
            and of_tasks.is_starting(evidence, service)
            and under_way
            and not service.failed_tasks
            and not of_tasks.ended_tasks(evidence, service)
        ):
            return dict(service=service.name, release=service.release, ago=ago(evidence, service.came))
    return None


_ENDED_WELL = ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL")  # ECS API, ServiceDeployment, status
_ECS_AT_WORK = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def deployment_open(evidence: Evidence) -> Words | None:
    """The newest deployment of a service did not come to a good end, or to none yet."""
    for service in of_tasks.services_in(evidence):
        last = service.deployments[0] if service.deployments else None
        if service.rollout not in ("", "COMPLETED"):
            at, release, state = service.came, service.release, service.rollout
        elif last and last.status not in _ENDED_WELL:
            at, release, state = last.at, last.release, last.status
        elif service.running < service.desired and of_tasks.is_starting(evidence, service):
            at, release, state = service.came, service.release, "at %d of %d tasks" % (service.running, service.desired)
        else:
            continue
        return dict(service=service.name, release=release, state=state, ago=ago(evidence, at) if at else "a time")
    return None


def ecs_at_work(evidence: Evidence) -> Words | None:
    """A deployment is under way, so what is seen may be of its middle; one whose tasks end again and again is seen enough."""
    for service in of_tasks.services_in(evidence):
        if of_tasks.loop_of(evidence, service):
            continue
        last = service.deployments[0] if service.deployments else None
        if service.rollout == "IN_PROGRESS" or (last and last.status in _ECS_AT_WORK):
            return dict(service=service.name)
    return None


def fenced(evidence: Evidence) -> Words | None:
    """A rollback has brought a service to 0 tasks and not given them back."""
    found = [service for service in of_tasks.services_in(evidence) if service.fenced_by]
    way = "it is at work" if evidence.at_work else "go on with that run, or give it up with unfence.yml"
    return dict(service=found[0].name, run=found[0].fenced_by, way=way) if found else None


def scaled_to_zero(evidence: Evidence) -> Words | None:
    """Somebody has stopped all services."""
    found = _stopped(evidence)
    return dict(service=found[0].name) if found and len(found) == len(of_tasks.services_in(evidence)) else None


def one_scaled_to_zero(evidence: Evidence) -> Words | None:
    """Somebody has stopped a service, and others are to run."""
    found = _stopped(evidence)
    return dict(service=found[0].name) if found and len(found) < len(of_tasks.services_in(evidence)) else None


def _stopped(evidence: Evidence) -> list[ServiceSeen]:
    return [service for service in of_tasks.services_in(evidence) if service.desired == 0 and not service.fenced_by]
