# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.verify import Verification

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = {"name": "get", "verdict": "passed", "reason": "status 200", "seconds": 0.5}
HEALTH = {"name": "health", "verdict": "passed", "steps": [STEP], "left_behind": []}
LOGS = {"verdict": "passed", "reason": "no errors", "evidence": []}
TESTS = {"verdict": "failed", "reason": "they failed", "evidence": ["| expected 1"]}
JUDGES = (("tasks", "tasks", lambda looks: ("passed", looks, [])), ("targets", "targets", lambda looks: None))


def measuring(measure):
    """As RollbackModule.measuring, for our own errors."""
    try:
        return measure(), None
    except RollbackError as error:
        return None, error.message


def refused():
    raise RollbackError("these credentials may not")


def verdicts(checks):
    return {check["name"]: check["verdict"] for check in checks}


def whole(**changes):
    parts = dict(
        send=lambda: ([HEALTH], NOON),
        look=lambda: "2 tasks run",
        judges=JUDGES,
        read_logs=lambda looks, last: {**LOGS, "reason": "%s, last request at %s" % (looks, last.hour)},
        test=lambda: TESTS,
    )
    return Verification(measuring, **{**parts, **changes})


def test_each_check_has_its_verdict_and_what_has_no_answer_is_no_check():
    verification = whole(test=None)
    assert [(check["name"], check["reason"]) for check in verification.run()] == [
        ("health", "1 step, the slowest answer took 0.50 s"),
        ("tasks", "2 tasks run"),
        ("logs", "2 tasks run, last request at 12"),
    ]
    assert set(verification.details) == {"http", "left_behind", "logs"}


@pytest.mark.parametrize(
    ("part", "inconclusive"),
    [
        ("send", ["scenarios"]),
        ("look", ["tasks", "targets", "logs"]),
        ("read_logs", ["logs"]),
        ("test", ["end-to-end tests"]),
    ],
)
def test_what_cannot_be_measured_is_inconclusive_and_hides_no_other_check(part, inconclusive):
    fails = (lambda _looks, _last: refused()) if part == "read_logs" else refused
    checks = whole(**{part: fails}).run()
    assert [check["name"] for check in checks if check["verdict"] == "inconclusive"] == inconclusive
    assert {check["reason"] for check in checks if check["name"] in inconclusive} == {"these credentials may not"}
    assert len(checks) > len(inconclusive)


def test_what_was_not_asked_for_is_not_checked():
    assert verdicts(Verification(measuring, send=lambda: ([HEALTH], None)).run()) == {"health": "passed"}
    assert verdicts(Verification(measuring, test=lambda: TESTS).run()) == {"end-to-end tests": "failed"}


def test_checks_run_side_by_side_and_the_logs_are_read_when_the_others_have_ended():
    meeting, ended = threading.Barrier(3, timeout=10), []

    def part(name, result):
        def measure():
            meeting.wait()  # breaks unless all three are here at once
            ended.append(name)
            return result

        return measure

    def read_logs(looks, last):
        ended.append("logs")
        assert last > NOON  # the tests have ended after the last request
        return LOGS

    whole(
        send=part("http", ([HEALTH], NOON)), look=part("tasks", ""), test=part("e2e", TESTS), read_logs=read_logs
    ).run()
    assert sorted(ended[:3]) == ["e2e", "http", "tasks"]
    assert ended[3] == "logs"


class Leavers:
    """Somebody who has come back by the time of the last look."""

    def verdict(self):
        return "failed", "1 session is open", ["role app"]


@pytest.mark.parametrize(
    ("leavers", "verdict", "reason"),
    [(Leavers, "failed", "1 session is open"), (refused, "inconclusive", "these credentials may not")],
)
def test_who_is_left_is_looked_at_once_more_when_the_other_checks_are_over(leavers, verdict, reason):
    checks = whole(leavers=leavers).run()
    (left,) = [check for check in checks if check["kind"] == "left"]
    assert (left["verdict"], left["reason"]) == (verdict, reason)
    assert checks.index(left) > [check["kind"] for check in checks].index("logs")


def watching(verdict, seen):
    """A watch that ends when it is told to, or comes to a verdict by itself."""

    def watch(over):
        seen.append(over.wait(0 if verdict == "failed" else 0.3))
        return verdict, "watched", [], {"seconds": 1}

    return watch


@pytest.mark.parametrize(
    ("changes", "verdict", "told", "ended"),
    [
        ({"test": None}, "passed", ["watch"], False),
        ({"test": None}, "failed", ["watch"], False),
        ({"test": None}, "inconclusive", ["watch"], False),
        ({}, "passed", [], True),  # the end-to-end tests have failed
        ({}, "failed", ["watch"], None),
        ({"test": None, "judges": (("tasks", "tasks", lambda looks: ("failed", looks, [])),)}, "passed", [], True),
        (
            {"test": None, "judges": (("tasks", "tasks", lambda looks: ("inconclusive", looks, [])),)},
            "passed",
            ["watch"],
            False,
        ),
    ],
)
def test_a_watch_ends_when_something_has_failed_and_is_told_where_it_says_something(changes, verdict, told, ended):
    seen = []
    checks = whole(watch=watching(verdict, seen), **changes).run()
    assert [check["name"] for check in checks if check["kind"] == "watch"] == told
    assert ended is None or seen == [ended]


@pytest.mark.parametrize("verdict", ["failed", "inconclusive"])
def test_nothing_is_watched_where_a_scenario_has_not_passed(verdict):
    bad = {**HEALTH, "verdict": verdict, "steps": [{**STEP, "verdict": verdict}]}
    seen = []
    whole(send=lambda: ([bad], NOON), watch=watching("passed", seen)).run()
    assert seen == []


def test_a_watch_that_cannot_watch_is_inconclusive():
    assert verdicts(whole(test=None, watch=lambda over: refused()).run())["watch"] == "inconclusive"


@pytest.mark.parametrize(
    ("answer", "checks", "words"),
    [
        (("passed", "as before", []), {"watch": "passed", "traffic": "passed"}, "watched"),
        (("failed", "worse", ["worse"]), {"watch": "passed", "traffic": "failed"}, "watched"),
        (
            (None, "no minute is over", []),
            {"watch": "passed"},
            "watched; of the users' traffic nothing can be said: no minute is over",
        ),
        (None, {"watch": "passed"}, "watched"),
        (refused, {"watch": "passed", "traffic": "inconclusive"}, "watched"),
    ],
)
def test_traffic_of_which_nothing_can_be_said_is_no_check_and_is_said(answer, checks, words):
    compare = (lambda looks: refused()) if answer is refused else lambda looks: answer
    found = whole(test=None, read_logs=None, watch=watching("passed", []), compare=compare).run()
    assert {check["name"]: check["verdict"] for check in found if check["kind"] in ("watch", "traffic")} == checks
    assert next(check["reason"] for check in found if check["kind"] == "watch") == words


@pytest.mark.parametrize(("verdict", "awaited"), [("passed", False), ("failed", True)])
def test_last_words_are_awaited_where_the_watch_has_failed(verdict, awaited):
    moments = []

    def read_logs(looks, last):
        moments.append(last)
        return LOGS

    whole(watch=watching(verdict, []), read_logs=read_logs, test=None).run()
    assert (moments[0] > NOON) is awaited


def test_the_logs_are_read_when_the_watch_is_over():
    order = []

    def watch(over):
        order.append("watch")
        return "passed", "watched", [], {}

    def read_logs(looks, last):
        order.append("logs")
        return LOGS

    whole(watch=watch, read_logs=read_logs, test=None).run()
    assert order == ["watch", "logs"]
