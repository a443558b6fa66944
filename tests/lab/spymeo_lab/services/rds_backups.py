# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's automated backups: a base backup and the transaction log since then, and the times that they can be restored to.

The log is the server's own pg_wal, from which PostgreSQL is told to remove nothing.
"""

from __future__ import annotations

import datetime
import pathlib

from ..postgres import PostgresError
from ..wire import ApiError
from .rds_instance import Instance
from .rds_settings import invalid

CLOCK_STEP = datetime.timedelta(milliseconds=1)  # lab.now() is rounded down, and the base is not older than its end


def backs_up(instance: Instance) -> bool:
    """Whether automated backups are on."""
    return instance.settings["BackupRetentionPeriod"] > 0


class Backups:
    """The part of RDS that keeps automated backups of the instances whose BackupRetentionPeriod is not 0."""

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
                self.event("db-instance", instance.identifier, "backup", f"Unable to back up DB instance: {error}")
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

    def restorable(self, instance: Instance, asked: datetime.datetime | None) -> tuple[pathlib.Path, datetime.datetime]:
        """The base backup, and the time to replay the log to: the one asked for, or the latest.

        :raises ApiError: PointInTimeRestoreNotEnabled; or the time is outside what the backups cover.
        """
        retention, latest = instance.settings["BackupRetentionPeriod"], self.latest_restorable(instance)
        if not backs_up(instance):
            message = f"Point in time restore is not enabled for {instance.identifier}: its BackupRetentionPeriod is 0."
            raise ApiError("PointInTimeRestoreNotEnabled", message)
        if latest is None:
            message = f"No automated backup for {instance.identifier} was found."
            raise ApiError("DBInstanceAutomatedBackupNotFound", message)
        moment = asked or latest
        earliest = max(instance.backups_since, self.lab.now() - datetime.timedelta(days=retention))
        for wrong, word, limit in ((moment > latest, "later", latest), (moment < earliest, "earlier", earliest)):
            if wrong:
                told = limit.isoformat(timespec="seconds").replace("+00:00", "Z")
                raise invalid(f"The specified instance cannot be restored to a time {word} than {told}.")
        return instance.server.base, moment
