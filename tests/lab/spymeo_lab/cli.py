# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`lab up | down | status | env | accident | heal`: what a person types."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import BinaryIO

from . import machine, world
from .accidents import ACCIDENTS, Pipeline, PipelineFailed
from .durations import Durations
from .errors import WHY
from .place import CLONE, NAME, Taken, claim, directory_of, state_of

API_PORT, PUBLIC_PORT = 4599, 8599  # of the first lab named "default"; a second clone's has others
UP_TIMEOUT = DOWN_TIMEOUT = 60  # seconds; on a machine that is busy with other labs
HEALTHY = "release 1.0.0 serves; `status` asks what runs there now"
PYTHONPATH = os.pathsep.join((str(world.APP.parent), str(world.APP)))  # the lab's server's, whoever starts it


class LabError(Exception):
    """What a person is told when a command cannot be done; the exit code is 1."""


def running(name: str) -> dict:
    """The state of a lab that must be up.

    :raises LabError: when it is not.
    """
    state = state_of(name)
    if state is None:
        raise LabError(f"lab '{name}' of the clone {CLONE} is not up; start it with: {_command('up', name)}")
    return state


def _command(verb: str, name: str) -> str:
    return f"tests/lab/lab {verb}" + ("" if name == "default" else f" --name {name}")


def up(arguments: argparse.Namespace) -> None:
    """Start a lab and wait until release 1 serves; the lab goes when this command is interrupted before that."""
    if state_of(arguments.name):
        print(f"lab '{arguments.name}' is up already", file=sys.stderr)
        return status(arguments)
    if lacking := machine.lack():
        raise LabError(lacking)
    _start(arguments.name, settings_of(arguments), arguments.owner)
    return show(arguments, running(arguments.name), [HEALTHY])


def settings_of(arguments: argparse.Namespace) -> dict:
    """What `serve` is given. The lab named "default" has well-known ports unless they are taken, the others have any free ones."""
    default = arguments.name == "default"
    return {
        "api_port": API_PORT if default else 0,
        "public_port": PUBLIC_PORT if default else 0,
        "or_any_port": True,
        "durations": dict(arguments.set),
        "breaker": arguments.breaker,
        "percent": arguments.percent,
        "services": arguments.services,
        "applications": arguments.applications,
        "owner": arguments.owner,
    }


def _start(name: str, settings: dict, owner: int | None) -> None:
    """
    :raises LabError: the lab is there already, or does not start.
    """
    directory = directory_of(name)
    try:
        taken = claim(directory)
    except Taken as error:
        raise LabError(
            f"lab '{name}' of the clone {CLONE} is being started or taken down by another command. "
            f"Wait until that has ended, then ask: {_command('status', name)}"
        ) from error
    except OSError as error:
        raise LabError(f"the lab cannot have its directory {directory} ({error.strerror}); remove it.") from error
    server = [sys.executable, "-m", "spymeo_lab.serve", str(directory), json.dumps(settings)]
    numbers = [str(number) for number in (taken, os.getpid(), owner or 0)]
    with (directory / "lab.log").open("a+b") as log:
        guard = subprocess.Popen(
            [sys.executable, "-m", "spymeo_lab.guard", str(directory), *numbers, *server],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            pass_fds=[taken],
        )
        os.close(taken)
        try:
            _await_ready(directory, guard, log, UP_TIMEOUT + settings["services"] + 10 * settings["applications"])
        except BaseException:
            guard.terminate()
            guard.wait()
            raise


def _await_ready(directory: pathlib.Path, guard: subprocess.Popen, log: BinaryIO, timeout: float) -> None:
    """`log` stays readable when the lab has removed its directory.

    :raises LabError: the lab has ended, or is not ready in time (seconds).
    """
    deadline = time.monotonic() + timeout
    while not (directory / "lab.json").exists():
        late = time.monotonic() > deadline
        if late or guard.poll() is not None:
            log.seek(0)
            text = log.read().decode(errors="replace")
            why = [line for line in text.splitlines() if line.startswith(WHY)]
            kept = directory.parent / f"{directory.name}.log"
            kept.write_text(text)
            what = f"the lab is not ready after {timeout:.0f} s" if late else "the lab has ended while it was started"
            raise LabError(f"{why[-1] if why else what + '.'}\nWhat its processes said is in {kept}.")
        time.sleep(0.05)


def down(arguments: argparse.Namespace) -> None:
    """Stop a lab and wait until nothing of it is left."""
    state = state_of(arguments.name)
    if state is None:
        return print(f"lab '{arguments.name}' of the clone {CLONE} is not up")
    _stop(arguments.name, state)
    return print(f"lab '{arguments.name}' is down")


def _stop(name: str, state: dict) -> None:
    """
    :raises LabError: something of it is left.
    """
    os.kill(state["guard"], signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT
    while directory_of(name).exists():
        if time.monotonic() > deadline:
            raise LabError(f"lab '{name}' is still there after {DOWN_TIMEOUT} s: see {state['directory']}/lab.log")
        time.sleep(0.05)


def control(state: dict, name: str, /, **arguments) -> dict:
    """Ask a running lab for something that is not AWS's API."""
    request = urllib.request.Request(
        f"{state['endpoint_url']}/_lab/{name}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise LabError(f"the lab cannot do {name}: {error.read().decode()}") from error


def status(arguments: argparse.Namespace) -> None:
    """Say where the lab is, and what runs there."""
    state = running(arguments.name)
    show(arguments, state, world.describe(state))


def show(arguments: argparse.Namespace, state: dict, now: list[str]) -> None:
    """Print where a lab is and the lines `now`; with --json the whole state and them."""
    if arguments.json:
        return print(json.dumps({**state, "now": now}, indent=2))
    print(f"SPYMEO's production, lab '{arguments.name}' of the clone {CLONE}")
    print(f"  application   {state['base_url']}")
    print(f"  AWS endpoint  {state['endpoint_url']}   region {state['region']}")
    for line in now:
        print(f"  {line}")
    return None


def env(arguments: argparse.Namespace) -> None:
    """Print export lines: with them, boto3, the AWS CLI and inventories/lab talk to this lab."""
    for key, value in environment(running(arguments.name)).items():
        print(f"export {key}={shlex.quote(value)}")


def environment(state: dict) -> dict[str, str]:
    """The variables by which stock clients and inventories/lab find a lab."""
    return {
        "AWS_ENDPOINT_URL": state["endpoint_url"],
        "AWS_ACCESS_KEY_ID": state["access_key"],
        "AWS_SECRET_ACCESS_KEY": state["secret_key"],
        "AWS_DEFAULT_REGION": state["region"],
        "SPYMEO_LAB_URL": state["base_url"],
        "SPYMEO_LAB_STORE": f"{state['directory']}/rollback-store",
    }


def accident(arguments: argparse.Namespace) -> None:
    """Deploy the bad release 2.0.0, and wait until the harm is done."""
    state = running(arguments.name)
    try:
        Pipeline(state).deploy(
            arguments.accident, lambda release, defect: control(state, "push", release=release, defect=defect), print
        )
    except PipelineFailed as error:
        raise LabError(str(error)) from error
    print(f"accident: {arguments.accident}: {ACCIDENTS[arguments.accident]}")


def heal(arguments: argparse.Namespace) -> None:
    """Bring back the world as `up` made it: a new lab on the same ports, with the same settings."""
    state = running(arguments.name)
    port = int(state["endpoint_url"].rpartition(":")[2])
    settings = dict(state["settings"], api_port=port, public_port=state["public_port"], or_any_port=False)
    _stop(arguments.name, state)
    _start(arguments.name, settings, settings["owner"])
    show(arguments, running(arguments.name), [HEALTHY])


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a lab: at most 40 letters, digits, dots, hyphens and underscores; the first is a letter or digit"
        )
    return text


def _setting(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    if name not in {field.name for field in dataclasses.fields(Durations)}:
        raise argparse.ArgumentTypeError(f"no duration is called {name!r}: see tests/lab/spymeo_lab/durations.py")
    return name, float(seconds)


def parser() -> argparse.ArgumentParser:
    """The command line of tests/lab/lab."""
    main = argparse.ArgumentParser(
        prog="lab", description="SPYMEO's production on this machine: AWS's API, real processes, real PostgreSQL."
    )
    commands = main.add_subparsers(dest="command", required=True)
    for function in (up, down, status, env, accident, heal):
        command = commands.add_parser(function.__name__, help=function.__doc__.splitlines()[0])
        command.set_defaults(run=function)
        command.add_argument(
            "--name", type=_name, default="default", help="which of this clone's labs; several can be up side by side"
        )
        command.add_argument("--json", action="store_true", help="print the state as JSON")
        command.add_argument(
            "--owner", type=int, default=None, metavar="PID", help="take the lab down when this process is gone"
        )
        if function is up:
            command.add_argument("--set", type=_setting, action="append", default=[], metavar="DURATION=SECONDS")
            command.add_argument(
                "--breaker", action="store_true", help="the service has a deployment circuit breaker with rollback"
            )
            command.add_argument(
                "--percent",
                type=int,
                nargs=2,
                default=[0, 100],
                metavar=("MINIMUM", "MAXIMUM"),
                help="minimumHealthyPercent and maximumPercent of the service; 100 200 are ECS's defaults",
            )
            command.add_argument("--services", type=int, default=0, help="so many more services, of light stand-ins")
            command.add_argument(
                "--applications", type=int, default=0, help="so many more applications, each with a database of its own"
            )
        if function is accident:
            command.add_argument("accident", choices=sorted(ACCIDENTS))
    return main


def start_clean() -> None:
    """Keep what is a person's own from this process and the lab: AWS profile and credentials, proxies, which loopback needs none of, umask."""
    os.umask(0o077)
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]


def main() -> int:
    """Run one command; 0 when it is done."""
    start_clean()
    arguments = parser().parse_args()
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read has read enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
