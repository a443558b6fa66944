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
from .lifecycle import Lifecycle
from .store import Part, Store

CREATE = {
    "AllocatedStorage", "AutoMinorVersionUpgrade", "AvailabilityZone", "CACertificateIdentifier", "CopyTagsToSnapshot",
    "DBInstanceClass", "DBInstanceIdentifier", "DBParameterGroupName", "DBSubnetGroupName", "DeletionProtection",
    "EnableCloudwatchLogsExports", "EnableIAMDatabaseAuthentication", "Iops", "MaxAllocatedStorage", "MultiAZ", "OptionGroupName",
    "Port", "PubliclyAccessible", "SourceDBInstanceIdentifier", "StorageThroughput", "StorageType", "Tags", "VpcSecurityGroupIds",
}  # fmt: skip
INHERITED = (
    "AllocatedStorage", "DBInstanceClass", "EngineVersion", "KmsKeyId", "LicenseModel", "Port", "StorageEncrypted",
)  # fmt: skip


class Replicas(Part):
    """The part of RDS that makes read replicas."""

    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        super().__init__(store)
        self._lifecycle = lifecycle

    def create_db_instance_read_replica(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new instance that follows another one, with the groups and the main settings of that one."""
        rds_query.refuse_unknown(request, CREATE, "CreateDBInstanceReadReplica")
        source = self.store.find_instance(request["SourceDBInstanceIdentifier"])
        self.store.require(source, *USABLE)
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
            **self._lifecycle.asked_settings(request),
            **rds_settings.storage(request, source.settings),
        }
        instance = self._lifecycle.new_instance(
            {**groups, **request}, settings, source.master_username, source.database
        )
        instance.replica_of = source.identifier
        self._lifecycle.bring_up(instance, lambda: self._follow(source, instance), "Read replica created")
        return {"DBInstance": self._lifecycle.shown(instance)}

    def _follow(self, source: Instance, instance: Instance) -> None:
        directory = self.store.installation.new_directory()
        source.server.backup(directory, to_follow=True)
        instance.server.initialise_from(directory / "data")
        shutil.rmtree(directory)
