# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch Logs: groups, streams, events that can be found only after a while, filters with pages that may be empty."""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import paging
from ...errors import StartFailure
from ...wire import ApiError, Service
from .pattern import InvalidPattern, compile_pattern

if TYPE_CHECKING:
    from ...lab import Lab

# What one page of FilterLogEvents looks at; in AWS a page ends after a time, found something or not. The first page of a question is short, and
# every page that looks for a pattern, so that nobody gets by with one.
FIRST_EVENTS, SCANNED_EVENTS = 100, 10_000
RETURNED_EVENTS = 10_000  # at most, for FilterLogEvents and GetLogEvents
BATCH_EVENTS, BATCH_BYTES, EVENT_OVERHEAD = 10_000, 1_048_576, 26  # of PutLogEvents; the overhead is bytes an event
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
DAY, HOUR = 86_400_000, 3_600_000  # milliseconds


class Event(NamedTuple):
    """One line. Events sort by `id`, which starts with the timestamp; times are milliseconds since the epoch. A test may have a million."""

    id: str
    timestamp: int
    stream: str
    message: str
    ingested: int


@dataclasses.dataclass
class Stream:
    """The lines of one task, sorted."""

    name: str
    created: int
    events: list[Event] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Group:
    """A log group; `retention` is in days, None keeps everything."""

    name: str
    arn: str
    created: int
    retention: int | None = None
    streams: dict[str, Stream] = dataclasses.field(default_factory=dict)


class Logs(Service):
    """The logs of the lab's account."""

    model = "logs"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._groups: dict[str, Group] = {}
        self._numbers = itertools.count(1)

    # Groups

    def create_log_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a log group without retention."""
        name = request["logGroupName"]
        if not re.fullmatch(r"[.\-_/#A-Za-z0-9]{1,512}", name):
            raise ApiError(
                "InvalidParameterException", f"Value '{name}' at 'logGroupName' failed to satisfy constraint"
            )
        if name in self._groups:
            raise ApiError("ResourceAlreadyExistsException", "The specified log group already exists")
        self._groups[name] = Group(name, self.lab.arn("logs", f"log-group:{name}"), self._now())
        return {}

    def describe_log_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """Log groups by name; a prefix or a pattern (part of the name), not both."""
        prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        if prefix and part:
            raise ApiError(
                "InvalidParameterException",
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            )
        names = [name for name in sorted(self._groups) if name.startswith(prefix) and part in name]
        return self._page("logGroups", [self._group_shape(self._groups[name]) for name in names], request)

    def _group_shape(self, group: Group) -> dict[str, Any]:
        return {
            "logGroupName": group.name,
            "creationTime": group.created,
            **({"retentionInDays": group.retention} if group.retention else {}),
            "metricFilterCount": 0,
            "arn": f"{group.arn}:*",
            "logGroupArn": group.arn,
            "storedBytes": 0,
            "logGroupClass": "STANDARD",
        }

    def delete_log_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a group with all its streams and events."""
        del self._groups[self._group(request).name]
        return {}

    def put_retention_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """Events older than this many days are not shown any more."""
        if request["retentionInDays"] not in RETENTION_DAYS:
            raise ApiError(
                "InvalidParameterException", f"retentionInDays is one of {', '.join(map(str, RETENTION_DAYS))}"
            )
        self._group(request).retention = request["retentionInDays"]
        return {}

    # Streams

    def create_log_stream(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a stream, empty."""
        group, name = self._group(request), request["logStreamName"]
        if not re.fullmatch(r"[^:*]{1,512}", name):
            raise ApiError(
                "InvalidParameterException", f"Value '{name}' at 'logStreamName' failed to satisfy constraint"
            )
        if name in group.streams:
            raise ApiError("ResourceAlreadyExistsException", "The specified log stream already exists")
        group.streams[name] = Stream(name, self._now())
        return {}

    def describe_log_streams(self, request: dict[str, Any]) -> dict[str, Any]:
        """Streams by name or by their last event."""
        group, prefix = self._group(request), request.get("logStreamNamePrefix", "")
        by_time = request.get("orderBy") == "LastEventTime"
        if by_time and prefix:
            raise ApiError("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
        shapes = [
            self._stream_shape(group, stream) for name, stream in group.streams.items() if name.startswith(prefix)
        ]
        shapes.sort(key=lambda shape: (shape.get("lastEventTimestamp", 0) if by_time else 0, shape["logStreamName"]))
        return self._page("logStreams", shapes[::-1] if request.get("descending") else shapes, request)

    def _stream_shape(self, group: Group, stream: Stream) -> dict[str, Any]:
        events = list(self._visible(group, stream))
        times = (
            {
                "firstEventTimestamp": events[0].timestamp,
                "lastEventTimestamp": events[-1].timestamp,
                "lastIngestionTime": max(event.ingested for event in events),
            }
            if events
            else {}
        )
        return {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            **times,
            "uploadSequenceToken": str(len(stream.events) + 1),
            "arn": f"{group.arn}:log-stream:{stream.name}",
            "storedBytes": 0,  # deprecated: AWS says 0 for streams since 2019
        }

    # Events

    def put_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """Store a batch in chronological order; what is too old or too new is reported in rejectedLogEventsInfo."""
        group = self._group(request)
        stream, events, now = self._stream(group, request["logStreamName"]), request["logEvents"], self._now()
        self._check_batch(events)
        oldest = now - min(14, group.retention or 14) * DAY
        old = sum(event["timestamp"] < oldest for event in events)
        new = sum(event["timestamp"] > now + 2 * HOUR for event in events)
        for event in events[old : len(events) - new]:
            self._append(stream, event["timestamp"], event["message"])
        expired = group.retention is not None and group.retention < 14
        rejected = {
            **({"expiredLogEventEndIndex" if expired else "tooOldLogEventEndIndex": old} if old else {}),
            **({"tooNewLogEventStartIndex": len(events) - new} if new else {}),
        }
        return {
            "nextSequenceToken": str(len(stream.events) + 1),
            **({"rejectedLogEventsInfo": rejected} if rejected else {}),
        }

    def _check_batch(self, events: list[dict[str, Any]]) -> None:
        times = [event["timestamp"] for event in events]
        size = sum(len(event["message"].encode()) + EVENT_OVERHEAD for event in events)
        if not 1 <= len(events) <= BATCH_EVENTS or size > BATCH_BYTES:
            raise ApiError(
                "InvalidParameterException", f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}"
            )
        if times != sorted(times):
            raise ApiError(
                "InvalidParameterException",
                "Log events in a single PutLogEvents request must be in chronological order.",
            )
        if times[-1] - times[0] > DAY:
            raise ApiError(
                "InvalidParameterException",
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
            )

    def _append(self, stream: Stream, timestamp: int, message: str) -> None:
        event_id = f"{timestamp:020d}{next(self._numbers):036d}"
        event = Event(event_id, timestamp, stream.name, message, self._now())
        if stream.events and stream.events[-1].id > event_id:
            bisect.insort(stream.events, event)
        else:
            stream.events.append(event)

    def get_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """The events of one stream, a page forward or backward. At either end the answer repeats the token it was given."""
        group = self._group(request)
        events = [
            event
            for event in self._visible(group, self._stream(group, request["logStreamName"]))
            if request.get("startTime", 0) <= event.timestamp < request.get("endTime", 1 << 62)
        ]
        limit, token = request.get("limit", RETURNED_EVENTS), request.get("nextToken")
        direction, position = self._position(token) if token else ("f" if request.get("startFromHead") else "b", None)
        if direction == "f":
            shown = [event for event in events if position is None or event.id > position][:limit]
        else:
            shown = [event for event in events if position is None or event.id < position][-limit:]
        here = position or f"{request.get('startTime', 0):020d}{0:036d}"
        return {
            "events": [{"timestamp": e.timestamp, "message": e.message, "ingestionTime": e.ingested} for e in shown],
            "nextForwardToken": f"f/{shown[-1].id if shown else here}/s",
            "nextBackwardToken": f"b/{shown[0].id if shown else here}/s",
        }

    def _position(self, token: str) -> tuple[str, str]:
        match = re.fullmatch(r"([fb])/(\d{56})/s", token)
        if match is None:
            raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
        return match[1], match[2]

    def filter_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """Events of a group by time, streams and pattern. An empty page with a nextToken says nothing about the next page."""
        group = self._group(request)
        if not request.get("startFromHead", True):
            raise ApiError(
                "InvalidParameterException",
                "The lab's FilterLogEvents gives the oldest events first only: startFromHead is true.",
            )
        try:
            matches = compile_pattern(request.get("filterPattern", ""))
        except InvalidPattern as error:
            raise ApiError("InvalidParameterException", f"Invalid filter pattern: {error}") from error
        question = {key: value for key, value in request.items() if key not in ("nextToken", "limit")}
        query = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:12]
        after = self._after(request.get("nextToken"), query)
        most = SCANNED_EVENTS if after and not request.get("filterPattern") else FIRST_EVENTS
        found: list[dict[str, Any]] = []
        scanned, more, room = "", False, BATCH_BYTES
        limit = request.get("limit", RETURNED_EVENTS)
        events = self._between(group, request, after, most + 1)
        for event in events[:most]:
            room -= len(event.message) + EVENT_OVERHEAD
            if (room < 0 and found) or len(found) == limit:
                more = True
                break
            scanned = event.id
            if matches(event.message):
                found.append(self._event_shape(event))
        more = more or len(events) > most
        return {"events": found, "searchedLogStreams": [], **({"nextToken": f"{query}/{scanned}"} if more else {})}

    def _after(self, token: str | None, query: str) -> str:
        if token is None:
            return ""
        match = re.fullmatch(rf"{query}/(\d{{56}})", token)
        if match is None:  # not a token, or one that was given for another question
            raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
        return match[1]

    def _between(self, group: Group, request: dict[str, Any], after: str, most: int) -> list[Event]:
        """The first so many events that were asked for, in order."""
        names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
        if names and prefix:
            raise ApiError(
                "InvalidParameterException", "You cannot specify both logStreamNames and logStreamNamePrefix."
            )
        streams = [self._stream(group, name) for name in names] if names else group.streams.values()
        start, end = request.get("startTime", 0), request.get("endTime", 1 << 62)
        # Ids begin with the time, so nothing before has to be gone through: a page costs the same wherever it is in the log.
        first = max(after, f"{start:020d}")
        chosen = [stream for stream in streams if stream.name.startswith(prefix or "")]
        # Each stream is in order; sorting several of these is merging them.
        events = [event for stream in chosen for event in self._page_of(group, stream, first, end, most)]
        events.sort()
        return events[:most]

    def _page_of(self, group: Group, stream: Stream, after: str, end: int, most: int) -> list[Event]:
        """Up to so many events of a stream that can be found, from the first on whose id is above `after`, to a time."""
        found = itertools.takewhile(lambda event: event.timestamp <= end, self._visible(group, stream, after))
        return list(itertools.islice(found, most))

    def _event_shape(self, event: Event) -> dict[str, Any]:
        return {
            "logStreamName": event.stream,
            "timestamp": event.timestamp,
            "message": event.message,
            "ingestionTime": event.ingested,
            "eventId": event.id,
        }

    def _visible(self, group: Group, stream: Stream, after: str = "") -> Iterator[Event]:
        """The events of a stream that can be found now, in order, from the first on whose id is above `after`."""
        now = self._now()
        ingested = now - self.lab.durations.log_ingestion * 1000
        kept = now - group.retention * DAY if group.retention else 0
        start = bisect.bisect_right(stream.events, after, key=lambda event: event.id)
        found = itertools.islice(stream.events, start, None)
        return (event for event in found if event.ingested <= ingested and event.timestamp >= kept)

    # What is not API: the awslogs driver of a task

    def open(self, group: str, stream: str) -> None:
        """What the awslogs driver does before a container starts: create the stream when it is missing.

        :raises StartFailure: when the log group does not exist.
        """
        with self.lab.lock:
            if group not in self._groups:
                raise StartFailure(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                    "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
                )
            self._groups[group].streams.setdefault(stream, Stream(stream, self._now()))

    def write(self, group: str, stream: str, message: str) -> None:
        """One event now; it can be found after durations.log_ingestion. An empty line is dropped, as the driver does.

        :raises StartFailure: when the log group does not exist.
        """
        with self.lab.lock:
            self.open(group, stream)
            if message:
                self._append(self._groups[group].streams[stream], self._now(), message)

    # Shapes

    def _now(self) -> int:
        return int(self.lab.now().timestamp() * 1000)

    def _group(self, request: dict[str, Any]) -> Group:
        name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
        if bool(name) == bool(identifier):
            raise ApiError(
                "InvalidParameterException", "Exactly one of logGroupName or logGroupIdentifier is required."
            )
        name = name or str(identifier).removesuffix(":*").removeprefix(self.lab.arn("logs", "log-group:"))
        if name not in self._groups:
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._groups[name]

    def _stream(self, group: Group, name: str) -> Stream:
        if name not in group.streams:
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        return group.streams[name]

    def _page(self, key: str, items: list[Any], request: dict[str, Any]) -> dict[str, Any]:
        try:
            shown, token = paging.page(items, request.get("nextToken"), request.get("limit", 50))
        except paging.BadToken as error:
            raise ApiError("InvalidParameterException", "The specified nextToken is invalid.") from error
        return {key: shown, **({"nextToken": token} if token else {})}
