# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A module in a fork of its worker ends, answers and fails as it does in a Python of its own, and is only there where that is so."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import types

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible import module
from ansible_collections.spymeo.rollback.plugins.plugin_utils import _forked

ROOT = pathlib.Path(__file__).parents[4]
PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - spymeo.rollback.rollback_run:
        variables: {rollback_environment: %s, rollback_run_id: rb-20261122-120000}
        playbook: hold
      register: told
      ignore_errors: true
%s
    - ansible.builtin.copy: {content: "{{ told | to_json }}", dest: "{{ answer }}", mode: "0600"}
"""


@pytest.fixture
def play(tmp_path):
    """Play rollback_run on localhost. Returns (its result, whether Ansible has started a Python for it)."""

    def playing(environment="lab", task="", python="{{ ansible_playbook_python }}", **more):
        (tmp_path / "play.yml").write_text(PLAY % (environment, task))
        variables = {"answer": str(tmp_path / "answer"), "ansible_python_interpreter": python}
        command = ["ansible-playbook", "-vvv", "-i", "localhost,", "-c", "local", "-e", json.dumps(variables)]
        done = subprocess.run(
            [pathlib.Path(sys.executable).parent / command[0], *command[1:], str(tmp_path / "play.yml")],
            cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / "answer").read_text()), "AnsiballZ_rollback_run" in done.stdout

    return playing


def test_the_answer_is_the_one_of_a_python_of_its_own(play):
    forked, started = play()
    assert not started
    as_ever, started = play(ANSIBLE_KEEP_REMOTE_FILES="1")  # somebody wants to see the module's files
    assert started
    assert forked == as_ever
    assert forked["run_id"] == "rb-20261122-120000"


def test_so_is_the_failure(play):
    forked, started = play(environment='""')
    assert not started
    as_ever, started = play(environment='""', ANSIBLE_KEEP_REMOTE_FILES="1")
    assert started
    assert forked["failed"]
    assert "rollback_environment" in forked["msg"]
    assert forked == as_ever


def test_elsewhere_ansible_starts_it_as_ever(play, tmp_path):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    other.chmod(0o755)
    assert play(python=str(other))[1]
    assert play(task="      environment: {NO_COLOR: '1'}")[1]


class Broken:
    """A module `broken` of this collection whose main is the given function."""

    def __init__(self, monkeypatch, main):
        monkeypatch.setitem(sys.modules, _forked.MODULES + "broken", types.SimpleNamespace(main=main))

    def run(self):
        """(exit code, stdout, stderr) of the child."""
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            child = os.fork()
            if not child:
                _forked._become_module("spymeo.rollback.broken", {}, "/", output, errors)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            output.seek(0)
            errors.seek(0)
            return code, output.read(), errors.read()


def test_a_module_that_breaks_tells_where(monkeypatch):
    def main():
        print("so far")
        raise ValueError("a defect")

    code, output, errors = Broken(monkeypatch, main).run()
    assert (code, output) == (1, "so far\n")
    assert errors.endswith("ValueError: a defect\n")


@pytest.mark.parametrize(("end", "code"), [(0, 0), (None, 0), (3, 3), ("a message", 1)])
def test_a_module_ends_with_the_code_that_it_gives(monkeypatch, end, code):
    assert Broken(monkeypatch, lambda: sys.exit(end)).run()[0] == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_module_that_is_killed_is_no_end_of_its_worker(monkeypatch, number):
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(99))  # as a worker has one
    try:
        assert Broken(monkeypatch, lambda: signal.raise_signal(number)).run()[0] == -number
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("output", "whole"),
    [
        ('{"changed": false}', True),
        ('\n{"changed": false}\n', True),
        ('a library says\n{"changed": false}\nand again', True),
        ("", False),
        ('{"changed": fal', False),
        ("a library says {so}", False),
        ("[1]", False),
        ("[" * 100_000, False),
    ],
)
def test_an_answer_is_a_whole_object(output, whole):
    assert _forked.answered(output) is whole


@pytest.mark.parametrize(
    ("code", "errors", "told"),
    [
        (-11, "", "broken was ended by SIGSEGV and gave no answer. "),
        (-9, "so far\n", "broken was ended by SIGKILL and gave no answer (so far). "),
        (-200, "", "broken was ended by signal 200 and gave no answer. "),
        (3, "", "broken ended with exit code 3 and gave no answer. "),
        (
            1,
            "Traceback\n x\nImportError: password=hunter2\n\n",
            "and gave no answer (ImportError: password=********). ",
        ),
    ],
)
@pytest.mark.parametrize("verbosity", [0, 3])
def test_a_module_without_an_answer_is_told_in_one_sentence(code, errors, told, verbosity):
    result = _forked.died("spymeo.rollback.broken", code, errors, verbosity)
    assert result["failed"]
    assert told in result["msg"]
    assert "hunter2" not in str(result)
    assert ("Traceback" in str(result)) is (verbosity == 3 and "Traceback" in errors)


ENDS = {
    "os._exit(0)": "ended with exit code 0 and gave no answer",
    "os.kill(os.getpid(), 9)": "was ended by SIGKILL and gave no answer",
    "import no_such_module": "gave no answer (ModuleNotFoundError: No module named 'no_such_module')",
}


@pytest.mark.parametrize("defect", ENDS)
def test_ansible_says_so_instead_of_that_it_cannot_read_the_answer(tmp_path, defect):
    """A module of ours that breaks in this way, in a real play."""
    name = _forked.MODULES + "rollback_hold"
    fake = f"import os\ndef main():\n    {defect}\n"
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys, types\nfake = types.ModuleType({name!r})\nexec({fake!r}, fake.__dict__)\nsys.modules[{name!r}] = fake\n"
    )
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"spymeo.rollback.rollback_hold": {"state": "shown"}}]}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    command = [pathlib.Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local"]
    python = ["-e", '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}']
    done = subprocess.run(
        [*command, *python, str(tmp_path / "play.yml")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, output
    assert ENDS[defect] in output
    assert "deserialization" not in output
    assert "Traceback" not in output


def test_every_module_is_routed_to_the_action_but_the_one_that_it_is_named_after():
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py")} - {"rollback_run"}
    routed = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["plugin_routing"]["modules"]
    assert routed == {name: {"action_plugin": "spymeo.rollback.rollback_run"} for name in modules}


def test_without_boto3_the_module_tells_what_is_missing(tmp_path):
    (tmp_path / "boto3.py").write_text("raise ImportError('there is no boto3')")
    tasks = [
        {"spymeo.rollback.rollback_run": {"variables": {"rollback_environment": "lab"}, "playbook": "hold"}},
        {"spymeo.rollback.ecs_release_info": {"cluster": "a", "services": ["b"], "region": "eu-west-3"}},
    ]
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    command = [pathlib.Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local"]
    python = ["-e", '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}']
    done = subprocess.run(
        [*command, *python, str(tmp_path / "play.yml")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Failed to import the required Python library (botocore and boto3)" in done.stdout + done.stderr


def test_what_each_module_needs_is_read_before_the_first_fork(monkeypatch):
    loaders = []
    monkeypatch.setattr(module, "_loaders", loaders)
    _forked._read_ahead()
    assert loaders


def test_a_module_of_ours_that_is_not_there_is_no_silence(monkeypatch):
    monkeypatch.setattr(_forked, "PLUGINS", _forked.OURS + ".elsewhere.")
    with pytest.raises(ModuleNotFoundError, match="elsewhere"):
        _forked._read_ahead()


def test_without_what_ansible_does_not_promise_a_module_gets_a_python_of_its_own(play, tmp_path):
    """As an ansible-core would be that has taken it away."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ansible.module_utils.testing'] = None\n")
    alone, started = play(PYTHONPATH=str(tmp_path))
    assert started
    assert alone["run_id"] == "rb-20261122-120000"


def test_a_foreign_package_that_breaks_is_told_by_the_module(monkeypatch):
    def broken(*_services):
        raise ImportError("cannot import name 'Config'", name="botocore.config")

    monkeypatch.setattr(module, "read_descriptions", broken)
    _forked._read_ahead()
