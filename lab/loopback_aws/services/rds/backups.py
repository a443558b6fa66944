# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's automated backups: a base backup and the transaction log since then, and the times that they can be restored to.

The log is the server's own pg_wal, from which PostgreSQL is told to remove nothing.
"""

from __future__ import annotations

import datetime
import pathlib
from typing import Any

from ...postgres import PostgresError
from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .instance import Instance
from .settings import invalid
from .store import Part

BACKUP_FILTERS = {
    "db-instance-id": lambda instance: (instance.identifier, instance.arn),
    "dbi-resource-id": lambda instance: (instance.resource_id,),
    "status": lambda instance: ("active" if instance.backups_since else "creating",),
}
CLOCK_STEP = datetime.timedelta(milliseconds=1)  # lab.now() is rounded down, and the base is not older than its end


def backs_up(instance: Instance) -> bool:
    """Whether automated backups are on."""
    return bool(instance.settings["BackupRetentionPeriod"] > 0)


class Backups(Part):
    """The part of RDS that keeps automated backups of the instances whose BackupRetentionPeriod is not 0."""

    def take_first_backup(self, instance: Instance) -> None:
        """Be backing-up for durations.backing_up, in which the endpoint answers and every modification is refused; automated backups are there
        after that. RDS does so at once when an instance was created or restored with backups, or gets them."""
        instance.status, instance.takes_first_backup = "backing-up", True
        self.store.event("db-instance", instance.identifier, "backup", "Backing up DB instance")
        self.lab.after(self.lab.durations.backing_up, lambda: self._backed_up(instance))

    def _backed_up(self, instance: Instance) -> None:
        if (
            instance.status != "backing-up" or not instance.takes_first_backup
        ):  # it was deleted meanwhile, has failed, or is backed up
            return
        instance.takes_first_backup = False
        self.begin_backups(instance)
        instance.status = "available"
        self.store.event("db-instance", instance.identifier, "backup", "Finished DB Instance backup")

    def end_first_backup(self, db_instance: str) -> None:
        """End the first backup of an instance now, however long it would take."""
        self._backed_up(self.store.find_instance(db_instance))

    def begin_backups(self, instance: Instance) -> None:
        """LatestRestorableTime is shown from now on, or as soon as the base backup is there."""
        if instance.server.base:
            instance.backups_since = self.lab.now()
        else:
            self.lab.background(lambda: self._back_up_base(instance))

    def _back_up_base(self, instance: Instance) -> None:
        try:
            instance.server.archive()
        except PostgresError as error:
            with self.lab.lock:
                self.store.event(
                    "db-instance", instance.identifier, "backup", f"Unable to back up DB instance: {error}"
                )
            return
        with self.lab.lock:
            if backs_up(instance):
                instance.backups_since = self.lab.now() + CLOCK_STEP

    def end_backups(self, instance: Instance) -> None:
        """Forget the automated backups."""
        instance.backups_since = None
        self.lab.background(instance.server.forget)

    def latest_restorable(self, instance: Instance) -> datetime.datetime | None:
        """LatestRestorableTime: when the log was last uploaded; None without automated backups."""
        if instance.backups_since is None:
            return None
        step = self.lab.durations.log_upload
        past = ((instance.log_ends or self.lab.now()) - instance.backups_since).total_seconds()
        return instance.backups_since + datetime.timedelta(seconds=past // step * step if step else past)

    def earliest_restorable(self, instance: Instance) -> datetime.datetime:
        """The first time that the automated backups cover."""
        retention = datetime.timedelta(days=instance.settings["BackupRetentionPeriod"])
        first = self.lab.now() - retention
        return max(instance.backups_since or first, first)

    def describe_db_instance_automated_backups(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the automated backups of each instance cover. The lab retains none of an instance that is deleted."""
        name = request.get("DBInstanceIdentifier", "").rpartition(":db:")[2].lower()
        known = {"DBInstanceIdentifier", "DbiResourceId", "Filters", "Marker", "MaxRecords"}
        rds_query.refuse_unknown(request, known, "DescribeDBInstanceAutomatedBackups")
        found = [
            instance
            for _, instance in sorted(self.store.instances.items())
            if backs_up(instance)
            and name in ("", instance.identifier)
            and request.get("DbiResourceId") in (None, instance.resource_id)
        ]
        kept = rds_query.filtered(found, request, BACKUP_FILTERS)
        return rds_query.answer("DBInstanceAutomatedBackups", [self._shown_backup(each) for each in kept], request)

    def _shown_backup(self, instance: Instance) -> dict[str, Any]:
        same = (
            "AllocatedStorage", "BackupRetentionPeriod", "BackupTarget", "DedicatedLogVolume", "EngineVersion",
            "IAMDatabaseAuthenticationEnabled", "Iops", "KmsKeyId", "LicenseModel", "Port", "PreferredBackupWindow", "StorageThroughput",
            "StorageType",
        )  # fmt: skip
        shown = {name: instance.settings[name] for name in same if name in instance.settings}
        window = {}
        if instance.backups_since:
            window = {
                "EarliestTime": self.earliest_restorable(instance),
                "LatestTime": self.latest_restorable(instance),
            }
        return {
            **shown,
            "DBInstanceArn": instance.arn,
            "DBInstanceIdentifier": instance.identifier,
            "DBInstanceAutomatedBackupsArn": self.lab.arn("rds", f"auto-backup:ab-{instance.resource_id[3:].lower()}"),
            "DbiResourceId": instance.resource_id,
            "Region": self.lab.region,
            "RestoreWindow": window,
            "Status": "active" if instance.backups_since else "creating",
            "AvailabilityZone": instance.zones[0],
            "VpcId": instance.subnet_group["VpcId"],
            "InstanceCreateTime": instance.created_at,
            "MasterUsername": instance.master_username,
            "Engine": rds_settings.ENGINE,
            "OptionGroupName": instance.option_group,
            "Encrypted": instance.settings["StorageEncrypted"],
            "MultiTenant": False,
        }

    def restorable(self, instance: Instance, asked: datetime.datetime | None) -> tuple[pathlib.Path, datetime.datetime]:
        """The base backup, and the time to replay the log to: the one asked for, or the latest.

        :raises ApiError: PointInTimeRestoreNotEnabled; or the time is outside what the backups cover.
        """
        latest = self.latest_restorable(instance)
        if not backs_up(instance):
            message = f"Point in time restore is not enabled for {instance.identifier}: its BackupRetentionPeriod is 0."
            raise ApiError("PointInTimeRestoreNotEnabled", message)
        if latest is None:
            message = f"No automated backup for {instance.identifier} was found."
            raise ApiError("DBInstanceAutomatedBackupNotFound", message)
        moment, earliest = asked or latest, self.earliest_restorable(instance)
        for wrong, word, limit in ((moment > latest, "later", latest), (moment < earliest, "earlier", earliest)):
            if wrong:
                told = limit.isoformat(timespec="seconds").replace("+00:00", "Z")
                raise invalid(f"The specified instance cannot be restored to a time {word} than {told}.")
        if instance.server.base is None:
            raise RuntimeError(f"{instance.identifier} tells a time to restore to, and has no base")
        return instance.server.base, moment
