# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service ran when a run began, for an undo: when its release served, and since when it had run by then. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import spans_result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord


def ran_before(record: ServiceRecord, target: str, began: datetime | None) -> dict[str, Any]:
    """What comes back, in the JSON types of which ``later_migrations`` tells what it knows.

    ``ran`` are the times from which to which this very task definition ran up to the beginning of the run; empty where AWS's record does not tell.
    A migration of that time is none of a later release: either it has brought it itself, or it ran on it.

    :param record: ServiceRecord.
    :param target: family:revision or ARN of what it ran.
    :param began: when the run began (aware datetime), or None.
    """
    name, timeline = short(target), record.timeline
    release = next(
        (
            stay.release
            for stay in reversed(timeline.stays)
            if any(short(item.task_definition) == name for item in stay.revisions)
        ),
        None,
    )
    return dict(
        name=record.service.name,
        target=target,
        served=spans_result(timeline.spans(release)) if release is not None else [],
        since="",
        ran=_ran(record.history, name, began),
    )


def _ran(history: Iterable[ServiceDeployment], name: str, began: datetime | None) -> list[str]:
    """[since, until] in ISO 8601, or []."""
    if began is None:
        return []
    last = next((item for item in history if item.created_at <= began), None)  # newest first
    if last is None or short((last.returned or last.target).task_definition) != name:
        return []
    return [last.created_at.isoformat(), began.isoformat()]
