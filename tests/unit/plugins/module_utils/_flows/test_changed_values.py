# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When what tasks read at their start was changed last: a parameter counts as a secret does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import (
    Container,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.changed_values import ValueChanges
from botocore.exceptions import ClientError
from botocore.stub import Stubber

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app-AbCdEf"
ARN = "arn:aws:ssm:eu-west-3:123456789012:parameter/flag"


class Stubs(dict):
    """A stubbed client for each service that is asked for."""

    def __missing__(self, service):
        client = boto3.client(service, region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="x")
        self[service] = Stubber(client)
        self[service].activate()
        return self[service]

    def secret(self, changed):
        described = {"ARN": SECRET, "Name": "app", "CreatedDate": NOON, "LastChangedDate": changed}
        self["secretsmanager"].add_response("describe_secret", described)

    def parameters(self, names, *changed):
        found = [{"Name": "p", "LastModifiedDate": moment} for moment in changed]
        self["ssm"].add_response("get_parameters", {"Parameters": found}, {"Names": names})


@pytest.fixture
def stubs():
    found = Stubs()
    yield found
    for stub in found.values():
        stub.assert_no_pending_responses()


def changed(stubs, *references):
    secrets = tuple((str(place), reference) for place, reference in enumerate(references))
    definition = TaskDefinition("arn:task", "ACTIVE", NOON, (Container("app", "image", (), secrets),), None)
    return ValueChanges(lambda service: stubs[service].client)(definition)


def test_nothing_is_asked_where_nothing_is_named(stubs):
    assert changed(stubs) is None
    assert "ssm" not in stubs


@pytest.mark.parametrize(("secret", "flag"), [(0, 5), (5, 0)])
def test_the_newest_change_counts_be_it_of_a_secret_or_of_a_parameter(stubs, secret, flag):
    stubs.secret(NOON + timedelta(minutes=secret))
    stubs.parameters([ARN, "plain"], NOON - timedelta(days=1), NOON + timedelta(minutes=flag))
    assert changed(stubs, f"{SECRET}:KEY::", ARN, "plain") == NOON + timedelta(minutes=5)


def test_ten_parameters_are_asked_for_at_a_time(stubs):
    names = [f"/p/{number:02}" for number in range(12)]
    stubs.parameters(names[:10], NOON)
    stubs.parameters(names[10:], NOON + timedelta(minutes=1))
    assert changed(stubs, *names) == NOON + timedelta(minutes=1)


def test_a_parameter_elsewhere_is_left_out(stubs):
    assert changed(stubs, "arn:aws:ssm:eu-west-1:123456789012:parameter/flag") is None


def test_parameters_that_may_not_be_read_are_left_out_and_other_refusals_are_not(stubs):
    stubs["ssm"].add_client_error("get_parameters", "AccessDeniedException")
    assert changed(stubs, ARN) is None
    stubs["ssm"].add_client_error("get_parameters", "InternalServerError")
    with pytest.raises(ClientError):
        changed(stubs, ARN)


def test_a_version_that_is_named_by_its_id_never_changes(stubs):
    assert changed(stubs, f"{SECRET}:::v1", f"{SECRET}:key::v1") is None


@pytest.mark.parametrize(("current", "superseded"), [("1" * 32, False), ("2" * 32, True)])
def test_a_pinned_version_is_superseded_once_another_one_is_current(stubs, current, superseded):
    stubs.secret(NOON)
    versions = [
        {"VersionId": name, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT" if name == current else "AWSPREVIOUS"]}
        for name in ("1" * 32, "2" * 32)
    ]
    stubs["secretsmanager"].add_response("list_secret_version_ids", {"Versions": versions})
    assert ValueChanges(lambda service: stubs[service].client).superseded([(SECRET, "1" * 32)]) is superseded


V1, V2 = "1" * 32, "2" * 32


@pytest.mark.parametrize(
    ("coming", "superseded"),
    [
        ({}, False),
        ({"app": V1}, True),
        ({SECRET: V1}, True),
        ({SECRET[:-7]: V1}, True),
        ({"app": V2, "another": V1}, False),
        ({"another": V1}, False),
    ],
)
def test_a_pinned_version_is_held_against_the_one_that_is_current_by_the_deployment(stubs, coming, superseded):
    """It pins V2, which is current now."""
    stubs.secret(NOON)
    labels = {V1: ["AWSPREVIOUS"], V2: ["AWSCURRENT"]}
    versions = [{"VersionId": name, "VersionStages": stages, "CreatedDate": NOON} for name, stages in labels.items()]
    stubs["secretsmanager"].add_response("list_secret_version_ids", {"Versions": versions})
    changes = ValueChanges(lambda service: stubs[service].client)
    assert changes.superseded([(SECRET, V2)], coming) is superseded
