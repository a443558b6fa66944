# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read, as values: a report is lines, and a line is a keyword, a sentence, and what belongs to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_COLUMN = 10  # where sentences begin
INDENT = " " * _COLUMN


@dataclass(frozen=True)
class Line:
    """``keyword`` says what the line is about, in capital letters: ``CODE``, ``BEWARE``. Empty, it goes on with the line before; None, ``text`` is no
    sentence of a keyword, but a heading, or a row of a table. ``further`` are lines that belong to it, such as a command to paste."""

    keyword: str | None
    text: str
    further: tuple[str, ...] = ()

    def printed(self) -> list[str]:
        """As it is printed (list of str)."""
        first = self.text if self.keyword is None else "%-9s %s" % (self.keyword, self.text)
        return [first, *(INDENT + text for text in self.further)]


@dataclass(frozen=True)
class WayOn:
    """What can be done: in words, and the command to paste."""

    words: str
    command: str


@dataclass(frozen=True)
class Report:
    """``kind`` is what it is a report of: plan, outcome, … ``ways`` lead on from a failure, the best first."""

    kind: str
    lines: tuple[Line, ...]
    ways: tuple[WayOn, ...] = ()

    def text(self) -> list[str]:
        """As it is printed (list of str)."""
        return "\n".join(text for line in self.lines for text in line.printed()).splitlines()

    def as_json(self) -> dict[str, Any]:
        """For a program: dict(kind, lines: list of dict(keyword, text, further), ways: list of dict(words, command))."""
        lines = [dict(keyword=line.keyword, text=line.text, further=list(line.further)) for line in self.lines]
        ways = [dict(words=way.words, command=way.command) for way in self.ways]
        return dict(kind=self.kind, lines=lines, ways=ways)


def lines_read(printed: Iterable[str]) -> list[Line]:
    """The lines (list of Line) of what a module has printed."""
    found: list[Line] = []
    for text in printed:
        keyword = text[:_COLUMN].strip()
        if not keyword and found:
            last = found.pop()
            found.append(Line(last.keyword, last.text, (*last.further, text[_COLUMN:])))
        else:
            found.append(Line(keyword, text[_COLUMN:]))
    return found


def text_of(lines: Iterable[Line]) -> list[str]:
    """Lines as they are printed (list of str)."""
    return [text for line in lines for text in line.printed()]


def under(keyword: str, texts: Iterable[str]) -> list[Line]:
    """A line for each text (list of Line)."""
    return [Line(keyword, str(text)) for text in texts]


def within(value: Any, *keys: str) -> Any:
    """What is under these keys of nested mappings; None where one of them is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def utc(time: str) -> str:
    """A time in ISO 8601, for people: ``2026-11-22 03:15:00 UTC``."""
    return time[:19].replace("T", " ") + " UTC"


def first_line(text: str) -> str:
    """The first line of a message."""
    return text.splitlines()[0]


def last_part(arn: str) -> str:
    """``family:revision`` of a task definition."""
    return arn.split("/")[-1]
