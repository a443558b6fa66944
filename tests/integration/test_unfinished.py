# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person on call is told beside a run that was not finished: nothing that the real run would not do, and commands that work."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from loopback_aws.interruption import AFTER
from spymeo_world import world
from spymeo_world.killing import play

from .conftest import bring_up, one_line, take_down

RUN = "run-unfinished"
LEASE = ["-e", "rollback_lease=2"]


def lines(played) -> list[str]:
    """What was printed as lists of lines, without their quotes."""
    found = (re.fullmatch(r'\s+("(?:[^"\\]|\\.)*"),?', line) for line in played.output.splitlines())
    return [json.loads(match[1]) for match in found if match]


def commands(told: list[str]) -> list[str]:
    """The commands that stand alone in their lines."""
    return [line.strip() for line in told if re.match(r"\s+ansible-playbook ", line)]


@pytest.fixture(scope="module", name="died")
def _died():
    """A full rollback that died when its services stood at 0 tasks, and the snapshot had begun."""
    lab = bring_up()
    lab.accident("full")
    code, output, at = play(
        lab.state, "rollback_full", "-e", f"rollback_run_id={RUN}", when=AFTER, operation="CreateDBSnapshot"
    )
    assert (code, at) == (-9, ["CreateDBSnapshot"]), output
    yield lab
    take_down(lab)


@pytest.mark.parametrize("playbook", ["rollback_full", "rollback_secrets", "undo"])
def test_a_check_says_that_the_real_run_is_refused_with_both_commands(died, playbook):
    played = died.play(playbook, "--check", *LEASE)
    assert (played.code, played.written) == (0, []), played.output
    told = lines(played)
    checked = next(line for line in told if line.startswith("CHECKED"))
    assert f"without --check, this is refused until run {RUN} is gone on with, or given up" in checked
    assert "what is done" not in checked
    assert not any("-e rollback_" in line for line in told if line.startswith("RUNS")), "commands stand alone"
    on, up, only_up = commands(told)[:3]
    assert re.match(rf"ansible-playbook .*/rollback_full.yml'? .*-e rollback_run_id={RUN}$", on)
    assert re.match(rf"ansible-playbook .*/{playbook}.yml'? .*-e rollback_abandon={RUN}$", up)
    assert re.match(r"ansible-playbook .*/unfence.yml'? (?!.*rollback_abandon)", only_up)
    assert "--check" not in on + up + only_up
    does = (
        "and takes back what it has done"
        if playbook == "undo"
        else f"leaves what it has done, and then begins {playbook}.yml anew"
    )
    assert f"Or this gives run {RUN} up, {does}:" in "\n".join(told)


def test_a_plan_that_fails_says_it_with_what_else_is_in_the_way(died):
    """The code alone does not know the migration that came."""
    played = died.play("rollback_code", "--check", *LEASE)
    said = one_line(played.output)
    assert (played.code, played.written) == (2, []), played.output
    assert "has migrations that the release to come back does not know" in said
    assert f"without --check, this is refused until run {RUN} is gone on with, or given up" in said


def test_a_check_that_gives_it_up_says_so_and_does_not(died):
    for arguments in ([], [], ["-e", "rollback_abandon=rb-20200101-000000"]):
        given = arguments or ["-e", f"rollback_abandon={RUN}"]
        played = died.play("rollback_full", "--check", *LEASE, *given)
        said = one_line(played.output)
        assert (played.code, played.written) == (0, []), played.output
        assert ("would be given up; this is a check, so it is not" in said) == (not arguments)
        assert ("there is nothing to give up: the store knows no such run" in said) == bool(arguments)
        assert ("this is refused until" in said) == bool(arguments)


def test_undo_says_how_the_run_stands_and_not_that_it_is_under_way(died):
    plan = lines(died.play("undo", "--check", *LEASE))[0]
    assert "which was not finished: its lease ended at" in plan
    assert "under way" not in plan


def test_what_comes_back_is_known_to_be_bad(died):
    said = one_line(died.play("undo", "--check", *LEASE).output)
    assert f"it is what run {RUN} (Roll back code, database and secrets) has rolled back from" in said


@pytest.mark.parametrize("arguments", [["--check"], []])
def test_a_finish_names_it_and_leaves_it(died, arguments):
    played = died.play("finish", *LEASE, "-e", "database_wait_timeout=1", *arguments)
    assert (
        f"run {RUN} (Roll back code, database and secrets) was not finished, and this has left it as it is."
        in one_line(played.output)
    )
    assert any(f"-e rollback_run_id={RUN}" in line for line in played.output.splitlines())


def test_unfence_says_what_is_so(died):
    said = one_line(died.play("unfence", "--check", *LEASE).output)
    assert f"then the mark of run {RUN} is taken away" in said
    assert "would be given up; this is a check, so it is not" in said
    assert "what is said above of each service is what is done" in said
    assert "the plan above" not in said


def test_the_command_goes_on_with_it_and_the_outcome_tells_the_whole_run(died):
    triaged = lines(died.play("triage", *LEASE))
    (command,) = (line for line in triaged if line.startswith("NEXT") and f"rollback_run_id={RUN}" in line)
    assert [line for line in triaged if line.startswith("NEXT") and "/unfence.yml" in line], triaged
    played = died.run(shlex.split(command.removeprefix("NEXT")))
    assert played.code == 0, played.output
    told = lines(played)
    for beginning in (
        f"PINNED    {world.SERVICE} reads DATABASE_URL from the version",
        f"SECRETS   {world.APP_SECRET}: ",
        f"LATER     DB instance {world.DB_INSTANCE}-{RUN}: ",
        "IDS       1 sequence",
    ):
        assert [line for line in told if line.startswith(beginning)], (beginning, told)


def test_once_more_it_is_told_though_nothing_is_done(died):
    played = died.play("rollback_full", *LEASE, "-e", f"rollback_run_id={RUN}")
    assert (played.code, played.written) == (0, []), played.output
    told = lines(played)
    words = {line.split()[0] for line in told if not line.startswith(" ")}
    assert {"PINNED", "SECRETS", "IDS", "LATER"} <= words
    assert not any("was not finished" in line or "refused until" in line for line in told)


def test_a_failed_undo_is_undone_by_what_triage_proposes_and_all_is_told_again(died):
    """What the undo brings back crashes, so going on with it would fail again."""
    failed = died.play("undo", *LEASE)
    assert failed.code == 2, failed.output
    (undo,) = set(re.findall(r"PLAN +run (\S+) on", failed.output))
    triaged = lines(died.play("triage", *LEASE))
    first, second = (line.removeprefix("NEXT").strip() for line in triaged if line.startswith("NEXT"))
    assert f"-e rollback_undo_run={undo}" in first
    assert f"-e rollback_run_id={undo}" in second
    assert any("what it brings back does not come up" in line for line in triaged)
    played = died.run(shlex.split(first))
    assert played.code == 0, played.output
    told = lines(played)
    assert any(line.startswith(f"LATER     DB instance {world.DB_INSTANCE}-{RUN}: ") for line in told), told
    assert any(line.startswith(f"PINNED    {world.SERVICE} reads DATABASE_URL") for line in told), told
    assert any(line.startswith(f"DATABASE  {world.DB_INSTANCE}-{RUN} at ") for line in told), told
    held = died.play("hold", "-e", "rollback_hold=show")
    assert f"LATER     run {RUN} is not finished: DB instance {world.DB_INSTANCE}-{RUN}: " in held.output
    again = one_line(died.play("undo", "--check", "-e", f"rollback_undo_run={RUN}").output)
    assert f"run {undo} was to bring it back before, and was given up" in again


def test_the_printed_way_back_is_not_refused_for_what_the_plan_has_seen(production):
    """The code alone came back onto the schema of the release after it; then the database went back as well."""
    production.accident("bad-migration")
    refused = one_line(production.play("rollback_code", "--check").output)
    assert re.search(r"NEXT To bring the database back as well: ansible-playbook \S+/rollback_full.yml ", refused)
    despite = re.search(r"NEXT Or, if that code [^:]+: (ansible-playbook \S+/rollback_code.yml .*?=true) ", refused)[1]
    let_through = "BEWARE    migrations: the database has 20250310140000_rename_full_name_to_display_name"
    code = production.run(shlex.split(despite.replace("--check ", "")))
    assert (code.code, any(line.startswith(let_through) for line in lines(code))) == (2, True), code.output
    database = production.play("rollback_database")
    assert database.code == 0, database.output
    assert any("and is refused without -e rollback_despite_migrations=true" in line for line in lines(database))
    undo = next(line.removeprefix("UNDO").strip() for line in lines(database) if line.startswith("UNDO"))
    assert re.search(
        r"NEXT If that code [^:]+: ansible-playbook \S+/undo.yml .*=true", one_line(production.play("undo").output)
    )
    pasted = production.run([*shlex.split(undo), "--check"])
    assert pasted.code == 0, pasted.output
    assert any(line.startswith(let_through) for line in lines(pasted))
    idle = lines(production.play("finish", "--check"))
    assert not any("there is nothing to finish" in line for line in idle)
    (planned,) = (line for line in lines(pasted) if line.startswith("CODE"))
    pinned = production.service()["taskDefinition"]
    undone = production.run(shlex.split(undo))
    deployed = production.service()["taskDefinition"]
    assert deployed != pinned, undone.output
    names = [arn.rpartition("/")[2] for arn in (pinned, deployed)]
    assert planned.startswith("CODE      spymeo-app: %s -> %s, the same release (" % tuple(names)), (
        "what is planned is what is deployed"
    )


def test_a_rollback_of_secrets_starts_again_what_reads_them(production):
    assert "there is nothing to finish" in one_line(production.play("finish", "--check").output)
    secrets, ecs = production.aws("secretsmanager"), production.aws("ecs")
    good = secrets.get_secret_value(SecretId=world.APP_SECRET)
    secrets.put_secret_value(SecretId=world.APP_SECRET, SecretString=json.dumps(json.loads(good["SecretString"])))
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, forceNewDeployment=True)
    production.until(lambda: production.service()["deployments"][0]["rolloutState"] == "COMPLETED")
    before = ["-e", json.dumps({"rollback_secret_versions": {world.APP_SECRET: good["VersionId"]}})]
    for arguments in (["rollback_secrets", "--check", *before], ["rollback_secrets", *before], ["undo", "--check"]):
        told = lines(production.play(*arguments))
        (code,) = (line for line in told if line.startswith("CODE") and "stays on" in line)
        assert "and is started again" in code, told
        assert any(line.startswith(f"SECRETS   {world.APP_SECRET}: ") for line in told)
        assert not any(line.endswith("and no secret changed since") for line in told)
