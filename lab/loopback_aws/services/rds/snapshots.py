# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's snapshots: real backups of the lab's instances, and records of snapshots that the lab never took."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from ...postgres import Installation, PostgresError
from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .instance import USABLE, Instance
from .settings import check_identifier, conflict

FILTERS = {
    "db-instance-id": lambda snapshot: (snapshot.source.identifier, snapshot.source.arn),
    "db-snapshot-id": lambda snapshot: (snapshot.identifier, snapshot.arn),
    "dbi-resource-id": lambda snapshot: (snapshot.source.resource_id,),
    "snapshot-type": lambda snapshot: (snapshot.kind,),
    "engine": lambda snapshot: (snapshot.engine,),
}


@dataclasses.dataclass
class Snapshot:
    """A snapshot. `source` is the instance as it was at that time, `directory`/data the backup, if the lab took one."""

    identifier: str
    arn: str
    source: Instance
    source_tags: dict[str, str]
    directory: pathlib.Path | None
    duration: float  # seconds
    status: str = "creating"
    created_at: datetime.datetime | None = None
    original_at: datetime.datetime | None = None  # of a copy: when the data are from
    kind: str = "manual"  # SnapshotType
    engine: str = rds_settings.ENGINE

    def data(self) -> pathlib.Path:
        """The backup.

        :raises ApiError: there is only a record of this snapshot (`record_snapshot`).
        """
        if self.directory is None:
            raise conflict(f"The lab has no data of the DB snapshot {self.identifier} ({self.engine}).")
        return self.directory / "data"

    def progress(self, now: datetime.datetime) -> int:
        """PercentProgress."""
        if self.created_at is None:
            return 0
        past = (now - self.created_at).total_seconds()
        return 100 if self.status != "creating" else min(99, int(100 * past / max(self.duration, 0.001)))

    def describe(self, now: datetime.datetime, tags: dict[str, str]) -> dict[str, Any]:
        """The snapshot in the shape DBSnapshot."""
        settings = self.source.settings
        shown = {
            "DBSnapshotIdentifier": self.identifier,
            "DBSnapshotArn": self.arn,
            "DBInstanceIdentifier": self.source.identifier,
            "DbiResourceId": self.source.resource_id,
            "Engine": self.engine,
            "Status": self.status,
            "PercentProgress": self.progress(now),
            "SnapshotType": self.kind,
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
                OriginalSnapshotCreateTime=self.original_at or self.created_at,
                SnapshotDatabaseTime=self.original_at or self.created_at,
            )
        return shown


class Snapshots:
    """The part of RDS that keeps snapshots."""

    installation: Installation
    tags: dict[str, dict[str, str]]

    def __init__(self, lab) -> None:
        self.snapshots: dict[str, Snapshot] = {}
        super().__init__(lab)

    # Snapshots

    def create_db_snapshot(self, request: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        """A snapshot of what is committed by the time of the answer. The instance is `backing-up` meanwhile."""
        instance = self.find_instance(request["DBInstanceIdentifier"])
        self.require(instance, *USABLE)
        backup = self.begin_snapshot(instance, request["DBSnapshotIdentifier"], rds_query.tags_from(request))
        snapshot = self.find_snapshot(request["DBSnapshotIdentifier"])
        instance.status = "backing-up"
        answer = {"DBSnapshot": snapshot.describe(self.lab.now(), self.tags[snapshot.arn])}

        def finish() -> dict[str, Any]:
            backup()
            return answer

        return finish

    def begin_snapshot(self, instance: Instance, name: str, tags: dict[str, str]) -> Callable[[], None]:
        """A snapshot in the status creating, and the function that does the work; it blocks and wants no lock.

        :raises ApiError: the name is taken or not valid, the quota is reached.
        """
        if instance.replica_of:
            raise conflict("The lab takes no snapshots of read replicas.")
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

    def end_snapshot(self, name: str) -> None:
        """End a snapshot now, however long it would take."""
        snapshot = self.find_snapshot(name)
        self._snapshot_done(self.find_instance(snapshot.source.identifier), snapshot)

    def _snapshot_done(self, instance: Instance, snapshot: Snapshot) -> None:
        if snapshot.status != "creating":  # it was ended before
            return
        snapshot.status = "available"
        self._release(instance)
        self.event("db-snapshot", snapshot.identifier, "creation", "Manual snapshot created")

    def _release(self, instance: Instance) -> None:
        if instance.status == "backing-up":
            instance.status = "available"

    def record_snapshot(
        self,
        name: str,
        db_instance: str,
        status: str = "available",
        kind: str = "manual",
        engine: str = rds_settings.ENGINE,
        engine_version: str | None = None,
        created: str | None = None,
    ) -> None:
        """Have a snapshot that the lab never took: of another engine or day, automated, or in `status` for ever.

        It is described like any other one, with the settings of `db_instance`. `created` is in ISO 8601; default: now.
        """
        source = self.find_instance(db_instance)
        version = engine_version or source.settings["EngineVersion"]
        snapshot = Snapshot(
            identifier=name.lower(),
            arn=self.lab.arn("rds", f"snapshot:{name.lower()}"),
            source=dataclasses.replace(source, settings={**source.settings, "EngineVersion": version}),
            source_tags=dict(self.tags[source.arn]),
            directory=None,
            duration=3600.0,
            status=status,
            created_at=datetime.datetime.fromisoformat(created) if created else self.lab.now(),
            kind=kind,
            engine=engine,
        )
        self.snapshots[snapshot.identifier] = snapshot
        self.tags[snapshot.arn] = {}

    def find_snapshot(self, name: str) -> Snapshot:
        """The snapshot by identifier or ARN.

        :raises ApiError: DBSnapshotNotFound.
        """
        identifier = name.rpartition(":snapshot:")[2].lower()
        if identifier not in self.snapshots:
            raise rds_query.not_found("DBSnapshot", "DBSnapshotNotFound", identifier)
        return self.snapshots[identifier]

    def describe_db_snapshots(self, request: dict[str, Any]) -> dict[str, Any]:
        """Snapshots by identifier; of one instance (existing or not), of one type."""
        if "DBSnapshotIdentifier" in request:
            found = [self.find_snapshot(request["DBSnapshotIdentifier"])]
        else:
            found = [snapshot for _, snapshot in sorted(self.snapshots.items())]
        source = request.get("DBInstanceIdentifier", "").rpartition(":db:")[2].lower()
        kept = [
            snapshot
            for snapshot in rds_query.filtered(found, request, FILTERS)
            if source in ("", snapshot.source.identifier)
            and request.get("SnapshotType") in (None, snapshot.kind)
            and request.get("DbiResourceId") in (None, snapshot.source.resource_id)
        ]
        shown = [snapshot.describe(self.lab.now(), self.tags[snapshot.arn]) for snapshot in kept]
        return rds_query.answer("DBSnapshots", shown, request)

    def delete_db_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a snapshot and its data."""
        snapshot = self.find_snapshot(request["DBSnapshotIdentifier"])
        if snapshot.status not in ("available", "failed"):
            raise ApiError(
                "InvalidDBSnapshotState", f"Cannot delete the snapshot because it is in {snapshot.status} state."
            )
        snapshot.status = "deleted"
        shown = snapshot.describe(self.lab.now(), self.tags.pop(snapshot.arn))
        del self.snapshots[snapshot.identifier]
        self.event("db-snapshot", snapshot.identifier, "deletion", "Deleted manual snapshot")
        if snapshot.directory:
            self.lab.background(lambda: shutil.rmtree(snapshot.directory))
        return {"DBSnapshot": shown}
