# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""verify.yml before and after a rollback of each accident: it fails on the right checks and only on those, and then passes."""

from __future__ import annotations

import re

import pytest

from spymeo_world import world
from spymeo_world.accidents import ACCIDENTS

HTTP = {"health", "database", "administration", "practitioner sign-up", "payment"}
OUTAGE = HTTP | {"tasks", "targets", "logs"}
MORE = {
    "watch",
    "deployment",
}  # where all of the others are well, the application is watched, and the tasks are looked at again
FAILS_ON = {
    "crash-loop": OUTAGE,
    "bad-migration": {"administration", "practitioner sign-up", "logs"},
    "cannot-connect": OUTAGE,
    "login-broken": {"administration"},
    "payments-broken": {"payment", "logs"},
    "slow": HTTP - {"database"},  # which says nothing about time
    "full": OUTAGE,
}
NEEDS_MORE_THAN_CODE = {"bad-migration", "full"}
SUMMARY = re.compile(r"(\d+) of (\d+) checks passed; (.*?)\.\\?n?\s", re.DOTALL)


def failing(played) -> dict[str, set[str]]:
    """Verdict → names of the checks that did not pass, as a run has told it once."""
    assert played.code != 0, played.output
    told = SUMMARY.search(played.output)
    assert told, played.output
    parts = dict(part.split(": ", 1) for part in " ".join(told[3].split()).split("; "))
    return {verdict: set(names.split(", ")) for verdict, names in parts.items()}


def sign_ups(production) -> int:
    """How many sign-ups of a verification there are."""
    url = production.database_url()
    host = re.search(r"@([^:/]+):", url)[1]
    name = next(key for key, item in production.instances().items() if item["Endpoint"]["Address"] == host)
    with world.connect(production.state["endpoint_url"], name) as connection:
        count = 'SELECT count(*) FROM "Practitioner" WHERE "email" LIKE \'verify+%\''
        return connection.execute(count).fetchone()[0]


def verified(production) -> None:
    """verify.yml passes, changes nothing in AWS, and leaves no sign-up behind."""
    played = production.play("verify")
    assert played.code == 0, played.output
    assert f"all {len(OUTAGE | MORE)} checks have passed" in played.output
    assert played.written == []
    assert sign_ups(production) == 0


def goes_wrong_and_comes_back(production, accident: str, playbook: str) -> None:
    production.accident(accident)
    before = production.play("verify")
    assert failing(before) == {"failed": FAILS_ON[accident]}, before.output
    assert "NEXT      playbooks/triage.yml tells whether to roll back" in before.output
    assert "CALL      devops: #devops" in before.output
    assert before.written == []
    cured = production.play(playbook)
    assert cured.code == 0, cured.output
    assert "CHECK     passed: targets" in cured.output
    verified(production)


def test_every_accident_is_in_the_matrix():
    assert set(FAILS_ON) == set(ACCIDENTS)


def test_a_healthy_production_passes(shared_production):
    verified(shared_production)


@pytest.mark.parametrize("accident", sorted(set(ACCIDENTS) - NEEDS_MORE_THAN_CODE))
def test_what_code_can_cure_fails_on_the_right_checks_and_then_passes(shared_production, accident):
    goes_wrong_and_comes_back(shared_production, accident, "rollback_code")


@pytest.mark.parametrize("accident", sorted(NEEDS_MORE_THAN_CODE))
def test_what_needs_the_database_too_fails_on_the_right_checks_and_then_passes(production, accident):
    goes_wrong_and_comes_back(production, accident, "rollback_full")
