# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A secret, its versions and the rules by which staging labels move between them (UpdateSecretVersionStage in AWS's API reference)."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from ...wire import ApiError

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
LABELS = 20  # staging labels attached across all versions of a secret (quota)
VERSIONS = 100  # kept without a label before the oldest are deleted
PRUNED_AFTER = datetime.timedelta(hours=24)


@dataclasses.dataclass
class Version:
    """One value of a secret. `data` is `{"SecretString": str}` or `{"SecretBinary": bytes}`; stages are sorted by time of arrival."""

    id: str
    data: dict[str, Any]
    created: datetime.datetime
    stages: list[str] = dataclasses.field(default_factory=list)
    accessed: datetime.datetime | None = None


@dataclasses.dataclass
class Secret:
    """A secret; `deletion` is when it goes for good, once it was deleted."""

    arn: str
    name: str
    created: datetime.datetime
    changed: datetime.datetime
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # Description, KmsKeyId
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    versions: dict[str, Version] = dataclasses.field(default_factory=dict)
    accessed: datetime.datetime | None = None
    deletion: datetime.datetime | None = None
    primary_region: str | None = None  # of a replicated secret; a replica is one whose primary is elsewhere

    def holder(self, stage: str) -> Version | None:
        """The version that has a label: a label is on one version at most."""
        return next((version for version in self.versions.values() if stage in version.stages), None)

    def stages(self) -> dict[str, list[str]]:
        """VersionIdsToStages: versions without a label are not in it."""
        return {version.id: list(version.stages) for version in self.versions.values() if version.stages}

    def add_version(self, version: Version, stages: list[str]) -> None:
        """A new version takes its labels from whichever version has them; the first one is always AWSCURRENT.

        :raises ApiError: LimitExceededException beyond 20 labels.
        """
        wanted = list(stages) if self.versions or CURRENT in stages else [*stages, CURRENT]
        self._check_limit(wanted)
        self.versions[version.id] = version
        for stage in wanted:
            self._attach(stage, version)

    def move(self, stage: str, source: str | None, target: str | None) -> None:
        """Move a label from version `source` to version `target`; without a target, take it off.

        :raises ApiError: InvalidParameterException unless `source` is the version that has the label (a compare and swap),
            ResourceNotFoundException for versions that do not exist.
        """
        if source is None and target is None:
            raise ApiError(
                "InvalidParameterException", "You must specify MoveToVersionId, RemoveFromVersionId or both."
            )
        for version_id in (source, target):
            if version_id is not None and version_id not in self.versions:
                raise ApiError(
                    "ResourceNotFoundException",
                    f"Secrets Manager can't find the specified secret value for VersionId: {version_id}",
                )
        holder = self.holder(stage)
        self._check_source(stage, holder, source, target)
        if target is not None:
            self._check_limit([stage])
            self._attach(stage, self.versions[target])
        elif stage == CURRENT:
            message = "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
            raise ApiError("InvalidParameterException", message)
        elif holder is not None:  # _check_source has seen that there is one
            holder.stages.remove(stage)

    def _check_source(self, stage: str, holder: Version | None, source: str | None, target: str | None) -> None:
        if source is not None and (holder is None or holder.id != source):
            message = f"Staging label {stage} is not currently attached to version {source}."
            raise ApiError("InvalidParameterException", f"The parameter RemoveFromVersionId is not valid. {message}")
        if source is None and holder is not None and holder.id != target:
            message = (
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version "
                f"{holder.id}, so you must explicitly reference that version in RemoveFromVersionId."
            )
            raise ApiError("InvalidParameterException", message)

    def _attach(self, stage: str, target: Version) -> None:
        holder = self.holder(stage)
        if holder is target:
            return
        if holder is not None:
            holder.stages.remove(stage)
            if stage == CURRENT:  # AWSPREVIOUS follows by itself to the version that AWSCURRENT leaves
                self._attach(PREVIOUS, holder)
        target.stages.append(stage)

    def _check_limit(self, added: list[str]) -> None:
        labels = {stage for version in self.versions.values() for stage in version.stages} | set(added)
        if len(labels) > LABELS:
            raise ApiError(
                "LimitExceededException",
                f"You can't attach more than {LABELS} staging labels to the versions of a secret.",
            )

    def prune(self, now: datetime.datetime) -> None:
        """Versions without a label go beyond 100, oldest first, but never in their first 24 hours."""
        unlabelled = [
            version for version in self.versions.values() if not version.stages and now - version.created > PRUNED_AFTER
        ]
        surplus = len(self.versions) - VERSIONS
        for version in sorted(unlabelled, key=lambda version: version.created)[: max(surplus, 0)]:
            del self.versions[version.id]
