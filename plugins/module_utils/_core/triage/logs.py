# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose logs triage reads, and what they come to beside those of the release before. What reads them is ``_flows/logs.py``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import is_new
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import unclear_line
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import ErrorSeen, LogsSeen

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import Found
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import Collection
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import ErrorGroup, Stream, Unread
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import LoggedTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import ServiceSeen

MOST_RUNNING, MOST_DEAD, MOST_BEFORE = 20, 10, 2  # tasks whose logs are read
WINDOW = timedelta(hours=1)  # of what runs; of a task that was silent meanwhile, its last words
BEFORE = timedelta(hours=1)  # of the release before
MOST_TOLD = 20  # kinds of errors


def tasks_to_read(
    running: Sequence[ServiceTask], dead: Sequence[LoggedTask], services: Sequence[ServiceSeen]
) -> tuple[list[ServiceTask], list[ServiceTask], list[ServiceTask]]:
    """(live, ended, before): the ServiceTasks of the releases that run, those of them that ended, and the last ones of the releases before.

    :param running: ServiceTasks that run now.
    :param dead: LoggedTasks, the newest first.
    :param services: ServiceSeens.
    """
    releases = {service.name: service for service in services}
    live = [task for task in running if _release(task.task_definition) == releases[task.service].release]
    old = [task for task in running if _release(task.task_definition) == releases[task.service].before]
    ended, before = [], [] if live and old == live else old
    for item in dead:
        service = releases[item.task.service]
        task = ServiceTask(item.task.id, item.task.service, item.definition, item.created, "STOPPED")
        if item.task.release == service.release and (service.came is None or item.task.at >= service.came):
            ended.append(task)
        elif item.task.release == service.before:
            before.append(replace(task, created=max(task.created, item.task.at - BEFORE)))
    return live[:MOST_RUNNING], ended[:MOST_DEAD], before[:MOST_BEFORE]


def _release(arn: str) -> str:
    return arn.rpartition("/")[2]


def logs_seen(
    streams: Sequence[Stream],
    unread: Iterable[Unread],
    found: Found,
    more: Collection | None,
    earlier: Found,
) -> LogsSeen:
    """The LogsSeen.

    :param streams: Streams of the releases that run.
    :param unread: Unreads of theirs.
    :param found: found.Found of them.
    :param more: Collection of errors that came later, or None.
    :param earlier: found.Found of the releases before.
    """
    collection = found.collection
    if more is not None:
        collection.merge(more)
    known = {group.fingerprint: group.count for group in earlier.collection.groups}
    errors = [
        _error(group, found.seconds, known.get(group.fingerprint, 0), earlier.seconds) for group in collection.groups
    ]
    heard = found.heard
    found.known = earlier.doubtful
    live = [stream for stream in streams if not stream.dead and stream.essential]
    return LogsSeen(
        lines=found.lines,
        streams=len(streams),
        errors=tuple(errors[:MOST_TOLD]),
        silent=tuple(stream.name for stream in live if (stream.group, stream.name) not in heard),
        complete=found.back_to is None,
        addresses=tuple(sorted(collection.addresses)),
        unread=tuple(str(item) for item in unread if not item.declared),
        unclear=tuple(unclear_line(item) for item in found.unclear),
    )


def _error(group: ErrorGroup, seconds: float, before: int, seconds_before: float) -> ErrorSeen:
    more = bool(before) and is_new(group.count, seconds, before, seconds_before)
    return ErrorSeen(group.fingerprint, group.count, group.codes, group.example, group.service, before, more)
