# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody scales a service up that a rollback has brought to 0 tasks: it is noticed, told, put up again, and what they want is kept."""

from __future__ import annotations

import re
import time

import pytest

from loopback_aws.interruption import AFTER
from spymeo_world import killing, world

from .conftest import bring_up, one_line, take_down
from .test_fence import counts, tags

RUN = "run-of-the-broken-fence"
GIVEN = ["-e", "rollback_fence=scale_to_zero", "-e", f"rollback_run_id={RUN}"]
KEPT = f"KEPT      {world.DB_INSTANCE} as it was, and the snapshot {world.DB_INSTANCE}-failed-migration-{RUN} of it, which holds what was written until"


@pytest.fixture(name="lab")
def _lab():
    lab = bring_up()
    lab.accident("bad-migration")
    yield lab
    take_down(lab)


def scale(lab, count):
    lab.aws("ecs").update_service(cluster=world.CLUSTER, service=world.SERVICE, desiredCount=count)


def called(lab, operation):
    return sum(call["operation"] == operation and not call["error"] for call in lab.calls())


def test_a_fence_that_is_broken_once_the_snapshot_has_begun_is_told(lab):
    before = called(lab, "CreateDBSnapshot")  # the pipeline's
    playing = killing.start(lab.state, "rollback_full", *GIVEN)
    deadline = time.monotonic() + 120
    while called(lab, "CreateDBSnapshot") == before:
        assert time.monotonic() < deadline
        assert playing.poll() is None, playing.communicate()[0]
        time.sleep(0.02)
    scale(lab, 5)
    output, _none = playing.communicate(timeout=killing.PATIENCE)
    said = one_line(output)
    assert playing.returncode == 0, output
    assert f"FENCE {world.SERVICE} stood at 0 tasks for run {RUN}, and its desired count was set to 5 since" in said, (
        output
    )
    assert f"What was written meanwhile is in {world.DB_INSTANCE}; its snapshot has it as far as KEPT says." in said
    assert (".;" in said, "nowhere else" in said) == (False, False)
    assert KEPT in output
    lab.until(lambda: counts(lab) == (5, 5))
    assert tags(lab) == []


def test_a_run_that_is_gone_on_with_tells_what_was_set_since_it_died(lab):
    code, output, at = killing.play(lab.state, "rollback_full", *GIVEN, when=AFTER, operation="CreateDBSnapshot")
    assert (code, at) == (-9, ["CreateDBSnapshot"]), output
    assert counts(lab)[0] == 0
    scale(lab, 4)
    lab.until(lambda: counts(lab) == (4, 4))
    code, output, _at = killing.play(lab.state, "rollback_full", *GIVEN)
    assert code == 0, output
    assert f"was to stand at 0 tasks for run {RUN}, and its desired count was set to 4 since" in one_line(output)
    until = re.search(r"which holds what was written until (\S+ \S+) UTC", output)
    (snapshot,) = lab.aws("rds").describe_db_snapshots(
        DBSnapshotIdentifier=f"{world.DB_INSTANCE}-failed-migration-{RUN}"
    )["DBSnapshots"]
    assert until[1] == snapshot["SnapshotCreateTime"].strftime("%Y-%m-%d %H:%M:%S")
    lab.until(lambda: counts(lab) == (4, 4))


def test_one_that_was_scaled_before_the_fence_went_up_is_told_and_gets_that_back(lab):
    """Seen on call: the plan had counted 2, somebody set 4 while RDS restored, and nobody was told."""
    playing = killing.start(lab.state, "rollback_full", *GIVEN)
    lab.until(lambda: called(lab, "RestoreDBInstanceFromDBSnapshot"), 120)
    scale(lab, 4)
    output, _none = playing.communicate(timeout=killing.PATIENCE)
    assert playing.returncode == 0, output
    said = one_line(output)
    assert (
        f"FENCE {world.SERVICE} had a desired count of 2 when the run looked, and of 4 when it was to be brought to 0 tasks"
        in said
    )
    assert "It gets back the 4." in said
    lab.until(lambda: counts(lab) == (4, 4))


def test_one_that_is_scaled_while_the_deployment_runs_keeps_that(lab):
    before = called(lab, "UpdateService")
    playing = killing.start(lab.state, "rollback_full", *GIVEN)
    lab.until(lambda: called(lab, "UpdateService") >= before + 2, 120)  # to 0 tasks, and the deployment
    scale(lab, 3)
    output, _none = playing.communicate(timeout=killing.PATIENCE)
    assert playing.returncode == 0, output
    lab.until(lambda: counts(lab) == (3, 3))


def test_a_fence_that_nobody_breaks_is_not_said_to_be_broken(lab):
    played = lab.play("rollback_full", *GIVEN)
    assert played.code == 0, played.output
    assert "desired count was set" not in played.output
    assert "tasks were started since" not in one_line(played.output)
    assert counts(lab) == (2, 2)
    again = lab.play("rollback_full", *GIVEN)
    assert (again.code, again.written) == (0, []), again.output
    assert KEPT in again.output
