# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the logs of the release that runs, and of the one before for comparison. Memory does not grow with the logs."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import (
    entries,
    fingerprint,
    milliseconds,
    prisma_codes,
    streams_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._redact import without_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._triage.state import ErrorSeen, LogsSeen

SIDE_BY_SIDE = 4  # streams at a time: FilterLogEvents may be called 5 times a second
MOST_RUNNING, MOST_DEAD, MOST_BEFORE = 20, 10, 2  # tasks whose logs are read
BEFORE = timedelta(hours=1)  # of the release before
MOST_KINDS, MOST_TOLD = 1000, 20
_LONGEST_EXAMPLE, _LOOKED_AT = 600, 4000  # characters; secrets are looked for in more than is kept
_MOST_ADDRESSES = 20
_LOOK_AGAIN = 0.5  # seconds
_UNREACHABLE = re.compile(r"Can't reach database server at `([^`\n]{1,255})`(?::`(\d+)`)?")


@dataclass
class _Kind:
    example: str
    codes: tuple[str, ...]
    count: int = 0


@dataclass
class Tally:
    """What one stream held."""

    lines: int = 0
    complete: bool = True
    kinds: dict[str, _Kind] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)

    def add(self, lines):
        """Count an error, given as its lines."""
        key, text = fingerprint(lines), "\n".join(lines)
        if key not in self.kinds and len(self.kinds) < MOST_KINDS:
            self.kinds[key] = _Kind(without_secrets(text[:_LOOKED_AT])[:_LONGEST_EXAMPLE].strip(), prisma_codes(text))
        if key in self.kinds:
            self.kinds[key].count += 1
        if len(self.addresses) < _MOST_ADDRESSES:
            self.addresses |= {":".join(filter(None, pair)) for pair in _UNREACHABLE.findall(text)}


class LogReader:
    """Reads streams of one cluster.

    :param gateway: LogsGateway.
    :param is_error: compiled expression.
    :param clock: Clock.
    :param deadline: when reading ends, in the clock's seconds.
    """

    def __init__(self, gateway, is_error, clock, deadline):
        self._gateway, self._is_error, self._clock, self._deadline = gateway, is_error, clock, deadline

    def read(self, stream, known=()):
        """The Tally of a Stream. Errors whose fingerprint is in ``known`` are left out."""
        tally = Tally()
        for _first, lines in entries(self._counted(stream, tally), self._is_error):
            if fingerprint(lines) not in known:
                tally.add(lines)
        return tally

    def _counted(self, stream, tally):
        for page in self._gateway.pages(stream.group, [stream.name], milliseconds(stream.since)):
            tally.lines += len(page)
            yield from page
            if self._clock.now() > self._deadline:
                tally.complete = False
                return

    def read_all(self, streams):
        """The Tallies of Streams, several at a time."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(self.read, streams))

    def until_new(self, streams, since, known, seconds):
        """The Tallies of what Streams hold ``since`` a time and is not ``known``, as soon as that is anything: lines can be found only
        some time after they were written. Lines are not counted, because they have been."""
        end = min(self._clock.now() + seconds, self._deadline)
        latest = [replace(stream, since=max(stream.since, since)) for stream in streams]
        while True:
            tallies = [replace(tally, lines=0) for tally in (self.read(stream, known) for stream in latest)]
            if any(tally.kinds for tally in tallies) or self._clock.now() >= end:
                return tallies
            self._clock.sleep(_LOOK_AGAIN)


def tasks_to_read(running, dead, services):
    """(live, ended, before): the ServiceTasks of the releases that run, those of them that ended, and the last ones of the releases before.

    :param running: ServiceTasks that run now.
    :param dead: Deads, the newest first.
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


def _release(arn):
    return arn.rpartition("/")[2]


def streams(tasks, definitions, log_groups):
    """The Streams of ServiceTasks.

    :param definitions: task definition ARN → TaskDefinition.
    :raises BadInput: none of a service's containers logs to these groups.
    """
    found = []
    for service in dict.fromkeys(task.service for task in tasks):
        found += streams_of([task for task in tasks if task.service == service], definitions, log_groups, None)
    return found


def told(names, tallies, silent_of, before):
    """The LogsSeen.

    :param names: (stream, service) of each of ``tallies``.
    :param silent_of: names of the streams that must have a line.
    :param before: Tallies of the releases before.
    """
    counts, kinds, services = Counter(), {}, {}
    for (_stream, service), tally in zip(names, tallies):
        for key, kind in tally.kinds.items():
            kinds.setdefault(key, kind)
            services.setdefault(key, service)
            counts[key] += kind.count
    known = Counter()
    for tally in before:
        known.update({key: kind.count for key, kind in tally.kinds.items()})
    errors = [
        ErrorSeen(key, count, kinds[key].codes, kinds[key].example, services[key], known[key])
        for key, count in counts.most_common(MOST_TOLD)
    ]
    with_lines = {stream for (stream, _service), tally in zip(names, tallies) if tally.lines}
    return LogsSeen(
        lines=sum(tally.lines for tally in tallies),
        streams=len({stream for stream, _service in names}),
        errors=tuple(errors),
        silent=tuple(name for name in silent_of if name not in with_lines),
        complete=all(tally.complete for tally in tallies),
        addresses=tuple(sorted(set().union(*(tally.addresses for tally in tallies)))),
    )
