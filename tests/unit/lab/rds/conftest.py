# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A database as SPYMEO has it, every setting away from RDS's default, with a snapshot of its first rows."""

from __future__ import annotations

import dataclasses
import time
import types

import psycopg
import pytest
from botocore.exceptions import ClientError

from loopback_aws.durations import Durations

NAME, SNAPSHOT, PASSWORD = "spymeo-production-db", "spymeo-pre-migration-snapshot", "first-Passw0rd"
QUICKLY = {"Delay": 0.05, "MaxAttempts": 200}
SETTINGS = {
    "AllocatedStorage": 400,
    "AutoMinorVersionUpgrade": False,
    "BackupRetentionPeriod": 14,
    "CACertificateIdentifier": "rds-ca-rsa4096-g1",
    "CopyTagsToSnapshot": True,
    "DBInstanceClass": "db.m6g.large",
    "DeletionProtection": True,
    "EngineVersion": "16.4",
    "Iops": 13000,
    "MaxAllocatedStorage": 1000,
    "MonitoringInterval": 60,
    "MonitoringRoleArn": "arn:aws:iam::123456789012:role/rds-monitoring",
    "MultiAZ": True,
    "PerformanceInsightsRetentionPeriod": 731,
    "PreferredBackupWindow": "02:00-02:30",
    "PreferredMaintenanceWindow": "sun:04:00-sun:04:30",
    "PubliclyAccessible": True,
    "StorageEncrypted": True,
    "StorageThroughput": 600,
    "StorageType": "gp3",
}


class Stage:
    """RDS in a lab, driven through boto3, with the groups that SPYMEO's database is in."""

    def __init__(self, lab):
        self.lab, self.client, self.rds = lab, lab.client, lab.client("rds")
        self.ec2 = lab.client("ec2")
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.open_group = self.security_group("database", {"IpRanges": [{"CidrIp": "10.0.0.0/16"}]})
        self.closed_group = self.security_group("closed", None)
        subnets = [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]]
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=subnets[:2]
        )
        for name, number in (("tuned", "16"), ("tuned-15", "15")):
            self.rds.create_db_parameter_group(
                DBParameterGroupName=name, DBParameterGroupFamily=f"postgres{number}", Description="tuned"
            )
        self.rds.create_option_group(
            OptionGroupName="own", EngineName="postgres", MajorEngineVersion="16", OptionGroupDescription="own"
        )

    def security_group(self, name: str, source: dict | None) -> str:
        """The id of a new group that lets `source` (UserIdGroupPairs or IpRanges) reach port 5432; None: nobody."""
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
        if source:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[self.rule(source)])
        return group

    @staticmethod
    def rule(source: dict) -> dict:
        """An ingress rule for PostgreSQL's port."""
        return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **source}

    def create_plain(self, name: str, **options) -> None:
        """Ask for a small instance that anyone can reach."""
        wanted = {
            "AllocatedStorage": 20, "DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "EngineVersion": "16.4",
            "MasterUsername": "spymeo", "MasterUserPassword": PASSWORD, "VpcSecurityGroupIds": [self.open_group],
        }  # fmt: skip
        self.rds.create_db_instance(DBInstanceIdentifier=name, **{**wanted, **options})

    def create_production(self) -> None:
        """SPYMEO's database: table practitioners with 100 rows, then the snapshot."""
        self.create_plain(
            NAME, **SETTINGS, DBName="spymeo", DBSubnetGroupName="private", DBParameterGroupName="tuned", OptionGroupName="own",
            EnableCloudwatchLogsExports=["postgresql"], EnableIAMDatabaseAuthentication=True, EnablePerformanceInsights=True,
            DatabaseInsightsMode="advanced", Tags=[{"Key": "team", "Value": "care"}],
        )  # fmt: skip
        self.await_available(NAME)
        with self.connect(NAME) as connection:
            connection.execute("CREATE TABLE practitioners (id int PRIMARY KEY)")
            connection.execute("INSERT INTO practitioners SELECT generate_series(1, 100)")
        self.rds.create_db_snapshot(DBInstanceIdentifier=NAME, DBSnapshotIdentifier=SNAPSHOT)
        self.rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=SNAPSHOT, WaiterConfig=QUICKLY)

    def restore(self, name: str, **options) -> dict:
        """Restore the snapshot and wait; returns the instance."""
        self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name, DBSnapshotIdentifier=SNAPSHOT, **options
        )
        return self.await_available(name)

    def await_available(self, name: str) -> dict:
        """Wait with stock boto3's waiter; returns the instance."""
        self.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig=QUICKLY)
        return self.instance(name)

    def instance(self, name: str) -> dict:
        """What DescribeDBInstances says."""
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def connect(self, name: str, password: str = PASSWORD, database: str = "spymeo") -> psycopg.Connection:
        """Connect as the application does, each statement its own transaction."""
        endpoint = self.instance(name)["Endpoint"]
        return psycopg.connect(
            host=endpoint["Address"], port=endpoint["Port"], user="spymeo", password=password, dbname=database, connect_timeout=2,
            autocommit=True,
        )  # fmt: skip

    def count(self, name: str) -> int:
        """The number of practitioners."""
        with self.connect(name) as connection:
            return connection.execute("SELECT count(*) FROM practitioners").fetchone()[0]

    def messages(self, name: str, source_type: str = "db-instance") -> list[str]:
        """What DescribeEvents tells about one source."""
        events = self.rds.describe_events(SourceIdentifier=name, SourceType=source_type)["Events"]
        return [event["Message"] for event in events]


def await_that(condition, seconds: float = 5.0) -> None:
    """Wait until `condition()` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this never happened"
        time.sleep(0.01)


def refusal(call, **arguments) -> tuple[str, str]:
    """(code, message) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.fixture(name="helpers", scope="session")
def _helpers():
    return types.SimpleNamespace(
        await_that=await_that, refusal=refusal, NAME=NAME, SNAPSHOT=SNAPSHOT, PASSWORD=PASSWORD, SETTINGS=SETTINGS
    )


@pytest.fixture(name="module_durations", scope="module")
def _module_durations() -> Durations:
    """A snapshot takes long enough for tests to see it under way on a busy machine. The log is uploaded as often as in AWS."""
    return Durations(
        snapshot=0.8,
        restore=0.2,
        backing_up=0.1,
        modify=0.1,
        reboot=0.05,
        stop=0.05,
        security_group_interval=0.02,
        log_upload=300,
    )


@pytest.fixture(scope="module")
def stage(module_lab):
    """The network and the groups, no database yet."""
    return Stage(module_lab)


@pytest.fixture
def slowly(stage, monkeypatch):
    """Modifications take long enough for a test to see every status on a busy machine."""
    monkeypatch.setattr(stage.lab.lab, "durations", dataclasses.replace(stage.lab.lab.durations, modify=1.5))


@pytest.fixture
def busy(stage, monkeypatch):
    """The first automated backup of an instance takes as long as in AWS: nothing of a test sees its end."""
    monkeypatch.setattr(stage.lab.lab, "durations", dataclasses.replace(stage.lab.lab.durations, backing_up=600))


@pytest.fixture(scope="module")
def production(stage):
    """The stage with SPYMEO's database and its snapshot."""
    stage.create_production()
    return stage
