# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RDS as we decide on it. Times are aware datetimes in UTC, storage is in GiB, tags are dicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import TAG_REPLACES, TAG_RUN, TAG_SNAPSHOT


def tags_of(answer):
    """The tags of a description, as a dict."""
    return {tag["Key"]: tag["Value"] for tag in answer["TagList"]}


@dataclass(frozen=True)
class DbInstance:
    """A DB instance. ``description`` is the whole shape DBInstance: _rds/settings.py reads the settings out of it.

    ``host``, ``port`` and ``created`` are None until RDS tells them, which it does not while the instance is being created.
    """

    name: str
    arn: str
    status: str
    engine: str
    engine_version: str
    cluster: str | None
    host: str | None
    port: int | None
    created: datetime | None
    allocated_storage: int
    parameter_group_statuses: tuple[str, ...]
    tags: dict[str, str]
    description: dict[str, Any]

    @classmethod
    def from_boto(cls, answer):
        """From the shape DBInstance."""
        endpoint = answer.get("Endpoint") or {}
        return cls(
            name=answer["DBInstanceIdentifier"],
            arn=answer["DBInstanceArn"],
            status=answer["DBInstanceStatus"],
            engine=answer["Engine"],
            engine_version=answer["EngineVersion"],
            cluster=answer.get("DBClusterIdentifier"),
            host=endpoint.get("Address"),
            port=endpoint.get("Port"),
            created=answer.get("InstanceCreateTime"),
            allocated_storage=answer["AllocatedStorage"],
            parameter_group_statuses=tuple(group["ParameterApplyStatus"] for group in answer["DBParameterGroups"]),
            tags=tags_of(answer),
            description=answer,
        )

    @property
    def run_id(self):
        """The run that restored this instance, or None."""
        return self.tags.get(TAG_RUN)

    @property
    def from_snapshot(self):
        """ARN of the snapshot that one of our runs restored this instance from, or None."""
        return self.tags.get(TAG_SNAPSHOT)

    @property
    def replaces(self):
        """Name of the DB instance that this one was restored to replace, or None."""
        return self.tags.get(TAG_REPLACES)


@dataclass(frozen=True)
class DbSnapshot:
    """A snapshot of a DB instance. ``created`` is None until RDS tells it; ``percent`` is how much has been transferred.

    ``data_from`` is the time of the data: a copy of a snapshot gets a new SnapshotCreateTime and keeps the original one.
    """

    name: str
    arn: str
    status: str
    engine: str
    engine_version: str
    instance: str
    allocated_storage: int
    percent: int
    created: datetime | None
    data_from: datetime | None
    tags: dict[str, str]

    @classmethod
    def from_boto(cls, answer):
        """From the shape DBSnapshot."""
        created = answer.get("SnapshotCreateTime")
        return cls(
            name=answer["DBSnapshotIdentifier"],
            arn=answer["DBSnapshotArn"],
            status=answer["Status"],
            engine=answer["Engine"],
            engine_version=answer["EngineVersion"],
            instance=answer["DBInstanceIdentifier"],
            allocated_storage=answer["AllocatedStorage"],
            percent=answer["PercentProgress"],
            created=created,
            data_from=answer.get("OriginalSnapshotCreateTime", created),
            tags=tags_of(answer),
        )

    @property
    def run_id(self):
        """The run that took this snapshot, or None."""
        return self.tags.get(TAG_RUN)
