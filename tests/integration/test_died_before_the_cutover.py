# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs that died before they had moved the database: their undo moves none either, and what they had restored was never in service."""

from __future__ import annotations

import re

import pytest

from loopback_aws.interruption import AFTER
from spymeo_world import world
from spymeo_world.killing import play

from .conftest import bring_up, one_line, take_down
from .test_data_in_service import given

FENCED, UNDO, FULL, UNDONE, AGAIN = "run-fenced", "undo-of-it", "run-full", "undo-of-full", "undo-of-the-undo"
READY, SECOND = "run-ready", "run-second"
DB = world.DB_INSTANCE


def died(accident, run_id, operation):
    """A lab in which a full rollback has died once AWS had answered that call."""
    lab = bring_up()
    lab.accident(accident)
    code, output, at = play(lab.state, "rollback_full", *given(rollback_run_id=run_id), when=AFTER, operation=operation)
    assert (code, at) == (-9, [operation]), output
    return lab


@pytest.fixture(scope="module", name="fenced")
def _fenced():
    """The release crashes, so the rollback brings its service to 0 tasks, and dies there."""
    lab = died("full", FENCED, "UpdateService")
    assert lab.service()["desiredCount"] == 0
    yield lab
    take_down(lab)


def test_triage_gives_the_tasks_back_and_undoes_nothing(fenced):
    said = one_line(fenced.play("triage").output)
    assert re.search(r"NEXT ansible-playbook playbooks/rollback_full\.yml [^A-Z]* -e rollback_run_id=%s" % FENCED, said)
    assert "playbooks/unfence.yml" in said
    assert "playbooks/undo.yml" not in said


def test_the_plan_of_an_undo_says_what_it_does_to_a_fenced_service_and_claims_no_move(fenced):
    played = fenced.play("undo", "--check", *given(rollback_undo_run=FENCED))
    assert played.written == [], played.output
    said = one_line(played.output)
    assert "spymeo-app: stays on spymeo-app:2 and is started again" in said
    assert "FENCE spymeo-app: desired count 0 -> 2" in said
    assert f"BEWARE release spymeo-app: spymeo-app:2 is started again, and it is what run {FENCED}" in said
    assert f"DATABASE stays: the run had not moved it. The application is on {DB}" in said
    assert "LOST" not in said


def test_an_undo_that_does_not_come_up_leads_on_and_not_back(fenced):
    played = fenced.play("undo", *given(rollback_undo_run=FENCED, rollback_run_id=UNDO, rollback_lease=2))
    assert played.code != 0, played.output
    said = one_line(played.output)
    assert "the run that is undone had moved no database yet" in said
    assert "pointed the application at the other database" not in said
    assert "undoing it leads nowhere. Look what does:" in said
    assert f"rollback_undo_run={UNDO}" not in said.partition("undoing it leads nowhere")[2].partition("HOLD")[0]
    triage = one_line(fenced.play("triage").output)
    assert f"rollback_full.yml -i inventories/lab -e rollback_abandon={UNDO}" in triage
    assert f"undo.yml -i inventories/lab -e rollback_undo_run={UNDO}" not in triage


def test_what_ran_on_the_other_database_has_not_met_the_restored_one(fenced):
    """A rollback, an undo of it whose deployment fails, and the undo of that."""
    full = fenced.play("rollback_full", *given(rollback_abandon=UNDO, rollback_run_id=FULL, rollback_lease=2))
    assert full.code == 0, full.output
    undone = fenced.play("undo", *given(rollback_undo_run=FULL, rollback_run_id=UNDONE, rollback_lease=2))
    assert undone.code != 0, undone.output
    assert "pointed the application at the other database" in one_line(undone.output)
    again = fenced.play("undo", *given(rollback_undo_run=UNDONE, rollback_run_id=AGAIN, rollback_lease=2))
    assert again.code == 0, again.output
    check = fenced.play("rollback_full", "--check")
    assert (check.code, check.written) == (0, []), check.output
    said = one_line(check.output)
    assert f"DATABASE stays: The application uses {DB}-{FULL} already" in said
    assert "what it has done is in them" not in said
    done = one_line(fenced.play("rollback_full", *given(rollback_lease=2)).output)
    assert f"KEPT {DB} as it was" in done
    assert f"DB instance {DB}: what was written from" in done
    assert "is only there" not in done


@pytest.fixture(scope="module", name="ready")
def _ready():
    """A rollback that died when its restored instance was ready, and nothing was deployed yet; the next one gave it up."""
    lab = died("bad-migration", READY, "PutSecretValue")
    lab.second = lab.play("rollback_full", *given(rollback_abandon=READY, rollback_run_id=SECOND, rollback_lease=2))
    assert lab.second.code == 0, lab.second.output
    yield lab
    take_down(lab)


def test_an_instance_that_was_never_in_service_is_told_as_that(ready):
    said = one_line(ready.second.output)
    assert f"DB instance {DB}-{READY}, which run {READY} has restored, was never in service" in said
    assert f"DB instance {DB}-{READY}: what was written" not in said
    assert "is only there and here" not in said


def test_salvage_compares_the_failed_one(ready, tmp_path):
    played = ready.play("salvage", *given(rollback_salvage_directory=tmp_path))
    assert played.code == 0, played.output
    said = one_line(played.output)
    assert f"SALVAGE {DB} against the database of now" in said
    assert f"ALSO DB instance {DB}-{READY}, which run {READY} has restored, was never in service" in said
    assert f"rollback_failed_db_instance={DB}-{READY}" not in said
