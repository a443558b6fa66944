# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the logs of tasks, the newest first and in bounded time, and those of the time before an accident.

It is the one reader: verification and triage differ in which streams they ask for, and for how long. Memory does not grow with the logs.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import STREAMS_A_CALL
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import EVER, Found, Reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import Collection
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.logging_status import all_have_logged
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import Baseline, milliseconds
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock, late_is_fine, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise

SIDE_BY_SIDE = 4  # readings at a time; AWS answers 5 FilterLogEvents a second and account, or a few more
LONGEST_BASELINE = 200_000  # lines of one kind of stream; a log that has more within the window is not read to its end
_FIRST_SLICE = 120  # seconds; each slice of time before it is twice as long
_LOOK_AGAIN = 0.5  # seconds
_FOR_EVER = 1 << 62


class LogReader:
    """Reads streams.

    :param gateway: LogsGateway.
    :param rules: Rules.
    :param noise: Noise.
    :param clock: Clock.
    :param deadline: when reading ends, in the clock's seconds; None for never.
    :param window: seconds before now of which lines are read; of a stream that has none there, the newest that it has. None for all.
    """

    def __init__(
        self,
        gateway: LogsGateway,
        rules: Rules,
        noise: Sequence[Noise] = (),
        clock: Clock | None = None,
        deadline: float | None = None,
        window: float | None = None,
    ) -> None:
        self._gateway, self._rules, self._noise = gateway, rules, noise
        self._clock = clock or Clock()
        self._deadline, self._window = deadline, window

    def read(self, streams: Sequence[Stream], now: datetime | None = None) -> Found:
        """The Found of Streams.

        :param now: aware datetime up to which a window is counted back.
        """
        now = now or datetime.now(timezone.utc)
        parts = list(_parts(streams))
        found = Found(Collection(self._noise))
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for (group, part), (reading, back_to) in zip(
                parts, pool.map(lambda item: self._part(item[0], item[1], now), parts)
            ):
                found.add(group, part, reading)
                found.back_to = max(filter(None, (found.back_to, back_to)), default=None)
        began = [stream.since for stream in streams]
        found.seconds = (now - max(min(began), self._floor(now))).total_seconds() if began else 0.0
        return found

    def read_when_heard(self, streams: Sequence[Stream], timeout: float) -> Found:
        """The Found of Streams; what has no line yet is waited for, up to ``timeout`` seconds, unless there are errors, which decide."""
        found = self.read(streams)
        late = [stream for stream in streams if (stream.group, stream.name) not in found.heard]
        late = [stream for stream in late if stream.essential and not stream.dead]
        silent = late if found.collection.groups else self._wait_for_lines(late, timeout)
        self._read_more(found, [stream for stream in late if stream not in silent])
        found.silent = tuple(silent)
        return found

    def _read_more(self, found: Found, streams: Sequence[Stream]) -> None:
        for group, part in _parts(streams):
            found.add(group, part, self._part(group, part, datetime.now(timezone.utc))[0])

    def until_new(
        self, streams: Sequence[Stream], since: datetime, known: Container[str], seconds: float
    ) -> Collection:
        """The Collection of errors that Streams hold ``since`` a time and are not of ``known`` kinds, as soon as there is any: lines can be found
        only some time after they were written."""
        end = min(self._clock.now() + seconds, self._deadline if self._deadline is not None else _FOR_EVER)
        latest = [replace(stream, since=max(stream.since, since)) for stream in streams]
        while True:
            found = self.read(latest).collection.without(known)
            if found.groups or self._clock.now() >= end:
                return found
            self._clock.sleep(_LOOK_AGAIN)

    def _floor(self, now: datetime) -> datetime:
        return EVER if self._window is None else max(EVER, now - timedelta(seconds=self._window))

    def _part(self, group: str, streams: Sequence[Stream], now: datetime) -> tuple[Reading, datetime | None]:
        """(Reading, None or the time to which it came) of up to 100 streams of a group: slices of time, the newest first, each in its order."""
        reading = Reading(group, streams, self._rules, self._noise)
        since = {stream.name: milliseconds(stream.since) for stream in streams}
        names, window = list(since), milliseconds(self._floor(now))
        floor = max(window, min(since.values()))
        start, end, length = milliseconds(now), None, _FIRST_SLICE * 1000
        while names:
            start = max(floor, min(start, start if end is None else end) - length)
            if not self._slice(reading, group, names, start, end):
                reading.cut()
                return reading, datetime.fromtimestamp(-(-(end or milliseconds(now)) // 1000), timezone.utc)
            reading.cut()
            end, length = start, length * 2
            if start <= floor:
                # A task that is silent within the window is followed back to its last words.
                names = [name for name in names if name not in reading.heard and since[name] < start]
                floor = min((since[name] for name in names), default=0)
        return reading, None

    def _slice(self, reading: Reading, group: str, names: Sequence[str], start: int, end: int | None) -> bool:
        """Whether a slice of time was read to its end before the time was up."""
        for page in self._gateway.pages(group, names, start, end):
            reading.take(page)
            if self._deadline is not None and self._clock.now() > self._deadline:
                return False
        return True

    def _wait_for_lines(self, streams: Sequence[Stream], timeout: float) -> list[Stream]:
        """The Streams that have no line at the deadline."""
        silent = list(streams)

        def look() -> Ready | Pending:
            silent[:] = [
                stream
                for stream in silent
                if not self._gateway.has_logged(stream.group, [stream.name], milliseconds(stream.since))
            ]
            return all_have_logged(streams, silent)

        if silent:
            with late_is_fine():  # which the verdict tells
                wait_for("The first line of every task", look, timeout, self._clock)
        return silent


def _parts(streams: Sequence[Stream]) -> Iterator[tuple[str, list[Stream]]]:
    """(group, Streams) as one call of FilterLogEvents takes them."""
    for group in sorted({stream.group for stream in streams}):
        of_group = [stream for stream in streams if stream.group == group]
        for start in range(0, len(of_group), STREAMS_A_CALL):
            yield group, of_group[start : start + STREAMS_A_CALL]


def read_baseline(
    gateway: LogsGateway, streams: Sequence[Stream], rules: Rules, until: datetime, minutes: float
) -> Baseline:
    """The Baseline of what the containers of Streams wrote in the ``minutes`` before ``until``, whatever their tasks were.

    :param until: aware datetime: when the accident began.
    """
    since = until - timedelta(minutes=minutes)

    def go_through(kind: tuple[str, str]) -> tuple[Reading, float, bool]:
        group, prefix = kind
        reading, seconds = Reading(group, [], rules), minutes * 60.0
        for page in gateway.pages_before(group, prefix, milliseconds(since), milliseconds(until)):
            reading.take(page)
            if reading.lines >= LONGEST_BASELINE and page:
                seconds = page[-1].timestamp / 1000 - since.timestamp()
                reading.cut()
                return reading, seconds, False
        reading.cut()
        return reading, seconds, True

    collection, lines, whole, shortest = Collection(), 0, True, minutes * 60.0
    doubtful: set[str] = set()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for reading, seconds, read_whole in pool.map(
            go_through, sorted({(item.group, item.prefix) for item in streams})
        ):
            collection.merge(reading.collection)
            doubtful |= {words for counted in reading.understood.values() for words in counted.doubtful}
            lines, whole, shortest = lines + reading.lines, whole and read_whole, min(shortest, seconds)
    counts = {group.fingerprint: group.count for group in collection.groups}
    return Baseline(counts, since, until, lines, whole, shortest, frozenset(doubtful))


def wait_until_readable(
    gateway: LogsGateway, streams: Sequence[Stream], moment: datetime, timeout: float, clock: Clock | None = None
) -> None:
    """Wait until a line of then or later can be read, so that those before it can, too; not longer than ``timeout`` seconds.

    Lines can be found only some time after they were written, and an application need not log anything after ``moment``.

    :param moment: aware datetime.
    """
    parts = [(group, [stream.name for stream in part]) for group, part in _parts(streams)]

    def look() -> Ready | Pending:
        if any(gateway.has_logged(group, names, milliseconds(moment)) for group, names in parts):
            return Ready("a line of after the requests can be read")
        return Pending(0, 1, "no line of after the requests can be read yet")

    if parts:
        with late_is_fine():
            wait_for("Reading what the requests left in the logs", look, timeout, clock)
