# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the members of a record without a level say of how it went: an error that was thrown, or what sounds like one. Pure."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs import levels
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.text import (
    DOUBTFUL,
    ERROR,
    THROWN,
    may_tell,
    of_text,
)

MESSAGES = (
    "message",
    "msg",
    "log",
    "@message",
    "line",
    "text",
    "body",
    "MESSAGE",
    "textPayload",
    "jsonPayload",
    "event",
    "data",
)
_THROWN = ("err", "error", "exception", "errorType", "errorMessage")
# Names under which both errors and harmless texts stand: a trace is an id, a stack is an environment. They are errors where they look like one.
_STACKS = ("trace", "stack", "stacktrace", "stack_trace", "exc_info", "@x")
_NO_ERROR = ("", "0", "none", "null", "nil", "false", "no", "undefined", "-", "ok", "[]", "{}", "n/a")
_OF_ERRORS = (
    "message",
    "msg",
    "name",
    "type",
    "stack",
    "code",
    "reason",
    "kind",
    "class",
    "detail",
    "title",
    "error",
    "errorMessage",
    "description",
)
# What a record says of how it went. Others hold what somebody has asked for, which is called as anything may be.
_WENT = frozenset((
    "status", "state", "result", "outcome", "success", "ok", "reason", "cause", "why", "failure", "details", "detail", "description", "problem", "fault",
    "error_message", "errormessage", "error_description", "errors", "result_code", "exit", "summary", "note",
))  # fmt: skip
_WENT_BADLY = frozenset((
    "failed", "failure", "fail", "failing", "error", "errored", "crashed", "aborted", "rejected", "denied", "refused", "timeout", "timed_out", "timed out",
    "unhealthy", "down", "broken", "dead",
))  # fmt: skip
_OF_OTHERS = frozenset((
    "q", "query", "search", "term", "title", "name", "subject", "path", "url", "uri", "user", "username", "user_agent", "useragent", "referer", "referrer",
    "input", "sql", "statement", "filter", "params", "args", "comment", "content", "html", "email", "from", "to", "file", "filename", "key", "id", "logger",
    "module", "class", "channel", "topic", "queue", "label", "tag", "tags", "product", "category", "type", "kind",
))  # fmt: skip
_SHORT_WORDS = re.compile(r"false|crit|alert|emerg|severe|unhealthy|down|broken|dead", re.IGNORECASE)
_MOST_MEMBERS, _LONGEST_VALUE = 40, 1000  # members of a record, characters of one of them, that are looked at
_CALLED_SO = ("error", "err", "fatal", "critical", "exception")


def may_sound_bad(line: str) -> bool:
    """Whether anything in a line of pairs may sound so; most are told by that."""
    return may_tell(line) or _SHORT_WORDS.search(line) is not None


def sounds_bad(record: dict[str, Any], told: bool, depth: int = 0) -> bool:
    """Whether a record without a level that is known may be an error: by what it says of how it went, by a level under a name of its own, or, where
    it has no message (``told``), by any sentence in it."""
    for name, value in list(record.items())[:_MOST_MEMBERS]:
        key = name.lower().lstrip("@_:")
        if isinstance(value, dict) and depth < 2 and key not in _OF_OTHERS:
            if sounds_bad(value, True, depth + 1):
                return True
        elif depth and key in MESSAGES and isinstance(value, str):
            if of_text(value[:_LONGEST_VALUE]) in (ERROR, THROWN, DOUBTFUL):
                return True
        elif isinstance(value, list) and key in ("errors", "failures"):
            if any(is_an_error(item) for item in value[:3]):
                return True
        elif _value_sounds_bad(key, value, told):
            return True
    return False


def _value_sounds_bad(key: str, value: Any, told: bool) -> bool:
    if value is False:
        return key in ("success", "ok", "succeeded", "successful")
    if not isinstance(value, str) or not value or key in _OF_OTHERS:
        return False
    if key in _THROWN:
        return is_an_error(value)
    small = value[:_LONGEST_VALUE].strip().lower()
    if small in _WENT_BADLY:
        return key in _WENT or key.endswith(("_status", "_result", "_state"))
    if small in levels.ERRORS:
        return value.isupper() or key in _WENT
    if " " not in small and ":" not in small:
        return False
    return (key in _WENT or not told) and of_text(value[:_LONGEST_VALUE]) in (ERROR, THROWN, DOUBTFUL)


def is_thrown(record: dict[str, Any]) -> bool:
    """Whether a record without a level holds an error, as serializers of errors write them."""
    if any(is_an_error(record.get(name)) for name in _THROWN) or any(_is_a_stack(record.get(name)) for name in _STACKS):
        return True
    # A level under another name; what happened may be called almost so, and what is only called so is a thing of some kind.
    called = [name for name in ("status", "type", "kind") if str(record.get(name)).lower() in _CALLED_SO]
    if called and (
        called[0] == "status"
        or any(record.get(name) for name in (*_OF_ERRORS[:2], *_OF_ERRORS[4:10]) if name not in called)
    ):
        return True
    status = record.get("statusCode")
    if isinstance(status, int) and status >= 500 and ("message" in record or "error" in record):
        return True  # a body of an error, as Nest, Fastify and Spring answer with it
    return isinstance(record.get("code"), str) and "clientVersion" in record


def is_an_error(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _NO_ERROR
    if isinstance(value, dict):
        return any(value.get(name) for name in _OF_ERRORS)
    return isinstance(value, list) and any(is_an_error(item) for item in value)


def _is_a_stack(value: Any) -> bool:
    """Whether a member is where an error was thrown: lines, or the name of an error, and no id and no name."""
    if isinstance(value, list):
        return any(_is_a_stack(item) or is_an_error(item) for item in value[:3])
    return isinstance(value, str) and ("\n" in value.strip() or of_text(value) in (ERROR, THROWN))
