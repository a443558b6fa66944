# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One wait inside one process: observe, judge, pause, until it is ready, failed, or the deadline has come.

While AWS does not answer, nothing is decided: a wait goes on until its own deadline, and says so. botocore's own tries are over within
a second where connections are refused (measured), and what is awaited goes on at AWS meanwhile.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import absence, said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import minutes
from ansible_collections.spymeo.rollback.plugins.module_utils._io.control_process import Player

# 2 % of the time that has passed costs about 1 % of wall time and spares most calls (measured); the bounds keep a
# person informed and stay far below the refill rate of every API that we poll.
T = TypeVar("T")
State = Union[Ready, Pending, Failed]
SHARE, SHORTEST, LONGEST = 0.02, 0.5, 5.0
PATIENCE = 120.0  # seconds that one call waits for AWS where it is no wait's own


class Clock:
    """Monotonic seconds and sleep. Tests bring their own, so that a wait takes no time."""

    def __init__(self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        self.now = now
        self.sleep = sleep


def pause(elapsed: float, remaining: float) -> float:
    """Seconds until the next look, never beyond the deadline. ``elapsed``: seconds since what is awaited was asked for."""
    return max(0.0, min(max(SHORTEST, min(LONGEST, SHARE * elapsed)), remaining))


class _Awaited:
    """What the looks of one wait have shown: the last state that AWS told, and since when it tells none (seconds, None while it does)."""

    def __init__(self, what: str, look: Callable[[], State], evidence: Callable[[], Iterable[str]] | None) -> None:
        self._what, self._look, self._evidence = what, look, evidence
        self._last = Pending(0, 1, "")
        self._since: float | None = None
        self._said: str | None = ""

    def look(self, elapsed: float) -> State:
        """The next answer; a Pending where AWS is away."""
        try:
            answer = self._look()
        except Exception as error:
            self._said = absence(error)
            if self._said is None:
                raise
            self._since = elapsed if self._since is None else self._since
            return Pending(self._last.done, self._last.total, self._away(), away=True)
        self._since = None
        if isinstance(answer, Pending):
            self._last = answer
        return answer

    def failed(self, answer: Failed) -> RollbackError:
        """The error of a Failed."""
        return RollbackError("%s failed: %s" % (self._what, answer.reason), self._lines())

    def late(self, timeout: float) -> TimedOut:
        """The error of a wait that has come to its deadline."""
        if self._since is None:
            return TimedOut(self._what, timeout, self._last.detail, self._lines())
        last = "; ".join(text for text in (self._last.detail, self._away()) if text)
        return TimedOut(self._what, timeout, last, absent=self._said or "")

    def _away(self) -> str:
        return "AWS has not answered since %s (%s)" % (minutes(self._since or 0), self._said)

    def _lines(self) -> Iterable[str]:
        if not self._evidence:
            return ()
        try:
            return self._evidence()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hide what the wait has come to
            return ["what AWS tells about it could not be read: %s" % said(error)]


def wait_for(
    what: str,
    look: Callable[[], State],
    timeout: float,
    clock: Clock | None = None,
    evidence: Callable[[], Iterable[str]] | None = None,
    tell: Callable[[Pending, float], object] | None = None,
) -> Ready:
    """Call ``look()`` until it answers Ready.

    A look during which AWS is away (``absence.absence``) is a Pending that says since when.

    :param what: what is awaited, for messages.
    :param look: callable without arguments that returns Ready, Pending or Failed. It may be asked again after it has raised.
    :param timeout: seconds; honoured to the second, but for a call that AWS does not answer.
    :param evidence: callable that returns lines (list of str) once the wait has failed.
    :param tell: callable that is given each Pending and the seconds elapsed.
    :return: the Ready.
    :raises RollbackError: at the first Failed, with the evidence; when ansible-playbook has died, whose task would go on by itself for hours.
    :raises TimedOut: at the deadline, with the last state and the evidence; ``absent`` says so when AWS was away.
    """
    clock, player = clock or Clock(), Player()
    awaited = _Awaited(what, look, evidence)
    start = asked = clock.now()
    while True:
        answer = awaited.look(clock.now() - start)
        elapsed = clock.now() - start
        if isinstance(answer, Ready):
            return answer
        if isinstance(answer, Failed):
            raise awaited.failed(answer)
        if elapsed >= timeout:
            raise awaited.late(timeout)
        if tell:
            tell(answer, elapsed)
        if answer.fresh:
            asked = clock.now()
        clock.sleep(pause(clock.now() - asked, timeout - elapsed))
        if player.gone():
            raise RollbackError(
                "The ansible-playbook that has begun this task has died, so nobody waits for %s any more." % what
            )


@contextlib.contextmanager
def late_is_fine() -> Iterator[None]:
    """Let a wait inside come to its deadline without an error, for whoever tells what is missing. AWS's absence tells nothing, so it is raised."""
    try:
        yield
    except TimedOut as late:
        if late.absent:
            raise


def once_answered(
    what: str,
    ask: Callable[[], T],
    timeout: float,
    clock: Clock | None = None,
    tell: Callable[[Pending, float], object] | None = None,
) -> T:
    """What ``ask()`` gives, as soon as AWS answers.

    :param what: as for ``wait_for``.
    :raises TimedOut: AWS is away for ``timeout`` seconds.
    """
    found: list[T] = []

    def look() -> State:
        found.append(ask())
        return Ready()

    wait_for(what, look, timeout, clock, tell=tell)
    return found[0]
