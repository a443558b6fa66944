# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the ansible-playbook that has begun this task is still there. Linux; elsewhere it always is.

ansible-playbook may be killed while a module waits for a restore. The module goes on then, since the worker process that has started
it leads a process group of its own (ansible-core 2.19), but nobody hears of it any more. The worker's parent is the ansible-playbook.
"""

from __future__ import annotations

import os

RUNNING, STOPPED, GONE = "running", "stopped", "gone"
_STATE, _PARENT, _BEGAN = 0, 1, 19  # in /proc/PID/stat, behind the name: fields 3, 4 and 22 of proc(5)


class Player:
    """The play of this process, as it was when this was made. ``process`` is the Process, or None where that cannot be told."""

    def __init__(self) -> None:
        self._worker = os.getpgid(0)
        self._play = _parent_of(self._worker)
        self.process = Process(self._play) if self._play else None

    def gone(self) -> bool:
        """Whether it has died since."""
        return self._play is not None and _parent_of(self._worker) != self._play


class Process:
    """A process, told from a later one of the same id by the time at which it began."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._began = self._look()[1]

    def state(self) -> str:
        """RUNNING, STOPPED (by SIGSTOP, or by Ctrl-Z) or GONE; a zombie has gone."""
        letter, began = self._look()
        if letter in (None, "Z", "X") or began != self._began:
            return GONE
        return STOPPED if letter == "T" else RUNNING

    def _look(self) -> tuple[str, bytes] | tuple[None, None]:
        fields = _stat(self.pid)
        return (fields[_STATE].decode(), fields[_BEGAN]) if fields else (None, None)


def _parent_of(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[_PARENT]) if fields else None


def _stat(pid: int) -> list[bytes] | None:
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rpartition(b")")[2].split()  # the name before it may hold spaces and brackets
    except OSError:
        return None
