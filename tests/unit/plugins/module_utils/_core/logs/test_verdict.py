# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which streams are read, and what was found comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Understood
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.found import Found
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import Collection
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.verdict import (
    Baseline,
    log_verdict,
    split,
    streams_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import ErrorGroup, Stream, Unread
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TASKS = [
    ServiceTask("t1", "app", "td:1", NOON, "RUNNING"),
    ServiceTask("t2", "app", "td:2", NOON + timedelta(minutes=1), "RUNNING"),
]
AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "ecs"}}
FIRELENS = {"logDriver": "awsfirelens", "options": {"Name": "datadog"}}
TO_CLOUDWATCH = {
    "logDriver": "awsfirelens",
    "options": {"Name": "cloudwatch_logs", "log_group_name": "/ecs/app", "log_stream_prefix": "fl-"},
}


def definition(arn, *containers):
    """A TaskDefinition of (name, logConfiguration or None, whether it is essential)."""
    answers = [
        {"name": name, "image": "i", "essential": essential, **({"logConfiguration": logs} if logs else {})}
        for name, logs, essential in containers
    ]
    return TaskDefinition(arn, "ACTIVE", NOON, tuple(Container.from_boto(answer) for answer in answers))


def group(name, **options):
    return {"logDriver": "awslogs", "options": {"awslogs-group": name, "awslogs-stream-prefix": "ecs", **options}}


def streams(*containers, elsewhere=(), dead=(), since=None):
    """(names of the streams, told Unreads)."""
    definitions = {"td:1": definition("td:1", *containers)}
    found, unread = streams_of(TASKS[:1], definitions, ["/ecs/app"], since, dead, elsewhere)
    return [stream.name for stream in found], [str(item) for item in unread]


def test_every_essential_container_is_read_or_named_as_unread():
    assert streams(
        ("web", AWSLOGS, True),
        ("proxy", group("/ecs/proxy"), True),
        ("agent", None, True),
        ("router", FIRELENS, True),
        ("odd", {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/app"}}, True),
        ("init", None, False),
    ) == (
        ["ecs/web/t1"],
        [
            "app/proxy (it logs to /ecs/proxy, which is not in rollback_log_groups)",
            "app/agent (it has no log driver)",
            "app/router (its log driver is awsfirelens)",
            "app/odd (awslogs without awslogs-stream-prefix gives its streams names that nobody knows)",
        ],
    )


def test_firelens_that_writes_to_cloudwatch_is_read_by_the_names_that_fluent_bit_gives():
    assert streams(("app", TO_CLOUDWATCH, True), ("log_router", AWSLOGS, True)) == (
        ["fl-app-firelens-t1", "ecs/log_router/t1"],
        [],
    )
    unnamed = {**TO_CLOUDWATCH, "options": {**TO_CLOUDWATCH["options"], "log_stream_prefix": "$(ecs_task_id)"}}
    assert streams(("app", unnamed, True))[1] == ["app/app (its log driver is awsfirelens)"]


@pytest.mark.parametrize("elsewhere", [["app"], ["app/web"]])
def test_a_container_that_is_declared_to_log_elsewhere_need_not_be_read(elsewhere):
    definitions = {"td:1": definition("td:1", ("web", FIRELENS, True))}
    found, unread = streams_of(TASKS[:1], definitions, ["/ecs/app"], None, (), elsewhere)
    assert (found, unread) == ([], (Unread("app", "web", "its log driver is awsfirelens", True),))
    verdict, reason = log_verdict(["app"], found, unread, Found(Collection()), [])
    assert (verdict, reason) == ("passed", "there is nothing to read: app/web, as rollback_log_elsewhere says")


def test_what_is_declared_and_logs_here_all_the_same_is_read_and_its_silence_says_nothing():
    definitions = {"td:1": definition("td:1", ("web", AWSLOGS, True))}
    (stream,), unread = streams_of(TASKS[:1], definitions, ["/ecs/app"], None, (), ["app"])
    assert (stream.essential, unread) == (False, ())


def test_a_later_time_moves_the_start_and_an_earlier_one_does_not():
    definitions = {f"td:{number}": definition(f"td:{number}", ("web", AWSLOGS, True)) for number in (1, 2)}
    since = NOON + timedelta(seconds=30)
    found, _unread = streams_of(TASKS, definitions, ["/ecs/app"], since)
    assert [stream.since for stream in found] == [since, TASKS[1].created]


def test_without_a_task_there_is_no_stream_and_no_complaint():
    assert streams_of([], {}, ["/ecs/app"], None) == ([], ())


def test_last_words_of_tasks_that_have_stopped_count_and_silence_of_theirs_does_not():
    definitions = {"td:1": definition("td:1", ("web", AWSLOGS, True))}
    (stream,), _unread = streams_of([], definitions, ["/ecs/app"], None, dead=[TASKS[0]])
    assert stream.dead
    assert log_verdict(["app"], [stream], (), Found(Collection()), [])[0] == "inconclusive"


STREAM = Stream("app", "/ecs/app", "ecs/web/t1", NOON, container="web")
GROUP = ErrorGroup("f", 3, 2, "app", "s", "    at f (a.js:1:2)\nTypeError: x", ())
FIRST = ErrorGroup("g", 1, 1, "app", "s", "Error: first\n    at g (a.js:1:2)", ())
RECORD = ErrorGroup("f", 1, 1, "app", "s", '{"level":"error","time":1,"msg":"boom","code":"E1"}', ())
ANNOUNCED = ErrorGroup("PrismaError: | no column a", 2, 1, "app", "s", "PrismaError:\nno column a", ())
HIDDEN = Unread("app", "router", "its log driver is awsfirelens")
CLEAR = {("app", "web"): Understood(read=5, unknown=5)}
UNCLEAR = {("app", "web"): Understood(read=1, unknown=9, forms={"EEK": (9, "EEK 17")})}


@pytest.mark.parametrize(
    ("streams", "unread", "silent", "understood", "groups", "verdict", "words"),
    [
        ([STREAM], (), (), CLEAR, [], "passed", "every task has logged"),
        ([STREAM], (), (), CLEAR, [GROUP], "failed", "3 errors of 1 kind in 1 stream, the first: TypeError: x"),
        ([STREAM], (), (), CLEAR, [GROUP, FIRST], "failed", "4 errors of 2 kinds in 1 stream, the first: Error: first"),
        ([STREAM], (), (), CLEAR, [RECORD], "failed", "1 error of 1 kind in 1 stream, the first: error: boom: E1"),
        ([STREAM], (), (), CLEAR, [ANNOUNCED], "failed", "2 errors of 1 kind in 1 stream, the first: PrismaError: | no column a"),
        ([STREAM], (HIDDEN,), (STREAM,), UNCLEAR, [GROUP], "failed", "3 errors"),
        ([STREAM], (), (STREAM,), {}, [], "inconclusive", "nothing at all in ecs/web/t1"),
        ([STREAM], (HIDDEN,), (), CLEAR, [], "inconclusive", "rollback_log_elsewhere"),
        ([STREAM], (), (), UNCLEAR, [], "inconclusive", "9 of 10 lines of app/web have no level that could be read, like: EEK 17; say in"),
        ([], (), (), {}, [], "inconclusive", "no task of app is running"),
    ],
)  # fmt: skip
def test_neither_silence_nor_what_nobody_understands_is_ever_a_pass(
    streams, unread, silent, understood, groups, verdict, words
):
    found = Found(Collection(), silent=silent, understood=understood)
    found_verdict, reason = log_verdict(["app"], streams, unread, found, groups)
    assert found_verdict == verdict
    assert words in reason


def test_a_kind_that_was_there_before_counts_where_it_has_become_frequent():
    groups = [ErrorGroup(name, count, 1, "app", "s", name, ()) for name, count in (("a", 247), ("b", 2), ("c", 1))]
    baseline = Baseline({"a": 2, "b": 90}, NOON, NOON, 1000, True, 3600.0)
    new, _doubted, old = split(groups, 5.0, baseline)
    assert ([item.fingerprint for item in new], [item.fingerprint for item in old]) == (["a", "c"], ["b"])
    assert split(groups, 5.0, None) == (groups, [], [])
