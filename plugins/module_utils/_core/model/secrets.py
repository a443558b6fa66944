# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets as we decide on them. Values are not here: only the gateway and the module that writes one ever hold a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
PINNED_LABEL = (
    "spymeo-rollback-pinned"  # on the version that the tasks of the newest cutover pin: it keeps it from being pruned
)
LABELS = 20  # staging labels that all versions of a secret may bear together (quota of Secrets Manager)


@dataclass(frozen=True)
class SecretVersion:
    """One version of a secret. A version without stages is deprecated: AWS may prune it once it is a day old."""

    id: str
    stages: tuple[str, ...]
    created: datetime

    @classmethod
    def from_boto(cls, answer: Mapping[str, Any]) -> SecretVersion:
        """From the shape SecretVersionsListEntry, where a deprecated version has no ``VersionStages``."""
        return cls(
            id=answer["VersionId"], stages=tuple(sorted(answer.get("VersionStages", []))), created=answer["CreatedDate"]
        )


@dataclass(frozen=True)
class Secret:
    """A secret and its versions, newest first.

    ``primary_region`` is None unless the secret is replicated; ``deleted`` is when its deletion was asked for, else None,
    and ``rotates`` when Secrets Manager will rotate it next, None where it does not.
    """

    name: str
    arn: str
    changed: datetime
    versions: tuple[SecretVersion, ...] = ()
    primary_region: str | None = None
    deleted: datetime | None = None
    rotates: datetime | None = None

    @classmethod
    def from_boto(cls, answer: Mapping[str, Any], versions: Iterable[Mapping[str, Any]] = ()) -> Secret:
        """From DescribeSecret and the entries of ListSecretVersionIds."""
        found = (SecretVersion.from_boto(version) for version in versions)
        return cls(
            name=answer["Name"],
            arn=answer["ARN"],
            changed=answer["LastChangedDate"],
            versions=tuple(sorted(found, key=lambda version: (version.created, version.id), reverse=True)),
            primary_region=answer.get("PrimaryRegion"),
            deleted=answer.get("DeletedDate"),
            rotates=answer.get("NextRotationDate") if answer.get("RotationEnabled") else None,
        )

    @property
    def names(self) -> frozenset[str]:
        """What it may be called (frozenset of str): its name, its ARN, and its ARN without the hyphen and the six characters that AWS adds
        (Secrets Manager user guide, "Partial ARN"; CDK's fromSecretNameV2 writes such references)."""
        return frozenset((self.name, self.arn, self.arn[:-7]))

    def staged(self, stage: str) -> SecretVersion | None:
        """The SecretVersion that bears a stage, or None."""
        return next((version for version in self.versions if stage in version.stages), None)

    def version(self, version_id: str) -> SecretVersion | None:
        """The SecretVersion of that id, or None."""
        return next((version for version in self.versions if version.id == version_id), None)


@dataclass(frozen=True)
class StageMove:
    """AWSCURRENT of a secret goes from one version id to another."""

    name: str
    arn: str
    source: str
    target: str


@dataclass(frozen=True)
class Value:
    """The text of one version. It shows in no repr, so it is in no traceback."""

    version_id: str
    text: str = field(repr=False)
