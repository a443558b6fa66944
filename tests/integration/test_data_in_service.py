# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run dies between its deployment and pointing DATABASE_URL: the tasks read the restored database, and AWSCURRENT names the failed one."""

from __future__ import annotations

import re
import shlex

import pytest

from loopback_aws.interruption import BEFORE
from spymeo_world import world
from spymeo_world.killing import play

from .conftest import bring_up, one_line, take_down
from .test_no_bad_task import deployments, reads

RUN, UNDO, AGAIN = "run-that-died", "undo-of-it", "undo-of-the-undo"
RESTORED = f"{world.DB_INSTANCE}-{RUN}"


def given(**variables):
    return [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]


@pytest.fixture(scope="module", name="halfway")
def _halfway():
    """The release that the accident brought has renamed a column. The run died before AWSCURRENT moved."""
    lab = bring_up()
    lab.accident("bad-migration")
    lab.bad = lab.service()["taskDefinition"]
    lab.before = lab.database_url()
    # the first one of a run whose other secret stays
    code, output, at = play(
        lab.state, "rollback_full", *given(rollback_run_id=RUN), when=BEFORE, operation="UpdateSecretVersionStage"
    )
    assert (code, at) == (-9, ["UpdateSecretVersionStage"]), output
    lab.hosts = {name: item["Endpoint"]["Address"] for name, item in lab.instances().items()}
    lab.pinned, lab.pin = lab.service()["taskDefinition"], reads(lab)
    yield lab
    take_down(lab)


def test_the_window(halfway):
    assert halfway.database_url() == halfway.before
    assert halfway.pin.count(":") > 6, "a version is pinned"
    assert halfway.origin() != halfway.bad


@pytest.mark.parametrize("playbook", ["rollback_code", "rollback_database", "rollback_full", "rollback_secrets"])
def test_no_other_run_is_planned_on_what_awscurrent_names(halfway, playbook):
    played = halfway.play(playbook, "--check", *given(rollback_abandon=RUN, rollback_lease=2))
    said = one_line(played.output)
    assert (played.code != 0, played.written) == (True, []), played.output
    assert f"2 tasks of {world.SERVICE} read {halfway.hosts[RESTORED]}" in said
    assert f"AWSCURRENT of the secret names {halfway.hosts[world.DB_INSTANCE]}" in said
    assert f"-e rollback_run_id={RUN}" in said
    assert f"undo.yml -e rollback_undo_run={RUN}" in said


def test_no_release_point_is_made_of_data_that_do_not_serve(halfway):
    played = halfway.play("checkpoint", "--check", *given(rollback_abandon=RUN, rollback_lease=2))
    assert (played.code != 0, played.written) == (True, []), played.output
    assert f"2 tasks of {world.SERVICE} read {halfway.hosts[RESTORED]}" in one_line(played.output)


@pytest.mark.parametrize("arguments", [["--check"], []], ids=["check", "real"])
def test_the_run_is_not_given_up_where_that_would_leave_two_databases(halfway, arguments):
    """Whatever is deployed next would read the failed one, and nobody would be told any more what to go on with."""
    played = halfway.play("unfence", *given(rollback_lease=2), *arguments)
    said = one_line(played.output)
    assert (played.code != 0, played.written) == (True, []), played.output
    assert f"2 tasks of {world.SERVICE} read {halfway.hosts[RESTORED]}" in said
    assert f"To give run {RUN} up would leave it so." in said
    assert re.search(
        rf"NEXT Go on with run {RUN}: ansible-playbook [^\"]*rollback_full.yml'? [^\"]*-e rollback_run_id={RUN}", said
    ), said
    assert re.search(rf"NEXT Or undo it: [^\"]*undo.yml'? [^\"]*-e rollback_undo_run={RUN}\b", said), said
    assert (
        f"run {RUN} (Roll back code, database and secrets) was not finished"
        in halfway.play("hold", *given(rollback_hold="show")).output
    )


def test_the_run_itself_may_go_on(halfway):
    played = halfway.play("rollback_full", "--check", *given(rollback_run_id=RUN, rollback_lease=2))
    assert (played.code, played.written) == (0, []), played.output
    assert f"KEPT      DB instance {RESTORED}" not in played.output, "what it restores itself is not lost"


def test_triage_asks_what_the_tasks_read(halfway):
    played = halfway.play("triage")
    assert "has no column fullName" not in played.output, played.output
    said = one_line(played.output)
    assert (
        f"no rollback is planned before that is put right: 2 tasks of {world.SERVICE} read {halfway.hosts[RESTORED]}"
        in said
    )
    assert f"-e rollback_run_id={RUN}" in said
    assert re.search(rf"NEXT +ansible-playbook .*undo.yml'? [^\"]*-e rollback_undo_run={RUN}\b", said), said


def test_an_undo_knows_which_database_it_leaves(halfway):
    given_id = given(rollback_run_id=UNDO, rollback_undo_run=RUN, rollback_lease=2)
    for arguments in (["--check"], []):
        played = halfway.play("undo", *given_id, *arguments)
        assert f"stays in {RESTORED}, which is kept" in played.output
        assert f"IDS       sequences of {world.DB_INSTANCE} go beyond those of {RESTORED}" in played.output
    assert halfway.instances()[RESTORED]["DBInstanceStatus"] == "backing-up", "as it is for hours after a restore"
    assert any(line.startswith("MADE") and "setval" in line for line in played.output.splitlines()), played.output
    assert halfway.service()["taskDefinition"] == halfway.bad, "what ran before the run: it is broken, and that is told"
    assert halfway.database_url() == halfway.before
    assert f"-e rollback_undo_run={UNDO}" in played.output


def test_salvage_compares_what_serves_with_what_the_undo_left(halfway, tmp_path):
    """The rule of the inventory was written for the other direction."""
    played = halfway.play("salvage", *given(rollback_salvage_directory=tmp_path))
    assert played.code == 0, played.output
    assert f"SALVAGE   {RESTORED} against the database of now" in played.output
    assert "it is read the other way round" in played.output
    rules = '{"rollback_salvage_rules": {"Practitioner": {"renamed": {"nickName": "fullName"}}}}'
    refused = halfway.play("salvage", "-e", rules, *given(rollback_salvage_directory=tmp_path))
    said = one_line(refused.output)
    assert (refused.code != 0, "In service its columns are" in said) == (True, True), refused.output
    assert "NEXT Fix what is said above, then run the same command again: ansible-playbook" in said


def test_a_migration_that_what_comes_back_does_not_know_refuses_the_undo(halfway):
    """Somebody has migrated the restored database since it was left."""
    given_id = given(rollback_run_id=AGAIN, rollback_undo_run=UNDO, rollback_lease=2)
    name = "20261101000000_drop_full_name"
    with world.connect(halfway.state["endpoint_url"], RESTORED) as connection:
        connection.execute(
            'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)'
            " VALUES ('x', 'x', %s, now(), now(), 1)",
            (name,),
        )
    for arguments in (["--check"], []):
        refused = halfway.play("undo", *given_id, *arguments)
        said = one_line(refused.output)
        assert (refused.code != 0, refused.written) == (True, []), refused.output
        assert f"has migrations that the release to come back does not know: {name}" in said
        assert "rollback_despite_migrations=true" in said
    despite = halfway.play("undo", "--check", *given_id, *given(rollback_despite_migrations="true"))
    assert (despite.code, despite.written) == (0, []), despite.output
    with world.connect(halfway.state["endpoint_url"], RESTORED) as connection:
        connection.execute("DELETE FROM \"_prisma_migrations\" WHERE id = 'x'")


def test_undoing_the_undo_brings_back_the_very_revision(halfway):
    given_id = given(rollback_run_id=AGAIN, rollback_undo_run=UNDO, rollback_lease=2)
    before = len(deployments(halfway))
    checked = halfway.play("undo", "--check", *given_id)
    assert (checked.code, checked.written) == (0, []), checked.output
    name = halfway.pinned.rpartition("/")[2]
    for played in (checked, halfway.play("undo", *given_id)):
        assert f"-> {name} (" in played.output, played.output
        assert f"DATABASE  {RESTORED} at {halfway.hosts[RESTORED]} again" in played.output
        assert f"BEWARE data: the next task of {world.SERVICE} reads {halfway.hosts[RESTORED]}" in one_line(
            played.output
        )
        assert f"Go on with it: its own playbook and -e rollback_run_id={RUN}" in one_line(played.output)
    assert played.code == 0, played.output
    assert (halfway.service()["taskDefinition"], reads(halfway)) == (halfway.pinned, halfway.pin)
    assert len(deployments(halfway)) == before + 1
    again = halfway.play("undo", *given_id)
    assert (again.code, again.written) == (0, []), again.output


def test_then_the_run_is_gone_on_with(halfway):
    played = halfway.play("rollback_full", *given(rollback_run_id=RUN, rollback_lease=2))
    assert played.code == 0, played.output
    assert halfway.hosts[RESTORED] in halfway.database_url()


def test_an_undo_that_died_before_its_deployment_is_seen_by_what_runs():
    """AWSCURRENT names the failed database again, and the tasks read the restored one."""
    lab = bring_up()
    try:
        lab.accident("bad-migration")
        done = lab.play("rollback_full", *given(rollback_run_id=RUN, rollback_lease=2))
        assert done.code == 0, done.output
        before = lab.service()["taskDefinition"]
        undo = given(rollback_run_id=UNDO, rollback_undo_run=RUN)
        code, output, at = play(lab.state, "undo", *undo, when=BEFORE, operation="UpdateService")
        assert (code, at) == (-9, ["UpdateService"]), output
        assert lab.service()["taskDefinition"] == before
        hosts = {name: item["Endpoint"]["Address"] for name, item in lab.instances().items()}
        assert hosts[world.DB_INSTANCE] in lab.database_url()
        planned = lab.play("rollback_database", "--check", *given(rollback_abandon=UNDO, rollback_lease=2))
        assert (planned.code != 0, planned.written) == (True, []), planned.output
        assert f"2 tasks of {world.SERVICE} read {hosts[RESTORED]}" in one_line(planned.output)
        gone_on = lab.play("undo", *undo, *given(rollback_lease=2))
        assert f"stays in {RESTORED}, which is kept" in gone_on.output
        assert lab.service()["taskDefinition"] != before
        assert hosts[world.DB_INSTANCE] in lab.database_url()
    finally:
        take_down(lab)


def test_where_somebody_has_moved_awscurrent_triage_proposes_what_a_plan_then_takes():
    """Seen on call: it proposed a rollback, and each plan refused for what triage had not looked at."""
    lab = bring_up()
    try:
        lab.accident("payments-broken")
        secrets = lab.aws("secretsmanager")
        named = secrets.get_secret_value(SecretId=world.DATABASE_SECRET)
        moved = named["SecretString"].replace("@127.", "@127.9")
        secrets.put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=moved)
        refused = lab.play("rollback_code", "--check")
        assert (refused.code != 0, "AWSCURRENT of the secret names" in one_line(refused.output)) == (True, True)
        triaged = lab.play("triage", "-e", "rollback_slow_after=8")
        assert "no rollback is planned before that is put right" in one_line(triaged.output), triaged.output
        (command,) = re.findall(r"NEXT +aws secretsmanager (.*?)[\"\\]", triaged.output)
        given_words = shlex.split(command)[1:]
        words = dict(zip(given_words[::2], given_words[1::2], strict=True))
        assert (words["--secret-id"], words["--version-stage"]) == (world.DATABASE_SECRET, "AWSCURRENT")
        secrets.update_secret_version_stage(
            SecretId=world.DATABASE_SECRET,
            VersionStage="AWSCURRENT",
            MoveToVersionId=words["--move-to-version-id"],
            RemoveFromVersionId=words["--remove-from-version-id"],
        )
        assert lab.database_url() == named["SecretString"]
        again = lab.play("triage", "-e", "rollback_slow_after=8", "-e", "rollback_served_at_least=1")
        assert "NEXT      ansible-playbook" in again.output
        assert "rollback_code.yml" in again.output
        assert lab.play("rollback_code", "--check").code == 0
    finally:
        take_down(lab)
