# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import PARTS, from_json, to_json

NIGHT = "2026-11-22T03:00:00+00:00"


def test_evidence_is_frozen_and_is_the_same_after_a_file(evidence):
    seen = evidence(ended={"count": 2, "exit": 1})
    assert from_json(json.loads(json.dumps(to_json(seen)))) == seen
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.http = None


def test_times_come_back_as_times():
    assert from_json({"at": NIGHT}).at == datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_a_part_that_is_not_there_is_missing_and_an_empty_one_is_not():
    seen = from_json({"at": NIGHT, "tasks": [], "not_measured": [{"part": "logs", "why": "denied"}]})
    assert "tasks" not in seen.missing
    assert seen.missing["logs"] == "denied"
    assert seen.missing["http"] == "it was not recorded"
    assert set(seen.missing) == set(PARTS) - {"tasks"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "in evidence, at is missing"),
        ({"at": "03:00"}, "evidence.at is '03:00' and not a time with its zone"),
        ({"at": NIGHT, "htpp": {}}, "in evidence, htpp is not known"),
        ({"at": NIGHT, "targets": {}}, "evidence.targets is {} and not a list"),
        (
            {"at": NIGHT, "targets": [{"group": "a", "healthy": "2"}]},
            "evidence.targets[0].healthy is '2' and not of type int",
        ),
        (
            {"at": NIGHT, "targets": [{"group": "a", "healthy": True}]},
            "evidence.targets[0].healthy is True and not of type int",
        ),
        ({"at": NIGHT, "targets": ["a"]}, "evidence.targets[0] is 'a' and not a mapping"),
        (
            {"at": NIGHT, "http": {"steps": [], "slow_after": "2"}},
            "evidence.http.slow_after is '2' and not of type float",
        ),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_place(told, words):
    with pytest.raises(RollbackError) as error:
        from_json(told)
    assert words in error.value.message
