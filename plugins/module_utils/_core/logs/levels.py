# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The level of a record, in the names and spellings of the libraries that write it: whether it means an error. Pure.

Names are those of syslog, Python, pino, bunyan, winston, log4j, java.util.logging, .NET, zap, logrus, zerolog, monolog, Serilog, Postgres and
Next.js; numbers those of pino and bunyan, Python, monolog, java.util.logging, logback, GELF and OpenTelemetry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# fmt: off
ERRORS = frozenset((
    "error", "err", "erro", "eror", "erreur", "fatal", "ftl", "fata", "critical", "crit", "severe", "emerg",
    "emergency", "alert", "panic", "dpanic", "fail", "failure",
))
FINE = frozenset((
    "warn", "warning", "wrn", "warni", "info", "inf", "information", "informational", "notice", "log", "debug",
    "dbg", "dbug", "debu", "trace", "trce", "trc", "verbose", "vrb", "fine", "finer", "finest", "config", "silly",
    "http", "success", "ok", "event", "ready", "wait", "start", "query", "audit", "access", "statement", "detail",
    "hint",
))
LETTERS = {
    "e": True,
    "f": True,
    "c": True,
    "a": True,
    "i": False,
    "w": False,
    "d": False,
    "t": False,
    "v": False,
    "n": False,
}

# Keys of a record in JSON or logfmt, in small letters. Where there are several, a word says more than a number.
KEYS = frozenset((
    "level", "severity", "levelname", "level_name", "lvl", "log.level", "log_level", "loglevel", "severity_text",
    "severitytext", "error_severity", "@level", "@l", "level_value", "levelno", "severity_number", "severitynumber",
    "l", "lev", "priority",
))
# Members in which loggers put the level of a record that has none beside them: winston's metadata, loguru, tracing, Elastic's log,
# Logstash, Vector, OpenTelemetry and Docker's attributes. What a record talks about stands elsewhere.
NESTED = (
    "record", "meta", "metadata", "fields", "@fields", "log", "attributes", "attrs", "labels", "context", "extra", "payload", "properties",
)
# fmt: on
_PYTHON, _OPENTELEMETRY = ("levelno",), ("severity_number", "severitynumber")
# Beside these, as in GELF and journald, levels are those of syslog.
_SYSLOG = ("short_message", "syslog_facility", "SYSLOG_FACILITY", "facility", "PRIORITY")
_NO = ("no", "non", "none", "not", "never")
_WORD = re.compile(r"[a-z]+")
_COLOUR = re.compile(r"\x1b?\[[\d;]*m")
_NUMBER = re.compile(r"\d{1,6}\Z")
_KNOWN: dict[str, bool | None] = {}
# What else people call it, once all but letters is gone: levelStr, sev, log_severity, logging.googleapis.com/severity. A stock level is none.
_CALLED = re.compile(
    r"(?:logging)?(?:googleapiscom)?(?:log|logger|event|syslog|record|message|msg|entry)?(?:level|lvl|sev|severity)"
    r"(?:str|string|name|text|txt|label|word|code|value|num|number)?\Z"
)
_NOT_LETTERS = re.compile(r"[^a-z]+")
_NAMED: dict[str, str] = {}


def of_word(word: Any) -> bool | None:
    """Whether a level means an error: True, False, or None where it is not known. ``word`` is what a record says, of any type."""
    if isinstance(word, str):
        try:
            return _KNOWN[word]
        except KeyError:
            found = _of_text(word)
            if len(_KNOWN) < 500:  # what applications call their levels is few
                _KNOWN[word] = found
            return found
    return None


def _of_text(text: str) -> bool | None:
    small = _COLOUR.sub("", text).strip().lower()
    if len(small) == 1:
        return LETTERS.get(small)
    for word in _WORD.findall(small)[:4]:
        if word in _NO:
            return None
        if word in ERRORS:
            return True
        if word in FINE:
            return False
    return None


def of_number(key: str, number: float, record: Mapping[str, Any]) -> bool | None:
    """The same for a number under a key (in small letters) of a record (dict)."""
    if key in _PYTHON:
        return number >= 40
    if key in _OPENTELEMETRY:
        return number >= 17
    if number < 10:
        return number <= 3 if any(name in record for name in _SYSLOG) else None
    if key == "severity" and number < 25 and number % 10:  # OpenTelemetry's; pino under this name counts in tens
        return number >= 17
    least = next((least for below, least in ((100, 50), (700, 400), (10_000, 1000)) if number < below), 40_000)
    return number >= least


def _key_of(name: str) -> str:
    """A member's name in small letters where it is one of a level; else empty."""
    try:
        return _NAMED[name]
    except KeyError:
        key = name.lower()
        found = key if key in KEYS or _CALLED.match(_NOT_LETTERS.sub("", key)) else ""
        if len(_NAMED) < 2000:  # what applications call their members is few
            _NAMED[name] = found
        return found


def of_record(record: Mapping[str, Any]) -> bool | None:
    """Whether the level of a record (dict) means an error; None where it has none that is known."""
    level = record.get("level")
    found = of_word(level)
    if found is not None:
        return found
    if isinstance(level, int) and 10 <= level < 100:  # a bool is 0 or 1
        return level >= 50  # nobody else counts so
    number = None
    for name, value in record.items():
        key = _key_of(name)
        if not key:
            continue
        value = _plain(key, value)
        found = of_word(value)
        if found is not None:
            return found
        if isinstance(value, str) and _NUMBER.match(value):
            value = int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and number is None:
            number = of_number(key, value, record)
    return number


def _plain(key: str, value: Any) -> Any:
    """What a level is where loggers make an object or a list of it; None where it is no level."""
    if key == "priority" and isinstance(value, str) and not (value.isupper() or value.isdigit()):
        return None  # of a task; loggers that call a level so (log4j, journald) write it in capitals or as a number
    if isinstance(value, dict):
        return next((value[name] for name in ("name", "text", "level", "label", "value") if value.get(name)), None)
    return value[0] if isinstance(value, list) and value else value


def of_nested(record: Mapping[str, Any]) -> bool | None:
    """The same for a record that has no level itself, by those of its members that loggers put it into."""
    for name in NESTED:
        inner = record.get(name)
        found = of_record(inner) if isinstance(inner, dict) else None
        if found is not None:
            return found
    return None
