# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of other runs before a play begins, and in a check what would become of the real one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    COMPLETE,
    FAILED,
    GIVEN_UP,
    ROLLBACK,
    UNDER_WAY,
    UNFENCE,
    UNTOUCHED,
    UNVERIFIED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import INDENT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LeaseRunning,
    LockRefused,
    clock_of,
    given_up_by,
    run_line,
    who_works,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import undone_by

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import Standing
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play


@dataclass(frozen=True)
class Outlook:
    """``notes`` are sentences. ``until``: what has to come before a play may begin, as a clause; empty where nothing has to. ``ways``: (words,
    command) that lead to it."""

    notes: tuple[str, ...] = ()
    ways: tuple[tuple[str, str], ...] = ()
    until: str = ""


def outlook(answer: Standing, lock: Lock | None, play: Play, now: float) -> Outlook:
    """The Outlook of whoever changes nothing.

    :param answer: what ``standing`` says to the others.
    """
    if isinstance(answer, LockRefused):
        # What a refusal says of itself would be read as what that run has done.
        why = answer.why or answer.message.replace(" Nothing was changed.", "")
        return Outlook((why,), answer.ways, answer.until)
    notes = [who_works(lock, now)]
    if isinstance(answer, LeaseRunning):
        renewed = "; where it is renewed by then, what has begun is refused" if lock and lock.left is None else ""
        told = "a run that begins now waits until that lease has ended, in %d s at most%s"
        notes.append(told % (answer.seconds + 1, renewed))
    elif answer.found and notes == [None]:
        notes.append("a run would take over the lock: %s" % answer.found)
    notes.append(given_up_line(lock, play, check=True))
    return Outlook(tuple(note for note in notes if note))


def given_up_line(lock: Lock | None, play: Play, check: bool) -> str | None:
    """What becomes of an unfinished run by a Play that begins, for people; None where it gives none up."""
    run = given_up_by(lock, play)
    if run is None:
        return None
    what = "would be given up; this is a check, so it is not" if check else "is given up when this run takes the lock"
    return "%s was not finished, and %s. %s" % (run_line(run), what, _what_stays(run, play))


def _what_stays(run: Lock, play: Play) -> str:
    """What becomes of what a run has done that is given up: an undo is there to take it back."""
    if undone_by(run, play) == run.run_id:
        return "What it has done is taken back, as the plan below says"
    if play.purpose == UNFENCE:
        return "What it has done stays, but for what is said below of the services"
    return "What it has done stays, but for what the plan below changes, which is a run of its own"


def not_to_give_up(abandon: str, lock: Lock | None, outcome: str | None) -> str | None:
    """What is told where ``rollback_abandon`` names a run that nobody can give up; None where it can be, or none is named.

    :param outcome: in the record of that run, None where the store has none.
    """
    run = lock.uncovered if lock else None
    if not abandon or (run and run.unfinished and run.run_id == abandon):
        return None
    why = "the store knows no such run" if outcome is None else "it %s" % come_to(outcome)
    return "rollback_abandon names run %s, and there is nothing to give up: %s" % (abandon, why)


_COME_TO = {
    COMPLETE: "is complete",
    UNVERIFIED: "has done all, and its checks have not passed",
    UNTOUCHED: "has changed nothing",
    GIVEN_UP: "was given up",
    FAILED: "has failed, and was not finished",
    UNDER_WAY: "was not finished",
}


def come_to(outcome: str) -> str:
    """What a record says that a run came to, as what a sentence says of it. Whether one that was not finished is at work, only its lock tells."""
    return _COME_TO[outcome]


def stands(record: Mapping[str, str], lock: Lock | None, now: float) -> str:
    """The same of a run whose lock may tell more than its record: it is at work, its process is gone, its lease has not ended, or has.

    :param record: dict(run_id, outcome).
    :param now: seconds since 1970.
    """
    ours = lock if lock and lock.run_id == record["run_id"] else None
    if record["outcome"] != UNDER_WAY or ours is None or ours.expires is None:
        return come_to(record["outcome"])
    if now >= ours.expires:
        return "was not finished: its lease ended at %s, and nobody has renewed it" % clock_of(ours.expires)
    if ours.left is None:
        return "is at work, and renews its lease"
    gone = "was not finished: its ansible-playbook is gone since %s, and its lease ends at %s"
    return gone % (clock_of(ours.left), clock_of(ours.expires))


def known_of_what_comes_back(record: Mapping[str, str], others: Iterable[Mapping[str, str]]) -> list[str]:
    """What the runs of the store know of what an undo brings back: list of str, clauses of which "it" is the subject.

    :param record: of the run that is undone: dict(run_id, kind, purpose, outcome, …).
    :param others: the other records, newest first; earlier undos of the same run among them tell what came of it.
    """
    found = []
    if record.get("purpose", ROLLBACK) == ROLLBACK and record["outcome"] != UNTOUCHED:
        found.append("it is what run %s (%s) has rolled back from" % (record["run_id"], record["kind"]))
    for other in others:
        if other.get("undoes") == record["run_id"] and other["outcome"] in (FAILED, UNVERIFIED, GIVEN_UP):
            found.append("run %s was to bring it back before, and %s" % (other["run_id"], come_to(other["outcome"])))
    return found


def leads_nowhere(record: Mapping[str, Any], undone: Mapping[str, Any]) -> bool:
    """Whether an undo brings back the releases and the database that were there when it began: the run that it undoes was to move a database, and had
    deployed nothing yet.

    :param record: of the undo, and ``undone`` of the run that it undoes: dict(before: dict(services: name → task definition, database), …).
    """
    there, wanted = (_where(item.get("before") or {}) for item in (record, undone))
    return all(wanted) and there == wanted


def _where(before: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    services = {name: arn.rpartition("/")[2] for name, arn in before.get("services", {}).items()}
    return services, str((before.get("database") or {}).get("host", "")).lower()


def runs_lines(notes: Iterable[str], ways: Sequence[tuple[str, str]], until: str) -> list[str]:
    """The lines of a plan (list of str): each command on a line of its own.

    :param until: what keeps the real run from beginning, empty where nothing does.
    """
    lines = ["RUNS      " + note for note in notes]
    if until:
        how = ". Each of these commands changes production:" if ways else ""
        lines.append("BEWARE    without --check, this is refused until %s%s" % (until, how))
    return lines + ways_lines(ways)


def ways_lines(ways: Iterable[tuple[str, str]]) -> list[str]:
    """Words and commands (list of str), below the line that they belong to."""
    return [INDENT + text for way in ways for text in way]
