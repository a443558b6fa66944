# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RollbackError,
    UnexpectedAnswer,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret, StageMove
from botocore.exceptions import ClientError
from botocore.stub import Stubber

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app/key-AbCdEf"
GOOD, BAD, OTHER = ("%s-0000-4000-8000-000000000000" % (letter * 8) for letter in "abc")
DESCRIBED = {
    "ARN": ARN,
    "Name": "app/key",
    "CreatedDate": NOON,
    "LastChangedDate": NOON,
    "VersionIdsToStages": {BAD: ["AWSCURRENT"]},
}
MOVE = StageMove("app/key", ARN, BAD, GOOD)
MOVED = {"SecretId": ARN, "VersionStage": "AWSCURRENT", "MoveToVersionId": GOOD, "RemoveFromVersionId": BAD}


def listed(version_id, *stages, created=NOON):
    entry = {"VersionId": version_id, "CreatedDate": created}
    return {**entry, "VersionStages": list(stages)} if stages else entry


@pytest.fixture
def stub():
    client = boto3.client(
        "secretsmanager", region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret"
    )
    with Stubber(client) as stubber:
        stubber.gateway = SecretsGateway(client)
        yield stubber
        stubber.assert_no_pending_responses()


def test_reads_every_page_of_versions_deprecated_ones_included(stub):
    asked = {"SecretId": ARN, "IncludeDeprecated": True}
    stub.add_response("describe_secret", DESCRIBED, {"SecretId": "app/key"})
    stub.add_response("list_secret_version_ids", {"Versions": [], "NextToken": "2"}, asked)
    stub.add_response(
        "list_secret_version_ids", {"Versions": [listed(GOOD)], "NextToken": "3"}, {**asked, "NextToken": "2"}
    )
    stub.add_response("list_secret_version_ids", {"Versions": [listed(BAD, "AWSCURRENT")]}, {**asked, "NextToken": "3"})
    secret = stub.gateway.secret("secrets", "app/key")
    assert (secret.name, secret.arn, secret.staged("AWSCURRENT").id) == ("app/key", ARN, BAD)
    assert secret.version(GOOD).stages == ()


def test_names_the_variable_of_a_secret_that_does_not_exist(stub):
    stub.add_client_error("describe_secret", "ResourceNotFoundException")
    with pytest.raises(BadInput, match=r"rollback_database_secret .* 'app/key': there is no such secret in eu-west-3"):
        stub.gateway.secret("database_secret", "app/key")


def test_does_not_ask_for_the_versions_of_a_secret_that_is_being_deleted(stub):
    stub.add_response("describe_secret", {**DESCRIBED, "DeletedDate": NOON})
    assert stub.gateway.secret("secrets", "app/key").deleted == NOON


def test_an_answer_without_what_it_must_have_is_an_error(stub):
    stub.add_response("describe_secret", {"ARN": ARN, "CreatedDate": NOON, "LastChangedDate": NOON})
    stub.add_response("list_secret_version_ids", {"Versions": []})
    with pytest.raises(UnexpectedAnswer, match="it lacks Name"):
        stub.gateway.secret("secrets", "app/key")


def test_the_newest_change_is_the_latest_of_all(stub):
    later = NOON.replace(hour=13)
    stub.add_response("describe_secret", DESCRIBED)
    stub.add_response("describe_secret", {**DESCRIBED, "LastChangedDate": later})
    assert stub.gateway.newest_change(["one", "two"]) == later
    assert stub.gateway.newest_change([]) is None


def test_moves_the_label_from_what_it_saw(stub):
    stub.add_response("update_secret_version_stage", {"ARN": ARN, "Name": "app/key"}, MOVED)
    assert stub.gateway.move_current(MOVE) is None


def refused_move(stub, now):
    stub.add_client_error("update_secret_version_stage", "InvalidParameterException", expected_params=MOVED)
    stub.add_response("describe_secret", DESCRIBED)
    stub.add_response("list_secret_version_ids", {"Versions": [listed(now, "AWSCURRENT")]})


def test_a_lost_race_is_told_and_the_other_version_stays(stub):
    refused_move(stub, OTHER)
    with pytest.raises(RollbackError, match=f"Somebody else moved AWSCURRENT of secret app/key from {BAD} to {OTHER}"):
        stub.gateway.move_current(MOVE)


def test_a_move_whose_answer_was_lost_has_succeeded(stub):
    refused_move(stub, GOOD)
    assert stub.gateway.move_current(MOVE) is None


def test_another_refusal_of_the_move_is_not_taken_for_a_race(stub):
    refused_move(stub, BAD)
    with pytest.raises(ClientError):
        stub.gateway.move_current(MOVE)


SECRET = Secret("app/key", ARN, NOON)


def test_the_value_shows_in_no_repr(stub):
    stub.add_response(
        "get_secret_value",
        {"VersionId": BAD, "SecretString": "hunter2"},
        {"SecretId": ARN, "VersionStage": "AWSCURRENT"},
    )
    value = stub.gateway.current_value(SECRET)
    assert value.text == "hunter2"
    assert "hunter2" not in repr(value)


def test_a_binary_secret_is_refused(stub):
    stub.add_response("get_secret_value", {"VersionId": BAD, "SecretBinary": b"hunter2"})
    with pytest.raises(RollbackError, match="holds binary data"):
        stub.gateway.current_value(SECRET)


def test_writes_the_version_of_the_run(stub):
    written = {"SecretId": ARN, "ClientRequestToken": GOOD, "SecretString": "new"}
    stub.add_response("put_secret_value", {"VersionId": GOOD, "VersionStages": ["AWSCURRENT"]}, written)
    assert stub.gateway.put_current(SECRET, "new", GOOD) is None


def test_refuses_to_call_a_write_done_that_moved_no_label(stub):
    stub.add_response("put_secret_value", {"VersionId": GOOD, "VersionStages": ["AWSPREVIOUS"]})
    with pytest.raises(RollbackError, match="changed since"):
        stub.gateway.put_current(SECRET, "new", GOOD)


def test_refuses_when_the_run_wrote_another_value_before(stub):
    stub.add_client_error("put_secret_value", "ResourceExistsException")
    with pytest.raises(RollbackError, match="start a run with a new id"):
        stub.gateway.put_current(SECRET, "new", GOOD)


TAKEN = {"SecretId": ARN, "VersionStage": "ours", "RemoveFromVersionId": GOOD}


def test_a_label_that_is_gone_already_was_taken_away_by_a_try_whose_answer_was_lost(stub):
    stub.add_client_error("update_secret_version_stage", "InvalidParameterException", expected_params=TAKEN)
    stub.add_response("describe_secret", DESCRIBED)
    stub.add_response("list_secret_version_ids", {"Versions": [listed(BAD, "AWSCURRENT")]})
    assert stub.gateway.drop_label(SECRET, "ours", GOOD) is None


def test_a_label_that_another_version_bears_stays(stub):
    stub.add_client_error("update_secret_version_stage", "InvalidParameterException", expected_params=TAKEN)
    stub.add_response("describe_secret", DESCRIBED)
    stub.add_response("list_secret_version_ids", {"Versions": [listed(BAD, "AWSCURRENT", "ours")]})
    with pytest.raises(ClientError):
        stub.gateway.drop_label(SECRET, "ours", GOOD)
