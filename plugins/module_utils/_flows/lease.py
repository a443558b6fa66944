# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one module process has of its run's lock: it writes what is about to be called, and what became of it.

The lease of a play that only waits, verifies or probes is renewed by ``keeper``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import NOT_SENT, UNKNOWN, Intent
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LockLost,
    intended,
    refuse_lost,
    renewed,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, Conflict, StoreError

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

T = TypeVar("T")
OK = "ok"
TRIES = 5  # of a change that meets another one


class Unrecorded(RollbackError):
    """A call was made, and what came of it could not be written to the journal. It is no failure of the call."""

    def __init__(self, intent: Intent, outcome: str, why: str) -> None:
        made = {
            OK: "was made (AWS answered ok)",
            UNKNOWN: "was asked for, and no answer came",
            NOT_SENT: "was not sent",
        }
        super().__init__(
            "%s %s; writing that down failed: %s"
            % (intent.label, made.get(outcome, "was asked for (AWS answered %s)" % outcome), why)
        )


class Lease:
    """The lock as this process has seen it last. Threads of the process take turns.

    :param memory: RunRepository of the application.
    :param run_id: the run.
    :param fencing: of the play that began it.
    :param seconds: how long the lock holds without being renewed.
    :param gone: callable → whether the play has died, whose task goes on without it. Then the lease is left to end.
    :param clock: seconds since 1970.
    """

    def __init__(
        self,
        memory: RunRepository,
        run_id: str,
        fencing: int,
        seconds: float,
        gone: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._memory, self._run_id, self._fencing, self._seconds = memory, run_id, fencing, seconds
        self._gone, self._clock = gone, clock
        self._turn = threading.Lock()
        self._lock: Lock | None = None
        self._etag = ABSENT
        self._settled: set[int] = set()
        self._mine: dict[int, dict[str, Any]] = {}

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The writing calls of this process, in the order in which they were intended: dicts of service, operation, of, outcome."""
        return [self._mine[number] for number in sorted(self._mine)]

    def intend(self, service: str, operation: str, of: dict[str, Any]) -> Intent:
        """Prove that the lock is still ours, and write what is about to be called, in one conditional write. Gives the Intent.

        :raises LockLost: it is not ours; the call must not be made.
        :raises StoreError: it cannot be written; the call must not be made.
        """
        self.refuse_orphan()
        try:
            with self._turn:
                intent = self._change(
                    lambda lock, now: intended(
                        lock, self._fencing, service, operation, of, self._settled, now, self._seconds
                    )
                )
                self._mine[intent.number] = dict(service=service, operation=operation, of=of, outcome=UNKNOWN)
        except StoreError as error:
            told = Intent(0, service, operation, of, 0).label
            raise StoreError(
                "%s was not called, because that cannot be written down. %s" % (told, error.message)
            ) from error
        return intent

    def record(self, intent: Intent, outcome: str) -> None:
        """Write what became of a call: OK, AWS's error code, UNKNOWN when no answer came, or NOT_SENT.

        :raises Unrecorded: it cannot be written; the call was made all the same.
        """
        self._mine[intent.number]["outcome"] = outcome
        try:
            self._memory.put_entry(self._run_id, intent, outcome, self._clock())
        except StoreError as error:
            # Without a cause: a wait goes on where the cause is that the store is away for a while.
            raise Unrecorded(intent, outcome, error.message) from None
        with self._turn:
            self._settled.add(intent.number)

    def refuse_orphan(self) -> None:
        """
        :raises LockLost: the play has died.
        """
        if self._gone():
            raise LockLost(
                "The ansible-playbook that has begun this task has died. The task makes no further call; the run can be resumed."
            )

    def prove(self) -> None:
        """Make sure that the lock is ours for now, for a call that was intended a while ago.

        :raises LockLost: as ``intend``.
        """
        self.refuse_orphan()
        with self._turn:
            expires = self._lock.expires if self._lock else None
            sure = expires is not None and self._clock() < expires - self._seconds / 2
        if not sure:
            self.renew()

    def renew(self) -> None:
        """Write that this play is alive.

        :raises LockLost: as ``intend``.
        """
        with self._turn:
            self._change(lambda lock, now: (renewed(lock, self._fencing, self._settled, now, self._seconds), None))

    def _change(self, change: Callable[[Lock, float], tuple[Lock, T]]) -> T:
        """Write what ``change(lock, now)`` makes of the lock: (Lock, answer). Gives the answer."""
        for _trial in range(TRIES):
            lock, answer = change(self._look(), self._clock())
            try:
                self._etag = self._memory.put_lock(lock, self._etag)
            except Conflict:
                self._lock = None  # a write of ours whose answer was lost, or another play: look whose it is now
                continue
            self._lock = lock
            return answer
        raise LockLost("The lock of run %s changes faster than it can be read. No further call is made." % self._run_id)

    def _look(self) -> Lock:
        """Read the lock; an intent that an earlier process of the run has left is settled."""
        if self._lock is None:
            found, etag = self._memory.lock() or (None, ABSENT)
            lock = refuse_lost(found, self._fencing)
            for intent in lock.under_way:
                if intent.number not in self._mine:
                    self._memory.settle(lock.run_id, intent, UNKNOWN, self._clock())
                    self._settled.add(intent.number)
            self._lock, self._etag = lock, etag
        return self._lock
