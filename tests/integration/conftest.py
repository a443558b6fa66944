# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Labs for the tests, each a production of its own, and what a person does with them: break it, play, ask AWS."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.request

import pytest

from loopback_aws.cli import down
from spymeo_world import cli, world
from spymeo_world.accidents import Pipeline

from .held import with_run

ROOT = pathlib.Path(__file__).parents[2]
CLIENTS = ROOT / ".venv-clients/bin"  # a newcomer has no AWS CLI of their own
BIN = pathlib.Path(sys.executable).parent
PLAY_TIMEOUT = 180  # seconds
_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Played:
    """What a playbook run came to: exit code, everything that it printed, and the calls to AWS that it made."""

    code: int
    output: str
    calls: list[dict]

    @property
    def written(self) -> list[str]:
        """The writing calls, as `ecs UpdateService`."""
        return [f"{call['service']} {call['operation']}" for call in self.calls if call["writes"]]

    @property
    def recap(self) -> dict[str, int]:
        """The numbers of PLAY RECAP: ok, changed, failed, …"""
        line = self.output.split("PLAY RECAP")[1].splitlines()[1]
        return {key: int(value) for key, value in (part.split("=") for part in line.split(":", 1)[1].split())}


class Production:
    """A lab that is up."""

    def __init__(self, name: str, state: dict):
        self.name, self.state = name, state

    def aws(self, service: str):
        """A stock boto3 client."""
        return world.client(service, self.state["endpoint_url"])

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a shell in which `lab env` was evaluated, with the virtual environment's programs first."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "SPYMEO_"))}
        return {**clean, **cli.environment(self.state), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}

    def calls(self) -> list[dict]:
        """Every API call since the lab came up."""
        with urllib.request.urlopen(f"{self.state['endpoint_url']}/_lab/calls") as answer:
            return json.load(answer)

    def control(self, name: str, /, **arguments) -> dict:
        """What only the lab can do."""
        return cli.control(self.state, name, **arguments)

    def forget_runs(self) -> None:
        """Have nothing remembered of earlier runs, so that a test need not decide on those of another one."""
        shutil.rmtree(f"{self.state['directory']}/rollback-store", ignore_errors=True)

    def accident(self, name: str, at_start: bool = False) -> None:
        """Deploy release 2.0.0 with this accident; returns when the harm is done. With ``at_start`` it migrates at its starts."""
        push = lambda release, defect: self.control("push", release=release, defect=defect)  # noqa: E731
        Pipeline(self.state).deploy(name, push, lambda text: None, at_start)

    def release(self) -> None:
        """Deploy release 2.0.0 as it should be."""
        push = lambda release, _accident: self.control("push", release=release, defect="")  # noqa: E731
        Pipeline(self.state).deploy("release", push, lambda text: None)

    def run(self, command: list[str], cwd: pathlib.Path = ROOT, **environment: str) -> Played:
        """Run a command with this production's environment."""
        before = len(self.calls())
        done = subprocess.run(
            command, cwd=cwd, env=self.environment(**environment), capture_output=True, text=True, timeout=PLAY_TIMEOUT
        )
        return Played(done.returncode, done.stdout + done.stderr, self.calls()[before:])

    def play(self, playbook: str, *arguments: str, cwd: pathlib.Path = ROOT, **environment: str) -> Played:
        """ansible-playbook playbooks/PLAYBOOK.yml -i inventories/lab ARGUMENTS."""
        command = [
            "ansible-playbook",
            str(ROOT / f"playbooks/{playbook}.yml"),
            "-i",
            str(ROOT / "inventories/lab"),
            *arguments,
        ]
        return self.run(command, cwd, **environment)

    @staticmethod
    def until(condition, seconds: float = 30.0):
        """The first true answer of `condition`; an AssertionError when there is none in time."""
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s; last answer: {answer!r}"
            time.sleep(0.1)
        return answer

    def service(self) -> dict:
        """The service as DescribeServices tells it."""
        return self.aws("ecs").describe_services(cluster=world.CLUSTER, services=[world.SERVICE])["services"][0]

    def origin(self, task_definition: str = "") -> str:
        """family:revision of the task definition that a copy is one of, or of itself; without one, of what the service runs."""
        arn = task_definition or self.service()["taskDefinition"]
        tags = self.aws("ecs").list_tags_for_resource(resourceArn=arn)["tags"]
        found = next((tag["value"] for tag in tags if tag["key"] == "spymeo:rollback-origin"), arn)
        return found.rpartition("/")[2]

    def database_url(self) -> str:
        """DATABASE_URL as the next task would get it."""
        return self.aws("secretsmanager").get_secret_value(SecretId=world.DATABASE_SECRET)["SecretString"]

    def instances(self) -> dict[str, dict]:
        """DB instances by identifier."""
        found = self.aws("rds").describe_db_instances()["DBInstances"]
        return {instance["DBInstanceIdentifier"]: instance for instance in found}


def one_line(text: str) -> str:
    """What was printed in one line, playbooks of the clone named from its folder: its path may be long, and have a blank in it."""
    return re.sub(rf"'?{re.escape(str(ROOT))}/(playbooks/\w+\.yml)'?", r"\1", " ".join(text.split()))


def bring_up(*options: str) -> Production:
    """A new lab that goes when this process goes."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    cli.up(cli.parser().parse_args(["up", "--name", name, "--owner", str(os.getpid()), *options]))
    return Production(name, cli.running(name))


def take_down(production: Production) -> None:
    """Stop a lab; nothing of it is left."""
    down(cli.parser().parse_args(["down", "--name", production.name]))


def _clone(target: pathlib.Path) -> pathlib.Path:
    """What `git clone` gives of the work tree as it is, without .git: AWX removes it before it runs."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_symlink() or source.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
    return target


@pytest.fixture(scope="session")
def clone():
    """Copies the work tree as it is to a path that is not there yet, which is returned."""
    return _clone


@pytest.fixture
def production():
    """A healthy production for one test."""
    lab = bring_up()
    yield lab
    take_down(lab)


@pytest.fixture
def production_with_breaker():
    """A healthy production whose service has a deployment circuit breaker with rollback."""
    lab = bring_up("--breaker")
    yield lab
    take_down(lab)


@pytest.fixture(scope="module")
def shared_production():
    """A healthy production for all tests of a module."""
    lab = bring_up()
    yield lab
    take_down(lab)


@pytest.fixture(scope="module")
def slow_production():
    """A healthy production for all tests of a module, whose restores take 6 s."""
    lab = bring_up("--set", "restore=6")
    yield lab
    take_down(lab)


@pytest.fixture(scope="module")
def production_with_fleet():
    """A healthy production for all tests of a module, with three more services and one more application."""
    lab = bring_up("--services", "3", "--applications", "1")
    yield lab
    take_down(lab)


@pytest.fixture(scope="module")
def shared_production_with_breaker():
    """A healthy production for all tests of a module, whose service has a deployment circuit breaker with rollback."""
    lab = bring_up("--breaker")
    yield lab
    take_down(lab)


@pytest.fixture
def call_module(ansible_adhoc, tmp_path, tmp_path_factory):
    """Run one module by pytest-ansible; gives its result (dict) and the writing calls that it made (list of str)."""
    inventory = tmp_path / "hosts"
    inventory.write_text(f"localhost ansible_connection=local ansible_python_interpreter='{sys.executable}'\n")

    def call(production: Production, module: str, **options):
        aws = {key: production.state[key] for key in ("endpoint_url", "access_key", "secret_key", "region")}
        host = ansible_adhoc(inventory=str(inventory), connection="local", host_pattern="localhost").localhost
        before = len(production.calls())
        given = with_run(tmp_path_factory.getbasetemp() / "held", module, options)
        result = getattr(host, f"spymeo.rollback.{module}")(**aws, **given).localhost
        return dict(result), [call["operation"] for call in production.calls()[before:] if call["writes"]]

    return call
