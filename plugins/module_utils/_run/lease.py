# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one module process has of its run's lock: it writes intents and outcomes, and renews the lease while the module waits."""

from __future__ import annotations

import threading
import time

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._run.decide import Lost, intended, refuse_lost, renewed
from ansible_collections.spymeo.rollback.plugins.module_utils._run.store import Conflict

UNKNOWN = "unknown"  # the outcome of a call whose process has died
TRIES = 5  # of a change that meets another one
OFTEN = 3  # renewals in the time of a lease


class Lease:
    """The lock as this process has seen it last. Threads of the process take turns.

    :param memory: Memory of the application.
    :param run_id: the run.
    :param fencing: of the play that began it.
    :param seconds: how long the lock holds without being renewed.
    :param gone: callable → whether the play has died, whose task goes on without it. Then the lease is left to end.
    :param clock: seconds since 1970.
    """

    def __init__(self, memory, run_id, fencing, seconds, gone, clock=time.time):
        self._memory, self._run_id, self._fencing, self._seconds = memory, run_id, fencing, seconds
        self._gone, self._clock = gone, clock
        self._turn = threading.Lock()
        self._lock = self._etag = None
        self._settled = set()

    def intend(self, service, operation, of):
        """Prove that the lock is still ours, and write what is about to be called, in one conditional write. Gives the Intent.

        :raises Lost: it is not ours; the call must not be made.
        :raises StoreError: it cannot be written; the call must not be made.
        """
        if self._gone():
            raise Lost(
                "The ansible-playbook that has begun this task has died. The task makes no further call; the run can be resumed."
            )
        with self._turn:
            return self._change(
                lambda lock, now: intended(
                    lock, self._fencing, service, operation, of, self._settled, now, self._seconds
                )
            )

    def record(self, intent, outcome):
        """Write what became of a call: ``ok``, AWS's error code, or UNKNOWN when no answer came.

        :raises StoreError: it cannot be written; the call was made.
        """
        self._memory.put_entry(self._run_id, intent, outcome, self._clock())
        with self._turn:
            self._settled.add(intent.number)

    def renew(self):
        """Write that this play is alive.

        :raises Lost: as ``intend``.
        """
        with self._turn:
            self._change(lambda lock, now: (renewed(lock, self._fencing, self._settled, now, self._seconds), None))

    def keep(self):
        """Renew the lease from a thread, as long as the process lives, so that it does not end while a module waits."""
        threading.Thread(target=self._keep, name="lease", daemon=True).start()

    def _keep(self):
        while True:
            time.sleep(self._seconds / OFTEN)
            if self._gone():
                return
            try:
                self.renew()
            except Lost:
                return  # the next writing call tells
            except RollbackError:
                pass  # the store may answer again next time; if it does not, the next writing call tells

    def _change(self, change):
        """Write what ``change(lock, now)`` makes of the lock: (Lock, answer). Gives the answer."""
        for _trial in range(TRIES):
            self._look()
            lock, answer = change(self._lock, self._clock())
            try:
                self._etag = self._memory.put_lock(lock, self._etag)
            except Conflict:
                self._lock = None  # a write of ours whose answer was lost, or another play: look whose it is now
                continue
            self._lock = lock
            return answer
        raise Lost("The lock of run %s changes faster than it can be read. No further call is made." % self._run_id)

    def _look(self):
        """Read the lock; an intent that an earlier process of the run has left is settled."""
        if self._lock is None:
            found = self._memory.lock()
            lock, etag = found or (None, None)
            refuse_lost(lock, self._fencing)
            for intent in lock.under_way:
                self._memory.settle(lock.run_id, intent, UNKNOWN, self._clock())
                self._settled.add(intent.number)
            self._lock, self._etag = lock, etag
