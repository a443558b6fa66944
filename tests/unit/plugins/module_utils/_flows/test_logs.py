# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When is read what; the lines come from memory, and a second is over at once."""

from __future__ import annotations

import re
import tracemalloc
from datetime import UTC, datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs import found as found_file
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import Reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event, Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._flows import logs as reading
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.logs import (
    LogReader,
    read_baseline,
    wait_until_readable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULES = Rules()
STREAM = Stream("app", "/ecs/app", "ecs/web/t1", NOON, container="web")


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
        self.asked, self.times = [], []

    def pages(self, _group, names, start, end=None):
        self.asked.append(list(names))
        self.times.append((start / 1000 - NOON.timestamp(), None if end is None else end / 1000 - NOON.timestamp()))
        for page in self._pages(names, start):
            yield [event for event in page if end is None or event.timestamp < end]

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


def stream(name, dead=False, group="/ecs/app", since=NOON, essential=True):
    return Stream("app", group, name, since, dead, "web", essential)


def reader(logs, **options):
    return LogReader(logs, RULES, clock=logs.time.clock, **options)


def found_in(logs, streams, timeout=30):
    return reader(logs).read_when_heard(streams, timeout)


def test_a_hundred_streams_are_read_in_one_go_and_a_hundred_and_one_in_two():
    streams = {f"ecs/web/{number:03}": [(0, "hello")] for number in range(101)}
    logs = Logs(streams)
    found = found_in(logs, [stream(name) for name in streams])
    assert {len(names) for names in logs.asked} == {1, 100}
    assert (found.lines, found.silent, logs.time.passed) == (101, (), 0)


def test_streams_of_other_groups_are_read_apart():
    logs = Logs({"a": [(0, "Error: a")], "b": [(0, "Error: b")]})
    found = found_in(logs, [stream("a"), stream("b", group="/ecs/web")])
    assert {tuple(names) for names in logs.asked} == {("a",), ("b",)}
    assert {group.example for group in found.collection.groups} == {"Error: a", "Error: b"}


def test_the_newest_come_first_in_slices_of_time_that_grow_and_meet():
    logs = Logs({"a": [(seconds, f"ERROR at {seconds}") for seconds in range(0, 3600, 60)]})
    found = reader(logs).read([stream("a")], NOON + timedelta(hours=1))
    assert logs.times == [(3480, None), (3240, 3480), (2760, 3240), (1800, 2760), (0, 1800)]
    assert [(group.count, group.first) for group in found.collection.groups] == [(60, int(NOON.timestamp() * 1000))]
    assert (found.back_to, found.seconds) == (None, 3600)


def test_a_task_that_has_run_for_weeks_is_read_back_to_the_window():
    logs = Logs({"a": [(0, "Error: weeks ago"), (86_400 * 20 - 10, "hello")]})
    now = NOON + timedelta(days=20)
    found = reader(logs, window=3600).read([stream("a")], now)
    assert (found.lines, found.collection.groups, found.seconds) == (1, [], 3600)
    assert logs.times[-1][0] == 86_400 * 20 - 3600


def test_of_a_task_that_was_silent_within_the_window_the_last_words_are_read():
    logs = Logs({"a": [(0, "hello"), (86_400, "FATAL: gone")], "b": [(86_400 * 20 - 10, '{"level":"info"}')]})
    found = reader(logs, window=3600).read([stream("a"), stream("b")], NOON + timedelta(days=20))
    assert [group.example for group in found.collection.groups] == ["FATAL: gone"]
    assert found.heard == {("/ecs/app", "a"), ("/ecs/app", "b")}
    silent = reader(Logs({}), window=3600).read([stream("a")], NOON + timedelta(days=20))
    assert (silent.lines, silent.heard, silent.back_to) == (0, set(), None)


def test_when_time_is_up_the_newest_have_been_read_and_it_says_how_far():
    logs = Logs({"a": [(seconds, f"ERROR at {seconds}") for seconds in range(3600)]})
    clock = Clock(lambda: float(len(logs.times) > 2), None)
    found = LogReader(logs, RULES, clock=clock, deadline=0.5).read([stream("a")], NOON + timedelta(hours=1))
    assert found.back_to == NOON + timedelta(seconds=3240)
    assert 360 <= found.lines < 480


def test_lines_that_came_together_with_an_older_slice_belong_to_none_of_it():
    logs = Logs({"a": [(0, "Error: x"), (3480, "    at f"), (3500, '{"level":"info"}')]})
    found = reader(logs).read([stream("a")], NOON + timedelta(hours=1))
    assert [group.example for group in found.collection.groups] == ["Error: x"]


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


def test_a_sidecar_vouches_for_nobody():
    logs = Logs({"ecs/proxy/t1": [(0, "hello")]})
    found = found_in(logs, [stream("ecs/web/t1"), stream("ecs/proxy/t1", essential=False)])
    assert [item.name for item in found.silent] == ["ecs/web/t1"]
    idle = Logs({"ecs/web/t1": [(0, "hello")]})
    found = found_in(idle, [stream("ecs/web/t1"), stream("ecs/proxy/t1", essential=False)])
    assert (found.silent, idle.time.passed) == ((), 0)


def test_what_was_understood_is_counted_by_container_and_not_of_those_that_are_not_essential():
    logs = Logs({"a": [(0, "EEK"), (1, '{"level":"info"}')], "b": [(0, "EEK")], "c": [(0, "EEK")]})
    streams = [stream("a"), stream("b"), Stream("app", "/ecs/app", "c", NOON, container="proxy", essential=False)]
    (unclear,) = reader(logs).read(streams).unclear
    assert (unclear.container, unclear.lines, unclear.unknown, unclear.example) == ("web", 3, 2, "EEK")


def test_examples_of_what_nobody_understands_hold_no_secrets():
    (unclear,) = reader(Logs({"a": [(0, "EEK password=hunter2")]})).read([stream("a")]).unclear
    assert unclear.example == "EEK password=********"


def test_waits_for_an_error_that_is_new_and_looks_only_at_what_is_new():
    logs = Logs({"a": [(1, "ERROR pool is full"), (70, "TypeError: new"), (71, "ERROR pool is full")]}, lag=1)
    since = NOON + timedelta(minutes=1)
    found = reader(logs).until_new([stream("a")], since, {"ERROR pool is full"}, 3)
    assert [group.example for group in found.groups] == ["TypeError: new"]
    assert min(start for start, _end in logs.times) == 60


def test_waits_no_longer_than_it_may():
    logs = Logs({})
    assert reader(logs).until_new([stream("a")], NOON, set(), 3).groups == []
    assert 3 <= logs.time.passed < 4


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
    logs = Logs({**BEFORE, "ecs/cron/x": [(-1, "Error: cron")]})
    baseline = read_baseline(logs, [STREAM], RULES, NOON, 60)
    assert (baseline.counts, baseline.lines, baseline.whole) == ({"Error: old <n>": 2}, 2, True)
    assert baseline.seconds == 3600


def test_a_long_time_before_is_not_read_to_its_end_and_says_so(monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_BASELINE", 1)
    baseline = read_baseline(Logs(BEFORE), [STREAM], RULES, NOON, 60)
    assert (baseline.lines, baseline.whole, baseline.seconds) == (1, False, 3590)


def read_pages(*pages, noise=(), streams=(STREAM,)):
    """The Reading of pages of (id, stream name, line)."""
    found = Reading("/ecs/app", streams, RULES, noise)
    for page in pages:
        found.take(Event(number, 10**15, line, name) for number, name, line in page)
    found.cut()
    return found


def test_an_event_that_is_read_twice_counts_once():
    error, more = ("1", STREAM.name, "Error: e"), ("2", STREAM.name, "  at x")
    found = read_pages([error, more], [error, more, ("3", STREAM.name, "plain")])
    assert [(group.count, group.example) for group in found.collection.groups] == [(1, "Error: e\n  at x")]
    assert found.lines == 3


def test_streams_that_take_turns_in_a_page_keep_their_errors_apart():
    a, b = STREAM.name, "ecs/web/t2"
    found = read_pages([("1", a, "TypeError: a"), ("2", b, "RangeError: b"), ("3", a, "  at a"), ("4", b, "  at b")])
    assert {group.example for group in found.collection.groups} == {"TypeError: a\n  at a", "RangeError: b\n  at b"}
    assert found.heard == {a, b}


def test_what_was_logged_before_a_stream_counts_is_left_out():
    found = Reading("/ecs/app", [STREAM], RULES)
    before = int(NOON.timestamp() * 1000) - 1
    found.take([Event("1", before, "Error: x", STREAM.name), Event("2", before + 1, "Error: y", STREAM.name)])
    found.cut()
    assert [group.example for group in found.collection.groups] == ["Error: y"]


def known(pattern, expired=False):
    return Noise(re.compile(pattern), "seen for months", NOON.date(), expired)


def test_known_noise_does_not_count_and_is_looked_for_in_all_lines_of_an_error():
    page = [("1", STREAM.name, "Error: e"), ("2", STREAM.name, "  flaky provider"), ("3", STREAM.name, "Error: other")]
    collection = read_pages(page, noise=[known("flaky")]).collection
    assert [group.example for group in collection.groups] == ["Error: other"]
    assert collection.hits == [1]


def test_noise_that_has_expired_counts_again_and_is_counted_as_such():
    collection = read_pages([("1", STREAM.name, "Error: flaky")], noise=[known("flaky", expired=True)]).collection
    assert [group.count for group in collection.groups] == [1]
    assert collection.hits == [1]


def test_an_error_that_two_entries_match_is_noise_while_one_is_in_force():
    noise = [known("flaky", expired=True), known("Error"), known("Error")]
    collection = read_pages([("1", STREAM.name, "Error: flaky")], noise=noise).collection
    assert (collection.groups, collection.hits) == ([], [1, 1, 0])


def peak(lines):
    """Bytes that reading so many lines takes at most, every tenth an error of one of many kinds."""

    class Endless:
        def pages(self, _group, _names, _start, end=None):
            for first in range(0, lines if end is None else 0, 1000):
                numbers = range(first, first + 1000)
                texts = [f"ERROR {number % 70_000:x}g" if number % 2 else '{"level":"info"}' for number in numbers]
                yield [
                    Event(f"e{number}", 2 * 10**12 + number, text, "a")
                    for number, text in zip(numbers, texts, strict=True)
                ]

    tracemalloc.start()
    found = LogReader(Endless(), RULES).read([stream("a")])
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.lines == lines
    return most


def test_memory_does_not_grow_with_the_log(monkeypatch):
    monkeypatch.setattr(found_file, "REMEMBERED", 1000)
    assert peak(12_000) < peak(4_000) * 1.5
