# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real commands on this machine: their exit codes, their time limit, what they leave behind, and what is kept of their output."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.e2e import e2e_problems, e2e_verdict
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.e2e import on_controller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.command_output import TAIL, Output

WITHIN = 15  # seconds in which a busy machine ends a process


@pytest.fixture
def run(tmp_path):
    """Run a command; gives the result and everything that was kept of its output."""

    def play(command, timeout=60, chdir=None, environment=(), secrets=()):
        output = Output(str(tmp_path / "kept/run-e2e.log"), secrets)
        options = dict(command=command, timeout=timeout, chdir=chdir)
        result = on_controller(options, dict(environment), output)
        return result, Path(result["output"]).read_text()

    return play


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        (0, "passed", "they passed in 7 s"),
        (1, "failed", "exit code 1 after 7 s"),
        (126, "inconclusive", "cannot be run"),
        (127, "inconclusive", "cannot be run"),
        (-9, "inconclusive", "ended by signal 9"),
        (137, "inconclusive", "ended by signal 9"),
        (None, "inconclusive", "not done after 60 s"),
    ],
)
def test_only_exit_code_0_is_a_pass_and_only_the_tests_own_codes_are_a_failure(code, verdict, words):
    found, reason = e2e_verdict(code, 7.2, 60)
    assert found == verdict
    assert words in reason


def test_tests_that_pass_get_the_environment_and_leave_their_output(run, tmp_path):
    result, kept = run("echo $BASE_URL; pwd; echo err >&2", chdir=str(tmp_path), environment={"BASE_URL": "http://x"})
    assert (result["verdict"], result["exit_code"], result["evidence"]) == ("passed", 0, [])
    assert kept.splitlines() == ["http://x", str(tmp_path), "err"]


def test_tests_that_fail_are_told_with_their_last_lines_and_where_the_rest_is(run):
    result, kept = run("seq 1 100; exit 3")
    assert (result["verdict"], result["exit_code"]) == ("failed", 3)
    assert len(kept.splitlines()) == 100
    assert result["tail"] == [str(number) for number in range(101 - TAIL, 101)]
    assert result["evidence"][0] == "their whole output is in %s" % result["output"]
    assert result["evidence"][-1] == "| 100"


def test_a_command_that_is_not_there_says_nothing_about_the_application(run):
    result, kept = run("npm-that-is-not-there run test:e2e")
    assert result["verdict"] == "inconclusive"
    assert "not found" in kept


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid):
    deadline = time.monotonic() + WITHIN
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def test_at_the_time_limit_the_whole_process_group_is_ended(run, tmp_path):
    started = time.monotonic()
    result, kept = run(f"sleep 600 & echo $! > {tmp_path}/pid; echo begun; sleep 600", timeout=1)
    assert time.monotonic() - started < WITHIN
    assert (result["verdict"], result["exit_code"], kept) == ("inconclusive", None, "begun\n")
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_does_not_listen_to_sigterm_is_killed(run, tmp_path):
    result, _kept = run(f"trap '' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.2; done", timeout=1)
    assert result["exit_code"] is None
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_a_command_leaves_in_the_background_is_ended_with_it(run, tmp_path):
    result, _kept = run(f"sleep 600 & echo $! > {tmp_path}/pid")
    assert result["verdict"] == "passed"
    assert gone(int((tmp_path / "pid").read_text()))


def test_secrets_are_in_neither_the_file_nor_the_tail_and_only_its_owner_reads_the_file(run):
    command = "echo login with $TOKEN; echo postgresql://app:hunter2@db/x; exit 1"
    result, kept = run(command, environment={"TOKEN": "s3cret value"}, secrets=["s3cret value"])
    assert "s3cret value" not in kept + str(result)
    assert "hunter2" not in str(result)
    assert stat.S_IMODE(os.stat(result["output"]).st_mode) == 0o600


def test_a_directory_that_went_away_meanwhile_is_told(run, tmp_path):
    with pytest.raises(RollbackError, match=r"could not be started in .*/gone \(No such file"):
        run("true", chdir=str(tmp_path / "gone"))


OPTIONS = {"runs_on": "controller", "chdir": "/srv/app", "secret_environment": {"TOKEN": "s3cret"}}


@pytest.mark.parametrize(
    ("options", "there", "words"),
    [
        (OPTIONS, True, None),
        (OPTIONS, False, "rollback_e2e_chdir is '/srv/app': there is no such directory"),
        ({**OPTIONS, "chdir": ""}, False, None),
        ({**OPTIONS, "runs_on": "task"}, True, "Name a task definition that gets these secrets from Secrets Manager"),
        ({**OPTIONS, "runs_on": "task", "secret_environment": {}}, False, None),
    ],
)
def test_what_could_not_be_run_or_kept_secret_is_refused(options, there, words):
    found = e2e_problems(options, lambda _path: there)
    assert bool(found) == bool(words)
    assert (words or "") in " ".join(found)
    assert "s3cret" not in " ".join(found)


def test_a_directory_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RollbackError, match="Set rollback_e2e_directory to a directory of yours"):
        Output(str(tmp_path / "file/run-e2e.log"), [])
