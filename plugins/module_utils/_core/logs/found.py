# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reading logs has come to so far. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Entries, Understood
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import Collection
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import milliseconds
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream, Unclear
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event


REMEMBERED = 20_000  # ids of events, two of the largest pages: pages that overlap do so where they meet


EVER = datetime.fromtimestamp(0, timezone.utc)


class Reading:
    """Finds the errors of streams of one group that are read together, page by page. It does not grow with the log.

    :param streams: Streams that are known before; what comes from others counts as of no service.
    :param rules: Rules.
    :param noise: Noise, errors that do not count.
    """

    def __init__(self, group: str, streams: Sequence[Stream], rules: Rules, noise: Iterable[Noise] = ()) -> None:
        self.lines = 0
        self.collection = Collection(noise)
        self.understood: dict[str, Understood] = {}  # name of a stream → Understood
        self._group, self._rules = group, rules
        self._streams = {stream.name: stream for stream in streams}
        self._since = {stream.name: milliseconds(stream.since) for stream in streams}
        self._entries: dict[str, Entries] = {}
        self._recent: deque[str] = deque()
        self._ids: set[str] = set()

    def take(self, events: Iterable[Event]) -> None:
        """Go through a page (iterable of Event). Pages may overlap, and streams take turns in them."""
        ids, since = self._ids, self._since
        for event in events:
            if event.id in ids or event.timestamp < since.get(event.stream, 0):
                continue
            self._remember(event.id)
            self.lines += 1
            entries = self._entries.get(event.stream)
            if entries is None:
                entries = self._entries[event.stream] = Entries(self._rules)
            for first, lines in entries.take(event):
                self._add(first, lines)

    def cut(self) -> None:
        """What comes next is older than what has been taken: nothing that is open goes on."""
        for name, entries in self._entries.items():
            for first, lines in entries.end():
                self._add(first, lines)
            self.understood.setdefault(name, Understood()).add(entries.understood)
        self._entries.clear()

    @property
    def heard(self) -> set[str]:
        """The names (set of str) of the streams that have a line."""
        return {*self.understood, *self._entries}

    def _remember(self, event_id: str) -> None:
        self._ids.add(event_id)
        self._recent.append(event_id)
        if len(self._recent) > REMEMBERED:
            self._ids.discard(self._recent.popleft())

    def _add(self, first: Event, lines: Sequence[str]) -> None:
        stream = self._streams.get(first.stream) or Stream("", self._group, first.stream, EVER)
        self.collection.add(stream, first, lines)


@dataclass
class Found:
    """What reading came to.

    - ``collection``: the Collection.
    - ``lines``: how many lines were read.
    - ``heard``: (group, name) of the streams that have a line.
    - ``understood``: (service, container) of an essential container → Understood.
    - ``silent``: Streams of living tasks that have logged nothing at all.
    - ``seconds``: the time that the lines are of.
    - ``known``: words of lines that sound like errors and were there before, too, so that they say nothing now.
    - ``back_to``: None when all was read, else the aware datetime to which time has sufficed, the newest first.
    """

    collection: Collection
    lines: int = 0
    heard: set[tuple[str, str]] = field(default_factory=set)
    understood: dict[tuple[str, str], Understood] = field(default_factory=dict)
    silent: tuple[Stream, ...] = ()
    seconds: float = 0.0
    known: frozenset[str] = frozenset()
    back_to: datetime | None = None

    def add(self, group: str, streams: Sequence[Stream], reading: Reading) -> None:
        """Take over what a Reading of Streams of a group came to."""
        self.collection.merge(reading.collection)
        self.lines += reading.lines
        self.heard |= {(group, name) for name in reading.heard}
        for stream in streams:
            if stream.essential and stream.name in reading.understood:
                self.understood.setdefault(stream.kind, Understood()).add(reading.understood[stream.name])

    @property
    def unclear(self) -> tuple[Unclear, ...]:
        """The Unclears: essential containers of whose lines too few could be understood, or some sound like errors."""
        return tuple(filter(None, (self._unclear(*item) for item in sorted(self.understood.items()))))

    def _unclear(self, kind: tuple[str, str], counted: Understood) -> Unclear | None:
        if counted.is_unclear:
            return Unclear(*kind, counted.lines, counted.unknown, without_secrets(counted.example))
        new = [form for words, form in counted.doubtful.items() if words not in self.known]
        if not new:
            return None
        example = max(new, key=lambda form: form[0])[1]
        return Unclear(*kind, counted.lines, sum(count for count, _text in new), without_secrets(example), True)

    @property
    def doubtful(self) -> frozenset[str]:
        """The words (frozenset of str) of lines that sound like errors."""
        return frozenset(words for counted in self.understood.values() for words in counted.doubtful)
