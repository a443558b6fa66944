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
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import LockLost, renewed, taken
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, ANY, StoreError
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.journal import record_calls
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Lease, Unrecorded
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import PATIENCE, Clock
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

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
    with pytest.raises(LockLost, match="Run rb-2 of bob"):
        lease.intend("rds", "RestoreDBInstanceFromDBSnapshot", {})
    with pytest.raises(LockLost):
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


class Wire:
    """What is sent to AWS, and what AWS answers: below the events that the recorder listens to, where botocore's Stubber is above."""

    def __init__(self):
        self.sent, self.status, self.body, self.broken = [], 200, b"{}", []

    def __call__(self, request, **_event):
        self.sent.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])
        if self.broken:
            raise self.broken.pop(0)
        return AWSResponse(request.url, self.status, {}, Raw(self.body))


class Raw(io.BytesIO):
    """As urllib3 gives a body."""

    def stream(self, **_how):
        yield self.read()


@pytest.fixture
def wire():
    return Wire()


def test_a_task_whose_play_has_died_intends_nothing_more(memory):
    memory.put_lock(taken(None, "rb-1", "Roll back", "ada", "", time.time(), 60), ABSENT)
    orphan = Lease(memory, "rb-1", 1, 60, lambda: True)
    for act in (lambda: orphan.intend("rds", "CreateDBSnapshot", {}), orphan.prove):
        with pytest.raises(LockLost, match="has begun this task has died"):
            act()
    assert memory.lock()[0].under_way == ()


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
from ansible_collections.spymeo.rollback.plugins.module_utils._io.control_process import Player
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


class Waiting:
    """The clock of who tries again: it runs when somebody sleeps, and the lease's with it."""

    def __init__(self, clock):
        self.seconds, self.on_sleep, self._lease = 0.0, lambda: None, clock
        self.clock = Clock(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds):
        self.seconds += seconds
        self._lease.now += seconds
        self.on_sleep()


@pytest.fixture
def waiting(clock):
    return Waiting(clock)


@pytest.fixture
def client(lease, wire, waiting):
    made = boto3.client("secretsmanager", region_name="eu-west-3", aws_access_key_id="x", aws_secret_access_key="y")
    record_calls(made, lease, waiting.clock)
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


UNSENT = EndpointConnectionError(endpoint_url="https://secretsmanager", error="no route")
RESET = ConnectionClosedError(endpoint_url="https://secretsmanager")


def test_what_could_not_be_sent_is_tried_again_and_has_one_outcome(client, wire, memory, waiting):
    wire.broken = [UNSENT] * 20
    put_secret(client)
    assert outcomes(memory) == [("PutSecretValue", "ok")]
    assert len(wire.sent) == 21
    assert 5 < waiting.seconds < PATIENCE


def test_it_gives_up_and_says_that_it_was_not_sent(client, wire, memory, lease, waiting):
    wire.broken = [UNSENT] * 1000
    with pytest.raises(EndpointConnectionError):
        put_secret(client)
    assert outcomes(memory) == [("PutSecretValue", "not sent")]
    assert waiting.seconds == pytest.approx(PATIENCE)
    assert [call["outcome"] for call in lease.calls] == ["not sent"]


@pytest.mark.parametrize("broken", [[RESET] * 10, [RESET, *[UNSENT] * 10], [UNSENT, RESET, *[UNSENT] * 10]])
def test_what_may_have_been_sent_is_left_to_botocore_and_unknown(client, wire, memory, waiting, broken):
    wire.broken = list(broken)
    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
        put_secret(client)
    assert outcomes(memory) == [("PutSecretValue", "unknown")]
    assert waiting.seconds < 1
    assert len(wire.sent) < 10


def test_a_read_is_left_to_botocore(client, wire, waiting):
    wire.broken = [UNSENT] * 100
    with pytest.raises(EndpointConnectionError):
        client.describe_secret(SecretId="app/db")
    assert waiting.seconds == 0


def test_what_waited_longer_than_the_lease_is_sent_only_if_the_lock_is_still_ours(client, wire, memory, waiting):
    wire.broken = [UNSENT] * 1000

    def take_over_once():
        if waiting.seconds > 70 and memory.lock()[0].fencing == 1:
            take_over(memory)

    waiting.on_sleep = take_over_once
    with pytest.raises(RollbackError, match="has taken over the lock"):
        put_secret(client)
    sent = len(wire.sent)
    assert outcomes(memory) == [("PutSecretValue", "not sent")]
    assert waiting.seconds < PATIENCE
    assert sent < 1000


def test_while_the_store_is_away_too_nothing_is_sent(client, memory, store, waiting):
    sent_at = []

    def unreachable(**_event):
        sent_at.append(waiting.seconds)
        if waiting.seconds < 80:
            raise UNSENT

    def away(_key):
        if 0 < waiting.seconds < 80:
            raise StoreError("S3 is away") from UNSENT

    client.meta.events.register_first("before-send", unreachable)
    store.before_put = away
    put_secret(client)
    assert outcomes(memory) == [("PutSecretValue", "ok")]
    assert len(sent_at) > 20
    assert [at for at in sent_at if SECONDS / 2 < at < 80] == []  # the lock could not be proved
    assert sent_at[-1] >= 80


def test_what_could_not_be_intended_was_not_called(client, wire, store, lease):
    def refuse(_key):
        raise StoreError("The store is full.")

    store.before_put = refuse
    with pytest.raises(
        StoreError, match=r"secretsmanager PutSecretValue app/db t+ was not called, .* The store is full."
    ):
        put_secret(client)
    assert (wire.sent, lease.calls) == ([], [])


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, b"{}", r"was made \(AWS answered ok\)"),
        (400, b'{"__type": "ResourceExistsException"}', r"was asked for \(AWS answered ResourceExistsException\)"),
    ],
)
def test_what_cannot_be_written_down_was_made_all_the_same(client, wire, store, lease, status, body, told):
    def refuse(key):
        if "/journal/" in key:
            raise StoreError("The store is full.")

    store.before_put, wire.status, wire.body = refuse, status, body
    with pytest.raises(
        Unrecorded, match=f"PutSecretValue app/db t+ {told}; writing that down failed: The store is full."
    ) as error:
        put_secret(client)
    assert error.value.__cause__ is None  # a wait must not take it for AWS's absence
    assert [call["outcome"] for call in lease.calls] == ["ok" if status == 200 else "ResourceExistsException"]


def test_the_calls_are_kept_in_their_order_with_what_they_are_about(client, wire, lease):
    put_secret(client)
    wire.status, wire.body = 400, b'{"__type": "ResourceExistsException"}'
    with pytest.raises(ClientError):
        put_secret(client)
    of = {"SecretId": "app/db", "ClientRequestToken": "t" * 32}
    made = {"service": "secretsmanager", "operation": "PutSecretValue", "of": of}
    assert lease.calls == [{**made, "outcome": "ok"}, {**made, "outcome": "ResourceExistsException"}]


def test_a_renewal_by_somebody_else_of_the_play_settles_nothing_of_ours(lease, memory):
    intent = lease.intend("ecs", "UpdateService", {})
    lock, etag = memory.lock()
    memory.put_lock(renewed(lock, 1, (), NOW + 1, SECONDS), etag)
    lease.intend("ecs", "UpdateService", {})
    assert memory.journal("rb-1") == []
    assert intent in memory.lock()[0].under_way
    lease.record(intent, "ok")
    assert outcomes(memory) == [("UpdateService", "ok")]
