# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only room that runs a command of the operator's on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
LAST_WORDS = 2.0  # seconds for what is still in the pipe; a grandchild that left the group may hold it open for ever


def run(command, environment, directory, limit, output, tell=None):
    """Run a command with ``sh -c``, in a process group of its own.

    :param environment: name → value, added to that of this process.
    :param directory: where it runs, or None for the directory of this process.
    :param limit: seconds; then the whole group is ended.
    :param output: output.Output, which gets its lines, of standard output and error as they come.
    :param tell: callable that is given the seconds elapsed, about once a second.
    :return: (exit code or None when it was ended, seconds).
    :raises RollbackError: it cannot be started.
    """
    started = time.monotonic()
    process = _start(command, environment, directory)
    reader = threading.Thread(target=_copy, args=(process.stdout, output), daemon=True)
    reader.start()
    try:
        code = _wait(process, started + limit, lambda: tell and tell(time.monotonic() - started))
    finally:
        _end_group(process)  # also what a command that has ended left running in the background
    seconds = time.monotonic() - started
    reader.join(LAST_WORDS)
    return code, seconds


def _start(command, environment, directory):
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=directory or None,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise RollbackError(
            "The end-to-end tests could not be started in %s (%s)." % (directory or os.getcwd(), error.strerror)
        ) from error


def _copy(stream, output):
    for line in stream:
        output.add(line)


def _wait(process, deadline, tell):
    """The exit code, or None at the deadline."""
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        try:
            return process.wait(min(1.0, remaining))
        except subprocess.TimeoutExpired:
            tell()


def _end_group(process):
    """End what is left of the process group: politely, and after a while for certain."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            process.poll()  # a zombie would keep the group alive
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
