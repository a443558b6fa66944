# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's ECR as boto3 sees it."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from loopback_aws.errors import StartFailure

HOST = "123456789012.dkr.ecr.eu-west-3.amazonaws.com"
ONE = {"Env": ["RELEASE=1"], "Cmd": ["python", "-m", "spymeo"], "WorkingDir": "/srv"}
TWO = dict(ONE, Env=["RELEASE=2"])


@pytest.fixture(name="ecr")
def _ecr(lab):
    return lab.client("ecr")


def refusal(call, **arguments) -> tuple[str, str]:
    """(code, message) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_repository_is_created_once(ecr):
    created = ecr.create_repository(repositoryName="spymeo/app")["repository"]
    assert created["repositoryUri"] == f"{HOST}/spymeo/app"
    assert refusal(ecr.create_repository, repositoryName="spymeo/app")[0] == "RepositoryAlreadyExistsException"
    assert refusal(ecr.create_repository, repositoryName="Spymeo")[0] == "InvalidParameterException"
    assert ecr.describe_repositories()["repositories"] == [created]


def test_an_unknown_repository_is_an_error_and_not_an_empty_answer(ecr):
    expected = "The repository with name 'none' does not exist in the registry with id '123456789012'"
    for call in (ecr.batch_get_image, ecr.batch_delete_image, ecr.describe_images):
        assert refusal(call, repositoryName="none", imageIds=[{"imageTag": "1"}]) == (
            "RepositoryNotFoundException",
            expected,
        )
    assert refusal(ecr.describe_repositories, repositoryNames=["none"])[0] == "RepositoryNotFoundException"


def test_a_pushed_image_is_found_by_tag_and_by_digest(lab, ecr):
    digest = lab.lab.ecr.push("spymeo", "1", ONE)
    by_tag, by_digest = ecr.batch_get_image(
        repositoryName="spymeo", imageIds=[{"imageTag": "1"}, {"imageDigest": digest}]
    )["images"]
    assert by_tag["imageId"] == {"imageTag": "1", "imageDigest": digest}
    assert by_tag["imageManifest"] == by_digest["imageManifest"]
    assert json.loads(by_tag["imageManifest"])["config"]["digest"].startswith("sha256:")
    assert lab.lab.ecr.push("other", "1", ONE) == digest


def test_batch_get_image_gives_per_image_failures(lab, ecr):
    lab.lab.ecr.push("spymeo", "1", ONE)
    wanted = [{"imageTag": "1"}, {"imageTag": "gone"}, {"imageDigest": "sha256:" + "0" * 64}, {"imageDigest": "what"}]
    answer = ecr.batch_get_image(repositoryName="spymeo", imageIds=wanted)
    assert [image["imageId"]["imageTag"] for image in answer["images"]] == ["1"]
    assert [failure["failureCode"] for failure in answer["failures"]] == [
        "ImageNotFound",
        "ImageNotFound",
        "InvalidImageDigest",
    ]
    assert answer["failures"][0]["imageId"] == {"imageTag": "gone"}


def test_a_moved_tag_leaves_the_old_image_under_its_digest(lab, ecr):
    old = lab.lab.ecr.push("spymeo", "latest", ONE)
    new = lab.lab.ecr.push("spymeo", "latest", TWO)
    details = {image["imageDigest"]: image for image in ecr.describe_images(repositoryName="spymeo")["imageDetails"]}
    assert details[new]["imageTags"] == ["latest"]
    assert "imageTags" not in details[old]
    assert lab.lab.ecr.resolve(f"{HOST}/spymeo@{old}").config == ONE
    assert lab.lab.ecr.resolve(f"{HOST}/spymeo").digest == new
    untagged = ecr.list_images(repositoryName="spymeo", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": old}]


def test_put_image_moves_a_tag_back_but_refuses_a_manifest_whose_blobs_were_never_pushed(lab, ecr):
    old = lab.lab.ecr.push("spymeo", "latest", ONE)
    lab.lab.ecr.push("spymeo", "latest", TWO)
    manifest = ecr.batch_get_image(repositoryName="spymeo", imageIds=[{"imageDigest": old}])["images"][0][
        "imageManifest"
    ]
    put = ecr.put_image(repositoryName="spymeo", imageManifest=manifest, imageTag="latest")["image"]
    assert put["imageId"] == {"imageDigest": old, "imageTag": "latest"}
    again = refusal(ecr.put_image, repositoryName="spymeo", imageManifest=manifest, imageTag="latest")
    assert again[0] == "ImageAlreadyExistsException"
    ecr.create_repository(repositoryName="empty")
    assert refusal(ecr.put_image, repositoryName="empty", imageManifest=manifest)[0] == "LayersNotFoundException"


def test_an_immutable_tag_cannot_be_overwritten(lab, ecr):
    ecr.create_repository(repositoryName="spymeo", imageTagMutability="IMMUTABLE")
    lab.lab.ecr.push("spymeo", "1", ONE)
    other = lab.lab.ecr.push("spymeo", "2", TWO)
    manifest = ecr.batch_get_image(repositoryName="spymeo", imageIds=[{"imageDigest": other}])["images"][0][
        "imageManifest"
    ]
    assert (
        refusal(ecr.put_image, repositoryName="spymeo", imageManifest=manifest, imageTag="1")[0]
        == "ImageTagAlreadyExistsException"
    )


def test_describe_images_is_an_error_as_soon_as_one_image_is_missing(lab, ecr):
    lab.lab.ecr.push("spymeo", "1", ONE)
    code, message = refusal(
        ecr.describe_images, repositoryName="spymeo", imageIds=[{"imageTag": "1"}, {"imageTag": "gone"}]
    )
    assert code == "ImageNotFoundException"
    assert "{imageDigest:'null', imageTag:'gone'}" in message


def test_a_deleted_image_is_gone_with_all_its_tags_and_cannot_be_pulled(lab, ecr):
    digest = lab.lab.ecr.push("spymeo", "1", ONE)
    lab.lab.ecr.push("spymeo", "stable", ONE)
    answer = ecr.batch_delete_image(repositoryName="spymeo", imageIds=[{"imageDigest": digest}, {"imageTag": "none"}])
    assert {image["imageTag"] for image in answer["imageIds"]} == {"1", "stable"}
    assert answer["failures"][0]["failureCode"] == "ImageNotFound"
    with pytest.raises(StartFailure) as caught:
        lab.lab.ecr.resolve(f"{HOST}/spymeo:1")
    reference = f"{HOST}/spymeo:1"
    expected = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {reference}: {reference}: not found"
    assert caught.value.reason == expected


def test_deleting_one_of_two_tags_keeps_the_image(lab, ecr):
    digest = lab.lab.ecr.push("spymeo", "1", ONE)
    lab.lab.ecr.push("spymeo", "stable", ONE)
    ecr.batch_delete_image(repositoryName="spymeo", imageIds=[{"imageTag": "1"}])
    assert lab.lab.ecr.resolve(f"{HOST}/spymeo:stable").digest == digest


def test_archived_images_cannot_be_pulled_and_are_shown_only_when_asked_for(lab, ecr):
    digest = lab.lab.ecr.push("spymeo", "1", ONE)
    wanted = {"repositoryName": "spymeo", "imageIds": [{"imageDigest": digest}]}
    ecr.update_image_storage_class(
        repositoryName="spymeo", imageId={"imageDigest": digest}, targetStorageClass="ARCHIVE"
    )
    assert refusal(ecr.describe_images, **wanted)[0] == "ImageNotFoundException"
    shown = ecr.describe_images(**wanted, filter={"imageStatus": "ANY"})["imageDetails"][0]
    assert shown["imageStatus"] == "ARCHIVED"
    assert not ecr.batch_get_image(**wanted)["images"]
    with pytest.raises(StartFailure):
        lab.lab.ecr.resolve(f"{HOST}/spymeo:1")


def test_an_archived_image_comes_back_after_a_while(lab, ecr):
    image = {"repositoryName": "spymeo", "imageId": {"imageTag": "1"}}
    lab.lab.ecr.push("spymeo", "1", ONE)
    ecr.update_image_storage_class(**image, targetStorageClass="ARCHIVE")
    assert ecr.update_image_storage_class(**image, targetStorageClass="STANDARD")["imageStatus"] == "ACTIVATING"
    deadline = time.monotonic() + 5
    while not ecr.describe_images(repositoryName="spymeo")["imageDetails"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert lab.lab.ecr.resolve(f"{HOST}/spymeo:1").config == ONE


@pytest.mark.parametrize(
    "image",
    ["nginx:latest", "999999999999.dkr.ecr.eu-west-3.amazonaws.com/spymeo:1", f"{HOST}/spymeo:2", f"{HOST}/none:1"],
)
def test_what_the_registry_does_not_have_cannot_be_pulled(lab, image):
    lab.lab.ecr.push("spymeo", "1", ONE)
    with pytest.raises(StartFailure) as caught:
        lab.lab.ecr.resolve(image)
    assert caught.value.reason.startswith("CannotPullContainerError: pull image manifest has been retried")


def test_pages_are_followed_to_the_end(lab, ecr):
    for number in range(5):
        lab.lab.ecr.push("spymeo", str(number), dict(ONE, Env=[f"RELEASE={number}"]))
    pages = list(
        ecr.get_paginator("describe_images").paginate(repositoryName="spymeo", PaginationConfig={"PageSize": 2})
    )
    assert [len(page["imageDetails"]) for page in pages] == [2, 2, 1]
    assert refusal(ecr.list_images, repositoryName="spymeo", nextToken="mine")[0] == "InvalidParameterException"
