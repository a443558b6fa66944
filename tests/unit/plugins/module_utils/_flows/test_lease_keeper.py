# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process that renews a play's lease: for as long as the play lives and has its lock, and not a moment longer."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import uuid

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import COMPLETE
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import released, taken
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Lease
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease_keeper import Keeper
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from ansible_collections.spymeo.rollback.plugins.module_utils._io.control_process import GONE, RUNNING, STOPPED
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

ROOT = pathlib.Path(__file__).parents[5]
NOW, SECONDS = 1_795_000_000.0, 60


class World:
    """A play that lives until ``dies``, and a keeper whose clock runs only when it sleeps."""

    def __init__(self, memory):
        self.memory, self.seconds, self.dies, self.at = memory, 0.0, 1000.0, {}
        memory.put_lock(taken(None, "rb-1", "Roll back", "ada", "", NOW, SECONDS), ABSENT)

    def sleep(self, seconds):
        self.seconds += seconds
        for at in [at for at in self.at if at <= self.seconds]:
            self.at.pop(at)()

    def state(self):
        return GONE if self.seconds >= self.dies else RUNNING

    def run(self, state=None):
        clock = Clock(lambda: self.seconds, self.sleep)
        Keeper(lambda: self.memory, 1, SECONDS, state or self.state, clock, lambda: NOW + self.seconds).run()
        return self.seconds

    def expires(self):
        return self.memory.lock()[0].expires - NOW


@pytest.fixture
def world(memory):
    return World(memory)


def test_it_renews_in_time_until_the_play_dies(world):
    seen = []
    world.at = {at: lambda: seen.append(world.expires() - world.seconds) for at in range(5, 900, 5)}
    assert world.run() == pytest.approx(1000, abs=1)
    assert min(seen) > SECONDS / 2
    assert world.expires() <= 1000 + SECONDS
    assert world.memory.lock()[0].left - NOW == pytest.approx(1000, abs=1)


def test_it_costs_one_write_a_renewal_and_reads_the_lock_once(world, store):
    reads, writes = [], []
    get, store.before_put = store.get, writes.append
    store.get = lambda key: reads.append(key) or get(key)
    world.run()
    assert len(writes) - 1 == pytest.approx(1000 / (SECONDS / 3), abs=2)
    assert len(reads) == 1


def test_a_play_that_is_stopped_is_not_kept_alive_and_goes_on_afterwards(world):
    stopped = lambda: STOPPED if 100 <= world.seconds < 400 else world.state()  # noqa: E731
    seen = {}
    world.at = {at: lambda at=at: seen.update({at: world.expires()}) for at in (99, 399, 405)}
    world.run(stopped)
    assert seen[99] > 100
    assert seen[399] == seen[99]
    assert seen[405] > 405


@pytest.mark.parametrize("end", ["released", "taken over", "gone"])
def test_it_ends_when_the_lock_is_not_the_plays_any_more(world, memory, store, end):
    def change():
        lock, etag = memory.lock()
        if end == "released":
            memory.put_lock(released(lock, 1, COMPLETE), etag)
        elif end == "taken over":
            memory.put_lock(taken(lock, "rb-2", "Roll back", "bob", "", NOW + 100, SECONDS), etag)
        else:
            store.table.clear()
        after.update(store.table)

    after = {}
    world.at = {101: change}
    assert world.run() == pytest.approx(100 + SECONDS / 3, abs=1)
    assert store.table == after


def test_what_the_play_intends_meanwhile_stays(world, memory):
    lease = Lease(memory, "rb-1", 1, SECONDS, lambda: False, lambda: NOW + world.seconds)
    intents = []
    world.at = {at: lambda: intents.append(lease.intend("ecs", "UpdateService", {})) for at in range(7, 900, 7)}
    world.run()
    assert memory.lock()[0].under_way == tuple(intents)
    assert memory.journal("rb-1") == []


def test_a_store_that_is_away_for_a_while_is_asked_again_soon(world, store):
    def away(_key):
        if 100 < world.seconds < 130:
            raise StoreError("full")
        if world.seconds > 500:
            raise KeyError("a defect")

    seen = {}
    store.before_put = away
    world.at = {at: lambda at=at: seen.update({at: world.expires()}) for at in (129, 132, 600)}
    assert world.run() == pytest.approx(1000, abs=1)
    assert seen[132] > seen[129] >= 129
    assert seen[600] < 600


def test_a_lock_that_changes_at_each_try_is_tried_again_later(world, memory, store):
    def meet(_key):
        if 100 < world.seconds < 105:
            text, _etag = store.get(memory.key("lock"))
            store.table[memory.key("lock")] = (text, uuid.uuid4().hex)

    store.before_put = meet
    world.run()
    assert world.expires() > 900


PLAY = """
import os, subprocess, sys, time
worker = os.fork()
if worker == 0:
    os.setsid()
    subprocess.run([sys.executable, "-c", *sys.argv[1:]])
    os._exit(0)
os.waitpid(worker, 0)
print("task is over", flush=True)
time.sleep(600)
"""
MODULE = """
import sys
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease_keeper import keep_alive
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
kept = open("/dev/zero")
keep_alive(lambda: RunRepository(DirectoryStore(sys.argv[1]), "production", "app"), 1, float(sys.argv[2]))
"""


def of_mark(mark):
    """The processes that have inherited an environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


class Played:
    """A play whose first task has started the keeper and is over."""

    def __init__(self, place, seconds):
        self.place = place
        self.memory, self.mark = RunRepository(DirectoryStore(str(place)), "production", "app"), uuid.uuid4().hex
        self.memory.put_lock(taken(None, "rb-1", "Roll back", "ada", "", time.time(), seconds), ABSENT)
        path = os.pathsep.join(["collections", *sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-c", PLAY, MODULE, str(place), str(seconds)],
            env={"PYTHONPATH": path, "MARK": self.mark}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self.process.stdout.readline() == b"task is over\n"

    def keepers(self):
        return [pid for pid in of_mark(self.mark) if pid != self.process.pid]

    def left(self):
        """Seconds until the lease ends."""
        return self.memory.lock()[0].expires - time.time()

    def until(self, condition, seconds):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def played(tmp_path):
    play = Played(tmp_path / "store", 1.5)
    yield play
    play.process.kill()
    play.process.wait()
    play.process.stdout.close()
    play.until(lambda: not play.keepers(), 5)


def test_the_lease_lives_as_long_as_the_play_though_the_task_is_over(played):
    for _look in range(30):
        time.sleep(0.1)
        assert played.left() > 0
    (keeper,) = played.keepers()
    parent = int(pathlib.Path(f"/proc/{keeper}/stat").read_text().rpartition(")")[2].split()[1])
    assert parent != played.process.pid  # somebody else waits for it
    held = {os.readlink(entry) for entry in pathlib.Path(f"/proc/{keeper}/fd").iterdir()}
    assert {path for path in held if not path.startswith(str(played.place))} == {"/dev/null"}
    assert os.getsid(keeper) != os.getsid(played.process.pid)
    user, system = pathlib.Path(f"/proc/{keeper}/stat").read_text().rpartition(")")[2].split()[11:13]
    assert int(user) + int(system) <= 0.1 * os.sysconf("SC_CLK_TCK")


def test_a_play_that_is_killed_lets_its_lease_end_and_its_pipe_close(played):
    time.sleep(1)
    played.process.kill()
    assert played.process.stdout.read() == b""  # at once: nobody else holds it open
    played.until(lambda: not played.keepers(), 1.5)
    left = played.left()
    assert left < 1.5
    time.sleep(max(0, left) + 0.5)
    assert played.left() < 0


def test_a_play_that_is_suspended_lets_its_lease_end_and_takes_it_up_again(played):
    played.process.send_signal(signal.SIGSTOP)
    time.sleep(2.5)
    assert played.left() < 0
    played.process.send_signal(signal.SIGCONT)
    played.until(lambda: played.left() > 0, 3)


def test_what_ends_the_plays_group_does_not_hold_it_up(played):
    (keeper,) = played.keepers()
    os.kill(keeper, signal.SIGTERM)  # it has Ansible's handlers no more
    played.until(lambda: not played.keepers(), 2)
