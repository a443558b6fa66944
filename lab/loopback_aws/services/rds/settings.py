# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings of a DB instance: what they are called, what they are when not given, how a modification reaches them.

Pure: dictionaries in DescribeDBInstances' names come in and go out. The sources are the RDS API reference (ModifyDBInstance
tells for each setting when it is applied) and the user guide's "Settings for DB instances".
"""

from __future__ import annotations

import dataclasses
import random
import re
from typing import Any

from ...wire import ApiError

AT_ONCE = "at once"  # in the answer of the call, no state in between
SOON = "soon"  # asynchronously, whatever ApplyImmediately says
WINDOW = "window"  # in the next maintenance window unless ApplyImmediately

ENGINE = "postgres"
MINORS = {"14": range(12, 20), "15": range(7, 15), "16": range(3, 11), "17": range(1, 7), "18": range(1, 2)}
CLASSES = (
    "db.t3.micro", "db.t3.small", "db.t3.medium", "db.t3.large", "db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.t4g.large",
    "db.m5.large", "db.m5.xlarge", "db.m6g.large", "db.m6g.xlarge", "db.m7g.large", "db.r5.large", "db.r6g.large", "db.r6g.xlarge",
)  # fmt: skip
STORAGE_TYPES = ("gp2", "gp3", "io1", "io2", "standard")
CERTIFICATE_AUTHORITIES = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")
LOG_TYPES = ("postgresql", "upgrade", "iam-db-auth-error")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclasses.dataclass(frozen=True)
class Setting:
    """`shown` in DescribeDBInstances, `asked` for in requests; `status` is the instance's while it is being changed."""

    shown: str
    asked: str
    applied: str
    status: str = "modifying"


SETTINGS = (
    Setting("AllocatedStorage", "AllocatedStorage", WINDOW),
    Setting("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", AT_ONCE),
    Setting("BackupRetentionPeriod", "BackupRetentionPeriod", AT_ONCE),  # see `when`: from or to 0 waits
    Setting("CACertificateIdentifier", "CACertificateIdentifier", WINDOW),
    Setting("CopyTagsToSnapshot", "CopyTagsToSnapshot", AT_ONCE),
    Setting("DBInstanceClass", "DBInstanceClass", WINDOW),
    Setting("DatabaseInsightsMode", "DatabaseInsightsMode", SOON),
    Setting("DedicatedLogVolume", "DedicatedLogVolume", WINDOW),
    Setting("DeletionProtection", "DeletionProtection", AT_ONCE),
    Setting("EngineLifecycleSupport", "EngineLifecycleSupport", AT_ONCE),
    Setting("EngineVersion", "EngineVersion", WINDOW, "upgrading"),
    Setting(
        "IAMDatabaseAuthenticationEnabled", "EnableIAMDatabaseAuthentication", WINDOW, "configuring-iam-database-auth"
    ),
    Setting("Iops", "Iops", WINDOW),
    Setting("LicenseModel", "LicenseModel", WINDOW),
    Setting("MasterUserPassword", "MasterUserPassword", SOON, "resetting-master-credentials"),
    Setting("MaxAllocatedStorage", "MaxAllocatedStorage", AT_ONCE),
    Setting("MonitoringInterval", "MonitoringInterval", SOON, "configuring-enhanced-monitoring"),
    Setting("MonitoringRoleArn", "MonitoringRoleArn", SOON, "configuring-enhanced-monitoring"),
    Setting("MultiAZ", "MultiAZ", WINDOW),
    Setting("NetworkType", "NetworkType", WINDOW),
    Setting("OptionGroupName", "OptionGroupName", WINDOW),
    Setting("PerformanceInsightsEnabled", "EnablePerformanceInsights", SOON),
    Setting("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId", SOON),
    Setting("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod", SOON),
    Setting("Port", "DBPortNumber", SOON, "rebooting"),  # "restarts regardless of the value of ApplyImmediately"
    Setting("PreferredBackupWindow", "PreferredBackupWindow", AT_ONCE),
    Setting("PreferredMaintenanceWindow", "PreferredMaintenanceWindow", AT_ONCE),
    Setting("PubliclyAccessible", "PubliclyAccessible", AT_ONCE),
    Setting("StorageThroughput", "StorageThroughput", WINDOW),
    Setting("StorageType", "StorageType", WINDOW),
    Setting("DBSubnetGroupName", "DBSubnetGroupName", WINDOW, "moving-to-vpc"),
)
BY_ASKED = {setting.asked: setting for setting in SETTINGS}
BY_SHOWN = {setting.shown: setting for setting in SETTINGS}
STORAGE = {"AllocatedStorage", "Iops", "StorageThroughput", "StorageType"}
RETENTIONS = {7, 731, *(31 * month for month in range(1, 24))}  # of Performance Insights, days


def when(shown: str, old: object, new: object) -> str:
    """When a change is applied: AT_ONCE, SOON or WINDOW."""
    if shown == "BackupRetentionPeriod" and 0 in (old, new):
        return WINDOW
    return BY_SHOWN[shown].applied


def invalid(message: str) -> ApiError:
    """InvalidParameterValue."""
    return ApiError("InvalidParameterValue", message)


def conflict(message: str) -> ApiError:
    """InvalidParameterCombination."""
    return ApiError("InvalidParameterCombination", message)


def major(version: str) -> str:
    """`16.4` → `16`: what parameter and option groups are made for."""
    return version.partition(".")[0]


def engine_version(asked: str | None) -> str:
    """The full version for `16`, `16.4` or nothing.

    :raises ApiError: RDS does not have it.
    """
    number, _, minor = (asked or max(MINORS, key=int)).partition(".")
    if number not in MINORS or (minor and (not minor.isdigit() or int(minor) not in MINORS[number])):
        raise conflict(f"Cannot find version {asked} for {ENGINE}")
    return f"{number}.{minor or MINORS[number][-1]}"


def storage(asked: dict[str, Any], origin: dict[str, Any]) -> dict[str, Any]:
    """StorageType, Iops and StorageThroughput of a new instance; `origin` is the snapshot it comes from, or empty.

    The type is not taken from the snapshot: "Default: io1 if the Iops parameter is specified, otherwise gp3".
    """
    kind = asked.get("StorageType") or ("io1" if asked.get("Iops") else "gp3")
    size = asked.get("AllocatedStorage") or origin["AllocatedStorage"]
    iops, throughput = asked.get("Iops") or origin.get("Iops"), asked.get("StorageThroughput")
    if kind in ("io1", "io2"):
        if not iops:
            raise conflict(f"You must specify Iops for storage type {kind}.")
        return {"StorageType": kind, "Iops": iops}
    if kind == "gp3":
        if size >= 400:  # below that gp3 has its base performance and no other (user guide, "gp3 storage")
            return {"StorageType": kind, "Iops": max(iops or 0, 12000), "StorageThroughput": max(throughput or 0, 500)}
        if (asked.get("Iops") or 3000, throughput or 125) != (3000, 125):
            raise conflict(
                "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400."
            )
        return {"StorageType": kind, "Iops": 3000, "StorageThroughput": 125}
    if asked.get("Iops"):
        raise conflict(f"You can't specify Iops for storage type {kind}.")
    return {"StorageType": kind}


def window(daily: bool) -> str:
    """A random half hour, as RDS picks one: `03:10-03:40`, or `sun:03:10-sun:03:40`."""
    start = random.randrange(0, 23 * 60 + 30)
    first, last = (f"{minute // 60:02}:{minute % 60:02}" for minute in (start, start + 30))
    day = "" if daily else random.choice(DAYS) + ":"
    return f"{day}{first}-{day}{last}"


def defaults() -> dict[str, Any]:
    """What a new or restored instance has when the request does not say."""
    return {
        "AutoMinorVersionUpgrade": True,
        "BackupRetentionPeriod": 1,
        "BackupTarget": "region",
        "CACertificateIdentifier": CERTIFICATE_AUTHORITIES[0],
        "CopyTagsToSnapshot": False,
        "DatabaseInsightsMode": "standard",
        "DedicatedLogVolume": False,
        "DeletionProtection": False,
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "IAMDatabaseAuthenticationEnabled": False,
        "LicenseModel": "postgresql-license",
        "MonitoringInterval": 0,
        "MultiAZ": False,
        "NetworkType": "IPV4",
        "PerformanceInsightsEnabled": False,
        "Port": 5432,
        "PreferredBackupWindow": window(daily=True),
        "PreferredMaintenanceWindow": window(daily=False),
        "PubliclyAccessible": False,
        "StorageEncrypted": False,
    }


def check(wanted: dict[str, Any]) -> None:
    """Refuse values that RDS refuses. `wanted` are all the settings as they would be.

    :raises ApiError: InvalidParameterValue or InvalidParameterCombination.
    """
    choices = {
        "DBInstanceClass": CLASSES,
        "CACertificateIdentifier": CERTIFICATE_AUTHORITIES,
        "StorageType": STORAGE_TYPES,
        "DatabaseInsightsMode": ("standard", "advanced"),
        "EngineLifecycleSupport": ("open-source-rds-extended-support", "open-source-rds-extended-support-disabled"),
        "LicenseModel": ("postgresql-license",),
        "MonitoringInterval": (0, 1, 5, 10, 15, 30, 60),
        "NetworkType": ("IPV4", "DUAL"),
        "BackupRetentionPeriod": range(36),
        "Port": range(1150, 65536),
    }
    for name, allowed in choices.items():
        if name in wanted and wanted[name] not in allowed:
            raise invalid(f"Invalid value {wanted[name]} for {name}.")
    for name, pattern in (("PreferredBackupWindow", CLOCK), ("PreferredMaintenanceWindow", WEEKLY)):
        if not re.fullmatch(pattern, wanted[name]):
            raise invalid(f"The parameter {name} is not valid: {wanted[name]}")
    for log_type in wanted.get("EnabledCloudwatchLogsExports", ()):
        if log_type not in LOG_TYPES:
            raise conflict(
                f"You cannot use the log types '{log_type}' with engine version {ENGINE} {wanted['EngineVersion']}."
            )
    _check_together(wanted)


CLOCK = r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"
WEEKLY = r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d"


def _check_together(wanted: dict[str, Any]) -> None:
    if wanted["MonitoringInterval"] and not wanted.get("MonitoringRoleArn"):
        raise conflict("A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
    if wanted.get("MonitoringRoleArn") and not wanted["MonitoringInterval"]:
        raise conflict(
            "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value."
        )
    if not 20 <= wanted["AllocatedStorage"] <= 65536 or (
        wanted["StorageType"] in ("io1", "io2") and wanted["AllocatedStorage"] < 100
    ):
        raise conflict(
            f"Invalid storage size for engine name {ENGINE} and storage type {wanted['StorageType']}: {wanted['AllocatedStorage']}"
        )
    if wanted.get("MaxAllocatedStorage", wanted["AllocatedStorage"]) < wanted["AllocatedStorage"]:
        raise conflict("Max storage size must be greater than storage size")
    if not wanted["PerformanceInsightsEnabled"]:
        if wanted["DatabaseInsightsMode"] == "advanced":
            raise conflict("To enable the Advanced mode of Database Insights, you must enable Performance Insights.")
        if wanted.get("PerformanceInsightsKMSKeyId") or wanted.get("PerformanceInsightsRetentionPeriod"):
            raise conflict("You can't specify Performance Insights settings while Performance Insights is disabled.")
    elif wanted.get("PerformanceInsightsRetentionPeriod", 7) not in RETENTIONS:
        raise invalid(
            f"Invalid value {wanted['PerformanceInsightsRetentionPeriod']} for PerformanceInsightsRetentionPeriod."
        )
    elif wanted["DatabaseInsightsMode"] == "advanced" and wanted.get("PerformanceInsightsRetentionPeriod", 7) < 465:
        raise conflict(
            "To enable the Advanced mode of Database Insights, set the retention period to at least 465 days."
        )


def settle(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as RDS shows them: those that follow from others are filled in, those that are off are left out."""
    shown = dict(settings)
    if shown["PerformanceInsightsEnabled"]:
        shown.setdefault("PerformanceInsightsRetentionPeriod", 7)
    else:
        shown.pop("PerformanceInsightsRetentionPeriod", None)
        shown.pop("PerformanceInsightsKMSKeyId", None)
    if not shown["MonitoringInterval"]:
        shown.pop("MonitoringRoleArn", None)
    if shown["StorageType"] in ("gp2", "standard"):
        shown.pop("Iops", None)
    if shown["StorageType"] != "gp3":
        shown.pop("StorageThroughput", None)
    if shown.get("MaxAllocatedStorage") == shown["AllocatedStorage"]:  # how storage autoscaling is turned off
        del shown["MaxAllocatedStorage"]
    return shown


def check_password(password: str | None) -> None:
    """Refuse a master password that RDS refuses."""
    if (
        not password
        or not 8 <= len(password) <= 128
        or not re.fullmatch(r"[!-~]+", password)
        or re.search(r"[/@\"]", password)
    ):
        raise invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        )


def check_identifier(name: str, parameter: str, longest: int = 63) -> str:
    """The identifier in lower case, as RDS stores it.

    :raises ApiError: it is not a valid one.
    """
    if not re.fullmatch(r"[a-zA-Z](-?[a-zA-Z0-9])*", name) or len(name) > longest:
        raise invalid(
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII "
            "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )
    return name.lower()
