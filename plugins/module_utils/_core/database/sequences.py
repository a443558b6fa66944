# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far the sequences of a restored database go ahead, so that it gives no id that the failed one has given. Pure.

A sequence of a snapshot begins again with what was given after it: a row that is lost and a row that is new would have one id, and nobody could
tell them apart any more. The failed database gives ids until nobody uses it any longer, which is after it was read: that is what the margin is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import NOTED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

MARGIN = 10_000  # values at least; else as many as were given since the data, which took longer than what is left of the rollback
MOST_DRAWN = 1_000_000  # values that nextval may give away where setval is not permitted: about a second


@dataclass(frozen=True)
class Sequence:
    """A sequence, or what is behind an identity column.

    ``oid`` is the server's own number of it, which a restore keeps; ``columns`` are the columns that take their ids from it, as texts.
    ``minimum`` and ``maximum`` are the bounds of it and of the types of these columns. ``given`` is the value that was given last, None where none
    was; ``first`` the one that comes then. ``readable`` says whether these two could be read. ``sets`` and ``draws`` say whether our role may call
    setval and nextval.
    """

    oid: int
    schema: str
    name: str
    increment: int
    minimum: int
    maximum: int
    cycles: bool
    columns: tuple[str, ...] = ()
    given: int | None = None
    first: int = 1
    readable: bool = True
    sets: bool = True
    draws: bool = True

    @property
    def label(self) -> str:
        """Its name, for people."""
        return foreign("%s.%s" % (self.schema, self.name))

    @property
    def position(self) -> int:
        """What was given last; where nothing was, what would have been before the first."""
        return self.first - self.increment if self.given is None else self.given

    @property
    def before(self) -> str:
        """SQL's operator for what is not as far."""
        return "<" if self.increment > 0 else ">"

    def is_one_with(self, other: Sequence) -> bool:
        """Whether both give the ids of the same rows: a migration may have renamed the one, or made it anew."""
        return (
            self.oid == other.oid
            or (self.schema, self.name) == (other.schema, other.name)
            or bool(set(self.columns) & set(other.columns))
        )


def sequence_of(row: Iterable[Any], value: tuple[int, bool] | list[Any] | None) -> Sequence:
    """The Sequence of a row of the catalogue.

    :param row: oid, schema, name, increment, minimum, maximum, cycles, columns, start; whether our role may SELECT, UPDATE, USAGE; what the
        server says was given last to whom has USAGE.
    :param value: (last_value, is_called) of the sequence itself, None where it could not be read.
    """
    oid, schema, name, increment, minimum, maximum, cycles, columns, start, selects, updates, uses, last = row
    given, first = (value[0] if value[1] else None, value[0]) if value else (last, start)
    return Sequence(
        oid, schema, name, increment, minimum, maximum, cycles, tuple(columns), given, first,
        readable=bool(value) or uses, sets=selects and updates, draws=updates or uses,
    )  # fmt: skip


@dataclass(frozen=True)
class SequenceMove:
    """A ``sequence`` of the restored database goes ``to`` a value, as if that had been given. ``beyond`` is the last one of the failed database.
    ``steps`` is how many values are skipped, ``margin`` how many of these lie beyond that one."""

    sequence: Sequence
    to: int
    beyond: int
    steps: int
    margin: int

    @property
    def line(self) -> str:
        """For people."""
        words = "%s: %d -> %d, %d values beyond the %d of the failed database"
        return words % (self.sequence.label, self.sequence.position, self.to, self.margin, self.beyond)


@dataclass(frozen=True)
class SequenceKept:
    """A ``sequence`` of the restored database stays. ``why`` is for people; ``safe`` says whether it gives no id twice all the same."""

    sequence: Sequence
    why: str
    safe: bool = False


Step = Union[SequenceMove, SequenceKept]


def ahead(restored: Iterable[Sequence], failed: Iterable[Sequence]) -> list[Step]:
    """What becomes of each sequence of the restored database: a SequenceMove or a SequenceKept, in their order.

    :param restored: the Sequences of the restored database; so is ``failed``.
    """
    return [_ahead(sequence, [item for item in failed if item.is_one_with(sequence)]) for sequence in restored]


def _ahead(sequence: Sequence, counterparts: list[Sequence]) -> Step:
    against = _against(sequence, counterparts)
    if against:
        return SequenceKept(sequence, against)
    # Counted in the direction of the sequence, so that one that goes down is no other case.
    step, sign = abs(sequence.increment), 1 if sequence.increment > 0 else -1
    position, furthest = sign * sequence.position, max(sign * item.position for item in counterparts)
    limit = sequence.maximum if sign > 0 else -sequence.minimum
    room = (limit - furthest) // step
    if room < 2:
        return SequenceKept(sequence, _no_room(sequence, sign * furthest, max(room, 0)))
    margin = min(max(MARGIN, (furthest - position) // step), (room - 1) // 2)  # what is left is for the application
    steps = -(
        (position - furthest - margin * step) // step
    )  # rounded up: it keeps to the values that it would have given
    if steps <= 0:
        return SequenceKept(sequence, "it is ahead already", safe=True)
    to = position + steps * step
    move = SequenceMove(sequence, sign * to, sign * furthest, steps, (to - furthest) // step)
    refused = _refused(move)
    return SequenceKept(sequence, refused) if refused else move


def _against(sequence: Sequence, counterparts: list[Sequence]) -> str:
    """Why it cannot be known how far a sequence has to go, empty where it can."""
    if not counterparts:
        return "the failed database has no such sequence, so how far its ids went is not known"
    unread = [item.label for item in counterparts if not item.readable]
    if unread or not sequence.readable:
        where = "the failed database" if unread else "the database that goes into service"
        cure = "GRANT SELECT, UPDATE ON SEQUENCE %s to this user" % (unread or [sequence.label])[0]
        return "this user may not read it in %s; %s" % (where, cure)
    if any((item.increment > 0) != (sequence.increment > 0) for item in counterparts):
        return "it counts the other way in the failed database"
    return ""


def _no_room(sequence: Sequence, furthest: int, room: int) -> str:
    told = "the failed database has given %d, with %s left up to its bound" % (furthest, many(room, "value"))
    return told + (", where it begins again (CYCLE)" if sequence.cycles else "; ahead of that it would be used up")


def _refused(move: SequenceMove) -> str:
    """Why our role cannot make a SequenceMove, empty where it can."""
    sequence = move.sequence
    if sequence.sets or (sequence.draws and move.steps <= MOST_DRAWN):
        return ""
    return "this user may not set it; it has to go to %d: GRANT UPDATE ON SEQUENCE %s to this user" % (
        move.to,
        sequence.label,
    )


def foreseen(failed: tuple[Sequence, ...]) -> tuple[str, list[Finding]]:
    """(in words, Findings) of what ``ahead`` will come to, as far as the sequences of the failed database tell it.

    Owners, rights and bounds are restored with the data; a sequence that a migration has made since is in the failed one only.
    """
    moves, left = _apart(ahead(failed, failed))
    if not failed:
        return "there is no sequence, so ids come from elsewhere", []
    told = (
        "sequences of the restored database, also those of identity columns, go beyond the %d of the failed one, "
        "by %s values or by as many as were given since the data"
    )
    return told % (len(moves), _number(MARGIN)), [*_short(moves), *_kept_findings(left)]


def came_to(steps: list[Step]) -> tuple[str, list[Finding]]:
    """(in words, Findings) of what ``ahead`` has come to."""
    moves, left = _apart(steps)
    safe = [step for step in steps if isinstance(step, SequenceKept) and step.safe]
    words = []
    if moves:
        short = len([move for move in moves if move.margin < MARGIN])
        went = "%s went beyond those of the failed database, by %s values or more"
        words.append(went % (many(len(moves), "sequence"), _number(MARGIN)))
        words += ["%d of them by less, near their bounds" % short] if short else []
    words += ["%d %s ahead already" % (len(safe), "was" if len(safe) == 1 else "were")] if safe else []
    words += ["%d %s" % (len(left), "stays" if len(left) == 1 else "stay")] if left else []
    return "; ".join(words) or "there is no sequence", [*_short(moves), *_kept_findings(left)]


UNSURE = "it is not known whether every sequence was moved"
NOT_MOVED = "not every sequence may have been moved, so ids that the failed database has given may be given again: %s"
NOT_ASKED = (
    "it could not be asked how far its ids went, so nothing was moved, and ids that it has given may be given again: %s"
)


def result(steps: Iterable[Step], told: str, found: Iterable[Finding]) -> dict[str, Any]:
    """What a module tells of the steps of ``ahead`` (dict), after ``came_to``."""
    moves = [step for step in steps if isinstance(step, SequenceMove)]
    return dict(
        before={step.sequence.label: step.sequence.position for step in moves},
        after={step.sequence.label: step.to for step in moves},
        plan=[step.line for step in moves],
        reason=told,
        findings=[dict(check=item.check, subject=item.subject, verdict=item.verdict, what=item.what) for item in found],
    )


def finding(subject: str, what: str) -> Finding:
    """The Finding that ids may be given twice."""
    return Finding("ids", subject, NOTED, what)


def _apart(steps: Iterable[Step]) -> tuple[list[SequenceMove], list[SequenceKept]]:
    moves = [step for step in steps if isinstance(step, SequenceMove)]
    return moves, [step for step in steps if isinstance(step, SequenceKept) and not step.safe]


def _short(moves: Iterable[SequenceMove]) -> list[Finding]:
    what = "it is near its bound: it goes %s values ahead instead of %s, and the application may soon have none left"
    return [
        finding(move.sequence.label, what % (_number(move.margin), _number(MARGIN)))
        for move in moves
        if move.margin < MARGIN
    ]


def _kept_findings(left: Iterable[SequenceKept]) -> list[Finding]:
    return [
        finding(step.sequence.label, "it may give ids that the failed database has given: %s" % step.why)
        for step in left
    ]


def _number(value: int) -> str:
    return f"{value:,}"
