# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import threading

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import (
    Answer,
    Expect,
    NoAnswer,
    Scenario,
    ScenarioStep,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through, go_through_all


class Application:
    """Answers each request with the next answer, and keeps what was sent."""

    def __init__(self, *answers):
        self.answers, self.sent = list(answers), []

    def send(self, method, path, headers, json, form):
        self.sent.append((method, path, headers, json, form))
        return self.answers.pop(0)


def ok(text="{}"):
    return Answer(200, text, 0.1)


BROKEN = Answer(500, "secret-token leaked", 0.1)


def verdicts(outcomes):
    return [outcome.verdict for outcome in outcomes]


def test_later_steps_use_what_earlier_ones_captured():
    application = Application(ok('{"user": {"id": 7}}'), ok())
    steps = (
        ScenarioStep("sign up", "/users", "POST", json={"email": "${run_id}@x"}, capture={"id": "user.id"}),
        ScenarioStep("remove", "/users/${id}", "DELETE", headers={"X-User": "${id}"}),
    )
    assert verdicts(go_through(Scenario("s", steps), application, {"run_id": "rb-1"}, [])) == ["passed", "passed"]
    assert application.sent == [
        ("POST", "/users", {}, {"email": "rb-1@x"}, None),
        ("DELETE", "/users/7", {"X-User": "7"}, None, None),
    ]


def test_after_a_failed_step_only_clean_up_is_sent():
    application = Application(ok('{"id": 7}'), BROKEN, ok())
    steps = (
        ScenarioStep("a", "/a", capture={"id": "id"}),
        ScenarioStep("b", "/b"),
        ScenarioStep("c", "/c"),
        ScenarioStep("d", "/d/${id}", always=True),
    )
    outcomes = go_through(Scenario("s", steps), application, {}, [])
    assert verdicts(outcomes) == ["passed", "failed", None, "passed"]
    assert outcomes[2].reason == "a step before it did not pass"
    assert [path for _method, path, *_rest in application.sent] == ["/a", "/b", "/d/7"]


def test_there_is_nothing_to_clean_up_when_nothing_was_captured():
    application = Application(BROKEN)
    steps = (ScenarioStep("a", "/a", capture={"id": "id"}), ScenarioStep("b", "/b/${id}", always=True))
    outcomes = go_through(Scenario("s", steps), application, {}, [])
    assert verdicts(outcomes) == ["failed", None]
    assert outcomes[1].reason == "nothing captured id"


def test_times_in_a_row_end_at_the_first_that_does_not_pass():
    application = Application(ok(), BROKEN, ok())
    (outcome,) = go_through(Scenario("s", (ScenarioStep("a", "/", times=3),)), application, {}, [])
    assert outcome.verdict == "failed"
    assert outcome.reason.startswith("time 2 of 3: status 500")
    assert len(application.sent) == 2


def test_an_error_while_measuring_is_inconclusive():
    (outcome,) = go_through(
        Scenario("s", (ScenarioStep("a", "/"),)), Application(NoAnswer(False, "no name resolution")), {}, []
    )
    assert (outcome.verdict, outcome.status, outcome.seconds) == ("inconclusive", None, None)


def test_secrets_are_masked_in_reasons():
    (outcome,) = go_through(Scenario("s", (ScenarioStep("a", "/"),)), Application(BROKEN), {}, ["secret-token"])
    assert outcome.reason == "status 500 instead of 200; the body is: ******** leaked"


def test_expectations_are_filled_in():
    step = ScenarioStep("a", "/", expect=Expect(json={"id": "${id}"}, text="${name}"))
    (outcome,) = go_through(
        Scenario("s", (step,)), Application(ok('{"id": 7, "name": "Ada"}')), {"id": 7, "name": "Ada"}, []
    )
    assert outcome.verdict == "passed"


def test_scenarios_run_side_by_side_each_with_its_own_session():
    meeting, sessions = threading.Barrier(3), []

    class Waiting(Application):
        def send(self, *request):
            meeting.wait(timeout=10)
            return super().send(*request)

    def open_session():
        sessions.append(Waiting(ok()))
        return sessions[-1]

    scenarios = [Scenario(name, (ScenarioStep("a", f"/{name}"),)) for name in "abc"]
    outcomes = go_through_all(scenarios, open_session, {}, [])
    assert [verdicts(each) for each in outcomes] == [["passed"]] * 3
    assert [session.sent[0][1] for session in sessions] == ["/a", "/b", "/c"]


def test_what_an_answer_does_to_a_library_loses_no_other_scenario_and_what_cleans_up_is_sent():
    class Breaking(Application):
        def send(self, _method, path, *_request):
            if path == "/breaks":
                raise UnicodeEncodeError("latin-1", "secret €", 7, 8, "not in range")
            return ok()

    steps = (ScenarioStep("a", "/breaks"), ScenarioStep("b", "/b"), ScenarioStep("c", "/c", always=True))
    scenarios, session = [Scenario("bad", steps), Scenario("good", (ScenarioStep("a", "/a"),))], Breaking()
    bad, good = go_through_all(scenarios, lambda: session, {}, [])
    assert (verdicts(bad), verdicts(good)) == (["inconclusive", None, "passed"], ["passed"])
    assert bad[0].reason == "it could not be judged (UnicodeEncodeError)"


def test_a_control_character_hides_no_secret():
    answer = Answer(500, 'hun\x00ter2-x and {"pass\x1b[0mword": "s3cret"}', 0.1)
    (outcome,) = go_through(Scenario("s", (ScenarioStep("a", "/"),)), Application(answer), {}, ["hunter2-x"])
    assert "hunter2" not in outcome.reason
    assert "s3cret" not in outcome.reason
