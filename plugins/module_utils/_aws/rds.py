# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls RDS."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import REFUSALS, BadInput, reading
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot

_LAST = datetime.max.replace(tzinfo=timezone.utc)
EVIDENCE_EVENTS = 8
EVENT_MINUTES = 180  # a restore that fails after hours has told why just before


class RdsGateway:
    """Reads DB instances and snapshots of one region, and makes new ones. It deletes nothing."""

    def __init__(self, client: Any) -> None:
        self._rds = client

    def instances(self) -> list[DbInstance]:
        """Every DbInstance of the region."""
        pages = self._rds.get_paginator("describe_db_instances").paginate()
        return [_instance(answer, "DescribeDBInstances") for page in pages for answer in page["DBInstances"]]

    def instance(self, name: str) -> DbInstance | None:
        """The DbInstance of that name, or None."""
        try:
            answer = self._rds.describe_db_instances(DBInstanceIdentifier=name)
        except is_boto3_error_code("DBInstanceNotFound"):
            return None
        return _instance(answer["DBInstances"][0], "DescribeDBInstances")

    def source(self, name: str) -> DbInstance:
        """The DbInstance that the option ``db_instance`` names.

        :raises BadInput: there is none.
        """
        found = self.instance(name)
        if found is None:
            raise BadInput("db_instance", name, "there is no such DB instance in %s" % self._rds.meta.region_name)
        return found

    def snapshot(self, name: str) -> DbSnapshot | None:
        """The DbSnapshot of that name, or None."""
        try:
            answer = self._rds.describe_db_snapshots(DBSnapshotIdentifier=name)
        except is_boto3_error_code("DBSnapshotNotFound"):
            return None
        return _snapshot(answer["DBSnapshots"][0], "DescribeDBSnapshots")

    def snapshots_of(self, instance: str) -> list[DbSnapshot]:
        """The DbSnapshots of a DB instance, by its name, oldest first."""
        pages = self._rds.get_paginator("describe_db_snapshots").paginate(DBInstanceIdentifier=instance)
        found = [_snapshot(answer, "DescribeDBSnapshots") for page in pages for answer in page["DBSnapshots"]]
        return sorted(found, key=lambda item: item.created or _LAST)

    def earliest_restorable(self, instance: str) -> dict[str, datetime]:
        """The earliest time that the automated backups of an instance (its name) can be restored to: DbiResourceId → datetime."""
        pages = self._rds.get_paginator("describe_db_instance_automated_backups").paginate(
            DBInstanceIdentifier=instance
        )
        try:
            found = [backup for page in pages for backup in page["DBInstanceAutomatedBackups"]]
        except is_boto3_error_code("DBInstanceAutomatedBackupNotFound"):
            return {}
        with reading("DescribeDBInstanceAutomatedBackups"):
            return {
                backup["DbiResourceId"]: backup["RestoreWindow"]["EarliestTime"]
                for backup in found
                if backup.get("RestoreWindow", {}).get("EarliestTime")  # none before the first backup is there
            }

    def authorities(self) -> dict[str, datetime]:
        """The CAs that an instance can be given: a dict from their names to the ends of their lives (datetime)."""
        pages = self._rds.get_paginator("describe_certificates").paginate()
        with reading("DescribeCertificates"):
            found = [item for page in pages for item in page["Certificates"]]
            return {
                item["CertificateIdentifier"]: item["ValidTill"] for item in found if item["CertificateType"] == "CA"
            }

    def quotas(self) -> dict[str, tuple[int, int]]:
        """What this account may have in this region: quota name → (used, maximum). The unit of AllocatedStorage is GiB."""
        answer = self._rds.describe_account_attributes()
        with reading("DescribeAccountAttributes"):
            return {item["AccountQuotaName"]: (item["Used"], item["Max"]) for item in answer["AccountQuotas"]}

    def offered(self, instance: DbInstance) -> bool:
        """Whether RDS still offers the class of a DbInstance for its engine version."""
        answer = self._rds.describe_orderable_db_instance_options(
            Engine=instance.engine,
            EngineVersion=instance.engine_version,
            DBInstanceClass=instance.description["DBInstanceClass"],
            MaxRecords=20,
        )
        return bool(answer["OrderableDBInstanceOptions"])

    def subnet_group(self, name: str) -> str | None:
        """The status of a DB subnet group (``Complete``), or None when there is none."""
        try:
            answer = self._rds.describe_db_subnet_groups(DBSubnetGroupName=name)
        except is_boto3_error_code("DBSubnetGroupNotFoundFault"):
            return None
        with reading("DescribeDBSubnetGroups"):
            status: str = answer["DBSubnetGroups"][0]["SubnetGroupStatus"]
            return status

    def proxies_of(self, instance: str) -> list[str]:
        """The names of the RDS Proxies that send to a DB instance (its name)."""
        pages = self._rds.get_paginator("describe_db_proxies").paginate()
        names = [proxy["DBProxyName"] for page in pages for proxy in page["DBProxies"]]
        return [name for name in names if instance in self._targets_of(name)]

    def _targets_of(self, proxy: str) -> list[str | None]:
        pages = self._rds.get_paginator("describe_db_proxy_targets").paginate(DBProxyName=proxy)
        return [target.get("RdsResourceId") for page in pages for target in page["Targets"]]

    def take_snapshot(self, instance: str, name: str, tags: Mapping[str, str]) -> bool | None:
        """Start a snapshot. Returns True; False when one of that name is there: the reply to an earlier call may have been lost; None
        when the instance takes none in the state that it is in now.
        """
        try:
            self._rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier=name, Tags=_tag_list(tags))
        except is_boto3_error_code("DBSnapshotAlreadyExists"):
            return False
        except is_boto3_error_code("InvalidDBInstanceState"):
            # While a snapshot is taken its source is backing-up: it may be this very one.
            return None if self.snapshot(name) is None else False
        return True

    def restore(self, operation: str, request: Mapping[str, Any]) -> bool:
        """Start RestoreDBInstanceFromDBSnapshot or RestoreDBInstanceToPointInTime. Returns True, or False when an instance of that
        name is there.

        RDS has no client token: the name is the guard, so the caller looks whose instance it is.
        """
        start = dict(
            RestoreDBInstanceFromDBSnapshot=self._rds.restore_db_instance_from_db_snapshot,
            RestoreDBInstanceToPointInTime=self._rds.restore_db_instance_to_point_in_time,
        )[operation]
        try:
            start(**request)
        except is_boto3_error_code("DBInstanceAlreadyExists"):
            return False
        return True

    def modify(self, request: Mapping[str, Any]) -> bool:
        """Start ModifyDBInstance. Returns True, or False when the instance takes no change in the state that it is in now."""
        try:
            self._rds.modify_db_instance(**request)
        except is_boto3_error_code("InvalidDBInstanceState"):
            return False
        return True

    def reboot(self, name: str) -> bool:
        """Start RebootDBInstance. Returns True, or False when the instance cannot be rebooted in the state that it is in now."""
        try:
            self._rds.reboot_db_instance(DBInstanceIdentifier=name)
        except is_boto3_error_code("InvalidDBInstanceState"):
            return False
        return True

    def add_role(self, name: str, role: str, feature: str) -> bool:
        """Start AddRoleToDBInstance. Returns True, or False when the instance has it, or takes none in the state that it is in now."""
        request = dict(DBInstanceIdentifier=name, RoleArn=role, FeatureName=feature)
        try:
            self._rds.add_role_to_db_instance(**request)
        except is_boto3_error_code(("DBInstanceRoleAlreadyExists", "InvalidDBInstanceState")):
            return False
        return True

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags (dict) to what has this ARN, or give those that it has another value."""
        self._rds.add_tags_to_resource(ResourceName=arn, Tags=_tag_list(tags))

    def stop(self, name: str) -> str | None:
        """Start StopDBInstance. Returns None, or what RDS says against it."""
        try:
            self._rds.stop_db_instance(DBInstanceIdentifier=name)
        except is_boto3_error_code("InvalidDBInstanceState") as error:
            told: str = error.response["Error"]["Message"]
            return told
        return None

    def accepts(self, operation: str) -> frozenset[str]:
        """The names of the parameters of ``operation`` that this botocore knows."""
        return frozenset(self._rds.meta.service_model.operation_model(operation).input_shape.members)

    def events(self, kind: str, name: str) -> list[str]:
        """What RDS tells about a ``db-instance`` or ``db-snapshot``, as lines, newest last. Evidence, so a refusal is a line, too."""
        try:
            events = described_events(self._rds, kind, name)
        except is_boto3_error_code(REFUSALS):
            return ["these credentials may not call DescribeEvents, so why this happened is not known here"]
        with reading("DescribeEvents"):
            lines = ["%s %s" % (event["Date"].isoformat(timespec="seconds"), event["Message"]) for event in events]
        return lines[-EVIDENCE_EVENTS:] or ["RDS has no event of %s in the last %d minutes" % (name, EVENT_MINUTES)]


def described_events(client: Any, kind: str, name: str) -> list[dict[str, Any]]:
    """DescribeEvents: the shapes Event of a ``db-instance`` or ``db-snapshot`` in the last three hours, the newest last.

    :param client: boto3 client of RDS.
    """
    answer = client.describe_events(SourceIdentifier=name, SourceType=kind, Duration=EVENT_MINUTES)
    with reading("DescribeEvents"):
        found: list[dict[str, Any]] = answer["Events"]
        return found


def _instance(answer: dict[str, Any], operation: str) -> DbInstance:
    with reading(operation):
        return DbInstance.from_boto(answer)


def _snapshot(answer: dict[str, Any], operation: str) -> DbSnapshot:
    with reading(operation):
        return DbSnapshot.from_boto(answer)


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
