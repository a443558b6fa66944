# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets Manager: the API over secretsmanager_state, and how ECS reads a task's secrets."""

from __future__ import annotations

import datetime
import json
import re
import secrets
import string
import uuid
from typing import TYPE_CHECKING, Any

from ... import paging
from ...errors import StartFailure
from ...wire import ApiError, Service
from .state import CURRENT, Secret, Version

if TYPE_CHECKING:
    from ...lab import Lab

SUFFIX_ALPHABET = string.ascii_letters + string.digits
REPLICA = "Operation not permitted on a replica secret. Call must be made in primary secret's region."
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
BATCH_SIZE = 20  # secrets a BatchGetSecretValue


class SecretsManager(Service):
    """The secrets of the lab's account."""

    model = "secretsmanager"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._secrets: dict[str, Secret] = {}

    # Secrets

    def create_secret(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a secret, with a first version when a value is given."""
        name, token = request["Name"], request.get("ClientRequestToken") or str(uuid.uuid4())
        if not re.fullmatch(r"[\w/+=.@!-]{1,512}", name, re.ASCII):
            message = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
            raise ApiError("InvalidParameterException", message)
        if request.get("AddReplicaRegions"):
            raise ApiError("InvalidParameterException", f"The lab has one region, {self.lab.region}: no replicas.")
        data = self._data(request, required=False)
        secret = self._secrets.get(name)
        if secret is not None:
            return self._create_again(secret, token, data)
        suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(6))
        now = self.lab.now()
        secret = Secret(self.lab.arn("secretsmanager", f"secret:{name}-{suffix}"), name, now, now)
        self._configure(secret, request)
        secret.tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        self._secrets[name] = secret
        if not data:
            return self._names(secret)
        return {**self._names(secret), "VersionId": self._put(secret, token, data, [CURRENT]).id}

    def _create_again(self, secret: Secret, token: str, data: dict[str, Any]) -> dict[str, Any]:
        if secret.deletion:
            message = "You can't create this secret because a secret with this name is already scheduled for deletion."
            raise ApiError("InvalidRequestException", message)
        if data and token in secret.versions and secret.versions[token].data == data:
            return {**self._names(secret), "VersionId": token}
        raise ApiError(
            "ResourceExistsException", f"The operation failed because the secret {secret.name} already exists."
        )

    def describe_secret(self, request: dict[str, Any]) -> dict[str, Any]:
        """Everything but the values; a secret that is marked for deletion is shown with its DeletedDate."""
        return self._shape(self._find(request["SecretId"]), "VersionIdsToStages")

    def get_resource_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """The policy of a secret; without ResourcePolicy, as AWS answers for those that have none: nothing here attaches one."""
        return self._names(self._find(request["SecretId"]))

    def list_secrets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Secrets by date of creation, filtered; those marked for deletion only when asked for."""
        found = [
            secret for secret in self._secrets.values() if request.get("IncludePlannedDeletion") or not secret.deletion
        ]
        found = [secret for secret in found if all(_passes(secret, each) for each in request.get("Filters", []))]
        keys = {"name": lambda secret: secret.name, "last-changed-date": lambda secret: secret.changed}
        found.sort(
            key=keys.get(request.get("SortBy", ""), lambda secret: secret.created),
            reverse=request.get("SortOrder") != "asc",
        )
        return self._page("SecretList", [self._shape(secret, "SecretVersionsToStages") for secret in found], request)

    def update_secret(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change description and key; with a value, make it a new version that becomes AWSCURRENT."""
        secret, data = self._writable(request["SecretId"]), self._data(request, required=False)
        version = (
            self._put(secret, request.get("ClientRequestToken") or str(uuid.uuid4()), data, [CURRENT]) if data else None
        )
        self._configure(secret, request)
        secret.changed = self.lab.now()
        return {**self._names(secret), **({"VersionId": version.id} if version else {})}

    def _configure(self, secret: Secret, request: dict[str, Any]) -> None:
        secret.settings.update({key: request[key] for key in ("Description", "KmsKeyId") if key in request})

    def tag_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add tags or replace their values."""
        self._writable(request["SecretId"]).tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        return {}

    def untag_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Remove tags; those that are not there do not matter."""
        secret = self._writable(request["SecretId"])
        secret.tags = {key: value for key, value in secret.tags.items() if key not in request["TagKeys"]}
        return {}

    def delete_secret(self, request: dict[str, Any]) -> dict[str, Any]:
        """Mark for deletion in 7 to 30 days, or delete at once when forced."""
        force, days = request.get("ForceDeleteWithoutRecovery", False), request.get("RecoveryWindowInDays")
        if force and days is not None:
            raise ApiError(
                "InvalidParameterException",
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            )
        if days is not None and not 7 <= days <= 30:
            raise ApiError(
                "InvalidParameterException", "RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
            )
        if force:
            return {**self._forget(request["SecretId"]), "DeletionDate": self.lab.now()}
        secret = self._writable(request["SecretId"])
        secret.deletion = self.lab.now() + datetime.timedelta(days=30 if days is None else days)
        return {**self._names(secret), "DeletionDate": secret.deletion}

    def _forget(self, secret_id: str) -> dict[str, Any]:
        try:
            secret = self._find(secret_id)
        except (
            ApiError
        ):  # "If you forcibly delete [a] nonexistent secret, the operation does not return ResourceNotFoundException"
            return {"Name": secret_id}
        del self._secrets[secret.name]
        return self._names(secret)

    def restore_secret(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take back a deletion."""
        secret = self._find(request["SecretId"])
        secret.deletion = None
        return self._names(secret)

    # Values and their labels

    def get_secret_value(self, request: dict[str, Any]) -> dict[str, Any]:
        """The value of a version: AWSCURRENT's unless asked otherwise; an id and a label must mean the same version."""
        secret = self._usable(request["SecretId"])
        version = self._version(secret, request.get("VersionId"), request.get("VersionStage"))
        version.accessed = secret.accessed = self.lab.now().replace(
            hour=0, minute=0, second=0, microsecond=0
        )  # a date, no time
        stages = {"VersionStages": list(version.stages)} if version.stages else {}
        return {
            **self._names(secret),
            "VersionId": version.id,
            **version.data,
            **stages,
            "CreatedDate": version.created,
        }

    def _version(self, secret: Secret, version_id: str | None, stage: str | None) -> Version:
        if version_id is None:
            version = secret.holder(stage or CURRENT)
            missing = f"staging label: {stage or CURRENT}"
        else:
            version = secret.versions.get(version_id)
            missing = f"VersionId: {version_id}"
        if version is None:
            raise ApiError(
                "ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {missing}"
            )
        if version_id and stage and stage not in version.stages:
            raise ApiError(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the provided VersionId.",
            )
        return version

    def batch_get_secret_value(self, request: dict[str, Any]) -> dict[str, Any]:
        """Values of up to 20 secrets, by ids or by filters; errors are reported secret by secret."""
        ids, filters = request.get("SecretIdList"), request.get("Filters")
        if bool(ids) == bool(filters):
            raise ApiError(
                "InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both."
            )
        if ids and (len(ids) > BATCH_SIZE or "MaxResults" in request):
            raise ApiError(
                "InvalidParameterException", f"SecretIdList holds up to {BATCH_SIZE} secrets and excludes MaxResults."
            )
        page: dict[str, Any] = {}
        if filters:
            page = self.list_secrets({**request, "MaxResults": request.get("MaxResults", BATCH_SIZE)})
            ids = [secret["ARN"] for secret in page.pop("SecretList")]
        values, errors = [], []
        for secret_id in ids or []:
            try:
                values.append(self.get_secret_value({"SecretId": secret_id}))
            except ApiError as error:
                errors.append({"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message})
        return {"SecretValues": values, "Errors": errors, **page}

    def put_secret_value(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new version whose id is ClientRequestToken. The same call twice changes nothing; other data under the same id fails."""
        secret, data = self._writable(request["SecretId"]), self._data(request, required=True)
        token = request.get("ClientRequestToken") or str(uuid.uuid4())
        version = self._put(secret, token, data, request.get("VersionStages") or [CURRENT])
        return {**self._names(secret), "VersionId": version.id, "VersionStages": list(version.stages)}

    def _put(self, secret: Secret, version_id: str, data: dict[str, Any], stages: list[str]) -> Version:
        existing = secret.versions.get(version_id)
        if existing is not None and existing.data == data:
            return existing
        if existing is not None:
            message = f"You can't use ClientRequestToken {version_id} because that value is already in use for a version of secret {secret.arn}."
            raise ApiError("ResourceExistsException", message)
        version = Version(version_id, data, self.lab.now())
        secret.add_version(version, stages)
        secret.prune(self.lab.now())
        secret.changed = self.lab.now()
        return version

    def update_secret_version_stage(self, request: dict[str, Any]) -> dict[str, Any]:
        """Move a staging label; RemoveFromVersionId must be the version that has it."""
        secret = self._writable(request["SecretId"])
        secret.move(request["VersionStage"], request.get("RemoveFromVersionId"), request.get("MoveToVersionId"))
        secret.changed = self.lab.now()
        return self._names(secret)

    def list_secret_version_ids(self, request: dict[str, Any]) -> dict[str, Any]:
        """Versions, newest first; those without a label only when IncludeDeprecated."""
        secret = self._find(request["SecretId"])
        versions = sorted(secret.versions.values(), key=lambda version: version.created, reverse=True)
        shapes = [
            {
                "VersionId": version.id,
                **({"VersionStages": list(version.stages)} if version.stages else {}),
                **({"LastAccessedDate": version.accessed} if version.accessed else {}),
                "CreatedDate": version.created,
                "KmsKeyIds": ["DefaultEncryptionKey"],
            }
            for version in versions
            if version.stages or request.get("IncludeDeprecated")
        ]
        return {**self._names(secret), **self._page("Versions", shapes, request)}

    # What is not API: ECS reads a task's secrets

    def resolve(self, value_from: str) -> str:
        """The value behind a container secret's `valueFrom`: ARN, ARN:key::, ARN::stage:, ARN:::version-id and their mixtures.

        Anything else is a parameter of SSM's Parameter Store to ECS (`bc Secret.valueFrom`): see ecs_secrets.

        :raises StartFailure: ResourceInitializationError, as ECS words it.
        """
        initialization = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        asm = f"{initialization}unable to retrieve secret from asm: service call has been retried 1 time(s): "
        arn, key, stage, version_id = _reference(value_from, asm)
        query = {
            "SecretId": arn,
            **({"VersionStage": stage} if stage else {}),
            **({"VersionId": version_id} if version_id else {}),
        }
        try:
            with self.lab.lock:
                value = self.get_secret_value(query)
        except ApiError as error:
            raise StartFailure(
                f"{asm}failed to fetch secret {arn} from secrets manager: {error.code}: {error.message}"
            ) from error
        text = value.get("SecretString", "")
        return _json_value(text, key, asm) if key else text

    def controls(self) -> dict[str, Any]:
        """What other regions and the passing of time do to a secret."""
        return {"replica": self._make_replica, "prune": self._prune}

    def _make_replica(self, secret: str, primary_region: str) -> None:
        """From now on a replica of the secret of that name in another region, which the lab does not play."""
        self._find(secret).primary_region = primary_region

    def _prune(self, secret: str, version_id: str) -> dict[str, Any]:
        """What AWS does to a version once it is a day old and one of more than 100: it goes, unless a label keeps it."""
        versions = self._find(secret).versions
        if not versions[version_id].stages:
            del versions[version_id]
        return {"pruned": version_id not in versions}

    # Shapes

    def _find(self, secret_id: str) -> Secret:
        """A secret by name, by ARN, or by ARN without its last hyphen and six characters."""
        for secret in self._secrets.values():
            if secret_id in (secret.name, secret.arn, secret.arn[:-7]):
                return secret
        raise ApiError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def _usable(self, secret_id: str) -> Secret:
        secret = self._find(secret_id)
        if secret.deletion:
            raise ApiError("InvalidRequestException", MARKED)
        return secret

    def _writable(self, secret_id: str) -> Secret:
        secret = self._usable(secret_id)
        if secret.primary_region not in (None, self.lab.region):
            raise ApiError("InvalidRequestException", REPLICA)
        return secret

    def _data(self, request: dict[str, Any], required: bool) -> dict[str, Any]:
        data: dict[str, Any] = {key: request[key] for key in ("SecretString", "SecretBinary") if key in request}
        if len(data) > 1:
            raise ApiError(
                "InvalidParameterException",
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            )
        if required and not data:
            raise ApiError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
        if any(len(value if isinstance(value, bytes) else value.encode()) > 65536 for value in data.values()):
            raise ApiError("InvalidParameterException", "The secret value is longer than 65536 bytes.")
        return data

    def _names(self, secret: Secret) -> dict[str, Any]:
        return {"ARN": secret.arn, "Name": secret.name}

    def _shape(self, secret: Secret, stages_key: str) -> dict[str, Any]:
        stages = secret.stages()
        return {
            **self._names(secret),
            **secret.settings,
            "LastChangedDate": secret.changed,
            **({"LastAccessedDate": secret.accessed} if secret.accessed else {}),
            **({"DeletedDate": secret.deletion} if secret.deletion else {}),
            **({"PrimaryRegion": secret.primary_region} if secret.primary_region else {}),
            "Tags": [{"Key": key, "Value": value} for key, value in secret.tags.items()],
            **({stages_key: stages} if stages else {}),
            "CreatedDate": secret.created,
        }

    def _page(self, key: str, items: list[Any], request: dict[str, Any]) -> dict[str, Any]:
        try:
            shown, token = paging.page(items, request.get("NextToken"), request.get("MaxResults", 100))
        except paging.BadToken as error:
            raise ApiError("InvalidNextTokenException", "The NextToken value is invalid.") from error
        return {key: shown, **({"NextToken": token} if token else {})}


def _passes(secret: Secret, wanted: dict[str, Any]) -> bool:
    """Whether a secret passes one filter: a prefix of what the key names, `!` negates. Only descriptions ignore case."""
    attributes = {
        "name": [secret.name],
        "description": [secret.settings.get("Description", "").lower()],
        "tag-key": list(secret.tags),
        "tag-value": list(secret.tags.values()),
    }
    if wanted.get("Key") not in attributes:
        raise ApiError(
            "InvalidParameterException",
            f"The lab filters secrets by {', '.join(attributes)}, not by {wanted.get('Key')}.",
        )
    values = [value.lower() if wanted["Key"] == "description" else value for value in wanted["Values"]]
    return any(
        any(text.startswith(value.removeprefix("!")) for text in attributes[wanted["Key"]]) != value.startswith("!")
        for value in values
    )


def _reference(value_from: str, asm: str) -> tuple[str, str, str, str]:
    """(secret's ARN, JSON key, stage, version id) of a valueFrom; what is not said is empty."""
    parts = value_from.split(":")
    if len(parts) not in (7, 10):
        message = "an invalid ARN format for the AWS Secrets Manager secret was specified"
        raise StartFailure(
            f"{asm}unexpected ARN format with parameters when trying to retrieve ASM secret: {message}: {value_from}"
        )
    key, stage, version_id = parts[7:] or ("", "", "")
    return ":".join(parts[:7]), key, stage, version_id


def _json_value(text: str, key: str, asm: str) -> str:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise StartFailure(f"{asm}secret is not valid JSON: cannot read key {key}") from error
    if not isinstance(content, dict) or key not in content:
        raise StartFailure(f"{asm}retrieved secret from Secrets Manager did not contain json key {key}")
    return content[key] if isinstance(content[key], str) else json.dumps(content[key])
