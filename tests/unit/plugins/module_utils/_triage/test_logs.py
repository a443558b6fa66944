# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import Container, ServiceTask, TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import ERROR_PATTERNS, compiled
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import Event, Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._triage.gateway import Dead
from ansible_collections.spymeo.rollback.plugins.module_utils._triage.logs import (
    MOST_KINDS,
    LogReader,
    streams,
    tasks_to_read,
    told,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._triage.state import ServiceSeen, StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import Clock

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
STREAM = Stream("app", "/ecs/app", "ecs/app/aaaa", NIGHT)
OTHER = Stream("app", "/ecs/app", "ecs/app/bbbb", NIGHT)
IS_ERROR = compiled(ERROR_PATTERNS)
LISTENING = '{"level":"info","msg":"listening"}'
P1001 = [
    "PrismaClientInitializationError: ",
    "Invalid `prisma.$queryRaw()` invocation:",
    "",
    "Can't reach database server at `db.example.org:5433`",
]


class Logs:
    """A gateway over lists of lines; ``later`` are there from the second reading on."""

    def __init__(self, lines, later=()):
        self._lines, self._later = lines, list(later)
        self.readings = []

    def pages(self, group, names, start):
        (name,) = names
        self.readings.append(start)
        lines = list(self._lines.get(name, ()))
        if len(self.readings) > 1:
            lines += self._later
        events = [Event(f"e{number}", number, line, name) for number, line in enumerate(lines)]
        return (events[place : place + 1000] for place in range(0, len(events), 1000))


class Time:
    """A clock that goes only when somebody sleeps, or by ``step`` at each look."""

    def __init__(self, step=0.0):
        self._now, self._step = 0.0, step
        self.clock = Clock(self.now, self.sleep)

    def now(self):
        self._now += self._step
        return self._now

    def sleep(self, seconds):
        self._now += seconds


def reader(logs, time=None, deadline=60):
    return LogReader(logs, IS_ERROR, (time or Time()).clock, deadline)


def seen(lines, before=()):
    tallies = reader(Logs({STREAM.name: lines})).read_all([STREAM])
    earlier = reader(Logs({STREAM.name: before})).read_all([STREAM])
    return told([(STREAM.name, "app")], tallies, [STREAM.name], earlier)


def test_counts_errors_by_kind_with_codes_example_and_the_address_that_was_looked_for():
    found = seen([LISTENING, *P1001, LISTENING, *P1001, LISTENING, "TypeError: password=hunter2"])
    first, second = found.errors
    assert (first.count, first.service) == (2, "app")
    assert second.example == "TypeError: password=********"
    assert found.addresses == ("db.example.org:5433",)
    assert (found.lines, found.streams, found.silent, found.complete) == (12, 1, (), True)


def test_reads_the_address_as_older_versions_of_prisma_write_it():
    assert seen([*P1001[:3], "Can't reach database server at `db`:`5432`"]).addresses == ("db:5432",)


def test_tells_what_the_release_before_logged_as_well():
    found = seen(["TypeError: new", "ERROR pool is full"], before=["ERROR pool is full"] * 3)
    assert {error.fingerprint: error.before for error in found.errors} == {"TypeError: new": 0, "ERROR pool is full": 3}


def test_tells_streams_without_a_line():
    tallies = reader(Logs({STREAM.name: [LISTENING]})).read_all([STREAM, OTHER])
    names = [(STREAM.name, "app"), (OTHER.name, "app")]
    assert told(names, tallies, [STREAM.name, OTHER.name], []).silent == (OTHER.name,)


def test_stops_when_time_is_up_and_says_so():
    tally = reader(Logs({STREAM.name: [LISTENING] * 5000}), Time(step=40)).read(STREAM)
    assert (tally.lines, tally.complete) == (2000, False)


def test_waits_for_an_error_that_is_new_and_looks_only_at_what_is_new():
    known, time = ["ERROR pool is full"], Time()
    logs = Logs({STREAM.name: known}, later=["TypeError: new"])
    since = NIGHT + timedelta(minutes=1)
    (tally,) = reader(logs, time).until_new([STREAM], since, {"ERROR pool is full"}, 3)
    assert list(tally.kinds) == ["TypeError: new"]
    assert tally.lines == 0
    assert set(logs.readings) == {int(since.timestamp() * 1000)}


def test_waits_no_longer_than_it_may():
    time = Time()
    (tally,) = reader(Logs({STREAM.name: [LISTENING]}), time).until_new([STREAM], NIGHT, set(), 3)
    assert not tally.kinds
    assert 3 <= time.now() < 4


def peak(lines):
    """Bytes that reading so many lines takes at most, every tenth an error of one of many kinds."""

    class Endless:
        def pages(self, _group, _names, _start):
            for first in range(0, lines, 1000):
                numbers = range(first, first + 1000)
                texts = [f"ERROR kind{'x' * (number % 7000)}" if number % 10 == 0 else LISTENING for number in numbers]
                yield [Event(f"e{number}", number, text) for number, text in zip(numbers, texts, strict=True)]

    tracemalloc.start()
    tally = reader(Endless()).read(STREAM)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tally.lines == lines
    assert len(tally.kinds) <= MOST_KINDS
    return most


def test_memory_does_not_grow_with_the_log():
    assert peak(36_000) < peak(12_000) * 1.5


def task(name, service, definition):
    return ServiceTask(name, service, f"arn:aws:ecs:eu-west-3:1:task-definition/{definition}", NIGHT, "RUNNING")


def dead(name, release, minute):
    ended = StoppedTask("app", release, "EssentialContainerExited", "exited", NIGHT + timedelta(minutes=minute), name)
    return Dead(ended, f"arn:aws:ecs:eu-west-3:1:task-definition/{release}", NIGHT - timedelta(days=2))


SERVICE = ServiceSeen("app", "app:42", 2, 2, came=NIGHT, before="app:41")


def test_reads_what_runs_what_ended_of_it_and_the_last_hour_of_the_release_before():
    running = [task("live", "app", "app:42")]
    gone = [
        dead("crashed", "app:42", 5),
        dead("replaced", "app:41", 1),
        dead("older", "app:40", 1),
        dead("earlier", "app:42", -5),
    ]
    live, ended, before = tasks_to_read(running, gone, [SERVICE])
    assert [task.id for task in live] == ["live"]
    assert [task.id for task in ended] == ["crashed"]
    assert [(task.id, task.created) for task in before] == [
        ("replaced", NIGHT + timedelta(minutes=1) - timedelta(hours=1))
    ]


def test_the_release_before_may_still_run():
    running = [task(name, "app", f"app:{name}") for name in ("41", "42")]
    live, _ended, before = tasks_to_read(running, [], [SERVICE])
    assert ([task.id for task in live], [task.id for task in before]) == (["42"], ["41"])


def test_what_was_brought_back_is_not_compared_with_itself():
    back = ServiceSeen("app", "app:41", 2, 2, came=NIGHT - timedelta(days=2), before="app:41", brought_back=True)
    running = [task("41", "app", "app:41")]
    live, _ended, before = tasks_to_read(running, [], [back])
    assert ([task.id for task in live], before) == (["41"], [])


def test_names_the_streams_of_each_service():
    tasks = [task("aaaa", "app", "app:1"), task("bbbb", "worker", "worker:1")]
    containers = {"app:1": Container("app", "i", log_group="/ecs/app", log_prefix="ecs")}
    containers["worker:1"] = Container("job", "i", log_group="/ecs/worker", log_prefix="ecs")
    definitions = {
        each.task_definition: TaskDefinition(each.task_definition, "ACTIVE", NIGHT, (containers[name],))
        for name, each in zip(containers, tasks, strict=True)
    }
    found = streams(tasks, definitions, ["/ecs/app", "/ecs/worker"])
    assert [stream.name for stream in found] == ["ecs/app/aaaa", "ecs/job/bbbb"]
    with pytest.raises(BadInput, match="no container of service worker logs there"):
        streams(tasks, definitions, ["/ecs/app"])
