# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a play gets its lock, and how it leaves it: look, begin, end. What is decided is in ``decide``, what is kept in ``memory``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import (
    COMPLETE,
    GIVEN_UP,
    GIVES_WAY,
    ROLLBACK,
    UNDER_WAY,
    UNDO,
    UNFINISHED,
    UNKNOWN,
    UNTOUCHED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run import clocks, hold
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.durations import with_left, with_run
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    WHICHEVER,
    LeaseRunning,
    LockFree,
    LockRefused,
    clock_of,
    given_back,
    of_another_kind,
    of_nobody,
    refuse_lost,
    released,
    standing,
    taken,
    who_works,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outlook import outlook
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    Conflict,
    StoreError,
    as_json,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import then_done, undoable
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import TRIES
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import claim
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import Hold, Record
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import Standing
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outlook import Outlook
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

MARGIN = 5  # seconds that a wait for the end of a lease takes longer than that


@dataclass(frozen=True)
class LockObservation:
    """The lock as a play has seen it before it planned: the Lock or None, the etag that ``begin`` wants to find again, and of whom
    the lock would be taken over (str or None)."""

    lock: Lock | None
    etag: str
    found: str | None = None

    def behind(self, purpose: str) -> int:
        """The fencing number of the play that holds the lock and gives way to one of that purpose; 0 where none does."""
        lock = self.lock
        holds = lock is not None and lock.expires is not None and purpose in GIVES_WAY.get(lock.purpose, ())
        return lock.fencing if lock and holds else 0

    @property
    def undoable(self) -> str:
        """The newest run that can be undone, be it finished or not; empty when there is none."""
        return undoable(self.lock) if self.lock else ""


def observe_lock(
    memory: RunRepository,
    play: Play,
    now: Callable[[], float],
    clock: Clock,
    tell: Callable[[Pending, float], object] | None = None,
) -> LockObservation:
    """See whether a Play may begin. Nothing is written.

    A run that is to be resumed, or given up, and looks alive may be one that was killed a moment ago, so its lease is waited for.

    :param now: callable → seconds since 1970.
    :param clock: ``wait.Clock``.
    :raises RollbackError: somebody is at work, or another run is unfinished.
    """
    seen, answer = _look(memory, play, now())
    before = seen.lock
    if before and isinstance(answer, LeaseRunning):
        wait_for(
            "The end of the lease of run %s" % before.run_id,
            lambda: _gone_or_alive(memory, play, before, now()),
            answer.seconds + MARGIN,
            clock,
            tell=tell,
        )
        seen, answer = _look(memory, play, now())
    if isinstance(answer, LockRefused):
        raise refusal(answer)
    return LockObservation(seen.lock, seen.etag, answer.found) if isinstance(answer, LockFree) else seen


def refusal(refused: LockRefused) -> RollbackError:
    """The error of a LockRefused. ``ways`` in its result are dicts(words, command)."""
    return RollbackError(
        refused.message, result=dict(ways=[dict(words=words, command=command) for words, command in refused.ways])
    )


def glance(memory: RunRepository, play: Play, now: float) -> tuple[LockObservation, Outlook]:
    """The LockObservation, and the Outlook of a Play; for whoever changes nothing.

    :param now: seconds since 1970.
    """
    seen, answer = _look(memory, play, now)
    return seen, outlook(answer, seen.lock, play, now)


def _look(memory: RunRepository, play: Play, now: float) -> tuple[LockObservation, Standing]:
    lock, etag = memory.lock() or (None, ABSENT)
    refused = _misnamed(memory, lock, play) if play.run_id and play.kind else None
    return LockObservation(lock, etag), refused or standing(lock, play, now)


def _misnamed(memory: RunRepository, lock: Lock | None, play: Play) -> LockRefused | None:
    """The LockRefused where the operator has named a run that is none of this playbook, or None."""
    known = _known(memory, lock, play)
    if known is None:
        return of_nobody(play.run_id, memory.runs())
    return of_another_kind(play.run_id, known, play.kind, play.command)


def _known(memory: RunRepository, lock: Lock | None, play: Play) -> dict[str, Any] | None:
    """What the store has of the run that a Play goes on with, as ``of_another_kind`` takes it; None when it knows none of that id."""
    lock = lock.uncovered if lock else None
    if lock and lock.run_id == play.run_id:
        return dict(kind=lock.kind, command=lock.command, unfinished=lock.unfinished, then=then_done(lock, play))
    record = (memory.run(play.run_id) or (None,))[0]
    return record and dict(kind=record["kind"], command=record.get("command", ""), unfinished=False)


def _gone_or_alive(memory: RunRepository, play: Play, before: Lock, now: float) -> Ready | Pending:
    seen, answer = _look(memory, play, now)
    lock = seen.lock
    if lock and lock.expires is not None and (lock.fencing, lock.expires) != (before.fencing, before.expires):
        raise RollbackError(
            "%s: it has just renewed its lease. Wait until it is done. Nothing was changed." % who_works(lock, now)
        )
    if lock and isinstance(answer, LeaseRunning):
        return Pending(0, 1, "run %s of %s has its lock until its lease ends" % (lock.run_id, lock.who))
    return Ready("the lease has ended")


def begin(
    memory: RunRepository, etag: str, run: Mapping[str, Any], now: float, lease: float
) -> tuple[Lock, dict[str, Any]]:
    """Take the lock, and write the record of the run. Gives (the Lock, the record).

    :param etag: of the lock that was looked at before the plan was made: the plan holds only if nobody has worked since.
    :param run: dict(run_id, kind, purpose, who, undoes, abandon, resources: ARNs, plan: list of str, before: dict, command: that was typed,
        without the ids of runs, behind: as ``LockObservation`` tells it); JSON types.
    :param now: seconds since 1970.
    :param lease: seconds.
    :raises RollbackError: somebody has begun since.
    """
    lock, found = memory.lock() or (None, ABSENT)
    # Who gives way renews its lease, and may end, while the plan is made, and changes nothing that a plan is about.
    if found != etag and not (lock and run.get("behind") and lock.fencing == run["behind"]):
        _refuse_who_was_quicker(lock)
    if lock:
        for intent in lock.under_way:
            memory.settle(lock.run_id, intent, UNKNOWN, now)
    ours = taken(
        lock, run["run_id"], run["kind"], run["who"], run["undoes"], now, lease, run["purpose"], run.get("command", "")
    )
    try:
        own = memory.put_lock(ours, found)
    except Conflict:
        later = (memory.lock() or (None,))[0]
        if later and lock and run.get("behind") == later.fencing == lock.fencing:  # it was renewed at this very moment
            return begin(memory, etag, run, now, lease)
        _refuse_who_was_quicker(later)
    try:
        places = claim(memory, run, now)
    except RollbackError:
        memory.put_lock(given_back(ours, lock), own)
        raise
    given_up = _given_up(run, lock)
    for each in (memory, *map(memory.beside, places)) if given_up else ():
        _give_up(each, given_up, run, now)
    record = dict(_record(memory, run, ours, now), places=places)
    memory.put_run(run["run_id"], record)
    _change_holds(memory, record, lambda held, elsewhere: hold.at_the_beginning(held, record, elsewhere))
    return ours, record


def _refuse_who_was_quicker(lock: Lock | None) -> NoReturn:
    who = "Run %s of %s has begun" % (lock.run_id, lock.who) if lock else "Somebody has changed the lock"
    raise RollbackError(
        "%s since this run looked, at %s. What was planned may no longer hold. Nothing was changed; look again, then start again."
        % (who, clock_of(lock.since) if lock else "a time that is not known")
    )


def _given_up(run: Mapping[str, Any], lock: Lock | None) -> str:
    """The id of the run that this one gives up, empty when there is none. ``lock`` is the Lock before, or None."""
    if run["abandon"] != WHICHEVER:
        return str(run["abandon"])
    lock = lock.uncovered if lock else None
    return lock.run_id if lock and lock.unfinished and lock.run_id != run["run_id"] else ""


def _give_up(memory: RunRepository, given_up: str, run: Mapping[str, Any], now: float) -> None:
    """Write into the record of a run by whom it was given up, if it is one of this place."""
    found = memory.run(given_up)
    if found and found[0]["outcome"] in UNFINISHED:
        text = "given up by %s for run %s" % (run["who"], run["run_id"])
        memory.put_run(given_up, dict(found[0], outcome=GIVEN_UP, reason=text, ended=clock_of(now)))


def _record(memory: RunRepository, run: Mapping[str, Any], lock: Lock, now: float) -> dict[str, Any]:
    """The record of a run that begins, or goes on: what was there before is what its first play has seen."""
    earlier, _etag = memory.run(run["run_id"]) or ({}, None)
    more = dict(earlier=clocks.earlier(earlier)) if earlier else {}
    play = dict(who=run["who"], began=clock_of(now), fencing=lock.fencing)
    return dict(
        run_id=run["run_id"],
        kind=run["kind"],
        purpose=run["purpose"],
        who=run["who"],
        undoes=run["undoes"],
        command=run.get("command", ""),
        resources=run["resources"],
        frees=run["purpose"] == UNDO and _purpose_of(memory, run["undoes"]) == ROLLBACK,
        began=earlier.get("began", play["began"]),
        since=earlier.get("since", now),
        plays=[*earlier.get("plays", []), play],
        plan=earlier.get("plan") or run["plan"],
        before=earlier.get("before") or run["before"],
        outcome=UNDER_WAY,
        **more,
    )


def _purpose_of(memory: RunRepository, run_id: str) -> str:
    found = memory.run(run_id) if run_id else None
    return found[0].get("purpose", ROLLBACK) if found else ROLLBACK


def end(memory: RunRepository, run_id: str, fencing: int, told: Mapping[str, Any], now: float) -> str:
    """Write what the run has come to, and leave the lock to whoever comes next. Gives what the run came to (str).

    The lock is the last that is written: a play that dies before has not ended.

    :param told: dict(outcome, touched: whether a call was made or may have been, lines: list of str, seconds: dict part → seconds, left: what is
        left to be finished of this run, where that is less than what came_to tells, and whatever else the record is to keep); JSON types.
    :raises Lost: another play has taken the lock over.
    """
    lock, etag = memory.lock() or (None, ABSENT)
    lock = refuse_lost(lock, fencing)
    for intent in lock.under_way:
        memory.settle(run_id, intent, UNKNOWN, now)
    left = released(lock, fencing, told["outcome"], told["touched"])
    found = memory.run(run_id)
    if found is None:
        raise StoreError(
            "The record of run %s, %s, is gone from the store %s, so that nobody could tell what was there before it. Find out who has changed "
            "the store; the lock of the run ends by itself." % (run_id, memory.key("runs", run_id), memory.store)
        )
    earlier, _etag = found
    more = {
        name: value for name, value in told.items() if name not in ("outcome", "touched", "lines", "seconds", "left")
    }
    record = dict(earlier, outcome=left.outcome, ended=clock_of(now), report=told["lines"], **more)
    memory.put_run(run_id, record)
    wrote = left.outcome != UNTOUCHED
    if wrote:
        whole = dict(total=round(now - lock.since, 1)) if len(record["plays"]) == 1 else {}
        _into_history(memory, record, told, dict(told["seconds"], **whole))
    _change_holds(
        memory, record, lambda held, _elsewhere: hold.at_the_end(held, record, wrote, told["outcome"] == COMPLETE)
    )
    for _trial in range(TRIES):
        try:
            memory.put_lock(left.uncovered, etag)
        except Conflict:  # the keeper has renewed the lease, or another play has taken it over
            lock, etag = memory.lock() or (None, ABSENT)
            left = released(lock, fencing, told["outcome"], told["touched"])
        else:
            return left.outcome
    raise RollbackError("The lock of run %s changes faster than it can be read, and was not released." % run_id)


def hold_at_the_end(
    memory: RunRepository, record: Mapping[str, Any], lock: Lock, told: Mapping[str, Any], now: float
) -> dict[str, Any] | None:
    """The hold (dict as it is stored, or None) as ``end`` will leave it.

    :param record: of the run, and ``lock`` its Lock; ``told`` as ``end`` takes it.
    """
    held = (memory.read("hold") or (None,))[0]
    wrote = lock.wrote and told["touched"]
    over = hold.at_the_end(held, dict(record, ended=clock_of(now)), wrote, told["outcome"] == COMPLETE)
    return over or held


def _into_history(
    memory: RunRepository, record: Mapping[str, Any], told: Mapping[str, Any], seconds: Mapping[str, float]
) -> None:
    """Add a run that has ended, with what is left to be finished of it; nothing is left of those that it has put out of service."""
    history, _etag = memory.read("history") or (dict(runs=[]), None)
    runs = with_run(history["runs"], record, seconds)
    for run_id in _replaced(record, runs, told) if record["outcome"] == COMPLETE else ():
        runs = with_left(runs, run_id, [])
    left = list(told.get("left", told.get("came_to", {}).get("later", ())))
    memory.write(dict(runs=with_left(runs, record["run_id"], left)), "history")


def _replaced(record: Mapping[str, Any], runs: Iterable[Mapping[str, Any]], told: Mapping[str, Any]) -> list[str]:
    """The ids of the runs whose restored instances are out of service by the run of this record: nobody is to finish those."""
    if record["purpose"] == UNDO:
        return [record["undoes"]]
    return [item["run_id"] for item in runs] if "restore" in told["seconds"] else []


def finish(memory: RunRepository, run_id: str, left: Sequence[str], by: str, now: float) -> None:
    """Write what is left to be finished of an earlier run, into its record and the history. Only the play that holds the lock does.

    :param left: list of str, empty when it is finished.
    :param by: the id of the run that has worked on it.
    """
    found = memory.run(run_id)
    if found:
        came_to = dict(found[0].get("came_to") or {}, later=left)
        told = {} if left else dict(finished=clock_of(now), finished_by=by)
        memory.put_run(run_id, dict(found[0], came_to=came_to, **told))
    history, _etag = memory.read("history") or (dict(runs=[]), None)
    runs = with_left(history["runs"], run_id, left)
    if runs != history["runs"]:
        memory.write(dict(runs=runs), "history")


def _change_holds(
    memory: RunRepository, record: Mapping[str, Any], change: Callable[[Record, list[Hold]], Record]
) -> None:
    """The hold of the application, and under each other name that the same resources have in the store."""
    everywhere = [
        (each, *(each.read("hold") or (None, ABSENT))) for each in (memory, *map(memory.beside, record["places"]))
    ]
    stands = [each for _memory, held, _etag in everywhere for each in hold.holds_of(held)]
    for each, held, etag in everywhere:
        changed = change(held, stands)
        if changed:
            each.store.put(each.key("hold"), as_json(changed), etag)
