# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's Secrets Manager as boto3 sees it."""

from __future__ import annotations

import datetime
import json
import re
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from loopback_aws.errors import StartFailure
from loopback_aws.services.ecs import secrets as ecs_secrets
from loopback_aws.services.secretsmanager.state import CURRENT, PREVIOUS

NAME = "spymeo/production/database-url"


@pytest.fixture(name="secrets")
def _secrets(lab):
    return lab.client("secretsmanager")


@pytest.fixture(name="versions")
def _versions(secrets) -> list[str]:
    """The ids of two versions: the first is AWSPREVIOUS, the second AWSCURRENT."""
    first = secrets.create_secret(Name=NAME, SecretString="one")["VersionId"]
    return [first, secrets.put_secret_value(SecretId=NAME, SecretString="two")["VersionId"]]


def refusal(call, **arguments) -> tuple[str, str]:
    """(code, message) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def stages(secrets) -> dict[str, set[str]]:
    """VersionIdsToStages as sets."""
    return {
        version: set(labels) for version, labels in secrets.describe_secret(SecretId=NAME)["VersionIdsToStages"].items()
    }


def value(secrets, **arguments) -> str:
    """The secret's string."""
    return secrets.get_secret_value(SecretId=NAME, **arguments)["SecretString"]


def move(secrets, stage: str, source: str | None, target: str | None) -> None:
    """UpdateSecretVersionStage."""
    given = {"RemoveFromVersionId": source, "MoveToVersionId": target}
    secrets.update_secret_version_stage(
        SecretId=NAME, VersionStage=stage, **{key: each for key, each in given.items() if each}
    )


def test_put_secret_value_moves_current_and_leaves_previous(secrets, versions):
    assert stages(secrets) == {versions[0]: {PREVIOUS}, versions[1]: {CURRENT}}
    assert (value(secrets), value(secrets, VersionStage=PREVIOUS)) == ("two", "one")


def test_a_secret_is_found_by_name_by_arn_and_by_partial_arn(secrets, versions):
    arn = secrets.describe_secret(SecretId=NAME)["ARN"]
    assert re.fullmatch(rf"arn:aws:secretsmanager:eu-west-3:123456789012:secret:{NAME}-[A-Za-z0-9]{{6}}", arn)
    assert {secrets.get_secret_value(SecretId=each)["SecretString"] for each in (NAME, arn, arn[:-7])} == {"two"}
    assert refusal(secrets.get_secret_value, SecretId=NAME + "x") == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )


def test_moving_current_back_gives_the_old_value_and_previous_follows(secrets, versions):
    move(secrets, CURRENT, versions[1], versions[0])
    assert value(secrets) == "one"
    assert stages(secrets) == {versions[0]: {CURRENT}, versions[1]: {PREVIOUS}}


def test_remove_from_must_match_so_a_second_run_fails_instead_of_swapping_back(secrets, versions):
    move(secrets, CURRENT, versions[1], versions[0])
    arguments = {
        "SecretId": NAME,
        "VersionStage": CURRENT,
        "MoveToVersionId": versions[0],
        "RemoveFromVersionId": versions[1],
    }
    assert refusal(secrets.update_secret_version_stage, **arguments)[0] == "InvalidParameterException"
    assert value(secrets) == "one"


def test_remove_from_is_required_when_the_label_is_attached_elsewhere(secrets, versions):
    code, message = refusal(
        secrets.update_secret_version_stage, SecretId=NAME, VersionStage=CURRENT, MoveToVersionId=versions[0]
    )
    assert code == "InvalidParameterException"
    assert message == (
        f"The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version {versions[1]}, "
        "so you must explicitly reference that version in RemoveFromVersionId."
    )


def test_a_label_that_is_there_already_may_be_moved_there(secrets, versions):
    move(secrets, CURRENT, None, versions[1])
    assert stages(secrets) == {versions[0]: {PREVIOUS}, versions[1]: {CURRENT}}


def test_a_custom_label_pins_a_version(secrets, versions):
    move(secrets, "release-1", None, versions[0])
    secrets.put_secret_value(SecretId=NAME, SecretString="three")
    assert stages(secrets)[versions[0]] == {"release-1"}
    assert value(secrets, VersionStage="release-1") == "one"
    assert stages(secrets)[versions[1]] == {PREVIOUS}


def test_current_cannot_be_removed_and_versions_must_exist(secrets, versions):
    arguments = {"SecretId": NAME, "VersionStage": CURRENT}
    code, message = refusal(secrets.update_secret_version_stage, **arguments, RemoveFromVersionId=versions[1])
    assert (code, message.startswith("You can only move staging label AWSCURRENT")) == (
        "InvalidParameterException",
        True,
    )
    unknown = str(uuid.uuid4())
    code = refusal(
        secrets.update_secret_version_stage, **arguments, RemoveFromVersionId=versions[1], MoveToVersionId=unknown
    )[0]
    assert code == "ResourceNotFoundException"
    assert refusal(secrets.update_secret_version_stage, **arguments)[0] == "InvalidParameterException"
    assert stages(secrets) == {versions[0]: {PREVIOUS}, versions[1]: {CURRENT}}


def test_a_version_without_a_label_is_deprecated_but_still_readable(secrets, versions):
    secrets.put_secret_value(SecretId=NAME, SecretString="three")
    shown = [version["VersionId"] for version in secrets.list_secret_version_ids(SecretId=NAME)["Versions"]]
    assert versions[0] not in shown
    every = secrets.list_secret_version_ids(SecretId=NAME, IncludeDeprecated=True)["Versions"]
    assert "VersionStages" not in next(version for version in every if version["VersionId"] == versions[0])
    assert value(secrets, VersionId=versions[0]) == "one"


def test_deprecated_versions_are_pruned_beyond_100_but_never_under_24_hours_old(lab, secrets, versions):
    for number in range(110):
        secrets.put_secret_value(SecretId=NAME, SecretString=str(number))
    secret = lab.lab.secretsmanager._secrets[NAME]
    assert len(secret.versions) == 112
    for version in list(secret.versions.values())[:20]:
        version.created -= datetime.timedelta(hours=25)
    secrets.put_secret_value(SecretId=NAME, SecretString="last")
    assert len(secret.versions) == 100
    assert refusal(secrets.get_secret_value, SecretId=NAME, VersionId=versions[0])[0] == "ResourceNotFoundException"


def test_a_secret_has_at_most_20_labels(secrets, versions):
    for number in range(18):
        move(secrets, f"release-{number}", None, versions[0])
    code = refusal(
        secrets.update_secret_version_stage, SecretId=NAME, VersionStage="more", MoveToVersionId=versions[0]
    )[0]
    assert code == "LimitExceededException"
    move(secrets, "release-0", versions[0], versions[1])


def test_a_label_beyond_the_twentieth_is_refused_on_a_new_version_too_and_none_is_made(secrets, versions):
    for number in range(18):  # and AWSCURRENT, and AWSPREVIOUS
        move(secrets, f"release-{number}", None, versions[0])
    refused = refusal(secrets.put_secret_value, SecretId=NAME, SecretString="three", VersionStages=["one-more"])
    assert refused[0] == "LimitExceededException"
    assert set(stages(secrets)) == set(versions)
    move(secrets, "release-0", versions[0], None)
    assert secrets.put_secret_value(SecretId=NAME, SecretString="three", VersionStages=["one-more"])["VersionId"]


def test_a_replica_names_its_primarys_region_and_is_read_only(lab, secrets, versions):
    lab.lab.control("replica", {"secret": NAME, "primary_region": "eu-west-1"})
    assert secrets.describe_secret(SecretId=NAME)["PrimaryRegion"] == "eu-west-1"
    assert value(secrets) == "two"
    for call, more in (
        (secrets.put_secret_value, {"SecretString": "three"}),
        (secrets.update_secret, {"SecretString": "three"}),
        (secrets.update_secret_version_stage, {"VersionStage": "mine", "MoveToVersionId": versions[0]}),
    ):
        assert refusal(call, SecretId=NAME, **more)[1].startswith("Operation not permitted on a replica secret.")


def test_only_a_version_without_a_label_is_pruned(lab, secrets, versions):
    prune = lambda version: lab.lab.control("prune", {"secret": NAME, "version_id": version})[1]["pruned"]  # noqa: E731
    assert not prune(versions[0])
    secrets.put_secret_value(SecretId=NAME, SecretString="three")
    assert prune(versions[0])
    assert refusal(secrets.get_secret_value, SecretId=NAME, VersionId=versions[0])[0] == "ResourceNotFoundException"


def test_client_request_token_becomes_the_version_id(secrets, versions):
    token = str(uuid.uuid4())
    for _ in range(2):  # the same data again is a no-op
        assert secrets.put_secret_value(SecretId=NAME, SecretString="x", ClientRequestToken=token)["VersionId"] == token
    assert stages(secrets) == {versions[1]: {PREVIOUS}, token: {CURRENT}}
    code = refusal(secrets.put_secret_value, SecretId=NAME, SecretString="other", ClientRequestToken=token)[0]
    assert code == "ResourceExistsException"


def test_awspending_away_from_current_shows_a_rotation(secrets, versions):
    pending = secrets.put_secret_value(SecretId=NAME, SecretString="new", VersionStages=["AWSPENDING"])
    assert pending["VersionStages"] == ["AWSPENDING"]
    assert stages(secrets) == {versions[0]: {PREVIOUS}, versions[1]: {CURRENT}, pending["VersionId"]: {"AWSPENDING"}}
    assert value(secrets) == "two"


def test_version_id_and_stage_must_mean_the_same_version(secrets, versions):
    assert value(secrets, VersionId=versions[0], VersionStage=PREVIOUS) == "one"
    assert (
        refusal(secrets.get_secret_value, SecretId=NAME, VersionId=versions[0], VersionStage=CURRENT)[0]
        == "InvalidRequestException"
    )
    code, message = refusal(secrets.get_secret_value, SecretId=NAME, VersionStage="none")
    assert (code, message) == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: none",
    )


def test_last_changed_moves_with_the_labels_and_last_accessed_is_a_date(secrets, versions):
    before = secrets.describe_secret(SecretId=NAME)
    assert "LastAccessedDate" not in before
    value(secrets)
    assert secrets.describe_secret(SecretId=NAME)["LastChangedDate"] == before["LastChangedDate"]
    time.sleep(0.01)
    move(secrets, CURRENT, versions[1], versions[0])
    after = secrets.describe_secret(SecretId=NAME)
    assert after["LastChangedDate"] > before["LastChangedDate"]
    assert after["LastAccessedDate"].astimezone(datetime.UTC).time() == datetime.time(0)


def test_a_secret_without_a_value_and_then_with_a_binary_one(secrets):
    assert "VersionId" not in secrets.create_secret(Name=NAME)
    assert refusal(secrets.get_secret_value, SecretId=NAME)[0] == "ResourceNotFoundException"
    assert "VersionIdsToStages" not in secrets.describe_secret(SecretId=NAME)
    assert secrets.put_secret_value(SecretId=NAME, SecretBinary=b"\x00\xff")["VersionStages"] == [CURRENT]
    assert secrets.get_secret_value(SecretId=NAME)["SecretBinary"] == b"\x00\xff"
    assert refusal(secrets.put_secret_value, SecretId=NAME)[0] == "InvalidRequestException"


def test_update_secret_makes_a_version_only_for_a_value(secrets, versions):
    assert "VersionId" not in secrets.update_secret(SecretId=NAME, Description="where the database is")
    assert secrets.describe_secret(SecretId=NAME)["Description"] == "where the database is"
    third = secrets.update_secret(SecretId=NAME, SecretString="three")["VersionId"]
    assert stages(secrets) == {versions[1]: {PREVIOUS}, third: {CURRENT}}


def test_a_secret_marked_for_deletion_cannot_be_read_until_it_is_restored(secrets, versions):
    assert refusal(secrets.delete_secret, SecretId=NAME, RecoveryWindowInDays=3)[0] == "InvalidParameterException"
    secrets.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
    for call in (secrets.get_secret_value, secrets.delete_secret):
        code, message = refusal(call, SecretId=NAME)
        assert (code, message) == (
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    assert refusal(secrets.create_secret, Name=NAME, SecretString="new")[0] == "InvalidRequestException"
    assert "DeletedDate" in secrets.describe_secret(SecretId=NAME)
    assert secrets.list_secrets()["SecretList"] == []
    secrets.restore_secret(SecretId=NAME)
    assert value(secrets) == "two"


def test_a_forced_deletion_is_final_and_may_be_repeated(secrets, versions):
    secrets.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    assert secrets.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)["Name"] == NAME
    assert refusal(secrets.restore_secret, SecretId=NAME)[0] == "ResourceNotFoundException"
    secrets.create_secret(Name=NAME, SecretString="new")
    assert value(secrets) == "new"


def test_a_secret_is_created_once(secrets, versions):
    assert refusal(secrets.create_secret, Name=NAME, SecretString="x")[0] == "ResourceExistsException"
    assert refusal(secrets.create_secret, Name="with space", SecretString="x")[0] == "InvalidParameterException"
    replicas = [{"Region": "eu-west-1"}]
    assert (
        refusal(secrets.create_secret, Name="other", SecretString="x", AddReplicaRegions=replicas)[0]
        == "InvalidParameterException"
    )


def test_tags_are_added_replaced_and_removed(secrets, versions):
    secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "run", "Value": "1"}, {"Key": "team", "Value": "ops"}])
    secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "run", "Value": "2"}])
    secrets.untag_resource(SecretId=NAME, TagKeys=["team", "none"])
    assert secrets.describe_secret(SecretId=NAME)["Tags"] == [{"Key": "run", "Value": "2"}]


def test_secrets_are_listed_by_prefix_of_their_name_page_by_page(secrets):
    for name in ("spymeo/production/a", "spymeo/production/b", "spymeo/staging/a"):
        secrets.create_secret(Name=name, SecretString="x")
    production = [{"Key": "name", "Values": ["spymeo/production"]}]
    pages = list(secrets.get_paginator("list_secrets").paginate(Filters=production, PaginationConfig={"PageSize": 1}))
    assert sorted(page["SecretList"][0]["Name"] for page in pages) == ["spymeo/production/a", "spymeo/production/b"]
    negated = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["!spymeo/production"]}])["SecretList"]
    assert [secret["Name"] for secret in negated] == ["spymeo/staging/a"]
    assert refusal(secrets.list_secrets, NextToken="mine")[0] == "InvalidNextTokenException"


def test_a_batch_tells_values_and_errors_secret_by_secret(secrets, versions):
    answer = secrets.batch_get_secret_value(SecretIdList=[NAME, "none"])
    assert [secret["SecretString"] for secret in answer["SecretValues"]] == ["two"]
    assert [(error["SecretId"], error["ErrorCode"]) for error in answer["Errors"]] == [
        ("none", "ResourceNotFoundException")
    ]
    by_name = secrets.batch_get_secret_value(Filters=[{"Key": "name", "Values": [NAME]}])
    assert by_name["SecretValues"][0]["VersionId"] == versions[1]
    assert refusal(secrets.batch_get_secret_value)[0] == "InvalidParameterException"


@pytest.fixture(name="arn")
def _arn(secrets) -> str:
    """A secret with two JSON values, the older one labelled release-1."""
    old = secrets.create_secret(Name="app", SecretString=json.dumps({"KEY": "old", "PORT": 5432}))
    secrets.update_secret_version_stage(SecretId="app", VersionStage="release-1", MoveToVersionId=old["VersionId"])
    secrets.put_secret_value(SecretId="app", SecretString=json.dumps({"KEY": "new"}))
    return old["ARN"]


def test_ecs_reads_every_form_of_value_from(lab, secrets, arn):
    resolve = lab.lab.secretsmanager.resolve
    old = secrets.get_secret_value(SecretId="app", VersionStage="release-1")["VersionId"]
    assert resolve(arn) == '{"KEY": "new"}'
    assert resolve(f"{arn}:KEY::") == "new"
    assert resolve(f"{arn}::release-1:") == '{"KEY": "old", "PORT": 5432}'
    assert resolve(f"{arn}:KEY:release-1:") == "old"
    assert resolve(f"{arn}:KEY::{old}") == "old"
    assert resolve(f"{arn}:PORT::{old}") == "5432"
    assert json.loads(resolve(f"{arn}:::{old}"))["KEY"] == "old"


def test_a_pinned_version_id_ignores_label_moves(lab, secrets, arn):
    resolve = lab.lab.secretsmanager.resolve
    current = secrets.get_secret_value(SecretId="app")["VersionId"]
    old = secrets.get_secret_value(SecretId="app", VersionStage="release-1")["VersionId"]
    secrets.update_secret_version_stage(
        SecretId="app", VersionStage=CURRENT, MoveToVersionId=old, RemoveFromVersionId=current
    )
    assert (resolve(f"{arn}:KEY::{current}"), resolve(f"{arn}:KEY::")) == ("new", "old")


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        (":NONE::", "did not contain json key NONE"),
        ("::none:", "Secrets Manager can't find the specified secret value for staging label: none"),
        (
            ":::5048a2cf-8c04-4b4f-b5a1-6ac1f0b7a9d1",
            "Secrets Manager can't find the specified secret value for VersionId",
        ),
        ("x", "Secrets Manager can't find the specified secret."),
        (":KEY", "unexpected ARN format"),
    ],
)
def test_a_task_without_its_secret_cannot_start(lab, arn, suffix, expected):
    with pytest.raises(StartFailure) as caught:
        lab.lab.secretsmanager.resolve(arn + suffix)
    begin = (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): "
    )
    assert caught.value.reason.startswith(begin)
    assert expected in caught.value.reason


def test_a_secret_marked_for_deletion_and_a_plain_name_cannot_be_read_by_ecs(lab, secrets, arn):
    with pytest.raises(StartFailure) as by_name:
        ecs_secrets.resolve(lab.lab, "app")  # a parameter of SSM to ECS, never a secret
    assert "unable to retrieve secrets from ssm" in by_name.value.reason
    secrets.delete_secret(SecretId="app")
    with pytest.raises(StartFailure) as deleted:
        lab.lab.secretsmanager.resolve(arn)
    assert "marked for deletion" in deleted.value.reason


def test_versions_are_listed_page_by_page(secrets, versions):
    first = secrets.list_secret_version_ids(SecretId=NAME, MaxResults=1)
    second = secrets.list_secret_version_ids(SecretId=NAME, MaxResults=1, NextToken=first["NextToken"])
    assert {page["Versions"][0]["VersionId"] for page in (first, second)} == set(versions)
    assert "NextToken" not in second


def test_a_secret_has_no_resource_policy(secrets, versions):
    told = secrets.get_resource_policy(SecretId=NAME)
    assert (told["Name"], "ResourcePolicy" in told) == (NAME, False)
    assert refusal(secrets.get_resource_policy, SecretId="nobody")[0] == "ResourceNotFoundException"
