# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renews the lease of a play for as long as the play lives, whatever it is doing: waiting, verifying, probing, or templating.

That is a process of its own: a play has no thread that lasts, and a module knows nothing of the task after it. It is a fork of the module
that took the lock, detached from everything: it holds no pipe of ansible-playbook open, hears none of its signals, and leaves no
zombie. It ends once the lock is not the play's any more, or the ansible-playbook has died, which it writes into the lock. Twice a second it
reads one line of /proc, which costs nothing that can be measured; a store is asked three times in a lease.

Without /proc nobody could tell that the play has died, so there a lease is renewed by writing calls only.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LockLost,
    play_found_dead,
    refuse_lost,
    renewed,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, Conflict
from ansible_collections.spymeo.rollback.plugins.module_utils._io.control_process import GONE, RUNNING, Player
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

OFTEN = 3  # renewals in the time of a lease
LOOK = 0.5  # seconds between two looks at the play
AGAIN = 1.0  # seconds until a renewal that could not be written is tried again
TRIES = 5  # of a renewal that meets what the play writes


def keep_alive(open_memory: Callable[[], RunRepository], fencing: int, seconds: float) -> None:
    """Start the process that renews the lease. Returns at once.

    :param open_memory: callable → RunRepository of the application. It is called in that process, which shares no connection with this one.
    :param fencing: of the play that took the lock.
    :param seconds: how long a lease holds.
    """
    play = Player().process
    if play is None:
        return
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if not os.fork():  # whose parent ends now, so that init waits for it, not a worker
            _let_go()
            Keeper(open_memory, fencing, seconds, play.state).run()
    finally:
        os._exit(0)


def _let_go() -> None:
    """Hold nothing that somebody else waits for."""
    gc.disable()  # a collection would write to pages that are shared with ansible-playbook
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    # Not closed, since a number that is free is given to the next file, which an object of before might then close.
    for number in {0, 1, 2, *(int(name) for name in os.listdir("/proc/self/fd"))} - {null}:
        try:
            os.fstat(number)
        except OSError:  # of the listing itself
            continue
        os.dup2(null, number)


class Keeper:
    """What the process does.

    :param state: callable → RUNNING, STOPPED or GONE. One that is stopped renews nothing: nobody may be there to let it go on.
    :param clock: ``wait.Clock``.
    :param now: callable → seconds since 1970.
    """

    def __init__(
        self,
        open_memory: Callable[[], RunRepository],
        fencing: int,
        seconds: float,
        state: Callable[[], str],
        clock: Clock | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._open, self._fencing, self._seconds, self._state = open_memory, fencing, seconds, state
        self._clock, self._now = clock or Clock(), now
        self._memory: RunRepository | None = None
        self._lock: Lock | None = None
        self._etag = ABSENT

    def run(self) -> None:
        """Return when there is nothing to renew any more."""
        every = self._seconds / OFTEN
        due = self._clock.now() + every
        while True:
            self._clock.sleep(min(LOOK, every))
            state = self._state()
            if state == GONE:
                with contextlib.suppress(Exception):  # nobody hears it, and the lease ends by itself
                    self._write(lambda lock, now: play_found_dead(lock, self._fencing, now), lambda: True)
                return
            if state != RUNNING or self._clock.now() < due:
                continue
            try:
                self._renew()
            except LockLost:
                return
            except Exception:  # noqa: BLE001 - nobody hears it; the store may answer next time, and if not, a writing call tells
                due = self._clock.now() + min(AGAIN, every)
            else:
                due = self._clock.now() + every

    def _renew(self) -> None:
        self._write(
            lambda lock, now: renewed(lock, self._fencing, (), now, self._seconds), lambda: self._state() == RUNNING
        )

    def _write(self, change: Callable[[Lock, float], Lock], wanted: Callable[[], bool]) -> None:
        if self._memory is None:
            self._memory = self._open()
        for _trial in range(TRIES):
            found = self._look(self._memory)
            if not wanted():
                return
            lock = change(found, self._now())
            try:
                self._etag = self._memory.put_lock(lock, self._etag)
            except (
                Conflict
            ):  # the play has intended a call, which has renewed the lease; or the lock is somebody else's
                self._lock = None
                continue
            self._lock = lock
            return

    def _look(self, memory: RunRepository) -> Lock:
        if self._lock is None:
            found, self._etag = memory.lock() or (None, ABSENT)
            self._lock = refuse_lost(found, self._fencing)
        return self._lock
