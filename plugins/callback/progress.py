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
  - Elsewhere, such as in an AWX job or a pipe, a plain line is printed when something has changed.
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
author:
  - SPYMEO (@spymeo)
"""

import atexit
import contextlib
import os
import select
import shutil
import socket
import sys
import tempfile
import threading
import time

from ansible.plugins.callback import CallbackBase
from ansible_collections.spymeo.rollback.plugins.module_utils._progress import LARGEST, SOCKET
from ansible_collections.spymeo.rollback.plugins.plugin_utils._waits import (
    Over,
    Printed,
    block,
    due_in,
    line,
    read,
    redrawn,
)

REDRAW = 1.0  # seconds


class PlainLines:
    """Prints a line when something has changed, and not too often."""

    def __init__(self, display, interval):
        self._display = display
        self._interval = interval
        self._printed = {}

    def show(self, waits, now):
        """Print what is due. Returns the seconds until more is, None when only news can bring more."""
        self._printed = {name: last for name, last in self._printed.items() if name in waits}
        later = []
        for name, wait in waits.items():
            seconds = due_in(wait, self._printed.get(name), self._interval, now)
            if seconds == 0:
                self._printed[name] = Printed(wait.news, now)
                self._display.display(line(wait, now))
                sys.stdout.flush()  # a pipe is buffered, and these lines are for now
            elif seconds is not None:
                later.append(seconds)
        return min(later, default=None)

    def close(self):
        """Nothing is left on the screen to be taken away."""


class LivingLines:
    """Redraws a block of lines below all other output, which goes through ``display.display``: the block steps aside for it."""

    def __init__(self, display, lock):
        self._display = display
        self._write = display.display
        self._lock = lock
        self._pid = os.getpid()
        self._height = 0
        # Our hooks come after those of the callback that prints, too late to step aside.
        display.display = self._step_aside

    def show(self, waits, now):
        """Draw. Returns the seconds until the next time, None when nothing is awaited."""
        size = shutil.get_terminal_size()
        self._draw(block([line(wait, now) for wait in waits.values()], size.columns, size.lines))
        return REDRAW if waits else None

    def close(self):
        """Take the block away and the way out as it was."""
        self._draw([])
        del self._display.display

    def _draw(self, lines):
        if lines or self._height:
            self._write(redrawn(self._height, lines), screen_only=True, newline=False)
            sys.stdout.flush()
            self._height = len(lines)

    def _step_aside(self, *args, **kwargs):
        if os.getpid() != self._pid:  # a worker: it hands its words to our process, and may not wait for a lock of ours
            return self._write(*args, **kwargs)
        with self._lock:
            self._draw([])
            return self._write(*args, **kwargs)


class CallbackModule(CallbackBase):
    """Listens while plays run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "spymeo.rollback.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._lock = threading.RLock()
        self._waits = {}
        self._socket = None
        self._lines = None
        self._directory = None
        self._pid = None

    def v2_playbook_on_start(self, _playbook):
        """Open the socket, unless an earlier playbook of the same command has."""
        if not self.get_option("enabled"):
            self.disabled = True
        elif self._socket is None:
            try:
                self._open()
            except OSError as error:
                self.disabled = True
                self._display.warning("Progress cannot be shown: %s" % error)

    def v2_runner_on_ok(self, _result):
        self._show()

    def v2_runner_on_failed(self, _result, **_options):
        self._show()

    def v2_runner_on_unreachable(self, _result):
        self._show()

    def v2_playbook_on_stats(self, _stats):
        """The last that a callback hears."""
        self._close()

    def _open(self):
        """Raises OSError, such as for a path that is too long for a socket."""
        self._directory, self._socket = private_socket()
        self._pid = os.getpid()
        atexit.register(self._close)
        living = redraws(sys.stdout.isatty(), os.environ)
        self._lines = (
            LivingLines(self._display, self._lock) if living else PlainLines(self._display, self.get_option("interval"))
        )
        os.environ[SOCKET] = self._socket.getsockname()
        threading.Thread(target=self._listen, args=(self._socket,), name="spymeo-progress", daemon=True).start()

    def _close(self):
        """Stop listening and leave nothing behind. Workers are forks of this process, and must not."""
        if self._socket is None or os.getpid() != self._pid:
            return
        atexit.unregister(self._close)
        listening, self._socket = self._socket, None
        # The thread wakes by a datagram; if this one cannot be sent, the thread is awake or has ended.
        with contextlib.suppress(OSError):
            listening.sendto(b"", os.environ.pop(SOCKET))
        shutil.rmtree(self._directory)
        with self._lock:
            self._waits.clear()
            self._lines.close()

    def _listen(self, listening):
        """The thread: hear what is told and show it, until closed."""
        pause = None
        # When stdout is gone, whoever prints next tells; there is nothing to show progress on.
        with listening, contextlib.suppress(OSError):
            while self._socket is listening:
                if select.select([listening], [], [], pause)[0]:
                    self._hear(listening.recv(LARGEST))
                pause = self._show()

    def _hear(self, datagram):
        told = read(datagram, time.monotonic())
        with self._lock:
            if isinstance(told, Over):
                self._waits.pop(told.id, None)
            elif told is not None:
                self._waits[told.id] = told

    def _show(self):
        """Show the waits whose module still runs. Returns the seconds until the next time, or None."""
        with self._lock:
            if self._socket is None:
                return None
            self._waits = {name: wait for name, wait in self._waits.items() if runs(wait.pid)}
            return self._lines.show(self._waits, time.monotonic())


def private_socket():
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


def redraws(is_terminal, environment):
    """Whether lines can be redrawn: ansible-runner, and so AWX, brings a terminal that nobody looks at."""
    return is_terminal and environment.get("TERM") != "dumb" and "AWX_ISOLATED_DATA_DIR" not in environment


def runs(pid):
    """Whether there is a process of this id. A module that was killed cannot say that its wait is over."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs as somebody else
        return True
    return True
