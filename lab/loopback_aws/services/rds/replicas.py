# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's read replicas: hot standbys that follow their source. They are not promoted, snapshotted or copied themselves."""

from __future__ import annotations

import shutil
from typing import Any

from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .backups import backs_up
from .instance import USABLE, Instance

CREATE = {
    "AllocatedStorage", "AutoMinorVersionUpgrade", "AvailabilityZone", "CACertificateIdentifier", "CopyTagsToSnapshot",
    "DBInstanceClass", "DBInstanceIdentifier", "DBParameterGroupName", "DBSubnetGroupName", "DeletionProtection",
    "EnableCloudwatchLogsExports", "EnableIAMDatabaseAuthentication", "Iops", "MaxAllocatedStorage", "MultiAZ", "OptionGroupName",
    "Port", "PubliclyAccessible", "SourceDBInstanceIdentifier", "StorageThroughput", "StorageType", "Tags", "VpcSecurityGroupIds",
}  # fmt: skip
INHERITED = (
    "AllocatedStorage", "DBInstanceClass", "EngineVersion", "KmsKeyId", "LicenseModel", "Port", "StorageEncrypted",
)  # fmt: skip


class Replicas:
    """The part of RDS that makes read replicas."""

    def replicas_of(self, instance: Instance) -> list[str]:
        """ReadReplicaDBInstanceIdentifiers."""
        return sorted(each.identifier for each in self.instances.values() if each.replica_of == instance.identifier)

    def refuse_replication(self, instance: Instance) -> None:
        """Refuse what neither a replica nor the source of one may do.

        :raises ApiError: InvalidDBInstanceState.
        """
        if instance.replica_of or self.replicas_of(instance):
            message = f"The DB instance {instance.identifier} is a read replica or the source of one."
            raise ApiError("InvalidDBInstanceState", message)

    def create_db_instance_read_replica(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new instance that follows another one, with the groups and the main settings of that one."""
        rds_query.refuse_unknown(request, CREATE, "CreateDBInstanceReadReplica")
        source = self.find_instance(request["SourceDBInstanceIdentifier"])
        self.require(source, *USABLE)
        if not backs_up(source):
            message = f"Automated backups are not enabled for {source.identifier}. Set the backup retention period to a non-zero value."
            raise ApiError("InvalidDBInstanceState", message)
        groups = {
            "DBSubnetGroupName": source.subnet_group["DBSubnetGroupName"],
            "DBParameterGroupName": source.parameter_group,
            "OptionGroupName": source.option_group,
        }
        settings = {
            **rds_settings.defaults(),
            **{name: source.settings[name] for name in INHERITED if name in source.settings},
            "BackupRetentionPeriod": 0,
            **self.asked_settings(request),
            **rds_settings.storage(request, source.settings),
        }
        instance = self.new_instance({**groups, **request}, settings, source.master_username, source.database)
        instance.replica_of = source.identifier
        self.bring_up(instance, lambda: self._follow(source, instance), "Read replica created")
        return {"DBInstance": self.shown(instance)}

    def _follow(self, source: Instance, instance: Instance) -> None:
        directory = self.installation.new_directory()
        source.server.backup(directory, to_follow=True)
        instance.server.initialise_from(directory / "data")
        shutil.rmtree(directory)
