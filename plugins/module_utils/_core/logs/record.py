# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an event says: what wraps it is taken off, then each of its lines is read. Pure.

JSON may stand in JSON (FireLens puts a line into ``log``, others into ``message``), in a string, or behind a time; the innermost record with a
level is the application's own. A level of an outer record that is not a wrapper wins: what it says in its message is what it talks about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign_lines
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs import levels
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.access import (
    failed_request,
    is_measured_failure,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.text import (
    ACCESS,
    DOUBTFUL,
    ERROR,
    FINE,
    QUIET,
    THROWN,
    UNKNOWN,
    has_level,
    level_of_text,
    may_tell,
    of_text,
)

OPEN = "open"  # a record that begins and does not end on its line
_DEEPEST = 5  # wrappers in wrappers
_MOST_GLUED = 1000  # records on one line
_DECODER = json.JSONDecoder(strict=False)
_MESSAGES = (
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
_CUT = 2000  # characters of a record that was cut in which its level is looked for
_SCALAR = r'"(?:[^"\\]|\\.)*"|-?[\d.eE+]+|true|false|null|\{[^{}]{0,500}\}|\[[^\[\]]{0,500}\]'
_CUT_LEVEL = re.compile(
    r'\{\s*(?:"(?!(?:level|severity|levelname|lvl)")[^"\\]{1,80}"\s*:\s*(?:%s)\s*,\s*){0,20}"(?:level|severity|levelname|lvl)"\s*:\s*("[^"\\]{1,40}"|\d{1,5})'
    % _SCALAR
)
_INSPECTED = re.compile(
    r"(?:^|[{,\n])\s*['\"]?(level|severity|levelname|lvl)['\"]?:\s?(?:'([^'\n]{1,40})'|\"([^\"\n]{1,40})\"|(\d{1,5})|(\w{1,20})(?=[,\s}]))"
)
_MEMBERS = re.compile(r"(?:level|severity|levelname|lvl):\s?\w{1,20},\s")
_KEY = re.compile(r"\w{1,40}: ['\"`]")
_AN_ERROR = re.compile(
    r"\[(?:[A-Z]\w{0,80})?(?:Error|Exception)(?: \[\w{1,60}\])?[:\]]|\b(?:name|type): '[A-Z]?\w{0,80}(?:Error|Exception)'"
)
_INNER = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_PAIR = re.compile(r'([A-Za-z@_][\w.@-]*)=("(?:[^"\\]|\\.)*"|\'[^\'\n]*\'|[^\s"]*)')
_LOGFMT = re.compile(
    r"(?:^|\s)(?:level|lvl|severity|levelname|log\.level|loglevel|log_level|err|error|exception|status)="
)
_ESCAPED = re.compile(r'\{\\+"')
_BEFORE_JSON = re.compile(r"[^{\"'\n]{1,120}(?=\{\\*\")")
_CONTAINERD = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] ")
_LISTS = (
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    "logEvents",
    "records",
    "logs",
)  # of records, as collectors hand them on
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
_PLAIN = re.compile(r"(?=\D)[\w.-]{1,40}\Z(?<!\d\d)")  # a part of a path that is a name and no id
_VERSION = re.compile(r"(?:api|rest|v\d{1,3}(?:\.\d{1,3})?)\Z", re.IGNORECASE)
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


def lines_of(message: str, depth: int = 0) -> list[tuple[str, str]]:
    """[(what it is, text)] of the lines that an application wrote as one event: a record in JSON is one, whatever its length."""
    first = message[:1]
    if (
        first == "{"
        or (first == "[" and message[1:2] == "{")
        or (first in ' \t\n"' and message.lstrip()[:1] in ("{", '"'))
    ):
        found = _of_json(message, depth)
        if found is not None:
            return found
    if "\n" in message.rstrip("\n"):
        return [part for line in message.rstrip("\n").split("\n") for part in lines_of(line, depth)]
    if " std" in message[:50] and _CONTAINERD.match(message):
        return lines_of(_CONTAINERD.sub("", message, count=1), depth + 1)
    return _of_line(message.rstrip("\n"), depth)


def _of_json(message: str, depth: int) -> list[tuple[str, str]] | None:
    record = parsed(message)
    if isinstance(record, dict):
        return _of_record(record, message, depth)
    if isinstance(record, list) and depth < _DEEPEST:
        return _of_records(record, message, depth)
    if isinstance(record, str) and depth < _DEEPEST:
        return lines_of(_clean(record), depth + 1)
    if record is None and message[0] == "{":
        glued = _glued(message, depth)
        if glued is not None:
            return glued
        if "\n" not in message.rstrip():
            return [(_of_cut(message), message)]
    return None


def _glued(message: str, depth: int) -> list[tuple[str, str]] | None:
    """The same of records on one line with nothing between them, and of what stands behind the last; None where the first is none."""
    if "}{" not in message and "} {" not in message:
        return None
    found: list[tuple[str, str]] = []
    at, end = 0, len(message.rstrip())
    while at < end and message[at] == "{" and len(found) < _MOST_GLUED:
        try:
            record, stop = _DECODER.raw_decode(message, at)
        except (ValueError, RecursionError):
            break
        found += _of_record(record, message[at:stop], depth)
        at = stop + (message[stop : stop + 1] == " ")
    if found and at < end:
        found += lines_of(message[at:], depth + 1) if depth < _DEEPEST else [(UNKNOWN, message[at:])]
    return found or None


def parsed(text: str) -> Any:
    """What a text in JSON stands for, also where it is escaped once more; None for any other text."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    if _ESCAPED.match(text.lstrip()[:20]):
        try:
            return json.loads('"%s"' % text.strip(), strict=False)
        except (ValueError, RecursionError):
            return None
    return None


def _of_cut(text: str) -> str:
    """What the beginning of a record says of itself: FINE or ERROR by its level, else OPEN."""
    stripped = text.strip()
    if stripped.endswith("}"):  # it ends, and is not JSON: util.inspect writes so
        return _of_inspected(stripped)
    return OPEN


def of_block(lines: Sequence[str]) -> list[tuple[str, str]]:
    """What a record is whose lines came as several events, or which was cut: with its level, else UNKNOWN."""
    text = "\n".join(lines)
    record = parsed("".join(lines))
    if isinstance(record, dict):
        return _of_record(record, text, 0)
    cut = _CUT_LEVEL.match(text[:_CUT])
    if cut:
        error = levels.of_record({"level": json.loads(cut[1])})
        if error is not None:
            return [(ERROR if error else FINE, text)]
    return [(_of_inspected(text.strip()), text)]


def is_whole(lines: Sequence[str]) -> bool:
    """Whether the lines are a record by now."""
    return isinstance(parsed("".join(lines)), dict)


def _of_inspected(text: str) -> str:
    """The same of what Node's util.inspect wrote: members of inner objects do not count."""
    inner, once = text[1:_CUT], ""
    while once != inner and len(inner) < _CUT:
        once, inner = inner, _INNER.sub("", inner.rstrip("}"))
    found = _INSPECTED.search("{" + inner)
    if found:
        number = int(found[4]) if found[4] else None
        error = levels.of_record({found[1]: number if number is not None else found[2] or found[3] or found[5]})
        if error is not None:
            return ERROR if error else FINE
    # An object of lines has errors among its members.
    lines = [line.strip(" {}") for line in text[1:].split("\n")[:20] if line.strip(" {}")]
    kinds = {of_text(line) for line in lines} | {of_text(_KEY.sub("", line, count=1)) for line in lines}
    if _AN_ERROR.search(text[:_CUT]) or kinds & {THROWN, ERROR}:
        return THROWN
    if DOUBTFUL in kinds:
        return DOUBTFUL
    members = {found[1]: found[2] or found[3] for found in _MEMBER.finditer(text[:_CUT])}
    told = any(name in members for name in _MESSAGES)
    return DOUBTFUL if members and _sounds_bad(members, told, depth=1) else UNKNOWN


_MEMBER = re.compile(r"['\":]?([A-Za-z_]\w{0,40})['\"]?\s?(?::|=>)\s?(?:'([^'\n]{1,300})'|\"([^\"\n]{1,300})\")")


def _of_records(records: Iterable[Any], message: str, depth: int) -> list[tuple[str, str]]:
    """What a list of records is: as bad as the worst of them."""
    kinds = {kind for item in records if isinstance(item, dict) for kind, _text in _of_record(item, message, depth + 1)}
    return [
        (next((kind for kind in (ERROR, THROWN, FINE, ACCESS, DOUBTFUL, QUIET) if kind in kinds), UNKNOWN), message)
    ]


def _of_record(record: dict[str, Any], message: str, depth: int) -> list[tuple[str, str]]:
    if "_aws" in record and not any(isinstance(record.get(name), str) for name in _MESSAGES):
        return [(QUIET, message)]  # a metric in CloudWatch's embedded format; a level is one of its dimensions
    error = levels.of_record(record)
    relayed = record.get("record")
    if error is False and isinstance(relayed, dict) and "error_severity" in relayed:
        error = levels.of_record(relayed)  # PostgreSQL's jsonlog, relayed by an operator that gives all of it one level
    if error is False and (_failed_request(record, True) or _failed_line(record)):
        return [(THROWN, message)]
    wrapped = record.get("log")
    if isinstance(wrapped, str) and depth < _DEEPEST:
        found = lines_of(_clean(wrapped), depth + 1)
        if error is None or any(kind not in (UNKNOWN, DOUBTFUL, QUIET, ACCESS) for kind, _text in found):
            return found
    if error is None:
        error = levels.of_nested(record)
        if error is False and _failed_request(record, True):
            return [(THROWN, message)]
    if error is None and isinstance(record.get("s"), str) and "msg" in record:  # MongoDB
        error = levels.of_word(record["s"])
    if error is not None:
        return [(ERROR if error else FINE, message)]
    return _without_level(record, message, depth)


def _without_level(record: dict[str, Any], message: str, depth: int) -> list[tuple[str, str]]:
    for name in _LISTS:
        if isinstance(record.get(name), list) and depth < _DEEPEST:
            return _of_records(record[name], message, depth)
    found = _of_messages(record, message, depth)
    if any(kind in (ERROR, THROWN, FINE) for kind, _text in found):
        return found
    if _failed_request(record, False):
        return [(THROWN, message)]
    if _is_request(record):
        return [(ACCESS, message)]
    if _is_thrown(record):
        return [(THROWN, message)]
    known = any(kind in (DOUBTFUL, QUIET, ACCESS) for kind, _text in found)
    doubtful = not known and _sounds_bad(record, bool(found))
    return [(DOUBTFUL, message)] if doubtful else found or [(UNKNOWN, message)]


def _of_messages(record: dict[str, Any], message: str, depth: int) -> list[tuple[str, str]]:
    """What the first of a record's messages comes to that tells how it went, else the last; empty without any."""
    found: list[tuple[str, str]] = []
    for name in _MESSAGES if depth < _DEEPEST else ():
        inner = record.get(name)
        if isinstance(inner, dict):
            found = _of_record(inner, message, depth + 1)
        elif isinstance(inner, str) and inner:
            found = lines_of(_clean(inner), depth + 1)
        if any(kind in (ERROR, THROWN, FINE) for kind, _text in found):
            break
    return found


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


def _may_sound_bad(line: str) -> bool:
    """Whether anything in a line of pairs may sound so; most are told by that."""
    return may_tell(line) or _SHORT_WORDS.search(line) is not None


def _sounds_bad(record: dict[str, Any], told: bool, depth: int = 0) -> bool:
    """Whether a record without a level that is known may be an error: by what it says of how it went, by a level under a name of its own, or, where
    it has no message (``told``), by any sentence in it."""
    for name, value in list(record.items())[:_MOST_MEMBERS]:
        key = name.lower().lstrip("@_:")
        if isinstance(value, dict) and depth < 2 and key not in _OF_OTHERS:
            if _sounds_bad(value, True, depth + 1):
                return True
        elif depth and key in _MESSAGES and isinstance(value, str):
            if of_text(value[:_LONGEST_VALUE]) in (ERROR, THROWN, DOUBTFUL):
                return True
        elif isinstance(value, list) and key in ("errors", "failures"):
            if any(_is_an_error(item) for item in value[:3]):
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
        return _is_an_error(value)
    small = value[:_LONGEST_VALUE].strip().lower()
    if small in _WENT_BADLY:
        return key in _WENT or key.endswith(("_status", "_result", "_state"))
    if small in levels.ERRORS:
        return value.isupper() or key in _WENT
    if " " not in small and ":" not in small:
        return False
    return (key in _WENT or not told) and of_text(value[:_LONGEST_VALUE]) in (ERROR, THROWN, DOUBTFUL)


_MOST_MEMBERS, _LONGEST_VALUE = 40, 1000  # members of a record, characters of one of them, that are looked at


def _is_request(record: dict[str, Any]) -> bool:
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


def _failed_request(record: dict[str, Any], levelled: bool) -> dict[str, Any] | None:
    """What tells of a request that a server has answered with 5xx: a record, or the member of it that loggers put such things into; else None."""
    if _is_failed_request(record, levelled):
        return record
    span = record.get("span")  # tracing says what was asked for beside the fields of what happened
    for name in _INNER_RECORDS:
        inner = record.get(name)
        if isinstance(inner, dict) and _is_failed_request({**span, **inner} if isinstance(span, dict) else inner, True):
            return inner
    return None


def _is_failed_request(record: dict[str, Any], levelled: bool) -> bool:
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


def _failed_line(record: dict[str, Any]) -> str:
    """The message of a record where it is the line of a request that was answered with 5xx; empty for any other."""
    messages = (record[name] for name in ("message", "msg", "@message") if isinstance(record.get(name), str))
    return next((each for each in messages if is_measured_failure(each)), "")


def _is_thrown(record: dict[str, Any]) -> bool:
    """Whether a record without a level holds an error, as serializers of errors write them."""
    if any(_is_an_error(record.get(name)) for name in _THROWN) or any(
        _is_a_stack(record.get(name)) for name in _STACKS
    ):
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


_CALLED_SO = ("error", "err", "fatal", "critical", "exception")


def _is_an_error(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _NO_ERROR
    if isinstance(value, dict):
        return any(value.get(name) for name in _OF_ERRORS)
    return isinstance(value, list) and any(_is_an_error(item) for item in value)


def _is_a_stack(value: Any) -> bool:
    """Whether a member is where an error was thrown: lines, or the name of an error, and no id and no name."""
    if isinstance(value, list):
        return any(_is_a_stack(item) or _is_an_error(item) for item in value[:3])
    return isinstance(value, str) and ("\n" in value.strip() or of_text(value) in (ERROR, THROWN))


def _of_line(line: str, depth: int) -> list[tuple[str, str]]:
    if _MEMBERS.match(line):
        return [(_of_inspected("{%s}" % line), line)]
    if "=" in line and _LOGFMT.search(line):
        kind = _of_logfmt(line)
        if kind is not None:
            return [(kind, line)]
    starts = "=" in line and _PAIR.match(line) is not None
    if "{" in line and depth < _DEEPEST:
        before = _BEFORE_JSON.match(line)
        if before and line.rstrip()[-1:] == "}" and not has_level(before[0]):
            record = parsed(line[before.end() :])
            if isinstance(record, dict):
                found = _of_record(record, line[before.end() :], depth + 1)
                if any(kind in (ERROR, FINE) for kind, _text in found):
                    return found
    kind = of_text(line)
    if starts and kind == UNKNOWN and _pairs_sound_bad(line):
        kind = DOUBTFUL
    return [(kind, line)]


def _of_logfmt(line: str) -> str | None:
    """What a line of pairs is; None for a line that is none. What stands in quotes is what it talks about."""
    starts = _PAIR.match(line.lstrip()) is not None
    if not starts and has_level(line):
        return None  # a level in its place, and pairs behind it
    pairs = pairs_of(line)
    if len(pairs) < 2 and not starts:
        return None
    error = levels.of_record(pairs)
    if error is not True and _is_failed_request(pairs, error is False):
        return THROWN
    if error is None and len(pairs) > 2 and starts:
        if any(_is_an_error(pairs.get(name)) for name in ("err", "error", "exception")):
            return THROWN
        if _is_request(pairs):
            return ACCESS
    return error if error is None else ERROR if error else FINE


def _pairs_sound_bad(line: str) -> bool:
    """Whether a line of pairs without a level may be an error: what stands in quotes is what it says then."""
    pairs = pairs_of(line) if _may_sound_bad(line) else {}
    if len(pairs) < 2:
        return False
    kinds = {of_text(str(pairs[name])) for name in _MESSAGES if pairs.get(name)}
    return bool(kinds & {ERROR, THROWN, DOUBTFUL}) or _sounds_bad(pairs, bool(kinds))


def pairs_of(line: str) -> dict[str, Any]:
    """The pairs (dict) of a line in logfmt, numbers as such."""
    pairs: dict[str, Any] = {}
    for pair in _PAIR.finditer(line[:4000]):
        value = pair[2].strip("\"'")
        pairs.setdefault(pair[1].lower(), int(value) if value.isdigit() and len(value) < 7 else value)
    return pairs


def record_of(lines: Sequence[str]) -> dict[str, Any] | None:
    """The record (dict) that the lines of an error are: JSON, behind a tag or not, or pairs (logfmt); None for any other."""
    first = lines[0].lstrip()
    brace = first.find("{") if first[:1] != "{" and first.rstrip()[-1:] == "}" and _BEFORE_JSON.match(first) else 0
    if first[:1] == "{" or brace > 0:
        record = parsed("".join(lines)) if not brace else parsed(first[brace:])
        return record if isinstance(record, dict) else None
    if "=" in first and _LOGFMT.search(first) and _PAIR.match(first):
        return pairs_of(first)
    return None


def request_of(lines: Sequence[str]) -> str:
    """What a request that was answered with 5xx asked for, without what differs from one to the next; empty for any other error."""
    record = record_of(lines)
    found = _asked_for(record) if record else None if level_of_text(lines[0].lstrip()) else failed_request(lines[0])
    if found is None:
        return ""
    plain = [part for part in _named_parts(found[1]) if _PLAIN.match(part)]
    return (
        ("%s /%s" % (found[0], "/".join(plain))).strip() if found[0] or plain else "a path that the line does not name"
    )


def _named_parts(path: str) -> list[str]:
    """The parts of a path up to the second that is more than the version of an interface."""
    parts = path.partition("?")[0].split("/")[1:]
    telling = [place for place, part in enumerate(parts) if not _VERSION.match(part)][:2]
    return parts[: telling[-1] + 1] if telling else parts[:2]


def _asked_for(record: dict[str, Any]) -> tuple[str, str] | None:
    """(method, path) of a record of a request that was answered with 5xx; None for any other."""
    if levels.of_record(record):
        return None
    telling = _failed_request(record, False)
    if telling is None:
        return failed_request(_failed_line(record))
    method, path = (
        next((str(part[name]) for part in _parts(telling) for name in names if isinstance(part.get(name), str)), "")
        for names in (_METHODS, _PATHS)
    )
    return method, path


def _clean(text: str) -> str:
    """What was escaped in JSON only now is what it means: colours, and line breaks."""
    return foreign_lines(text)
