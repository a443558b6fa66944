# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One wait inside one process: observe, judge, pause, until it is ready, failed, or the deadline has come."""

from __future__ import annotations

import time

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._readiness import Failed, Ready

# 2 % of the time that has passed costs about 1 % of wall time and spares most calls (measured); the bounds keep a
# person informed and stay far below the refill rate of every API that we poll.
SHARE, SHORTEST, LONGEST = 0.02, 0.5, 5.0


class Clock:
    """Monotonic seconds and sleep. Tests bring their own, so that a wait takes no time."""

    def __init__(self, now=time.monotonic, sleep=time.sleep):
        self.now = now
        self.sleep = sleep


def pause(elapsed, remaining):
    """Seconds until the next look, never beyond the deadline. ``elapsed``: seconds since what is awaited was asked for."""
    return max(0.0, min(max(SHORTEST, min(LONGEST, SHARE * elapsed)), remaining))


def wait_for(what, look, timeout, clock=None, evidence=None, tell=None):
    """Call ``look()`` until it answers Ready.

    :param what: what is awaited, for messages.
    :param look: callable without arguments that returns Ready, Pending or Failed.
    :param timeout: seconds; honoured to the second.
    :param evidence: callable that returns lines (list of str) once the wait has failed.
    :param tell: callable that is given each Pending and the seconds elapsed.
    :return: the Ready.
    :raises RollbackError: at the first Failed, with the evidence.
    :raises TimedOut: at the deadline, with the last state and the evidence.
    """
    clock = clock or Clock()
    start = asked = clock.now()
    while True:
        answer = look()
        elapsed = clock.now() - start
        if isinstance(answer, Ready):
            return answer
        if isinstance(answer, Failed):
            raise RollbackError("%s failed: %s" % (what, answer.reason), evidence() if evidence else ())
        if elapsed >= timeout:
            raise TimedOut(what, timeout, answer.detail, evidence() if evidence else ())
        if tell:
            tell(answer, elapsed)
        if answer.fresh:
            asked = clock.now()
        clock.sleep(pause(clock.now() - asked, timeout - elapsed))
