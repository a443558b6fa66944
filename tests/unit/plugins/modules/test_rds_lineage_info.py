# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rds_lineage_info as a task: which instance serves, and what the others hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NEW = "app-db-rb-20261122-120000"


@pytest.fixture
def look(aws, run_module, db_instance_answer, ours):
    """Ask while DATABASE_URL names the instance of a name; app-db has ``changes``."""

    def run(serves, needed="app-db", tags=None, **changes):
        described = {"ARN": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf", "Name": "db-url"}
        version = {"VersionId": "a" * 32, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
        url = f"postgresql://spymeo:hunter2@{serves}.abc.eu-west-3.rds.amazonaws.com:5433/spymeo"
        aws.answer("secretsmanager", "describe_secret", {**described, "CreatedDate": NOON, "LastChangedDate": NOON})
        aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [version]})
        aws.answer("secretsmanager", "get_secret_value", {"VersionId": "a" * 32, "SecretString": url})
        restored = db_instance_answer(name=NEW, tags={**ours, **(tags or {})}, InstanceCreateTime=NOON)
        aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer(**changes), restored]})
        for name in ("app-db", NEW):
            aws.answer("rds", "describe_db_snapshots", {"DBSnapshots": []}, {"DBInstanceIdentifier": name})
        return run_module("rds_lineage_info", db_instance="app-db", database_secret="db-url", needed_db_instance=needed)

    return run


def test_tells_what_serves_and_what_the_failed_one_holds(look):
    result = look(NEW)
    assert (result["db_instance"], result["port"], result["needed"]) == (NEW, 5433, "")
    assert [holder["db_instance"] for holder in result["kept"]] == ["app-db"]
    assert "hunter2" not in str(result)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DBInstanceStatus": "stopped"}, "app-db is stopped. Start it: aws rds start-db-instance"),
        ({"DBInstanceStatus": "deleting"}, "somebody is deleting it"),
    ],
)
def test_says_why_the_instance_that_is_needed_does_not_answer(look, changes, words):
    assert words in look(NEW, **changes)["needed"]


def test_one_that_may_answer_is_asked(look):
    assert look(NEW, DBInstanceStatus="storage-full")["needed"] == ""


def test_an_instance_that_is_gone_is_said_to_be(look):
    assert "is not there any longer" in look(NEW, needed="app-db-rb-gone")["needed"]


@pytest.mark.parametrize(
    ("tag", "changes", "left"),
    [
        (
            f"{NEW}/app-db/",
            {"MaxAllocatedStorage": 500},
            [f"DB instance {NEW}: MaxAllocatedStorage (RDS has not set them yet)"],
        ),
        (f"{NEW}/app-db/", {}, [f"DB instance {NEW}: whether it has every setting of app-db is not compared yet"]),
        ("", {"MaxAllocatedStorage": 500}, []),
        ("other/app-db/", {"MaxAllocatedStorage": 500}, []),  # inherited
    ],
)
def test_what_comes_back_and_is_not_finished_is_told_with_its_run(look, tag, changes, left):
    """An undo of an undo brings an instance back that nobody was to finish while it was out of service."""
    result = look("app-db", needed=NEW, tags={"spymeo:rollback-unfinished": tag}, **changes)
    assert (result["unfinished"], result["unfinished_run"]) == (left, "rb-20261122-120000" if left else "")
