# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage_scenarios import kept_in, play, usable

HEALTH = {"name": "health", "steps": [{"path": "/api/health"}]}
LOGIN = {"name": "login", "steps": [{"path": "/login", "method": "POST", "json": {"password": "${password}"}}]}
SIGN_UP = {
    "name": "sign-up",
    "steps": [
        {"path": "/people", "method": "POST", "expect": {"status": 201}, "capture": {"person": "id"}},
        {"path": "/people/${person}", "method": "DELETE", "expect": {"status": 204}, "always": True},
    ],
}
SECRET = {"password": "Correct-Horse-1"}


class Session:
    """Answers each path with what was set."""

    def __init__(self, answers):
        self._answers = answers

    def send(self, method, path, headers, json, form):
        return self._answers[method, path]


def test_plays_everything_where_it_may_write():
    scenarios, values, left_out = usable([HEALTH, LOGIN, SIGN_UP], SECRET, True)
    assert [scenario.name for scenario in scenarios] == ["health", "login", "sign-up"]
    assert (values, left_out) == (SECRET, ())


def test_leaves_out_what_writes_where_it_may_not():
    scenarios, _values, left_out = usable([HEALTH, LOGIN, SIGN_UP], SECRET, False)
    assert [scenario.name for scenario in scenarios] == ["health"]
    assert left_out == (
        "login: it sends POST, and nothing may be written",
        "sign-up: it sends POST, and nothing may be written",
    )


def test_a_mistake_in_one_scenario_or_an_empty_password_keeps_no_other_from_being_played():
    wrong = {"name": "wrong", "steps": [{"paht": "/"}]}
    scenarios, values, left_out = usable([HEALTH, LOGIN, wrong], {"password": ""}, True)
    assert [scenario.name for scenario in scenarios] == ["health"]
    assert values == {}
    assert "${password} is no variable" in left_out[0]
    assert "there is no such key" in left_out[1]


def test_tells_each_step_and_which_of_them_cleans_up():
    scenarios, values, left_out = usable([SIGN_UP], {}, True)
    answers = {("POST", "/people"): Answer(201, '{"id": "7"}', 0.25), ("DELETE", "/people/7"): Answer(500, "no", 0.5)}
    seen = play(scenarios, lambda: Session(answers), values, [], left_out, 2.0)
    sign_up, remove = seen.steps
    assert (sign_up.verdict, sign_up.status, sign_up.seconds, sign_up.cleans_up) == ("passed", 201, 0.25, False)
    assert (remove.verdict, remove.status, remove.cleans_up, remove.path) == ("failed", 500, True, "/people/${person}")
    assert seen.slow_after == 2.0


def test_a_step_that_was_left_out_has_no_verdict():
    scenarios, values, left_out = usable([SIGN_UP], {}, True)
    answers = {("POST", "/people"): Answer(500, "secret Correct-Horse-1", 0.25)}
    seen = play(scenarios, lambda: Session(answers), values, SECRET.values(), left_out, 2.0)
    assert [step.verdict for step in seen.steps] == ["failed", ""]
    assert "Correct-Horse" not in str(seen)


def test_a_secret_that_cannot_be_read_is_told_and_keeps_no_scenario_from_being_played():
    values, left_out = kept_in(lambda: None, {"password": {"secert": "x"}})
    assert values == {}
    assert "there is no key secert" in left_out[0]
