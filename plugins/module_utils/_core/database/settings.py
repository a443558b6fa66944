# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of a DB instance: one table, a row a setting, with how it is read, restored, modified and compared. Pure.

Written from botocore 1.44.5: 94 members of the shape DBInstance, 49 of RestoreDBInstanceFromDBSnapshot, 66 of ModifyDBInstance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import (
    DbInstance,
    Restorable,
    Unfinished,
    tags_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    TAG_DATA,
    TAG_PASSWORD,
    TAG_POINT,
    TAG_REPLACED_BY,
    TAG_REPLACES,
    TAG_RUN,
    TAG_SAFETY,
    TAG_SERVED,
    TAG_SNAPSHOT,
    TAG_UNFINISHED,
)

CARRIED, IDENTITY, OBSERVED = "carried", "identity", "observed"
"""What a setting is to us: the same on both instances; different by nature; a state and not a setting."""

Description = Mapping[str, Any]
Read = Callable[[Description], Any]

_NOT_SET: tuple[Any, ...] = (None, [], {})
OURS = (
    TAG_DATA,
    TAG_PASSWORD,
    TAG_POINT,
    TAG_REPLACED_BY,
    TAG_REPLACES,
    TAG_RUN,
    TAG_SAFETY,
    TAG_SERVED,
    TAG_SNAPSHOT,
    TAG_UNFINISHED,
)


@dataclass(frozen=True)
class Setting:
    """A row of the table.

    ``key``: member of DBInstance; ``read``: description → value, in JSON types; ``restore``, ``modify``: the parameters that set it, or
    None where the operation has none; ``group``: settings that AWS wants together in one ModifyDBInstance; ``when``: description → whether
    AWS accepts the parameter at all; ``differs``: (source's value, restored one's) → whether that is a difference; ``later``: whether
    nobody who uses the application feels it, so that a cutover does not wait for it.
    """

    name: str
    key: str
    kind: str
    read: Read
    restore: str | None = None
    modify: str | None = None
    group: str | None = None
    when: Callable[[Description], bool] = lambda _description: True
    differs: Callable[[Any, Any], bool] = lambda before, after: before != after
    later: bool = False


@dataclass(frozen=True)
class Difference:
    """A setting that the restored instance (``after``) has otherwise than the source (``before``)."""

    setting: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return "%s: %s, was %s" % (self.setting, _shown(self.after), _shown(self.before))


Kept = Callable[[Iterable[Difference]], tuple[Difference, ...]]


def _shown(value: Any) -> Any:
    return "nothing" if value in _NOT_SET else value


def _carried(
    name: str,
    restore: str | None = None,
    modify: str | None = None,
    read: Read | None = None,
    key: str | None = None,
    **rest: Any,
) -> Setting:
    member = key or name
    return Setting(
        name, member, CARRIED, read or (lambda description: description.get(member)), restore, modify, **rest
    )


def _same(name: str, **rest: Any) -> Setting:
    """A setting whose parameter has its own name in both operations."""
    return _carried(name, restore=name, modify=name, **rest)


def _not_carried(kind: str, *names: str) -> tuple[Setting, ...]:
    return tuple(Setting(name, name, kind, _member(name)) for name in names)


def _member(key: str) -> Read:
    return lambda description: description.get(key)


def _names(key: str, member: str, gone: Collection[str] = ()) -> Callable[[Description], list[str]]:
    """Names in a list of memberships, sorted; those with a status of ``gone`` are on their way out."""
    return lambda description: sorted(
        item[member] for item in description.get(key, []) if item.get("Status") not in gone
    )


def _one(key: str, member: str, gone: Collection[str] = ()) -> Read:
    names = _names(key, member, gone)
    return lambda description: next(iter(names(description)), None)


def _only_if(switch: str, key: str) -> Read:
    """The value of ``key`` while ``switch`` is on; what AWS leaves behind when it is off is no setting."""
    return lambda description: description.get(key) if description.get(switch) else None


def _domain(field: str, self_managed: bool) -> Read:
    """A field of the Active Directory that the instance is joined to: AWS's own, or a self-managed one (it has a secret)."""

    def read(description: Description) -> Any:
        joined = [
            item for item in description.get("DomainMemberships", []) if ("AuthSecretArn" in item) == self_managed
        ]
        return joined[0].get(field) if joined else None

    return read


def _zone(description: Description) -> str | None:
    """A Multi-AZ instance moves between its zones, so its zone is no setting (and RestoreDBInstance… refuses it)."""
    return None if description.get("MultiAZ") else description.get("AvailabilityZone")


def _tags(description: Description) -> dict[str, str]:
    """The tags that people set: AWS's own (aws:…) cannot be set, ours tell the instances apart."""
    return {
        key: value
        for key, value in sorted(tags_of(description).items())
        if not key.startswith("aws:") and key not in OURS
    }


def _features(description: Description) -> list[dict[str, str]]:
    return sorted(
        ({"Name": item["Name"], "Value": item["Value"]} for item in description.get("ProcessorFeatures", [])),
        key=lambda item: item["Name"],
    )


_VOLUME_FIELDS = ("VolumeName", "AllocatedStorage", "IOPS", "MaxAllocatedStorage", "StorageThroughput", "StorageType")


def _volumes(description: Description) -> list[dict[str, Any]]:
    volumes = (
        {field: volume[field] for field in _VOLUME_FIELDS if field in volume}
        for volume in description.get("AdditionalStorageVolumes", [])
    )
    return sorted(volumes, key=lambda volume: volume["VolumeName"])


def _roles(description: Description) -> list[str]:
    """The roles that can be given to another instance: those for a feature, unless RDS cannot use them."""
    return sorted(
        "%s for %s" % (role["RoleArn"], role["FeatureName"])
        for role in description.get("AssociatedRoles", [])
        if role.get("FeatureName") and role.get("Status") != "INVALID"
    )


def minor_of(version: str | None) -> list[int]:
    """``16.4`` as numbers; nothing where there is no version yet."""
    return [int(part) for part in re.findall(r"\d+", version or "")]


def roles_of(instance: DbInstance) -> dict[tuple[str, str], str]:
    """The IAM roles of a DbInstance: (RoleArn, FeatureName) → RDS's status of it (ACTIVE, PENDING, INVALID)."""
    roles = instance.description.get("AssociatedRoles", [])
    return {(role["RoleArn"], role.get("FeatureName", "")): role.get("Status", "ACTIVE") for role in roles}


def givable(source: DbInstance, authorities: Mapping[str, datetime] | None, now: datetime) -> DbInstance:
    """A DbInstance as settings can come from it: without its CA where no instance can be given that any more.

    :param authorities: name of a CA → the end of its life; None where that is not known.
    """
    if authorities is None or ca_can_be_given(source, authorities, now):
        return source
    return replace(source, description=dict(source.description, CACertificateIdentifier=None))


def ca_can_be_given(source: DbInstance, authorities: Mapping[str, datetime], now: datetime) -> bool:
    """Whether RDS gives the CA of a DbInstance to a new one."""
    name = source.description.get("CACertificateIdentifier")
    return name is None or (name in authorities and authorities[name] > now)


# Below these sizes in GiB gp3 has a fixed baseline, and RDS refuses Iops and StorageThroughput with InvalidParameterCombination
# (Amazon RDS User Guide, "gp3 storage"). The engine's name begins with the key; all others have 400.
_GP3_FREE_FROM = {"oracle": 200, "sqlserver": 0}


def _gp3_free(description: Description) -> bool:
    smallest = next((size for engine, size in _GP3_FREE_FROM.items() if description["Engine"].startswith(engine)), 400)
    return description.get("StorageType") == "gp3" and description["AllocatedStorage"] >= smallest


def _takes_iops(description: Description) -> bool:
    return description.get("StorageType") in ("io1", "io2") or _gp3_free(description)


def _takes_size(description: Description) -> bool:
    """RestoreDBInstanceFromDBSnapshot: "This setting isn't valid for RDS for SQL Server"."""
    return not description["Engine"].startswith("sqlserver")


def _on(key: str) -> Callable[[Description], bool]:
    """Off is what every instance starts with, and AWS refuses the parameter where the feature does not exist."""
    return lambda description: bool(description.get(key))


SETTINGS = (
    # Machine and storage
    _same("DBInstanceClass"),
    _same("ProcessorFeatures", read=_features),
    _same("StorageType", group="storage"),
    # Storage never shrinks: a snapshot that is larger than the instance makes a larger instance.
    _same(
        "AllocatedStorage",
        group="storage",
        when=_takes_size,
        differs=lambda before, after: after is None or after < before,
    ),
    _same("Iops", group="storage", when=_takes_iops),
    _same("StorageThroughput", group="storage", when=_gp3_free),
    _same("MaxAllocatedStorage", later=True),  # only a restore to a point in time takes it
    _same("AdditionalStorageVolumes", read=_volumes),
    _same("DedicatedLogVolume", when=_on("DedicatedLogVolume")),
    # These come with the snapshot
    _carried("Engine"),
    # No instance goes back to an older minor version, so one that came with the snapshot stays.
    _carried("EngineVersion", modify="EngineVersion", differs=lambda before, after: minor_of(after) < minor_of(before)),
    _carried("StorageEncrypted"),
    _carried("StorageEncryptionType"),
    _carried("KmsKeyId"),
    _carried("MasterUsername"),
    _carried("DBName"),
    _carried("CharacterSetName"),
    _carried("NcharCharacterSetName"),
    _carried("Timezone"),
    _carried("DBSystemId"),
    _carried("MultiTenant"),
    # Network
    _carried(
        "Port",
        "Port",
        "DBPortNumber",
        key="Endpoint",
        read=lambda description: (description.get("Endpoint") or {}).get("Port"),
    ),
    _carried(
        "VpcSecurityGroups",
        "VpcSecurityGroupIds",
        "VpcSecurityGroupIds",
        read=_names("VpcSecurityGroups", "VpcSecurityGroupId", ("removing",)),
    ),
    _carried("DBSecurityGroups", read=_names("DBSecurityGroups", "DBSecurityGroupName", ("removing",))),
    _carried(
        "DBSubnetGroup",
        "DBSubnetGroupName",
        "DBSubnetGroupName",
        read=lambda description: description.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
    ),
    _carried(
        "AvailabilityZone", "AvailabilityZone", read=_zone, when=lambda description: _zone(description) is not None
    ),
    _same("MultiAZ"),
    _same("PubliclyAccessible"),
    _same("NetworkType"),
    _carried(
        "CustomerOwnedIpEnabled", "EnableCustomerOwnedIp", "EnableCustomerOwnedIp", when=_on("CustomerOwnedIpEnabled")
    ),
    # Behaviour of the database
    _carried(
        "DBParameterGroup",
        "DBParameterGroupName",
        "DBParameterGroupName",
        key="DBParameterGroups",
        read=_one("DBParameterGroups", "DBParameterGroupName"),
    ),
    _carried(
        "OptionGroup",
        "OptionGroupName",
        "OptionGroupName",
        key="OptionGroupMemberships",
        read=_one("OptionGroupMemberships", "OptionGroupName", ("removing",)),
    ),
    _same("LicenseModel"),
    _same("EngineLifecycleSupport"),
    _same("AutoMinorVersionUpgrade"),
    _carried("PreferredMaintenanceWindow", modify="PreferredMaintenanceWindow", later=True),
    _carried("AutomationMode", modify="AutomationMode", later=True),
    _carried("PromotionTier", modify="PromotionTier", later=True),
    # Who may enter
    _carried("IAMDatabaseAuthenticationEnabled", "EnableIAMDatabaseAuthentication", "EnableIAMDatabaseAuthentication"),
    # None stands for a CA that RDS gives to no instance any more (``givable``): then the restored one has RDS's own choice.
    _same("CACertificateIdentifier", differs=lambda before, after: before is not None and before != after),
    _same("TdeCredentialArn"),
    _carried("CustomIamInstanceProfile", "CustomIamInstanceProfile"),
    _carried("AssociatedRoles", read=_roles, differs=lambda before, after: not set(before or ()) <= set(after or ())),
    _carried("Domain", "Domain", "Domain", key="DomainMemberships", read=_domain("Domain", False), group="domain"),
    _carried(
        "DomainIAMRoleName",
        "DomainIAMRoleName",
        "DomainIAMRoleName",
        key="DomainMemberships",
        read=_domain("IAMRoleName", False),
        group="domain",
    ),
    _carried(
        "DomainFqdn", "DomainFqdn", "DomainFqdn", key="DomainMemberships", read=_domain("FQDN", True), group="domain"
    ),
    _carried("DomainOu", "DomainOu", "DomainOu", key="DomainMemberships", read=_domain("OU", True), group="domain"),
    _carried(
        "DomainAuthSecretArn",
        "DomainAuthSecretArn",
        "DomainAuthSecretArn",
        key="DomainMemberships",
        read=_domain("AuthSecretArn", True),
        group="domain",
    ),
    _carried(
        "DomainDnsIps",
        "DomainDnsIps",
        "DomainDnsIps",
        key="DomainMemberships",
        read=_domain("DnsIps", True),
        group="domain",
    ),
    # Safety
    _same("DeletionProtection"),
    _same("BackupRetentionPeriod", later=True),
    _same("PreferredBackupWindow", later=True),
    _carried("BackupTarget", "BackupTarget"),
    _same("CopyTagsToSnapshot"),
    _carried("Tags", "Tags", key="TagList", read=_tags),
    # Watching it
    _carried("MonitoringInterval", modify="MonitoringInterval", group="monitoring", later=True),
    _carried(
        "MonitoringRoleArn",
        modify="MonitoringRoleArn",
        read=_only_if("MonitoringInterval", "MonitoringRoleArn"),
        group="monitoring",
        later=True,
    ),
    _carried("PerformanceInsightsEnabled", modify="EnablePerformanceInsights", group="insights", later=True),
    _carried(
        "PerformanceInsightsKMSKeyId",
        modify="PerformanceInsightsKMSKeyId",
        read=_only_if("PerformanceInsightsEnabled", "PerformanceInsightsKMSKeyId"),
        group="insights",
        later=True,
    ),
    _carried(
        "PerformanceInsightsRetentionPeriod",
        modify="PerformanceInsightsRetentionPeriod",
        read=_only_if("PerformanceInsightsEnabled", "PerformanceInsightsRetentionPeriod"),
        group="insights",
        later=True,
    ),
    _carried("DatabaseInsightsMode", modify="DatabaseInsightsMode", group="insights", later=True),
    _carried(
        "EnabledCloudwatchLogsExports",
        "EnableCloudwatchLogsExports",
        "CloudwatchLogsExportConfiguration",
        read=lambda description: sorted(description.get("EnabledCloudwatchLogsExports", [])),
    ),
    _carried("ActivityStreamMode"),
    # Each instance has its own, or they belong to the one instance that had them: findings() tells those that somebody may miss.
    *_not_carried(
        IDENTITY,
        "DBInstanceIdentifier",
        "DBInstanceArn",
        "DbiResourceId",
        "InstanceCreateTime",
        "LatestRestorableTime",
        "DbInstancePort",
        "ListenerEndpoint",
        "SecondaryAvailabilityZone",
        "CertificateDetails",
        "EnhancedMonitoringResourceArn",
        "DBClusterIdentifier",
        "ReadReplicaSourceDBInstanceIdentifier",
        "ReadReplicaDBInstanceIdentifiers",
        "ReadReplicaDBClusterIdentifiers",
        "ReadReplicaSourceDBClusterIdentifier",
        "ReplicaMode",
        "MasterUserSecret",
        "ActivityStreamKmsKeyId",
        "ActivityStreamKinesisStreamName",
        "ActivityStreamEngineNativeAuditFieldsIncluded",
        "AwsBackupRecoveryPointArn",
        "DBInstanceAutomatedBackupsReplications",
        "DBCapacityReservationIdentifier",
        "UpgradeRolloutOrder",
    ),
    *_not_carried(
        OBSERVED,
        "DBInstanceStatus",
        "StatusInfos",
        "PendingModifiedValues",
        "ActivityStreamStatus",
        "ActivityStreamPolicyStatus",
        "AutomaticRestartTime",
        "ResumeFullAutomationModeTime",
        "PercentProgress",
        "IsStorageConfigUpgradeAvailable",
        "StorageVolumeStatus",
        "StorageOperationStatus",
        "StorageOperationPercentProgress",
    ),
)

_CARRIED = tuple(setting for setting in SETTINGS if setting.kind == CARRIED)
_LATER = tuple(setting for setting in _CARRIED if setting.later)
_LATER_NAMES = frozenset(setting.name for setting in _LATER)
_KNOWN = frozenset(setting.key for setting in SETTINGS)
_PENDING_NAMES = {"PendingCloudwatchLogsExports": "EnabledCloudwatchLogsExports", "DBSubnetGroupName": "DBSubnetGroup"}


def settings_of(instance: DbInstance) -> dict[str, Any]:
    """What ``instance`` is set to: setting → value, without those that are not set."""
    values = {setting.name: setting.read(instance.description) for setting in _CARRIED}
    return {name: value for name, value in values.items() if value not in _NOT_SET}


def needed_first(
    source: DbInstance, snapshot: Restorable, accepted: Collection[str], gives_password: bool = False
) -> list[str]:
    """What of a restored instance has to be changed before anybody may use it, because no restore takes it: names (list of str).

    RDS changes nothing while it takes the first automated backup, which lasts hours. Where this is not empty, the restore is made without
    backups, and they are turned on once it is done.

    :param accepted: names of the parameters of the restore that this botocore knows.
    :param gives_password: whether the master user gets another password.
    """
    lacking = [
        setting.name
        for setting in _CARRIED
        if setting.modify
        and not setting.later
        and setting.restore not in accepted
        and setting.name in settings_of(source)
        and setting.when(source.description)
    ]
    older = minor_of(snapshot.engine_version) < minor_of(source.engine_version)
    names = [name for name in lacking if name != "EngineVersion" or older]
    return names + ["AssociatedRoles"] * bool(_roles(source.description)) + ["MasterUserPassword"] * gives_password


def restore_request(
    source: DbInstance,
    snapshot: Restorable,
    name: str,
    run_id: str,
    accepted: Collection[str],
    first: Collection[str] = (),
    safety: str = "",
) -> dict[str, Any]:
    """The parameters of ``snapshot.operation`` for a DB instance ``name`` that has every setting of ``source``.

    :param snapshot: DbSnapshot or PointInTime.
    :param accepted: names of the parameters that this botocore knows; a setting without one is left to modify_request().
    :param first: as ``needed_first`` gives it.
    :param safety: the name of the safety snapshot; empty where none is wanted.
    """
    request = {
        setting.restore: setting.read(source.description)
        for setting in _CARRIED
        if setting.restore
        and setting.restore in accepted
        and setting.when(source.description)
        and setting.read(source.description) not in _NOT_SET
    }
    if "AllocatedStorage" in request:
        request["AllocatedStorage"] = max(source.allocated_storage, snapshot.allocated_storage)
    if first and request.get("BackupRetentionPeriod"):
        request["BackupRetentionPeriod"] = 0
        request.pop("PreferredBackupWindow", None)
    # Tags that are passed replace those of the source (restore), so both are passed.
    ours = {
        TAG_RUN: run_id,
        TAG_SNAPSHOT: snapshot.arn,
        TAG_REPLACES: source.name,
        TAG_DATA: snapshot.data.as_tag(name),
        TAG_UNFINISHED: Unfinished(name, source.name, safety).as_tag(),
    }
    tags = dict(_tags(source.description), **ours)
    request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return dict(request, **snapshot.request(name))


def compare(source: DbInstance, restored: DbInstance) -> tuple[Difference, ...]:
    """Every setting that ``restored`` has otherwise than ``source``: a tuple of Difference."""
    pairs = ((setting, setting.read(source.description), setting.read(restored.description)) for setting in _CARRIED)
    return tuple(
        Difference(setting.name, before, after)
        for setting, before, after in pairs
        if before != after and setting.differs(before, after)
    )


def later_of(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Of Differences (tuple), those that a cutover does not wait for."""
    return tuple(difference for difference in differences if difference.setting in _LATER_NAMES)


def felt_of(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Of Differences (tuple), those that users may feel, or that nobody can set: no cutover with one of them."""
    return tuple(difference for difference in differences if difference.setting not in _LATER_NAMES)


def with_later_of(instance: DbInstance, origin: DbInstance) -> DbInstance:
    """A DbInstance as it will be once it has the settings of ``origin`` (DbInstance) that its cutover has not waited for."""
    description = dict(instance.description)
    for setting in _LATER:
        if setting.key in origin.description:
            description[setting.key] = origin.description[setting.key]
        else:
            description.pop(setting.key, None)
    return replace(instance, description=description)


def pending(instance: DbInstance) -> set[str]:
    """Names of the settings for which RDS has a new value that is not in effect yet."""
    return {_PENDING_NAMES.get(key, key) for key in instance.description.get("PendingModifiedValues") or {}}


def modify_request(
    source: DbInstance,
    restored: DbInstance,
    accepted: Collection[str],
    kept: Kept = felt_of,
) -> dict[str, Any] | None:
    """The parameters of ModifyDBInstance that bring ``restored`` to the settings of ``source``, or None when there is nothing to be done.

    A value that is pending already is not asked for again. What somebody else has asked for, and what waits for the maintenance window, goes on
    waiting for it: ApplyImmediately would apply it, too, whatever it restarts.

    :param accepted: names of the parameters that this botocore knows.
    :param kept: which of the differences: ``felt_of`` or ``later_of``.
    """
    waiting = pending(restored)
    differing = {difference.setting for difference in kept(compare(source, restored))} - waiting
    groups = {setting.group for setting in _CARRIED if setting.group and setting.name in differing}
    request: dict[str, Any] = {}
    for setting in _CARRIED:
        asked_for = setting.name in differing or setting.group in groups
        if asked_for and setting.modify and setting.modify in accepted and setting.when(source.description):
            value = _as_modify(setting, setting.read(source.description), setting.read(restored.description))
            if value not in _NOT_SET:
                request[setting.modify] = value
    at_once = kept is felt_of or not waiting
    return dict(request, DBInstanceIdentifier=restored.name, ApplyImmediately=at_once) if request else None


def _as_modify(setting: Setting, wanted: Any, present: Any) -> Any:
    if setting.modify != "CloudwatchLogsExportConfiguration":
        return wanted
    return {"EnableLogTypes": sorted(set(wanted) - set(present)), "DisableLogTypes": sorted(set(present) - set(wanted))}


def left_to_modify(source: DbInstance, request: Mapping[str, Any]) -> list[str]:
    """Names of the settings of ``source`` that are set some time after a restore with the parameters ``request``; for plans."""
    return [
        setting.name
        for setting in _LATER
        if setting.modify
        and setting.name in settings_of(source)
        and setting.when(source.description)
        and (setting.restore is None or request.get(setting.restore) != setting.read(source.description))
    ]


def not_compared(instance: DbInstance) -> list[str]:
    """Members of the description that the table does not know: RDS has learned something since it was written."""
    return sorted(set(instance.description) - _KNOWN)


_FINDINGS = {
    "ReadReplicaDBInstanceIdentifiers": "Its read replicas go on copying it, not the restored instance",
    "ReadReplicaDBClusterIdentifiers": "Its Aurora read replicas go on copying it, not the restored instance",
    "ReadReplicaSourceDBInstanceIdentifier": "It is a read replica itself; the restored instance copies nothing",
    "MasterUserSecret": "RDS keeps its master password in a secret of its own, which does not belong to the restored instance",
    "DBInstanceAutomatedBackupsReplications": "Its backups are copied to another region; those of the restored instance are not",
    "AwsBackupRecoveryPointArn": "AWS Backup manages it; it does not know the restored instance",
    "DBCapacityReservationIdentifier": "Its capacity reservation stays with it",
    "PendingModifiedValues": "It has changes pending, which the restored instance does not get",
}


def not_brought_over(source: DbInstance) -> list[str]:
    """What no restore brings over and somebody may miss afterwards: list of str, one a finding; values only where they are no secret."""
    found = [(key, text) for key, text in _FINDINGS.items() if source.description.get(key)]
    return [
        "DB instance %s, %s: %s%s." % (source.name, key, text, _which(source.description[key])) for key, text in found
    ]


def _which(value: Any) -> str:
    if isinstance(value, str):
        return " (%s)" % value
    names = [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple, dict)) else []
    return " (%s)" % ", ".join(sorted(names)) if names else ""
