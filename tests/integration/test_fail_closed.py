# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What did nothing, or proved nothing, is never a success: by exit code, for every playbook, however it was started."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import textwrap

import pytest
import yaml

from spymeo_world import world

from .conftest import BIN, ROOT

PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
WRITING = [name for name in PLAYBOOKS if name.startswith("rollback_") or name in ("checkpoint", "undo", "unfence")]
READING = [name for name in PLAYBOOKS if name not in WRITING]
LAB = ["-i", str(ROOT / "inventories/lab")]
NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "SPYMEO_LAB_URL": "http://127.0.0.1:9"}


def started(command: list[str], cwd: pathlib.Path = ROOT, **environment: str) -> tuple[int, str]:
    """(exit code, everything that was printed, with single spaces) of a command that reaches no AWS."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "SPYMEO_"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**clean, **NOWHERE, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def all_of(playbooks: list[str], *arguments: str, **environment: str) -> dict[str, tuple[int, str]]:
    """What each of these playbooks came to."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        played = {
            name: pool.submit(started, ["ansible-playbook", f"playbooks/{name}.yml", *arguments], **environment)
            for name in playbooks
        }
        return {name: each.result() for name, each in played.items()}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """An inventory without a host."""
    path = tmp_path_factory.mktemp("inventory") / "hosts.yml"
    path.write_text("all: {hosts: {}}\n")
    return str(path)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """An inventory of three applications, one host each."""
    place = tmp_path_factory.mktemp("company")
    (place / "hosts.yml").write_text("all: {hosts: {spymeo-lab: {}, shop-01: {}, shop-02: {}}}\n")
    shutil.copytree(ROOT / "inventories/lab/group_vars", place / "group_vars")
    return str(place)


SWITCHES = {
    "no inventory": ([], {}, "The inventory has no host"),
    "an inventory without a host": (["-i", "EMPTY"], {}, "The inventory has no host"),
    "--tags": ([*LAB, "--tags", "verify"], {}, "--tags verify would play a part"),
    "ANSIBLE_RUN_TAGS": (LAB, {"ANSIBLE_RUN_TAGS": "deploy"}, "--tags deploy would play a part"),
    "--skip-tags of everything": ([*LAB, "--skip-tags", "always,untagged,all"], {}, "would play a part"),
    "ANSIBLE_SKIP_TAGS": (LAB, {"ANSIBLE_SKIP_TAGS": "slow"}, "--skip-tags slow would play a part"),
    "--start-at-task": ([*LAB, "--start-at-task", "Say the verdict"], {}, "would play a part"),
    "--step": ([*LAB, "--step"], {}, "--step would play a part"),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_no_playbook_ends_well_when_a_part_of_it_or_nobody_was_selected(switch, empty):
    arguments, environment, words = SWITCHES[switch]
    arguments = [empty if item == "EMPTY" else item for item in arguments]
    for name, (code, output) in all_of(PLAYBOOKS, *arguments, **environment).items():
        assert code != 0, (name, output)
        assert words in output, (name, output)
        assert "TASK [" not in output, (name, output)


@pytest.mark.parametrize("listing", ["--list-tasks", "--list-hosts", "--list-tags", "--syntax-check"])
def test_what_only_lists_a_playbook_works_as_ever(listing):
    code, output = started(["ansible-playbook", *(f"playbooks/{name}.yml" for name in PLAYBOOKS), listing])
    assert code == 0, output
    assert [name for name in PLAYBOOKS if f"playbooks/{name}.yml" not in output] == [], output


@pytest.mark.parametrize("name", ["rollback_full", "undo", "hold"])
@pytest.mark.parametrize("arguments", [[], ["--tags", "x"], ["-i", "nosuch"]])
def test_so_it_is_by_the_name_in_the_collection_from_anywhere(name, arguments, tmp_path):
    (tmp_path / "empty.cfg").touch()
    plain = {"ANSIBLE_CONFIG": str(tmp_path / "empty.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    code, output = started(["ansible-playbook", f"spymeo.rollback.{name}", *arguments], tmp_path, **plain)
    assert code != 0, output
    assert "The inventory has no host" in output or "would play a part" in output, output


@pytest.mark.parametrize(("hosts", "tags"), [("", ""), (yaml.safe_dump({"all": {"hosts": {"x": None}}}), "deploy")])
def test_so_it_is_in_a_job_of_ansible_runner(tmp_path, hosts, tags):
    (tmp_path / "project").symlink_to(ROOT)
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts.yml").write_text(hosts or "all: {hosts: {}}\n")
    (tmp_path / "env").mkdir()
    if tags:
        (tmp_path / "env/cmdline").write_text(f"--tags {tags}")
    code, output = started(["ansible-runner", "run", str(tmp_path), "-p", "playbooks/rollback_full.yml"], tmp_path)
    assert code != 0, output
    assert ("would play a part" if tags else "The inventory has no host") in output, output


def test_a_limit_that_leaves_nobody_is_no_success():
    code, output = started(["ansible-playbook", "playbooks/rollback_full.yml", *LAB, "--limit", "localhost"])
    assert code != 0, output


def test_of_several_applications_none_is_changed_unless_that_is_said(company):
    for name, (code, output) in all_of(WRITING, "-i", company).items():
        assert code != 0, (name, output)
        assert "The inventory has 3 hosts" in output, (name, output)
        assert "--limit spymeo-lab" in output
        assert "TASK [" not in output
    # Said either way, it goes on, to the endpoint where nobody is.
    for said in (["--limit", "shop-01"], ["-e", "rollback_several_hosts=true"]):
        code, output = started(["ansible-playbook", "playbooks/rollback_code.yml", "-i", company, *said])
        assert code != 0
        assert "The inventory has 3 hosts" not in output
        assert "TASK [spymeo.rollback.run" in output


def test_a_name_that_nobody_reads_is_refused_from_wherever_it_comes(tmp_path):
    wrong = '{"rollback_snaphot": "x", "rollback_fense": "scale_to_zero", "verify_scenario": []}'
    for name, (code, output) in all_of(PLAYBOOKS, *LAB, "-e", wrong).items():
        assert code != 0, (name, output)
        for near in ("rollback_snapshot?", "rollback_fence?", "verify_scenarios?"):
            assert f"did you mean {near}" in output, (name, output)
    shutil.copytree(ROOT / "inventories/lab", tmp_path / "lab")
    (tmp_path / "lab/group_vars/all/more.yml").write_text("rolback_hold: show\n")
    code, output = started(["ansible-playbook", "playbooks/hold.yml", "-i", str(tmp_path / "lab")])
    assert code != 0
    assert "did you mean rollback_hold?" in output


@pytest.fixture(scope="module")
def broken(shared_production):
    """A production in the full accident, which none of these tests rolls back."""
    shared_production.accident("full")
    return shared_production


# The bad release's migration has renamed a column: old code alone would be refused for it.
DESPITE = ["-e", "rollback_despite_migrations=true"]
NULL = dict.fromkeys(
    ("verify_scenarios", "verify_secrets", "verify_log_noise", "verify_wait_timeout", "verify_health_times", "rollback_secrets",
     "rollback_parameters", "rollback_fence", "rollback_db_probe", "rollback_contacts", "rollback_e2e_command", "rollback_hold")
)  # fmt: skip


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("playbook", ["rollback_full", "rollback_code", "rollback_database"])
def test_null_and_blank_are_empty(broken, playbook, nothing):
    played = broken.play(
        playbook,
        "--check",
        "-e",
        json.dumps({**dict.fromkeys(NULL, nothing), "verify_variables": None, "rollback_despite_migrations": True}),
    )
    assert (played.code, played.written) == (0, []), played.output
    assert "CHECKED" in played.output


@pytest.mark.parametrize(
    ("playbooks", "given", "words"),
    [
        (["rollback_secrets"], {"rollback_secrets": None, "rollback_parameters": ""}, "there is nothing this playbook could do"),
        (["rollback_full"], {"rollback_point_in_time": "2062-11-22T03:00:00Z"}, "which is in the future"),
        (PLAYBOOKS, {"rollback_aws": {"endpoint_ulr": "x"}}, "rollback_aws has endpoint_ulr, which is no connection option"),
        (["rollback_code", "hold"], {"rollback_aws": "production"}, "rollback_aws is str, not a mapping"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_our_own_words(playbooks, given, words):
    for name, (code, output) in all_of(playbooks, *LAB, "-e", json.dumps(given)).items():
        assert code == 2, (name, output)
        assert words in output, (name, output)
        assert "Unsupported parameters" not in output, (name, output)
        if name in WRITING:
            assert "FAILED at:" in output, (name, output)


def test_a_wrong_type_is_told_at_begin_by_the_name_that_was_written(broken):
    wrong = {"verify_wait_timeout": "30s", "verify_log_noise": {"pattern": "x"}, "verify_variables": "admin-password"}
    for playbook in ("rollback_full", "undo", "verify"):
        played = broken.play(playbook, "-e", json.dumps(wrong))
        told = " ".join(played.output.split())
        assert (played.code, played.calls) == (2, []), played.output
        for name in wrong:
            assert f"- {name}" in told, told
        assert "admin-password" not in told


def test_a_check_finds_all_wrong_names_at_once(broken):
    wrong = {
        "rollback_services": ["spymeo-web"],
        "rollback_db_instance": "nosuch-db",
        "rollback_snapshot": "nosuch-snapshot",
        "rollback_database_secret": "nosuch/url",
        "rollback_secrets": ["nosuch/secret", "nosuch/other"],
        "rollback_log_groups": ["/ecs/nosuch"],
        "rollback_base_url": "http://nosuch.invalid",
        "rollback_store": "s3://spymeo-nosuch/runs",
        "verify_secrets": {"token": {"secret": "nosuch/token"}},
    }
    for more in (["--check"], []):
        played = broken.play("rollback_full", *more, "-e", json.dumps(wrong))
        told = " ".join(played.output.split())
        assert (played.code, played.written) == (2, []), played.output
        values = [value for item in wrong.values() for value in (item if isinstance(item, list) else [item])]
        missing = [value for value in values if isinstance(value, str) and value not in told]
        assert missing == [], played.output
        assert "nosuch/token" in told
        assert "Nothing was changed" in told


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nosuch.invalid"])
def test_a_check_does_not_end_well_where_nothing_could_be_proven(broken, url):
    played = broken.play("rollback_code", "--check", *DESPITE, "-e", f"rollback_base_url={url}")
    assert (played.code, played.written) == (2, []), played.output
    assert "rollback_despite_unreachable=true" in played.output
    despite = broken.play(
        "rollback_code",
        "--check",
        *DESPITE,
        "-e",
        f"rollback_base_url={url}",
        "-e",
        "rollback_despite_unreachable=true",
    )
    assert despite.code == 0, despite.output
    assert f"BEWARE    base url {url}" in despite.output


def test_a_check_without_the_library_of_the_checks_does_not_end_well(broken, tmp_path):
    (tmp_path / "requests.py").write_text("raise ImportError('there is no requests')")
    # find_spec finds the file; what it cannot import is told by the first look.
    played = broken.play("rollback_code", "--check", *DESPITE, PYTHONPATH=str(tmp_path))
    assert played.code != 0, played.output
    assert "requests" in played.output


def test_a_check_says_what_it_has_not_proven(broken):
    played = broken.play("verify", "--check")
    assert played.code == 0
    assert "CHECKED   no request was sent" in played.output
    assert "GET /api/health" in played.output
    assert "the checks that follow were not made" in broken.play("rollback_code", "--check", *DESPITE).output


def test_the_plan_begins_with_which_application_where_and_how_it_is_now(broken):
    played = broken.play("rollback_code", "--check", *DESPITE)
    assert "on spymeo-lab (lab): spymeo-app in account 123456789012, eu-west-3" in played.output
    assert "api/health answers 503 in 0." in played.output


def test_a_writing_module_without_a_run_is_refused(broken, tmp_path):
    task = {
        "spymeo.rollback.ecs_rollback": {
            "cluster": world.CLUSTER,
            "targets": {"spymeo-app": "spymeo-app:1"},
            "run_id": "rb-1",
        }
    }
    defaults = {"group/spymeo.rollback.all": "{{ rollback_aws | combine({'region': rollback_region}) }}"}
    play = {"hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": [task]}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    played = broken.run(["ansible-playbook", str(tmp_path / "play.yml"), *LAB])
    assert (played.code, played.written) == (2, []), played.output
    assert "spymeo.rollback.rollback_begin" in played.output


def names_of(production, tmp_path, names: list[str]) -> str:
    """An inventory in which one application has several names."""
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(names)}}))
    shutil.copytree(ROOT / "inventories/lab/group_vars", tmp_path / "group_vars")
    return str(tmp_path)


def test_one_application_with_two_names_is_rolled_back_once(production, tmp_path):
    production.accident("full")
    production.control("durations", restore=3.0)
    inventory = names_of(production, tmp_path, ["spymeo-a", "spymeo-b"])
    command = ["ansible-playbook", str(ROOT / "playbooks/rollback_full.yml"), "-i", inventory, "--limit"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        both = [pool.submit(production.run, [*command, name]) for name in ("spymeo-a", "spymeo-b")]
        played = [each.result() for each in both]
    assert sorted(each.code for each in played) == [0, 2], [each.output for each in played]
    refused = next(each for each in played if each.code)
    told = " ".join(refused.output.split())
    assert "have another name in the store" in told
    assert "is at work" in told
    assert "Nothing was changed" in told
    assert len(production.instances()) == 2
    assert (
        production.aws("ecs").describe_services(cluster=world.CLUSTER, services=[world.SERVICE])["services"][0][
            "runningCount"
        ]
        == 2
    )
    # The hold stands under the name that was refused, too, once that one has a place in the store.
    held = production.run(
        ["ansible-playbook", str(ROOT / "playbooks/hold.yml"), "-i", inventory, "-e", "rollback_hold=check"]
    )
    assert held.code == 2


def test_the_gate_opens_on_a_positive_answer_only(production):
    told = {}
    told["nobody knows"] = production.play("hold", "-e", "rollback_hold=check")
    told["made"] = production.play("checkpoint")
    told["free"] = production.play("hold")
    told["set"] = production.play("hold", "-e", "rollback_hold=set", "-e", "rollback_hold_reason=audit")
    told["held"] = production.play("hold")
    told["shown"] = production.play("hold", "-e", "rollback_hold=show")
    told["misspelt"] = production.play("hold", "-e", "rolback_hold=show")
    told["wrong host"] = production.run(
        ["ansible-playbook", str(ROOT / "playbooks/hold.yml"), *LAB, "-e", "rollback_environment=labb"]
    )
    told["checkpoint"] = production.play("checkpoint")
    told["released"] = production.play("hold", "-e", "rollback_hold=release")
    told["again"] = production.play("hold", "-e", "rollback_hold=check")
    codes = {name: each.code for name, each in told.items()}
    assert codes == {
        "nobody knows": 2, "made": 0, "free": 0, "set": 0, "held": 2, "shown": 0, "misspelt": 2, "wrong host": 2,
        "checkpoint": 2, "released": 0, "again": 0,
    }, {name: each.output for name, each in told.items()}  # fmt: skip
    assert "CreateDBSnapshot" not in " ".join(told["checkpoint"].written)
    assert "playbooks/checkpoint.yml" in told["nobody knows"].output


DEPLOYS = """\
import boto3, os, sys
ecs = boto3.client("ecs", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="eu-west-3")
ecs.update_service(cluster="{cluster}", service="{service}", **{changes})
"""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"taskDefinition": "spymeo-app:2", "forceNewDeployment": True}, "somebody has deployed spymeo-app:2"),
        ({"desiredCount": 0}, "was scaled to 0 while the checks were made"),
    ],
)
def test_what_somebody_deploys_during_the_verification_is_not_done(production, tmp_path, changes, words):
    production.accident("crash-loop")
    script = tmp_path / "deploy.py"
    script.write_text(DEPLOYS.format(cluster=world.CLUSTER, service=world.SERVICE, changes=changes))
    played = production.play(
        "rollback_code", "-e", json.dumps({"rollback_e2e_command": shlex.join([sys.executable, str(script)])})
    )
    assert played.code == 2, played.output
    assert words in played.output
    assert "DONE  " not in played.output
    assert "It is not verified" in played.output
    assert "NOW       spymeo-app:" in played.output


def test_an_undo_proves_what_it_has_brought_back(production):
    production.accident("login-broken")
    assert production.play("rollback_code").code == 0
    undone = production.play("undo")
    assert undone.code == 2, undone.output
    assert "every check has passed" not in undone.output
    assert "The undo is complete. It is not verified" in undone.output
    assert "CHECK     failed: administration" in undone.output
    triage = " ".join(production.play("triage").output.split())
    assert re.search(
        r"run rb-[0-9-]+ \(Roll back the code\) took the code back, and that was undone \d+ min ago \(run rb-", triage
    ), triage
    assert re.search(r"NEXT ansible-playbook [^=]+/(releases|rollback_code)\.yml", triage), triage
    assert "/rollback_code.yml" not in triage or "rollback_task_definition=" in triage, "not the same again"


def test_a_mark_that_is_missing_makes_no_verified_rollback_an_unverified_one(production):
    production.accident("bad-migration")
    production.control("throttle", operation="AddTagsToResource", times=50)
    played = production.play("rollback_full")
    production.control("throttle", operation="AddTagsToResource", times=0)
    assert played.code == 2, played.output
    assert "The rollback is complete, and every check has passed. Only this task is missing." in played.output
    assert "a check after it has not passed" not in played.output
    (record,) = pathlib.Path(production.state["directory"], "rollback-store/lab/spymeo-lab/runs").iterdir()
    told = json.loads(record.read_text())
    assert (told["outcome"], told["came_to"]["verified"], told["came_to"]["ok"]) == ("complete", True, False)


def test_a_failure_before_the_first_call_says_so_and_the_next_command_can_be_pasted(production):
    production.accident("login-broken")
    production.control("throttle", operation="UpdateService", times=50)
    played = production.play("rollback_code", cwd=ROOT)
    production.control("throttle", operation="UpdateService", times=0)
    assert played.code == 2
    assert "Nothing was changed: no call that changes anything was made." in played.output
    lines = textwrap.dedent(played.output).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("NEXT ") and "same command" in line)
    again = production.run(["sh", "-c", lines[at + 1].strip()])
    assert again.code == 0, again.output


def test_the_outcome_is_handed_on_as_one_value(production):
    production.accident("login-broken")
    played = production.play("rollback_code", ANSIBLE_SHOW_CUSTOM_STATS="1")
    stats = played.output.split("CUSTOM STATS:")[1]
    found = json.loads(stats[stats.index("{") : stats.rindex("}") + 1])["rollback_run"]["spymeo-lab"]
    assert (found["state"], found["ok"], found["verified"], found["unknown"]) == ("done", True, True, [])
    assert found["made"] == [
        "ecs UpdateService spymeo-production spymeo-app arn:aws:ecs:eu-west-3:123456789012:task-definition/spymeo-app:1"
    ]
    assert found["run_id"].startswith("rb-")


def test_what_triage_recommends_is_for_the_application_that_was_looked_at(broken):
    other = {
        "rollback_environment": "staging",
        "rollback_cluster": world.CLUSTER,
        "rollback_base_url": "http://127.0.0.1:1",
    }
    typed = [word for pair in other.items() for word in ("-e", "=".join(pair))]
    played = broken.play("triage", *typed, "-e", json.dumps({"verify_variables": {"token": "hunter2"}}))
    (command,) = (line for line in played.output.splitlines() if "NEXT " in line)
    assert " ".join(typed) in command
    assert "verify_variables: ${verify_variables:?}" in command
    assert "hunter2" not in command
    assert "PLAYED" not in played.output  # the connection was refused


def test_a_hold_that_a_person_releases_opens_no_gate_while_a_rollback_stands(production):
    def hold(state, reason=""):
        return production.play("hold", "-e", f"rollback_hold={state}", "-e", f"rollback_hold_reason={reason}")

    gate = [
        "sh",
        str(ROOT / "extensions/ci/deploy-gate"),
        f"{production.state['directory']}/rollback-store/lab/spymeo-lab/hold",
    ]
    assert hold("set", "audit").code == 0
    production.accident("login-broken")
    done = production.play("rollback_code", cwd=ROOT)
    assert done.code == 0
    run_id = done.output.partition("DONE      run ")[2].split()[0]
    assert len(re.findall(r"HOLD  .* holds deployments back since", done.output)) == 2
    commands = re.findall(r'when deployments may go on: (ansible-playbook [^"]*)', done.output)
    assert [shlex.split(command)[-1].partition("=")[2] for command in commands] == ["audit", run_id]
    unsaid = hold("release")
    assert unsaid.code == 2
    assert "Several hold deployments back" in unsaid.output
    of_audit, of_run = (lambda command=command: production.run(shlex.split(command)).code for command in commands)
    assert [of_audit(), hold("check").code, production.run(gate).code] == [0, 2, 1]
    assert [of_run(), hold("check").code, production.run(gate).code] == [0, 0, 0]


def test_what_cannot_be_written_down_at_the_end_is_told_once_and_whole(production):
    production.accident("login-broken")
    hold = f"{production.state['directory']}/rollback-store/lab/spymeo-lab/hold"
    command = f"sh -c 'rm {hold} && mkdir {hold}'"  # after the lock was taken, before the run ends
    played = production.play("rollback_code", "-e", json.dumps({"rollback_e2e_command": command}))
    assert played.code == 2, played.output
    assert "has no attribute" not in played.output
    last = played.output.rpartition("FAILED    at: ")[2]
    assert "Everything was done, and every check has passed. Only that could not be written down" in last
    assert "-e rollback_run_id=rb-" in last


def test_to_unfence_what_has_no_fence_is_not_done_but_nothing(broken):
    played = broken.play("unfence")
    assert (played.code, played.written) == (0, []), played.output
    assert "NOTHING   there was nothing to change; whether the application works was not checked" in played.output
    assert "DONE " not in played.output


def next_commands(played) -> list[str]:
    """The commands that are to be run next, as they can be pasted."""
    lines = textwrap.dedent(played.output).splitlines()
    return [lines[at + 1].strip() for at, line in enumerate(lines) if line.startswith("NEXT ")]


def test_an_unfinished_run_is_gone_on_with_by_its_own_playbook_and_its_own_options(production):
    production.accident("full")
    production.control("throttle", operation="UpdateService", times=50)
    stopped = production.play("rollback_full", "-e", "rollback_fence=none", cwd=ROOT)
    production.control("throttle", operation="UpdateService", times=0)
    (go_on,) = next_commands(stopped)
    run_id = go_on.rpartition("=")[2]
    nobody = production.play("rollback_full", "-e", "rollback_run_id=rb-20200101-000000", cwd=ROOT)
    assert (nobody.code, nobody.written) == (2, []), nobody.output
    assert f"It knows {run_id}." in " ".join(nobody.output.split())
    checked = ["--check", "-e", f"rollback_run_id={run_id}", "-e", "rollback_despite_migrations=true"]
    for typed in (["-e", f"rollback_run_id={run_id}"], [], checked):
        refused = production.play("rollback_code", *typed, cwd=ROOT)
        if "--check" in typed:
            assert f'{go_on}",' in " ".join(refused.output.split()), refused.output
            continue
        assert (refused.code, refused.written) == (2, []), refused.output
        give_up = f"{go_on.partition(' -e ')[0]} -e rollback_abandon={run_id}".replace("rollback_full", "rollback_code")
        commands = next_commands(refused)
        assert commands[:2] == [go_on, give_up]
        assert all("/unfence.yml" in alone for alone in commands[2:]), "what gives it up and begins nothing"
    went_on = production.run(["sh", "-c", go_on])
    assert went_on.code == 0, went_on.output
