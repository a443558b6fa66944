# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the logs of tasks to their end, and those of the time before an accident."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import Collection, Reading, milliseconds
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.gateway import STREAMS_A_CALL
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.ready import all_have_logged
from ansible_collections.spymeo.rollback.plugins.module_utils._readiness import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import late_is_fine, wait_for

SIDE_BY_SIDE = 4  # readings at a time; AWS answers 5 FilterLogEvents a second and account, or a few more
LONGEST_BASELINE = 200_000  # lines of one kind of stream; a log that has more within the window is not read to its end


@dataclass(frozen=True)
class Found:
    """What reading came to: the Collection, how many lines it took, and the Streams of living tasks that have logged nothing at all."""

    collection: Collection
    lines: int
    silent: tuple


def read(gateway, streams, is_error, noise, wait_timeout, clock=None):
    """The Found of the streams, each from its start to its end; what has no line yet is waited for, unless there are errors.

    :param gateway: LogsGateway.
    :param streams: list of Stream.
    :param is_error: compiled expression.
    :param noise: Noise.
    :param wait_timeout: seconds until every living task must have logged a line.
    """
    collection, lines, heard = _read(gateway, streams, is_error, noise)
    late = [stream for stream in streams if stream.task not in heard and not stream.dead]
    # An error decides, so nothing has to be waited for.
    silent = late if collection.groups else _wait_for_lines(gateway, late, wait_timeout, clock)
    more, more_lines, _heard = _read(gateway, [stream for stream in late if stream not in silent], is_error, noise)
    collection.merge(more)
    return Found(collection, lines + more_lines, tuple(silent))


def _read(gateway, streams, is_error, noise):
    """(Collection, lines, {id of a task with a line}) of the streams. A container that is silent proves nothing while another one logs."""
    readings = [(group, part, Reading(group, part, is_error, noise)) for group, part in _parts(streams)]

    def go_through(item):
        group, part, reading = item
        start = min(milliseconds(stream.since) for stream in part)
        for page in gateway.pages(group, [stream.name for stream in part], start):
            reading.take(page)
        return reading.end()

    collection = Collection(noise)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for found in pool.map(go_through, readings):
            collection.merge(found)
    heard = {name.rpartition("/")[2] for _group, _part, reading in readings for name in reading.heard}
    return collection, sum(reading.lines for _group, _part, reading in readings), heard


def _parts(streams):
    """(group, Streams) as one call of FilterLogEvents takes them."""
    for group in sorted({stream.group for stream in streams}):
        of_group = [stream for stream in streams if stream.group == group]
        for start in range(0, len(of_group), STREAMS_A_CALL):
            yield group, of_group[start : start + STREAMS_A_CALL]


def _wait_for_lines(gateway, streams, timeout, clock):
    """The Streams of tasks that have no line at the deadline."""
    silent = list(streams)

    def has_logged(stream):
        return gateway.has_logged(stream.group, [stream.name], milliseconds(stream.since))

    def look():
        heard = {stream.task for stream in silent if has_logged(stream)}
        silent[:] = [stream for stream in silent if stream.task not in heard]
        return all_have_logged(streams, silent)

    if silent:
        with late_is_fine():  # which the verdict tells
            wait_for("The first line of every task", look, timeout, clock)
    return silent


def wait_until_readable(gateway, streams, moment, timeout, clock=None):
    """Wait until a line of then or later can be read, so that those before it can, too; not longer than ``timeout`` seconds.

    Lines can be found only some time after they were written, and an application need not log anything after ``moment``.

    :param moment: aware datetime.
    """
    parts = [(group, [stream.name for stream in part]) for group, part in _parts(streams)]

    def look():
        if any(gateway.has_logged(group, names, milliseconds(moment)) for group, names in parts):
            return Ready("a line of after the requests can be read")
        return Pending(0, 1, "no line of after the requests can be read yet")

    if parts:
        with late_is_fine():
            wait_for("Reading what the requests left in the logs", look, timeout, clock)


@dataclass(frozen=True)
class Baseline:
    """The kinds of errors of before the accident: fingerprint → how often. ``whole``: the window was read to its end."""

    counts: dict
    since: datetime
    until: datetime
    lines: int
    whole: bool


def read_baseline(gateway, kinds, is_error, until, minutes):
    """The Baseline of the streams that containers wrote in the ``minutes`` before ``until``.

    :param kinds: set of (log group, what stream names begin with).
    :param until: aware datetime: when the accident began.
    """
    since = until - timedelta(minutes=minutes)

    def go_through(kind):
        group, prefix = kind
        reading = Reading(group, [], is_error)
        for page in gateway.pages_before(group, prefix, milliseconds(since), milliseconds(until)):
            reading.take(page)
            if reading.lines >= LONGEST_BASELINE:
                return reading.end(), reading.lines, False
        return reading.end(), reading.lines, True

    collection, lines, whole = Collection(), 0, True
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for found, found_lines, read_whole in pool.map(go_through, sorted(kinds)):
            collection.merge(found)
            lines, whole = lines + found_lines, whole and read_whole
    return Baseline({group.fingerprint: group.count for group in collection.groups}, since, until, lines, whole)
