# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a line says, when it is worth printing, and what redraws a block. No clock: the time is given."""

from __future__ import annotations

import dataclasses
import itertools
import json

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import datagram
from ansible_collections.spymeo.rollback.plugins.plugin_utils._waits import (
    Over,
    Printed,
    Task,
    Wait,
    block,
    due_in,
    hours,
    read_datagram,
    redrawn,
    task_due_in,
    task_line,
    usual,
    wait_line,
)
from hypothesis import given
from hypothesis import strategies as st

TOLD = dict(pid=7, what="restore", key="db", done=0, total=1, detail="db is creating", elapsed=12, estimate=None)
WAIT = Wait(7, "restore", "db", 0.0, 1.0, "db is creating", 12.0, None, 100.0)
HALF = dataclasses.replace(WAIT, done=1.0, total=2.0, estimate=60.0)


def test_reads_what_modules_tell():
    assert read_datagram(datagram(TOLD), 100.0) == WAIT
    assert read_datagram(datagram(dict(pid=7, what="restore", key="db", detail="", over=True)), 100.0) == Over(
        7, "restore", "db"
    )
    assert Over(7, "restore", "db").id == WAIT.id


@pytest.mark.parametrize(
    "change", [dict(pid=0), dict(pid="7"), dict(done="1"), dict(elapsed=float("inf")), dict(what=1)]
)
def test_what_is_no_wait_is_not_read(change):
    assert read_datagram(datagram(dict(TOLD, **change)) if "what" not in change else b'{"what":1,"pid":7}', 0.0) is None


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*TOLD, "over"], VALUES)))
def test_an_answer_of_any_shape_is_a_line_or_nothing(told):
    wait = read_datagram(json.dumps(told).encode(), 0.0)
    assert wait is None or isinstance(wait, Over) or wait_line(wait, 1.0).isprintable()


@given(st.binary(max_size=1024))
def test_what_is_not_json_is_not_read(sent):
    assert read_datagram(b"\xff" + sent, 0.0) is None


def test_nothing_that_moves_a_cursor_is_shown():
    told = read_datagram(datagram(dict(TOLD, detail="a\x1b[2Jb\r\nc")), 0.0)
    assert told.detail == "a [2Jb  c"


@pytest.mark.parametrize(
    ("wait", "now", "text"),
    [
        (WAIT, 100, "WAIT      restore of db 0:12: db is creating"),
        (WAIT, 148.9, "WAIT      restore of db 1:00: db is creating"),
        (dataclasses.replace(WAIT, key=""), 100, "WAIT      restore 0:12: db is creating"),
        (HALF, 100, "WAIT      restore of db 0:12, 1 of 2, about 1:00 left: db is creating"),
        (HALF, 110, "WAIT      restore of db 0:22, 1 of 2, about 0:50 left: db is creating"),
        (HALF, 500, "WAIT      restore of db 6:52, 1 of 2, about 0:00 left: db is creating"),
    ],
)
def test_a_line_says_what_is_awaited_how_long_and_how_far(wait, now, text):
    assert wait_line(wait, now) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (754, "12:34"), (3723, "1:02:03")])
def test_time_reads_as_on_a_clock(seconds, text):
    assert hours(seconds) == text


@pytest.mark.parametrize(
    ("printed", "now", "seconds"),
    [
        (None, 100, 0),  # new
        (Printed(WAIT.news, 50), 100, 10),  # only time has passed
        (Printed(WAIT.news, 40), 100, 0),
        (Printed(HALF.news, 98), 100, 3),  # moved, but printed 2 s ago
        (Printed(HALF.news, 95), 100, 0),
        (Printed(HALF.news, 10), 100, 0),
    ],
)
def test_prints_news_and_not_more_often_than_the_interval(printed, now, seconds):
    assert due_in(WAIT, printed, 5, 60, now) == seconds


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 3)), max_size=60), st.floats(0.1, 10))
def test_two_lines_of_a_wait_are_never_closer_than_the_interval(looks, interval):
    now, printed, times = 0.0, None, []
    for pause, done in looks:
        now += pause
        wait = dataclasses.replace(WAIT, done=done)
        if due_in(wait, printed, interval, 1000, now) == 0:
            printed = Printed(wait.news, now)
            times.append(now)
    assert all(later - earlier >= interval - 1e-6 for earlier, later in itertools.pairwise(times))


@given(st.lists(st.floats(0, 30), max_size=60), st.floats(30, 90))
def test_no_minute_is_silent(pauses, heartbeat):
    """A look comes at least every 30 s here, so a line comes at least every heartbeat and 30 s."""
    now, printed, times = 0.0, None, [0.0]
    for pause in pauses:
        now += pause
        if due_in(WAIT, printed, 5, heartbeat, now) == 0:
            printed = Printed(WAIT.news, now)
            times.append(now)
    assert all(later - earlier <= heartbeat + 30 for earlier, later in itertools.pairwise([*times, now]))


@pytest.mark.parametrize(
    ("since", "last", "seconds"), [(100, None, 60), (40, None, 0), (40, 90, 50), (95, 50, 55), (0, 10, 0)]
)
def test_a_task_that_tells_nothing_is_told_once_in_a_while(since, last, seconds):
    assert task_due_in(Task("Verify", since), last, 60, 100) == seconds


def test_the_line_of_a_task_has_its_time_before_its_name():
    assert task_line(Task("Verify the\x1b[2J application", 40), 200) == "WAIT      2:40: Verify the [2J application"


@pytest.mark.parametrize(
    ("results", "known"),
    [
        ({"expected": {"restore": {"seconds": 312.0, "runs": 3}}}, {"restore": 312.0}),
        ({"expected": {}}, {}),
        ({}, {}),
        ({"expected": ["restore"]}, {}),
        ({"expected": {"restore": {"seconds": "x"}}}, {}),
        ({"expected": {"restore": {"seconds": float("nan")}}}, {}),
        ({"expected": {"restore": 3}}, {}),
    ],
)
def test_how_long_it_usually_takes_is_learned_from_the_run(results, known):
    assert usual(results) == known


def test_a_line_says_how_long_it_usually_takes_unless_it_knows_better():
    assert wait_line(WAIT, 100, 312.0) == "WAIT      restore of db 0:12, usually 5:12: db is creating"
    assert "usually" not in wait_line(HALF, 100, 312.0)


def test_a_block_fits_a_terminal():
    assert block(["a" * 100, "b"], 80, 24) == ["a" * 79, "b"]
    assert block(["1", "2", "3", "4"], 80, 4) == ["1", "2", "WAIT      and 2 more"]
    assert block([], 80, 24) == []


def test_a_block_is_drawn_over_the_one_before():
    assert redrawn(0, ["a", "b"]) == "a\nb\n"
    assert redrawn(2, ["a"]) == "\x1b[2A\x1b[Ja\n"
    assert redrawn(1, []) == "\x1b[1A\x1b[J"
