# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's answers as AWS gives them: a DB instance with every setting that PostgreSQL has away from its default."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:rds:eu-west-3:123456789012:"
RUN = "rb-20261122-120000"

INSTANCE = {
    "DBInstanceIdentifier": "app-db",
    "DBInstanceArn": ARN + "db:app-db",
    "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "DBInstanceStatus": "available",
    "InstanceCreateTime": NOON - timedelta(days=100),
    "LatestRestorableTime": NOON,
    "Engine": "postgres",
    "EngineVersion": "16.4",
    "LicenseModel": "postgresql-license",
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
    "MasterUsername": "app",
    "DBName": "app",
    "DBInstanceClass": "db.m7g.large",
    "StorageType": "gp3",
    "AllocatedStorage": 500,
    "Iops": 13000,
    "StorageThroughput": 600,
    "MaxAllocatedStorage": 1000,
    "DedicatedLogVolume": True,
    "StorageEncrypted": True,
    "StorageEncryptionType": "sse-kms",
    "KmsKeyId": "arn:aws:kms:eu-west-3:123456789012:key/1",
    "Endpoint": {"Address": "app-db.abc.eu-west-3.rds.amazonaws.com", "Port": 5433, "HostedZoneId": "Z1"},
    "DbInstancePort": 0,
    "VpcSecurityGroups": [
        {"VpcSecurityGroupId": "sg-2", "Status": "active"},
        {"VpcSecurityGroupId": "sg-1", "Status": "active"},
        {"VpcSecurityGroupId": "sg-0", "Status": "removing"},
    ],
    "DBSecurityGroups": [],
    "DBSubnetGroup": {"DBSubnetGroupName": "private", "VpcId": "vpc-1", "Subnets": []},
    "AvailabilityZone": "eu-west-3a",
    "SecondaryAvailabilityZone": "eu-west-3b",
    "MultiAZ": True,
    "PubliclyAccessible": True,
    "NetworkType": "DUAL",
    "CustomerOwnedIpEnabled": False,
    "DBParameterGroups": [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "in-sync"}],
    "OptionGroupMemberships": [{"OptionGroupName": "options", "Status": "in-sync"}],
    "AutoMinorVersionUpgrade": False,
    "PreferredMaintenanceWindow": "sun:04:10-sun:04:40",
    "PreferredBackupWindow": "02:10-02:40",
    "BackupRetentionPeriod": 14,
    "BackupTarget": "region",
    "CopyTagsToSnapshot": True,
    "DeletionProtection": True,
    "IAMDatabaseAuthenticationEnabled": True,
    "CACertificateIdentifier": "rds-ca-rsa4096-g1",
    "CertificateDetails": {"CAIdentifier": "rds-ca-rsa4096-g1"},
    "MonitoringInterval": 60,
    "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
    "EnhancedMonitoringResourceArn": "arn:aws:logs:eu-west-3:123456789012:log-group:RDSOSMetrics:log-stream:db-A",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": "arn:aws:kms:eu-west-3:123456789012:key/2",
    "PerformanceInsightsRetentionPeriod": 465,
    "DatabaseInsightsMode": "advanced",
    "EnabledCloudwatchLogsExports": ["upgrade", "postgresql"],
    "AssociatedRoles": [],
    "DomainMemberships": [],
    "ReadReplicaDBInstanceIdentifiers": [],
    "TagList": [{"Key": "app", "Value": "spymeo"}, {"Key": "aws:cloudformation:stack-name", "Value": "db"}],
}

SNAPSHOT = {
    "KmsKeyId": "arn:aws:kms:eu-west-3:123456789012:key/1",
    "DBSnapshotIdentifier": "before",
    "DBSnapshotArn": ARN + "snapshot:before",
    "DBInstanceIdentifier": "app-db",
    "SnapshotCreateTime": NOON - timedelta(hours=1),
    "OriginalSnapshotCreateTime": NOON - timedelta(hours=1),
    "Status": "available",
    "PercentProgress": 100,
    "Engine": "postgres",
    "EngineVersion": "16.4",
    "AllocatedStorage": 500,
    "TagList": [],
}


def resource_id(name):
    """The DbiResourceId that the instance of that name has here."""
    return "db-" + "".join(letter for letter in name.upper() if letter.isalnum()).ljust(26, "X")[-26:]


def _tags(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _answer(whole, tags, without, changes):
    answer = {**copy.deepcopy(whole), **changes}
    if tags is not None:
        answer["TagList"] = _tags(tags)
    return {key: value for key, value in answer.items() if key not in without}


@pytest.fixture
def db_instance_answer():
    """Makes a whole shape DBInstance; ``name`` sets identifier, ARN and endpoint, ``tags`` is a dict."""

    def make(name="app-db", tags=None, without=(), **changes):
        endpoint = {**INSTANCE["Endpoint"], "Address": f"{name}.abc.eu-west-3.rds.amazonaws.com"}
        named = {
            "DBInstanceIdentifier": name,
            "DBInstanceArn": f"{ARN}db:{name}",
            "DbiResourceId": resource_id(name),
            "Endpoint": endpoint,
        }
        return _answer(INSTANCE, tags, without, {**named, **changes})

    return make


@pytest.fixture
def db_snapshot_answer():
    """Makes a whole shape DBSnapshot; ``name`` sets identifier and ARN, ``tags`` is a dict."""

    def make(name="before", tags=None, without=(), **changes):
        named = {
            "DBSnapshotIdentifier": name,
            "DBSnapshotArn": f"{ARN}snapshot:{name}",
            "DbiResourceId": resource_id(changes.get("DBInstanceIdentifier", SNAPSHOT["DBInstanceIdentifier"])),
        }
        return _answer(SNAPSHOT, tags, without, {**named, **changes})

    return make


@pytest.fixture
def ours():
    """The tags of the instance that run ``RUN`` restores from the snapshot ``before`` in place of ``app-db``."""
    return {
        "app": "spymeo",
        "spymeo:rollback-run": RUN,
        "spymeo:rollback-source-snapshot": ARN + "snapshot:before",
        "spymeo:rollback-replaces": "app-db",
    }
