# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SSM's Parameter Store: moto answers its API, and tasks get parameters as they get secrets."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from loopback_aws.errors import StartFailure
from loopback_aws.services.ecs import secrets as ecs_secrets

PREFIX = "arn:aws:ssm:eu-west-3:123456789012:parameter"


@pytest.fixture(name="ssm")
def _ssm(stage):
    """Parameters of all types."""
    ssm = stage.client("ssm")
    ssm.put_parameter(Name="/spymeo/url", Value="postgresql://hidden", Type="SecureString")
    ssm.put_parameter(Name="/spymeo/colours", Value="red,green", Type="StringList")
    ssm.put_parameter(Name="plain", Value="first", Type="String")
    ssm.put_parameter(Name="plain", Value="second", Type="String", Overwrite=True)
    return ssm


def test_the_api_reads_writes_and_lists(ssm):
    assert ssm.get_parameter(Name="/spymeo/url", WithDecryption=True)["Parameter"]["Value"] == "postgresql://hidden"
    assert ssm.get_parameter(Name="/spymeo/url")["Parameter"]["Value"] != "postgresql://hidden"
    answer = ssm.get_parameters(Names=["plain", "none"])
    assert ([each["Value"] for each in answer["Parameters"]], answer["InvalidParameters"]) == (["second"], ["none"])
    assert {each["Name"] for each in ssm.describe_parameters()["Parameters"]} >= {"/spymeo/url", "plain"}


def test_every_write_is_a_version_and_old_ones_are_read_by_number_and_label(ssm):
    history = ssm.get_parameter_history(Name="plain")["Parameters"]
    assert [(each["Version"], each["Value"]) for each in history] == [(1, "first"), (2, "second")]
    ssm.label_parameter_version(Name="plain", ParameterVersion=1, Labels=["good"])
    assert ssm.get_parameter(Name="plain:1")["Parameter"]["Value"] == "first"
    assert ssm.get_parameter(Name="plain:good")["Parameter"]["Version"] == 1


def refusal(call, **arguments) -> str:
    """The code of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_a_write_without_overwrite_of_another_type_or_of_too_much_is_refused(ssm):
    put = {"Name": "plain", "Type": "String", "Overwrite": True}
    assert refusal(ssm.put_parameter, Name="plain", Value="x", Type="String") == "ParameterAlreadyExists"
    assert refusal(ssm.put_parameter, **{**put, "Type": "SecureString"}, Value="x") == "HierarchyTypeMismatchException"
    assert refusal(ssm.put_parameter, **put, Value="x" * 4097) == "ValidationException"
    assert ssm.put_parameter(**put, Value="x" * 4097, Tier="Advanced")["Version"] == 3
    assert refusal(ssm.put_parameter, **put, Value="x", Tier="Standard") == "ValidationException"


def test_a_hundred_versions_are_kept_and_a_label_on_the_oldest_stops_the_next_write(ssm):
    for number in range(3, 102):
        ssm.put_parameter(Name="plain", Value=str(number), Type="String", Overwrite=True)
    history = ssm.get_paginator("get_parameter_history").paginate(Name="plain").build_full_result()["Parameters"]
    assert [each["Version"] for each in history] == list(range(2, 102))
    ssm.label_parameter_version(Name="plain", ParameterVersion=2, Labels=["good"])
    refused = refusal(ssm.put_parameter, Name="plain", Value="x", Type="String", Overwrite=True)
    assert refused == "ParameterMaxVersionLimitExceeded"


@pytest.mark.usefixtures("ssm")
@pytest.mark.parametrize(
    ("value_from", "value"),
    [
        ("/spymeo/url", "postgresql://hidden"),
        (f"{PREFIX}/spymeo/url", "postgresql://hidden"),
        ("/spymeo/colours", "red,green"),
        ("plain", "second"),
        (f"{PREFIX}/plain", "second"),
    ],
)
def test_ecs_reads_a_parameter_by_arn_and_by_name(stage, value_from, value):
    assert ecs_secrets.resolve(stage.lab, value_from) == value


@pytest.mark.usefixtures("ssm")
@pytest.mark.parametrize(
    "value_from", ["none", "plain:7", f"{PREFIX}/none", "arn:aws:ssm:eu-west-1:123456789012:parameter/plain"]
)
def test_ecs_does_not_find_a_parameter_that_is_not_there(stage, value_from):
    with pytest.raises(StartFailure) as caught:
        ecs_secrets.resolve(stage.lab, value_from)
    assert caught.value.reason.endswith(f"invalid parameters: {value_from}")


def test_a_task_keeps_the_parameter_that_it_started_with_and_cannot_start_without_it(stage, ssm):
    secrets = [{"name": "DATABASE_URL", "valueFrom": f"{PREFIX}/spymeo/url"}]
    definition = stage.definition("tells-environment", secrets=secrets)
    stage.run(definition)
    stage.until(lambda: "DATABASE_URL=postgresql://hidden" in stage.lines())
    stage.stopped()
    ssm.delete_parameter(Name="/spymeo/url")
    task = stage.run(definition)

    def reason():
        return next((each.get("stoppedReason") for each in stage.stopped() if each["taskArn"] == task["taskArn"]), None)

    assert "unable to retrieve secrets from ssm" in stage.until(reason)
