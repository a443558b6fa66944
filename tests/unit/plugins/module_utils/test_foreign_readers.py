# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hostile texts through every public reader: what comes out can be printed as it is.

Log events, bodies, headers and cookies, events and reasons of AWS, names of tables and columns, PostgreSQL's messages, the output of
end-to-end tests, evidence that was recorded.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.triage import TriageGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnose
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.row_diff import plan
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.salvage_names import (
    load_command,
    load_script,
    stems,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import printable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.result import result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import (
    Answer,
    Expect,
    Scenario,
    ScenarioStep,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import Column, NotCompared, Table
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    Evidence,
    InstanceSeen,
    ServiceSeen,
    to_json,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.logs import logs_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.recommend import recommend
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import (
    evidence,
    scenario_results,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.last_words import last_words
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.logs import LogReader
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through
from ansible_collections.spymeo.rollback.plugins.module_utils._io.command_output import Output
from hypothesis import example, given
from hypothesis import strategies as st

from hostile import ATTACK, HOSTILE

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
STREAM = Stream("app", "/ecs/app", "ecs/web/1", datetime.fromtimestamp(0, UTC))
TARGET = DatabaseLogin("db", 5432, "app", "spymeo", "public", password="hunter2")


def assert_harmless(*values):
    """Every text in the values is one line of characters that a terminal only shows."""
    for value in values:
        if isinstance(value, dict):
            assert_harmless(*value.keys(), *value.values())
        elif isinstance(value, (list, tuple)):
            assert_harmless(*value)
        elif isinstance(value, str):
            assert value.isprintable(), value


class Aws:
    """Answers every operation with what it was made with."""

    def __init__(self, **answers):
        self._answers = answers

    def __getattr__(self, name):
        return lambda **_question: self._answers[name]

    def get_paginator(self, name):
        return self

    def paginate(self, **_question):
        return [{"taskArns": ["task/1"]}]


def logged(*messages):
    """A LogsGateway that finds these events in STREAM."""
    events = [
        {"eventId": str(place), "timestamp": 1 + place, "message": text, "logStreamName": STREAM.name}
        for place, text in enumerate(messages)
    ]
    return LogsGateway(Aws(filter_log_events={"events": events}, get_log_events={"events": events}))


def messages(text):
    """An error that quotes the text, as it is, coloured, and in JSON."""
    return (
        "ERROR " + text,
        "\x1b[31mERROR\x1b[39m " + text,
        json.dumps({"level": "error", "msg": text, "code": text, "err": {"message": text}}),
        text,
    )


@given(HOSTILE)
@example(ATTACK)
def test_log_events(text):
    gateway = logged(*messages(text))
    found = LogReader(gateway, Rules()).read_when_heard([STREAM], 0)
    seen = result(["app"], [STREAM], (), found, (), None, 10)
    assert sum(error["count"] for error in seen["errors"]) >= 2
    examples = [error.pop("example") for error in seen["errors"]]
    assert_harmless(seen, [example.split("\n") for example in examples], last_words(gateway, "/ecs/app", "ecs/web/1"))


@given(HOSTILE)
@example(ATTACK)
def test_log_events_in_triage(text):
    reader = LogReader(logged(*messages(text)), Rules())
    seen = logs_seen([STREAM], (), reader.read([STREAM]), None, reader.read([]))
    assert_harmless(
        [(error.fingerprint, error.codes, error.example.split("\n")) for error in seen.errors],
        seen.addresses,
        seen.unclear,
    )


@given(HOSTILE)
@example(ATTACK)
def test_answers_of_the_application(text):
    answers = [
        Answer(500, text, 0.1),
        Answer(200, json.dumps({"id": text}), 0.1, (("X-A", text),), (("c", text),)),
        Answer(200, "<input name=t value='%s'>" % text, 0.1),
    ]
    step = ScenarioStep("a", "/", expect=Expect(json={"id": 1}), capture={"h": {"html": "t"}, "c": {"cookie": "c"}})
    for answer in answers:
        outcomes = go_through(Scenario("s", (step,)), Application(answer), {}, [])
        results = scenario_results([Scenario("s", (step,))], [outcomes])
        assert outcomes[0].verdict == "failed"
        assert len(outcomes[0].reason) <= 220
        assert_harmless(results, evidence(results))


class Application:
    """Gives one answer."""

    def __init__(self, answer):
        self._answer = answer

    def send(self, *_request):
        return self._answer


@given(HOSTILE)
@example(ATTACK)
def test_events_and_reasons_of_aws(text):
    task = {
        "taskArn": "task/1", "taskDefinitionArn": "task-definition/app:2", "stopCode": "EssentialContainerExited", "createdAt": NOON,
        "stoppedAt": NOON, "stoppedReason": text, "containers": [{"name": "app", "exitCode": 1, "reason": text}],
    }  # fmt: skip
    health = {"TargetHealth": {"State": "unhealthy", "Description": text}}
    aws = Aws(
        describe_tasks={"tasks": [task]},
        describe_target_health={"TargetHealthDescriptions": [health]},
        describe_events={"Events": [{"Date": NOON, "Message": "failover " + text}]},
    )
    gateway = TriageGateway(lambda _service: aws, "main")
    tasks = tuple(dead.task for dead in gateway.stopped_tasks("app"))
    targets, events = (gateway.target_health("arn/group/1"),), gateway.instance_events("db")
    assert_harmless([to_json(item) for item in (*tasks, *targets)], [event.message for event in events])
    assert_harmless(str(StoppedTask.from_boto(task, "app")))
    service = ServiceSeen("app", "app:2", desired=2, running=0, came=NOON, failed_tasks=3)
    seen = Evidence(NOON, (service,), tasks, targets, instance=InstanceSeen("db", "available", events=events))
    recommendation = recommend(seen)
    assert_harmless(recommendation.why, recommendation.against, recommendation.would_change)


@given(HOSTILE, st.sampled_from([None, "28P01", "XX000"]))
@example(ATTACK, None)
def test_what_postgresql_says(text, sqlstate):
    error = diagnose(TARGET, DatabaseRefused(sqlstate, "FATAL: hun\x00ter2 " + text + " hunter2"))
    assert isinstance(error, RollbackError)
    assert_harmless(error.message, error.evidence)
    assert "hunter2" not in " ".join(error.evidence)


@given(st.sets(HOSTILE, min_size=1, max_size=6), HOSTILE)
def test_names_of_tables(names, column):
    tables = {name: Table(name, (Column("id", "text", True), Column(column, "text", False)), ("id",)) for name in names}
    compared = [item for item in plan(tables, tables, {}) if not isinstance(item, NotCompared)]
    files = stems(item.table for item in compared)
    assert len({stem.lower() for stem in files.values()}) == len(compared)
    for stem in files.values():
        assert stem.isascii()
        assert not set(stem) & set('/\\.:*?"<>| ')
        assert 0 < len(stem) <= 160
    loads = [
        (item.table, [name for name, _failed in item.columns], "/rows/%s.new.csv" % files[item.table])
        for item in compared
    ]
    script = load_script("public", loads, load_command(TARGET, "/rows/x"))
    lines = script.split("\n")
    assert_harmless(lines)
    assert len(lines) == 7 + len(loads)
    assert all(line.startswith(("-- ", "\\copy ")) for line in lines[5:-2])


@given(st.lists(HOSTILE, max_size=4))
@example([ATTACK])
def test_the_output_of_end_to_end_tests(lines):
    with tempfile.TemporaryDirectory() as directory:
        output = Output(directory + "/e2e.log", [])
        for line in lines:
            output.add(line + "\n")
        assert_harmless(output.close(), Path(output.path).read_text().split("\n"))


@given(HOSTILE)
def test_whatever_was_forgotten_is_caught_where_modules_end(text):
    assert_harmless(
        printable({"msg": text, "plan": [text], "next": {text: text}, "after": {"a": [text]}, "reason": text})
    )
