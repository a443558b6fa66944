# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real processes: ECS tasks and PostgreSQL servers, each on a loopback address of its own, none of which outlives the lab."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import signal
import socket
import subprocess

NOBODY = 65534  # PostgreSQL refuses to run as root; every system has this user


class Addresses:
    """Loopback addresses 127.x.N.y of this lab's own, so that every task may listen on 8080 and every database on 5432.

    The claim on N is a listening socket: the kernel gives it to one lab only and takes it back when the lab dies.
    """

    CLAIM_PORT = 47911

    def __init__(self) -> None:
        self._used = 0
        for block in range(1, 250):
            claim = socket.socket()
            try:
                claim.bind((f"127.64.{block}.1", self.CLAIM_PORT))
                claim.listen(1)
            except OSError:
                claim.close()
                continue
            self._claim, self.block = claim, block
            return
        raise RuntimeError("no free block of loopback addresses in 127.64.0.0/16: 249 labs are running")

    def new(self) -> str:
        """An address nobody of this lab uses: 15,000 are handed out in turn before one is met again."""
        self._used = (self._used + 1) % (62 * 250)
        return f"127.{65 + self._used // 250}.{self.block}.{self._used % 250 + 2}"

    def close(self) -> None:
        """Give the block back."""
        self._claim.close()


class Processes:
    """Starts processes that die with the lab and are killed as a group."""

    def __init__(self) -> None:
        # PR_SET_PDEATHSIG fires when the *thread* that started the child ends (man 2 prctl), so one thread that lives
        # as long as the lab starts them all.
        self._spawner = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(
        self,
        argv: list[str],
        *,
        env: dict[str, str],
        cwd: pathlib.Path,
        log: pathlib.Path,
        as_nobody: bool = False,
        death_signal: str = "KILL",
    ) -> subprocess.Popen[bytes]:
        """Start `argv` in a process group of its own, output appended to `log`; `death_signal` is sent when the lab dies."""
        wrapper = [
            shutil.which("setpriv") or "setpriv",
            "--pdeathsig",
            death_signal,
            *(demotion() if as_nobody else []),
        ]
        return self._spawner.submit(self._spawn, wrapper + argv, env, cwd, log).result()

    def _spawn(
        self, argv: list[str], env: dict[str, str], cwd: pathlib.Path, log: pathlib.Path
    ) -> subprocess.Popen[bytes]:
        with open(log, "ab") as output:
            process = subprocess.Popen(
                argv,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running = {p for p in self._running if p.poll() is None} | {process}
        return process

    def kill_all(self) -> None:
        """End every process group that is still there: SIGQUIT first, so that PostgreSQL gives back its shared memory."""
        self._spawner.shutdown()  # first: what a thread of the lab started during the rest would be in nobody's list
        for process in list(self._running):
            send(process, signal.SIGQUIT)
        for process in list(self._running):
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                send(process, signal.SIGKILL)
                process.wait()


def demotion() -> list[str]:
    """setpriv's options for what refuses to run as root; none for another user.

    The process becomes `nobody` and keeps one right of root's, to pass any folder and to read any file (capabilities(7)):
    the clone, its virtual environment and its Python may lie where nobody but root may look. Without the secure bit
    access(2), by which PostgreSQL looks for its programs, would not know of that.
    """
    if os.geteuid() != 0:
        return []
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return [*user, "--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def send(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process's whole group; nothing happens when it is gone already."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
