# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When is read what; the lines come from memory, and a second is over at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._logs import read as reading
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import ERROR_PATTERNS, compiled
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.read import (
    read,
    read_baseline,
    wait_until_readable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import Event, Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import Clock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IS_ERROR = compiled(ERROR_PATTERNS)


class Time:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self):
        self.passed = 0.0
        self.clock = Clock(lambda: self.passed, self._sleep)

    def _sleep(self, seconds):
        self.passed += seconds


class Logs:
    """Lines by stream, each (seconds after noon, text); a line can be read ``lag`` seconds after the tests began."""

    def __init__(self, streams, lag=0.0, time=None):
        self.streams, self.lag, self.time = streams, lag, time or Time()
        self.asked = []

    def pages(self, _group, names, start):
        self.asked.append(list(names))
        yield from self._pages(names, start)

    def has_logged(self, _group, names, start):
        return any(self._pages(names, start))

    def pages_before(self, _group, prefix, start, end):
        names = [name for name in self.streams if name.startswith(prefix)]
        for page in self._pages(names, start):
            yield [event for event in page if event.timestamp < end]

    def _pages(self, names, start):
        if self.time.passed < self.lag:
            return
        for name in names:
            for place, (seconds, text) in enumerate(self.streams.get(name, [])):
                event = Event(f"{name}{place}", int((NOON.timestamp() + seconds) * 1000), text, name)
                if event.timestamp >= start:
                    yield [event]


def stream(name, dead=False, group="/ecs/app"):
    return Stream("app", group, name, NOON, dead)


def found_in(logs, streams, timeout=30):
    return read(logs, streams, IS_ERROR, (), timeout, logs.time.clock)


def test_a_hundred_streams_are_read_in_one_go_and_a_hundred_and_one_in_two():
    streams = {f"ecs/web/{number:03}": [(0, "hello")] for number in range(101)}
    logs = Logs(streams)
    found = found_in(logs, [stream(name) for name in streams])
    assert sorted(map(len, logs.asked)) == [1, 100]
    assert (found.lines, found.silent, logs.time.passed) == (101, (), 0)


def test_streams_of_other_groups_are_read_apart():
    logs = Logs({"a": [(0, "Error: a")], "b": [(0, "Error: b")]})
    found = found_in(logs, [stream("a"), stream("b", group="/ecs/web")])
    assert sorted(logs.asked) == [["a"], ["b"]]
    assert {group.example for group in found.collection.groups} == {"Error: a", "Error: b"}


def test_what_can_be_read_only_later_is_waited_for_and_read_then():
    logs = Logs({"a": [(0, "Error: late")]}, lag=5)
    found = found_in(logs, [stream("a")])
    assert 5 <= logs.time.passed < 7
    assert (found.lines, found.silent) == (1, ())
    assert [group.count for group in found.collection.groups] == [1]


def test_who_never_logs_is_silent_at_the_limit():
    logs = Logs({"a": [(0, "hello")]})
    found = found_in(logs, [stream("a"), stream("b")], timeout=20)
    assert logs.time.passed == 20
    assert [item.name for item in found.silent] == ["b"]


def test_nobody_waits_for_the_first_line_of_another_task_where_an_error_decides_or_of_one_that_is_dead():
    logs = Logs({"a": [(0, "Error: x")]})
    assert [item.name for item in found_in(logs, [stream("a"), stream("b")]).silent] == ["b"]
    calm = Logs({"a": [(0, "hello")]})
    assert found_in(calm, [stream("a"), stream("b", dead=True)]).silent == ()
    assert (logs.time.passed, calm.time.passed) == (0, 0)


def test_a_container_that_never_logs_is_not_waited_for_where_another_of_its_task_does():
    logs = Logs({"ecs/web/t1": [(0, "hello")]})
    found = found_in(logs, [stream("ecs/web/t1"), stream("ecs/proxy/t1")])
    assert (found.silent, logs.time.passed) == ((), 0)
    late = Logs({"ecs/web/t1": [(0, "Error: late")]}, lag=5)
    found = found_in(late, [stream("ecs/proxy/t1"), stream("ecs/web/t1")])
    assert (found.silent, found.lines) == ((), 1)
    assert late.time.passed < 7


def test_reading_waits_for_a_line_that_is_younger_than_the_requests():
    logs = Logs({"a": [(0, "start"), (7, "request")]}, lag=3)
    wait_until_readable(logs, [stream("a")], NOON + timedelta(seconds=6), 10, logs.time.clock)
    assert 3 <= logs.time.passed < 4


def test_where_nothing_is_logged_any_more_it_does_not_wait_for_ever():
    logs = Logs({"a": [(0, "start")]})
    wait_until_readable(logs, [stream("a")], NOON + timedelta(seconds=6), 10, logs.time.clock)
    assert logs.time.passed == 10
    idle = Logs({})
    wait_until_readable(idle, [], NOON, 10, idle.time.clock)
    assert idle.time.passed == 0


BEFORE = {"ecs/web/old": [(-3700, "Error: long ago"), (-10, "Error: old 1"), (-5, "Error: old 2"), (1, "Error: new")]}


def test_the_time_before_is_read_whatever_the_tasks_were():
    baseline = read_baseline(
        Logs({**BEFORE, "ecs/cron/x": [(-1, "Error: cron")]}), {("/ecs/app", "ecs/web/")}, IS_ERROR, NOON, 60
    )
    assert (baseline.counts, baseline.lines, baseline.whole) == ({"Error: old <n>": 2}, 2, True)


def test_a_long_time_before_is_not_read_to_its_end_and_says_so(monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_BASELINE", 1)
    baseline = read_baseline(Logs(BEFORE), {("/ecs/app", "ecs/web/")}, IS_ERROR, NOON, 60)
    assert (baseline.lines, baseline.whole) == (1, False)
