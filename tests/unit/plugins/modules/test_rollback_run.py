# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_run, _begin, _end, _hold and _undo_info as a playbook meets them, one after the other on a store."""

from __future__ import annotations

import importlib
import json
import re

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import CONNECTION
from ansible_collections.spymeo.rollback.plugins.modules import rollback_undo_info

MODULES = "ansible_collections.spymeo.rollback.plugins.modules"
SERVICE = "arn:aws:ecs:eu-west-3:123456789012:service/main/app"
PLACE = {"environment": "production", "application": "app"}


@pytest.fixture
def play(capsys, tmp_path):
    """Run one of the modules with these options, on a store of the test's own."""

    def run(name, check=False, **options):
        arguments = {"store": str(tmp_path / "store"), "_ansible_check_mode": check, **PLACE, **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            importlib.import_module(f"{MODULES}.{name}").main()
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def look(play):
    """Run rollback_run with these variables, as hold.yml does."""

    def run(check=False, alone=True, playbook="hold", given=(), **variables):
        variables = {"rollback_environment": "production", **variables}
        return play("rollback_run", check, playbook=playbook, variables=variables, given=[*given], alone=alone)

    return run


@pytest.fixture
def begin(play):
    def run(seen, check=False, **options):
        given = {"run_id": seen["run_id"], "etag": seen["etag"], "kind": "Roll back", "resources": [SERVICE]}
        return play("rollback_begin", check, **{**given, **options})

    return run


def test_gives_a_new_id(look):
    result = look(rollback_run_id="")
    assert re.fullmatch(r"rb-\d{8}-\d{6}", result["run_id"])
    assert not result["resumed"]


def test_keeps_the_id_of_the_run_to_resume(look):
    result = look(rollback_run_id="rb-20261122-031500")
    assert (result["run_id"], result["resumed"]) == ("rb-20261122-031500", True)


def test_tells_every_mistake_at_once_and_that_nothing_has_changed(look):
    result = look(rollback_run_id=41, rollback_environment="", rollback_store="here", given=["rollback_fense"])
    assert result["failed"]
    assert result["msg"].splitlines()[0] == "Nothing was changed: the inventory cannot be used."
    wrong = [line.split()[1] for line in result["msg"].splitlines()[2:]]
    assert wrong == ["rollback_environment", "rollback_run_id", "rollback_store"]
    assert result["msg"].splitlines()[1].endswith("did you mean rollback_fence?")


def test_looking_writes_nothing(look, tmp_path):
    look()
    look(check=True)
    assert not (tmp_path / "store").exists()


def test_a_run_has_the_lock_from_its_beginning_to_its_end(look, begin, play, tmp_path):
    begun = begin(look(), plan=["PLAN"], before={"services": {"app": "app:2"}})
    assert begun["run"] == {"store": str(tmp_path / "store"), **PLACE, "lease": 60, "fencing": 1}
    assert begun["changed"] is False
    refused = look()
    assert refused["failed"]
    assert "is at work" in refused["msg"]
    (note, hold) = look(alone=False)["notes"]
    assert "is at work" in note
    assert "holds deployments back" in hold
    run_id = begun["record"].rpartition("/")[2]
    ended = play(
        "rollback_end", run_id=run_id, fencing=1, verdict="passed", seconds={"restore": 3.5, "deployment": None}
    )
    assert (ended["outcome"]["state"], ended["outcome"]["ok"], ended["hold"]) == ("done", True, "")
    assert ended["lines"] == ["DONE      there was nothing to change, and every check has passed"]
    assert not look().get("failed")


def test_in_check_mode_who_works_is_told_and_nothing_is_taken(look, begin, tmp_path):
    begin(look())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    seen = look(check=True)
    assert "is at work" in seen["notes"][0]
    assert seen["until"].endswith("is done, or its lease has ended")
    assert begin(seen, check=True)["run"] == {}
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_check_says_that_another_application_works_on_the_same_services(look, begin, play):
    """Only the real run claims them, so a check has to look."""
    run_id = begin(look())["record"].rpartition("/")[2]
    check = {"run_id": "rb-9", "application": "namesake", "resources": [SERVICE]}
    refused = play("rollback_end", check=True, **check)
    assert f"without --check, this is refused until run {run_id} is done, or its lease has ended" in refused["lines"][0]
    assert "have another name in the store, production/app, and are in use there" in refused["lines"][0]
    for other in ({"resources": []}, {"resources": ["arn:aws:ecs:eu-west-3:123456789012:service/main/b"]}):
        (line,) = play("rollback_end", check=True, **{**check, **other})["lines"]
        assert "refused" not in line


def test_a_run_that_nobody_can_give_up_is_told(look):
    seen = look(check=True, rollback_abandon="rb-20260101-000000")
    assert seen["notes"] == [
        "rollback_abandon names run rb-20260101-000000, and there is nothing to give up: the store knows no such run"
    ]
    assert seen["lines"] == ["RUNS      " + seen["notes"][0]]
    assert look(check=True)["lines"] == []


def test_one_that_looked_before_another_began_is_refused(look, begin):
    first, second = look(), look(rollback_run_id="rb-2")
    begin(first)
    refused = begin(second)
    assert refused["failed"]
    assert "has begun since this run looked" in refused["msg"]


def test_ending_what_somebody_else_has_taken_over_is_refused(look, begin, play):
    run_id = begin(look())["record"].rpartition("/")[2]
    ended = play("rollback_end", run_id=run_id, fencing=7, verdict="passed")
    assert not ended["outcome"]["ok"]
    assert any("lock of this run is gone" in line for line in ended["lines"])


def test_a_store_that_cannot_be_written_is_told(look, begin, tmp_path):
    seen = look()
    (tmp_path / "store").write_text("a file")
    refused = begin(seen)
    assert refused["failed"]
    assert "The store " in refused["msg"]


def test_a_hold_is_set_with_a_reason_and_released(play):
    show = {"state": "show"}
    assert play("rollback_hold", **show)["reason"] == "nothing was ever written down here"
    assert "rollback_hold_reason" in play("rollback_hold", state="set")["msg"]
    assert play("rollback_hold", check=True, state="set", reason="audit")["changed"]
    assert not play("rollback_hold", **show)["standing"]
    assert play("rollback_hold", state="set", reason="audit", who="ada")["changed"]
    assert not play("rollback_hold", state="set", reason="audit")["changed"]
    held = play("rollback_hold", state="check")
    assert held["failed"]
    assert held["msg"].startswith("Do not deploy: ada holds deployments back since ")
    assert play("rollback_hold", state="release")["changed"]
    assert not play("rollback_hold", state="release")["changed"]
    assert not play("rollback_hold", state="check").get("failed")


BEFORE = {
    "services": {"app": "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:2"},
    "secrets": {"app/db": "5048a2cf-8c04-4b4f-b5a1-6ac1f0b7a9d1"},
    "database": {"db_instance": "app-db", "host": "db", "port": 5432},
}


def test_what_was_there_before_a_run_is_told_for_its_undo(look, begin, play):
    run_id = begin(look(), before=BEFORE)["record"].rpartition("/")[2]
    told = play("rollback_undo_info", undo_run=run_id)
    assert {name: told[name] for name in BEFORE} == BEFORE
    assert told["run_id"] == run_id
    assert "which is at work, and renews its lease" in told["told"]


AFTER = {
    **BEFORE,
    "database": {"db_instance": "app-db-rb", "host": "restored", "port": 5432},
    "secrets": {"db-url": "d1"},
}


@pytest.mark.parametrize(
    ("undo", "of_it", "left"),
    [
        (AFTER, True, {"database": AFTER["database"], "secrets": AFTER["secrets"]}),
        (AFTER, False, {}),
        (BEFORE, True, {}),
        ({**BEFORE, "database": {}}, True, {}),
    ],
)
def test_what_an_undo_of_the_same_run_has_left_is_known_to_the_next_one(play, look, begin, undo, of_it, left):
    run_id = begin(look(), before=BEFORE)["record"].rpartition("/")[2]
    play("rollback_end", run_id=run_id, fencing=1, verdict="passed", seconds={})
    undoes = run_id if of_it else "rb-other"
    assert not begin(look(rollback_run_id="rb-2"), before=undo, undoes=undoes, purpose="undo").get("failed")
    assert play("rollback_undo_info", undo_run=run_id)["left"] == left


def test_a_record_that_has_gone_meanwhile_is_of_no_undo():
    class Cleaned:
        def runs(self):
            return ["rb-1"]

        def run(self, run_id):
            return None

    assert rollback_undo_info.left_by(rollback_undo_info.newest(Cleaned()), "rb-2", {}) == {}


def test_without_a_run_that_changed_something_there_is_nothing_to_undo(look, begin, play):
    begin(look(), before=BEFORE)
    refused = play("rollback_undo_info")
    assert refused["failed"]
    assert "There is no run to undo" in refused["msg"]


def test_a_run_that_is_not_known_cannot_be_undone(look, begin, play):
    run_id = begin(look())["record"].rpartition("/")[2]
    assert f"The newest it has: {run_id}." in play("rollback_undo_info", undo_run="rb-x")["msg"]
    assert "does not say what was there before" in play("rollback_undo_info", undo_run=run_id)["msg"]


def test_a_store_in_s3_takes_the_connection_options_of_amazon_aws():
    theirs = aws_argument_spec()
    assert set(CONNECTION) == set(theirs)
    for name, option in theirs.items():
        assert sorted(CONNECTION[name].get("aliases", [])) == sorted(option.get("aliases", [])), name
        assert CONNECTION[name].get("no_log") == option.get("no_log"), name
        assert CONNECTION[name].get("fallback", [None, []])[1] == option.get("fallback", [None, []])[1], name


EVERYTHING = {
    "rollback_environment": "production",
    "rollback_region": "eu-west-3",
    "rollback_cluster": "main",
    "rollback_services": ["app"],
    "rollback_base_url": "https://app.spymeo.fr",
    "rollback_health_path": "/api/health",
    "rollback_log_groups": ["/ecs/app"],
}


def test_a_gate_opens_only_where_somebody_has_written_that_nobody_holds_back(play, look, begin):
    for state in ({}, {"state": "check"}):
        asked = play("rollback_hold", **state)
        assert asked["failed"]
        assert "nobody knows whether deployments are held back" in asked["msg"]
        assert "playbooks/checkpoint.yml" in asked["msg"]
    begin(look(), purpose="checkpoint")
    assert not play("rollback_hold").get("failed")


@pytest.fixture
def alias(play, look, begin):
    """The same service under a second name; both have made a checkpoint."""
    run_id = begin(look(), purpose="checkpoint")["record"].rpartition("/")[2]
    play("rollback_end", run_id=run_id, fencing=1, purpose="checkpoint")
    seen = play("rollback_run", playbook="hold", variables={"rollback_environment": "production"}, application="alias")
    given = {
        "run_id": "rb-2",
        "etag": seen["etag"],
        "kind": "Checkpoint",
        "resources": [SERVICE],
        "purpose": "checkpoint",
    }
    play("rollback_begin", application="alias", **given)
    return {"application": "alias"}


def test_what_a_person_holds_is_held_under_every_name(play, alias):
    assert play("rollback_hold", state="set", reason="audit", who="ada")["changed"]
    assert play("rollback_hold", state="check", **alias)["failed"]
    assert play("rollback_hold", state="release", **alias)["changed"]
    for names in ({}, alias):
        assert not play("rollback_hold", state="check", **names).get("failed")


def test_a_hold_that_never_was_cannot_be_released(play):
    refused = play("rollback_hold", state="release")
    assert refused["failed"]
    assert "nothing was ever written down here" in refused["msg"]


def test_an_expectation_of_the_health_check_is_looked_at_before_the_run_begins(play):
    result = play("rollback_run", variables=EVERYTHING, playbook="verify", checks={"expect": {"statuss": 200}})
    assert result["failed"]
    assert "verify_health_expect" in result["msg"]
    assert "statuss" in result["msg"]


def test_options_of_roles_that_an_inventory_sets_are_refused(play):
    result = play("rollback_run", variables=EVERYTHING, playbook="verify", overridden=["database_snapshot", "other"])
    assert result["failed"]
    assert "Set rollback_snapshot." in result["msg"]


def test_a_type_is_told_by_the_name_that_the_person_wrote(play):
    variables = {**EVERYTHING, "verify_wait_timeout": "30s", "verify_log_noise": {"pattern": "x"}}
    checks = {"scenarios": None, "noise": {"pattern": "x"}, "variables": "hunter2", "secrets": None}
    result = play("rollback_run", variables=variables, playbook="verify", checks=checks)
    assert [line.split(":")[0].split()[0] for line in result["evidence"]] == [
        "verify_log_noise",
        "verify_wait_timeout",
        "verify_variables",
    ]
    assert "hunter2" not in json.dumps(result)


@pytest.mark.parametrize("nothing", [None, ""])
def test_checks_that_are_null_or_blank_are_none(play, nothing):
    names = ("scenarios", "variables", "secrets", "noise")
    tests = dict.fromkeys(("command", "runs_on", "chdir", "timeout", "secret_environment"), nothing)
    checks = {**dict.fromkeys(names, nothing), "e2e": tests}
    assert not play("rollback_run", variables=EVERYTHING, playbook="verify", checks=checks).get("failed")


def test_a_store_that_cannot_be_read_is_told_with_what_else_is_wrong(play, tmp_path):
    (tmp_path / "store").write_text("a file")
    told = play("rollback_run", variables=EVERYTHING, playbook="verify", fail_on_error=False)
    assert not told.get("failed")
    assert [line.split("store")[0] for line in told["evidence"]] == ["The "]
    assert play("rollback_run", variables=EVERYTHING, playbook="verify")["failed"]


def test_mistakes_in_the_checks_of_the_end_are_told_before_the_run_begins(play):
    checks = {
        "scenarios": [
            {"name": "login", "steps": [{"path": "/${user}", "form": {"p": "${password}", "t": "${token}"}}]}
        ],
        "lines": {"0.steps.0.path": "scenarios.yml:4"},
        "variables": {"password": ""},
        "secrets": {"token": {"secret": "admin"}},
        "noise": [{"pattern": "x", "reason": "y", "until": "later"}],
        "e2e": {"command": "npm run test:e2e", "chdir": "/no/such/directory"},
    }
    result = play("rollback_run", variables=EVERYTHING, playbook="verify", checks=checks)
    assert result["failed"]
    assert result["evidence"] == [
        "password: it is empty; set it in verify_variables, or name a secret in verify_secrets",
        "scenarios.yml:4: scenario 1 (login), step 1, key path: ${user} is no variable, and no earlier step captures it",
        "entry 1: until is 'later', not a day like 2026-12-31",
        "rollback_e2e_chdir is '/no/such/directory': there is no such directory on this machine.",
    ]


CALL = {"service": "ecs", "operation": "UpdateService", "of": {"service": "app"}, "outcome": "ok"}


@pytest.fixture
def without_store(look, begin, tmp_path):
    """A run that has the lock, and whose store is gone."""
    run_id = begin(look())["record"].rpartition("/")[2]
    (tmp_path / "store").rename(tmp_path / "gone")
    (tmp_path / "store").write_text("a file")
    return run_id


def test_where_the_store_is_gone_what_tasks_tell_stands_for_the_journal(without_store, play):
    told = {"run_id": without_store, "fencing": 1, "failed_task": "Deploy", "failure": "it broke", "calls": [CALL]}
    ended = play("rollback_end", commands={"go_on": "ansible-playbook again"}, **told)
    assert not ended["outcome"]["ok"]
    assert ended["outcome"]["made"] == ["ecs UpdateService app"]
    assert "MADE      ecs UpdateService app" in ended["lines"]
    assert any(line.startswith("RUNS      The store ") for line in ended["lines"])
    assert not any("Nothing was changed" in line for line in ended["lines"])
    assert ended["outcome"]["next"] == "ansible-playbook again"


def test_where_it_is_gone_and_no_task_tells_nobody_knows(without_store, play):
    ended = play("rollback_end", run_id=without_store, fencing=1, failed_task="Deploy", failure="it broke")
    assert any("it is not known what was changed" in line for line in ended["lines"])
    assert not any("Nothing was changed" in line for line in ended["lines"])


def test_a_good_end_that_cannot_be_written_down_is_no_good_end(without_store, play):
    ended = play("rollback_end", run_id=without_store, fencing=1, verdict="passed", deployed=True, calls=[CALL])
    assert (ended["outcome"]["ok"], ended["outcome"]["verified"]) == (False, True)
    assert ended["lines"][0] == "FAILED    at: Write down what the run has come to"
    assert "Everything was done, and every check has passed. Only that could not be written down" in ended["lines"][1]
    assert any(line.startswith("RUNS      The store ") for line in ended["lines"])


def test_whoever_lost_a_race_is_told_who_was_quicker(look, begin, play):
    seen = look()
    begin(look(rollback_run_id="rb-quicker"))
    told = {"run_id": seen["run_id"], "etag": seen["etag"], "failed_task": "Look", "failure": "it is backing-up"}
    ended = play("rollback_end", **told)
    assert ended["outcome"]["state"] == "untouched"
    assert any("That may be why: Run rb-quicker of " in line for line in ended["lines"])


def test_in_check_mode_the_end_writes_nothing(look, begin, play, tmp_path):
    begin(look())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ended = play("rollback_end", check=True, run_id="rb-1", fencing=1, verdict="passed")
    assert ended["outcome"]["state"] == "checked"
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
