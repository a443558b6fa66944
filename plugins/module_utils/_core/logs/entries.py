# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the lines of a stream together to errors, and counts how many of them could be read. Pure.

awslogs makes an event of every line, so a stack, a traceback or a record of several lines comes as several events, and a long record in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.record import (
    OPEN,
    is_whole,
    lines_of,
    of_block,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.text import (
    ACCESS,
    DOUBTFUL,
    ERROR,
    FINE,
    QUIET,
    THROWN,
    UNKNOWN,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event

_LONGEST_ENTRY = 25  # lines
_LONGEST_BLOCK, _LARGEST_BLOCK = 200, 1_100_000  # lines, characters; an event has up to 1 MiB
_MOST_FORMS, _FORM, _LONGEST_LINE = (
    100,
    10,
    300,
)  # forms of lines that could not be read, characters by which they differ, characters kept
_CUT = ('{"', '{\\"')  # what a record on one line begins with
_FRAME = re.compile(r"\s+(?:at .{1,300}[(:<]|File \".{1,300}\", line \d)")
_SETTING = re.compile(
    r"\s+(?!(?:error|err|exception): )[a-z][\w.-]{0,60}: "
)  # a member of what a record has announced: on_error: retry
_LONGEST_WORDS = 80  # characters of the words by which lines that sound like errors are counted together
_WORD = re.compile(r"(?<![\w.])[^\W\d_]{2,}(?![\w.])")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
# What goes on with an error at the margin, and may bring another of its lines.
_CHAIN = (
    "Caused by: ",
    "During handling of ",
    "The above exception ",
    "goroutine ",
    "[signal ",
    "exit status ",
    "created by ",
    "Suppressed: ",
)
_PYTHON = re.compile(r"Traceback |During handling of |The above exception ")
_NODE = re.compile(r"(?:node|file|/)\S*:\d+$")
Error = tuple[Event, list[str]]  # the first Event of it, and its lines
_Block = list[tuple[Event, str, str]]  # a record that is open: (Event, what its line is, text)
_EXCEPTION = re.compile(r"\[?(?:[A-Za-z_$][\w$]*(?:\.|::))*\w*(?:Error|Exception|Rejection)\b")


@dataclass(frozen=True)
class Rules:
    """What a team says of its lines: ``patterns`` tell errors besides those that are known here, ``ignore`` lines that are none whatever they look like.

    Where there are patterns, a line that none of them matches is understood: the team has said what an error looks like in what nobody here can read.
    """

    patterns: re.Pattern[str] | None = None
    ignore: re.Pattern[str] | None = None

    @classmethod
    def of(cls, patterns: Sequence[str] | None = (), ignore: Sequence[str] | None = ()) -> Rules:
        """From lists of regular expressions.

        :raises RollbackError: one of them is none.
        """
        return cls(compiled("patterns", patterns), compiled("ignore", ignore))


def compiled(option: str, patterns: Sequence[str] | None) -> re.Pattern[str] | None:
    """One expression that matches a text when any of ``patterns`` (list of str) does; None without any.

    :raises RollbackError: one of them is no regular expression.
    """
    for pattern in patterns or ():
        try:
            re.compile(pattern)
        except re.error as error:
            message = "The option %s (variable verify_log_%s) has '%s', which is no regular expression: %s."
            raise RollbackError(message % (option, option, pattern, error)) from error
    return re.compile("|".join("(?:%s)" % pattern for pattern in patterns)) if patterns else None


@dataclass
class Understood:
    """How many lines had a level or told an error (``read``), were requests (``access``), or could not be read (``unknown``).

    ``forms`` has for what lines that could not be read begin with how many there are, and one of them; ``doubtful`` the same of those that
    sound like errors, by their words.
    """

    read: int = 0
    access: int = 0
    unknown: int = 0
    ignored: int = 0
    forms: dict[str, tuple[int, str]] = field(default_factory=dict)
    doubtful: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def is_unclear(self) -> bool:
        """Whether most lines could not be read, so that nobody knows what they tell. Requests alone are a format that is known."""
        return self.unknown > self.read or not (self.read or self.access or self.ignored)

    @property
    def lines(self) -> int:
        """How many lines count."""
        return self.read + self.unknown

    @property
    def example(self) -> str:
        """A line of the most frequent form that could not be read; empty without any."""
        return max(self.forms.values(), default=(0, ""), key=lambda form: form[0])[1]

    def add(self, other: Understood) -> None:
        """Count what another one has counted."""
        self.read += other.read
        self.access += other.access
        self.unknown += other.unknown
        self.ignored += other.ignored
        for begins, (count, text) in other.forms.items():
            _count_form(self.forms, begins, count, text)
        for words, (count, text) in other.doubtful.items():
            _count_form(self.doubtful, words, count, text)

    def count(self, kind: str, text: str) -> None:
        """Count a line."""
        if kind in (FINE, ERROR, THROWN):
            self.read += 1
        elif kind == ACCESS:
            self.access += 1
        elif kind in (UNKNOWN, DOUBTFUL):
            self.unknown += 1
            _count_form(self.forms, text[:_FORM], 1, text)
            if kind == DOUBTFUL:
                _count_form(self.doubtful, _words(text), 1, text)

    def take_back(self, text: str) -> None:
        """A line that was counted as one that could not be read is an error."""
        self.unknown -= 1
        self.read += 1
        for forms, form in ((self.forms, text[:_FORM]), (self.doubtful, _words(text))):
            count, example = forms.pop(form, (0, ""))
            if count > 1:
                forms[form] = (count - 1, example)


def _words(text: str) -> str:
    """What lines that say the same have in common: their words, without what stands in quotes."""
    return " ".join(_WORD.findall(_QUOTED.sub("", text[:_LONGEST_LINE])))[:_LONGEST_WORDS]


def _count_form(forms: dict[str, tuple[int, str]], begins: str, count: int, text: str) -> None:
    known = forms.get(begins)
    if known:
        forms[begins] = (known[0] + count, known[1])
        return
    if len(forms) >= _MOST_FORMS:  # the rarest makes room, and of several the oldest
        forms.pop(min(forms, key=lambda name: forms[name][0]))
    forms[begins] = (count, text.strip()[:_LONGEST_LINE])


@dataclass
class _Entry:
    """An error and the lines that belong to it. ``awaits``: its exception is still to come, after _PYTHON at the next margin, after _NODE behind
    lines of the source."""

    first: Event
    lines: list[str]
    kind: str
    awaits: re.Pattern[str] | None = None
    closed: bool = False

    def takes(self, kind: str, text: str, event: Event) -> bool:
        """Whether a line goes on with this error."""
        if self.closed or len(self.lines) >= _LONGEST_ENTRY:
            return False
        if not text.strip() or text[0] == "\t" or text[:2] == "  ":
            return True
        if kind in (FINE, ERROR):
            return False
        if self.awaits or event is self.first or kind == QUIET or text.startswith(_CHAIN):
            return True
        if self._is_announced():
            return kind != ACCESS
        # What a logger was given is printed behind its record.
        return kind == THROWN and self.kind == ERROR and len(self.lines) == 1 and self._goes_on(text)

    def _is_announced(self) -> bool:
        return _awaited(self.lines[0]) is None and self.lines[0].rstrip().endswith((":", "{"))

    def _goes_on(self, text: str) -> bool:
        return not self.lines[0].startswith("{") and _EXCEPTION.match(text) is not None

    def add(self, kind: str, text: str) -> None:
        self.lines += text.split("\n")[: _LONGEST_ENTRY - len(self.lines)]
        self.closed = text.startswith("}")
        now = _awaited(text)
        at_margin = text[:1].strip() != ""
        if now or (at_margin and (kind == THROWN or self.awaits is _PYTHON)):
            self.awaits = now


def _belongs(kind: str, text: str, announced: bool) -> bool:
    """Whether a line goes on with the record that its event began with. A doubt at the margin may be glued to that, unless it was announced."""
    if kind == DOUBTFUL:
        return announced or text[:1] in " \t"
    return kind == UNKNOWN or (kind == THROWN and announced and _SETTING.match(text) is not None)


def _awaited(text: str) -> re.Pattern[str] | None:
    return next((form for form in (_PYTHON, _NODE) if form.match(text)), None)


def _is_of_others(kind: str, text: str) -> bool:
    """Whether a line in the middle of an object of several lines is none of its own: those are indented, and other threads write in between."""
    return text[:1] == "{" or (kind in (ERROR, THROWN) and text[:1] not in " \t}]\"'")


def _is_cut(block: _Block) -> bool:
    """Whether the record that is open is one line that was cut, in which case a brace says nothing: what goes on with it makes it whole."""
    return block[0][2].startswith(_CUT)


def _is_ended_by(block: _Block, text: str) -> bool:
    return (text[:1] == "}" and not _is_cut(block)) or is_whole([item[2] for item in block])


class Entries:
    """The errors of one stream.

    :param rules: Rules.
    """

    def __init__(self, rules: Rules) -> None:
        self.understood = Understood()
        self._rules = rules
        self._entry: _Entry | None = None
        self._block: _Block | None = None
        self._size = 0
        self._unread: tuple[Event, str] | None = None  # (Event, text) of the line before, where it could not be read

    def take(self, event: Event) -> Iterable[Error]:
        """The errors that an Event has ended, each as (first Event, lines)."""
        message, rules = event.message, self._rules
        if rules.ignore and rules.ignore.search(message):
            self.understood.ignored += 1
            return ()
        parts = lines_of(message)
        if (
            len(parts) == 1
            and parts[0][0] == FINE
            and self._entry is None
            and self._block is None
            and rules.patterns is None
        ):
            self.understood.read += 1  # most lines are so
            return ()
        ended: list[Error] = []
        said = announced = False
        for kind, text in parts:
            kind = self._by_rules(kind, text)
            if said and _belongs(kind, text, announced):
                kind = QUIET
            if kind in (FINE, ERROR, ACCESS):
                said, announced = True, text.rstrip()[-1:] in (":", "{", "[")
            self._part(event, kind, text, ended)
        return ended

    def end(self) -> list[Error]:
        """The errors that are still open, as (first Event, lines)."""
        ended: list[Error] = []
        self._close_block(ended, whole=False)
        self._close(ended)
        return ended

    def _by_rules(self, kind: str, text: str) -> str:
        if self._rules.patterns is None:
            return kind
        if self._rules.patterns.search(text):
            return ERROR
        return FINE if kind in (UNKNOWN, DOUBTFUL) else kind

    def _part(self, event: Event, kind: str, text: str, ended: list[Error]) -> None:
        block = self._block
        if block is not None:
            if self._goes_on_with_block(block, text):
                block.append((event, kind, text))
                self._size += len(text)
                if text.rstrip()[-1:] == "}" and _is_ended_by(block, text):
                    self._close_block(ended, whole=True)
                return
            self._close_block(ended, whole=False)
        if kind == OPEN:
            self._block, self._size = [(event, kind, text)], len(text)
            return
        self._line(event, kind, text, ended)

    def _goes_on_with_block(self, block: _Block, text: str) -> bool:
        if len(block) >= _LONGEST_BLOCK or self._size >= _LARGEST_BLOCK:
            return False
        return text[:1] != "{" or is_whole([text]) is not _is_cut(block)

    def _close_block(self, ended: list[Error], whole: bool) -> None:
        """Judge a record of several lines as one, or its lines for themselves where it never came to its end."""
        block, self._block = self._block, None
        if block is None:
            return
        others = [item for item in block[1:] if not whole or (not _is_cut(block) and _is_of_others(item[1], item[2]))]
        own = [item for item in block if item not in others] if whole else block[:1]
        for kind, text in of_block([text for _event, _kind, text in own]):
            self._line(block[0][0], self._by_rules(kind, text), text, ended)
        for event, kind, text in others:
            self._line(event, kind if kind != OPEN else UNKNOWN, text, ended)

    def _line(self, event: Event, kind: str, text: str, ended: list[Error]) -> None:
        entry = self._entry
        if entry is not None:
            if entry.takes(kind, text, event):
                entry.add(kind, text)
                return
            self._close(ended)
        before, self._unread = self._unread, (event, text) if kind in (UNKNOWN, DOUBTFUL) else None
        if before and kind == QUIET and _FRAME.match(text) and not before[1].startswith("Trace"):
            # Whatever it is called, what a stack follows was thrown; console.trace writes one, too, and says so.
            self.understood.take_back(before[1])
            self._entry = _Entry(before[0], before[1].split("\n")[:_LONGEST_ENTRY], THROWN)
            self._entry.add(kind, text)
            return
        self.understood.count(kind, text)
        if kind in (ERROR, THROWN):
            lines = text.split("\n")[:_LONGEST_ENTRY]
            self._entry = _Entry(event, lines, kind, _awaited(lines[0]))

    def _close(self, ended: list[Error]) -> None:
        if self._entry is not None:
            ended.append((self._entry.first, self._entry.lines))
            self._entry = None


def entries(events: Iterable[Event], rules: Rules = Rules()) -> Iterator[Error]:
    """The errors in the events (iterable of Event, in order) of one stream, each as (first Event, lines)."""
    found = Entries(rules)
    for event in events:
        yield from found.take(event)
    yield from found.end()
