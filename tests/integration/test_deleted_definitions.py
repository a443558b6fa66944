# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody has deleted the task definitions of the good release: what is known of them is told as a command that registers them again."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from spymeo_world import world

from .conftest import bring_up, one_line, take_down
from .test_left_behind import start_service


@pytest.fixture(scope="module", name="lab")
def _lab():
    """A database rollback has pinned a version in a copy of the good release; then the bad release came again."""
    lab = bring_up()
    lab.control("durations", backing_up=600)
    lab.accident("bad-migration")
    done = lab.play("rollback_full")
    assert done.code == 0, done.output
    lab.copy = lab.service()["taskDefinition"]
    lab.good = lab.origin()
    yield lab
    take_down(lab)


def delete(lab, arn):
    ecs = lab.aws("ecs")
    ecs.deregister_task_definition(taskDefinition=arn)
    ecs.delete_task_definitions(taskDefinitions=[arn])


def test_a_snapshot_that_nobody_has_asked_for_is_not_named(lab):
    """The instance that is replaced is backing-up, so RDS takes no snapshot of it now."""
    played = lab.play("rollback_full", "-e", "rollback_database_again=true", "-e", "rollback_run_id=run-again")
    assert played.code == 0, played.output
    assert "CreateDBSnapshot" not in " ".join(played.written)
    said = one_line(played.output)
    assert "as it was; no snapshot of it was asked for yet;" in said
    assert "and the snapshot" not in said.partition("KEPT ")[2].partition("CHECK")[0].replace("KEPT nothing", "")
    lab.copy = lab.service()["taskDefinition"]


def test_the_origin_that_is_gone_is_not_named_as_a_way_to_end_the_pin(lab):
    delete(lab, lab.good)
    played = lab.play("rollback_full", "-e", "rollback_database_again=true")
    assert played.code == 0, played.output
    name = lab.good.rpartition("/")[2]
    assert f"{name}, of which {lab.service()['taskDefinition'].rpartition('/')[2]} is a copy, was deleted" in one_line(
        played.output
    )
    lab.copy = lab.service()["taskDefinition"]


def test_what_was_deleted_is_brought_back_as_its_copy(lab):
    bad = f"{world.FAMILY}:2"
    lab.aws("ecs").update_service(cluster=world.CLUSTER, service=world.SERVICE, taskDefinition=bad)
    lab.until(lambda: [item["rolloutState"] for item in lab.service()["deployments"]] == ["COMPLETED"], 60)
    name = lab.good.rpartition("/")[2]
    played = lab.play("rollback_code", "--check", "-e", f"rollback_task_definition={name}")
    assert (played.code, played.written) == (0, []), played.output
    assert f"{bad} -> {lab.copy.rpartition('/')[2]} (" in played.output


def test_what_is_being_deleted_is_registered_again_by_the_command_that_is_printed(lab):
    """Another service still runs it, so AWS goes on telling its content."""
    start_service(lab, lab.copy)
    delete(lab, lab.copy)
    name = lab.copy.rpartition("/")[2]
    refused = lab.play("rollback_code", "--check", "-e", f"rollback_task_definition={name}")
    said = one_line(refused.output)
    assert (refused.code != 0, refused.written) == (True, []), refused.output
    found = re.search(r'aws ecs register-task-definition --cli-input-json "\$\(.*?\)"', said)
    assert found, refused.output
    done = subprocess.run(
        ["bash", "-c", found[0]], env=lab.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)["taskDefinition"]
    ecs = lab.aws("ecs")
    before = ecs.describe_task_definition(taskDefinition=lab.copy)["taskDefinition"]
    assert content["containerDefinitions"] == before["containerDefinitions"]
    again = lab.play("rollback_code", "--check", "-e", f"rollback_task_definition={world.FAMILY}:{content['revision']}")
    assert again.code == 0, again.output


def test_what_nobody_knows_any_more_is_said_to_be_unknown(lab):
    refused = lab.play("rollback_code", "--check", "-e", f"rollback_task_definition={world.FAMILY}:99")
    assert refused.code != 0
    assert f"AWS tells nothing of the content of {world.FAMILY}:99 any more" in one_line(refused.output)
