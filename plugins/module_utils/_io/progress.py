# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells whoever listens how far a wait is. Nobody has to listen.

A wait that is under way is reported as one JSON object in one datagram, to the Unix socket that the environment names. The
callback ``spymeo.rollback.progress`` sets that variable in the process of ansible-playbook, and modules on a local connection
inherit it. What is reported is what ``Pending.detail`` says, which never holds a secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending

SOCKET = "SPYMEO_ROLLBACK_PROGRESS"  # the environment variable: path of the socket
LARGEST = 1024  # bytes of a datagram
LONGEST_NAME = 80  # characters of ``what`` and of ``key``, so that a datagram always has room for them


class Progress:
    """Sends to the socket that ``environment`` (a mapping, by default the process's own) names; without one, nowhere."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._path = (os.environ if environment is None else environment).get(SOCKET)

    def tell(
        self,
        what: str,
        done: float,
        total: float,
        detail: str,
        elapsed: float,
        estimate: float | None = None,
        key: str = "",
    ) -> None:
        """Send how far a wait is. Never blocks, never raises: a wait must not suffer from who watches it.

        :param what: the kind of wait, a word or two.
        :param done: how much of ``total`` (tasks, percent) is done.
        :param detail: the state, for people. Never a secret.
        :param elapsed: seconds since the wait began.
        :param estimate: seconds that are left, or None when nobody can say.
        :param key: tells apart waits of one process, such as services.
        """
        self._send(dict(what=what, key=key, done=done, total=total, detail=detail, elapsed=elapsed, estimate=estimate))

    def over(self, what: str, key: str = "") -> None:
        """Say that a wait is no longer under way, while others of the same process are."""
        self._send(dict(what=what, key=key, detail="", over=True))

    def teller(self, what: str) -> Teller:
        """A Teller: the ``tell`` that ``wait.wait_for`` takes."""
        return Teller(what, self)

    def _send(self, message: dict[str, Any]) -> None:
        if not self._path:
            return
        # Nobody listens any more, or not fast enough: the next look tells again.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(datagram(dict(message, pid=os.getpid())), self._path)


class Teller:
    """Tells one kind of wait and estimates from the speed that it has shown so far."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what = what
        self._progress = progress
        self._first: dict[str, tuple[float, float]] = {}

    def __call__(self, pending: Pending, elapsed: float) -> None:
        """Tell a Pending; ``elapsed`` in seconds."""
        self.each([("", pending.done, pending.total, pending.detail)], elapsed)

    def over(self) -> None:
        """Say that nothing of this kind is awaited any more, where the same process goes on with something else."""
        self.each([], 0)

    def each(self, waits: Iterable[tuple[str, float, float, str]], elapsed: float) -> None:
        """Tell several waits side by side, one line each; one that was reported before and is missing now is over.

        :param waits: list of (key, done, total, detail).
        :param elapsed: seconds since they began.
        """
        for key in set(self._first) - {wait[0] for wait in waits}:
            del self._first[key]
            self._progress.over(self._what, key)
        for key, done, total, detail in waits:
            first = self._first.setdefault(key, (done, elapsed))
            self._progress.tell(self._what, done, total, detail, elapsed, estimate(first, done, total, elapsed), key)


def teller(what: str) -> Teller:
    """A Teller for whoever listens to this process, such as ``wait_for(..., tell=teller("restore"))``."""
    return Progress().teller(what)


def estimate(first: tuple[float, float], done: float, total: float, elapsed: float) -> float | None:
    """Seconds that are left if it goes on as fast as since ``first`` (done, elapsed), or None while nothing has moved since."""
    done_first, elapsed_first = first
    if not done_first < done < total or elapsed <= elapsed_first:
        return None
    return (total - done) * (elapsed - elapsed_first) / (done - done_first)


def datagram(message: dict[str, Any]) -> bytes:
    """A message as at most LARGEST bytes; names and then the detail are cut to fit."""
    short = dict(message, what=message["what"][:LONGEST_NAME], key=message["key"][:LONGEST_NAME])
    beyond = len(_encoded(short)) - LARGEST
    if beyond > 0:  # a character takes a byte or more, so this is never too few
        short["detail"] = short["detail"][: max(0, len(short["detail"]) - beyond)]
    return _encoded(short)


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
