# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps the promise "down without a trace": a guard that outlives the lab's server and cleans up behind it.

Whoever of the two is killed, the other one ends what is left: the guard adopts every process of the lab (subreaper) and
removes its directory; the server gets SIGTERM from the kernel when the guard dies, and cleans up itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

PR_SET_CHILD_SUBREAPER = 36  # prctl(2), Linux 3.4

SERVER_GRACE = 15.0  # seconds that the server may take to end by itself


def children() -> list[int]:
    """Process ids whose parent this process is, adopted ones included."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                found.append(int(status.parent.name))
    return found


def end_children(grace: float) -> None:
    """SIGQUIT to every child (PostgreSQL gives back its shared memory), then SIGKILL until none is left."""
    deadline = time.monotonic() + grace
    while remaining := children():
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT if time.monotonic() < deadline else signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        time.sleep(0.02)


def remove(directory: pathlib.Path, within: float = SERVER_GRACE) -> None:
    """Remove a directory, once more when something was written into it meanwhile, for at most `within` seconds."""
    deadline = time.monotonic() + within
    while directory.exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.02)


def watch(pid: int, then: Callable[[], object]) -> None:
    """Call `then` when process `pid` is gone, however it went (pidfd_open(2), Linux 5.3)."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        then()
        return
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)

    def wait() -> None:
        poller.poll()
        then()

    threading.Thread(target=wait, daemon=True).start()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, and end it when it does not: whatever holds it up, nothing of it is to be left."""
    process.terminate()
    killer = threading.Timer(SERVER_GRACE, process.kill)
    killer.daemon = True
    killer.start()


def main(directory: pathlib.Path, claim: int, starter: int, owner: int, server: list[str]) -> int:
    """Run `server` until it ends, until SIGTERM or SIGINT, or until `owner` (0: nobody) is gone; then leave nothing.

    `starter` is `lab up`: when it is gone before the lab is ready, nobody waits for the lab any more. The server has the
    `claim` on the directory, too: it is given up when both are gone.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *server], start_new_session=True, pass_fds=[claim])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: end(process))
    watch(starter, lambda: None if (directory / "lab.json").exists() else end(process))
    if owner:
        watch(owner, lambda: end(process))
    try:
        return process.wait()
    finally:
        end_children(grace=2.0)
        remove(directory)


if __name__ == "__main__":
    taken, starter, owner = map(int, sys.argv[2:5])
    sys.exit(main(pathlib.Path(sys.argv[1]), taken, starter, owner, sys.argv[5:]))
