# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits that are under way, as lines for a person: what a line says, and when it is worth printing. Pure.

Where nobody sees the time pass on a terminal, an unchanged wait is reported again once in a while, and so is a task that tells nothing:
what is silent for longer is ended by AWX, GitLab and CircleCI as if it hung.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UP_AND_ERASE = "\x1b[%dA\x1b[J"  # cursor to the start of the line that is so many lines up; erase from there to the end


@dataclass(frozen=True)
class Wait:
    """A wait as it was reported at ``at`` (seconds of a monotonic clock); ``elapsed`` and ``estimate`` in seconds."""

    pid: int
    what: str
    key: str
    done: float
    total: float
    detail: str
    elapsed: float
    estimate: float | None
    at: float

    @property
    def id(self) -> tuple[int, str, str]:
        return self.pid, self.what, self.key

    @property
    def news(self) -> tuple[float, float, str]:
        """What has to change for a new line to be worth printing."""
        return self.done, self.total, self.detail


@dataclass(frozen=True)
class Over:
    """A wait is no longer under way."""

    pid: int
    what: str
    key: str

    @property
    def id(self) -> tuple[int, str, str]:
        return self.pid, self.what, self.key


def read_datagram(datagram: bytes, at: float) -> Over | Wait | None:
    """What a datagram of ``_progress`` says: a Wait or an Over. None for anything else: it only costs a line."""
    try:
        told = json.loads(datagram)
        pid, what, key = process(told["pid"]), plain(told["what"]), plain(told["key"])
        if told.get("over"):
            return Over(pid, what, key)
        estimate = None if told["estimate"] is None else number(told["estimate"])
        done, total, elapsed = (number(told[name]) for name in ("done", "total", "elapsed"))
        return Wait(pid, what, key, done, total, plain(told["detail"]), elapsed, estimate, at)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def process(pid: Any) -> int:
    """A process id. Raises ValueError for what is none: 0 and below mean groups."""
    if not isinstance(pid, int) or not 0 < pid < 2**31:
        raise ValueError("not a process id")
    return pid


def number(value: float) -> float:
    """A finite number as float. Raises ValueError or TypeError for anything else."""
    if not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def plain(text: str) -> str:
    """Text without anything that moves a cursor."""
    return "".join(character if character.isprintable() else " " for character in text)


@dataclass(frozen=True)
class Task:
    """The task that is under way since ``since`` (seconds of a monotonic clock)."""

    name: str
    since: float


def wait_line(wait: Wait, now: float, usual: float | None = None) -> str:
    """The line of a wait at ``now`` (seconds of the clock of ``wait.at``); ``usual`` is how many seconds it took lately, or None."""
    since = max(0.0, now - wait.at)
    name = "%s of %s" % (wait.what, wait.key) if wait.key else wait.what
    parts = ["%s %s" % (name, hours(wait.elapsed + since))]
    if wait.total > 1:  # 0 of 1 is no measure, it only says: not yet
        parts.append("%g of %g" % (wait.done, wait.total))
    if wait.estimate is not None:
        parts.append("about %s left" % hours(max(0.0, wait.estimate - since)))
    elif usual:
        parts.append("usually %s" % hours(usual))
    return "WAIT      %s: %s" % (", ".join(parts), wait.detail)


def task_line(task: Task, now: float) -> str:
    """The line of a task of which nothing else is known."""
    return "WAIT      %s: %s" % (hours(now - task.since), plain(task.name))


def hours(seconds: float) -> str:
    """0:07, 12:34, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    return "%d:%02d:%02d" % (minutes // 60, minutes % 60, rest) if minutes >= 60 else "%d:%02d" % (minutes, rest)


@dataclass(frozen=True)
class Printed:
    """The news that were printed last of a wait, and when (seconds)."""

    news: tuple[float, float, str]
    at: float


def due_in(wait: Wait, printed: Printed | None, interval: float, heartbeat: float, now: float) -> float:
    """Seconds until the line of ``wait`` is to be printed, 0 for now.

    :param printed: what was Printed of it last, or None.
    :param interval: seconds between two lines of one wait, at least.
    :param heartbeat: seconds after which a line is printed that says nothing new.
    """
    if printed is None:
        return 0.0
    return max(0.0, printed.at + (heartbeat if printed.news == wait.news else interval) - now)


def task_due_in(task: Task, last: float | None, heartbeat: float, now: float) -> float:
    """Seconds until the line of a task is to be printed that nothing else is told of.

    :param last: when any line was printed last, or None.
    """
    return max(0.0, max(task.since, task.since if last is None else last) + heartbeat - now)


def usual(results: Mapping[str, Any]) -> dict[str, float]:
    """How long the parts of a run took lately: part → seconds, of what ``rollback_run`` tells as ``expected``; of none, nothing."""
    try:
        return {part: number(told["seconds"]) for part, told in results["expected"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def block(lines: Sequence[str], columns: int, rows: int) -> list[str]:
    """Lines cut to a terminal, one column and one row less than it has, so that each stays one line and none scrolls away."""
    room = max(1, rows - 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], "WAIT      and %d more" % (len(lines) - room + 1)]
    return [text[: max(1, columns - 1)] for text in lines]


def redrawn(height: int, lines: Sequence[str]) -> str:
    """What turns a drawn block of ``height`` lines, with the cursor below it, into ``lines``."""
    return (UP_AND_ERASE % height if height else "") + "".join(text + "\n" for text in lines)
