# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cutover does not wait for: the first backup of a restored instance, and the end of the safety snapshot. finish.yml ends it.

One lab, in the order of the tests. RDS backs a restored instance up for 600 s, so whatever waits for that never ends in time.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import re
import shlex
import signal
import time

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import compare
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import restored_instance

from loopback_aws.interruption import AFTER
from spymeo_world import world
from spymeo_world.killing import play, start

from .conftest import bring_up, take_down

RUN = "run-of-today"
NEW = f"{world.DB_INSTANCE}-{RUN}"
SAFETY = f"{world.DB_INSTANCE}-failed-migration-{RUN}"
LATER = {
    "MaxAllocatedStorage",
    "PreferredMaintenanceWindow",
    "PerformanceInsightsEnabled",
    "PerformanceInsightsRetentionPeriod",
}
AGAIN = "run-that-dies"


@pytest.fixture(scope="module")
def shared():
    lab = bring_up("--set", "snapshot=600")
    lab.accident("bad-migration")
    yield lab
    take_down(lab)


@pytest.fixture(scope="module")
def served(shared):
    """A full rollback with the variables of the inventory alone. Its safety snapshot ends when everybody is served, and no sooner."""
    before = shared.database_url()
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        playing = beside.submit(shared.play, "rollback_full", "-e", f"rollback_run_id={RUN}")
        shared.until(lambda: shared.database_url() != before or playing.done(), 120)
        under_way = not playing.done()
        if under_way:
            assert safety(shared)["Status"] == "creating"
            shared.control("rds_snapshot_done", name=SAFETY)
        played = playing.result()
    assert played.code == 0, played.output
    assert under_way
    return played


def safety(production) -> dict:
    return production.aws("rds").describe_db_snapshots(DBSnapshotIdentifier=SAFETY)["DBSnapshots"][0]


def instance(production, name: str) -> DbInstance:
    return DbInstance.from_boto(production.instances()[name])


def different(production) -> set[str]:
    """The settings that the restored instance has otherwise than the failed one."""
    return {item.setting for item in compare(instance(production, world.DB_INSTANCE), instance(production, NEW))}


def words(played) -> str:
    return " ".join(played.output.split())


def clock(played, word: str) -> float:
    """What the outcome tells: SERVED or FINISHED, in seconds."""
    minutes, seconds = re.search(rf"^\W*{word} +after (\d+):(\d\d)", played.output, re.MULTILINE).groups()
    return 60 * int(minutes) + int(seconds)


def test_the_cutover_waits_neither_for_the_backup_nor_for_the_snapshot(shared, served):
    """F1 and F2 of ways-back.md: users are served before the snapshot is complete, and the first backup has not ended when the run has."""
    restored = instance(shared, NEW)
    assert restored.status == "backing-up"
    assert restored.host in shared.database_url()
    assert clock(served, "SERVED") <= clock(served, "FINISHED")
    assert "SERVED    since" in served.output
    assert safety(shared)["Status"] == "available"


def test_what_users_feel_is_set_and_the_outcome_tells_what_comes_later(shared, served):
    told = words(served)
    assert f"DONE run {RUN} is complete" in told
    assert f"LATER DB instance {NEW}: MaxAllocatedStorage" in told
    assert "(it is backing-up)" in told
    assert re.search(rf"ansible-playbook .+/finish.yml.* rollback_run_id={RUN}", told)
    assert different(shared) == LATER


def test_hold_and_the_next_run_show_that_it_is_not_finished(shared, served):
    for playbook, *given in (("hold", "-e", "rollback_hold=show"), ("rollback_code", "--check")):
        assert f"run {RUN} is not finished: DB instance {NEW}: MaxAllocatedStorage" in words(
            shared.play(playbook, *given)
        )


def test_a_check_writes_nothing(shared, served):
    played = shared.play("finish", "--check")
    assert played.code == 0, played.output
    assert played.written == []
    assert "FINISH set MaxAllocatedStorage" in words(played)
    assert different(shared) == LATER


def test_finish_waits_for_rds_and_makes_both_equal(shared, served):
    """Stopped, it is gone on with as it has printed."""
    given = {"rollback_run_id": RUN, "rollback_db_stop_failed": True}
    stopping = start(shared.state, "finish", "-e", json.dumps(given))
    printed = "".join(itertools.takewhile(lambda line: not line.startswith("WAIT      finish"), stopping.stdout))
    stopping.send_signal(signal.SIGTERM)
    printed += stopping.communicate(timeout=60)[0]
    (command,) = re.findall(r"^NEXT      (.*)$", printed, re.MULTILINE)
    assert re.findall(r"rollback_run_id=(\S+)", command) == [RUN], "the run that it finishes, not its own"
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        finishing = beside.submit(shared.run, shlex.split(command))
        with pytest.raises(concurrent.futures.TimeoutError):
            finishing.result(10)
        shared.control("rds_backed_up", db_instance=NEW)
        played = finishing.result()
    assert played.code == 0, played.output
    assert different(shared) == set()
    assert f"{NEW} of run {RUN}: every setting was compared and is equal" in words(played)
    assert played.written == ["rds ModifyDBInstance", "rds AddTagsToResource", "rds StopDBInstance"]
    assert shared.instances()[world.DB_INSTANCE]["DBInstanceStatus"] in ("stopping", "stopped")


def test_a_second_finish_changes_nothing(shared, served):
    played = shared.play("finish")
    assert played.code == 0, played.output
    assert played.written == []
    assert "there was nothing to change" in words(played)
    assert "is not finished" not in words(shared.play("hold", "-e", "rollback_hold=show"))


def test_what_a_run_that_died_has_left_is_finished_and_the_run_still_goes_on(shared, served):
    """It is killed behind the deployment that it has asked for, so nobody has come to wait for the snapshot or to set anything."""
    shared.control("durations", snapshot=1.0)
    given = ["-e", json.dumps({"rollback_run_id": AGAIN, "rollback_lease": 5, "rollback_database_again": True})]
    code, output, _at = play(shared.state, "rollback_full", *given, when=AFTER, operation="CreateDBSnapshot")
    assert code == -9, output
    restored = restored_instance(NEW, AGAIN)
    shared.until(lambda: shared.instances()[restored]["DBInstanceStatus"] == "backing-up")
    shared.control("rds_backed_up", db_instance=restored)
    time.sleep(6)  # its lease
    played = shared.play("finish", "-e", "rollback_db_stop_failed=true")
    assert played.code == 0, played.output
    assert shared.instances()[NEW]["DBInstanceStatus"] == "available"  # it serves still
    assert compare(instance(shared, NEW), instance(shared, restored)) == ()
    assert f"{restored} of run {AGAIN}: every setting was compared and is equal" in words(played)
    played = shared.play("rollback_full", *given)
    assert played.code == 0, played.output
    assert instance(shared, restored).host in shared.database_url()
