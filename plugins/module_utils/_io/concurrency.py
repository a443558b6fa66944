# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several calls to AWS at a time."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")
SIDE_BY_SIDE = 8  # calls at a time; boto3's connection pool holds 10


def pool_of_calls() -> ThreadPoolExecutor:
    """An executor for different calls, as a context manager."""
    return ThreadPoolExecutor(SIDE_BY_SIDE)


def chunks(items: Sequence[str], size: int) -> list[list[str]]:
    """``items`` in lists of at most ``size``."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def side_by_side(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``[function(item) for item in items]``, several at a time. The first error rises once all have ended."""
    with pool_of_calls() as pool:
        return list(pool.map(function, items))


def beside(read: Callable[[], Any]) -> Future[Any]:
    """A Future of ``read()`` in a thread of its own. The process does not wait for it at its end, as it would for a pool's."""
    future: Future[Any] = Future()

    def work() -> None:
        with contextlib.suppress(Exception):
            try:
                future.set_result(read())
            finally:
                if not future.done():
                    future.set_exception(sys.exc_info()[1])

    threading.Thread(target=work, daemon=True).start()
    return future
