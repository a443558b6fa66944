# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import WayOn

UNKNOWN = {"msg": "the release does not know 3 migrations", "unknown_migrations": ["a"]}
REFUSED = {"full": "FULL", "despite": "DESPITE"}


def made(kind, **values):
    return make_report(kind, {"host": "spymeo", "refused": REFUSED, **values})


def test_everything_is_told_in_the_order_of_the_plan_and_what_stands_in_the_way_of_the_run_below_it():
    values = {name: {"evidence": [name]} for name in ("run", "code", "database", "references", "secrets")}
    values["run"].update(until="run rb-0 is given up", lines=["BEWARE    refused until", "          undo.yml"])

    assert made("refusal", **values, migrations=UNKNOWN).text() == [
        "The rollback would fail. Nothing was changed. Fix all of this first:",
        "  - run",
        "  - code",
        "  - the release does not know 3 migrations",
        "  - database",
        "  - references",
        "  - secrets",
        "BEWARE    refused until",
        "          undo.yml",
    ]
    values["run"]["until"] = ""
    assert made("refusal", **values).text()[-1] == "  - secrets"


@pytest.mark.parametrize("migrations", [{}, {"skipped": True}, {"msg": "no way to it"}, {"accepted_migrations": ["a"]}])
def test_what_stands_in_nobodys_way_refuses_nothing(migrations):
    assert made("refusal", run={"lines": ["RUNS      x"], "until": "y"}, migrations=migrations).text() == []


FULL = WayOn("To bring the database back as well:", "FULL")
OR_DESPITE = WayOn("Or, if that code can work with that database all the same:", "DESPITE")
DESPITE = WayOn("If that code can work with that database all the same:", "DESPITE")


@pytest.mark.parametrize(
    ("values", "ways"),
    [
        ({"failed": {"msg": "x"}}, ()),
        ({"failed": {"msg": "x", "ways": [{"words": "Go:", "command": "go"}]}, "migrations": UNKNOWN}, (WayOn("Go:", "go"),)),
        ({"failed": {"msg": "x", **UNKNOWN}, "playbook": "rollback_code"}, (FULL, OR_DESPITE)),
        ({"failed": {"msg": "x", **UNKNOWN}, "playbook": "rollback_full"}, (DESPITE,)),
        ({"failed": {"msg": "x"}, "migrations": UNKNOWN, "playbook": "rollback_code"}, (FULL, OR_DESPITE)),
        ({"failed": {"msg": "x"}, "migrations": UNKNOWN, "secrets": {"evidence": ["more"]}, "playbook": "rollback_code"}, ()),
    ],
)  # fmt: skip
def test_what_a_plan_was_refused_for_alone_has_its_ways(values, ways):
    assert made("failure", **values).ways == ways


def test_a_failure_is_told_in_the_words_of_its_task_and_that_of_the_checks_by_what_broke():
    assert made("failure", failed={"msg": "It broke:\n  - here"}).text() == ["It broke:", "  - here"]
    assert made("failure").text() == ["its message is above"]
    report = ["UP        2 of 2", "BROKE     health, failed: 503", "UNPROVEN  logs: none", "PASSED    tasks"]
    verified = {"report": report, "next": ["Look at the logs."]}
    assert made("failure", failed={"msg": "x"}, verified=verified).text() == [*report[1:3], "Look at the logs."]


NAMED = "app: the task definition app:3 itself names old, so it would stay there. To have it come back like that: -e rollback_readers=leave."
FINDING = {"check": "log_group", "subject": "/x", "verdict": "failed", "services": [], "what": "no group /x"}


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, []),
        ({"lineage": {"needed": "old was deleted"}}, ["old was deleted"]),
        ({"release": {"findings": [FINDING], "back": {"against": ["it needs a secret"]}}}, ["it needs a secret", "no group /x"]),
        ({"release": {"findings": [dict(FINDING, services=["app"]), dict(FINDING, verdict="noted"), dict(FINDING, check="image")]}}, []),
        ({"naming": ["app"], "targets": {"app": "app:3"}, "leaving": "old"}, [NAMED]),
        ({"naming": ["app"], "targets": {"app": "app:3"}, "leaving": "old", "readers": "leave"}, []),
        (
            {"staying": [{"check": "cut_over", "subject": "job", "what": "stays on the failed database", "cure": "Stop it."}], "leaving": "old"},
            ["cut over job: stays on old. Stop it."],
        ),
    ],
)  # fmt: skip
def test_an_undo_is_refused_for_what_could_not_be_proven_and_who_would_stay(values, lines):
    undo = {"undo": {}, "release": {"findings": []}, **values}
    head = "What comes after the undo could not be proven, or somebody would stay on %s. Nothing was changed. Fix all of this first:"
    wanted = [head % values.get("leaving", "another database"), *("  - " + line for line in lines)] if lines else []

    assert make_report("undo refusal", undo).text() == wanted


def test_a_release_that_was_named_and_cannot_come_back_is_told():
    values = {"run": {}, "choice": {"evidence": ["it is not there"]}, "named": "app:9"}
    assert make_report("release refusal", values).text() == ["A rollback to app:9 would fail:", "  - it is not there"]
    assert make_report("release refusal", {**values, "named": ""}).text() == []
    assert make_report("release refusal", {**values, "choice": {}}).text() == []


def test_a_list_without_anything_is_nothing():
    assert make_report("list", {"head": "Left:", "texts": ["a"]}).text() == ["Left:", "  - a"]
    assert make_report("list", {"head": "Left:", "texts": []}).text() == []


def test_a_value_that_no_report_knows_is_no_silence():
    with pytest.raises(TypeError, match="databse"):
        made("plan", databse={})
