# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recorded evidence, and what is to be recommended on it. A case is a few lines in cases/*.yml; conftest.py tells its words."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import from_json, to_json
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.next_playbook import next_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.recommend import recommend
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.rules import CRITERIA, DATA, DECISIVE, RULES

from .conftest import CASES, whole

FOUND = {
    f"{path.stem}: {name}": told
    for path in sorted(CASES.glob("*.yml"))
    for name, told in yaml.safe_load(path.read_text()).items()
}


def lacking(wanted, sentences):
    """Which of the wanted texts are in none of the sentences; an empty list of wanted ones means that there is no sentence."""
    if wanted == []:
        return list(sentences)
    return [text for text in wanted or () if not any(text in sentence for sentence in sentences)]


@pytest.mark.parametrize("name", FOUND)
def test_what_is_recommended(name):
    told = {key: value for key, value in FOUND[name].items() if key != "expect"}
    expect = FOUND[name]["expect"]
    evidence = from_json(whole(told))
    seen = recommend(evidence)
    step = next_of(seen, evidence)
    assert seen.option == expect["recommendation"], seen
    assert lacking(expect.get("why"), seen.why) == [], seen.why
    assert lacking(expect.get("against"), seen.against) == [], seen.against
    assert lacking(expect.get("changes"), seen.would_change) == [], seen.would_change
    assert lacking(expect.get("unknown"), [why for _part, why in seen.not_measured]) == [], seen.not_measured
    answers = dict(enumerate((answer for _text, answer in seen.criteria), 1))
    for key, answer in {"met": "yes", "perhaps": "perhaps", "not_known": "not measured"}.items():
        wanted = expect.get(key, [] if "met" in expect else None)
        assert wanted is None or [number for number in answers if answers[number] == answer] == wanted
    got = {"confidence": seen.confidence, "leaning": seen.leaning, "person": seen.needs_person, "next": step.playbook}
    got |= {"variables": step.variables, "look_first": step.look_first}
    assert all(text in step.words for text in expect.get("words", ()))
    got["instead"] = [[way.playbook, way.variables] for way in step.instead]
    got["command"] = step.command
    assert {key: got[key] for key in got if key in expect} == {key: expect[key] for key in got if key in expect}


@pytest.mark.parametrize("name", FOUND)
def test_evidence_is_the_same_after_json(name):
    evidence = from_json(whole({key: value for key, value in FOUND[name].items() if key != "expect"}))
    assert from_json(to_json(evidence)) == evidence


def test_there_are_cases_enough_to_lean_on():
    assert len(FOUND) >= 100


@pytest.mark.parametrize("name", FOUND)
def test_without_rules_for_data_nothing_is_done_or_left_undone_with_high_confidence_and_without_a_person(name):
    evidence = from_json(whole({key: value for key, value in FOUND[name].items() if key != "expect"}))
    if evidence.database is None or not evidence.database.answers:
        return
    unasked = dataclasses.replace(evidence, database=dataclasses.replace(evidence.database, rules=()))
    seen = recommend(unasked)
    assert seen.option != "CODE" or seen.needs_person
    assert (seen.option, seen.confidence) != ("none", "high") or any(decisive(rule, unasked) for rule in RULES)
    assert dict(seen.criteria)[CRITERIA[DATA]] in ("not measured", "yes", "perhaps")


def decisive(rule, evidence):
    return (rule.speaks, rule.option) == ("for", "none") and rule.weight >= DECISIVE and rule.when(evidence) is not None
