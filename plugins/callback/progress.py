# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: aggregate
version_added: 0.1.0
short_description: Show how far a wait is
description:
  - Shows what modules of this collection wait for (snapshots, restores, deployments) while they wait.
  - On a terminal, one living line for each wait is redrawn every second, below all other output, and goes when the wait is over.
  - Elsewhere, such as in an AWX job or a pipe, a plain line is printed when something has changed, and otherwise once in a while,
    also of a task that tells nothing. Jobs that are silent for long are ended by AWX, GitLab and CircleCI.
  - When ansible-playbook is ended by Ctrl-C, SIGTERM or SIGHUP while a run is under way, it says which run that is, and prints the
    command that goes on with it. SIGKILL leaves nobody to say anything.
  - Nothing depends on this callback. Only modules on a local connection are heard.
requirements:
  - To be named in C(callbacks_enabled) of ansible.cfg, or in E(ANSIBLE_CALLBACKS_ENABLED).
options:
  enabled:
    description: Whether to show anything.
    type: bool
    default: true
    env:
      - name: SPYMEO_ROLLBACK_PROGRESS_ENABLED
    ini:
      - section: callback_spymeo_rollback_progress
        key: enabled
  interval:
    description: Where there is no terminal, the seconds between two lines of one wait, at least.
    type: float
    default: 5
    env:
      - name: SPYMEO_ROLLBACK_PROGRESS_INTERVAL
    ini:
      - section: callback_spymeo_rollback_progress
        key: interval
  heartbeat:
    description: Where there is no terminal, the seconds after which something is printed even though nothing has changed.
    type: float
    default: 60
    env:
      - name: SPYMEO_ROLLBACK_PROGRESS_HEARTBEAT
    ini:
      - section: callback_spymeo_rollback_progress
        key: heartbeat
author:
  - SPYMEO (@spymeo)
"""

import atexit
import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Optional, Union

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import LARGEST, SOCKET
from ansible_collections.spymeo.rollback.plugins.plugin_utils import _stopped
from ansible_collections.spymeo.rollback.plugins.plugin_utils._command import command
from ansible_collections.spymeo.rollback.plugins.plugin_utils._waits import (
    Over,
    Printed,
    Task,
    block,
    due_in,
    read_datagram,
    redrawn,
    task_due_in,
    task_line,
    usual,
    wait_line,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.plugin_utils._waits import Wait

WaitId = tuple[int, str, str]
Handler = Union[Callable[[int, Optional[FrameType]], Any], int]  # of a signal

REDRAW = 1.0  # seconds
SILENT = 5.0  # seconds after which a task that tells nothing has a living line
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PlainLines:
    """Prints a line when something has changed, not too often and not too seldom."""

    def __init__(self, display: Any, interval: float, heartbeat: float) -> None:
        self._display = display
        self._interval = interval
        self._heartbeat = heartbeat
        self._printed: dict[WaitId, Printed] = {}
        self._last: float | None = None

    def show(
        self,
        waits: Mapping[WaitId, Wait],
        now: float,
        task: Task | None = None,
        expected: Mapping[str, float] | None = None,
    ) -> float | None:
        """Print what is due of ``waits`` and of the Task that is under way. Returns the seconds until more is, None when only news can bring more."""
        self._printed = {name: last for name, last in self._printed.items() if name in waits}
        later = []
        for name, wait in waits.items():
            later.append(due_in(wait, self._printed.get(name), self._interval, self._heartbeat, now))
            if not later[-1]:
                self._printed[name] = Printed(wait.news, now)
                later[-1] = self._heartbeat
                self._print(wait_line(wait, now, (expected or {}).get(wait.what)), now)
        if task:
            later.append(task_due_in(task, self._last, self._heartbeat, now))
            if not later[-1]:
                later[-1] = self._heartbeat
                self._print(task_line(task, now), now)
        return min(later, default=None)

    def _print(self, text: str, now: float) -> None:
        self._last = now
        self._display.display(text)
        sys.stdout.flush()  # a pipe is buffered, and these lines are for now

    def close(self) -> None:
        """Nothing is left on the screen to be taken away."""

    def erased(self) -> str:
        """What takes away what is on the screen of us."""
        return ""


class LivingLines:
    """Redraws a block of lines below all other output, which goes through ``display.display``: the block steps aside for it."""

    def __init__(self, display: Any, lock: contextlib.AbstractContextManager[Any]) -> None:
        self._display = display
        self._write = display.display
        self._lock = lock
        self._pid = os.getpid()
        self._height = 0
        # Our hooks come after those of the callback that prints, too late to step aside.
        display.display = self._step_aside

    def show(
        self,
        waits: Mapping[WaitId, Wait],
        now: float,
        task: Task | None = None,
        expected: Mapping[str, float] | None = None,
    ) -> float | None:
        """Draw ``waits``, or the Task that is under way and tells none. Returns the seconds until the next time, None when nothing is awaited."""
        size = shutil.get_terminal_size()
        lines = [wait_line(wait, now, (expected or {}).get(wait.what)) for wait in waits.values()]
        if task and not lines and now - task.since >= SILENT:
            lines = [task_line(task, now)]
        self._draw(block(lines, size.columns, size.lines))
        return REDRAW if waits or task else None

    def close(self) -> None:
        """Take the block away and the way out as it was."""
        self._draw([])
        del self._display.display

    def erased(self) -> str:
        """What takes the block away, for who cannot wait for a lock."""
        height, self._height = self._height, 0
        return redrawn(height, [])

    def _draw(self, lines: Sequence[str]) -> None:
        if lines or self._height:
            self._write(redrawn(self._height, lines), screen_only=True, newline=False)
            sys.stdout.flush()
            self._height = len(lines)

    def _step_aside(self, *args: Any, **kwargs: Any) -> Any:
        if os.getpid() != self._pid:  # a worker: it hands its words to our process, and may not wait for a lock of ours
            return self._write(*args, **kwargs)
        with self._lock:
            self._draw([])
            return self._write(*args, **kwargs)


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Listens while plays run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "spymeo.rollback.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._waits: dict[WaitId, Wait] = {}
        self._socket: socket.socket | None = None
        self._lines: PlainLines | LivingLines | None = None
        self._directory: str | None = None
        self._pid: int | None = None
        self._task: Task | None = None
        self._runs: Mapping[str, _stopped.Run] = {}
        self._expected: dict[str, float] = {}
        self._signalled = False
        self._before: dict[int, Handler] = {}  # what was to happen at a signal before we came: number → handler

    def v2_playbook_on_start(self, _playbook: Any) -> None:
        """Open the socket, unless an earlier playbook of the same command has."""
        if not self.get_option("enabled"):
            self.disabled = True
        elif self._socket is None:
            try:
                self._open()
            except OSError as error:
                self.disabled = True
                self._display.warning("Progress cannot be shown: %s" % error)

    def v2_playbook_on_task_start(self, task: Any, **_how: Any) -> None:
        self._begins(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._begins(task)

    def v2_playbook_on_cleanup_task_start(self, task: Any) -> None:
        self._begins(task)

    def _begins(self, task: Any) -> None:
        with self._lock:
            self._task = Task(task.get_name(), time.monotonic())

    def v2_runner_on_ok(self, result: Any) -> None:
        with self._lock:
            self._runs = _stopped.heard(self._runs, result.host.get_name(), result.task.action, result.result)
            self._expected.update(usual(result.result))
        self._show()

    def v2_runner_on_failed(self, _result: Any, **_options: Any) -> None:
        self._show()

    def v2_runner_on_unreachable(self, _result: Any) -> None:
        self._show()

    def v2_playbook_on_stats(self, _stats: Any) -> None:
        """The last that a callback hears."""
        self._close()

    def _open(self) -> None:
        """Raises OSError, such as for a path that is too long for a socket."""
        self._directory, self._socket = private_socket()
        self._pid = os.getpid()
        atexit.register(self._close)
        if redraws(sys.stdout.isatty(), os.environ):
            self._lines = LivingLines(self._display, self._lock)
        else:
            self._lines = PlainLines(self._display, self.get_option("interval"), self.get_option("heartbeat"))
        self._listen_to_signals()
        os.environ[SOCKET] = self._socket.getsockname()
        threading.Thread(target=self._listen, args=(self._socket,), name="spymeo-progress", daemon=True).start()

    def _close(self) -> None:
        """Stop listening and leave nothing behind. Workers are forks of this process, and must not."""
        if self._socket is None or self._directory is None or os.getpid() != self._pid:
            return
        atexit.unregister(self._close)
        listening, self._socket = self._socket, None
        # The thread wakes by a datagram; if this one cannot be sent, the thread is awake or has ended.
        with contextlib.suppress(OSError):
            listening.sendto(b"", os.environ.pop(SOCKET))
        shutil.rmtree(self._directory)
        with self._lock:
            self._waits.clear()
            if self._lines:
                self._lines.close()
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._ended:
                signal.signal(number, handler)
        self._before = {}

    def _listen_to_signals(self) -> None:
        """Hear of what ends ansible-playbook, before Ansible's own handlers do. What is ignored (nohup) stays so."""
        for number in ENDING:
            handler = signal.getsignal(number)
            if handler not in (None, signal.SIG_IGN):
                self._before[number] = handler
                signal.signal(number, self._ended)

    def _ended(self, number: int, frame: FrameType | None) -> None:
        """Say what is left, and have happen what would have happened without us: Ansible's handler, or the end of this process.

        The signal may have come in the middle of anything, so no lock is waited for, and the text goes past Display. A worker is a fork
        of this process, which has these handlers until it has set its own.
        """
        handler = self._before.get(number, signal.SIG_DFL)
        if os.getpid() == self._pid:
            self._signalled = True
            lines = self._left(signal.Signals(number).name)
            if lines:
                say("\n".join([self._lines.erased() if self._lines else "", *lines, ""]))
            if number != signal.SIGINT and self._directory:  # after the others nothing of ours is called any more
                shutil.rmtree(self._directory, ignore_errors=True)
        if callable(handler):
            handler(number, frame)
            return
        signal.signal(number, handler)
        os.kill(os.getpid(), number)

    def _left(self, name: str) -> list[str]:
        directory = os.getcwd()

        def resumed(run_id: str | None, host: str | None) -> str:
            variables = [("rollback_run_id", run_id)] if run_id else []
            return command(context.CLIARGS, directory, variables=variables, limit=host)

        task = self._task.name if self._task else ""
        return _stopped.stopped(name, self._runs, task, resumed, os.environ)

    def _listen(self, listening: socket.socket) -> None:
        """The thread: hear what is reported and show it, until closed."""
        pause = None
        # When stdout is gone, whoever prints next tells; there is nothing to show progress on.
        with listening, contextlib.suppress(OSError):
            while self._socket is listening:
                # A task that begins does not wake us, so we look in time.
                if select.select([listening], [], [], REDRAW if pause is None else min(pause, REDRAW))[0]:
                    self._hear(listening.recv(LARGEST))
                pause = self._show()

    def _hear(self, datagram: bytes) -> None:
        told = read_datagram(datagram, time.monotonic())
        with self._lock:
            if isinstance(told, Over):
                self._waits.pop(told.id, None)
            elif told is not None:
                self._waits[told.id] = told

    def _show(self) -> float | None:
        """Show the waits whose module still runs. Returns the seconds until the next time, or None."""
        with self._lock:
            if self._socket is None or self._lines is None or self._signalled:
                return None
            self._waits = {name: wait for name, wait in self._waits.items() if runs(wait.pid)}
            return self._lines.show(self._waits, time.monotonic(), self._task, self._expected)


def private_socket() -> tuple[str, socket.socket]:
    """A new directory that only we may enter, and a socket bound in it. Raises OSError, and leaves no directory then."""
    directory = tempfile.mkdtemp(prefix="spymeo-progress-")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        listening.bind(os.path.join(directory, "socket"))
    except OSError:
        listening.close()
        shutil.rmtree(directory)
        raise
    listening.setblocking(False)
    return directory, listening


def say(text: str) -> None:
    """Write to this process's standard output at once, whatever is half written in its buffers; if it is gone, to nobody."""
    left = text.encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        while left:
            left = left[os.write(1, left) :]


def redraws(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether lines can be redrawn: ansible-runner, and so AWX, brings a terminal that nobody looks at."""
    return is_terminal and environment.get("TERM") != "dumb" and "AWX_ISOLATED_DATA_DIR" not in environment


def runs(pid: int) -> bool:
    """Whether there is a process of this id. A module that was killed cannot say that its wait is over."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs as somebody else
        return True
    return True
