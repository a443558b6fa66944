# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that reads logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign_lines
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event

STREAMS_A_CALL = 100  # FilterLogEvents, logStreamNames


class LogsGateway:
    """Reads logs.

    :param client: boto3 client.
    """

    def __init__(self, client: Any) -> None:
        self._logs = client

    def refuse_missing_groups(self, names: Sequence[str]) -> None:
        """Read one line of each log group, which takes no other permission than reading them all.

        :raises BadInput: a group does not exist.
        """
        for name in names:
            try:
                self._logs.filter_log_events(logGroupName=name, limit=1)
            except is_boto3_error_code("ResourceNotFoundException") as error:
                raise BadInput(
                    "log_groups", name, "there is no such log group in %s" % self._logs.meta.region_name
                ) from error

    def pages(self, group: str, names: Sequence[str], start: int, end: int | None = None) -> Iterator[list[Event]]:
        """Pages (list of Event) of up to 100 streams of a group, oldest first, from ``start`` (milliseconds since 1970) on, to before ``end``.

        A stream that does not exist has no line: awslogs makes it with the first. FilterLogEvents then refuses all that were asked for.
        """
        try:
            until: dict[str, int] = {} if end is None else dict(endTime=end - 1)
            yield from self._pages(logGroupName=group, logStreamNames=names, startTime=start, **until)
        except is_boto3_error_code("ResourceNotFoundException"):
            half = len(names) // 2
            for part in (names[:half], names[half:]) if half else ():
                yield from self.pages(group, part, start, end)

    def pages_before(self, group: str, prefix: str, start: int, end: int) -> Iterator[list[Event]]:
        """Pages (list of Event) of the streams whose names begin so, oldest first, from ``start`` to before ``end`` (milliseconds)."""
        yield from self._pages(logGroupName=group, logStreamNamePrefix=prefix, startTime=start, endTime=end - 1)

    def has_logged(self, group: str, names: Sequence[str], start: int) -> bool:
        """Whether one of up to 100 streams has a line from ``start`` (milliseconds since 1970) on."""
        try:
            pages = self._pages(logGroupName=group, logStreamNames=names, startTime=start, limit=1)
            return any(pages)
        except is_boto3_error_code("ResourceNotFoundException"):
            half = len(names) // 2
            return bool(half) and any(self.has_logged(group, part, start) for part in (names[:half], names[half:]))

    def _pages(self, **question: Any) -> Iterator[list[Event]]:
        """An empty page says nothing about the next one: it goes on while there is a nextToken (FilterLogEvents)."""
        while True:
            page = self._logs.filter_log_events(**question)
            with reading("FilterLogEvents"):
                yield [
                    Event(item["eventId"], item["timestamp"], foreign_lines(item["message"]), item["logStreamName"])
                    for item in page["events"]
                ]
            if not page.get("nextToken"):
                return
            question["nextToken"] = page["nextToken"]

    def last_lines(self, group: str, name: str, most: int = 100) -> list[str]:
        """The last lines of a stream (list of str), oldest first; none when it does not exist."""
        page = _log_events(self._logs, logGroupName=group, logStreamName=name, limit=most, startFromHead=False)
        return [foreign_lines(message).rstrip() for message in _messages(page)]


def whole_stream(client: Any, group: str, name: str) -> list[str]:
    """All that was written to a stream (list of str), oldest first, as it was written; none when it is not there yet.

    :param client: boto3 client of logs.
    """
    question: dict[str, Any] = dict(logGroupName=group, logStreamName=name, startFromHead=True)
    found: list[str] = []
    while True:
        page = _log_events(client, **question)
        if page is None:
            return found
        found += _messages(page)
        with reading("GetLogEvents"):
            if page["nextForwardToken"] == question.get("nextToken"):  # the end gives the token that was asked with
                return found
            question["nextToken"] = page["nextForwardToken"]


def _log_events(client: Any, **question: Any) -> dict[str, Any] | None:
    """GetLogEvents: a page, None when there is no such stream."""
    try:
        page: dict[str, Any] = client.get_log_events(**question)
    except is_boto3_error_code("ResourceNotFoundException"):
        return None
    return page


def _messages(page: Mapping[str, Any] | None) -> list[str]:
    if page is None:
        return []
    with reading("GetLogEvents"):
        return [item["message"] for item in page["events"]]
