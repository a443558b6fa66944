# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import Container, ServiceTask, TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import (
    ERROR_PATTERNS,
    Collection,
    Reading,
    compiled,
    entries,
    fingerprint,
    judge,
    prisma_codes,
    streams_of,
    without_secrets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.noise import Noise
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.state import ErrorGroup, Event, Stream
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TASKS = [
    ServiceTask("t1", "app", "td:1", NOON, "RUNNING"),
    ServiceTask("t2", "app", "td:2", NOON + timedelta(minutes=1), "RUNNING"),
]


def definition(arn, *logs):
    """A TaskDefinition whose containers log to (name, group, prefix)."""
    containers = tuple(Container(name, "i", log_group=group, log_prefix=prefix) for name, group, prefix in logs)
    return TaskDefinition(arn, "ACTIVE", NOON, containers)


DEFINITIONS = {
    "td:1": definition("td:1", ("web", "/ecs/app", "ecs"), ("proxy", "/ecs/proxy", "ecs"), ("agent", None, None)),
    "td:2": definition("td:2", ("web", "/ecs/app", "v2"), ("init", "/ecs/app", None)),
}
STREAM = Stream("app", "/ecs/app", "ecs/web/t1", NOON)
IS_ERROR = compiled(ERROR_PATTERNS)


def events(text):
    return [Event(str(number), 1000 + number, line) for number, line in enumerate(text.splitlines())]


def found(text, is_error=IS_ERROR):
    return [lines for _first, lines in entries(events(text), is_error)]


def test_looks_at_the_streams_of_the_running_tasks_from_their_start():
    assert streams_of(TASKS, DEFINITIONS, ["/ecs/app"], None) == [
        Stream("app", "/ecs/app", "ecs/web/t1", NOON),
        Stream("app", "/ecs/app", "v2/web/t2", NOON + timedelta(minutes=1)),
    ]


def test_a_later_time_moves_the_start_and_an_earlier_one_does_not():
    since = NOON + timedelta(seconds=30)
    assert [stream.since for stream in streams_of(TASKS, DEFINITIONS, ["/ecs/app"], since)] == [since, TASKS[1].created]


def test_refuses_groups_that_no_container_logs_to_and_says_where_they_log():
    with pytest.raises(BadInput, match=r"rollback_log_groups .* They log to /ecs/app, /ecs/proxy"):
        streams_of(TASKS, DEFINITIONS, ["/ecs/other"], None)
    with pytest.raises(BadInput, match="do not use awslogs"):
        streams_of(TASKS, {"td:1": definition("td:1"), "td:2": definition("td:2")}, ["/ecs/app"], None)


def test_without_a_task_there_is_no_stream_and_no_complaint():
    assert streams_of([], {}, ["/ecs/app"], None) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"error","msg":"unhandled error"}',
        '{"time":1,"level":50,"msg":"x"}',
        "2026-11-22 ERROR could not",
        "[FATAL] could not",
        "TypeError: Cannot read properties of undefined",
        "Uncaught ReferenceError: x is not defined",
        "PrismaClientKnownRequestError: ",
        "  code: 'P2022',",
        "(node:1) UnhandledPromiseRejection: unhandled rejection",
        "Error: Cannot find module",
    ],
)
def test_knows_an_error(line):
    assert IS_ERROR.search(line)


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"info","msg":"GET /api/errors 200"}',
        '{"level":30,"msg":"50 practitioners"}',
        "listening on 8080, ERRORS_URL set",
        "no error",
        "SP2022X",
        "P9999",
    ],
)
def test_knows_what_is_none(line):
    assert not IS_ERROR.search(line)


def test_refuses_a_pattern_that_is_none():
    with pytest.raises(RollbackError, match=r"The option patterns has '\(', which is no regular expression"):
        compiled(["ok", "("])


PRISMA = """\
PrismaClientKnownRequestError: 
Invalid `prisma.practitioner.create()` invocation:


The column `fullName` does not exist in the current database.
    at $n.handleRequestError (/app/node_modules/@prisma/client/runtime/library.js:121:7315) {
  code: 'P2022',
  clientVersion: '6.16.2',
  meta: { column: 'fullName' }
}"""  # noqa: W291 - as Prisma writes it
INFO = '{"level":"info","msg":"POST /api/practitioners 500"}'


def test_the_lines_of_a_prisma_error_are_one_error():
    assert found(f"{INFO}\n{PRISMA}\n{INFO}\n{PRISMA}\nplain\n") == [PRISMA.splitlines()] * 2


def test_an_error_that_announced_more_ends_where_another_record_begins():
    assert found(f"PrismaClientInitializationError:\nCan't reach it\n{INFO}\n") == [
        ["PrismaClientInitializationError:", "Can't reach it"]
    ]


def test_a_stack_belongs_to_its_error_and_the_next_line_does_not():
    assert found("TypeError: x\n    at f (a.js:1:2)\nlistening\n") == [["TypeError: x", "    at f (a.js:1:2)"]]


def test_an_error_does_not_take_the_whole_log():
    assert len(found("Error:\n" + "x\n" * 100)[0]) == 25


@given(st.lists(st.sampled_from(["Error: a", "Error:", "  at b", "", "plain", "}", INFO, '{"level":"error"}', "{"])))
def test_every_line_that_is_an_error_is_in_exactly_one_entry(lines):
    text = "\n".join(lines)
    in_entries = [line for entry in found(text) for line in entry if IS_ERROR.search(line)]
    assert in_entries == [line for line in text.splitlines() if IS_ERROR.search(line)]


def collected(*texts):
    collection = Collection()
    for number, text in enumerate(texts, 1):
        collection.add(STREAM, Event(f"e{number}", number, ""), text.splitlines())
    return collection.groups


def test_errors_that_differ_in_numbers_ids_and_quoted_texts_are_one_kind():
    groups = collected(
        "TypeError: user 12 of 'Ada' at 10.0.0.1:8080",
        "TypeError: user 7 of 'Bob' at 10.0.0.22:8081",
        "RangeError: user 7",
    )
    assert [(group.fingerprint, group.count, group.first) for group in groups] == [
        ("TypeError: user <n> of <text> at <n>:<n>", 2, 1),
        ("RangeError: user <n>", 1, 3),
    ]
    assert groups[0].example == "TypeError: user 12 of 'Ada' at 10.0.0.1:8080"


def test_prisma_errors_of_other_codes_and_columns_are_other_kinds():
    groups = collected(PRISMA, PRISMA, PRISMA.replace("fullName", "city"), PRISMA.replace("P2022", "P2021"))
    assert [group.count for group in groups] == [2, 1, 1]
    assert {group.codes for group in groups} == {("P2022",), ("P2021",)}


def test_json_records_are_one_kind_by_level_message_and_code():
    assert (
        fingerprint(['{"level":"error","time":1,"msg":"failed for 12","code":"P2022"}'])
        == "error: failed for <n>: P2022"
    )
    assert fingerprint(['{"level":50,"err":{"message":"no","code":"E1"}}']) == "<n>: E1: no"
    assert fingerprint(['["error", 1]']) == "[<text>, <n>]"


def read(*pages, noise=(), streams=(STREAM,)):
    """The Reading of pages of (id, stream name, line)."""
    reading = Reading("/ecs/app", streams, IS_ERROR, noise)
    for page in pages:
        reading.take(Event(number, 10**15, line, name) for number, name, line in page)
    reading.end()
    return reading


def test_an_event_that_is_read_twice_counts_once():
    error, more = ("1", STREAM.name, "Error: e"), ("2", STREAM.name, "  at x")
    reading = read([error, more], [error, more, ("3", STREAM.name, "plain")])
    assert [(group.count, group.example) for group in reading.collection.groups] == [(1, "Error: e\n  at x")]
    assert reading.lines == 3


def test_streams_that_take_turns_in_a_page_keep_their_errors_apart():
    a, b = STREAM.name, "ecs/web/t2"
    reading = read([("1", a, "TypeError: a"), ("2", b, "RangeError: b"), ("3", a, "  at a"), ("4", b, "  at b")])
    assert {group.example for group in reading.collection.groups} == {"TypeError: a\n  at a", "RangeError: b\n  at b"}
    assert reading.heard == {a, b}


def test_what_was_logged_before_a_stream_counts_is_left_out():
    reading = Reading("/ecs/app", [STREAM], IS_ERROR)
    before = int(NOON.timestamp() * 1000) - 1
    reading.take([Event("1", before, "Error: x", STREAM.name), Event("2", before + 1, "Error: y", STREAM.name)])
    assert [group.example for group in reading.end().groups] == ["Error: y"]


def known(pattern, expired=False):
    return Noise(re.compile(pattern), "seen for months", NOON.date(), expired)


def test_known_noise_does_not_count_and_is_looked_for_in_all_lines_of_an_error():
    page = [("1", STREAM.name, "Error: e"), ("2", STREAM.name, "  flaky provider"), ("3", STREAM.name, "Error: other")]
    collection = read(page, noise=[known("flaky")]).collection
    assert [group.example for group in collection.groups] == ["Error: other"]
    assert collection.hits == [1]


def test_noise_that_has_expired_counts_again_and_is_counted_as_such():
    collection = read([("1", STREAM.name, "Error: flaky")], noise=[known("flaky", expired=True)]).collection
    assert [group.count for group in collection.groups] == [1]
    assert collection.hits == [1]


def test_an_error_that_two_entries_match_is_noise_while_one_is_in_force():
    noise = [known("flaky", expired=True), known("Error"), known("Error")]
    collection = read([("1", STREAM.name, "Error: flaky")], noise=noise).collection
    assert (collection.groups, collection.hits) == ([], [1, 1, 0])


def test_two_collections_are_merged_to_what_one_would_have_been():
    both = Collection()
    for text in ("TypeError: 1", "RangeError: 1"):
        both.add(STREAM, Event("", 1, ""), [text])
    other = Collection()
    other.add(STREAM, Event("", 0, ""), ["TypeError: 2"])
    both.merge(other)
    assert [(group.fingerprint, group.count, group.first) for group in both.groups] == [
        ("TypeError: <n>", 2, 0),
        ("RangeError: <n>", 1, 1),
    ]


def test_last_words_of_tasks_that_have_stopped_count_and_silence_of_theirs_does_not():
    (stream,) = streams_of([], DEFINITIONS, ["/ecs/app"], None, dead=[TASKS[0]])
    assert stream.dead
    assert judge(["app"], [stream], [], [])[0] == "inconclusive"


def test_codes_are_told_once_each_in_order():
    assert prisma_codes("P2022 P1001 P2022 xP3009 P12") == ("P1001", "P2022")


@pytest.mark.parametrize(
    "text",
    [
        "can't open postgresql://app:hunter2@db:5432/x",
        "redis://:hunter2@cache",
        "password=hunter2",
        '{"password": "hunter2"}',
        "Authorization: hunter2",
        "api_key='hunter2'",
    ],
)
def test_what_looks_like_a_secret_is_masked(text):
    assert "hunter2" not in without_secrets(text)
    assert "********" in without_secrets(text)
    assert "hunter2" not in collected("Error: " + text)[0].example
    assert "hunter2" not in collected("Error: " + text)[0].fingerprint


GROUP = ErrorGroup("f", 3, 1, "app", "s", "e", ())


@pytest.mark.parametrize(
    ("streams", "silent", "groups", "verdict", "words"),
    [
        ([STREAM], [], [], "passed", "every task has logged"),
        ([STREAM], [], [GROUP], "failed", "3 errors of 1 kinds"),
        ([STREAM], [STREAM], [GROUP], "failed", "3 errors"),
        ([STREAM], [STREAM], [], "inconclusive", "nothing at all in ecs/web/t1"),
        ([], [], [], "inconclusive", "no task of app is running"),
    ],
)
def test_silence_is_never_a_pass(streams, silent, groups, verdict, words):
    found_verdict, reason = judge(["app"], streams, silent, groups)
    assert found_verdict == verdict
    assert words in reason
