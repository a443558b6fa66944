# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which streams are read, and what was found in them comes to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import (
    AS_BEFORE,
    DOUBTED,
    NEW,
    compared,
    structured,
    telling,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream, Unread
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import Found
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import ErrorGroup, Unclear
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
        Container,
        TaskDefinition,
    )

_LONGEST_LINE = 200  # characters of an error or an example in a sentence


def streams_of(
    tasks: Iterable[ServiceTask],
    definitions: Mapping[str, TaskDefinition],
    log_groups: Collection[str],
    since: datetime | None,
    dead: Iterable[ServiceTask] = (),
    elsewhere: Collection[str] = (),
) -> tuple[list[Stream], tuple[Unread, ...]]:
    """(Streams, Unreads) of tasks: every essential container is in one of them.

    :param tasks: ServiceTasks that run.
    :param definitions: task definition ARN → TaskDefinition.
    :param log_groups: the groups that are read.
    :param since: aware datetime before which nothing counts, or None for the start of each task.
    :param dead: ServiceTasks that have stopped, whose last words count, too.
    :param elsewhere: names of services, or service/container, whose logs are not in CloudWatch Logs, as the inventory says.
    """
    streams, unread = [], {}
    for task, is_dead in [*((task, False) for task in tasks), *((task, True) for task in dead)]:
        for container in definitions[task.task_definition].containers:
            place = container.log_stream(task.id)
            declared = task.service in elsewhere or "%s/%s" % (task.service, container.name) in elsewhere
            if place and place[0] in log_groups:
                began = max(task.created, since or task.created)
                essential = container.essential and not declared
                streams.append(Stream(task.service, *place, began, is_dead, container.name, essential))
            elif container.essential:
                why = _why_unread(container, place)
                unread[task.service, container.name] = Unread(task.service, container.name, why, declared)
    return streams, tuple(unread.values())


def _why_unread(container: Container, place: tuple[str, str] | None) -> str:
    if place:
        return "it logs to %s, which is not in rollback_log_groups" % place[0]
    if container.log_group:
        return "awslogs without awslogs-stream-prefix gives its streams names that nobody knows"
    if container.log_driver:
        return "its log driver is %s" % container.log_driver
    return "it has no log driver"


def milliseconds(moment: datetime) -> int:
    """An aware datetime as CloudWatch Logs counts: milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Baseline:
    """The kinds of errors of before the accident: fingerprint → how often, in ``seconds``. ``whole``: the window was read to its end.
    ``doubtful``: the words of lines that sounded like errors then.
    """

    counts: dict[str, int]
    since: datetime
    until: datetime
    lines: int
    whole: bool
    seconds: float
    doubtful: frozenset[str] = frozenset()


def split(
    groups: Iterable[ErrorGroup], seconds: float, baseline: Baseline | None
) -> tuple[list[ErrorGroup], list[ErrorGroup], list[ErrorGroup]]:
    """(ErrorGroups that count, those that are more frequent than before and too few to say, those that there were before, as often).

    :param seconds: the time in which the errors were logged.
    :param baseline: Baseline, or None.
    """
    counts = baseline.counts if baseline else {}
    found: dict[str, list[ErrorGroup]] = {NEW: [], DOUBTED: [], AS_BEFORE: []}
    for group in groups:
        before = counts.get(group.fingerprint, 0)
        found[compared(group.count, seconds, before, baseline.seconds if baseline else 0)].append(group)
    return found[NEW], found[DOUBTED], found[AS_BEFORE]


def log_verdict(
    services: Sequence[str],
    streams: Sequence[Stream],
    unread: Sequence[Unread],
    found: Found,
    new: Sequence[ErrorGroup],
    aside: str = "",
    doubted: Sequence[ErrorGroup] = (),
) -> tuple[str, str]:
    """The verdict over all, and why.

    :param services: names of the services asked for.
    :param streams: Streams that were looked at.
    :param unread: Unreads.
    :param found: found.Found: ``silent`` Streams without a single line, and ``unclear`` containers.
    :param new: ErrorGroups that count.
    :param aside: what was found and does not count, for people.
    :param doubted: ErrorGroups that are more frequent than before and too few to say.
    :return: (verdict, reason).
    """
    aside = " (%s)" % aside if aside else ""
    where = many(len(streams), "stream")
    if new:
        errors, kinds = many(sum(group.count for group in new), "error"), many(len(new), "kind")
        return FAILED, "%s of %s in %s, the first: %s%s" % (errors, kinds, where, first_line(new), aside)
    why = "; ".join(_doubts(services, streams, unread, found, doubted))
    if why:
        return INCONCLUSIVE, "no %serrors, but %s%s" % ("new " if doubted else "", why, aside)
    if not streams:
        return PASSED, "there is nothing to read: %s%s" % (declared_elsewhere(unread), aside)
    elsewhere = declared_elsewhere(unread)
    said = "no errors in %s, and every task has logged%s" % (where, aside)
    return PASSED, "%s; not read: %s" % (said, elsewhere) if elsewhere else said


def declared_elsewhere(unread: Sequence[Unread]) -> str:
    """The containers that the inventory declares not to log to CloudWatch Logs, for people; empty without any."""
    names = ["%s/%s" % (item.service, item.container) for item in unread if item.declared]
    return "%s, as rollback_log_elsewhere says" % ", ".join(names) if names else ""


def first_line(groups: Sequence[ErrorGroup]) -> str:
    """The line with which the first error of ErrorGroups began."""
    first = min(groups, key=lambda group: group.first)
    lines = first.example.split("\n")
    said = structured(lines) or next(iter(telling(lines)), first.fingerprint)
    if said.rstrip().endswith(":"):  # what it announces is in the lines below
        said = first.fingerprint
    return foreign(said, _LONGEST_LINE)


def _doubts(
    services: Sequence[str],
    streams: Sequence[Stream],
    unread: Sequence[Unread],
    found: Found,
    doubted: Sequence[ErrorGroup],
) -> Iterator[str]:
    """What keeps silence from being good news."""
    if doubted:
        yield (
            "%s of a kind that there was before came faster than then, and too few to say so, like: %s; look again in a minute with verify.yml"
            % (many(sum(group.count for group in doubted), "error"), first_line(doubted))
        )
    heard_of = {stream.service for stream in streams if not stream.dead} | {item.service for item in unread}
    idle = sorted(set(services) - heard_of)
    if idle:
        yield "no task of %s is running, so there is nothing to look at" % ", ".join(idle)
    hidden = [str(item) for item in unread if not item.declared]
    if hidden:
        yield (
            "the lines of %s cannot be read; name the group in rollback_log_groups, or the service or service/container in rollback_log_elsewhere"
            " where it is known to log elsewhere" % ", ".join(hidden)
        )
    if found.silent:
        silent = ", ".join(stream.name for stream in found.silent)
        yield "nothing at all in %s, so it is not known whether these containers log" % silent
    for item in found.unclear:
        yield unclear_line(item)


def unclear_line(item: Unclear) -> str:
    """Why the lines of an Unclear container prove nothing, and what helps."""
    if item.sounds:
        return (
            "%s of %s/%s without a level %s like an error: %s; say in verify_log_patterns what an error looks like there, or in verify_log_ignore which"
            " lines are none"
            % (
                many(item.unknown, "line"),
                item.service,
                item.container,
                "sounds" if item.unknown == 1 else "sound",
                item.example[:_LONGEST_LINE],
            )
        )
    if not item.lines:
        return "no line of %s/%s says how things are" % (item.service, item.container)
    return (
        "%d of %s of %s/%s have no level that could be read, like: %s; say in verify_log_patterns what an error looks like there, or in verify_log_ignore"
        " which lines are none"
        % (item.unknown, many(item.lines, "line"), item.service, item.container, item.example[:_LONGEST_LINE])
    )
