# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time: what a play may do, and what the lock becomes, from what is recorded, who asks, and the time. Pure.

The lock is one text in the store, changed by compare-and-swap only. So a change that is built on an old lock is never written, and
two plays that decide at the same moment cannot both have their way. A play proves before each writing call that the lock is still
its own, by writing into it what it intends (``intended``); one whose lock was taken over meanwhile cannot write that any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    COMPLETE,
    FINISH,
    GIVES_WAY,
    ROLLBACK,
    UNDER_WAY,
    UNTOUCHED,
    UNVERIFIED,
    Intent,
    Lock,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import LIKE_MADE
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import (
    VARIABLES,
    Play,
    then_done,
    undoable,
    ways_out,
)

WHICHEVER = "*"  # no run has this id


class LockLost(RollbackError):
    """The play no longer holds its lock. It must not make another writing call."""


@dataclass(frozen=True)
class LockFree:
    """The lock may be taken. ``found`` says of whom it was taken over, or is None."""

    found: str | None = None


@dataclass(frozen=True)
class LeaseRunning:
    """The run that is to be resumed, or given up, looks alive for so many seconds. It is dead if nothing has changed by then."""

    seconds: float


@dataclass(frozen=True)
class LockRefused:
    """The lock may not be taken; the message says why, and what to do. ``ways``: (words, command) of what can be done about it.

    ``why`` is the message without what ``ways`` and ``until`` say; ``until`` is what has to come first, as a clause.
    """

    message: str
    ways: tuple[tuple[str, str], ...] = ()
    why: str = ""
    until: str = ""


Standing = Union[LockFree, LeaseRunning, LockRefused]


def standing(lock: Lock | None, play: Play, now: float) -> Standing:
    """What a Play may do.

    :param lock: the Lock as it is recorded, or None.
    :param now: seconds since 1970.
    :return: LockFree, LeaseRunning or LockRefused.
    """
    if lock is None:
        return LockFree()
    ways = _ways_out_of(lock.uncovered, play)
    if lock.expires is not None and now < lock.expires:
        if play.purpose in GIVES_WAY.get(lock.purpose, ()):
            return _behind(lock, play, ways, "%s, which gives way" % run_line(lock))
        # A finish that was stopped is gone on with by the next one, as it has nothing of its own.
        mine = play.run_id == lock.run_id or (play.purpose == lock.purpose == FINISH and lock.left is not None)
        if mine or play.abandon in (lock.run_id, WHICHEVER):
            return LeaseRunning(lock.expires - now)
        if lock.left is not None:
            return _stopped(lock, lock.left, lock.expires, now, play.purpose, ways)
        why = "%s is at work, and renews its lease, which ends at %s." % (run_line(lock), clock_of(lock.expires))
        return LockRefused(
            "%s Wait until it is done; if it is dead, its lock is free then. Nothing was changed." % why,
            why=why,
            until="run %s is done, or its lease has ended" % lock.run_id,
        )
    died = (
        "%s, whose lease ended at %s" % (run_line(lock), clock_of(lock.expires)) if lock.expires is not None else None
    )
    return _behind(lock, play, ways, died)


def _stopped(lock: Lock, since: float, expires: float, now: float, purpose: str, ways: _Ways) -> LockRefused:
    """The LockRefused while the lease of a play lasts that was found dead ``since``. A finish has only to wait: it leaves an unfinished run as it is."""
    why = (
        "%s was stopped: its ansible-playbook is not there any more since %s. A call that it has begun may still be on its way, so its "
        "lock is free at %s, in %d s." % (run_line(lock), clock_of(since), clock_of(expires), expires - now + 1)
    )
    if lock.unfinished and purpose != FINISH:
        return LockRefused(why + " Nothing was changed.", ways, why=why, until=_until(lock))
    return LockRefused(
        why + " Wait until then, and run the same command again. Nothing was changed.",
        why=why,
        until="the lease of run %s has ended, at %s: wait until then, and run the same command again"
        % (lock.run_id, clock_of(expires)),
    )


def _until(lock: Lock) -> str:
    return "run %s is gone on with, or given up" % lock.run_id


def _behind(lock: Lock, play: Play, ways: _Ways, found: str | None) -> LockFree | LockRefused:
    """What a play may do once nobody is at work.

    :param ways: out of the run, should it be refused.
    :param found: as LockFree takes it.
    """
    lock = lock.uncovered
    going_on = play.run_id == lock.run_id or play.purpose == FINISH
    if lock.unfinished and not going_on and play.abandon not in (lock.run_id, WHICHEVER):
        what, last = "%s was not finished." % run_line(lock), _last_intents(lock)
        how = (
            " Go on with it: its own playbook and -e rollback_run_id=%s. Or give it up with -e rollback_abandon=%s, after which this playbook "
            "begins a run of its own; playbooks/unfence.yml gives it up and begins none." % (lock.run_id, lock.run_id)
        )
        told = {variable for variable in VARIABLES for _words, way in ways if "-e %s=" % variable in way}
        why = what + ("" if len(told) == len(VARIABLES) else how) + last
        return LockRefused("%s%s Nothing was changed.%s" % (what, how, last), ways, why=why, until=_until(lock))
    return LockFree(found)


def given_up_by(lock: Lock | None, play: Play) -> Lock | None:
    """The Lock of the unfinished run that a Play gives up by beginning, None when it gives none up."""
    run = lock.uncovered if lock else None
    if run is None or not run.unfinished or run.run_id == play.run_id or play.purpose == FINISH:
        return None
    return run if play.abandon in (run.run_id, WHICHEVER) else None


_Ways = tuple[tuple[str, str], ...]


def _ways_out_of(run: Lock, play: Play) -> _Ways:
    """``ways_out`` of a run for a Play."""
    return ways_out(run.run_id, run.command, play.command, then_done(run, play), play.only_give_up)


def of_nobody(run_id: str, runs: Sequence[str]) -> LockRefused | None:
    """The LockRefused for a run that the store does not know, None for one that gets a name of its own.

    :param run_id: that the operator gave.
    :param runs: the ids that the store knows, oldest first.
    """
    near = [known for known in runs if _mistyped(run_id, known)]
    if not near and not LIKE_MADE.match(run_id):
        return None
    newest = ", ".join(near or runs[:-4:-1])
    return LockRefused(
        "The store knows no run %s, so there is nothing to go on with. %s Nothing was changed. Correct rollback_run_id, or leave it out for a new run; "
        "if the store itself is another one than then, set rollback_store."
        % (run_id, "It knows %s." % newest if newest else "It knows none."),
        until="rollback_run_id is corrected",
    )


def _mistyped(given: str, known: str) -> bool:
    """Names that count something, like change-4711 and change-4712, are two; other names that are nearly the same are one."""
    import difflib  # takes longer to load than all else here; few give a name of their own

    counted = [re.sub(r"\D", "", name) for name in (given, known)]
    return counted[0] == counted[1] and difflib.SequenceMatcher(None, given, known).ratio() > 0.8


def of_another_kind(run_id: str, known: Mapping[str, Any], kind: str, command: str) -> LockRefused | None:
    """The LockRefused for a run that is gone on with by another playbook than its own, None when it is its own.

    :param known: dict(kind, command, unfinished, then: as ``ways_out`` takes it) of that run.
    """
    if known["kind"] == kind:
        return None
    return LockRefused(
        "Run %s is one of '%s', and this playbook is '%s': what one has begun the other cannot go on with. Nothing was changed. "
        "Use the playbook of the run%s, or leave rollback_run_id out for a new run."
        % (
            run_id,
            known["kind"],
            kind,
            ", or give the run up: -e rollback_abandon=%s" % run_id if known["unfinished"] else "",
        ),
        ways_out(run_id, known["command"], command if known["unfinished"] else "", known.get("then", "")),
        until="rollback_run_id is corrected",
    )


def run_line(lock: Lock) -> str:
    """Which run a Lock is of, for people."""
    return "Run %s of %s (%s, since %s)" % (lock.run_id, lock.who, lock.kind, clock_of(lock.since))


def _last_intents(lock: Lock) -> str:
    intents = ", ".join(intent.label for intent in lock.under_way)
    return " What it was about to do last: %s." % intents if intents else ""


def clock_of(seconds: float) -> str:
    """A time for people, like 2026-11-22 03:15:00 UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def who_works(lock: Lock | None, now: float) -> str | None:
    """A line for the plan: who holds the lock, or None when nobody does."""
    if lock is None or lock.expires is None or now >= lock.expires:
        return None
    return "%s %s" % (run_line(lock), "is at work" if lock.left is None else "was stopped, and its lease has not ended")


def keeps_out(lock: Lock | None, now: float) -> str | None:
    """The same of a run that a rollback would be refused for; None where nobody works, or what works gives way."""
    gives_way = lock is not None and ROLLBACK in GIVES_WAY.get(lock.purpose, ())
    return None if gives_way else who_works(lock, now)


def play_found_dead(lock: Lock | None, fencing: int, now: float) -> Lock:
    """The lock of a play that was found dead. Its lease is not cut short, since a process of it may be in the middle of a call.

    :raises LockLost: as ``intended``.
    """
    return replace(refuse_lost(lock, fencing), left=now)


def given_back(ours: Lock, before: Lock | None) -> Lock:
    """The lock of a play that may not begin after all: as it was ``before`` (Lock or None) it took ``ours``, and nobody's."""
    if before is None:
        return replace(ours, expires=None, outcome=UNTOUCHED)
    return replace(before, expires=None, under_way=(), fencing=ours.fencing)


def sealed(lock: Lock) -> Lock:
    """The lock of a play that has died, after which somebody else works on the same things: that play can make no call any more."""
    return replace(lock, expires=None, under_way=())


def taken(
    lock: Lock | None,
    run_id: str,
    kind: str,
    who: str,
    undoes: str,
    now: float,
    lease: float,
    purpose: str = ROLLBACK,
    command: str = "",
) -> Lock:
    """The lock that a play writes to begin; it holds for ``lease`` seconds.

    :param lock: the Lock for which ``standing`` says LockFree, or None.
    :param purpose: one of PURPOSES.
    """
    lock = lock.uncovered if lock else None
    same = lock is not None and lock.run_id == run_id
    number = lock.number if lock else 0
    return Lock(
        run_id=run_id,
        kind=kind,
        who=who,
        since=now,
        expires=now + lease,
        fencing=lock.fencing + 1 if lock else 1,
        number=number,
        first_number=lock.first_number if lock and same else number,
        outcome=UNDER_WAY,
        under_way=(),
        undoes=undoes,
        undoable=undoable(lock) if lock and not same else lock.undoable if lock else "",
        purpose=purpose,
        command=command,
        beneath=lock.as_dict() if lock and lock.unfinished and purpose == FINISH else None,
    )


def intended(
    lock: Lock | None,
    fencing: int,
    service: str,
    operation: str,
    of: dict[str, Any],
    settled: Collection[int],
    now: float,
    lease: float,
) -> tuple[Lock, Intent]:
    """The lock with one more intent, and that Intent.

    :param fencing: of the play that asks.
    :param settled: the numbers of the intents whose outcome is in the journal.
    :raises LockLost: the lock is not that play's any more.
    """
    held = renewed(lock, fencing, settled, now, lease)
    intent = Intent(held.number + 1, service, operation, of, now)
    return replace(held, number=intent.number, under_way=(*held.under_way, intent)), intent


def renewed(lock: Lock | None, fencing: int, settled: Collection[int], now: float, lease: float) -> Lock:
    """The lock with a lease from now on.

    :raises LockLost: as ``intended``.
    """
    lock = refuse_lost(lock, fencing)
    kept = tuple(intent for intent in lock.under_way if intent.number not in settled)
    return replace(lock, expires=now + lease, left=None, under_way=kept)


def released(lock: Lock | None, fencing: int, outcome: str, touched: bool = True) -> Lock:
    """The lock of a run that has ended, which leaves it to whoever comes next.

    :param outcome: one of OUTCOMES; a run that has made no writing call is UNTOUCHED, whatever it came to.
    :param touched: False where the journal tells that each call that was intended was not made.
    :raises LockLost: as ``intended``.
    """
    lock = refuse_lost(lock, fencing)
    come_to = outcome if lock.wrote and touched else UNTOUCHED
    newest = undoable(lock) if come_to in (COMPLETE, UNVERIFIED) else lock.undoable
    return replace(lock, expires=None, outcome=come_to, under_way=(), undoable=newest)


def refuse_lost(lock: Lock | None, fencing: int) -> Lock:
    """The lock, which that play holds.

    :raises LockLost: the play with that fencing number does not hold it.
    """
    if lock is not None and lock.fencing == fencing and lock.expires is not None:
        return lock
    if lock is None or lock.fencing <= fencing:
        raise LockLost(
            "The lock of this run is gone from the store. No further call is made. Look for who has changed the store."
        )
    raise LockLost(
        "%s has taken over the lock: the lease of this play had ended, or this play is a checkpoint or a finish, which give way. This play makes no "
        "further call; what it has done stays as it is." % run_line(lock)
    )
