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
    """A log stream of one container of one task, to be read from ``since`` on. ``dead``: the task has ended, so no line is awaited."""

    service: str
    group: str
    name: str
    since: datetime
    dead: bool = False

    @property
    def task(self):
        """The id of the task (prefix/container/task-id)."""
        return self.name.rpartition("/")[2]


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
