# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECR: repositories, images under digests and tags, archived images; what `docker push` and a task's pull do.

An image of the lab is an OCI manifest whose config says what process a task starts. It has no layers.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from .. import paging
from ..errors import StartFailure
from ..wire import ApiError, Service

if TYPE_CHECKING:
    from ..lab import Lab

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
REPOSITORY_NAME = r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"
REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    rf"(?P<repository>{REPOSITORY_NAME})(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)
BATCH_SIZE = 100  # images a call: BatchGetImage, BatchDeleteImage, DescribeImages


@dataclasses.dataclass(frozen=True)
class Image:
    """What a task starts: the manifest's digest (`sha256:…`) and the image's config (`Env`, `Cmd`, `WorkingDir`)."""

    digest: str
    config: dict[str, Any]


@dataclasses.dataclass
class StoredImage:
    """An image in a repository; `status` is ACTIVE, ARCHIVED or ACTIVATING, `size` is in bytes."""

    digest: str
    manifest: str
    media_type: str
    size: int
    pushed_at: datetime.datetime
    status: str = "ACTIVE"
    dates: dict[str, datetime.datetime] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Repository:
    """A repository: images by digest, tags pointing at digests, blobs (configs) by digest."""

    description: dict[str, Any]
    images: dict[str, StoredImage] = dataclasses.field(default_factory=dict)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    blobs: dict[str, bytes] = dataclasses.field(default_factory=dict)

    def tags_of(self, digest: str) -> list[str]:
        """The tags that point at an image."""
        return sorted(tag for tag, target in self.tags.items() if target == digest)


class Missing(Exception):
    """No image for an id: `failure` is ECR's failureCode and failureReason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.failure = {"failureCode": code, "failureReason": reason}


def digest_of(data: bytes | str) -> str:
    """A registry's name for content: `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def find(repository: Repository, image_id: dict[str, Any]) -> StoredImage:
    """The image that an ImageIdentifier names.

    :raises Missing: with the failure that BatchGetImage and BatchDeleteImage report for it.
    """
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    if not tag and not digest:
        raise Missing("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    if digest and not re.fullmatch(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+", digest):
        reason = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
        raise Missing("InvalidImageDigest", reason)
    if tag and digest and digest in repository.images and tag in repository.tags and repository.tags[tag] != digest:
        raise Missing("ImageTagDoesNotMatchDigest", f"Tag {tag} does not match digest {digest}")
    found = repository.images.get(digest or repository.tags.get(tag or "", ""))
    if found is None or (tag and tag not in repository.tags):
        raise Missing("ImageNotFound", "Requested image not found")
    return found


class Ecr(Service):
    """The registry of the lab's account."""

    model = "ecr"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._repositories: dict[str, Repository] = {}
        self.public: dict[
            str, dict[str, Any]
        ] = {}  # images of other registries that anybody may pull: reference → config

    # Repositories

    def create_repository(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a repository; tags move (MUTABLE) unless asked otherwise."""
        name = request["repositoryName"]
        self._registry(request, name)
        if not re.fullmatch(REPOSITORY_NAME, name) or not 2 <= len(name) <= 256:
            message = f"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '{REPOSITORY_NAME}''"
            raise ApiError("InvalidParameterException", message)
        if name in self._repositories:
            message = f"The repository with name '{name}' already exists in the registry with id '{self.lab.account}'"
            raise ApiError("RepositoryAlreadyExistsException", message)
        return {"repository": self._create(name, request).description}

    def _create(self, name: str, settings: dict[str, Any]) -> Repository:
        self._repositories[name] = Repository(
            {
                "repositoryArn": self.lab.arn("ecr", f"repository/{name}"),
                "registryId": self.lab.account,
                "repositoryName": name,
                "repositoryUri": f"{self.host}/{name}",
                "createdAt": self.lab.now(),
                "imageTagMutability": settings.get("imageTagMutability", "MUTABLE"),
                "imageScanningConfiguration": settings.get("imageScanningConfiguration", {"scanOnPush": False}),
                "encryptionConfiguration": settings.get("encryptionConfiguration", {"encryptionType": "AES256"}),
            }
        )
        return self._repositories[name]

    def describe_repositories(self, request: dict[str, Any]) -> dict[str, Any]:
        """The repositories asked for, or all by name."""
        names = request.get("repositoryNames")
        found = [self._repository(dict(request, repositoryName=name)) for name in names or sorted(self._repositories)]
        return self._page("repositories", [repository.description for repository in found], request)

    @property
    def host(self) -> str:
        """The registry's host name, the first part of an image reference."""
        return f"{self.lab.account}.dkr.ecr.{self.lab.region}.amazonaws.com"

    # Images

    def put_image(self, request: dict[str, Any]) -> dict[str, Any]:
        """Give a manifest a tag. What it refers to must have been pushed before: that is how a tag is moved back."""
        repository, manifest = self._repository(request), request["imageManifest"]
        digest, tag = digest_of(manifest), request.get("imageTag")
        if request.get("imageDigest", digest) != digest:
            message = f"Provided image digest '{request['imageDigest']}' does not match computed digest '{digest}'"
            raise ApiError("ImageDigestDoesNotMatchException", message)
        self._check_layers(repository, manifest)
        if digest in repository.images and (tag is None or repository.tags.get(tag) == digest):
            name = repository.description["repositoryName"]
            message = (
                f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}' "
                f"in registry with id '{self.lab.account}'"
            )
            raise ApiError("ImageAlreadyExistsException", message)
        image = self._store(repository, manifest, tag)
        return {
            "image": self._image(
                repository, image, {"imageDigest": digest, "imageTag": tag} if tag else {"imageDigest": digest}
            )
        }

    def _check_layers(self, repository: Repository, manifest: str) -> None:
        try:
            content = json.loads(manifest)
            wanted = [content["config"]["digest"], *(layer["digest"] for layer in content["layers"])]
        except (ValueError, KeyError, TypeError) as error:
            message = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
            raise ApiError("InvalidParameterException", message) from error
        missing = [digest for digest in wanted if digest not in repository.blobs]
        if missing:
            raise ApiError("LayersNotFoundException", f"Some layers do not exist: {', '.join(missing)}")

    def _store(self, repository: Repository, manifest: str, tag: str | None) -> StoredImage:
        digest, content = digest_of(manifest), json.loads(manifest)
        name = repository.description["repositoryName"]
        immutable = repository.description["imageTagMutability"] == "IMMUTABLE"
        if immutable and repository.tags.get(tag or "", digest) != digest:
            message = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."
            raise ApiError("ImageTagAlreadyExistsException", message)
        size = content["config"]["size"] + sum(layer["size"] for layer in content["layers"])
        image = repository.images.get(digest)
        if image is None:
            image = StoredImage(digest, manifest, content.get("mediaType", MANIFEST_TYPE), size, self.lab.now())
            repository.images[digest] = image
        image.status = "ACTIVE"  # pushing again restores an archived image (ECR user guide, "Archiving an image")
        if tag:
            repository.tags[tag] = digest
        return image

    def batch_get_image(self, request: dict[str, Any]) -> dict[str, Any]:
        """Manifests; what is not there is reported image by image in `failures`."""
        repository, images, failures = self._repository(request), [], []
        for image_id in self._batch(request):
            try:
                image = find(repository, image_id)
                if (
                    image.status != "ACTIVE"
                ):  # "Archived images cannot be pulled" (ECR user guide, "Archiving an image")
                    raise Missing("ImageInaccessible", f"Requested image is {image.status}")
                images.append(self._image(repository, image, dict(image_id, imageDigest=image.digest)))
            except Missing as missing:
                failures.append({"imageId": image_id, **missing.failure})
        return {"images": images, "failures": failures}

    def describe_images(self, request: dict[str, Any]) -> dict[str, Any]:
        """Details of images; archived ones only when the filter's imageStatus asks for them."""
        repository = self._repository(request)
        if "imageIds" not in request:
            shown = [
                self._details(repository, image) for image in self._filtered(repository, request.get("filter", {}))
            ]
            return self._page("imageDetails", shown, request)
        if "maxResults" in request or "nextToken" in request:
            raise ApiError(
                "InvalidParameterException", "Invalid parameter: maxResults and nextToken cannot be used with imageIds"
            )
        return {
            "imageDetails": [
                self._details(repository, self._shown(repository, request, i)) for i in self._batch(request)
            ]
        }

    def _shown(self, repository: Repository, request: dict[str, Any], image_id: dict[str, Any]) -> StoredImage:
        try:
            image = find(repository, image_id)
            if image in self._filtered(repository, request.get("filter", {})):
                return image
        except Missing as missing:
            if missing.failure["failureCode"] in ("MissingDigestAndTag", "InvalidImageDigest"):
                raise ApiError("InvalidParameterException", missing.failure["failureReason"]) from missing
        digest, tag = image_id.get("imageDigest", "null"), image_id.get("imageTag", "null")
        name = repository.description["repositoryName"]
        message = (
            f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository "
            f"with name '{name}' in the registry with id '{self.lab.account}'"
        )
        raise ApiError("ImageNotFoundException", message)

    def list_images(self, request: dict[str, Any]) -> dict[str, Any]:
        """One id for each tag, and one for each image without a tag."""
        repository, ids = self._repository(request), []
        for image in self._filtered(repository, request.get("filter", {})):
            tags = repository.tags_of(image.digest)
            ids += [{"imageDigest": image.digest, "imageTag": tag} for tag in tags] or [{"imageDigest": image.digest}]
        return self._page("imageIds", ids, request)

    def batch_delete_image(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete by digest: the image and all its tags. Delete by tag: the tag, and the image when that was its last."""
        repository, deleted, failures = self._repository(request), [], []
        for image_id in self._batch(request):
            try:
                image = find(repository, image_id)
            except Missing as missing:
                failures.append({"imageId": image_id, **missing.failure})
                continue
            tags = [image_id["imageTag"]] if "imageTag" in image_id else repository.tags_of(image.digest)
            for tag in tags:
                del repository.tags[tag]
            deleted += [{"imageDigest": image.digest, "imageTag": tag} for tag in tags] or [
                {"imageDigest": image.digest}
            ]
            if not repository.tags_of(image.digest):
                del repository.images[image.digest]
        return {"imageIds": deleted, "failures": failures}

    def update_image_storage_class(self, request: dict[str, Any]) -> dict[str, Any]:
        """Archive an image, or bring it back: ACTIVATING for durations.image_activation, then ACTIVE."""
        repository = self._repository(request)
        image = self._shown(repository, {"filter": {"imageStatus": "ANY"}}, request["imageId"])
        if request["targetStorageClass"] == "ARCHIVE":
            image.status = "ARCHIVED"
            image.dates["lastArchivedAt"] = self.lab.now()
        elif image.status == "ARCHIVED":
            image.status = "ACTIVATING"
            self.lab.after(self.lab.durations.image_activation, lambda: self._activate(image))
        return {**self._names(repository), "imageId": request["imageId"], "imageStatus": image.status}

    def _activate(self, image: StoredImage) -> None:
        if image.status == "ACTIVATING":
            image.status = "ACTIVE"
            image.dates["lastActivatedAt"] = self.lab.now()

    # What is not API: docker push, and the pull of a task

    def controls(self) -> dict[str, Any]:
        """`docker push` is not a call of ECR's API."""
        return {"push_image": self._push_image}

    def _push_image(self, repository: str, tag: str, config: dict[str, Any]) -> dict[str, Any]:
        return {"image": f"{self.host}/{repository}:{tag}", "digest": self.push(repository, tag, config)}

    def push(self, repository: str, tag: str, config: dict[str, Any]) -> str:
        """`docker push`: store an image whose config is `config` (`Env`, `Cmd`, `WorkingDir`), move `tag` to it.

        The repository is created when it is missing; the image that had the tag stays, under its digest.
        Returns the digest of the manifest.
        """
        with self.lab.lock:
            target = self._repositories.get(repository) or self._create(repository, {})
            content = {
                "architecture": "amd64",
                "os": "linux",
                "config": config,
                "rootfs": {"type": "layers", "diff_ids": []},
            }
            blob = json.dumps(content, sort_keys=True).encode()
            target.blobs[digest_of(blob)] = blob
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": {"mediaType": CONFIG_TYPE, "digest": digest_of(blob), "size": len(blob)},
                "layers": [],
            }
            return self._store(target, json.dumps(manifest), tag).digest

    def resolve(self, image: str) -> Image:
        """Pull `account.dkr.ecr.region.amazonaws.com/repository`, with `:tag` (default latest), `@sha256:…` or both, or a public image.

        :raises StartFailure: CannotPullContainerError, as ECS words it.
        """
        retried = "CannotPullContainerError: pull image manifest has been retried"
        if image in self.public:
            return Image(digest_of(json.dumps(self.public[image])), self.public[image])
        match = REFERENCE.fullmatch(image)
        if match is None or match["account"] != self.lab.account or match["region"] != self.lab.region:
            raise StartFailure(
                f"{retried} 5 time(s): failed to resolve ref {image}: failed to do request: dial tcp: i/o timeout"
            )
        wanted = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"] or "latest"}
        with self.lab.lock:
            try:
                repository = self._repositories[match["repository"]]
                stored = find(repository, wanted)
                if stored.status != "ACTIVE":
                    raise Missing("ImageInaccessible", f"Requested image is {stored.status}")
            except (KeyError, Missing) as error:
                raise StartFailure(f"{retried} 1 time(s): failed to resolve ref {image}: {image}: not found") from error
            stored.dates["lastRecordedPullTime"] = self.lab.now()
            blob = repository.blobs[json.loads(stored.manifest)["config"]["digest"]]
        return Image(stored.digest, json.loads(blob)["config"])

    # Shapes

    def _registry(self, request: dict[str, Any], name: str) -> None:
        registry = request.get("registryId", self.lab.account)
        if registry != self.lab.account:
            message = f"The repository with name '{name}' does not exist in the registry with id '{registry}'"
            raise ApiError("RepositoryNotFoundException", message)

    def _repository(self, request: dict[str, Any]) -> Repository:
        name = request["repositoryName"]
        self._registry(request, name)
        if name not in self._repositories:
            message = f"The repository with name '{name}' does not exist in the registry with id '{self.lab.account}'"
            raise ApiError("RepositoryNotFoundException", message)
        return self._repositories[name]

    def _batch(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        if not 1 <= len(request["imageIds"]) <= BATCH_SIZE:
            message = f"Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length between 1 and {BATCH_SIZE}'"
            raise ApiError("InvalidParameterException", message)
        ids: list[dict[str, Any]] = request["imageIds"]
        return ids

    def _filtered(self, repository: Repository, wanted: dict[str, Any]) -> list[StoredImage]:
        status, tagged = wanted.get("imageStatus", "ACTIVE"), wanted.get("tagStatus", "ANY")
        return [
            image
            for image in repository.images.values()
            if status in ("ANY", image.status)
            and tagged in ("ANY", "TAGGED" if repository.tags_of(image.digest) else "UNTAGGED")
        ]

    def _names(self, repository: Repository) -> dict[str, Any]:
        return {"registryId": self.lab.account, "repositoryName": repository.description["repositoryName"]}

    def _image(self, repository: Repository, image: StoredImage, image_id: dict[str, Any]) -> dict[str, Any]:
        return {
            **self._names(repository),
            "imageId": image_id,
            "imageManifest": image.manifest,
            "imageManifestMediaType": image.media_type,
        }

    def _details(self, repository: Repository, image: StoredImage) -> dict[str, Any]:
        tags = repository.tags_of(image.digest)
        return {
            **self._names(repository),
            "imageDigest": image.digest,
            **({"imageTags": tags} if tags else {}),
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed_at,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": CONFIG_TYPE,
            "imageStatus": image.status,
            **image.dates,
        }

    def _page(self, key: str, items: list[Any], request: dict[str, Any]) -> dict[str, Any]:
        try:
            shown, token = paging.page(items, request.get("nextToken"), request.get("maxResults", 100))
        except paging.BadToken as error:
            raise ApiError("InvalidParameterException", "Invalid parameter at 'nextToken'") from error
        return {key: shown, **({"nextToken": token} if token else {})}
