# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plain clone works without installing it, from any directory; so do the installed collection, and a job as AWX lays it out."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PLAN = "CODE      spymeo-app: spymeo-app:2 -> spymeo-app:1"


@pytest.fixture(scope="module")
def broken(shared_production):
    shared_production.accident("full")
    return shared_production


@pytest.fixture(scope="module")
def project(tmp_path_factory, clone):
    return clone(tmp_path_factory.mktemp("clone") / "somewhere")


@pytest.fixture(scope="module")
def installed(project, tmp_path_factory):
    """A directory of collections into which the built artifact was installed."""
    place = tmp_path_factory.mktemp("installed")
    environment = {**os.environ, "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}", "ANSIBLE_HOME": str(place / "home")}
    for command in (
        ["ansible-galaxy", "collection", "build", "--output-path", str(place), str(project)],
        [
            "ansible-galaxy",
            "collection",
            "install",
            "--no-deps",
            "-p",
            str(place),
            str(place / "spymeo-rollback-0.1.0.tar.gz"),
        ],
    ):
        subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True)
    return place


def test_from_the_root_of_a_clone(broken, project):
    command = ["ansible-playbook", "playbooks/rollback_full.yml", "-i", "inventories/lab", "--check"]
    played = broken.run(command, cwd=project)
    assert played.code == 0, played.output
    assert PLAN in played.output


def test_from_another_directory(broken, project, tmp_path):
    command = [
        "ansible-playbook",
        str(project / "playbooks/rollback_full.yml"),
        "-i",
        str(project / "inventories/lab"),
        "--check",
    ]
    played = broken.run(command, cwd=tmp_path)
    assert played.code == 0, played.output
    assert PLAN in played.output


def test_by_its_full_name_once_installed(broken, project, installed, tmp_path):
    command = ["ansible-playbook", "spymeo.rollback.rollback_full", "-i", str(project / "inventories/lab"), "--check"]
    played = broken.run(command, cwd=tmp_path, ANSIBLE_COLLECTIONS_PATH=str(installed))
    assert played.code == 0, played.output
    assert PLAN in played.output


SURVEY = """\
rollback_task_definition: !unsafe 'spymeo-app:1'
rollback_run_id: !unsafe ''
rollback_snapshot: !unsafe 'spymeo-pre-migration-snapshot'
"""


def private_data_directory(
    place: pathlib.Path, project: pathlib.Path, environment: dict[str, str], extra: str
) -> pathlib.Path:
    """project/, inventory/, env/ as AWX lays them out; survey answers are extra variables marked !unsafe."""
    shutil.copytree(project, place / "project", symlinks=True)
    shutil.copytree(project / "inventories/lab", place / "inventory")
    (place / "env").mkdir()
    (place / "env/extravars").write_text(extra)
    (place / "env/envvars").write_text("".join(f"{key}: '{value}'\n" for key, value in environment.items()))
    return place


def job(production, place: pathlib.Path):
    return production.run(["ansible-runner", "run", str(place), "-p", "playbooks/rollback_full.yml"], cwd=place)


def test_as_an_awx_job_whose_survey_lost_a_type(broken, project, tmp_path):
    place = private_data_directory(tmp_path / "job", project, {}, SURVEY.replace("!unsafe 'spymeo-app:1'", "41"))
    played = job(broken, place)
    assert played.code != 0
    assert "rollback_task_definition is 41" in played.output
    assert played.written == []


def test_as_an_awx_job_with_survey_answers(broken, project, tmp_path):
    played = job(broken, private_data_directory(tmp_path / "job", project, {}, SURVEY))
    assert played.code == 0, played.output
    assert "because rollback_task_definition names it" in played.output
    assert "WAIT      restore 0:00: " in played.output
    assert "\x1b[1A" not in played.output  # AWX keeps what is printed, and draws nothing
    assert broken.origin() == "spymeo-app:1"
