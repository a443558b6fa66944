# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import from_json
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.next_playbook import next_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.options import (
    CODE,
    DATABASE,
    FULL,
    NONE,
    UNCERTAIN,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.recommend import (
    RuleFinding,
    outcome,
    recommend,
    strength,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.rules import (
    AGAINST,
    DECISIVE,
    FOR,
    NOTE,
    STRONG,
    VETO,
    WEAK,
    Rule,
)
from hypothesis import given
from hypothesis import strategies as st

from .conftest import whole

FINDINGS = st.builds(
    RuleFinding,
    st.just(()),
    st.sampled_from([FOR, AGAINST]),
    st.sampled_from([NONE, CODE, DATABASE, FULL]),
    st.sampled_from([NOTE, WEAK, STRONG, DECISIVE, VETO]),
    st.text(max_size=5),
)


def says(speaks, option, weight):
    return RuleFinding((), speaks, option, weight, f"{speaks} {option}")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([], 0),
        ([WEAK], WEAK),
        ([WEAK, WEAK], STRONG),
        ([WEAK, NOTE], WEAK),
        ([WEAK] * 9, STRONG),
        ([STRONG, STRONG, STRONG], STRONG),
        ([DECISIVE, STRONG], DECISIVE),
    ],
)
def test_symptoms_of_one_cause_do_not_add_up(weights, expected):
    assert strength(weights) == expected


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], (UNCERTAIN, NONE)),
        ([(FOR, CODE, STRONG)], (CODE, CODE)),
        ([(FOR, CODE, WEAK)], (UNCERTAIN, CODE)),
        ([(FOR, DATABASE, STRONG)], (DATABASE, DATABASE)),
        ([(FOR, DATABASE, WEAK)], (UNCERTAIN, DATABASE)),
        ([(FOR, FULL, WEAK)], (UNCERTAIN, FULL)),
        ([(FOR, CODE, STRONG), (FOR, DATABASE, STRONG)], (FULL, FULL)),
        ([(FOR, CODE, DECISIVE), (FOR, DATABASE, WEAK)], (CODE, CODE)),
        ([(FOR, CODE, DECISIVE), (FOR, DATABASE, WEAK), (FOR, FULL, WEAK)], (FULL, FULL)),
        ([(FOR, NONE, STRONG)], (NONE, NONE)),
        ([(FOR, NONE, WEAK)], (UNCERTAIN, NONE)),
        ([(FOR, NONE, STRONG), (FOR, CODE, WEAK)], (NONE, NONE)),
        ([(FOR, NONE, STRONG), (FOR, CODE, STRONG)], (UNCERTAIN, CODE)),
        ([(FOR, NONE, STRONG), (FOR, CODE, DECISIVE)], (CODE, CODE)),
        ([(FOR, NONE, DECISIVE), (FOR, CODE, STRONG)], (NONE, NONE)),
        ([(FOR, CODE, DECISIVE), (AGAINST, CODE, NOTE)], (CODE, CODE)),
        ([(FOR, CODE, DECISIVE), (AGAINST, CODE, STRONG)], (UNCERTAIN, CODE)),
        ([(FOR, CODE, DECISIVE), (AGAINST, CODE, VETO)], (UNCERTAIN, NONE)),
        ([(FOR, CODE, DECISIVE), (AGAINST, CODE, VETO), (FOR, DATABASE, STRONG)], (DATABASE, DATABASE)),
        ([(FOR, CODE, DECISIVE), (FOR, DATABASE, DECISIVE), (FOR, NONE, VETO)], (NONE, NONE)),
    ],
)
def test_what_findings_come_to(findings, expected):
    assert outcome([says(*each) for each in findings]) == expected


@given(st.lists(FINDINGS))
def test_an_outcome_is_one_of_five_and_does_not_depend_on_the_order(findings):
    option, leaning = outcome(findings)
    assert option in (NONE, CODE, DATABASE, FULL, UNCERTAIN)
    assert leaning in (NONE, CODE, DATABASE, FULL)
    assert option in (leaning, UNCERTAIN)
    assert outcome(findings[::-1]) == (option, leaning)


@given(st.lists(FINDINGS))
def test_a_note_changes_nothing(findings):
    assert outcome([*findings, says(AGAINST, CODE, NOTE)]) == outcome(findings)


@given(st.lists(FINDINGS))
def test_what_takes_data_back_always_has_a_strong_reason_of_its_own(findings):
    option, _leaning = outcome(findings)
    reasons = [item.weight for item in findings if item.speaks == FOR and item.option in (DATABASE, FULL)]
    assert option not in (DATABASE, FULL) or strength(reasons) >= STRONG


@given(st.lists(FINDINGS))
def test_more_reasons_for_nothing_never_lead_to_a_rollback(findings):
    before, _leaning = outcome(findings)
    after, _leaning = outcome([*findings, says(FOR, NONE, DECISIVE)])
    assert after in (before, NONE, UNCERTAIN)


def test_a_team_adds_a_rule_of_its_own(evidence):
    mine = Rule((), FOR, CODE, DECISIVE, lambda seen: dict(day="Friday"), "it was deployed on a {day}")
    seen = recommend(evidence(), [mine])
    assert (seen.option, seen.why) == (CODE, ("it was deployed on a Friday",))
    assert seen.would_change[0] == "without this it would be uncertain: it was deployed on a Friday"


@pytest.mark.parametrize(
    ("otherwise", "person"),
    [
        ({}, False),
        ({"ended": {"count": 3, "exit": 1}, "service": {"running": 0}}, False),
        ({"ended": {"count": 3, "exit": 1}}, True),
        ({"ended": {"count": 3, "exit": 1}, "service": {"rollout": "IN_PROGRESS"}}, True),
        ({"ended": {"count": 3, "exit": 0}, "service": {"running": 0}}, True),
        ({"like": "old", "rules": {"corrupted": "x"}}, True),
        ({"rules": {"corrupted": "x"}}, True),
        ({"missing": {"http": "x"}}, True),
    ],
)
def test_triggers_may_do_code_only(otherwise, person, evidence):
    assert recommend(evidence(**otherwise)).needs_person is person


WELL_OR_NOT = st.fixed_dictionaries(
    {},
    optional={
        "ended": st.fixed_dictionaries(
            {
                "count": st.integers(1, 5),
                "code": st.sampled_from(["EssentialContainerExited", "TaskFailedToStart", "ServiceSchedulerInitiated"]),
                "reason": st.sampled_from(
                    [
                        "x",
                        "Rate exceeded",
                        "Task failed ELB health checks in (x)",
                        "CannotPullContainerError: not found",
                    ]
                ),
                "exit": st.sampled_from([None, 0, 1, 137]),
            }
        ),
        "service": st.fixed_dictionaries(
            {},
            optional={
                "failed_tasks": st.integers(0, 5),
                "rollout": st.sampled_from(["IN_PROGRESS", "COMPLETED", "FAILED"]),
            },
        ),
        "errors": st.lists(
            st.builds(
                lambda code, count: {"fingerprint": code, "count": count, "codes": [code]},
                st.sampled_from(["P1001", "P2022", "P2024", "P3009"]),
                st.integers(1, 99),
            ),
            max_size=2,
        ),
        "logs": st.fixed_dictionaries(
            {"addresses": st.lists(st.sampled_from(["replica:5432", "app-db.example.org:5433"]))}
        ),
    },
)


@given(WELL_OR_NOT)
def test_nobody_takes_code_back_by_himself_where_everything_runs_and_works(told):
    seen = recommend(from_json(whole({"like": "fresh", **told})))
    assert seen.option != "CODE" or seen.needs_person


@pytest.mark.parametrize("reason", ["Rate exceeded", "Timeout waiting for network interface provisioning to complete."])
def test_what_aws_does_not_start_takes_no_code_back(reason, evidence):
    ended = {"count": 4, "code": "TaskFailedToStart", "reason": reason}
    seen = recommend(evidence(ended=ended, service={"running": 0, "failed_tasks": 4}, outage=503))
    assert (seen.option, any("AWS could not start 4 tasks" in why for why in seen.why)) == ("none", True)
    assert recommend(evidence(ended=ended)).option == "none"


def test_the_next_step_of_a_database_rollback_tells_of_when_the_data_are(evidence):
    seen = evidence(like="old", rules={"corrupted": "x"})
    assert next_of(recommend(seen), seen).words.endswith("The data are those of 2026-11-22 02:30:00 UTC.")
    seen = evidence(like="old", rules={"corrupted": "x"}, missing={"instance": "denied"})
    assert "not known yet" in next_of(recommend(seen), seen).words


def event(message):
    """That RDS said this two minutes ago."""
    return {"instance": {"events": [{"at": "2026-11-22T02:58:00Z", "message": message}]}}


# Any of these keeps "nothing is wrong" from being sure.
TROUBLES = {
    "failed tasks": {"service": {"failed_tasks": 1}},
    "a rollout of hours": {"service": {"rollout": "IN_PROGRESS", "came": "2026-11-21T22:00:00Z"}},
    "a deployment that was stopped": {
        "service": {"deployments": [{"release": "app:42", "status": "STOPPED", "at": "2026-11-22T02:50:00Z"}]}
    },
    "targets away": {"targets": [{"group": "app", "healthy": 2, "other": 1}]},
    "targets unhealthy": {"targets": [{"group": "app", "healthy": 2, "unhealthy": 1}]},
    "a signal": {"ended": {"count": 1, "code": "ServiceSchedulerInitiated", "exit": 139}},
    "a crash of another release": {"ended": {"count": 1, "release": "app:99", "exit": 1}},
    "a late database": {"database": {"seconds": 60.0}},
    "a full disk": event("The free storage capacity for DB Instance: app-db is low at 1%"),
    "a rule that says nothing": {"rules": {"unknown": "timed out"}},
}
# And any of these keeps CODE from being done without a person.
EXCUSES = {
    "failover": event("Multi-AZ instance failover completed"),
    "a full disk": TROUBLES["a full disk"],
    "an unknown state": {"instance": {"status": "in-recovery"}},
    "the same errors before": {"errors": [{"fingerprint": "TypeError", "count": 9, "before": 9}]},
    "a late database": TROUBLES["a late database"],
    "no history": {"service": {"came": None}},
    "another URL": {"secrets": [{"name": "production/url", "since": "2026-11-22T02:38:00Z", "holds_url": True}]},
    "no instance": {"missing": {"instance": "denied"}},
    "a deployment": {"service": {"rollout": "IN_PROGRESS"}},
}


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("other", TROUBLES)
def test_beside_any_trouble_nothing_is_surely_nothing(evidence, name, other):
    seen = recommend(evidence(**{**TROUBLES[other], **TROUBLES[name]}))
    assert (seen.option, seen.confidence) != ("none", "high")


@pytest.mark.parametrize("status", [500, 501, 502, 505, 520, 530])
@pytest.mark.parametrize("name", EXCUSES)
@pytest.mark.parametrize("other", EXCUSES)
def test_what_something_else_may_explain_is_a_persons_to_decide(evidence, name, other, status):
    seen = recommend(evidence(**{**EXCUSES[other], **EXCUSES[name], "broken": {"payment/pay": {"status": status}}}))
    assert seen.needs_person
    assert (seen.option, seen.confidence) != ("CODE", "high") or seen.doubts
