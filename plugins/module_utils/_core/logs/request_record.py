# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of requests, as servers and loggers write them: whether one was answered with 5xx, and what it asked for. Pure."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs import levels
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.access import (
    failed_request,
    is_measured_failure,
)

_STATUS = frozenset((
    "status", "statusCode", "status_code", "response_status", "responseStatus", "http_status", "http_status_code", "http.status_code",
    "http.response.status_code", "DownstreamStatus", "response_code", "sc-status",
))  # fmt: skip
_REQUEST = frozenset((
    "method", "request_method", "requestMethod", "httpMethod", "http_method", "http.method", "http.request.method", "verb", "path", "url",
    "uri", "request", "requestPath", "request_uri", "requestUrl", "RequestPath", "RequestMethod", "cs-method", "http.target", "url.path",
))  # fmt: skip
_METHODS = tuple(name for name in sorted(_REQUEST) if "ethod" in name or name == "verb")
_PATHS = ("path", "url", "uri", "requestPath", "request_uri", "requestUrl", "RequestPath", "http.target", "url.path")
_TOOK = frozenset((
    "duration", "durationMs", "duration_ms", "responseTime", "response_time", "request_time", "latency", "latency_human", "elapsed",
    "elapsed_ms", "took", "Duration", "responseTimeMs", "took_ms", "time_taken", "latencyMs", "latency_ms",
))  # fmt: skip
_ANSWERS = ("res", "response", "httpRequest", "http")  # members that hold the status of an answer
_REQUESTS = ("req", "request", "httpRequest", "http")  # members that hold what was asked for
_INNER_RECORDS = (*levels.NESTED, "data")
_ABSOLUTE = re.compile(
    r"(?:[A-Z]{3,8} )?https?://\S+\Z"
)  # behind a server's own is its protocol: GET http://x/ HTTP/1.1


def is_request(record: dict[str, Any]) -> bool:
    """Whether a record tells what was asked for, and the status of the answer."""
    return not _REQUEST.isdisjoint(record) and _status_of(record) is not None


def _status_of(record: dict[str, Any]) -> int | None:
    """The status of the answer that a record tells of; None where it tells of none."""
    values = [record[name] for name in _STATUS.intersection(record)]
    for name in _ANSWERS:
        if isinstance(record.get(name), dict):
            values += [record[name][inner] for inner in _STATUS.intersection(record[name])]
    for value in values:
        if isinstance(value, str) and len(value) == 3 and value.isdigit():
            value = int(value)
        if isinstance(value, int) and 100 <= value <= 599:  # a bool is 0 or 1
            return value
    return None


def failed_answer(record: dict[str, Any], levelled: bool) -> dict[str, Any] | None:
    """What tells of a request that a server has answered with 5xx: a record, or the member of it that loggers put such things into; else None."""
    if is_failed_answer(record, levelled):
        return record
    span = record.get("span")  # tracing says what was asked for beside the fields of what happened
    for name in _INNER_RECORDS:
        inner = record.get(name)
        if isinstance(inner, dict) and is_failed_answer({**span, **inner} if isinstance(span, dict) else inner, True):
            return inner
    return None


def is_failed_answer(record: dict[str, Any], levelled: bool) -> bool:
    """Whether a record is of a request that a server has answered with 5xx. Many give all requests the level info; where there is one, only
    what says how long its answer took is such a record, for others talk of somebody else's answers."""
    if levelled and _TOOK.isdisjoint(record):
        return False
    status = _status_of(record)
    if status is None or status < 500 or _is_of_a_client(record):
        return False
    return "req" in record or "httpRequest" in record or any(_asked(part) for part in _parts(record))


def _asked(part: dict[str, Any]) -> bool:
    return not _REQUEST.isdisjoint(part)


def _parts(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A record, and what it says of the request in a member of its own."""
    return [record, *(record[name] for name in _REQUESTS if isinstance(record.get(name), dict))]


def _is_of_a_client(record: dict[str, Any]) -> bool:
    """Whether a request is one that the application has sent: a server is asked for a path. Google's httpRequest has the whole URL."""
    if "httpRequest" in record:
        return False
    asked = [part[name] for part in _parts(record) for name in (*_PATHS, "request") if isinstance(part.get(name), str)]
    return any(_ABSOLUTE.match(each) for each in asked) and not any(each.startswith("/") for each in asked)


def failed_line(record: dict[str, Any]) -> str:
    """The message of a record where it is the line of a request that was answered with 5xx; empty for any other."""
    messages = (record[name] for name in ("message", "msg", "@message") if isinstance(record.get(name), str))
    return next((each for each in messages if is_measured_failure(each)), "")


def asked_for(record: dict[str, Any]) -> tuple[str, str] | None:
    """(method, path) of a record of a request that was answered with 5xx; None for any other."""
    if levels.of_record(record):
        return None
    telling = failed_answer(record, False)
    if telling is None:
        return failed_request(failed_line(record))
    method, path = (
        next((str(part[name]) for part in _parts(telling) for name in names if isinstance(part.get(name), str)), "")
        for names in (_METHODS, _PATHS)
    )
    return method, path
