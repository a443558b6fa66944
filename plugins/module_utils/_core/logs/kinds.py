# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which errors are the same, how many there are of each kind, and whether a kind is more frequent than before. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.level_in_text import TIME, has_level
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.record import record_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.request_name import request_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.sounds import sounds_like_an_error
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import ErrorGroup
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event, Stream

MOST_KINDS = 1000  # that are kept; errors of further kinds are counted together
MANY = "errors of further kinds"
_PRISMA_CODE = re.compile(r"\bP[1-6]\d{3}\b")
_OF_PRISMA = re.compile(r"prisma|Invalid `|Can't reach database server|database schema", re.IGNORECASE)
# A code in its place; the order P2022 is none.
_CODED = re.compile(
    r"(?:code\\{0,4}[\"'`]?\s?[:=]\s?\\{0,4}[\"'`]?|error:? |^\W*|: (?=P\d{4}\W*$))(P[1-6]\d{3})\b",
    re.IGNORECASE | re.MULTILINE,
)
_UNREACHABLE = re.compile(r"Can't reach database server at `([^`\n]{1,255})`(?::`(\d+)`)?")
_MOST_ADDRESSES = 20
_LONGEST_EXAMPLE, _LONGEST_FINGERPRINT = 1000, 300  # characters
_LOOKED_AT = 4000  # characters of an error in which secrets and what varies are looked for
_TELLING_LINES = 4
_FRAME = re.compile(r"\s*(?:at |File \"|\^+\s*$|\.\.\. \d+ more|#\d+ |from \S+:\d+|~+)|\s+\S+:\d+(?::\d+)?\)?$")

# A kind that was there before is new by its rate: this many, that many times as frequent, and less probable by chance than this. One request
# that fails is reported up to four times: it is tried again three times by default (AWS's SDKs, axios-retry, got and others), and then given up.
_LEAST, _TIMES, _CHANCE = 5, 3.0, 0.001
_DOUBTED = (
    3  # as few may be one request, or the beginning of more; where they are improbable they are reported as a doubt
)

# What varies from one error to the next of its kind. What is named `keep` tells kinds apart: codes, and names of members, modules, columns and the like.
_KEPT = (
    r"reading|setting|property|properties|attribute|argument|field|column|relation|table|index|constraint|function|operator|type|schema|role|database"
    r"|sequence|view|extension|module|package|export|named|import name|variable|method|key|parameter|KeyError:|NameError: name|has no attribute"
    r"|component|provider"
)
# What programs run under names of their own; a number in one is the number of a run.
_RUN = r"job|queue|worker|command|handler|operation|plugin|migration|template|mutation|resolver|cron"
_VARIES = re.compile(
    r"(?P<keep>\b(?:%s) ['\"`](?=[A-Za-z_$@./])[\w$@./ -]{1,80}['\"`](?=[\s),.:;\]}|]|$)"
    r"|\b(?:%s) ['\"`][A-Za-z_$@./:-]{2,60}['\"`](?=[\s),.:;\]}|]|$)"
    r"|['\"`][A-Za-z_$][\w$.-]{0,80}['\"`](?= (?:is (?:no|not an?|an unknown) )?(?:%s)\b)"
    r"|(?:\b(?:status|code|SQLSTATE|errno|signal)\b(?: code)?|\bHTTP|\bhttp)[\"']?[ :=\[(]{1,3}[\"']?[0-9A-Z]{3,5}\b"
    # a class of SQLSTATE, and its code
    r"|(?i:\berror |\bexception |\bstate )(?:0[0-9A-Z]|2[0-9A-F]|3[489BDF]|4[024]|5[3-8]|F0|HV|P0|XX)[0-9A-Z]{3}(?![\w.-]))"
    r"|(?P<time>%s)"
    r"|(?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b(?:c[a-z0-9]{24}|[0-9a-fA-F]{12,})\b)"
    r"|(?P<text>'(?!P\d{4}')[^']*'|\"(?!P\d{4}\")[^\"]*\"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
    r"|(?P<klog>\b[DIWEF]\d{4,6}(?= \d\d:))"
    r"|(?P<number>(?<![A-Za-z0-9_])\d+(?:\.\d+)*(?:(?:ms|us|\u00b5s|ns|s|m|h)\b|(?![A-Za-z0-9])))"
    r"|(?P<word>(?<![A-Za-z0-9])[A-Za-z0-9]{5,64}(?![A-Za-z0-9]))" % (_KEPT, _RUN, _KEPT, TIME)
)
# What went wrong is said there in words of the program, in quotes or not.
_REASON = re.compile(
    r"\b((?:err|error|reason|cause|exception)[\"']?\s?[=:]\s?)(?P<quote>\\?[\"'`])((?:(?!(?P=quote)).){1,300})(?P=quote)"
)
_QUOTES = re.compile(r"['\"`]")
_CHANGES = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}\Z")


class Collection:
    """Errors by fingerprint. It keeps one example of each, so its size does not grow with the log.

    :param noise: Noise, in the order of the list. An error counts as the first that is in force and matches it.
    """

    def __init__(self, noise: Iterable[Noise] = ()) -> None:
        self.addresses: set[str] = set()  # host:port of databases that could not be reached
        self._groups: dict[str, ErrorGroup] = {}
        self._noise = tuple(noise)
        self.hits = [0] * len(self._noise)  # how many errors each Noise has matched, those that have expired too

    def add(self, stream: Stream, first: Event, lines: Sequence[str]) -> None:
        """Count an error."""
        text = "\n".join(lines)
        if self._noise and self._is_noise(text):
            return
        if len(self.addresses) < _MOST_ADDRESSES:
            self.addresses |= {":".join(filter(None, pair)) for pair in _UNREACHABLE.findall(text)}
        key = fingerprint(lines)
        known = self._groups.get(key)
        if known is None and len(self._groups) >= MOST_KINDS:
            key, known = MANY, self._groups.get(MANY)
        if known is not None:
            example = self._example(stream, first, text, key) if first.timestamp < known.first else known
            self._groups[key] = replace(example, count=known.count + 1)
            return
        self._groups[key] = self._example(stream, first, text, key)

    @staticmethod
    def _example(stream: Stream, first: Event, text: str, key: str) -> ErrorGroup:
        example = without_secrets(text[:_LOOKED_AT])[:_LONGEST_EXAMPLE].strip()
        return ErrorGroup(key, 1, first.timestamp, stream.service, stream.name, example, prisma_codes(text))

    def _is_noise(self, text: str) -> bool:
        for place, noise in enumerate(self._noise):
            if noise.pattern.search(text):
                self.hits[place] += 1
                if not noise.expired:
                    return True
        return False

    def merge(self, other: Collection) -> None:
        """Count what another Collection with the same noise has found, too. Of two examples the earlier stays."""
        self.hits = [mine + theirs for mine, theirs in zip(self.hits, other.hits)]
        self.addresses |= other.addresses
        for key, group in other._groups.items():
            known = self._groups.get(key)
            count = group.count + (known.count if known else 0)
            self._groups[key] = replace(min((group, known or group), key=lambda item: item.first), count=count)

    def without(self, known: Container[str]) -> Collection:
        """The same without the kinds whose fingerprints are in ``known``."""
        found = Collection()
        found.addresses = set(self.addresses)
        found._groups = {key: group for key, group in self._groups.items() if key not in known}
        return found

    @property
    def groups(self) -> list[ErrorGroup]:
        """The ErrorGroups, the most frequent first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.first))


def prisma_codes(text: str) -> tuple[str, ...]:
    """Prisma's codes in a text, each once: where it is Prisma that speaks, and where a code has its place."""
    return tuple(sorted(set((_PRISMA_CODE if _OF_PRISMA.search(text) else _CODED).findall(text))))


def telling(lines: Sequence[str]) -> list[str]:
    """The lines of an error that say what happened: no frames of its stack, no empty ones."""
    return [line.strip() for line in lines if line.strip() and not _FRAME.match(line)]


def fingerprint(lines: Sequence[str]) -> str:
    """What two errors of the same kind have in common: their telling lines without times, numbers, ids and quoted texts."""
    request = request_of(lines)
    if request:
        return "a request was answered with 5xx: %s" % request
    record = structured(lines)
    said = [_before(lines[0]) + record] if record else telling(lines)
    codes = [code for code in prisma_codes("\n".join(lines)) if code not in "\n".join(said[:_TELLING_LINES])]
    # JSON may hold line breaks and controls as escapes, which only now are what they mean.
    text = without_secrets(foreign(" | ".join(said[:_TELLING_LINES] + codes), _LOOKED_AT))
    return _VARIES.sub(_in_common, _REASON.sub(_without_quotes, text))[:_LONGEST_FINGERPRINT]


def _without_quotes(found: re.Match[str]) -> str:
    """A reason as a sentence of the program; a single word may be anybody's."""
    return found[1] + found[3] if " " in found[3] else found[0]


def _before(line: str) -> str:
    """What stands before a record in JSON on its line, where a logger says there what happened; else empty."""
    head, brace, _rest = line.lstrip().partition("{")
    return head if brace and has_level(head) else ""


def _in_common(found: re.Match[str]) -> str:
    """What stands for a part of a text that varies."""
    kind, text = found.lastgroup or "", str(found[0])
    if kind == "keep":
        return _QUOTES.sub("", text)  # which of them people use makes no other error
    if kind == "text" and " " in text and sounds_like_an_error(text[1:-1]):
        return _VARIES.sub(_in_common, text[1:-1])  # what somebody else has said of it
    if (
        kind == "word"
    ):  # a word with a number at its end or beginning is a name (sha256, 3rd); what changes more often is an id
        return "<id>" if len(_CHANGES.findall(text)) > 1 and not _SQLSTATE.match(text) else text
    return {"time": "<time>", "id": "<id>", "text": "<text>", "klog": "<time>"}.get(kind, "<n>")


def structured(lines: Sequence[str]) -> str:
    """Level, message, code and error of an error whose lines are a JSON object or pairs (logfmt); empty for any other."""
    record = record_of(lines)
    if not record:
        return ""
    error: dict[str, Any] = next((record[name] for name in _ERROR if isinstance(record.get(name), dict)), {})
    level, told = _first(record, _LEVELS), _first(record, _TOLD)
    if isinstance(told, dict):
        told = (
            told.get("message")
            or told.get("text")
            or told.get("msg")
            or next((str(item) for item in told.values() if item), "")
        )
    thrown = error.get("message") or _first(record, _ERROR + _STACKS, (str,)) or error.get("stack")
    cause = next((item for item in (error.get("cause"), record.get("cause")) if item), None)
    if isinstance(cause, dict):
        cause = cause.get("message") or cause.get("code")
    parts = [level, told, record.get("code") or error.get("code") or error.get("type"), _first_line(thrown)]
    parts += [_first_line(cause) if isinstance(cause, str) else None, *_names_of(record)]
    return ": ".join(dict.fromkeys(str(part) for part in parts if part))


_STATUS = ("status", "statusCode", "status_code")
_NAMED = (
    "operation",
    "operationName",
    "operation_name",
    "grpc.method",
    "grpc.code",
    "rpc.method",
    "queue",
    "job",
    "job_name",
    "jobName",
    "command",
    "handler",
)
_NAME = re.compile(r"[A-Za-z_$][A-Za-z_$./:-]{1,60}\Z")  # of what a program has; with a number in it, of a run of it


def _names_of(record: dict[str, Any]) -> Iterator[str]:
    """What a record says that was done, by the names that a program has for it, and how it was answered."""
    for name in _NAMED:
        value = record.get(name)
        if isinstance(value, str) and _NAME.match(value):
            yield value
    status = _first(record, _STATUS, (int, str))
    if str(status).isdigit() and len(str(status)) == 3:
        yield "status %s" % status


_LEVELS = ("level", "severity", "levelname", "log.level", "LogLevel", "@l", "lvl", "severityText")
_TOLD = ("msg", "message", "Message", "@message", "@mt", "@m", "event", "body", "short_message")
_ERROR = (
    "err",
    "error",
    "exception",
    "error.message",
    "@x",
    "exc_info",
    "Exception",
    "error_message",
    "errorMessage",
    "reason",
)
_STACKS = ("stack", "stacktrace", "stack_trace", "trace")


def _first(record: dict[str, Any], names: Sequence[str], types: type | tuple[type, ...] = object) -> Any:
    return next((record[name] for name in names if record.get(name) and isinstance(record[name], types)), None)


def _first_line(text: Any) -> str:
    """What a stack says first; Python says it last."""
    lines = telling(str(text or "").split("\n"))
    if lines and lines[0].startswith("Traceback "):
        lines = lines[::-1]
    return lines[0] if lines else ""


NEW, DOUBTED, AS_BEFORE = "new", "doubted", "as before"


def compared(count: int, seconds: float, before: int, seconds_before: float) -> str:
    """Whether a kind of error is more frequent than before, by more than chance: NEW, DOUBTED where there are too few to say, or AS_BEFORE.

    Errors come in bursts, so a few more are none: it must be at least 5, three times as frequent, and improbable at the old rate (given all of
    them, how many fall into one of two times is binomial; Przyborowski and Wilenski 1940).

    :param count: how many there are in ``seconds``.
    :param before: how many there were in ``seconds_before``.
    """
    if not before:
        return NEW
    seconds, seconds_before = max(seconds, 1.0), max(seconds_before, 1.0)
    if count < _DOUBTED or count * seconds_before < _TIMES * before * seconds:
        return AS_BEFORE
    if _at_least(count, count + before, seconds / (seconds + seconds_before)) >= _CHANCE:
        return AS_BEFORE
    return NEW if count >= _LEAST else DOUBTED


def is_new(count: int, seconds: float, before: int, seconds_before: float) -> bool:
    """Whether it is surely more frequent (see ``compared``)."""
    return compared(count, seconds, before, seconds_before) == NEW


def _at_least(count: int, total: int, share: float) -> float:
    """The probability of ``count`` or more out of ``total`` where each falls there with probability ``share``."""
    log_all = math.lgamma(total + 1)
    chance = 0.0
    for number in range(count, min(total, count + 1000) + 1):
        term = log_all - math.lgamma(number + 1) - math.lgamma(total - number + 1)
        term += number * math.log(share) + ((total - number) * math.log1p(-share) if total > number else 0.0)
        chance += math.exp(term)
        if chance >= _CHANCE:
            break
    return chance
