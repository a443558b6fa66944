# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import placed
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.release_points import known
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository
from ansible_collections.spymeo.rollback.plugins.module_utils._io.directory_store import DirectoryStore

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app-AbCdEf"
VERSION = "aaaaaaaa-0000-4000-8000-000000000000"
TASK = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"
SERVICES = [{"name": "app", "target": TASK, "release": TASK, "digest": {"app:1": "sha256:1"}, "reason": "it runs"}]
DATABASE = {"db_instance": "db", "snapshot": "db-cp-1", "migrations": ["1_init"]}


@pytest.fixture
def memory(tmp_path):
    return RunRepository(DirectoryStore(str(tmp_path)), "production", "spymeo")


@pytest.fixture
def play(run_module, tmp_path):
    """Run the module for release point cp-1."""

    def run(**more):
        place = {"store": str(tmp_path), "environment": "production", "application": "spymeo"}
        what = {"services": SERVICES, "database": DATABASE, "secrets": ["app"], "release": "v2"}
        return run_module("release_point", point_id="cp-1", run_id="rb-1", **{**place, **what, **more})

    return run


@pytest.fixture
def secret(aws):
    """Announces that the secret will be read."""

    def announce(*stages, **more):
        described = {"ARN": ARN, "Name": "app", "CreatedDate": NOON, "LastChangedDate": NOON, **more}
        entry = {"VersionId": VERSION, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT", *stages]}
        aws.answer("secretsmanager", "describe_secret", described)
        if "DeletedDate" not in more:
            aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})

    return announce


PUT = {"SecretId": ARN, "VersionStage": "spymeo-release-cp-1", "MoveToVersionId": VERSION}


def test_labels_the_current_version_and_writes_the_record(aws, secret, play, memory):
    secret()
    aws.answer("secretsmanager", "update_secret_version_stage", {"ARN": ARN, "Name": "app"}, PUT)
    result = play()
    (record,) = known(memory)
    assert result["changed"]
    assert result["record"] == record
    assert record["services"] == {"app": {"task_definition": TASK, "release": TASK, "digest": {"app:1": "sha256:1"}}}
    assert (record["secrets"], record["database"], record["release"]) == ({ARN: VERSION}, DATABASE, "v2")
    assert result["plan"] == [f"app: version {VERSION} is kept by the label spymeo-release-cp-1"]


def test_a_second_time_nothing_is_asked_and_nothing_written(aws, secret, play, memory):
    secret()
    aws.answer("secretsmanager", "update_secret_version_stage", {"ARN": ARN, "Name": "app"})
    first = play()["record"]
    result = play()
    assert (result["changed"], result["record"]) == (False, first)


def test_a_version_that_a_release_point_keeps_already_gets_no_second_label(secret, play):
    secret("spymeo-release-cp-0")
    assert play()["plan"] == []


def test_the_secret_of_the_database_is_looked_at_once_where_it_is_listed_too(aws, secret, play):
    secret("spymeo-release-cp-0")
    secret("spymeo-release-cp-0")
    assert play(secrets=["app", ARN])["record"]["secrets"] == {ARN: VERSION}


def test_parameters_are_recorded_by_their_number_and_get_no_label(aws, secret, play):
    secret("spymeo-release-cp-0")
    entry = {"Name": "/flag", "Version": 7, "Type": "String", "LastModifiedDate": NOON}
    aws.answer("ssm", "get_parameter_history", {"Parameters": [entry]})
    assert play(parameters=["/flag"])["record"]["parameters"] == {"/flag": "7"}


def test_check_mode_tells_the_record_and_writes_nothing(secret, play, memory):
    secret()
    result = play(check_mode=True)
    assert result["changed"]
    assert result["record"]["secrets"] == {ARN: VERSION}
    assert known(memory) == []


def test_while_deployments_are_held_back_none_is_made(play, memory):
    memory.write(placed("me@here", "2026-11-22", "run rb-1 (rollback_full)", "rb-1"), "hold")
    result = play()
    assert "me@here holds deployments back since 2026-11-22" in result["msg"]
    assert "hold.yml" in result["msg"]


def test_a_replica_cannot_be_labelled_here(secret, play):
    secret(PrimaryRegion="eu-west-1")
    assert "its primary is in eu-west-1" in play()["msg"]


def test_a_store_that_is_none_is_refused(play):
    assert "rollback_store" in play(store="somewhere")["msg"]
