# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways back that there are, the fastest first, whatever is recommended."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import from_json
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.ladder import (
    CODE,
    POINT_IN_TIME,
    SECRETS,
    SNAPSHOT,
    ladder,
)

UNTIL = {"instance": {"restorable_until": "2026-11-22T02:55:00Z"}}
TIMES = [
    {"kind": "rollback_code", "seconds": 62.4, "runs": 3},
    {"kind": "rollback_database", "seconds": 1210.0, "runs": 1},
]


def ways(evidence):
    return [rung.way for rung in ladder(evidence)]


def test_all_of_them_stand_in_their_order(evidence):
    seen = evidence(secrets=[{"name": "app", "since": "2026-11-22T02:41:00Z"}], **UNTIL)
    assert ways(seen) == [CODE, SECRETS, SNAPSHOT, POINT_IN_TIME]


def test_a_way_that_is_not_there_is_not_told(evidence):
    assert ways(from_json({"at": "2026-11-22T03:00:00Z"})) == []
    assert CODE not in ways(evidence(service={"before": ""}))
    assert CODE not in ways(evidence(service={"brought_back": True}))
    assert SECRETS not in ways(evidence())
    assert SNAPSHOT not in ways(evidence(instance={"snapshot_problem": "it is deleting"}))
    assert POINT_IN_TIME not in ways(evidence())


def test_its_time_is_that_of_earlier_runs_of_its_kind(evidence):
    found = {rung.way: (rung.seconds, rung.runs) for rung in ladder(evidence(times=TIMES, **UNTIL))}
    assert found == {CODE: (62.4, 3), SNAPSHOT: (1210.0, 1), POINT_IN_TIME: (1210.0, 1)}
    assert {rung.runs for rung in ladder(evidence())} == {0}


@pytest.mark.parametrize(
    ("otherwise", "proof"),
    [
        ({}, "no migration came since it served"),
        ({"missing": {"database": "denied"}}, "whether the schema of now fits it is not known"),
        (
            {"migrations": {"20261122_add_phone": "done"}},
            "20261122_add_phone came since; that it only adds is not proven",
        ),
        (
            {"migrations": {"20261122_drop_phone": "done"}},
            "20261122_drop_phone takes something away, by its name, which it may need",
        ),
        ({"migrations": {"m": "takes_away"}}, "m (column x of y is changed) takes something away which it may need"),
        ({"migrations": {"drop_m": "additive"}}, "drop_m came since, which only adds"),
        ({"migrations": {"m": "changes_data"}}, "m came since; that it only adds is not proven"),
    ],
)
def test_the_code_says_whether_it_fits_the_schema(otherwise, proof, evidence):
    (code,) = [rung for rung in ladder(evidence(**otherwise)) if rung.way == CODE]
    assert (code.proof, code.loses) == (proof, "nothing")


def test_what_a_snapshot_loses_is_told_in_minutes(evidence):
    (found,) = [rung for rung in ladder(evidence()) if rung.way == SNAPSHOT]
    assert (found.to, found.loses) == (
        "before-42, of 2026-11-22 02:30:00 UTC",
        "what was written in the 30 min since then",
    )


def test_a_full_rollback_tells_the_time_of_a_restore_where_nothing_else_does(evidence):
    times = [{"kind": "rollback_full", "seconds": 1500.0, "runs": 2}]
    assert {rung.way: rung.runs for rung in ladder(evidence(times=times))} == {CODE: 0, SNAPSHOT: 2}


def test_where_the_release_before_was_brought_back_it_is_the_one_before_that(evidence):
    (found,) = [rung for rung in ladder(evidence(service={"brought_back": True, "next": "app:40"})) if rung.way == CODE]
    assert (found.to, found.proof) == ("app:40", "whether the schema of now fits it is not known")
