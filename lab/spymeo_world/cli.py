# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`lab up | down | status | env | accident | heal`: what a person types."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from typing import Any

from loopback_aws import lifecycle, machine
from loopback_aws.cli import add_commands, down, run
from loopback_aws.lifecycle import LabError, control
from loopback_aws.place import CLONE, state_of

from . import world
from .accidents import ACCIDENTS, Pipeline, PipelineFailed

PROGRAM = "lab/lab"
API_PORT, PUBLIC_PORT = 4599, 8599  # of the first lab named "default"; a second clone's has others
HEALTHY = "release 1.0.0 serves; `status` asks what runs there now"


def running(name: str) -> dict[str, Any]:
    """The state of a lab that must be up.

    :raises LabError: when it is not.
    """
    return lifecycle.running(name, PROGRAM)


def up(arguments: argparse.Namespace) -> None:
    """Start a lab and wait until release 1 serves; the lab goes when this command is interrupted before that."""
    if state_of(arguments.name):
        print(f"lab '{arguments.name}' is up already", file=sys.stderr)
        return status(arguments)
    if lacking := machine.lack():
        raise LabError(lacking)
    lifecycle.start(arguments.name, settings_of(arguments), arguments.owner, PROGRAM)
    return show(arguments, running(arguments.name), [HEALTHY])


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `serve` is given. The lab named "default" has well-known ports unless they are taken, the others have any free ones."""
    default = arguments.name == "default"
    return {
        "world": "spymeo_world.world",
        "python_path": [str(world.APP)],
        "up_timeout": lifecycle.UP_TIMEOUT + arguments.services + 10 * arguments.applications,
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


def status(arguments: argparse.Namespace) -> None:
    """Say where the lab is, and what runs there."""
    state = running(arguments.name)
    show(arguments, state, world.describe(state))


def show(arguments: argparse.Namespace, state: dict[str, Any], now: list[str]) -> None:
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


def environment(state: dict[str, Any]) -> dict[str, str]:
    """The variables by which stock clients and inventories/lab find a lab."""
    return {
        **lifecycle.addresses(state),
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
    lifecycle.stop(arguments.name, state)
    lifecycle.start(arguments.name, settings, settings["owner"], PROGRAM)
    show(arguments, running(arguments.name), [HEALTHY])


def parser() -> argparse.ArgumentParser:
    """The command line of lab/lab."""
    main = argparse.ArgumentParser(
        prog="lab", description="SPYMEO's production on this machine: AWS's API, real processes, real PostgreSQL."
    )
    parsers = add_commands(main, (up, down, status, env, accident, heal))
    parsers["up"].add_argument(
        "--breaker", action="store_true", help="the service has a deployment circuit breaker with rollback"
    )
    parsers["up"].add_argument(
        "--percent",
        type=int,
        nargs=2,
        default=[0, 100],
        metavar=("MINIMUM", "MAXIMUM"),
        help="minimumHealthyPercent and maximumPercent of the service; 100 200 are ECS's defaults",
    )
    parsers["up"].add_argument("--services", type=int, default=0, help="so many more services, of light stand-ins")
    parsers["up"].add_argument(
        "--applications", type=int, default=0, help="so many more applications, each with a database of its own"
    )
    parsers["accident"].add_argument("accident", choices=sorted(ACCIDENTS))
    return main


if __name__ == "__main__":
    sys.exit(run(parser()))
