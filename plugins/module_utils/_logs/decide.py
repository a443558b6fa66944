# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which streams are looked at, what is an error in them, and which errors are the same. Pure."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field, replace

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import ErrorGroup, Event, Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._redact import without_secrets
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
_REMEMBERED = 20_000  # ids of events, two of the largest pages: pages that overlap do so where they meet
_LONGEST_EXAMPLE, _LONGEST_FINGERPRINT = 1000, 300  # characters
_LOOKED_AT = 4000  # characters of a line in which secrets and what varies are looked for
_TELLING_LINES = 4

_VARYING = (
    (re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "<id>"),
    (re.compile(r"\b(?:c[a-z0-9]{24}|[0-9a-fA-F]{12,})\b"), "<id>"),  # cuid, and hexadecimal
    (re.compile(r"'(?!P\d{4}')[^']*'|\"(?!P\d{4}\")[^\"]*\""), "<text>"),
    (re.compile(r"(?<![A-Za-z0-9_])\d+(?:\.\d+)*"), "<n>"),
)


def streams_of(tasks, definitions, log_groups, since, dead=()):
    """The Streams of the tasks of one service in the given groups.

    :param tasks: ServiceTasks that run.
    :param definitions: task definition ARN → TaskDefinition.
    :param since: aware datetime before which nothing counts, or None for the start of each task.
    :param dead: ServiceTasks that have stopped, whose last words count, too.
    :raises BadInput: the service has tasks, and none of their containers logs to any of the groups.
    """
    tasks = [*((task, False) for task in tasks), *((task, True) for task in dead)]
    logs = {arn: _logs_of(definitions[arn]) for arn in {task.task_definition for task, _dead in tasks}}
    found = [
        Stream(
            task.service,
            container.log_group,
            "%s/%s/%s" % (container.log_prefix, container.name, task.id),
            max(task.created, since or task.created),
            is_dead,
        )
        for task, is_dead in tasks
        for container in logs[task.task_definition]
        if container.log_group in log_groups
    ]
    if tasks and not found:
        elsewhere = sorted({container.log_group for containers in logs.values() for container in containers})
        cure = (
            "They log to %s." % ", ".join(elsewhere) if elsewhere else "They do not use awslogs with a stream prefix."
        )
        problem = "no container of service %s logs there" % tasks[0][0].service
        raise BadInput("log_groups", ", ".join(log_groups), problem, cure)
    return found


def _logs_of(definition):
    """The containers whose streams have a name that is known (prefix/container/task-id): without a prefix Docker makes one up."""
    return [container for container in definition.containers if container.log_group and container.log_prefix]


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

    def add(self, message):
        self.lines += message.split("\n")[: _LONGEST_ENTRY - len(self.lines)]
        self.closed = message.startswith("}")


class Entries:
    """Puts the lines of one stream together to errors."""

    def __init__(self, is_error):
        self._is_error = is_error
        self._entry = None

    def take(self, event):
        """The error that this event (Event) has ended, as (first, lines), or None."""
        if self._entry:
            if self._entry.takes(event.message):
                self._entry.add(event.message)
                return None
            ended = self.end()
        else:
            ended = None
        if self._is_error.search(event.message):
            self._entry = _Entry(event, event.message.split("\n")[:_LONGEST_ENTRY])
        return ended

    def end(self):
        """The error that is still open, as (first, lines), or None."""
        entry, self._entry = self._entry, None
        return (entry.first, entry.lines) if entry else None


def entries(events, is_error):
    """The errors in the events (iterable of Event, in order) of one stream, each with the lines that belong to it.

    :param is_error: compiled expression.
    """
    found = Entries(is_error)
    for event in events:
        ended = found.take(event)
        if ended:
            yield ended
    last = found.end()
    if last:
        yield last


class Reading:
    """Finds the errors of streams of one group that are read together, page by page. It does not grow with the log.

    :param streams: Streams that are known before; what comes from others counts as of ``service``, from ``since`` on.
    :param is_error: compiled expression.
    :param noise: Noise, errors that do not count.
    """

    def __init__(self, group, streams, is_error, noise=()):
        self.lines = 0
        self.collection = Collection(noise)
        self._group, self._is_error = group, is_error
        self._streams = {stream.name: stream for stream in streams}
        self._since = {stream.name: milliseconds(stream.since) for stream in streams}
        self._entries = {}
        self._recent, self._ids = deque(), set()

    def take(self, events):
        """Go through a page (iterable of Event). Pages may overlap, and streams take turns in them."""
        for event in events:
            if event.id in self._ids or event.timestamp < self._since.get(event.stream, 0):
                continue
            self._remember(event.id)
            self.lines += 1
            entries_of = self._entries.get(event.stream)
            if entries_of is None:
                entries_of = self._entries[event.stream] = Entries(self._is_error)
            ended = entries_of.take(event)
            if ended:
                self._add(ended)

    def end(self):
        """The Collection, with the errors that were still open."""
        for found in self._entries.values():
            ended = found.end()
            if ended:
                self._add(ended)
        return self.collection

    @property
    def heard(self):
        """The names (set of str) of the streams that have a line."""
        return set(self._entries)

    def _remember(self, event_id):
        self._ids.add(event_id)
        self._recent.append(event_id)
        if len(self._recent) > _REMEMBERED:
            self._ids.discard(self._recent.popleft())

    def _add(self, ended):
        first, lines = ended
        stream = self._streams.get(first.stream) or Stream("", self._group, first.stream, None)
        self.collection.add(stream, first, lines)


def milliseconds(moment):
    """An aware datetime as CloudWatch Logs counts: milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


class Collection:
    """Errors by fingerprint. It keeps one example of each, so its size does not grow with the log.

    :param noise: Noise, in the order of the list. An error counts as the first that is in force and matches it.
    """

    def __init__(self, noise=()):
        self._groups = {}
        self._noise = tuple(noise)
        self.hits = [0] * len(self._noise)  # how many errors each Noise has matched, those that have expired too

    def add(self, stream, first, lines):
        """Count an error."""
        text = "\n".join(lines)
        if self._noise and self._is_noise(text):
            return
        key = fingerprint(lines)
        known = self._groups.get(key)
        if known is None:
            self._groups[key] = ErrorGroup(
                key,
                1,
                first.timestamp,
                stream.service,
                stream.name,
                without_secrets(text[:_LOOKED_AT])[:_LONGEST_EXAMPLE].strip(),
                prisma_codes(text),
            )
        else:
            self._groups[key] = replace(known, count=known.count + 1)

    def _is_noise(self, text):
        for place, noise in enumerate(self._noise):
            if noise.pattern.search(text):
                self.hits[place] += 1
                if not noise.expired:
                    return True
        return False

    def merge(self, other):
        """Count what another Collection with the same noise has found, too. Of two examples the earlier stays."""
        self.hits = [mine + theirs for mine, theirs in zip(self.hits, other.hits)]
        for key, group in other._groups.items():
            known = self._groups.get(key)
            count = group.count + (known.count if known else 0)
            self._groups[key] = replace(min((group, known or group), key=lambda item: item.first), count=count)

    @property
    def groups(self):
        """The ErrorGroups, the most frequent first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.first))


def prisma_codes(text):
    """Prisma's codes in a text, each once."""
    return tuple(sorted(set(_PRISMA_CODE.findall(text))))


def fingerprint(lines):
    """What two errors of the same kind have in common: their telling lines without numbers, ids and quoted texts."""
    structured = _structured(lines[0])
    telling = [line.strip() for line in lines if line.strip() and not line.strip().startswith("at ")]
    codes = [code for code in prisma_codes("\n".join(lines)) if code not in "\n".join(telling[:_TELLING_LINES])]
    # JSON may hold line breaks and controls as escapes, which only now are what they mean.
    text = without_secrets(foreign(structured or " | ".join(telling[:_TELLING_LINES] + codes), _LOOKED_AT))
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text[:_LONGEST_FINGERPRINT]


def _structured(line):
    """Level, message and code of a line that is a JSON object; empty for any other line."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
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


def judge(services, streams, silent, groups, aside=""):
    """The verdict over all, and why.

    :param services: names of the services asked for.
    :param streams: Streams that were looked at.
    :param silent: Streams without a single line: nobody knows whether their tasks log at all.
    :param groups: ErrorGroups that count.
    :param aside: what was found and does not count, for people.
    :return: (verdict, reason).
    """
    aside = " (%s)" % aside if aside else ""
    if groups:
        return FAILED, "%d errors of %d kinds in %d streams%s" % (
            sum(group.count for group in groups),
            len(groups),
            len(streams),
            aside,
        )
    idle = sorted(set(services) - {stream.service for stream in streams if not stream.dead})
    if idle:
        return INCONCLUSIVE, "no task of %s is running, so there is nothing to look at%s" % (", ".join(idle), aside)
    if silent:
        return (
            INCONCLUSIVE,
            "no errors, but nothing at all in %s, so it is not known whether these tasks log%s"
            % (", ".join(stream.name for stream in silent), aside),
        )
    return PASSED, "no errors in %d streams, and every task has logged%s" % (len(streams), aside)
