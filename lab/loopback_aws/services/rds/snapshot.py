# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: a snapshot as a record: where its data are, and how AWS shows it."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
from typing import Any

from . import query as rds_query
from . import settings as rds_settings
from .instance import Instance
from .settings import conflict

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

    @property
    def place(self) -> pathlib.Path:
        """The directory of a snapshot that the lab takes itself."""
        if self.directory is None:
            raise RuntimeError(f"the snapshot {self.identifier} is a record only")
        return self.directory

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
