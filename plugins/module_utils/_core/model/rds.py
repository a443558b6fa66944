# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RDS as we decide on it. Times are aware datetimes in UTC, storage is in GiB, tags are dicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import Period, read_periods
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    TAG_DATA,
    TAG_REPLACED_BY,
    TAG_REPLACES,
    TAG_RUN,
    TAG_SAFETY,
    TAG_SERVED,
    TAG_SNAPSHOT,
    TAG_UNFINISHED,
    restored_instance,
    safety_snapshot,
)


def tags_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a description, as a dict."""
    return {tag["Key"]: tag["Value"] for tag in answer["TagList"]}


@dataclass(frozen=True)
class Origin:
    """How a run of ours made an instance: which run, and the name of the DB instance that it was restored to replace."""

    run_id: str
    replaces: str


@dataclass(frozen=True)
class DbInstance:
    """A DB instance. ``description`` is the whole shape DBInstance: _core/database/settings.py reads the settings out of it.

    ``host``, ``port`` and ``created`` are None until RDS tells them, which it does not while the instance is being created.
    """

    name: str
    resource_id: str
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

    @property
    def restorable_until(self) -> datetime | None:
        """The latest time that its automated backups can be restored to; None while RDS keeps none."""
        found: datetime | None = self.description.get("LatestRestorableTime")
        return found if self.description["BackupRetentionPeriod"] else None

    @property
    def storage_line(self) -> str:
        """How much of a restored instance's storage is loaded, for people; empty where RDS says nothing of it."""
        percent = self.description.get("StorageOperationPercentProgress")
        if percent is None or self.description.get("StorageOperationStatus") != "Initializing":
            return ""
        return "RDS has loaded %d %% of its storage; what is not loaded is slow at its first reading" % percent

    @classmethod
    def from_boto(cls, answer: dict[str, Any]) -> DbInstance:
        """From the shape DBInstance."""
        endpoint = answer.get("Endpoint") or {}
        return cls(
            name=answer["DBInstanceIdentifier"],
            resource_id=answer["DbiResourceId"],
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
    def ours(self) -> bool:
        """Whether a run of ours has restored this very instance. Tags alone do not say so: a snapshot inherits those of its instance,
        and an instance that somebody restores from it inherits them again."""
        data = self.tags.get(TAG_DATA)
        if data is not None:
            return data.split("/")[0] == self.name
        run_id, replaces = self.tags.get(TAG_RUN), self.tags.get(TAG_REPLACES)
        return bool(run_id and replaces and self.name == restored_instance(replaces, run_id))

    @property
    def origin(self) -> Origin | None:
        """The Origin of an instance of ours; None of any other, and where somebody has taken one of the tags away that tell it."""
        run_id, replaces = self.run_id, self.replaces
        return Origin(run_id, replaces) if run_id and replaces else None

    @property
    def run_id(self) -> str | None:
        """The run that restored this instance, or None."""
        return self.tags.get(TAG_RUN) if self.ours else None

    @property
    def from_snapshot(self) -> str | None:
        """ARN of the snapshot that one of our runs restored this instance from, or None."""
        return self.tags.get(TAG_SNAPSHOT) if self.ours else None

    @property
    def replaces(self) -> str | None:
        """Name of the DB instance that this one was restored to replace, or None."""
        return self.tags.get(TAG_REPLACES) if self.ours else None

    @property
    def replaced_by(self) -> str | None:
        """Name of the DB instance that took its place, or None. It is a claim: whoever uses it looks whether that one replaces this one."""
        return self.tags.get(TAG_REPLACED_BY)

    @property
    def data(self) -> InstanceData | None:
        """The InstanceData that it began with, as the run that restored it wrote down; None where none did."""
        return InstanceData.from_tag(self.tags[TAG_DATA]) if self.ours and TAG_DATA in self.tags else None

    @property
    def unfinished(self) -> Unfinished | None:
        """The Unfinished that its run has left, or None: it is as it is to be, or none of ours."""
        found = Unfinished.from_tag(self.tags.get(TAG_UNFINISHED, ""))
        return found if found and self.ours and found.name == self.name else None

    @property
    def served(self) -> tuple[Period, ...]:
        """When it was in service (tuple of Period, oldest first), as runs wrote down; empty where none did."""
        return read_periods(self.tags.get(TAG_SERVED, ""), self.resource_id)

    @property
    def kms_key(self) -> str | None:
        """The ARN of the key that its storage is encrypted with, or None."""
        key: str | None = self.description.get("KmsKeyId")
        return key


@dataclass(frozen=True)
class Unfinished:
    """A DB instance, by its ``name``, in which settings of ``source`` (a name) may still be missing that its cutover has not waited for, and
    whose ``safety`` snapshot (a name; empty where none was wanted) may still be on its way. A restore writes that into a tag at once, and
    it stands until both are proven, whoever dies."""

    name: str
    source: str
    safety: str

    @classmethod
    def from_tag(cls, text: str) -> Unfinished | None:
        """From what ``as_tag`` writes; None where it is empty, which says that all is done."""
        parts = text.split("/")
        return cls(*parts) if len(parts) == 3 else None

    def as_tag(self) -> str:
        """The value of the tag. It begins with the name of its own instance: what is restored from a snapshot of it may inherit the tag."""
        return "/".join((self.name, self.source, self.safety))


@dataclass(frozen=True)
class InstanceData:
    """What an instance held at one time: ``of`` is the DbiResourceId of the instance (its name where that is not known), ``name`` its
    name then, ``at`` the time, None where it is not known."""

    of: str
    name: str
    at: datetime | None

    @classmethod
    def from_tag(cls, text: str) -> InstanceData:
        """From what ``as_tag`` writes."""
        _own, of, at, name = text.split("/")
        return cls(of, name, datetime.fromisoformat(at.replace("Z", "+00:00")) if at else None)

    def as_tag(self, own: str) -> str:
        """The value of the tag of the instance that begins with these data; ``own`` is its name. The time is whole: a snapshot is of one
        with the line up to that very moment."""
        at = self.at.astimezone(timezone.utc).isoformat() if self.at else ""
        return "/".join((own, self.of, at, self.name))


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
    resource_id: str | None
    instance_created: datetime | None
    allocated_storage: int
    percent: int
    created: datetime | None
    data_from: datetime | None
    tags: dict[str, str]
    kms_key: str | None = None

    option = "snapshot"
    operation = "RestoreDBInstanceFromDBSnapshot"

    @classmethod
    def from_boto(cls, answer: Mapping[str, Any]) -> DbSnapshot:
        """From the shape DBSnapshot."""
        created = answer.get("SnapshotCreateTime")
        return cls(
            name=answer["DBSnapshotIdentifier"],
            arn=answer["DBSnapshotArn"],
            status=answer["Status"],
            engine=answer["Engine"],
            engine_version=answer["EngineVersion"],
            instance=answer["DBInstanceIdentifier"],
            resource_id=answer.get("DbiResourceId"),
            instance_created=answer.get("InstanceCreateTime"),
            allocated_storage=answer["AllocatedStorage"],
            percent=answer["PercentProgress"],
            created=created,
            data_from=answer.get("OriginalSnapshotCreateTime", created),
            tags=tags_of(answer),
            kms_key=answer.get("KmsKeyId"),
        )

    @property
    def run_id(self) -> str | None:
        """The run that took this snapshot, or None."""
        return self.tags.get(TAG_RUN)

    @property
    def of_harm(self) -> bool:
        """Whether a rollback took it, of what it was about to undo. The tag names the instance that it was taken of, since a tag alone may
        be inherited; without it (runs of older versions), the name is the one that this very run would give."""
        taken_of = self.tags.get(TAG_SAFETY)
        if taken_of is not None:
            return taken_of in (self.resource_id, self.instance)
        return self.run_id is not None and self.name == safety_snapshot(self.instance, self.run_id)

    @property
    def data(self) -> InstanceData:
        """Which InstanceData it holds."""
        return InstanceData(self.resource_id or self.instance, self.instance, self.data_from)

    @property
    def label(self) -> str:
        """For people."""
        return "snapshot %s" % self.name

    @property
    def problem(self) -> str | None:
        """Why it cannot be restored, or None."""
        if self.status == "available":
            return None
        return "it is %s, and only an available one can be restored" % self.status

    def request(self, new: str) -> dict[str, Any]:
        """The parameters of ``operation`` that name the source and the ``new`` instance."""
        return dict(DBInstanceIdentifier=new, DBSnapshotIdentifier=self.name)


@dataclass(frozen=True)
class PointInTime:
    """A moment in the life of a DB instance, which RDS restores as it restores a snapshot: it answers as a DbSnapshot does.

    ``latest`` is None while RDS keeps nothing (its automated backups are off), ``earliest`` where that was not asked or told.
    """

    instance: str
    resource_id: str
    instance_arn: str
    instance_created: datetime | None
    moment: datetime
    latest: datetime | None
    engine: str
    engine_version: str
    allocated_storage: int
    kms_key: str | None
    earliest: datetime | None = None

    option = "point_in_time"
    operation = "RestoreDBInstanceToPointInTime"

    @classmethod
    def of(cls, instance: DbInstance, moment: datetime, earliest: datetime | None = None) -> PointInTime:
        """Of a DbInstance; ``earliest`` is the first time that its automated backups can be restored to."""
        description = instance.description
        return cls(
            instance=instance.name,
            resource_id=instance.resource_id,
            instance_arn=instance.arn,
            instance_created=instance.created,
            moment=moment,
            latest=instance.restorable_until,
            engine=instance.engine,
            engine_version=instance.engine_version,
            allocated_storage=instance.allocated_storage,
            kms_key=description.get("KmsKeyId"),
            earliest=earliest,
        )

    @property
    def data(self) -> InstanceData:
        """Which InstanceData that is."""
        return InstanceData(self.resource_id, self.instance, self.moment)

    @property
    def name(self) -> str:
        """The time, as the option has it."""
        return self.moment.isoformat()

    @property
    def arn(self) -> str:
        """What tells this source apart from every other; RDS has no ARN for a moment."""
        return "%s@%s" % (self.instance_arn, self.moment.strftime("%Y-%m-%dT%H:%M:%SZ"))

    @property
    def created(self) -> datetime:
        """The moment: what was restored from it is younger."""
        return self.moment

    @property
    def data_from(self) -> datetime:
        """The time of the data."""
        return self.moment

    @property
    def label(self) -> str:
        """For people."""
        return "%s as it was at %s" % (self.instance, self.moment.isoformat(timespec="seconds"))

    @property
    def problem(self) -> str | None:
        """Why it cannot be restored, or None."""
        if self.latest is None:
            return "%s has no automated backups that RDS could go back to a time with" % self.instance
        if self.earliest and self.moment < self.earliest:
            return "%s is asked for, and RDS can restore %s from %s to %s only" % (
                _seconds(self.moment),
                self.instance,
                _seconds(self.earliest),
                _seconds(self.latest),
            )
        if self.moment > self.latest:
            return "the latest time that RDS can restore is %s" % self.latest.isoformat(timespec="seconds")
        if self.instance_created and self.moment < self.instance_created:
            return "%s was created at %s only" % (
                self.instance,
                self.instance_created.isoformat(timespec="seconds"),
            )
        return None

    def request(self, new: str) -> dict[str, Any]:
        """The parameters of ``operation`` that name the source and the ``new`` instance."""
        return dict(SourceDBInstanceIdentifier=self.instance, TargetDBInstanceIdentifier=new, RestoreTime=self.moment)


Restorable = Union[DbSnapshot, PointInTime]


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
