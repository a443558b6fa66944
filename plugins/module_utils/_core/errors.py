# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, said so that a tired person can act on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

REFUSALS = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
"""AWS's codes where these credentials lack a permission. Credentials that are rejected are none of these."""


class RollbackError(Exception):
    """Something that stops a rollback. The message says what happened, to what, and what to do next.

    ``evidence`` is a list of lines (str) that show why we think so: events, stopped reasons, log lines. Never a secret.
    ``result`` (dict, JSON types) is what the module returns besides, for whoever reads results and not messages.
    """

    def __init__(self, message: str, evidence: Iterable[str] = (), result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.evidence = list(evidence)
        self.result = result or {}


class BadInput(RollbackError):
    """An option names something that is not there or cannot be used; nothing has been changed.

    ``option`` is the module's option; inventories set it as ``rollback_<option>``.
    """

    def __init__(self, option: str, value: object, problem: str, cure: str = "") -> None:
        text = "rollback_%s (option %s) is '%s': %s." % (option, option, value, problem.rstrip("."))
        super().__init__(text + (" %s" % cure if cure else ""))
        self.option = option
        self.problem = problem.rstrip(".")
        self.cure = cure


class UnexpectedAnswer(RollbackError):
    """AWS answered in a way this collection does not know. It is never replaced by a default."""

    def __init__(self, operation: str, what: str) -> None:
        super().__init__(
            "AWS answered %s in a way that this collection does not know: %s. Nothing was assumed." % (operation, what)
        )


@contextlib.contextmanager
def reading(operation: str) -> Iterator[None]:
    """Inside, a key that AWS's answer to ``operation`` lacks raises UnexpectedAnswer."""
    try:
        yield
    except KeyError as missing:
        raise UnexpectedAnswer(operation, "it lacks %s" % missing.args[0]) from missing


class RefusedByAws(RollbackError):
    """AWS has refused a call that was to change something."""


class TimedOut(RollbackError):
    """A wait came to the deadline that the user set.

    ``absent`` is what was said when AWS was asked last, if it did not answer; then nobody knows how far what is awaited is.
    """

    def __init__(self, what: str, seconds: float, last: str, evidence: Iterable[str] = (), absent: str = "") -> None:
        super().__init__("%s was not done after %d s: %s." % (what, seconds, last.rstrip(".")), evidence)
        self.absent = absent


class DatabaseRefused(Exception):
    """What PostgreSQL or libpq said instead of what was asked for, in English.

    ``sqlstate`` is five characters, or None where libpq gave none.
    """

    def __init__(self, sqlstate: str | None, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message
