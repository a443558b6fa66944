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

from ansible_collections.spymeo.rollback.plugins.module_utils._foreign import foreign_lines
from ansible_collections.spymeo.rollback.plugins.module_utils._logs import levels
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.text import (
    ACCESS,
    ERROR,
    FINE,
    QUIET,
    THROWN,
    UNKNOWN,
    level_of_text,
    of_text,
)

OPEN = "open"  # a record that begins and does not end on its line
_DEEPEST = 5  # wrappers in wrappers
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
_THROWN = (
    "err",
    "error",
    "exception",
    "stack",
    "stacktrace",
    "stack_trace",
    "exc_info",
    "errorType",
    "errorMessage",
    "trace",
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
_INNER = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_PAIR = re.compile(r'([A-Za-z@_][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LOGFMT = re.compile(r"(?:^|\s)(?:level|lvl|severity|levelname|log\.level|loglevel|log_level)=")
_ESCAPED = re.compile(r'\{\\+"')
_BEFORE_JSON = re.compile(r"[^{\"'\n]{1,120}(?=\{\\*\")")
_CONTAINERD = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] ")
_STATUS = ("status", "statusCode", "status_code", "response_status")
_REQUEST = ("method", "request_method", "httpMethod", "path", "url", "uri", "request", "requestPath")


def lines_of(message, depth=0):
    """[(what it is, text)] of the lines that an application wrote as one event: a record in JSON is one, whatever its length."""
    first = message[:1]
    if first == "{" or (first in ' \t\n"' and message.lstrip()[:1] in ("{", '"')):
        found = _of_json(message, depth)
        if found is not None:
            return found
    if "\n" in message.rstrip("\n"):
        return [part for line in message.rstrip("\n").split("\n") for part in lines_of(line, depth)]
    if " std" in message[:50] and _CONTAINERD.match(message):
        return lines_of(_CONTAINERD.sub("", message, count=1), depth + 1)
    return _of_line(message.rstrip("\n"), depth)


def _of_json(message, depth):
    record = parsed(message)
    if isinstance(record, dict):
        return _of_record(record, message, depth)
    if isinstance(record, str) and depth < _DEEPEST:
        return lines_of(_clean(record), depth + 1)
    if record is None and message[0] == "{" and "\n" not in message.rstrip():
        return [(_of_cut(message), message)]
    return None


def parsed(text):
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


def _of_cut(text):
    """What the beginning of a record says of itself: FINE or ERROR by its level, else OPEN."""
    stripped = text.strip()
    if stripped.endswith("}"):  # it ends, and is not JSON: util.inspect writes so
        return _of_inspected(stripped)
    return OPEN


def of_block(lines):
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


def is_whole(lines):
    """Whether the lines are a record by now."""
    return isinstance(parsed("".join(lines)), dict)


def _of_inspected(text):
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
    kinds = [of_text(line.strip(" {}")) for line in text[1:].split("\n")[:20] if line.strip(" {}")]
    return THROWN if THROWN in kinds or ERROR in kinds else UNKNOWN


def _of_record(record, message, depth):
    error = levels.of_record(record)
    if error is None:  # loguru, and winston's metadata
        error = next(
            (levels.of_record(record[name]) for name in ("record", "meta") if isinstance(record.get(name), dict)), None
        )
    wrapped = record.get("log")
    if isinstance(wrapped, dict) and error is None:
        error = levels.of_record(wrapped)
    elif isinstance(wrapped, str) and depth < _DEEPEST:
        found = lines_of(_clean(wrapped), depth + 1)
        if error is None or any(kind not in (UNKNOWN, QUIET, ACCESS) for kind, _text in found):
            return found
    if error is None and isinstance(record.get("s"), str) and "msg" in record:  # MongoDB
        error = levels.of_word(record["s"])
    if error is not None:
        return [(ERROR if error else FINE, message)]
    return _without_level(record, message, depth)


def _without_level(record, message, depth):
    if "_aws" in record:
        return [(QUIET, message)]  # a metric in CloudWatch's embedded format
    found = []
    for name in _MESSAGES:
        inner = record.get(name)
        if isinstance(inner, dict) and depth < _DEEPEST:
            found = _of_record(inner, message, depth + 1)
        elif isinstance(inner, str) and inner and depth < _DEEPEST:
            found = lines_of(_clean(inner), depth + 1)
        if any(kind in (ERROR, THROWN, FINE) for kind, _text in found):
            return found
    if _is_thrown(record):
        return [(THROWN, message)]
    if any(isinstance(record.get(name), (int, str)) for name in _STATUS) and any(name in record for name in _REQUEST):
        return [(ACCESS, message)]
    return found or [(UNKNOWN, message)]


def _is_thrown(record):
    """Whether a record without a level holds an error, as serializers of errors write them."""
    for name in _THROWN:
        value = record.get(name)
        if isinstance(value, (dict, str, list)) and value:
            return True
    if levels.of_word(record.get("status")) or levels.of_word(record.get("type")):
        return True
    return isinstance(record.get("code"), str) and "clientVersion" in record


def _of_line(line, depth):
    if _MEMBERS.match(line):
        return [(_of_inspected("{%s}" % line), line)]
    if "=" in line and _LOGFMT.search(line):
        error = _of_logfmt(line)
        if error is not None:
            return [(ERROR if error else FINE, line)]
    if "{" in line and depth < _DEEPEST:
        before = _BEFORE_JSON.match(line)
        if before and line.rstrip()[-1:] == "}" and level_of_text(before[0].strip()) is None:
            record = parsed(line[before.end() :])
            if isinstance(record, dict):
                found = _of_record(record, line[before.end() :], depth + 1)
                if any(kind in (ERROR, FINE) for kind, _text in found):
                    return found
    return [(of_text(line), line)]


def _of_logfmt(line):
    """Whether the level of a line of pairs means an error; None for a line that is none. What stands in quotes is what it talks about."""
    pairs = [(pair[1].lower(), pair[2].strip('"')) for pair in _PAIR.finditer(line[:4000])]
    starts = _PAIR.match(line.lstrip()) is not None
    if len(pairs) < 2 and not starts:
        return None
    record = {}
    for key, value in pairs:
        record.setdefault(key, int(value) if value.isdigit() and len(value) < 7 else value)
    return levels.of_record(record)


def _clean(text):
    """What was escaped in JSON only now is what it means: colours, and line breaks."""
    return foreign_lines(text)
