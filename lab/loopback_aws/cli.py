# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`loopback-aws up | down | status | env | push`: AWS on this machine with nothing in it yet, for whoever tests a tool of their own."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Callable
from typing import Any

from . import machine
from .durations import Durations
from .lifecycle import LabError, addresses, control, running, start, start_clean, stop
from .place import CLONE, NAME, state_of


def up(arguments: argparse.Namespace) -> None:
    """Start a lab in which there is nothing yet but a default VPC."""
    if lacking := machine.lack():
        raise LabError(lacking)
    if state_of(arguments.name) is None:
        settings = {"api_port": arguments.port, "or_any_port": not arguments.port, "durations": dict(arguments.set)}
        start(arguments.name, settings, arguments.owner)
    status(arguments)


def down(arguments: argparse.Namespace) -> None:
    """Stop a lab and wait until nothing of it is left."""
    state = state_of(arguments.name)
    if state is None:
        return print(f"lab '{arguments.name}' of the clone {CLONE} is not up")
    stop(arguments.name, state)
    return print(f"lab '{arguments.name}' is down")


def status(arguments: argparse.Namespace) -> None:
    """Say where the lab is."""
    state = running(arguments.name)
    if arguments.json:
        return print(json.dumps(state, indent=2))
    return print(f"lab '{arguments.name}'\n  AWS endpoint  {state['endpoint_url']}   region {state['region']}")


def env(arguments: argparse.Namespace) -> None:
    """Print export lines: with them boto3, the AWS CLI and others talk to this lab."""
    for key, value in addresses(running(arguments.name)).items():
        print(f"export {key}={shlex.quote(value)}")


def push(arguments: argparse.Namespace) -> None:
    """Store an image in ECR: what a container of it runs is a command of this machine."""
    repository, _, tag = arguments.image.partition(":")
    words = arguments.process[1:] if arguments.process[:1] == ["--"] else arguments.process
    if not words:
        raise LabError("Say what a container of the image runs: push shop/api:1.0.0 -- python3 -m http.server 8080")
    image = {"Cmd": words, "Env": arguments.env, "WorkingDir": os.path.abspath(arguments.directory)}
    state = running(arguments.name)
    pushed = control(state, "push_image", repository=repository, tag=tag or "latest", config=image)
    print(f"{pushed['image']}  {pushed['digest']}")


def lab_name(text: str) -> str:
    """A name of a lab, for argparse."""
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a lab: at most 40 letters, digits, dots, hyphens and underscores; the first is a letter or digit"
        )
    return text


def duration(text: str) -> tuple[str, float]:
    """DURATION=SECONDS, for argparse."""
    name, _, seconds = text.partition("=")
    if name not in {field.name for field in dataclasses.fields(Durations)}:
        raise argparse.ArgumentTypeError(f"no duration is called {name!r}: see lab/loopback_aws/durations.py")
    return name, float(seconds)


def add_commands(
    main: argparse.ArgumentParser, functions: tuple[Callable[..., Any], ...]
) -> dict[str, argparse.ArgumentParser]:
    """A command for each function, named after it, with the options that all of them have."""
    commands, parsers = main.add_subparsers(dest="command", required=True), {}
    for function in functions:
        command = parsers[function.__name__] = commands.add_parser(
            function.__name__, help=(function.__doc__ or "").splitlines()[0]
        )
        command.set_defaults(run=function)
        command.add_argument(
            "--name",
            type=lab_name,
            default="default",
            help="which of this clone's labs; several can be up side by side",
        )
        command.add_argument("--json", action="store_true", help="print the state as JSON")
        command.add_argument(
            "--owner", type=int, default=None, metavar="PID", help="take the lab down when this process is gone"
        )
    parsers["up"].add_argument("--set", type=duration, action="append", default=[], metavar="DURATION=SECONDS")
    return parsers


def parser() -> argparse.ArgumentParser:
    """The command line of loopback-aws."""
    main = argparse.ArgumentParser(prog="loopback-aws", description=__doc__.partition(": ")[2])
    parsers = add_commands(main, (up, down, status, env, push))
    parsers["up"].add_argument("--port", type=int, default=0, help="of AWS's API on 127.0.0.1; any free one without it")
    parsers["push"].add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parsers["push"].add_argument("--directory", default=".", help="where the process starts")
    parsers["push"].add_argument("image", metavar="REPOSITORY[:TAG]")
    parsers["push"].add_argument("process", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    return main


def run(main: argparse.ArgumentParser) -> int:
    """Run one command; 0 when it is done."""
    start_clean()
    arguments = main.parse_args()
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


def main() -> int:
    """The entry point of the package."""
    return run(parser())


if __name__ == "__main__":
    sys.exit(main())
