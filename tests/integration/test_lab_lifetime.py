# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nothing of a lab is left, however it ends: no process, no port, no file, no shared memory."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

import pytest

from spymeo_lab import cli

ROOT = pathlib.Path(__file__).parents[2]
LAB = ROOT / "tests/lab/lab"
GONE_WITHIN = 60  # seconds


def name_of(request) -> str:
    return f"life-{os.getpid()}-{abs(hash(request.node.name)) % 10000}"


def processes_of(name: str) -> list[str]:
    """Command lines of every process that knows the lab's directory, and of the tasks below it."""
    directory, found = str(cli.directory_of(name)), []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (entry / "cmdline").read_text() + (entry / "environ").read_text() + os.readlink(entry / "cwd")
            if directory in told and int(entry.name) != os.getpid():
                found.append(told)
    return found


def shared_memory() -> set[str]:
    """Ids of the System V segments there are, which outlive a process that is killed."""
    return {line.split()[1] for line in pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def segments_of(name: str) -> set[str]:
    """Ids of the segments of a lab's PostgreSQL servers: "key id" on line 7 of postmaster.pid (pidfile.h)."""
    found = set()
    for path in cli.directory_of(name).glob("rds/*/data/postmaster.pid"):
        with contextlib.suppress(FileNotFoundError):  # initdb starts a server of its own, which goes again
            lines = path.read_text().splitlines()
            found |= {line.split()[1] for line in lines[6:7]}
    return found


def listens(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def wait_until(fact) -> bool:
    deadline = time.monotonic() + GONE_WITHIN
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def lab(request):
    """A lab whose owner goes on living: its name, state, owner and segments of shared memory."""
    name = name_of(request)
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    subprocess.run([LAB, "up", "--name", name, "--owner", str(owner.pid)], check=True, capture_output=True)
    state = cli.running(name)
    yield name, state, owner, segments_of(name)
    owner.kill()
    owner.wait()
    assert wait_until(lambda: not cli.directory_of(name).exists())


def assert_gone(name: str, state: dict, segments: set[str]) -> None:
    assert wait_until(lambda: not cli.directory_of(name).exists()), "files are left"
    assert wait_until(lambda: not processes_of(name)), processes_of(name)
    assert wait_until(lambda: not listens(state["endpoint_url"]))
    assert wait_until(lambda: not listens(state["base_url"]))
    assert shared_memory() & segments == set()


def test_a_lab_that_is_up_is_seen_by_these_eyes(lab):
    name, state, _owner, segments = lab
    assert len(processes_of(name)) >= 3
    assert segments
    assert segments <= shared_memory()
    assert listens(state["endpoint_url"])
    assert listens(state["base_url"])


def test_down_leaves_nothing(lab):
    name, state, _owner, segments = lab
    subprocess.run([LAB, "down", "--name", name], check=True, capture_output=True)
    assert not cli.directory_of(name).exists()
    assert_gone(name, state, segments)


@pytest.mark.parametrize("victim", ["pid", "guard"])
def test_kill_9_of_either_half_leaves_nothing(lab, victim):
    name, state, _owner, segments = lab
    os.kill(state[victim], signal.SIGKILL)
    assert_gone(name, state, segments)


def test_kill_9_of_whoever_started_it_leaves_nothing(lab):
    name, state, owner, segments = lab
    owner.kill()
    owner.wait()
    assert_gone(name, state, segments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_start_that_is_interrupted_leaves_nothing(request, number):
    name = name_of(request)
    starter = subprocess.Popen(
        [LAB, "up", "--name", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert wait_until(lambda: segments_of(name))
    segments = segments_of(name)
    starter.send_signal(number)
    starter.wait(GONE_WITHIN)
    assert wait_until(lambda: not cli.directory_of(name).exists())
    assert wait_until(lambda: not processes_of(name))
    assert shared_memory() & segments == set()


def test_two_labs_side_by_side_do_not_meet(request):
    names = [f"{name_of(request)}-{side}" for side in "ab"]
    starters = [
        subprocess.Popen([LAB, "up", "--name", name, "--owner", str(os.getpid())], stdout=subprocess.DEVNULL)
        for name in names
    ]
    assert [starter.wait(60) for starter in starters] == [0, 0]
    states = [cli.running(name) for name in names]
    assert states[0]["endpoint_url"] != states[1]["endpoint_url"]
    assert states[0]["base_url"] != states[1]["base_url"]
    subprocess.run([LAB, "down", "--name", names[0]], check=True, capture_output=True)
    assert wait_until(lambda: not listens(states[0]["endpoint_url"]))
    assert listens(states[1]["base_url"])
    subprocess.run([LAB, "down", "--name", names[1]], check=True, capture_output=True)
