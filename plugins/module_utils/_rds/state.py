# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RDS as we decide on it. Times are aware datetimes in UTC, storage is in GiB, tags are dicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import (
    TAG_POINT,
    TAG_REPLACES,
    TAG_RUN,
    TAG_SNAPSHOT,
)


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
    kms_key: str | None = None

    option = "snapshot"
    operation = "RestoreDBInstanceFromDBSnapshot"

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
            kms_key=answer.get("KmsKeyId"),
        )

    @property
    def run_id(self):
        """The run that took this snapshot, or None."""
        return self.tags.get(TAG_RUN)

    @property
    def of_harm(self):
        """Whether a rollback took it, of what it was about to undo. A checkpoint took its own before the harm."""
        return self.run_id is not None and TAG_POINT not in self.tags

    @property
    def told(self):
        """For people."""
        return "snapshot %s" % self.name

    @property
    def problem(self):
        """Why it cannot be restored, or None."""
        if self.status == "available":
            return None
        return "it is %s, and only an available one can be restored" % self.status

    def request(self, new):
        """The parameters of ``operation`` that name the source and the ``new`` instance."""
        return dict(DBInstanceIdentifier=new, DBSnapshotIdentifier=self.name)


@dataclass(frozen=True)
class PointInTime:
    """A moment in the life of a DB instance, which RDS restores as it restores a snapshot: it answers as a DbSnapshot does.

    ``latest`` is None while RDS keeps nothing (its automated backups are off).
    """

    instance: str
    instance_arn: str
    instance_created: datetime | None
    moment: datetime
    latest: datetime | None
    engine: str
    engine_version: str
    allocated_storage: int
    kms_key: str | None

    option = "point_in_time"
    operation = "RestoreDBInstanceToPointInTime"

    @classmethod
    def of(cls, instance, moment):
        """Of a DbInstance."""
        description = instance.description
        return cls(
            instance=instance.name,
            instance_arn=instance.arn,
            instance_created=instance.created,
            moment=moment,
            latest=description.get("LatestRestorableTime") if description["BackupRetentionPeriod"] else None,
            engine=instance.engine,
            engine_version=instance.engine_version,
            allocated_storage=instance.allocated_storage,
            kms_key=description.get("KmsKeyId"),
        )

    @property
    def name(self):
        """The time, as the option has it."""
        return self.moment.isoformat()

    @property
    def arn(self):
        """What tells this source apart from every other; RDS has no ARN for a moment."""
        return "%s@%s" % (self.instance_arn, self.moment.strftime("%Y-%m-%dT%H:%M:%SZ"))

    @property
    def created(self):
        """The moment: what was restored from it is younger."""
        return self.moment

    @property
    def data_from(self):
        """The time of the data."""
        return self.moment

    @property
    def told(self):
        """For people."""
        return "%s as it was at %s" % (self.instance, self.moment.isoformat(timespec="seconds"))

    @property
    def problem(self):
        """Why it cannot be restored, or None."""
        if self.latest is None:
            return "%s has no automated backups that RDS could go back to a time with" % self.instance
        if self.moment > self.latest:
            return "the latest time that RDS can restore is %s" % self.latest.isoformat(timespec="seconds")
        if self.instance_created and self.moment < self.instance_created:
            return "%s was created at %s only" % (
                self.instance,
                self.instance_created.isoformat(timespec="seconds"),
            )
        return None

    def request(self, new):
        """The parameters of ``operation`` that name the source and the ``new`` instance."""
        return dict(SourceDBInstanceIdentifier=self.instance, TargetDBInstanceIdentifier=new, RestoreTime=self.moment)
