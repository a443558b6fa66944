# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, read_url
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import (
    CURRENT,
    LABELS,
    PINNED_LABEL,
    Secret,
    StageMove,
    Value,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.labels import Labelling
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.target_text import Write


class SecretsGateway:
    """Reads secrets and moves what applications read. It never deletes and never creates a secret."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def region(self) -> str:
        """The region that the client talks to."""
        name: str = self._client.meta.region_name
        return name

    def secret(self, option: str, secret_id: str) -> Secret:
        """The Secret of a name or ARN, deprecated versions included. The versions of one being deleted are not asked for.

        :param option: the module's option that named it, for the message.
        :raises BadInput: there is no such secret.
        """
        answer = self._describe(option, secret_id)
        with reading("DescribeSecret, ListSecretVersionIds"):
            return Secret.from_boto(answer, () if "DeletedDate" in answer else self._versions(answer["ARN"]))

    def newest_change(self, secret_ids: Iterable[str]) -> datetime | None:
        """When the newest change to one of these secrets was made (aware datetime), label moves included; None without secrets.

        :raises BadInput: one of them does not exist; a task that names it could not start.
        """
        with reading("DescribeSecret"):
            return max(
                (Secret.from_boto(self._describe("secrets", secret_id)).changed for secret_id in secret_ids),
                default=None,
            )

    def _describe(self, option: str, secret_id: str) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._client.describe_secret(SecretId=secret_id)
        except is_boto3_error_code("ResourceNotFoundException") as error:
            raise BadInput(option, secret_id, "there is no such secret in %s" % self.region) from error
        return answer

    def _versions(self, arn: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:  # botocore has no paginator for this operation
            page = self._client.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True, **token)
            found += page["Versions"]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    def current_value(self, secret: Secret) -> Value:
        """The Value that applications read.

        :raises RollbackError: it is binary.
        """
        return self._value(secret, VersionStage=CURRENT)

    def database_url(self, secret_id: str, key: str, versions: Mapping[str, str] | None = None) -> DatabaseUrl:
        """The DatabaseUrl that applications read, out of ``key`` where the secret is a JSON object.

        :param versions: version ids by name or ARN of secrets; where this secret is among them, that version is read instead of the current one.
        :raises BadInput: there is no such secret.
        :raises RollbackError: it is binary, lacks the key, or is no URL.
        """
        secret = self.secret("database_secret", secret_id)
        version_id = next((item for name, item in (versions or {}).items() if name in secret.names), "")
        value = self.value(secret, version_id) if version_id else self.current_value(secret)
        return DatabaseUrl.parse(read_url(value.text, key))

    def text(self, option: str, secret_id: str) -> str:
        """What applications read of a secret (str), by its name or ARN, with no other permission than GetSecretValue.

        :raises BadInput: there is no such secret, or it is binary.
        """
        try:
            answer = _secret_value(self._client, secret_id, VersionStage=CURRENT)
        except is_boto3_error_code("ResourceNotFoundException") as error:
            raise BadInput(option, secret_id, "there is no such secret in %s" % self.region) from error
        if "SecretString" not in answer:
            raise BadInput(option, secret_id, "it holds binary data, not text")
        text: str = answer["SecretString"]
        return text

    def value(self, secret: Secret | Write, version_id: str) -> Value:
        """The Value of a version.

        :raises RollbackError: it is binary.
        """
        return self._value(secret, VersionId=version_id)

    def _value(self, secret: Secret | Write, **which: str) -> Value:
        answer = _secret_value(self._client, secret.arn, **which)
        if "SecretString" not in answer:
            raise RollbackError(
                "Secret %s holds binary data, not text, so nothing can be read in it. Its versions can come back as a whole only."
                % secret.name
            )
        with reading("GetSecretValue"):
            return Value(answer["VersionId"], answer["SecretString"])

    def move_current(self, move: StageMove) -> None:
        """Move AWSCURRENT. ``RemoveFromVersionId`` must match what bears it, which makes this a compare-and-swap.

        :raises RollbackError: somebody else moved it in between.
        """
        try:
            self._client.update_secret_version_stage(
                SecretId=move.arn, VersionStage=CURRENT, MoveToVersionId=move.target, RemoveFromVersionId=move.source
            )
        except is_boto3_error_code("InvalidParameterException") as error:
            current = self.secret("secrets", move.arn).staged(CURRENT)
            now = current.id if current else "no version at all"
            if now == move.source:
                raise
            if now != move.target:  # else a try of ours whose answer was lost had made the change
                raise RollbackError(
                    "Somebody else moved AWSCURRENT of secret %s from %s to %s while we worked; it was left there. Find out who, then run again."
                    % (move.name, move.source, now)
                ) from error

    def put_pending(self, secret: Secret | Write, text: str, token: str, label: str) -> None:
        """Write ``text`` as a version that bears ``label`` and nothing reads yet; its id is ``token``.

        :raises RollbackError: this run wrote that version before, and the secret was changed since, or it has all the labels it may have.
        """
        try:
            self._client.put_secret_value(
                SecretId=secret.arn, ClientRequestToken=token, SecretString=text, VersionStages=[label]
            )
        except is_boto3_error_code("ResourceExistsException") as error:
            raise RollbackError(_CHANGED_SINCE % (token, secret.name)) from error
        except is_boto3_error_code("LimitExceededException") as error:
            raise RollbackError(_FULL % (secret.name, LABELS)) from error

    def activate_pending(
        self, secret: Secret | Write, text: str, move: StageMove, label: str, pinned: Secret | None = None
    ) -> None:
        """Make the version that ``put_pending`` wrote current, and take its label away.

        :param pinned: the Secret whose tasks pin that version; then it gets another label.

        :raises RollbackError: the secret was changed since, so that this version is not what is to be current.
        """
        if self.value(secret, move.target).text != text:
            raise RollbackError(_CHANGED_SINCE % (move.target, secret.name))
        if pinned:
            self._keep_pinned(pinned, move.target)
        self.move_current(move)
        self.drop_label(secret, label, move.target)

    def _keep_pinned(self, secret: Secret, version_id: str) -> None:
        """Keep a version that tasks pin from being pruned for as long as it is the newest that a cutover has pinned."""
        there = secret.staged(PINNED_LABEL)
        if there and there.id == version_id:
            return
        try:
            self.put_label(secret.arn, PINNED_LABEL, version_id, there.id if there else None)
        except is_boto3_error_code("InvalidParameterException"):
            now = self.secret("secrets", secret.arn).staged(PINNED_LABEL)
            if now is None or now.id != version_id:  # else a try of ours whose answer was lost has done it
                raise

    def put_label(self, arn: str, label: str, version_id: str, loser: str | None = None) -> None:
        """Put a label of ours on a version of a secret; ``loser`` is the id of the version that bears it now, None without one."""
        taken = dict(RemoveFromVersionId=loser) if loser else {}
        self._client.update_secret_version_stage(SecretId=arn, VersionStage=label, MoveToVersionId=version_id, **taken)

    def drop_label(self, secret: Secret | Write | Labelling, label: str, version_id: str) -> None:
        """Take a label of ours away from a version. A version that has no other label may be pruned then."""
        try:
            self._client.update_secret_version_stage(
                SecretId=secret.arn, VersionStage=label, RemoveFromVersionId=version_id
            )
        except is_boto3_error_code("InvalidParameterException"):
            if self.secret("secrets", secret.arn).staged(label):  # else a try of ours whose answer was lost has done it
                raise

    def put_current(self, secret: Secret, text: str, token: str) -> None:
        """Write ``text`` as the current version, whose id is ``token``. AWSPREVIOUS goes to the version it replaces.

        :raises RollbackError: this run wrote that version before, and the secret was changed since.
        """
        try:
            answer = self._client.put_secret_value(SecretId=secret.arn, ClientRequestToken=token, SecretString=text)
        except is_boto3_error_code("ResourceExistsException") as error:
            raise RollbackError(_CHANGED_SINCE % (token, secret.name)) from error
        with reading("PutSecretValue"):
            if CURRENT not in answer["VersionStages"]:  # the same content again is ignored, and moves no label
                raise RollbackError(_CHANGED_SINCE % (token, secret.name))


_FULL = (
    "Secret %s has %d staging labels, which is as many as AWS allows, and the new version needs one until it is current. Nothing was written. "
    "Take one that nobody needs away (aws secretsmanager update-secret-version-stage --remove-from-version-id), then run again."
)
_CHANGED_SINCE = (
    "This run wrote version %s of secret %s before, and the secret was changed since. "
    "Nothing was written. Look at who changed it, then start a run with a new id."
)


def referenced(client: Any, reference: ValueFrom) -> dict[str, Any] | None:
    """What a task would be given for a ValueFrom: the answer of GetSecretValue, None when there is no such secret or version.

    :param client: boto3 client of Secrets Manager.
    """
    version = dict(VersionId=reference.version) if reference.version else {}
    stage = dict(VersionStage=reference.stage) if reference.stage else {}
    try:
        return _secret_value(client, reference.id, **version, **stage)
    except is_boto3_error_code(["ResourceNotFoundException", "InvalidRequestException"]):
        return None


def _secret_value(client: Any, secret_id: str, **which: str) -> dict[str, Any]:
    """GetSecretValue."""
    answer: dict[str, Any] = client.get_secret_value(SecretId=secret_id, **which)
    return answer
