# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls ECR. It reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import REFUSALS, UnexpectedAnswer, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecr import (
    ACTIVE,
    LATEST,
    MISSING,
    NOT_ECR,
    OTHER_REGION,
    Image,
    Reference,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

ImageId = tuple[str, str]  # the shape ImageIdentifier: imageDigest or imageTag, and which one
Known = dict[ImageId, tuple[str, str]]  # digest and status
IMAGES_A_CALL = 100  # DescribeImages


def by_repository(references: Iterable[str]) -> list[tuple[str, ...]]:
    """Tuples of image references, one a repository: where one may not be looked at, the others still are."""
    groups: dict[tuple[str, str] | None, list[str]] = {}
    for text in dict.fromkeys(references):
        reference = Reference.parse(text)
        groups.setdefault((reference.account, reference.repository) if reference else None, []).append(text)
    return [tuple(texts) for texts in groups.values()]


class EcrGateway:
    """Reads images of the registries of one region.

    :param client: boto3 client of that region.
    """

    def __init__(self, client: Any) -> None:
        self._ecr = client

    def images(self, references: Iterable[str]) -> dict[str, Image]:
        """What ECR knows about images, asked a repository at a time.

        :param references: texts as task definitions hold them.
        :return: a dict reference → Image, complete.
        """
        found: dict[str, Image] = {}
        asked: dict[tuple[str, str], dict[str, Reference]] = {}
        for text in dict.fromkeys(references):
            reference = Reference.parse(text)
            if reference is None:
                found[text] = Image(text, _without_tag(text), None, NOT_ECR)
            elif reference.region != self._ecr.meta.region_name:
                found[text] = Image(text, reference.repository, reference.digest, OTHER_REGION)
            else:
                asked.setdefault((reference.account, reference.repository), {})[text] = reference
        for (account, repository), texts in asked.items():
            known = self._known(account, repository, sorted({_image_id(item) for item in texts.values()}))
            for text, reference in texts.items():
                digest, status = known.get(_image_id(reference), (None, MISSING))
                found[text] = Image(text, repository, digest, status)
        return found

    def images_if_allowed(self, references: Iterable[str]) -> dict[str, Image]:
        """As ``images``, without those of repositories that the credentials may not ask. For what works without, too, if less well."""
        found: dict[str, Image] = {}
        for some in side_by_side(self._images_if_allowed, by_repository(references)):
            found.update(some)
        return found

    def _images_if_allowed(self, references: Iterable[str]) -> dict[str, Image]:
        try:
            return self.images(references)
        except is_boto3_error_code(REFUSALS):
            return {}

    def _known(self, account: str, repository: str, ids: Sequence[ImageId]) -> Known:
        """A dict image id → (digest, status) of those that are there."""
        known: Known = {}
        for start in range(0, len(ids), IMAGES_A_CALL):
            known.update(self._described(account, repository, ids[start : start + IMAGES_A_CALL]))
        return known

    def _described(self, account: str, repository: str, ids: Sequence[ImageId]) -> Known:
        """One missing image fails DescribeImages for all: then each half is asked alone, down to the missing one."""
        question = dict(registryId=account, repositoryName=repository, imageIds=[dict([item]) for item in ids])
        try:
            answer = self._ecr.describe_images(**question, **self._of_any_status())
        except is_boto3_error_code("RepositoryNotFoundException"):
            return {}
        except is_boto3_error_code("ImageNotFoundException"):
            if len(ids) == 1:
                return {}
            half = len(ids) // 2
            return {
                **self._described(account, repository, ids[:half]),
                **self._described(account, repository, ids[half:]),
            }
        with reading("DescribeImages"):
            return self._matched(ids, answer["imageDetails"])

    def _of_any_status(self) -> dict[str, Any]:
        return {"filter": {"imageStatus": "ANY"}} if self._tells_status() else {}

    def _tells_status(self) -> bool:
        """Whether this botocore knows imageStatus; an older one asks, as ECR's default is, for ACTIVE images only."""
        return "imageStatus" in self._ecr.meta.service_model.shape_for("DescribeImagesFilter").members

    def _matched(self, ids: Iterable[ImageId], details: Iterable[Mapping[str, Any]]) -> Known:
        named: Known = {}
        for detail in details:
            status = detail["imageStatus"] if self._tells_status() else ACTIVE
            names = [("imageDigest", detail["imageDigest"])]
            names += [("imageTag", tag) for tag in detail.get("imageTags", [])]
            named.update((name, (detail["imageDigest"], status)) for name in names)
        missing = [value for key, value in ids if (key, value) not in named]
        if missing:
            raise UnexpectedAnswer("DescribeImages", "it left out %s" % ", ".join(missing))
        return named


def _image_id(reference: Reference) -> ImageId:
    return ("imageDigest", reference.digest) if reference.digest else ("imageTag", reference.tag or LATEST)


def _without_tag(text: str) -> str:
    name = text.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name
