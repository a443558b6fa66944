# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person is told of an exception that nobody has foreseen: one sentence with its kind, the place, and what to do next.

What an exception says may hold a value that a library could not digest, so it is cut and has no secrets (``absence.said``).
"""

from __future__ import annotations

import traceback
from types import FrameType
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets

OURS = "/spymeo/rollback/plugins/"
DETAILED = 3  # -vvv
NEXT = (
    "What was done until then stays, and a run can be gone on with by its run id. "
    "If it happens again, run with -vvv and report what that prints."
)


def unforeseen(error: BaseException, module: str) -> str:
    """The sentence.

    :param module: name of the module that has met ``error``.
    """
    calling = _calling(error)
    return "%s failed in a way that nobody has foreseen (%s) in %s%s. %s" % (
        module.rpartition(".")[2] or "The module",
        kind(error),
        _place(error),
        ", while calling %s" % calling if calling else "",
        NEXT,
    )


def kind(error: BaseException) -> str:
    """``KeyError: 'x'``."""
    name, text = type(error).__name__, said(error)
    return "%s: %s" % (name, text) if text else name


def details(error: BaseException, verbosity: int) -> dict[str, Any]:
    """What a result has besides: the lines of the traceback, for -vvv only."""
    if verbosity < DETAILED:
        return {}
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
    return dict(traceback=[without_secrets(text) for text in lines])


def _frames(error: BaseException) -> list[FrameType]:
    return [frame for frame, _line in traceback.walk_tb(error.__traceback__)]


def _place(error: BaseException) -> str:
    """The innermost function of ours that it went through."""
    ours = [frame.f_code for frame in _frames(error) if OURS in frame.f_code.co_filename]
    if not ours:
        return "a library"
    return "%s() of %s" % (ours[-1].co_name, ours[-1].co_filename.rpartition(OURS)[2])


def _calling(error: BaseException) -> str:
    """The operation of AWS that botocore was busy with, empty when it was not."""
    called = [frame.f_locals for frame in _frames(error) if frame.f_code.co_name == "_make_api_call"]
    return called[-1].get("operation_name", "") if called else ""
