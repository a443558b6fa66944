# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the checks could be made is found out before anything is changed; an application that is down may still be rolled back."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._flows import proof_foreseen as proof
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.proof_foreseen import Proof, answer_line, proof_of

URL = "https://app.spymeo.fr"
WANTED = {"base_url": URL, "health_path": "/api/health", "log_groups": [], "secrets": {}, "despite_unreachable": False}
HANGS = NoAnswer(True, "the connection stands, but no answer came within 5 s")
REFUSED = NoAnswer(True, "the connection was refused", connected=False)
NOWHERE = NoAnswer(False, "this machine cannot resolve the name of the host")


@pytest.fixture
def answers(monkeypatch):
    """Sets how the application answers."""

    def set_answer(answer):
        class Session:
            def __init__(self, base_url, timeout):
                pass

            def send(self, *_request):
                return answer

        monkeypatch.setattr(proof, "ScenarioSession", Session)

    return set_answer


@pytest.mark.parametrize(
    ("answer", "verdict", "despite"),
    [
        (Answer(200, "", 0.1), "passed", "passed"),
        (Answer(503, "", 0.1), "passed", "passed"),
        (HANGS, "noted", "noted"),
        (REFUSED, "failed", "noted"),
        (NOWHERE, "failed", "noted"),
    ],
)
def test_what_nobody_can_reach_cannot_be_proven(answers, answer, verdict, despite):
    answers(answer)
    for allowed, expected in ((False, verdict), (True, despite)):
        (finding,) = proof_of({**WANTED, "despite_unreachable": allowed}, None).findings
        assert (finding.check, finding.verdict) == ("base_url", expected)
        if expected == "failed":
            assert "rollback_despite_unreachable=true" in finding.cure


def test_an_application_without_http_is_not_asked():
    assert proof_of({**WANTED, "base_url": "none"}, None) == Proof("", ())


def test_a_healthy_application_makes_a_person_look_twice():
    assert answer_line(URL, Answer(200, "", 0.14)) == (
        "https://app.spymeo.fr answers 200 in 0.1 s: only its health was asked here (playbooks/triage.yml asks more). Is this the application that is meant?"
    )
    assert answer_line(URL, Answer(503, "", 0.04)) == "https://app.spymeo.fr answers 503 in 0.0 s"
    assert (
        answer_line(URL, NOWHERE)
        == "https://app.spymeo.fr does not answer: this machine cannot resolve the name of the host"
    )


def test_every_log_group_and_secret_is_looked_up_and_all_that_is_missing_is_told(answers, monkeypatch):
    answers(Answer(200, "", 0.1))
    monkeypatch.setattr(proof.PreflightGateway, "log_group", lambda _self, name: name == "/ecs/app")
    monkeypatch.setattr(proof, "_secret", lambda _clients, item: "" if item["secret"] == "there" else "no such secret.")
    secrets = {"a": {"secret": "there"}, "b": {"secret": "nosuch"}}
    wanted = {**WANTED, "log_groups": ["/ecs/app", "/ecs/nosuch"], "secrets": secrets}
    found = {finding.subject: finding.verdict for finding in proof_of(wanted, None).findings}
    assert found == {
        URL: "passed",
        "/ecs/app": "passed",
        "/ecs/nosuch": "failed",
        "there": "passed",
        "nosuch": "failed",
    }


def test_where_nothing_is_to_be_proven_nobody_is_asked():
    assert proof_of(None, None) == Proof()
