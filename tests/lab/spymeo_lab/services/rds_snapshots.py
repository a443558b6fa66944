# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's manual snapshots, and the restore of one to a new instance with RDS's defaults for what is not passed."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import shutil
from collections.abc import Callable

from ..postgres import Installation, PostgresError
from ..wire import ApiError
from . import rds_query, rds_settings
from .rds_instance import USABLE, Instance
from .rds_settings import check_identifier, invalid

RESTORE = {
    "AllocatedStorage", "AutoMinorVersionUpgrade", "AvailabilityZone", "BackupRetentionPeriod", "BackupTarget",
    "CACertificateIdentifier", "CopyTagsToSnapshot", "DBInstanceClass", "DBInstanceIdentifier", "DBParameterGroupName",
    "DBSnapshotIdentifier", "DBSubnetGroupName", "DedicatedLogVolume", "DeletionProtection", "EnableCloudwatchLogsExports",
    "EnableIAMDatabaseAuthentication", "Engine", "EngineLifecycleSupport", "Iops", "LicenseModel", "MultiAZ", "NetworkType",
    "OptionGroupName", "Port", "PreferredBackupWindow", "PubliclyAccessible", "StorageThroughput", "StorageType", "Tags",
    "VpcSecurityGroupIds",
}  # fmt: skip
FROM_SNAPSHOT = (
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
FILTERS = {
    "db-instance-id": lambda snapshot: (snapshot.source.identifier, snapshot.source.arn),
    "db-snapshot-id": lambda snapshot: (snapshot.identifier, snapshot.arn),
    "dbi-resource-id": lambda snapshot: (snapshot.source.resource_id,),
    "snapshot-type": lambda snapshot: ("manual",),
    "engine": lambda snapshot: (rds_settings.ENGINE,),
}


@dataclasses.dataclass
class Snapshot:
    """A manual snapshot. `source` is the instance as it was at that time, `directory`/data the backup."""

    identifier: str
    arn: str
    source: Instance
    source_tags: dict[str, str]
    directory: pathlib.Path
    duration: float  # seconds
    status: str = "creating"
    created_at: datetime.datetime | None = None

    def progress(self, now: datetime.datetime) -> int:
        """PercentProgress."""
        if self.created_at is None:
            return 0
        past = (now - self.created_at).total_seconds()
        return 100 if self.status != "creating" else min(99, int(100 * past / max(self.duration, 0.001)))

    def describe(self, now: datetime.datetime, tags: dict[str, str]) -> dict:
        """The snapshot in the shape DBSnapshot."""
        settings = self.source.settings
        shown = {
            "DBSnapshotIdentifier": self.identifier,
            "DBSnapshotArn": self.arn,
            "DBInstanceIdentifier": self.source.identifier,
            "DbiResourceId": self.source.resource_id,
            "Engine": rds_settings.ENGINE,
            "Status": self.status,
            "PercentProgress": self.progress(now),
            "SnapshotType": "manual",
            "SnapshotTarget": "region",
            "AvailabilityZone": self.source.zones[0],
            "VpcId": self.source.subnet_group["VpcId"],
            "InstanceCreateTime": self.source.created_at,
            "MasterUsername": self.source.master_username,
            "OptionGroupName": self.source.option_group,
            "Encrypted": settings["StorageEncrypted"],
            "TagList": rds_query.tag_list(tags),
            "MultiTenant": False,
        }
        same = (
            "AllocatedStorage", "BackupRetentionPeriod", "DedicatedLogVolume", "EngineVersion", "IAMDatabaseAuthenticationEnabled",
            "Iops", "KmsKeyId", "LicenseModel", "Port", "PreferredBackupWindow", "StorageThroughput", "StorageType",
        )  # fmt: skip
        shown.update({name: settings[name] for name in same if name in settings})
        if self.created_at:
            shown.update(
                SnapshotCreateTime=self.created_at,
                OriginalSnapshotCreateTime=self.created_at,
                SnapshotDatabaseTime=self.created_at,
            )
        return shown


class Snapshots:
    """The part of RDS that keeps snapshots."""

    installation: Installation
    tags: dict[str, dict[str, str]]

    def __init__(self, lab):
        self.snapshots: dict[str, Snapshot] = {}
        self._next_restore: tuple[str, str] | None = None
        super().__init__(lab)

    # Snapshots

    def create_db_snapshot(self, request: dict) -> Callable[[], dict]:
        """A snapshot of what is committed by the time of the answer. The instance is `backing-up` meanwhile."""
        instance = self.find_instance(request["DBInstanceIdentifier"])
        self.require(instance, *USABLE)
        backup = self.begin_snapshot(instance, request["DBSnapshotIdentifier"], rds_query.tags_from(request))
        snapshot = self._find_snapshot(request["DBSnapshotIdentifier"])
        instance.status = "backing-up"
        answer = {"DBSnapshot": snapshot.describe(self.lab.now(), self.tags[snapshot.arn])}

        def finish() -> dict:
            backup()
            return answer

        return finish

    def begin_snapshot(self, instance: Instance, name: str, tags: dict[str, str]) -> Callable[[], None]:
        """A snapshot in the status creating, and the function that does the work; it blocks and wants no lock.

        :raises ApiError: the name is taken or not valid, the quota is reached.
        """
        identifier = check_identifier(name, "DBSnapshotIdentifier", 255)
        if identifier in self.snapshots:
            message = f"Cannot create the snapshot because a snapshot with the identifier {identifier} already exists."
            raise ApiError("DBSnapshotAlreadyExists", message)
        self.check_quota("ManualSnapshots")
        of_instance = self.tags[instance.arn]
        snapshot = Snapshot(
            identifier=identifier,
            arn=self.lab.arn("rds", f"snapshot:{identifier}"),
            source=dataclasses.replace(instance, settings=dict(instance.settings), zones=list(instance.zones)),
            source_tags=dict(of_instance),
            directory=self.installation.new_directory(),
            duration=self.lab.durations.snapshot,
        )
        self.snapshots[identifier] = snapshot
        self.tags[snapshot.arn] = {**(of_instance if instance.settings["CopyTagsToSnapshot"] else {}), **tags}
        self.event("db-snapshot", identifier, "creation", "Creating manual snapshot")
        return lambda: self._back_up(instance, snapshot)

    def _back_up(self, instance: Instance, snapshot: Snapshot) -> None:
        try:
            instance.server.backup(snapshot.directory)
        except PostgresError as error:
            with self.lab.lock:
                snapshot.status = "failed"
                self._release(instance)
                self.event("db-snapshot", snapshot.identifier, "failure", str(error))
            return
        with self.lab.lock:
            snapshot.created_at = self.lab.now()
        self.lab.after(snapshot.duration, lambda: self._snapshot_done(instance, snapshot))

    def _snapshot_done(self, instance: Instance, snapshot: Snapshot) -> None:
        snapshot.status = "available"
        self._release(instance)
        self.event("db-snapshot", snapshot.identifier, "creation", "Manual snapshot created")

    def _release(self, instance: Instance) -> None:
        if instance.status == "backing-up":
            instance.status = "available"

    def _find_snapshot(self, name: str) -> Snapshot:
        identifier = name.rpartition(":snapshot:")[2].lower()
        if identifier not in self.snapshots:
            raise rds_query.not_found("DBSnapshot", "DBSnapshotNotFound", identifier)
        return self.snapshots[identifier]

    def describe_db_snapshots(self, request: dict) -> dict:
        """Snapshots by identifier; of one instance (existing or not), of one type."""
        if "DBSnapshotIdentifier" in request:
            found = [self._find_snapshot(request["DBSnapshotIdentifier"])]
        else:
            found = [snapshot for _, snapshot in sorted(self.snapshots.items())]
        source = request.get("DBInstanceIdentifier", "").rpartition(":db:")[2].lower()
        kept = [
            snapshot
            for snapshot in rds_query.filtered(found, request, FILTERS)
            if source in ("", snapshot.source.identifier)
            and request.get("SnapshotType", "manual") == "manual"
            and request.get("DbiResourceId") in (None, snapshot.source.resource_id)
        ]
        shown = [snapshot.describe(self.lab.now(), self.tags[snapshot.arn]) for snapshot in kept]
        return rds_query.answer("DBSnapshots", shown, request)

    def delete_db_snapshot(self, request: dict) -> dict:
        """Delete a snapshot and its data."""
        snapshot = self._find_snapshot(request["DBSnapshotIdentifier"])
        if snapshot.status not in ("available", "failed"):
            raise ApiError(
                "InvalidDBSnapshotState", f"Cannot delete the snapshot because it is in {snapshot.status} state."
            )
        snapshot.status = "deleted"
        shown = snapshot.describe(self.lab.now(), self.tags.pop(snapshot.arn))
        del self.snapshots[snapshot.identifier]
        self.event("db-snapshot", snapshot.identifier, "deletion", "Deleted manual snapshot")
        self.lab.background(lambda: shutil.rmtree(snapshot.directory))
        return {"DBSnapshot": shown}

    # Restore

    def restore_db_instance_from_db_snapshot(self, request: dict) -> dict:
        """A new instance with the snapshot's data; what is not passed gets RDS's default, not the source's setting."""
        rds_query.refuse_unknown(request, RESTORE, "RestoreDBInstanceFromDBSnapshot")
        if "DBSnapshotIdentifier" not in request:
            raise invalid("The parameter DBSnapshotIdentifier must be provided and must not be blank.")
        identifier = check_identifier(request["DBInstanceIdentifier"], "DBInstanceIdentifier")
        if identifier in self.instances:
            raise ApiError("DBInstanceAlreadyExists", "DB instance already exists")
        snapshot = self._find_snapshot(request["DBSnapshotIdentifier"])
        if snapshot.status != "available":
            message = f"The DB snapshot {snapshot.identifier} is not in the available state: {snapshot.status}."
            raise ApiError("InvalidDBSnapshotState", message)
        instance = self.new_instance(
            request, self._restored(snapshot, request), snapshot.source.master_username, snapshot.source.database
        )
        if not request.get("Tags"):
            self.tags[instance.arn] = dict(snapshot.source_tags)
        if self._next_restore:
            status, message = self._next_restore
            self._next_restore = None
            self.lab.after(self.lab.durations.restore, lambda: self.fail(instance, status, message))
        else:
            copy = snapshot.directory / "data"
            done = f"Restored from snapshot {snapshot.identifier}"
            self.bring_up(instance, lambda: instance.server.initialise_from(copy), done)
        return {"DBInstance": self.shown(instance)}

    def _restored(self, snapshot: Snapshot, request: dict) -> dict:
        origin = snapshot.source.settings
        inherited = {name: origin[name] for name in FROM_SNAPSHOT if name in origin}
        asked = self.asked_settings(request)
        if asked.get("AllocatedStorage", origin["AllocatedStorage"]) < origin["AllocatedStorage"]:
            raise invalid(f"The allocated storage can't be less than the snapshot's {origin['AllocatedStorage']} GiB.")
        if "KmsKeyId" in inherited:
            self.network.key(inherited["KmsKeyId"])
        return {**rds_settings.defaults(), **inherited, **asked, **rds_settings.storage(request, origin)}

    def fail_next_restore(self, status: str, message: str | None = None) -> None:
        """Let the next restore end in a terminal state such as incompatible-network."""
        if status not in FAILURES:
            raise ValueError(f"no terminal state {status}; there are {', '.join(FAILURES)}")
        self._next_restore = (status, message or FAILURES[status])
