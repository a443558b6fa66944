# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one module process has of the lock: intents before, outcomes after, and nothing once the lock is somebody else's."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys
import threading
import time

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._run.decide import Lost, taken
from ansible_collections.spymeo.rollback.plugins.module_utils._run.lease import Lease
from ansible_collections.spymeo.rollback.plugins.module_utils._run.recorder import record_calls
from ansible_collections.spymeo.rollback.plugins.module_utils._run.store import ABSENT, ANY, StoreError
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError

ROOT = pathlib.Path(__file__).parents[5]
NOW, SECONDS = 1_795_000_000.0, 60


def alive():
    return False


class Time:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def lease(memory, clock):
    memory.put_lock(taken(None, "rb-1", "Roll back", "ada", "", NOW, SECONDS), ABSENT)
    return Lease(memory, "rb-1", 1, SECONDS, alive, clock)


def outcomes(memory, run_id="rb-1"):
    return [(entry["operation"], entry["outcome"]) for entry in memory.journal(run_id)]


def take_over(memory):
    lock, etag = memory.lock()
    memory.put_lock(taken(lock, "rb-2", "Roll back", "bob", "", NOW + SECONDS, SECONDS), etag)


def test_the_intent_is_in_the_lock_before_and_the_outcome_in_the_journal_after(lease, memory, clock):
    clock.now += 5
    intent = lease.intend("rds", "CreateDBSnapshot", {"DBSnapshotIdentifier": "s"})
    lock, _etag = memory.lock()
    assert (lock.under_way, lock.expires) == ((intent,), NOW + 5 + SECONDS)
    assert memory.journal("rb-1") == []
    clock.now += 2
    lease.record(intent, "ok")
    (entry,) = memory.journal("rb-1")
    assert entry["told"] == "rds CreateDBSnapshot s: ok"
    assert (entry["began"], entry["ended"]) == ("2026-11-18 11:06:45 UTC", "2026-11-18 11:06:47 UTC")


def test_a_writing_call_costs_two_writes_and_a_process_one_read(lease, memory, store):
    reads, writes = [], []
    get, store.before_put = store.get, writes.append
    store.get = lambda key: reads.append(key) or get(key)
    for _call in range(10):
        lease.record(lease.intend("rds", "ModifyDBInstance", {}), "ok")
    assert (len(writes), len(reads)) == (20, 1)


def test_nothing_is_intended_once_another_play_has_the_lock(lease, memory):
    lease.intend("rds", "CreateDBSnapshot", {})
    take_over(memory)
    with pytest.raises(Lost, match="Run rb-2 of bob"):
        lease.intend("rds", "RestoreDBInstanceFromDBSnapshot", {})
    with pytest.raises(Lost):
        lease.renew()
    assert memory.lock()[0].run_id == "rb-2"


def test_nothing_is_intended_in_a_store_that_cannot_be_written(lease, store):
    def refuse(_key):
        raise StoreError("full")

    store.before_put = refuse
    with pytest.raises(StoreError):
        lease.intend("rds", "CreateDBSnapshot", {})


def test_a_lock_that_was_cut_stops_the_module(lease, memory, store):
    store.put(memory.key("lock"), '{"run_id": "rb-', ANY)
    with pytest.raises(StoreError, match="production/app/lock"):
        lease.intend("rds", "CreateDBSnapshot", {})


def test_a_lock_of_another_version_stops_the_module(lease, memory, store):
    store.put(memory.key("lock"), '{"run_id": "rb-1", "under_way": []}', ANY)
    with pytest.raises(StoreError, match="lacks 'kind'"):
        lease.intend("rds", "CreateDBSnapshot", {})


def test_what_a_dead_process_intended_gets_an_unknown_outcome(lease, memory, clock):
    lease.intend("rds", "CreateDBSnapshot", {})
    Lease(memory, "rb-1", 1, SECONDS, alive, clock).intend("rds", "RebootDBInstance", {})
    assert outcomes(memory) == [("CreateDBSnapshot", "unknown")]


def test_what_an_earlier_process_has_recorded_stays(lease, memory, clock):
    lease.record(lease.intend("rds", "CreateDBSnapshot", {}), "ok")
    Lease(memory, "rb-1", 1, SECONDS, alive, clock).intend("rds", "RebootDBInstance", {})
    assert outcomes(memory) == [("CreateDBSnapshot", "ok")]


def test_a_write_of_our_own_whose_answer_was_lost_is_no_loss_of_the_lock(lease, memory, store):
    lease.renew()
    text, _etag = store.get(memory.key("lock"))
    store.put(memory.key("lock"), text, ANY)
    assert lease.intend("rds", "CreateDBSnapshot", {}).number == 1


def test_threads_take_turns(lease, memory):
    def work():
        for _call in range(5):
            lease.record(lease.intend("ecs", "UpdateService", {}), "ok")

    threads = [threading.Thread(target=work) for _thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes(memory) == [("UpdateService", "ok")] * 30
    assert memory.lock()[0].number == 30


def test_a_module_that_waits_keeps_its_lock(memory):
    memory.put_lock(taken(None, "rb-1", "Roll back", "ada", "", time.time(), 0.3), ABSENT)
    Lease(memory, "rb-1", 1, 0.3, alive).keep()
    for _look in range(10):
        time.sleep(0.1)
        assert memory.lock()[0].expires > time.time()


class Wire:
    """What is sent to AWS, and what AWS answers: below the events that the recorder listens to, where botocore's Stubber is above."""

    def __init__(self):
        self.sent, self.status, self.body = [], 200, b"{}"

    def __call__(self, request, **_event):
        self.sent.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])
        return AWSResponse(request.url, self.status, {}, Raw(self.body))


class Raw(io.BytesIO):
    """As urllib3 gives a body."""

    def stream(self, **_how):
        yield self.read()


@pytest.fixture
def wire():
    return Wire()


def test_a_task_whose_play_has_died_intends_nothing_more_and_lets_the_lease_end(memory):
    memory.put_lock(taken(None, "rb-1", "Roll back", "ada", "", time.time(), 0.3), ABSENT)
    orphan = Lease(memory, "rb-1", 1, 0.3, lambda: True)
    with pytest.raises(Lost, match="has begun this task has died"):
        orphan.intend("rds", "CreateDBSnapshot", {})
    orphan.keep()
    time.sleep(0.5)
    assert memory.lock()[0].expires < time.time()


PLAY = """
import os, subprocess, sys
worker = os.fork()
if worker == 0:
    os.setsid()
    subprocess.run([sys.executable, "-c", sys.argv[1]])
else:
    os.waitpid(worker, 0)
"""
MODULE = """
import time
from ansible_collections.spymeo.rollback.plugins.module_utils._run.player import Player
player = Player()
while True:
    print(player.gone(), flush=True)
    time.sleep(0.05)
"""


def test_a_module_sees_that_its_ansible_playbook_was_killed():
    path = os.pathsep.join(["collections", *sys.path])
    play = subprocess.Popen(
        [sys.executable, "-c", PLAY, MODULE], env={"PYTHONPATH": path}, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert [play.stdout.readline().strip() for _look in range(3)] == ["False"] * 3
    play.kill()
    play.wait()
    with play.stdout:
        assert "True" in [play.stdout.readline().strip() for _look in range(40)]
    # the module dies of its broken pipe


@pytest.fixture
def client(lease, wire):
    made = boto3.client("secretsmanager", region_name="eu-west-3", aws_access_key_id="x", aws_secret_access_key="y")
    record_calls(made, lease)
    made.meta.events.register("before-send", wire)
    return made


SECRET = "postgresql://ada:very-secret@db/app"


def put_secret(client):
    client.put_secret_value(SecretId="app/db", SecretString=SECRET, ClientRequestToken="t" * 32)


def test_each_writing_call_of_a_client_is_recorded_without_its_values(client, wire, memory, store):
    put_secret(client)
    client.describe_secret(SecretId="app/db")
    (entry,) = memory.journal("rb-1")
    assert entry["of"] == {"SecretId": "app/db", "ClientRequestToken": "t" * 32}
    assert (entry["service"], entry["outcome"]) == ("secretsmanager", "ok")
    assert wire.sent == ["PutSecretValue", "DescribeSecret"]
    assert "very-secret" not in str(store.table)


def test_what_aws_refuses_is_recorded_with_its_code(client, wire, memory):
    wire.status, wire.body = 400, b'{"__type": "ResourceExistsException"}'
    with pytest.raises(ClientError):
        put_secret(client)
    assert outcomes(memory) == [("PutSecretValue", "ResourceExistsException")]


def test_no_call_is_made_once_the_lock_is_lost(client, wire, memory):
    take_over(memory)
    with pytest.raises(RollbackError, match="has taken over the lock"):
        put_secret(client)
    assert wire.sent == []


def test_a_call_without_an_answer_is_recorded_as_unknown(memory, lease):
    nobody = boto3.client(
        "secretsmanager", region_name="eu-west-3", endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x", aws_secret_access_key="y",
    )  # fmt: skip
    record_calls(nobody, lease)
    with pytest.raises(EndpointConnectionError):
        put_secret(nobody)
    assert outcomes(memory) == [("PutSecretValue", "unknown")]
