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
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.error_members import (
    MESSAGES,
    is_an_error,
    is_thrown,
    may_sound_bad,
    sounds_bad,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.level_in_text import has_level
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.request_record import (
    failed_answer,
    failed_line,
    is_failed_answer,
    is_request,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.text import (
    ACCESS,
    DOUBTFUL,
    ERROR,
    FINE,
    QUIET,
    THROWN,
    UNKNOWN,
    of_text,
)

OPEN = "open"  # a record that begins and does not end on its line
_DEEPEST = 5  # wrappers in wrappers
_MOST_GLUED = 1000  # records on one line
_DECODER = json.JSONDecoder(strict=False)
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
    told = any(name in members for name in MESSAGES)
    return DOUBTFUL if members and sounds_bad(members, told, depth=1) else UNKNOWN


_MEMBER = re.compile(r"['\":]?([A-Za-z_]\w{0,40})['\"]?\s?(?::|=>)\s?(?:'([^'\n]{1,300})'|\"([^\"\n]{1,300})\")")


def _of_records(records: Iterable[Any], message: str, depth: int) -> list[tuple[str, str]]:
    """What a list of records is: as bad as the worst of them."""
    kinds = {kind for item in records if isinstance(item, dict) for kind, _text in _of_record(item, message, depth + 1)}
    return [
        (next((kind for kind in (ERROR, THROWN, FINE, ACCESS, DOUBTFUL, QUIET) if kind in kinds), UNKNOWN), message)
    ]


def _of_record(record: dict[str, Any], message: str, depth: int) -> list[tuple[str, str]]:
    if "_aws" in record and not any(isinstance(record.get(name), str) for name in MESSAGES):
        return [(QUIET, message)]  # a metric in CloudWatch's embedded format; a level is one of its dimensions
    error = levels.of_record(record)
    relayed = record.get("record")
    if error is False and isinstance(relayed, dict) and "error_severity" in relayed:
        error = levels.of_record(relayed)  # PostgreSQL's jsonlog, relayed by an operator that gives all of it one level
    if error is False and (failed_answer(record, True) or failed_line(record)):
        return [(THROWN, message)]
    wrapped = record.get("log")
    if isinstance(wrapped, str) and depth < _DEEPEST:
        found = lines_of(_clean(wrapped), depth + 1)
        if error is None or any(kind not in (UNKNOWN, DOUBTFUL, QUIET, ACCESS) for kind, _text in found):
            return found
    if error is None:
        error = levels.of_nested(record)
        if error is False and failed_answer(record, True):
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
    if failed_answer(record, False):
        return [(THROWN, message)]
    if is_request(record):
        return [(ACCESS, message)]
    if is_thrown(record):
        return [(THROWN, message)]
    known = any(kind in (DOUBTFUL, QUIET, ACCESS) for kind, _text in found)
    doubtful = not known and sounds_bad(record, bool(found))
    return [(DOUBTFUL, message)] if doubtful else found or [(UNKNOWN, message)]


def _of_messages(record: dict[str, Any], message: str, depth: int) -> list[tuple[str, str]]:
    """What the first of a record's messages comes to that tells how it went, else the last; empty without any."""
    found: list[tuple[str, str]] = []
    for name in MESSAGES if depth < _DEEPEST else ():
        inner = record.get(name)
        if isinstance(inner, dict):
            found = _of_record(inner, message, depth + 1)
        elif isinstance(inner, str) and inner:
            found = lines_of(_clean(inner), depth + 1)
        if any(kind in (ERROR, THROWN, FINE) for kind, _text in found):
            break
    return found


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
    if error is not True and is_failed_answer(pairs, error is False):
        return THROWN
    if error is None and len(pairs) > 2 and starts:
        if any(is_an_error(pairs.get(name)) for name in ("err", "error", "exception")):
            return THROWN
        if is_request(pairs):
            return ACCESS
    return error if error is None else ERROR if error else FINE


def _pairs_sound_bad(line: str) -> bool:
    """Whether a line of pairs without a level may be an error: what stands in quotes is what it says then."""
    pairs = pairs_of(line) if may_sound_bad(line) else {}
    if len(pairs) < 2:
        return False
    kinds = {of_text(str(pairs[name])) for name in MESSAGES if pairs.get(name)}
    return bool(kinds & {ERROR, THROWN, DOUBTFUL}) or sounds_bad(pairs, bool(kinds))


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


def _clean(text: str) -> str:
    """What was escaped in JSON only now is what it means: colours, and line breaks."""
    return foreign_lines(text)
