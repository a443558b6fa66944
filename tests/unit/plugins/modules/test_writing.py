# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all modules that write have in common: no call without a run, and the calls in the result, whatever comes of them."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._io import directory_store as directory

from .conftest import WRITING
from .test_ecs import SERVED, expect_deploy, expect_look, roll_back, service
from .test_rds import NEW, RETIRE, announce, both  # noqa: F401 - the fixtures

OPTIONS = {
    "database_probe_task": {"cluster": "c", "targets": {"app": "app:1"}, "database_secret": "s", "run_id": "rb-1"},
    "database_sequences": {
        "database_secret": "s",
        "failed_host": "a.rds",
        "failed_port": 5432,
        "host": "b.rds",
        "port": 5432,
        "run_id": "rb-1",
    },
    "database_url": {"database_secret": "s", "run_id": "rb-1"},
    "ecs_fence": {"cluster": "c", "services": ["app"], "run_id": "rb-1"},
    "ecs_finish": {"cluster": "c", "services": ["app"], "run_id": "rb-1"},
    "ecs_rollback": {"cluster": "c", "targets": {"app": "app:1"}, "run_id": "rb-1"},
    "rds_finish": {"db_instance": "a", "run_id": "rb-1"},
    "rds_restore": {"db_instance": "a", "snapshot": "s", "new_db_instance": "b", "run_id": "rb-1"},
    "rds_retire": RETIRE,
    "rds_snapshot": {"db_instance": "a", "snapshot": "s", "run_id": "rb-1"},
    "release_point": {
        "point_id": "cp-1",
        "store": "/s",
        "environment": "e",
        "application": "a",
        "run_id": "rb-1",
        "services": [],
        "database": {},
        "secrets": [],
    },
    "secret_rollback": {"targets": {"s": "v"}, "run_id": "rb-1"},
}
TAGGED = {"ResourceName": "arn:aws:rds:eu-west-3:123456789012:db:app-db"}


@pytest.fixture
def recorded(aws):
    """Have the stubs of a service answer after the recorder has heard of the call, as AWS does."""

    def behind(service):
        client, stubber = aws.client(service), aws._service(service).stubber
        client.meta.events.unregister("before-call.*.*", stubber._get_response_handler, unique_id=stubber._event_id)
        client.meta.events.register_last("before-call", stubber._get_response_handler)

    return behind


def test_each_module_that_writes_is_here():
    assert sorted(OPTIONS) == sorted(WRITING)


@pytest.mark.parametrize("module", OPTIONS)
@pytest.mark.parametrize(
    ("run", "told"),
    [({}, "is empty"), (None, "is empty"), ({"store": "/s", "lease": 60}, "lacks environment, application, fencing")],
)
def test_without_a_run_nothing_is_called(run_module, module, run, told):
    result = run_module(module, run=run, **OPTIONS[module])  # a call would be an error: none was announced
    assert result["failed"]
    assert result["msg"].startswith("Nothing was called: ")
    assert told in result["msg"]
    assert "spymeo.rollback.rollback_begin" in result["msg"]
    assert result["calls"] == []


def test_check_mode_needs_none(both, run_module):  # noqa: F811
    both()
    result = run_module("rds_retire", check_mode=True, run={}, **RETIRE)
    assert (result["changed"], result["calls"]) == (True, [])


def test_a_success_tells_its_calls_in_order(both, aws, run_module, recorded):  # noqa: F811
    recorded("rds")
    both()
    aws.answer("rds", "add_tags_to_resource", {})
    aws.refuse("rds", "stop_db_instance", "InvalidDBInstanceState", "Instance is in a Multi-AZ failover.")
    result = run_module("rds_retire", stop=True, **RETIRE)
    assert [(call["service"], call["operation"], call["outcome"]) for call in result["calls"]] == [
        ("rds", "AddTagsToResource", "ok"),
        ("rds", "StopDBInstance", "InvalidDBInstanceState"),
    ]
    assert result["calls"][1]["of"] == {"DBInstanceIdentifier": "app-db"}


def test_so_does_a_failure(aws, run_module, recorded):
    recorded("ecs")
    expect_look(aws, service(2), SERVED)
    aws.refuse("ecs", "update_service", "InvalidParameterException", "no such subnet")
    result = roll_back(run_module)
    assert result["failed"]
    (call,) = result["calls"]
    assert (call["operation"], call["outcome"]) == ("UpdateService", "InvalidParameterException")


@pytest.fixture
def full(monkeypatch):
    """The directory store's disk is full from the write of that kind of key on."""

    def fill(kind):
        def replace(path, content):
            if kind in path:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written.append(path)

        written = []
        monkeypatch.setattr(directory, "_replace", replace)

    return fill


def test_a_disk_that_is_full_before_the_call_keeps_it_from_being_made(aws, run_module, full, recorded):
    recorded("ecs")
    expect_look(aws, service(2), SERVED)
    expect_deploy(aws, False)
    full("lock")
    result = roll_back(run_module)
    aws._service("ecs").stubber._queue.clear()  # UpdateService was not heard
    assert result["msg"].startswith("1 of 1 services were not deployed.")
    assert "ecs UpdateService production app" in result["msg"]
    assert "was not called, because that cannot be written down. The store" in result["msg"]
    assert "No space left on device" in result["msg"]
    assert "Nothing was changed" not in result["msg"]
    assert result["calls"] == []


def test_a_disk_that_is_full_after_the_call_is_no_deployment_that_failed(aws, run_module, full, recorded):
    recorded("ecs")
    expect_look(aws, service(2), SERVED)
    expect_deploy(aws, False)
    full("journal")
    result = roll_back(run_module)
    assert "was made (AWS answered ok); writing that down failed: The store" in result["msg"]
    assert "No space left on device" in result["msg"]
    for claim in ("not deployed", "Nothing was changed", "another store"):
        assert claim not in result["msg"]
    (call,) = result["calls"]
    assert (call["operation"], call["outcome"]) == ("UpdateService", "ok")
