# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Streams of logs, what is in them, and the errors that were found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True)
class Stream:
    """A log stream of one container of one task, to be read from ``since`` on.

    ``dead``: the task has ended, so no line is awaited. ``essential``: the task ends with this container, so that its silence proves nothing.
    """

    service: str
    group: str
    name: str
    since: datetime
    dead: bool = False
    container: str = ""
    essential: bool = True

    @property
    def kind(self) -> tuple[str, str]:
        """(service, container)."""
        return self.service, self.container

    @property
    def prefix(self) -> str:
        """What the names of the streams of this container begin with in every task."""
        for mark in ("/%s/" % self.container, "%s-firelens-" % self.container):
            if self.container and mark in self.name:
                return self.name[: self.name.rindex(mark) + len(mark)]
        return self.name.rpartition("/")[0] + "/"


@dataclass(frozen=True)
class Unread:
    """An essential container whose lines cannot be read, and why. ``declared``: the inventory says that they are elsewhere."""

    service: str
    container: str
    why: str
    declared: bool = False

    def __str__(self) -> str:
        return "%s/%s (%s)" % (self.service, self.container, self.why)


class Event(NamedTuple):
    """One line, or several where the application's logger keeps them together. ``timestamp`` is milliseconds since 1970.

    There may be millions, and a tuple is made in a third of the time.
    """

    id: str
    timestamp: int
    message: str
    stream: str = ""


@dataclass(frozen=True)
class ErrorGroup:
    """Errors that differ only in numbers, ids and quoted texts. ``first`` is when the first of them was logged, milliseconds since 1970."""

    fingerprint: str
    count: int
    first: int
    service: str
    stream: str
    example: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Unclear:
    """The lines of a container that prove nothing, with an example: most have no level that could be read, or, where it ``sounds``, ``unknown``
    of them sound like errors by their words."""

    service: str
    container: str
    lines: int
    unknown: int
    example: str
    sounds: bool = False
