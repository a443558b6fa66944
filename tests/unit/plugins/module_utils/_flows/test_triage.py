# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the parts of a look come together, and what becomes of those that fail; tests/integration looks at a whole production."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import HttpSeen, StepSeen
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage import Look
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage_questions import Questions
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock
from botocore.stub import Stubber

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app-AbCdEf"
PLAYED = HttpSeen((StepSeen("health", "/", "GET", "/", "passed", 200, 0.1),))
ASKED = {"log_groups": ["/ecs/app"], "db_instance": "app-db", "database_secret": "url", "play": lambda: PLAYED}


def denied(service):
    raise RollbackError(f"These credentials may not call {service}.")


def looked(client, seconds=30, **questions):
    look = Look(client, Questions("production", ["app"], **{**ASKED, **questions}), Clock(), seconds)
    return look.evidence(NIGHT, lambda error: getattr(error, "message", f"{type(error).__name__}: {error}"))


def test_what_is_denied_is_told_with_the_reason_and_the_rest_is_seen():
    seen = looked(denied)
    assert seen.at == NIGHT
    assert seen.http == PLAYED
    assert seen.missing == {
        "services": "These credentials may not call ecs.",
        "tasks": "These credentials may not call ecs.",
        "targets": "These credentials may not call ecs.",
        "logs": "These credentials may not call logs.",
        "instance": "These credentials may not call rds.",
        "database": "These credentials may not call secretsmanager.",
        "secrets": "These credentials may not call secretsmanager.",
    }


def test_what_the_inventory_does_not_say_is_told():
    seen = looked(denied, log_groups=[], db_instance="", database_secret="", play=None)
    assert seen.missing["http"] == "rollback_base_url is not set"
    assert seen.missing["logs"] == "rollback_log_groups is not set"
    assert seen.missing["instance"] == "rollback_db_instance is not set"
    assert seen.missing["database"] == "rollback_database_secret is not set"
    assert seen.secrets == ()


def test_what_takes_too_long_is_given_up_and_scenarios_are_not():
    never = threading.Event()

    def play():
        never.wait(1.0)
        return PLAYED

    def hanging(service):
        if service == "rds":
            never.wait(60)
        return denied(service)

    seen = looked(hanging, seconds=0.2, play=play)
    assert seen.missing["instance"] == "it took more than 0 s"
    assert seen.http == PLAYED
    never.set()


def test_a_mistake_of_our_own_costs_one_part_only():
    def play():
        return 1 / 0

    assert looked(denied, play=play).missing["http"] == "ZeroDivisionError: division by zero"


@pytest.fixture
def secretsmanager():
    client = boto3.client(
        "secretsmanager", region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret"
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def announce(stubber, name):
    stubber.add_response("describe_secret", {"ARN": ARN, "Name": name, "CreatedDate": NIGHT, "LastChangedDate": NIGHT})
    entry = {"VersionId": "aaaaaaaa-0000-4000-8000-000000000000", "CreatedDate": NIGHT, "VersionStages": ["AWSCURRENT"]}
    stubber.add_response("list_secret_version_ids", {"Versions": [entry]})


def test_secrets_are_told_by_since_when_they_have_their_value(secretsmanager):
    client, stubber = secretsmanager
    announce(stubber, "app")
    seen = looked({"secretsmanager": client}.__getitem__, database_secret="", secrets=["app"])
    (secret,) = seen.secrets
    assert (secret.name, secret.since, secret.holds_url) == ("app", NIGHT, False)


def test_what_the_checks_of_a_rollback_could_not_reach_is_seen():
    proof = {
        "base_url": "http://127.0.0.1:1",
        "health_path": "/",
        "log_groups": [],
        "secrets": {},
        "despite_unreachable": False,
    }
    (found,) = looked(denied, proof=proof).unprovable
    assert (found.check, found.subject) == ("base_url", "http://127.0.0.1:1")
    assert looked(denied, proof={**proof, "base_url": "none"}).unprovable == ()
    assert looked(denied, proof={**proof, "log_groups": ["/ecs/app"]}).unprovable == ()
