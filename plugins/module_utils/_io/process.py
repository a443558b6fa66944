# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that runs a command of the operator's on this machine."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.command_output import Output

LOOK = 0.05  # seconds between two looks at a process group
GRACE = 5.0  # seconds between SIGTERM and SIGKILL
LONGEST_LINE = 64 * 1024  # characters; a program that never ends its line must not fill the memory
LAST_WORDS = 2.0  # seconds for what is still in the pipe; a grandchild that left the group may hold it open for ever


def run(
    command: str,
    environment: Mapping[str, str],
    directory: str | None,
    limit: float,
    output: Output,
    tell: Callable[[float], object] | None = None,
) -> tuple[int | None, float]:
    """Run a command with ``sh -c``, in a process group of its own.

    :param environment: name → value, added to that of this process.
    :param directory: where it runs, or None for the directory of this process.
    :param limit: seconds; then the whole group is ended.
    :param output: command_output.Output, which gets its lines, of standard output and error as they come.
    :param tell: callable that is given the seconds elapsed, about once a second.
    :return: (exit code or None when it was ended, seconds).
    :raises RollbackError: it cannot be started.
    """
    return asyncio.run(_run(command, environment, directory, limit, output, tell))


class _Watcher(asyncio.SubprocessProtocol):
    """Hears of a child's output, and of its end: these are two things, because what it has left running may hold the pipe open."""

    def __init__(self, output: Output) -> None:
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.silent: asyncio.Future[None] = loop.create_future()
        self._output, self._rest = output, ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        for line in lines:
            self._output.add(line + "\n")
        while len(self._rest) > LONGEST_LINE:
            self._output.add(self._rest[:LONGEST_LINE])
            self._rest = self._rest[LONGEST_LINE:]

    def pipe_connection_lost(self, _fd: int, _exc: Exception | None) -> None:
        if self._rest:
            self._output.add(self._rest)
        self.silent.set_result(None)

    def process_exited(self) -> None:
        self.ended.set_result(None)


async def _run(
    command: str,
    environment: Mapping[str, str],
    directory: str | None,
    limit: float,
    output: Output,
    tell: Callable[[float], object] | None,
) -> tuple[int | None, float]:
    started = time.monotonic()
    transport, watcher = await _start(command, environment, directory, output)
    try:
        while not watcher.ended.done() and time.monotonic() < started + limit:
            await asyncio.wait([watcher.ended], timeout=min(1.0, started + limit - time.monotonic()))
            if tell and not watcher.ended.done():
                tell(time.monotonic() - started)
        code = transport.get_returncode()
        await _end_group(transport.get_pid())  # also what a command that has ended left running in the background
        seconds = time.monotonic() - started
        await asyncio.wait([watcher.ended, watcher.silent], timeout=LAST_WORDS)
        return code, seconds
    finally:
        transport.close()


async def _start(
    command: str, environment: Mapping[str, str], directory: str | None, output: Output
) -> tuple[asyncio.SubprocessTransport, _Watcher]:
    """Ansible's run_command has no time limit, and gives the output only at the end."""
    try:
        return await asyncio.get_running_loop().subprocess_exec(
            lambda: _Watcher(output),
            "/bin/sh",
            "-c",
            command,
            cwd=directory or None,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise RollbackError(
            "The end-to-end tests could not be started in %s (%s)." % (directory or os.getcwd(), error.strerror)
        ) from error


async def _end_group(group: int) -> None:
    """End what is left of the process group: politely, and after a while for certain."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            await asyncio.sleep(
                LOOK
            )  # in which a child that has ended is waited for: a zombie would keep the group alive
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)
