# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A DB instance: what RDS knows about it, and how DescribeDBInstances shows that."""

from __future__ import annotations

import dataclasses
import datetime
import random
import string
from typing import Any

from ...postgres import Server
from . import settings as rds_settings
from .query import tag_list

HOSTED_ZONE = "ZMESEXB7ZGGQ3"  # Route 53's zone of RDS endpoints in eu-west-3
CERTIFICATE_LIFE = datetime.timedelta(days=365)
USABLE = ("available", "storage-optimization")


def new_resource_id() -> str:
    """A DbiResourceId: unlike the identifier, it stays with the instance for ever."""
    return "db-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=26))


@dataclasses.dataclass
class Instance:
    """One DB instance. `settings` and `pending` use the names of `rds_settings.SETTINGS`."""

    identifier: str
    arn: str
    settings: dict[str, Any]
    master_username: str
    database: str | None
    subnet_group: dict[str, Any]
    zones: list[str]  # of the primary and of the standby
    security_groups: dict[str, str]  # id → active, adding, removing
    parameter_group: str
    option_group: str
    server: Server
    created_at: datetime.datetime
    status: str = "creating"
    parameter_status: str = "in-sync"
    resource_id: str = dataclasses.field(default_factory=new_resource_id)
    pending: dict[str, Any] = dataclasses.field(default_factory=dict)
    due: set[str] = dataclasses.field(
        default_factory=set
    )  # of `pending`: what is applied without waiting for the window
    modification_planned: bool = False
    optimizes_storage: bool = False  # once the modification under way is done
    takes_first_backup: bool = False
    begins_backups: bool = False  # once the modification under way is done
    initializes: tuple[datetime.datetime, float] | None = (
        None  # since when its blocks are loaded, and for how many seconds
    )
    endpoint: bool = False  # whether it has one
    reachable: bool = False  # whether the security groups let anyone in
    roles: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)  # (ARN, feature) → status
    backups_since: datetime.datetime | None = None
    replica_of: str | None = None
    log_ends: datetime.datetime | None = None  # while it is stopped
    restarts_at: datetime.datetime | None = None

    @property
    def active_groups(self) -> list[str]:
        """The security groups in force."""
        return [group for group, status in self.security_groups.items() if status != "adding"]

    def storage_operation(self, now: datetime.datetime) -> dict[str, Any]:
        """StorageOperationStatus and its percentage, while the blocks of a restored instance are loaded."""
        if not self.endpoint or self.initializes is None:
            return {}
        since, seconds = self.initializes
        past = (now - since).total_seconds()
        if past >= seconds:
            return {}
        return {"StorageOperationStatus": "Initializing", "StorageOperationPercentProgress": int(100 * past / seconds)}

    def describe(self, tags: dict[str, str]) -> dict[str, Any]:
        """The instance in the shape DBInstance."""
        shown = {
            name: value
            for name, value in rds_settings.settle(self.settings).items()
            if name
            not in (
                "Port",
                "OptionGroupName",
                "DBSubnetGroupName",
                "MasterUserPassword",
                "EnabledCloudwatchLogsExports",
            )
        }
        shown.update(
            DBInstanceIdentifier=self.identifier,
            DBInstanceArn=self.arn,
            DbiResourceId=self.resource_id,
            DBInstanceStatus=self.status,
            Engine=rds_settings.ENGINE,
            MasterUsername=self.master_username,
            InstanceCreateTime=self.created_at,
            DbInstancePort=0,
            AvailabilityZone=self.zones[0],
            DBSubnetGroup=self.subnet_group,
            VpcSecurityGroups=[
                {"VpcSecurityGroupId": group, "Status": status} for group, status in self.security_groups.items()
            ],
            DBParameterGroups=[
                {"DBParameterGroupName": self.parameter_group, "ParameterApplyStatus": self.parameter_status}
            ],
            OptionGroupMemberships=self._option_groups(),
            PendingModifiedValues=self._pending(),
            TagList=tag_list(tags),
            CustomerOwnedIpEnabled=False,
            ActivityStreamStatus="stopped",
            MultiTenant=False,
            DBSecurityGroups=[],
            DomainMemberships=[],
            AssociatedRoles=[
                {"RoleArn": arn, "FeatureName": feature, "Status": status}
                for (arn, feature), status in self.roles.items()
            ],
        )
        shown.update(self._sometimes())
        return shown

    def _sometimes(self) -> dict[str, Any]:
        """Members that are left out as long as there is nothing to say."""
        shown: dict[str, Any] = {}
        if self.database:
            shown["DBName"] = self.database
        if self.endpoint:
            shown["Endpoint"] = {
                "Address": self.server.address,
                "Port": self.settings["Port"],
                "HostedZoneId": HOSTED_ZONE,
            }
            valid_till = self.created_at.replace(microsecond=0) + CERTIFICATE_LIFE
            shown["CertificateDetails"] = {
                "CAIdentifier": self.settings["CACertificateIdentifier"],
                "ValidTill": valid_till,
            }
        if self.settings["MultiAZ"]:
            shown["SecondaryAvailabilityZone"] = self.zones[1]
        if self.settings["EnabledCloudwatchLogsExports"]:
            shown["EnabledCloudwatchLogsExports"] = self.settings["EnabledCloudwatchLogsExports"]
        if self.replica_of:
            shown["ReadReplicaSourceDBInstanceIdentifier"] = self.replica_of
        if self.replica_of and self.endpoint:
            shown["StatusInfos"] = [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]
        if self.restarts_at:
            shown["AutomaticRestartTime"] = self.restarts_at
        if self.settings["MonitoringInterval"]:
            _, _, _, region, account, *_ = self.arn.split(":")
            stream = f"log-group:RDSOSMetrics:log-stream:{self.resource_id}"
            shown["EnhancedMonitoringResourceArn"] = f"arn:aws:logs:{region}:{account}:{stream}"
        return shown

    def _option_groups(self) -> list[dict[str, Any]]:
        groups = [{"OptionGroupName": self.option_group, "Status": "in-sync"}]
        if "OptionGroupName" in self.pending:
            status = "pending-apply" if "OptionGroupName" in self.due else "pending-maintenance-apply"
            groups.append({"OptionGroupName": self.pending["OptionGroupName"], "Status": status})
        return groups

    def _pending(self) -> dict[str, Any]:
        """PendingModifiedValues: it has a member for some settings only."""
        members = {
            "AllocatedStorage", "BackupRetentionPeriod", "CACertificateIdentifier", "DBInstanceClass", "DBSubnetGroupName",
            "DedicatedLogVolume", "EngineVersion", "IAMDatabaseAuthenticationEnabled", "Iops", "LicenseModel", "MultiAZ", "Port",
            "StorageThroughput", "StorageType",
        }  # fmt: skip
        shown = {name: value for name, value in self.pending.items() if name in members}
        if "MasterUserPassword" in self.pending:
            shown["MasterUserPassword"] = "****"
        if "EnabledCloudwatchLogsExports" in self.pending:
            now, then = (
                set(self.settings["EnabledCloudwatchLogsExports"]),
                set(self.pending["EnabledCloudwatchLogsExports"]),
            )
            changes = {"LogTypesToEnable": sorted(then - now), "LogTypesToDisable": sorted(now - then)}
            shown["PendingCloudwatchLogsExports"] = {name: types for name, types in changes.items() if types}
        return shown
