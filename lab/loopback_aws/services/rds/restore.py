# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's restores, from a snapshot or to a point in time: a new instance, with RDS's defaults for what is not passed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .backups import Backups, backs_up
from .instance import Instance
from .lifecycle import Lifecycle
from .roles import Roles
from .settings import check_identifier, conflict, invalid
from .snapshot import Snapshot
from .store import Part, Store

BOTH = {
    "AllocatedStorage", "AutoMinorVersionUpgrade", "AvailabilityZone", "BackupRetentionPeriod", "BackupTarget",
    "CACertificateIdentifier", "CopyTagsToSnapshot", "DBInstanceClass", "DBParameterGroupName", "DBSubnetGroupName",
    "DedicatedLogVolume", "DeletionProtection", "EnableCloudwatchLogsExports", "EnableIAMDatabaseAuthentication", "Engine",
    "EngineLifecycleSupport", "Iops", "LicenseModel", "MultiAZ", "NetworkType", "OptionGroupName", "Port", "PreferredBackupWindow",
    "PubliclyAccessible", "StorageThroughput", "StorageType", "Tags", "VpcSecurityGroupIds",
}  # fmt: skip
FROM_SNAPSHOT = BOTH | {"DBInstanceIdentifier", "DBSnapshotIdentifier"}
TO_POINT_IN_TIME = BOTH | {
    "MaxAllocatedStorage", "RestoreTime", "SourceDBInstanceIdentifier", "SourceDbiResourceId", "TargetDBInstanceIdentifier",
    "UseLatestRestorableTime",
}  # fmt: skip
INHERITED = (
    "AllocatedStorage", "BackupRetentionPeriod", "DBInstanceClass", "EngineVersion", "KmsKeyId", "LicenseModel", "Port",
    "PreferredBackupWindow", "StorageEncrypted",
)  # fmt: skip
FAILURES = {  # RDS user guide, "DB instance events", category failure
    "incompatible-network": "The DB instance is in an incompatible network. Some of the specified subnet IDs are invalid or don't exist.",
    "incompatible-parameters": "Unable to start the database server because of incompatible parameters.",
    "incompatible-option-group": "The DB instance was put into incompatible-option-group.",
    "incompatible-restore": "DB instance put into incompatible-restore. RDS recommends that you initiate a point-in-time-restore.",
    "inaccessible-encryption-credentials": "The KMS key that encrypts the DB instance can't be accessed.",
    "insufficient-capacity": "The DB instance can't be created: there is not enough capacity.",
    "restore-error": "The DB instance could not be restored from the snapshot.",
    "failed": "DB instance put into failed. RDS recommends that you initiate a point-in-time-restore.",
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a restore starts from. `build` makes the new instance's server; it blocks, and wants no lock."""

    instance: Instance  # as it was
    tags: dict[str, str]
    build: Callable[[Instance], None]
    event: str


class Restores(Part):
    """The part of RDS that makes instances out of backups."""

    def __init__(self, store: Store, lifecycle: Lifecycle, roles: Roles, backups: Backups) -> None:
        super().__init__(store)
        self._lifecycle, self._roles, self._backups = lifecycle, roles, backups
        self._next_restore: tuple[str, str] | None = None

    def fail_next_restore(self, status: str, message: str | None = None) -> None:
        """Let the next restore end in a terminal state such as incompatible-network."""
        if status not in FAILURES:
            raise ValueError(f"no terminal state {status}; there are {', '.join(FAILURES)}")
        self._next_restore = (status, message or FAILURES[status])

    def restore_db_instance_from_db_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new instance with the snapshot's data."""
        rds_query.refuse_unknown(request, FROM_SNAPSHOT, "RestoreDBInstanceFromDBSnapshot")
        if "DBSnapshotIdentifier" not in request:
            raise invalid("The parameter DBSnapshotIdentifier must be provided and must not be blank.")
        self._require_new(request["DBInstanceIdentifier"], "DBInstanceIdentifier")
        snapshot = self.store.find_snapshot(request["DBSnapshotIdentifier"])
        if snapshot.status != "available":
            message = f"The DB snapshot {snapshot.identifier} is not in the available state: {snapshot.status}."
            raise ApiError("InvalidDBSnapshotState", message)
        return self._restore(request, self._from_snapshot(snapshot))

    @staticmethod
    def _from_snapshot(snapshot: Snapshot) -> Origin:
        data = snapshot.data()
        return Origin(
            instance=snapshot.source,
            tags=snapshot.source_tags,
            build=lambda instance: instance.server.initialise_from(data, archive=backs_up(instance)),
            event=f"Restored from snapshot {snapshot.identifier}",
        )

    def restore_db_instance_to_point_in_time(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new instance with what was committed in another one at a time that its automated backups cover."""
        rds_query.refuse_unknown(request, TO_POINT_IN_TIME, "RestoreDBInstanceToPointInTime")
        self._require_new(request["TargetDBInstanceIdentifier"], "TargetDBInstanceIdentifier")
        source = self._source(request)
        if bool(request.get("UseLatestRestorableTime")) == ("RestoreTime" in request):
            raise conflict("Specify either RestoreTime or UseLatestRestorableTime.")
        base, moment = self._backups.restorable(source, request.get("RestoreTime"))
        origin = Origin(
            instance=source,
            tags=dict(self.store.tags[source.arn]),
            build=lambda instance: instance.server.initialise_from(base, source.server.replay_of(moment)),
            event=f"Restored from DB instance {source.identifier} to {moment:%Y-%m-%d %H:%M:%S}.",
        )
        return self._restore({**request, "DBInstanceIdentifier": request["TargetDBInstanceIdentifier"]}, origin)

    def _source(self, request: dict[str, Any]) -> Instance:
        if "SourceDBInstanceIdentifier" in request:
            return self.store.find_instance(request["SourceDBInstanceIdentifier"])
        if "SourceDbiResourceId" not in request:
            raise conflict("Specify SourceDBInstanceIdentifier or SourceDbiResourceId.")
        for instance in self.store.instances.values():
            if instance.resource_id == request["SourceDbiResourceId"]:
                return instance
        raise rds_query.not_found("DBInstance", "DBInstanceNotFound", request["SourceDbiResourceId"])

    # What both have in common

    def _require_new(self, name: str, parameter: str) -> None:
        if check_identifier(name, parameter) in self.store.instances:
            raise ApiError("DBInstanceAlreadyExists", "DB instance already exists")

    def _restore(self, request: dict[str, Any], origin: Origin) -> dict[str, Any]:
        source = origin.instance
        instance = self._lifecycle.new_instance(
            request, self._restored(source, request), source.master_username, source.database
        )
        if not request.get("Tags"):
            self.store.tags[instance.arn] = dict(origin.tags)
        instance.initializes = (self.lab.now(), self.lab.durations.storage_initialization)
        if self._next_restore:
            status, message = self._next_restore
            self._next_restore = None
            self.lab.after(self.lab.durations.restore, lambda: self._lifecycle.fail(instance, status, message))
        else:
            self._lifecycle.bring_up(instance, lambda: origin.build(instance), origin.event)
        return {"DBInstance": self._lifecycle.shown(instance)}

    def _restored(self, source: Instance, request: dict[str, Any]) -> dict[str, Any]:
        """The settings: what is passed, else what RDS takes from the source, else RDS's default."""
        origin = source.settings
        inherited = {name: origin[name] for name in INHERITED if name in origin}
        asked = self._lifecycle.asked_settings(request)
        if asked.get("AllocatedStorage", origin["AllocatedStorage"]) < origin["AllocatedStorage"]:
            raise invalid(f"The allocated storage can't be less than the source's {origin['AllocatedStorage']} GiB.")
        if "KmsKeyId" in inherited:
            self.store.network.key(inherited["KmsKeyId"])
        usual = {**rds_settings.defaults(), "CACertificateIdentifier": self._roles.default_authority}
        return {**usual, **inherited, **asked, **rds_settings.storage(request, origin)}
