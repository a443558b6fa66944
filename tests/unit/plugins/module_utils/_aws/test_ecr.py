# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecr import EcrGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import UnexpectedAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import Image
from ansible_collections.spymeo.rollback.plugins.module_utils._io import concurrency as _side_by_side
from botocore.exceptions import ClientError
from botocore.stub import Stubber

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-3.amazonaws.com"
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def ecr():
    """A stubbed client of ECR; every answer that a test announces must be asked for."""
    client = boto3.client("ecr", region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    with Stubber(client) as stubber:
        stubber.gateway = EcrGateway(client)
        yield stubber
        stubber.assert_no_pending_responses()


def asked(*ids, repository="app", account=ACCOUNT):
    return {
        "registryId": account,
        "repositoryName": repository,
        "imageIds": [{"imageDigest" if item.startswith("sha256:") else "imageTag": item} for item in ids],
        "filter": {"imageStatus": "ANY"},
    }


def detail(digest, *tags, status="ACTIVE"):
    told = {"registryId": ACCOUNT, "repositoryName": "app", "imageDigest": digest, "imageStatus": status}
    return {**told, "imageTags": list(tags)} if tags else told


def test_asks_once_for_all_images_of_a_repository(ecr):
    details = {"imageDetails": [detail(ONE, "1", "latest"), detail(TWO, status="ARCHIVED")]}
    ecr.add_response("describe_images", details, asked(TWO, "1", "latest"))
    references = [f"{HOST}/app:1", f"{HOST}/app", f"{HOST}/app@{TWO}", f"{HOST}/app:1"]
    assert ecr.gateway.images(references) == {
        f"{HOST}/app:1": Image(f"{HOST}/app:1", "app", ONE, "ACTIVE"),
        f"{HOST}/app": Image(f"{HOST}/app", "app", ONE, "ACTIVE"),
        f"{HOST}/app@{TWO}": Image(f"{HOST}/app@{TWO}", "app", TWO, "ARCHIVED"),
    }


def test_one_missing_image_hides_no_other(ecr):
    ecr.add_client_error("describe_images", "ImageNotFoundException", expected_params=asked("1", "2", "3"))
    ecr.add_response("describe_images", {"imageDetails": [detail(ONE, "1")]}, asked("1"))
    ecr.add_client_error("describe_images", "ImageNotFoundException", expected_params=asked("2", "3"))
    ecr.add_client_error("describe_images", "ImageNotFoundException", expected_params=asked("2"))
    ecr.add_response("describe_images", {"imageDetails": [detail(TWO, "3")]}, asked("3"))
    found = ecr.gateway.images([f"{HOST}/app:{tag}" for tag in "123"])
    assert [(image.status, image.digest) for image in found.values()] == [
        ("ACTIVE", ONE),
        ("MISSING", None),
        ("ACTIVE", TWO),
    ]


def test_a_repository_that_is_gone_has_no_image(ecr):
    ecr.add_client_error("describe_images", "RepositoryNotFoundException", expected_params=asked("1"))
    assert ecr.gateway.images([f"{HOST}/app:1"])[f"{HOST}/app:1"].status == "MISSING"


def test_another_accounts_registry_is_asked_by_its_id(ecr):
    reference = f"{HOST.replace(ACCOUNT, '2' * 12)}/app:1"
    ecr.add_response("describe_images", {"imageDetails": [detail(ONE, "1")]}, asked("1", account="2" * 12))
    assert ecr.gateway.images([reference])[reference].digest == ONE


@pytest.mark.parametrize(
    ("reference", "repository", "status"),
    [
        ("nginx:1.27", "nginx", "NOT_ECR"),
        ("localhost:5000/app", "localhost:5000/app", "NOT_ECR"),
        (f"public.ecr.aws/nginx/nginx@{ONE}", "public.ecr.aws/nginx/nginx", "NOT_ECR"),
        (f"{HOST.replace('eu-west-3', 'us-east-1')}/app:1", "app", "OTHER_REGION"),
    ],
)
def test_what_cannot_be_asked_for_here_is_told_without_a_call(ecr, reference, repository, status):
    assert ecr.gateway.images([reference]) == {reference: Image(reference, repository, None, status)}


def test_what_the_credentials_may_not_ask_rises(ecr):
    ecr.add_client_error("describe_images", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        ecr.gateway.images([f"{HOST}/app:1"])


def test_an_answer_that_leaves_an_image_out_is_an_error_not_a_guess(ecr):
    ecr.add_response("describe_images", {"imageDetails": [detail(ONE, "1")]}, asked("1", "2"))
    with pytest.raises(UnexpectedAnswer, match="left out 2"):
        ecr.gateway.images([f"{HOST}/app:1", f"{HOST}/app:2"])


def test_a_botocore_without_image_status_asks_for_active_images_as_ecr_does_by_default(ecr, monkeypatch):
    monkeypatch.setattr(EcrGateway, "_tells_status", lambda _gateway: False)
    question = {key: value for key, value in asked("1").items() if key != "filter"}
    told = {key: value for key, value in detail(ONE, "1").items() if key != "imageStatus"}
    ecr.add_response("describe_images", {"imageDetails": [told]}, question)
    assert ecr.gateway.images([f"{HOST}/app:1"])[f"{HOST}/app:1"].status == "ACTIVE"


def test_a_repository_that_may_not_be_asked_hides_no_other(ecr, monkeypatch):
    monkeypatch.setattr(_side_by_side, "SIDE_BY_SIDE", 1)  # stubbed answers come in the order of the calls
    ecr.add_client_error("describe_images", "AccessDeniedException", expected_params=asked("1", repository="secret"))
    ecr.add_response("describe_images", {"imageDetails": [detail(ONE, "1", "2")]}, asked("1", "2"))
    found = ecr.gateway.images_if_allowed([f"{HOST}/secret:1", f"{HOST}/app:1", f"{HOST}/app:2"])
    assert sorted(found) == [f"{HOST}/app:1", f"{HOST}/app:2"]
