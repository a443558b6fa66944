# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client that dies at a writing call, or never hears what became of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

BEFORE, AFTER, UNHEARD, DROPPED = "before", "after", "unheard", "dropped"


@dataclasses.dataclass
class Interruption:
    """What is to happen at a writing call, once.

    - `before`: the process dies, and the call is not carried out.
    - `after`: the call is carried out and answered, then the process dies.
    - `unheard`: the call is carried out, then the process dies, without an answer.
    - `dropped`: the call is carried out, the connection breaks instead of an answer, and the process lives.
    """

    when: str
    pid: int  # of the process that dies, and all that it has started
    left: int  # so many calls from now
    operation: str  # empty: any

    def kill(self) -> None:
        """SIGKILL for the process and everything below it, as AWX cancels a job: workers of ansible-playbook have sessions of their own."""
        for pid in [self.pid, *_below(self.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Interruptions:
    """Those that are to come, and the operations at which one has happened."""

    def __init__(self) -> None:
        self._coming: list[Interruption] = []
        self._happened: list[str] = []
        self._turn = threading.Lock()

    def add(self, when: str, pid: int = 0, call: int = 1, operation: str = "") -> None:
        """Let it happen at the writing call number `call` from now (of `operation`, if one is named)."""
        if when not in (BEFORE, AFTER, UNHEARD, DROPPED):
            raise ValueError(f"no interruption is called {when!r}")
        with self._turn:
            self._coming.append(Interruption(when, pid, call, operation))

    def clear(self) -> dict[str, Any]:
        """Forget those that are to come; tell at which operations they have happened since the last time."""
        with self._turn:
            happened, self._happened, self._coming = self._happened, [], []
        return {"happened_at": happened}

    def due(self, operation: str) -> Interruption | None:
        """Count a writing call; what is to happen at it."""
        with self._turn:
            for interruption in self._coming:
                if interruption.operation in ("", operation):
                    interruption.left -= 1
                    if interruption.left == 0:
                        self._coming.remove(interruption)
                        self._happened.append(operation)
                        return interruption
        return None


def hang_up(environ: dict[str, Any]) -> None:
    """Break the connection of a request, so that its answer goes nowhere."""
    with contextlib.suppress(OSError):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)


def _below(pid: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it is gone
        return
    for child in children:
        yield child
        yield from _below(child)
