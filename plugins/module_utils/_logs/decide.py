# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which streams are looked at, what is an error in them, and which errors are the same. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import ErrorGroup, Event, Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._verdict import FAILED, INCONCLUSIVE, PASSED

ERROR_PATTERNS = (
    r'"level":\s*"(?:error|fatal|critical)"',
    r'"level":\s*(?:50|60)\b',  # pino's numbers of error and fatal
    r"(?:^|[\s\[])(?:ERROR|FATAL|CRITICAL)\b",
    r"^\s*(?:[Uu]ncaught )?(?:[A-Z]\w*)?(?:Error|Exception)\b",
    r"PrismaClient",
    r"\bP[1-6]\d{3}\b",
    r"\b(?:[Uu]ncaught|[Uu]nhandled)\b",
)
_PRISMA_CODE = re.compile(r"\bP[1-6]\d{3}\b")
_LONGEST_ENTRY = 25  # lines
_LONGEST_EXAMPLE, _LONGEST_FINGERPRINT = 1000, 300  # characters
_TELLING_LINES = 4

_SECRETS = (
    (re.compile(r"(://)[^/\s]*@"), r"\1********@"),
    (
        re.compile(
            r"(?i)((?:password|passwd|secret|token|authorization|api[_-]?key)[\"']?\s*[:=]\s*[\"']?)[^\s\"',}]+"
        ),
        r"\1********",
    ),
)
_VARYING = (
    (re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "<id>"),
    (re.compile(r"\b(?:c[a-z0-9]{24}|[0-9a-fA-F]{12,})\b"), "<id>"),  # cuid, and hexadecimal
    (re.compile(r"'(?!P\d{4}')[^']*'|\"(?!P\d{4}\")[^\"]*\""), "<text>"),
    (re.compile(r"(?<![A-Za-z0-9_])\d+(?:\.\d+)*"), "<n>"),
)


def streams_of(tasks, logs_of, log_groups, since):
    """The Streams of running tasks in the given groups.

    :param tasks: Tasks of one service.
    :param logs_of: task definition ARN → ContainerLogs.
    :param since: aware datetime before which nothing counts, or None for the start of each task.
    :raises BadInput: the service has tasks, and none of their containers logs to any of the groups.
    """
    found = [
        Stream(
            task.service,
            log.group,
            "%s/%s/%s" % (log.prefix, log.container, task.id),
            max(task.created, since or task.created),
        )
        for task in tasks
        for log in logs_of[task.task_definition]
        if log.group in log_groups
    ]
    if tasks and not found:
        elsewhere = sorted({log.group for task in tasks for log in logs_of[task.task_definition]})
        cure = (
            "They log to %s." % ", ".join(elsewhere) if elsewhere else "They do not use awslogs with a stream prefix."
        )
        raise BadInput(
            "log_groups", ", ".join(log_groups), "no container of service %s logs there" % tasks[0].service, cure
        )
    return found


def compiled(patterns):
    """One expression that matches a line when any of ``patterns`` (list of str) does.

    :raises RollbackError: one of them is no regular expression.
    """
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise RollbackError(
                "The option patterns has '%s', which is no regular expression: %s." % (pattern, error)
            ) from error
    return re.compile("|".join("(?:%s)" % pattern for pattern in patterns))


@dataclass
class _Entry:
    """An error and the lines that belong to it: awslogs makes an event of every line."""

    first: Event
    lines: list = field(default_factory=list)
    closed: bool = False

    def takes(self, line):
        """Whether a line goes on with this error: it is indented or empty, or the error announced more by a colon or a brace."""
        if self.closed or len(self.lines) >= _LONGEST_ENTRY:
            return False
        announced = self.lines[0].rstrip().endswith((":", "{"))
        return not line.strip() or line[0] in " \t" or (announced and not line.startswith("{"))

    def add(self, line):
        self.lines.append(line)
        self.closed = line.startswith("}")


def entries(events, is_error):
    """The errors in the events (iterable of Event, in order) of one stream, each with the lines that belong to it.

    :param is_error: compiled expression.
    """
    entry = None
    for event in events:
        if entry and entry.takes(event.message):
            entry.add(event.message)
            continue
        if entry:
            yield entry.first, entry.lines
        entry = _Entry(event, [event.message]) if is_error.search(event.message) else None
    if entry:
        yield entry.first, entry.lines


class Collection:
    """Errors by fingerprint. It keeps one example of each, so its size does not grow with the log."""

    def __init__(self):
        self._groups, self._seen = {}, set()

    def add(self, stream, first, lines):
        """Count an error, once: pages and windows of a log may overlap."""
        if first.id in self._seen:
            return
        self._seen.add(first.id)
        key, text = fingerprint(lines), "\n".join(lines)
        known = self._groups.get(key)
        if known is None:
            known = ErrorGroup(
                key,
                0,
                first.timestamp,
                stream.service,
                stream.name,
                without_secrets(text)[:_LONGEST_EXAMPLE].strip(),
                prisma_codes(text),
            )
        self._groups[key] = replace(known, count=known.count + 1)

    @property
    def groups(self):
        """The ErrorGroups, the most frequent first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.first))


def prisma_codes(text):
    """Prisma's codes in a text, each once."""
    return tuple(sorted(set(_PRISMA_CODE.findall(text))))


def without_secrets(text):
    """A text without what looks like the login in a URL or the value of a password."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def fingerprint(lines):
    """What two errors of the same kind have in common: their telling lines without numbers, ids and quoted texts."""
    structured = _structured(lines[0])
    telling = [line.strip() for line in lines if line.strip() and not line.strip().startswith("at ")]
    codes = [code for code in prisma_codes("\n".join(lines)) if code not in "\n".join(telling[:_TELLING_LINES])]
    text = without_secrets(structured or " | ".join(telling[:_TELLING_LINES] + codes))
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text[:_LONGEST_FINGERPRINT]


def _structured(line):
    """Level, message and code of a line that is a JSON object; empty for any other line."""
    try:
        record = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(record, dict):
        return ""
    error = record.get("err") if isinstance(record.get("err"), dict) else {}
    parts = (
        record.get("level"),
        record.get("msg") or record.get("message"),
        record.get("code") or error.get("code"),
        error.get("message"),
    )
    return ": ".join(str(part) for part in parts if part)


def judge(services, streams, silent, groups):
    """The verdict over all, and why.

    :param services: names of the services asked for.
    :param streams: Streams that were looked at.
    :param silent: Streams without a single line: nobody knows whether their tasks log at all.
    :param groups: ErrorGroups.
    :return: (verdict, reason).
    """
    if groups:
        return FAILED, "%d errors of %d kinds in %d streams" % (
            sum(group.count for group in groups),
            len(groups),
            len(streams),
        )
    idle = sorted(set(services) - {stream.service for stream in streams})
    if idle:
        return INCONCLUSIVE, "no task of %s is running, so there is nothing to look at" % ", ".join(idle)
    if silent:
        return (
            INCONCLUSIVE,
            "no errors, but nothing at all in %s, so it is not known whether these tasks log"
            % ", ".join(stream.name for stream in silent),
        )
    return PASSED, "no errors in %d streams, and every task has logged" % len(streams)
