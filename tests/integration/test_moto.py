# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The RDS modules on moto, which nobody here wrote: it keeps settings that the lab does not have, and knows quotas of its own."""

from __future__ import annotations

import datetime
import json
import pathlib
import subprocess
import sys

import boto3
import moto.rds.models
import moto.rds.responses
import pytest
from moto.core.responses import ActionResult
from moto.server import ThreadedMotoServer

from .held import with_run

ROOT = pathlib.Path(__file__).parents[2]
KEYS = {"access_key": "AKIAMOTOMOTO", "secret_key": "moto-secret-key", "region": "eu-west-3"}
OLD, RUN = "app-db", "rb-20261125-051500"
NEW = f"{OLD}-{RUN}"
AWAY_FROM_DEFAULTS = {
    "DBInstanceClass": "db.r6g.large", "Engine": "postgres", "EngineVersion": "13.16", "AllocatedStorage": 200, "StorageType": "io2",
    "Iops": 4000, "MultiAZ": True, "DeletionProtection": True, "BackupRetentionPeriod": 14, "PreferredBackupWindow": "02:15-02:45",
    "PreferredMaintenanceWindow": "sun:03:30-sun:04:00", "MaxAllocatedStorage": 1000, "CopyTagsToSnapshot": True, "Port": 5433,
    "EnableIAMDatabaseAuthentication": True, "EnableCloudwatchLogsExports": ["postgresql"], "StorageEncrypted": True,
    "AutoMinorVersionUpgrade": False, "DBSubnetGroupName": "private", "DBParameterGroupName": "tuned", "OptionGroupName": "options",
    "Tags": [{"Key": "application", "Value": "spymeo"}],
}  # fmt: skip
IDENTITY = {
    "DBInstanceIdentifier",
    "DBInstanceArn",
    "DbiResourceId",
    "Endpoint",
    "InstanceCreateTime",
    "LatestRestorableTime",
    "TagList",
}


def client(endpoint_url, service):
    keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
    return boto3.client(service, endpoint_url=endpoint_url, region_name=KEYS["region"], **keys)


def build(endpoint_url):
    """An instance with every setting away from its default, and a snapshot of it."""
    ec2, rds = client(endpoint_url, "ec2"), client(endpoint_url, "rds")
    subnets = ec2.describe_subnets()["Subnets"]
    group = ec2.create_security_group(GroupName="database", Description="PostgreSQL", VpcId=subnets[0]["VpcId"])[
        "GroupId"
    ]
    rds.create_db_subnet_group(
        DBSubnetGroupName="private",
        DBSubnetGroupDescription="private",
        SubnetIds=[item["SubnetId"] for item in subnets],
    )
    rds.create_db_parameter_group(
        DBParameterGroupName="tuned", DBParameterGroupFamily="postgres13", Description="tuned"
    )
    options = {"OptionGroupName": "options", "EngineName": "postgres", "MajorEngineVersion": "13"}
    rds.create_option_group(OptionGroupDescription="options", **options)
    login = {"MasterUsername": "app", "MasterUserPassword": "p4ssw0rd-of-moto", "DBName": "app"}
    rds.create_db_instance(DBInstanceIdentifier=OLD, VpcSecurityGroupIds=[group], **AWAY_FROM_DEFAULTS, **login)
    rds.create_db_snapshot(DBInstanceIdentifier=OLD, DBSnapshotIdentifier="before")


@pytest.fixture(scope="module")
def moto_endpoint():
    """moto on a free port. DescribeDBSnapshots of it lacks PercentProgress, which AWS always tells, and which we do not assume."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.rds.models.DBSnapshot, "percent_progress", 100, raising=False)
        # moto has no DescribeCertificates; its instances have this CA.
        given = {
            "CertificateIdentifier": "rds-ca-default",
            "CertificateType": "CA",
            "ValidTill": datetime.datetime(2061, 5, 25, tzinfo=datetime.UTC),
        }
        told = ActionResult({"Certificates": [given]})
        patch.setattr(moto.rds.responses.RDSResponse, "describe_certificates", lambda _self: told, raising=False)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        build(f"http://{host}:{port}")
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def task(moto_endpoint, tmp_path):
    """Run one module; gives its result (dict)."""

    def run(module, **options):
        options = with_run(tmp_path / "held", module, {"db_instance": OLD, "run_id": RUN, **options})
        given = json.dumps({**KEYS, "endpoint_url": moto_endpoint, **options})
        command = [
            str(pathlib.Path(sys.executable).parent / "ansible"),
            "localhost",
            "-m",
            f"spymeo.rollback.{module}",
            "-a",
            given,
        ]
        interpreter = ["-e", json.dumps({"ansible_python_interpreter": sys.executable})]
        subprocess.run([*command, *interpreter, "--tree", str(tmp_path)], cwd=ROOT, capture_output=True, timeout=120)
        return json.loads((tmp_path / "localhost").read_text())

    return run


def test_a_full_quota_of_snapshots_is_told_in_rds_words_and_nothing_is_made(task, moto_endpoint, monkeypatch):
    monkeypatch.setenv("MOTO_RDS_SNAPSHOT_LIMIT", "1")
    result = task("rds_snapshot", snapshot="safety")
    assert "SnapshotQuotaExceeded" in result["msg"]
    monkeypatch.delenv("MOTO_RDS_SNAPSHOT_LIMIT")
    assert task("rds_snapshot", snapshot="safety")["changed"]
    assert not task("rds_snapshot", snapshot="safety")["changed"]


def test_every_setting_comes_along_and_a_second_time_nothing_is_done(task, moto_endpoint):
    first = task("rds_restore", snapshot="before", new_db_instance=NEW)
    assert first.get("changed"), first
    instances = client(moto_endpoint, "rds").describe_db_instances()["DBInstances"]
    old, new = ({item["DBInstanceIdentifier"]: item for item in instances}[name] for name in (OLD, NEW))
    assert {key: value for key, value in new.items() if key not in IDENTITY} == {
        key: value for key, value in old.items() if key not in IDENTITY
    }
    assert {"Key": "application", "Value": "spymeo"} in new["TagList"]
    assert not task("rds_restore", snapshot="before", new_db_instance=NEW)["changed"]
