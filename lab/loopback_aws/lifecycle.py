# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab from outside: start it, find it, ask it, stop it. Whose commands they are says what its world is, and what to type."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any, BinaryIO

from .errors import WHY
from .place import CLONE, Taken, claim, directory_of, state_of

UP_TIMEOUT = DOWN_TIMEOUT = 60  # seconds; on a machine that is busy with other labs
PACKAGES = pathlib.Path(__file__).resolve().parents[1]
COMMAND = f"{sys.executable} -m loopback_aws"  # whoever has a shorter one says so


class LabError(Exception):
    """What a person is told when a command cannot be done; the exit code is 1."""


def running(name: str, program: str = COMMAND) -> dict[str, Any]:
    """The state of a lab that must be up.

    :raises LabError: when it is not; `program` starts it.
    """
    state = state_of(name)
    if state is None:
        raise LabError(f"lab '{name}' of the clone {CLONE} is not up; start it with: {command('up', name, program)}")
    return state


def command(verb: str, name: str, program: str = COMMAND) -> str:
    """What a person types."""
    return f"{program} {verb}" + ("" if name == "default" else f" --name {name}")


def start(name: str, settings: dict[str, Any], owner: int | None, program: str = COMMAND) -> None:
    """Start a lab's server with these `settings` (see serve.py), and return when its world is ready.

    :raises LabError: the lab is there already, or does not start.
    """
    directory = directory_of(name)
    try:
        taken = claim(directory)
    except Taken as error:
        raise LabError(
            f"lab '{name}' of the clone {CLONE} is being started or taken down by another command. "
            f"Wait until that has ended, then ask: {command('status', name, program)}"
        ) from error
    except OSError as error:
        raise LabError(f"the lab cannot have its directory {directory} ({error.strerror}); remove it.") from error
    server = [sys.executable, "-m", "loopback_aws.serve", str(directory), json.dumps(settings)]
    numbers = [str(number) for number in (taken, os.getpid(), owner or 0)]
    with (directory / "lab.log").open("a+b") as log:
        guard = subprocess.Popen(
            [sys.executable, "-m", "loopback_aws.guard", str(directory), *numbers, *server],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGES), *settings.get("python_path", [])])},
            pass_fds=[taken],
        )
        os.close(taken)
        try:
            _await_ready(directory, guard, log, settings.get("up_timeout", UP_TIMEOUT))
        except BaseException:
            guard.terminate()
            guard.wait()
            raise


def _await_ready(directory: pathlib.Path, guard: subprocess.Popen[bytes], log: BinaryIO, timeout: float) -> None:
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


def stop(name: str, state: dict[str, Any]) -> None:
    """Stop a lab that is up, and return when nothing of it is left.

    :raises LabError: something of it is left.
    """
    os.kill(state["guard"], signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT
    while directory_of(name).exists():
        if time.monotonic() > deadline:
            raise LabError(f"lab '{name}' is still there after {DOWN_TIMEOUT} s: see {state['directory']}/lab.log")
        time.sleep(0.05)


def control(state: dict[str, Any], name: str, /, **arguments: Any) -> dict[str, Any]:
    """Ask a running lab for something that is not AWS's API."""
    request = urllib.request.Request(
        f"{state['endpoint_url']}/_lab/{name}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            done: dict[str, Any] = json.load(answer)
            return done
    except urllib.error.HTTPError as error:
        raise LabError(f"the lab cannot do {name}: {error.read().decode()}") from error


def addresses(state: dict[str, Any]) -> dict[str, str]:
    """The variables by which boto3, the AWS CLI and whoever else reads them find a lab."""
    return {
        "AWS_ENDPOINT_URL": state["endpoint_url"],
        "AWS_ACCESS_KEY_ID": state["access_key"],
        "AWS_SECRET_ACCESS_KEY": state["secret_key"],
        "AWS_DEFAULT_REGION": state["region"],
    }


def start_clean() -> None:
    """Keep what is a person's own from this process and the lab: AWS profile and credentials, proxies, which loopback needs none of, umask."""
    os.umask(0o077)
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
