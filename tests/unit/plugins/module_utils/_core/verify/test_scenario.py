# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Expect, Scenario, ScenarioStep
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario import (
    check_variables,
    fill,
    fill_path,
    read_scenarios,
    used_by,
)


def steps(*given):
    return [{"name": "login", "steps": list(given)}]


def test_a_path_is_enough():
    assert read_scenarios(steps({"path": "/"}), []) == (
        Scenario("login", (ScenarioStep("/", "/", expect=Expect(login_page=True)),)),
    )


def test_reads_everything_that_a_step_may_have():
    given = {
        "name": "log in",
        "method": "POST",
        "path": "/login",
        "headers": {"Accept": "application/json"},
        "json": {"email": "${email}"},
        "expect": {"status": 201, "json": {"a.b": None}, "text": "welcome", "max_seconds": 0.5},
        "capture": {"id": "user.id"},
        "times": 3,
        "always": True,
    }
    expect = Expect(status=(201,), json={"a.b": None}, text="welcome", max_seconds=0.5, login_page=True)
    wanted = {**given, "expect": expect}
    assert read_scenarios(steps(given), ["email"])[0].steps == (ScenarioStep(**wanted),)


MISTAKES = [
    ({}, "key path: it is missing"),
    ({"path": "login"}, "key path: it is 'login', which does not begin with a slash"),
    ({"path": "/", "expct": {}}, "key expct: there is no such key; there are always, capture, expect"),
    (
        {"path": "/", "expect": {"statut": 200}},
        "expect, key statut: there is no such key; there are json, login_page, max_seconds, status, text",
    ),
    ({"path": "/", "expect": {"status": "ok"}}, "expect, key status: it is 'ok', not an HTTP status"),
    ({"path": "/", "expect": {"status": [200, 999]}}, "expect, key status: it is [200, 999], not an HTTP status"),
    ({"path": "/", "expect": {"status": []}}, "expect, key status: it is [], not an HTTP status"),
    ({"path": "/", "expect": {"json": ["a"]}}, "expect, key json: it is list, not a mapping"),
    ({"path": "/", "expect": {"max_seconds": 0}}, "expect, key max_seconds: it is 0, not a number of seconds above 0"),
    ({"path": "/", "expect": []}, "expect: it is list, not a mapping"),
    ({"path": "/", "method": "get"}, "key method: it is 'get', not one of GET"),
    ({"path": "/", "headers": {"X": 1}}, "key headers: it is not a mapping of text to text"),
    ({"path": "/", "json": {}, "form": {}}, "key form: a request has one body, json or form"),
    ({"path": "/", "capture": {"1a": "b"}}, "key capture: it is not a mapping of variable names"),
    ({"path": "/", "times": 0}, "key times: it is 0, not a whole number above 0"),
    ({"path": "/", "times": True}, "key times: it is True, not a whole number above 0"),
    ({"path": "/", "always": "yes"}, "key always: it is 'yes', not true or false"),
    (
        {"path": "/", "capture": {"a": {"xml": "b"}}},
        "for a, it is neither a dotted path in JSON nor one of {json: NAME}, {html:",
    ),
    ({"path": "/", "capture": {"a": {"html": "b", "json": "c"}}}, "for a, it is neither"),
    ({"path": "/", "capture": {"a": {"html": ""}}}, "for a, it is neither"),
    ({"path": "/", "capture": {"a-b": "id"}}, "key capture: it is not a mapping of variable names"),
    ({"path": "/${id}"}, "key path: ${id} is no variable, and no earlier step captures it"),
    ({"path": "/", "json": {"a": ["${b}"]}}, "key json: ${b} is no variable"),
    ({"path": "/", "capture": {"own": "id"}, "form": {"x": "${own}"}}, "key form: ${own} is no variable"),
    ({"path": "/", "expect": {"json": {"a": "${b}"}}}, "key expect.json: ${b} is no variable"),
    ({"path": "/", "expect": {"login_page": 1}}, "expect, key login_page: it is 1, not true or false"),
    ({"path": "/", "unless": "id"}, "key unless: an earlier step and this one have to capture it"),
    ({"path": "/", "unless": "id", "capture": {"id": "id"}}, "key unless: an earlier step and this one"),
    ("GET /", "it is str, not a mapping"),
]


@pytest.mark.parametrize(("given", "mistake"), MISTAKES)
def test_refuses_a_wrong_step_and_names_scenario_step_and_key(given, mistake):
    with pytest.raises(RollbackError, match="No request was sent") as refused:
        read_scenarios(steps({"path": "/"}, given), [])
    assert len(refused.value.evidence) == 1
    assert refused.value.evidence[0].startswith("scenario 1 (login), step 2")
    assert mistake in refused.value.evidence[0]


@pytest.mark.parametrize(
    ("scenario", "step", "about"),
    [
        ("administration", {"name": "log in", "path": "/admin"}, True),
        ("administration", {"path": "/admin/login"}, True),
        ("login", {"path": "/admin"}, True),
        ("sign-up", {"path": "/"}, True),
        ("home", {"path": "/users/sign_in"}, True),
        ("home", {"path": "/inscription"}, True),
        ("administration", {"name": "open the dashboard with that session", "path": "/admin"}, False),
        ("blog", {"path": "/blog/in-depth"}, False),
        ("authors", {"path": "/authors"}, False),
        ("catalogue", {"path": "/login-free"}, True),
    ],
)
def test_a_step_about_logging_in_may_meet_the_page_for_it(scenario, step, about):
    (read,) = read_scenarios([{"name": scenario, "steps": [step]}], [])
    assert read.steps[0].expect.login_page is about
    (read,) = read_scenarios([{"name": scenario, "steps": [{**step, "expect": {"login_page": not about}}]}], [])
    assert read.steps[0].expect.login_page is not about


def test_only_the_first_step_is_about_what_the_scenario_is_called():
    (read,) = read_scenarios([{"name": "login", "steps": [{"path": "/"}, {"path": "/dashboard"}]}], [])
    assert [step.expect.login_page for step in read.steps] == [True, False]


def test_a_step_may_look_for_what_an_earlier_one_may_have_made():
    making = {"path": "/", "method": "POST", "capture": {"id": "id"}}
    looking = {"path": "/find", "capture": {"id": "0.id"}, "unless": "id", "always": True}
    (read,) = read_scenarios([{"name": "a", "steps": [making, looking]}], [])
    assert read.steps[1].unless == "id"


def test_tells_all_mistakes_at_once():
    given = [
        {"steps": [{"path": "/", "times": 0}]},
        {"name": "empty", "steps": []},
        "health",
        {"name": "a", "step": []},
    ]
    with pytest.raises(RollbackError) as refused:
        read_scenarios(given, [])
    assert refused.value.evidence == [
        "scenario 1 (without a name), key name: it is missing",
        "scenario 1 (without a name), step 1, key times: it is 0, not a whole number above 0",
        "scenario 2 (empty), key steps: it is empty, not a list of steps",
        "scenario 3 (without a name): it is str, not a mapping",
        "scenario 4 (a), key steps: it is missing",
        "scenario 4 (a), key step: there is no such key; there are name, steps",
    ]


def test_two_scenarios_of_one_name_are_refused():
    with pytest.raises(RollbackError) as refused:
        read_scenarios([*steps({"path": "/"}), *steps({"path": "/"})], [])
    assert refused.value.evidence == ["scenario 2 (login), key name: another one has the same"]


LINES = {"0": "s.yml:4", "0.steps": "s.yml:5", "0.steps.0": "s.yml:6", "0.steps.0.expect.status": "s.yml:9"}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"path": "/", "expect": {"status": "ok"}}, "s.yml:9: "),
        ({"path": "/", "expect": {"text": 1}}, "s.yml:6: "),
        ({"path": "/${nobody}"}, "s.yml:6: "),
        ({"path": "/", "expect": {"status": "${nobody}"}}, "s.yml:9: "),
        ("GET /", "s.yml:6: "),
    ],
)
def test_a_mistake_is_told_with_its_line_or_with_that_of_what_it_is_in(given, line):
    with pytest.raises(RollbackError) as refused:
        read_scenarios(steps(given), [], LINES)
    assert refused.value.evidence[0].startswith(line + "scenario 1 (login), step 1")


def test_what_an_earlier_step_captures_is_known_to_later_ones():
    found = read_scenarios(steps({"path": "/", "capture": {"id": "id"}}, {"path": "/${id}?x=${run_id}"}), ["run_id"])
    assert used_by(found[0].steps[1]) == {"id", "run_id"}


def test_fills_in_at_any_depth_and_keeps_the_type_of_a_value_that_stands_alone():
    values = {"id": 7, "name": "a/b"}
    assert fill({"k-${id}": ["${id}", "${id}!", {"n": "${name}"}], "n": 1}, values) == {
        "k-7": [7, "7!", {"n": "a/b"}],
        "n": 1,
    }
    assert fill_path("/x/${name}?id=${id}", values) == "/x/a%2Fb?id=7"
    assert fill(None, values) is None


@pytest.mark.parametrize(
    ("variables", "mistakes"),
    [
        ({"a": "long enough"}, []),
        ({"a": 12345}, ["a: it is int, not text"]),
        (
            {"a": "abc", "b": "abcd"},
            ["a: it has fewer than 4 characters, so it could not be masked; write it into the scenario"],
        ),
    ],
)
def test_refuses_variables_that_could_not_be_masked_without_showing_them(variables, mistakes):
    if not mistakes:
        assert check_variables(variables) is None
        return
    with pytest.raises(RollbackError) as refused:
        check_variables(variables)
    assert refused.value.evidence == mistakes
