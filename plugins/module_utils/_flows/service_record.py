# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one service ran: reads as much of AWS's record as the answer needs, and asks which task definitions are still there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision, same_images
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.names import (
    Ambiguous,
    is_service_revision,
    resolve,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import running_revision
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.select import offered
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.timeline import Timeline
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.deployment_history import History
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway

MOMENTS = 300  # seconds; a release that served no longer has proven nothing
UNRECORDED = 20  # task definitions without recorded digests that are asked whether they are copies


def read_service_records(
    gateway: EcsGateway,
    services: Sequence[Service],
    named: Mapping[str, str] | None = None,
    moments: int = MOMENTS,
    now: datetime | None = None,
) -> list[ServiceRecord]:
    """What each service ran.

    :param gateway: EcsGateway.
    :param named: service → what the operator named, which is looked for as far back as the record goes.
    :param moments: seconds; what served no longer has served for moments only.
    :return: list of ServiceRecord.
    """
    now, span = now or datetime.now(timezone.utc), timedelta(seconds=moments)

    def enough(name: str, history: History) -> bool:
        return _answers(Timeline(history, {}, now, span), (named or {}).get(name))

    histories = gateway.histories([service.name for service in services], enough)
    return side_by_side(lambda service: _record(gateway, service, histories[service.name], now, span), services)


def _answers(timeline: Timeline, named: str | None) -> bool:
    """Whether a part of the history is enough to choose by."""
    if named and not is_service_revision(named):
        try:
            return resolve(named, timeline, {}) is not None
        except Ambiguous:
            return True
    return timeline.brought_back or any(timeline.proven(release) for release in timeline.releases)


def _record(gateway: EcsGateway, service: Service, history: History, now: datetime, span: timedelta) -> ServiceRecord:
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
    record = ServiceRecord(service, history, Timeline(history, origins, now, span), running, definitions, gone, origins)
    while True:
        known = with_definitions(gateway, record, [item.task_definition for item in offered(record.candidates)])
        if known is record:
            return record
        record = known


def with_definitions(gateway: EcsGateway, record: ServiceRecord, arns: Iterable[str]) -> ServiceRecord:
    """A ServiceRecord that knows which of these task definitions are there; the same one where it knows that already."""
    new = set(arns) - set(record.definitions) - record.gone
    if not new:
        return record
    return _with(record, gateway.there(new), new, record.timeline.now, record.timeline.moments)


def with_origins(gateway: EcsGateway, record: ServiceRecord, revision: Revision) -> ServiceRecord:
    """A ServiceRecord that knows which task definitions are copies, of those that the images of a Revision were deployed with: a copy is no other
    configuration. It takes a call for each, so it is for what the operator named."""
    same = [item for item in record.timeline.revisions if same_images(item, revision)]
    return with_definitions(
        gateway, record, list(dict.fromkeys(item.task_definition for item in same[::-1]))[:UNRECORDED]
    )


def _with(
    record: ServiceRecord,
    found: Mapping[str, TaskDefinition],
    asked: Iterable[str],
    now: datetime | None,
    span: timedelta,
) -> ServiceRecord:
    """A ServiceRecord that knows more TaskDefinitions."""
    definitions = {**record.definitions, **found}
    origins = {arn: item.origin for arn, item in definitions.items() if item.origin}
    return replace(
        record,
        definitions=definitions,
        gone=record.gone | _gone(asked, found),
        origins=origins,
        timeline=Timeline(record.history, origins, now, span),
    )


def _gone(asked: Iterable[str], found: Mapping[str, TaskDefinition]) -> frozenset[str]:
    """The ARNs of what cannot come back: it was deleted, or is being deleted. What is INACTIVE is registered again."""
    return frozenset(arn for arn in asked if arn not in found or found[arn].status == "DELETE_IN_PROGRESS")
