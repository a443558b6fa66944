# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ModifyDBInstance: every setting, when it is applied, and what the status says meanwhile."""

from __future__ import annotations

import time

import psycopg
import pytest

from loopback_aws.services.rds import settings as rds_settings

SMALL = "small"


@pytest.fixture(scope="module")
def small(stage):
    """An instance with RDS's defaults."""
    stage.create_plain(SMALL, DBName="spymeo", AllocatedStorage=400)
    stage.await_available(SMALL)
    return stage


def modify(stage, **changes) -> dict:
    """Modify once the instance is available; returns the answer's instance."""
    stage.await_available(SMALL)
    return stage.rds.modify_db_instance(DBInstanceIdentifier=SMALL, **changes)["DBInstance"]


def settled(stage, helpers) -> dict:
    """The instance when nothing is under way any more."""
    service = stage.lab.lab.rds.store.instances[SMALL]
    helpers.await_that(lambda: not service.due and not service.modification_planned and service.status == "available")
    return stage.instance(SMALL)


EVERY_SETTING = {
    "AllocatedStorage": 440,
    "AutoMinorVersionUpgrade": False,
    "BackupRetentionPeriod": 14,
    "CACertificateIdentifier": "rds-ca-rsa4096-g1",
    "CopyTagsToSnapshot": True,
    "DBInstanceClass": "db.m6g.large",
    "DatabaseInsightsMode": "advanced",
    "DedicatedLogVolume": True,
    "DeletionProtection": True,
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
    "EngineVersion": "16.5",
    "EnableIAMDatabaseAuthentication": True,
    "Iops": 13000,
    "MaxAllocatedStorage": 1000,
    "MonitoringInterval": 60,
    "MonitoringRoleArn": "arn:aws:iam::123456789012:role/rds-monitoring",
    "MultiAZ": True,
    "NetworkType": "DUAL",
    "EnablePerformanceInsights": True,
    "PerformanceInsightsRetentionPeriod": 731,
    "PerformanceInsightsKMSKeyId": "arn:aws:kms:eu-west-3:123456789012:key/insights",
    "PreferredBackupWindow": "02:00-02:30",
    "PreferredMaintenanceWindow": "sun:04:00-sun:04:30",
    "PubliclyAccessible": True,
    "StorageThroughput": 600,
}


def test_every_setting_that_is_modified_shows(small, helpers):
    before = small.instance(SMALL)
    modify(small, ApplyImmediately=True, **EVERY_SETTING)
    after = settled(small, helpers)
    names = {rds_settings.BY_ASKED[asked].shown: value for asked, value in EVERY_SETTING.items()}
    assert {name: after.get(name) for name in names} == names
    assert {name for name, value in names.items() if before.get(name) == value} == set()
    assert after["PendingModifiedValues"] == {}
    assert after["EnhancedMonitoringResourceArn"].endswith(after["DbiResourceId"])
    assert after["SecondaryAvailabilityZone"] != after["AvailabilityZone"]


def test_settings_without_outage_are_in_the_answer(small):
    answer = modify(small, DeletionProtection=False, PreferredBackupWindow="03:00-03:30", BackupRetentionPeriod=7)
    assert (answer["DeletionProtection"], answer["PreferredBackupWindow"], answer["BackupRetentionPeriod"]) == (
        False,
        "03:00-03:30",
        7,
    )
    assert answer["PendingModifiedValues"] == {}


def test_without_apply_immediately_a_change_waits_for_the_window(small, helpers):
    modify(small, DBInstanceClass="db.r6g.large", BackupRetentionPeriod=0)
    shown = settled(small, helpers)
    assert shown["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.large", "BackupRetentionPeriod": 0}
    assert shown["DBInstanceClass"] != "db.r6g.large"
    modify(small, DBInstanceClass=shown["DBInstanceClass"])
    assert settled(small, helpers)["PendingModifiedValues"] == {"BackupRetentionPeriod": 0}
    modify(small, ApplyImmediately=True)
    shown = settled(small, helpers)
    assert (shown["BackupRetentionPeriod"], shown["PendingModifiedValues"]) == (0, {})
    assert "LatestRestorableTime" not in shown


@pytest.mark.usefixtures("slowly")
def test_the_status_first_still_reads_available(small, helpers):
    answer = modify(small, MultiAZ=not small.instance(SMALL)["MultiAZ"], ApplyImmediately=True)
    assert answer["DBInstanceStatus"] == "available"
    assert answer["PendingModifiedValues"] == {"MultiAZ": not answer["MultiAZ"]}
    helpers.await_that(lambda: small.instance(SMALL)["DBInstanceStatus"] == "modifying")
    assert settled(small, helpers)["MultiAZ"] is not answer["MultiAZ"]


@pytest.mark.usefixtures("slowly")
def test_each_kind_of_change_has_its_status(small, helpers):
    answer = modify(small, MonitoringInterval=30, CloudwatchLogsExportConfiguration={"EnableLogTypes": ["postgresql"]})
    assert answer["PendingModifiedValues"] == {"PendingCloudwatchLogsExports": {"LogTypesToEnable": ["postgresql"]}}
    seen = []
    while "available" not in seen[1:]:
        status = small.instance(SMALL)["DBInstanceStatus"]
        seen += [status] if seen[-1:] != [status] else []
        time.sleep(0.02)
    assert seen == ["available", "configuring-log-exports", "configuring-enhanced-monitoring", "available"]
    assert settled(small, helpers)["EnabledCloudwatchLogsExports"] == ["postgresql"]


def test_a_parameter_group_stays_pending_until_the_reboot(small, helpers):
    answer = modify(small, DBParameterGroupName="tuned", ApplyImmediately=True)
    assert answer["DBParameterGroups"] == [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "applying"}]
    assert settled(small, helpers)["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    small.rds.reboot_db_instance(DBInstanceIdentifier=SMALL)
    assert small.await_available(SMALL)["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"


def test_an_option_group_is_applied(small, helpers):
    answer = modify(small, OptionGroupName="own", ApplyImmediately=True)
    assert [group["Status"] for group in answer["OptionGroupMemberships"]] == ["in-sync", "pending-apply"]
    assert settled(small, helpers)["OptionGroupMemberships"] == [{"OptionGroupName": "own", "Status": "in-sync"}]


def test_a_new_master_password_is_the_servers(small, helpers):
    answer = modify(small, MasterUserPassword="second-Passw0rd")
    assert answer["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    settled(small, helpers)
    small.connect(SMALL, password="second-Passw0rd").close()
    with pytest.raises(psycopg.OperationalError):
        small.connect(SMALL)
    modify(small, MasterUserPassword=helpers.PASSWORD)
    settled(small, helpers)
    small.connect(SMALL).close()


def test_another_port_is_served(small, helpers):
    rule = {"IpProtocol": "tcp", "FromPort": 6432, "ToPort": 6432, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    small.ec2.authorize_security_group_ingress(GroupId=small.open_group, IpPermissions=[rule])
    modify(small, DBPortNumber=6432)
    assert settled(small, helpers)["Endpoint"]["Port"] == 6432
    small.connect(SMALL).close()


@pytest.mark.usefixtures("slowly")
def test_storage_is_optimized_afterwards_and_cannot_be_changed_meanwhile(small, helpers):
    size = small.instance(SMALL)["AllocatedStorage"]
    modify(small, AllocatedStorage=size + 1, Iops=14000, ApplyImmediately=True)
    helpers.await_that(lambda: small.instance(SMALL)["DBInstanceStatus"] == "storage-optimization")
    again = {"DBInstanceIdentifier": SMALL, "AllocatedStorage": size * 2, "ApplyImmediately": True}
    assert helpers.refusal(small.rds.modify_db_instance, **again)[0] == "InvalidParameterCombination"
    assert settled(small, helpers)["AllocatedStorage"] == -(-size * 11 // 10)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AllocatedStorage": 100}, "InvalidParameterCombination"),
        ({"DBInstanceClass": "db.x9.huge"}, "InvalidParameterValue"),
        ({"DBParameterGroupName": "nothing"}, "DBParameterGroupNotFound"),
        ({"DBParameterGroupName": "tuned-15"}, "InvalidParameterCombination"),
        ({"EngineVersion": "17.2"}, "InvalidParameterCombination"),
        ({"EngineVersion": "16.3"}, "InvalidParameterCombination"),
        ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
        ({"MonitoringInterval": 7}, "InvalidParameterValue"),
        ({"PerformanceInsightsRetentionPeriod": 94}, "InvalidParameterValue"),
        ({"MaxAllocatedStorage": 20}, "InvalidParameterCombination"),
        ({"NewDBInstanceIdentifier": "renamed"}, "InvalidParameterCombination"),
        ({"DBInstanceIdentifier": "nothing"}, "DBInstanceNotFound"),
    ],
)
def test_modify_refuses_what_rds_refuses_and_changes_nothing(small, helpers, changes, code):
    before = settled(small, helpers)
    arguments = {"DBInstanceIdentifier": SMALL, "ApplyImmediately": True, "MultiAZ": not before["MultiAZ"], **changes}
    assert helpers.refusal(small.rds.modify_db_instance, **arguments)[0] == code
    assert settled(small, helpers) == before
