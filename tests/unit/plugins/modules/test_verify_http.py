# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around the scenarios; the answers come from where the test says, not from a network."""

from __future__ import annotations

import importlib

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, NoAnswer

URL = "https://app.spymeo.fr"
HEALTH = {"name": "health", "steps": [{"path": "/api/health"}]}
LOGIN = {
    "name": "admin",
    "steps": [{"name": "login", "method": "POST", "path": "/login", "json": {"password": "${password}"}}],
}


@pytest.fixture
def answers(monkeypatch):
    """path → answer; a path that the test did not name is an error."""
    module = importlib.import_module("ansible_collections.spymeo.rollback.plugins.modules.verify_http")
    given = {}

    class Session:
        def __init__(self, base_url, timeout):
            assert (base_url, timeout) == (URL, 10)

        def send(self, _method, path, _headers, _json, _form):
            return given[path]

    monkeypatch.setattr(module, "ScenarioSession", Session)
    return given


@pytest.fixture
def verify(run_module):
    def run(*scenarios, **options):
        # It takes no AWS options, so no region either.
        return run_module("verify_http", region=None, base_url=URL, scenarios=list(scenarios), **options)

    return run


def test_passes_when_every_scenario_passes(answers, verify):
    answers.update({"/api/health": Answer(200, "ok", 0.1), "/login": Answer(200, "ok", 0.1)})
    result = verify(HEALTH, LOGIN, variables={"password": "hunter22"})
    assert (result["verdict"], result["changed"]) == ("passed", False)
    assert [item["verdict"] for item in result["scenarios"]] == ["passed", "passed"]
    assert result["plan"] == ["health: GET /api/health", "admin: POST /login"]


def test_fails_with_the_evidence_of_each_step_and_shows_no_variable(answers, verify):
    answers.update({"/api/health": Answer(200, "ok", 0.1), "/login": Answer(500, "no such user hunter22", 0.1)})
    result = verify(HEALTH, LOGIN, variables={"password": "hunter22"})
    assert result["failed"]
    assert result["verdict"] == "failed"
    assert result["evidence"] == ["admin, login: failed: status 500 instead of 200; the body is: no such user ********"]
    assert "1 of 2 scenarios passed" in result["msg"]
    assert "hunter22" not in str({key: value for key, value in result.items() if key != "invocation"})


def test_inconclusive_is_not_passed(answers, verify):
    answers["/api/health"] = NoAnswer(False, "this machine cannot resolve the name of the host")
    result = verify(HEALTH)
    assert result["failed"]
    assert result["verdict"] == "inconclusive"


def test_tells_without_failing_when_asked_to(answers, verify):
    answers["/api/health"] = Answer(503, "", 0.1)
    result = verify(HEALTH, fail_on_error=False)
    assert "failed" not in result
    assert result["verdict"] == "failed"


def test_check_mode_sends_nothing_and_tells_the_requests(verify):
    result = verify(HEALTH, check_mode=True)
    assert result["plan"] == ["health: GET /api/health"]
    assert result["verdict"] == "inconclusive"


def test_refuses_a_wrong_scenario_before_the_first_request(answers, verify):
    result = verify(HEALTH, {"name": "bad", "steps": [{"path": "/${nobody}"}]})
    assert "scenario 2 (bad), step 1, key path: ${nobody} is no variable" in result["msg"]


@pytest.mark.parametrize(
    "url", ["app.spymeo.fr", "https://app.spymeo.fr/?a=b", "https://u:p@app.spymeo.fr", "ftp://app"]
)
def test_refuses_a_base_url_that_is_none(run_module, url):
    result = run_module("verify_http", region=None, base_url=url, scenarios=[HEALTH])
    assert "rollback_base_url (option base_url)" in result["msg"]
