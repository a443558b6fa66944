# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of settings against botocore's shapes, and the requests and comparisons that are made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import botocore.session
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database import settings
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot

RDS = botocore.session.get_session().get_service_model("rds")
RUN = "rb-20261122-120000"


def accepted(operation):
    return frozenset(RDS.operation_model(operation).input_shape.members)


RESTORE, MODIFY = accepted("RestoreDBInstanceFromDBSnapshot"), accepted("ModifyDBInstance")


@pytest.fixture
def instance(db_instance_answer):
    return lambda **changes: DbInstance.from_boto(db_instance_answer(**changes))


@pytest.fixture
def request_for(instance, db_snapshot_answer):
    """The restore request for a source with these changes."""

    def make(accepted=RESTORE, allocated_storage=500, **changes):
        snapshot = DbSnapshot.from_boto(db_snapshot_answer(AllocatedStorage=allocated_storage))
        return settings.restore_request(instance(**changes), snapshot, "app-db-new", RUN, accepted)

    return make


def test_every_member_of_botocores_db_instance_has_a_row():
    assert set(RDS.shape_for("DBInstance").members) - {row.key for row in settings.SETTINGS} == set()


def test_no_row_reads_what_botocore_does_not_have():
    assert {row.key for row in settings.SETTINGS} - set(RDS.shape_for("DBInstance").members) == set()


def test_every_parameter_of_the_table_is_one_of_its_operation():
    to_a_time = frozenset(RDS.operation_model("RestoreDBInstanceToPointInTime").input_shape.members)
    assert {row.restore for row in settings.SETTINGS if row.restore} - (RESTORE | to_a_time) == set()
    assert {row.modify for row in settings.SETTINGS if row.modify} - MODIFY == set()


def test_names_are_unique_and_only_carried_settings_have_parameters():
    names = [row.name for row in settings.SETTINGS]
    assert len(names) == len(set(names))
    assert {row.kind for row in settings.SETTINGS if row.restore or row.modify} == {settings.CARRIED}


def test_what_a_restore_cannot_take_is_what_the_reference_says(instance, request_for):
    assert settings.left_to_modify(instance(), request_for()) == [
        "MaxAllocatedStorage",
        "PreferredMaintenanceWindow",
        "MonitoringInterval",
        "MonitoringRoleArn",
        "PerformanceInsightsEnabled",
        "PerformanceInsightsKMSKeyId",
        "PerformanceInsightsRetentionPeriod",
        "DatabaseInsightsMode",
    ]


def test_the_restore_request_carries_every_setting_that_the_restore_takes(request_for):
    assert request_for() == {
        "DBInstanceIdentifier": "app-db-new",
        "DBSnapshotIdentifier": "before",
        "DBInstanceClass": "db.m7g.large",
        "StorageType": "gp3",
        "AllocatedStorage": 500,
        "Iops": 13000,
        "StorageThroughput": 600,
        "DedicatedLogVolume": True,
        "Port": 5433,
        "VpcSecurityGroupIds": ["sg-1", "sg-2"],
        "DBSubnetGroupName": "private",
        "MultiAZ": True,
        "PubliclyAccessible": True,
        "NetworkType": "DUAL",
        "DBParameterGroupName": "tuned",
        "OptionGroupName": "options",
        "LicenseModel": "postgresql-license",
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "AutoMinorVersionUpgrade": False,
        "EnableIAMDatabaseAuthentication": True,
        "CACertificateIdentifier": "rds-ca-rsa4096-g1",
        "DeletionProtection": True,
        "BackupRetentionPeriod": 14,
        "PreferredBackupWindow": "02:10-02:40",
        "BackupTarget": "region",
        "CopyTagsToSnapshot": True,
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
        "Tags": [
            {"Key": "app", "Value": "spymeo"},
            {"Key": "spymeo:rollback-run", "Value": RUN},
            {"Key": "spymeo:rollback-source-snapshot", "Value": "arn:aws:rds:eu-west-3:123456789012:snapshot:before"},
            {"Key": "spymeo:rollback-replaces", "Value": "app-db"},
            {
                "Key": "spymeo:rollback-data",
                "Value": "app-db-new/db-APPDBXXXXXXXXXXXXXXXXXXXXX/2026-11-22T11:00:00+00:00/app-db",
            },
            {"Key": "spymeo:rollback-unfinished", "Value": "app-db-new/app-db/"},
        ],
    }


@pytest.mark.parametrize(
    ("changes", "present", "absent"),
    [
        pytest.param(
            {"AllocatedStorage": 399},
            {"StorageType": "gp3"},
            {"Iops", "StorageThroughput"},
            id="small gp3 has a baseline",
        ),
        pytest.param(
            {"AllocatedStorage": 400}, {"Iops": 13000, "StorageThroughput": 600}, set(), id="large gp3 is free"
        ),
        pytest.param({"StorageType": "io1"}, {"Iops": 13000}, {"StorageThroughput"}, id="io1 has iops only"),
        pytest.param({"StorageType": "io2"}, {"Iops": 13000}, {"StorageThroughput"}, id="io2 has iops only"),
        pytest.param(
            {"StorageType": "gp2"}, {"StorageType": "gp2"}, {"Iops", "StorageThroughput"}, id="gp2 has neither"
        ),
        pytest.param({"Engine": "oracle-se2", "AllocatedStorage": 200}, {"Iops": 13000}, set(), id="oracle's gp3"),
        pytest.param(
            {"Engine": "sqlserver-se", "AllocatedStorage": 20}, {"Iops": 13000}, {"AllocatedStorage"}, id="sql server"
        ),
        pytest.param(
            {"MultiAZ": False}, {"AvailabilityZone": "eu-west-3a", "MultiAZ": False}, set(), id="one zone is kept"
        ),
        pytest.param({}, {"MultiAZ": True}, {"AvailabilityZone"}, id="Multi-AZ refuses a zone"),
        pytest.param({"EnabledCloudwatchLogsExports": []}, {}, {"EnableCloudwatchLogsExports"}, id="no log exports"),
        pytest.param({"BackupRetentionPeriod": 0}, {"BackupRetentionPeriod": 0}, set(), id="backups off stay off"),
        pytest.param({"DedicatedLogVolume": False}, {}, {"DedicatedLogVolume"}, id="feature that is off"),
        pytest.param(
            {"DomainMemberships": [{"Domain": "d-1", "IAMRoleName": "ad", "FQDN": "corp.example"}]},
            {"Domain": "d-1", "DomainIAMRoleName": "ad"},
            {"DomainFqdn", "DomainAuthSecretArn"},
            id="AWS's directory",
        ),
        pytest.param(
            {
                "DomainMemberships": [
                    {"FQDN": "corp.example", "OU": "db", "AuthSecretArn": "arn:s", "DnsIps": ["10.0.0.1"]}
                ]
            },
            {
                "DomainFqdn": "corp.example",
                "DomainOu": "db",
                "DomainAuthSecretArn": "arn:s",
                "DomainDnsIps": ["10.0.0.1"],
            },
            {"Domain", "DomainIAMRoleName"},
            id="a directory of one's own",
        ),
    ],
)
def test_a_parameter_is_passed_only_where_rds_takes_it(request_for, changes, present, absent):
    request = request_for(**changes)
    assert {key: request.get(key) for key in present} == present
    assert absent.isdisjoint(request)


def test_storage_is_at_least_the_snapshots(request_for):
    assert request_for(allocated_storage=600)["AllocatedStorage"] == 600
    assert request_for(allocated_storage=100)["AllocatedStorage"] == 500


def test_tags_of_an_older_rollback_are_replaced_not_carried(request_for, ours):
    request = request_for(tags={**ours, "spymeo:rollback-run": "rb-20250101-000000"})
    assert [tag["Value"] for tag in request["Tags"] if tag["Key"] == "spymeo:rollback-run"] == [RUN]


def test_an_old_botocore_gets_only_what_it_knows_and_modify_does_the_rest(request_for, instance):
    older = RESTORE - {"CACertificateIdentifier", "AllocatedStorage"}
    assert {"CACertificateIdentifier", "AllocatedStorage"}.isdisjoint(request_for(accepted=older))
    restored = instance(name="app-db-new", CACertificateIdentifier="rds-ca-rsa2048-g1")
    request = settings.modify_request(instance(), restored, MODIFY)
    assert request == {
        "DBInstanceIdentifier": "app-db-new",
        "ApplyImmediately": True,
        "CACertificateIdentifier": "rds-ca-rsa4096-g1",
    }


NEW_CLOUDWATCH = {"EnableLogTypes": ["upgrade"], "DisableLogTypes": ["iam-db-auth-error"]}


@pytest.mark.parametrize(
    ("restored", "request_part"),
    [
        pytest.param({"MaxAllocatedStorage": None}, {"MaxAllocatedStorage": 1000}, id="autoscaling storage"),
        pytest.param(
            {"MonitoringInterval": 0, "MonitoringRoleArn": None},
            {"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring"},
            id="monitoring",
        ),
        pytest.param(
            {"MonitoringInterval": 30},
            {"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring"},
            id="the interval takes its role along",
        ),
        pytest.param(
            {"DatabaseInsightsMode": "standard"},
            {
                "EnablePerformanceInsights": True,
                "PerformanceInsightsKMSKeyId": "arn:aws:kms:eu-west-3:123456789012:key/2",
                "PerformanceInsightsRetentionPeriod": 465,
                "DatabaseInsightsMode": "advanced",
            },
            id="the insights go together",
        ),
        pytest.param(
            {"Iops": 12000},
            {"StorageType": "gp3", "AllocatedStorage": 500, "Iops": 13000, "StorageThroughput": 600},
            id="storage goes together",
        ),
        pytest.param(
            {"EnabledCloudwatchLogsExports": ["postgresql", "iam-db-auth-error"]},
            {"CloudwatchLogsExportConfiguration": NEW_CLOUDWATCH},
            id="log exports on and off",
        ),
        pytest.param({"DeletionProtection": False}, {"DeletionProtection": True}, id="protection"),
        pytest.param(
            {"DBParameterGroups": [{"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}]},
            {"DBParameterGroupName": "tuned"},
            id="parameter group",
        ),
        pytest.param({"Endpoint": {"Address": "h", "Port": 5432}}, {"DBPortNumber": 5433}, id="port"),
        pytest.param({"EngineVersion": "16.3"}, {"EngineVersion": "16.4"}, id="minor version"),
    ],
)
def test_what_differs_is_modified_before_the_cutover_or_later_never_in_both(instance, restored, request_part):
    pair = instance(), instance(name="app-db-new", **restored)
    requests = [settings.modify_request(*pair, MODIFY, kept) for kept in (settings.felt_of, settings.later_of)]
    (request,) = filter(None, requests)
    assert request == {"DBInstanceIdentifier": "app-db-new", "ApplyImmediately": True, **request_part}


def test_nothing_is_modified_when_nothing_differs_or_the_change_is_pending(instance):
    assert settings.modify_request(instance(), instance(name="app-db-new"), MODIFY) is None
    coming = instance(MultiAZ=False, AvailabilityZone="eu-west-3a", PendingModifiedValues={"MultiAZ": True})
    assert "MultiAZ" in settings.pending(coming)
    assert settings.modify_request(instance(), coming, MODIFY) is None


def test_log_exports_that_are_pending_are_known_by_the_name_of_their_setting(instance):
    coming = {"PendingCloudwatchLogsExports": {"LogTypesToEnable": ["postgresql"]}}
    assert settings.pending(instance(PendingModifiedValues=coming)) == {"EnabledCloudwatchLogsExports"}


@pytest.mark.parametrize(
    ("changes", "snapshot", "gives_password", "names"),
    [
        pytest.param({}, {}, False, [], id="nothing"),
        pytest.param({}, {}, True, ["MasterUserPassword"], id="the password of now"),
        pytest.param({}, {"EngineVersion": "16.3"}, False, ["EngineVersion"], id="an upgrade, which restarts"),
        pytest.param({}, {"EngineVersion": "16.10"}, False, [], id="a newer version came with the data"),
        pytest.param({"AssociatedRoles": [{"RoleArn": "r", "FeatureName": "s3Import"}]}, {}, False, ["AssociatedRoles"], id="a role"),
        pytest.param({"AssociatedRoles": [{"RoleArn": "r", "FeatureName": "s3Import", "Status": "INVALID"}]}, {}, False, [], id="a dead role"),
    ],
)  # fmt: skip
def test_what_comes_first(instance, db_snapshot_answer, changes, snapshot, gives_password, names):
    data = DbSnapshot.from_boto(db_snapshot_answer(**snapshot))
    assert settings.needed_first(instance(**changes), data, RESTORE, gives_password) == names
    request = settings.restore_request(instance(**changes), data, "new", RUN, RESTORE, names)
    assert (request["BackupRetentionPeriod"], "PreferredBackupWindow" in request) == (
        (0, False) if names else (14, True)
    )


def test_an_older_botocore_leaves_nothing_that_is_felt_to_a_backup_that_lasts_hours(instance, db_snapshot_answer):
    data = DbSnapshot.from_boto(db_snapshot_answer())
    assert settings.needed_first(instance(), data, RESTORE - {"CACertificateIdentifier"}) == ["CACertificateIdentifier"]
    assert settings.needed_first(instance(), data, RESTORE - {"PreferredBackupWindow"}) == []


def test_what_a_run_has_not_come_to_set_is_taken_from_where_it_is(instance):
    """Of a restored instance that is not finished, what nobody feels is taken from its origin, and all else is its own."""
    bare = instance(name="second", MaxAllocatedStorage=None, MonitoringInterval=0, DBInstanceClass="db.r6g.large")
    whole = settings.with_later_of(bare, instance())
    assert settings.later_of(settings.compare(instance(), whole)) == ()
    assert whole.description["DBInstanceClass"] == "db.r6g.large"


CARRIED_ROWS = [row for row in settings.SETTINGS if row.kind == settings.CARRIED]


@pytest.mark.parametrize("row", CARRIED_ROWS, ids=lambda row: row.name)
def test_each_carried_setting_is_compared(instance, row):
    """Both instances are the same but for this one key, which the restored one lacks or has otherwise."""
    source = instance(**OTHERWISE.get(row.name, {}))
    restored = instance(name="app-db-new", **CHANGED.get(row.name, {row.key: "other"}))
    assert row.name in {difference.setting for difference in settings.compare(source, restored)}


SELF_MANAGED = {"FQDN": "corp.example", "OU": "db", "AuthSecretArn": "arn:s", "DnsIps": ["10.0.0.1"]}
ROLE = {"AssociatedRoles": [{"RoleArn": "arn:r", "FeatureName": "s3Import"}]}
OTHERWISE = {"AvailabilityZone": {"MultiAZ": False}, "AssociatedRoles": ROLE}
CHANGED = {
    "ProcessorFeatures": {"ProcessorFeatures": [{"Name": "coreCount", "Value": "2"}]},
    "AllocatedStorage": {"AllocatedStorage": 499},
    "AdditionalStorageVolumes": {"AdditionalStorageVolumes": [{"VolumeName": "rdsdbdata2", "AllocatedStorage": 100}]},
    "Port": {"Endpoint": {"Address": "h", "Port": 5432}},
    "VpcSecurityGroups": {"VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-default", "Status": "active"}]},
    "DBSecurityGroups": {"DBSecurityGroups": [{"DBSecurityGroupName": "default", "Status": "active"}]},
    "DBSubnetGroup": {"DBSubnetGroup": {"DBSubnetGroupName": "default"}},
    "AvailabilityZone": {"MultiAZ": False, "AvailabilityZone": "eu-west-3c"},
    "DBParameterGroup": {"DBParameterGroups": [{"DBParameterGroupName": "default", "ParameterApplyStatus": "in-sync"}]},
    "OptionGroup": {"OptionGroupMemberships": [{"OptionGroupName": "default", "Status": "in-sync"}]},
    "AssociatedRoles": {"AssociatedRoles": []},
    "EngineVersion": {"EngineVersion": "16.3"},
    "Domain": {"DomainMemberships": [{"Domain": "d-1"}]},
    "DomainIAMRoleName": {"DomainMemberships": [{"IAMRoleName": "ad"}]},
    "DomainFqdn": {"DomainMemberships": [SELF_MANAGED]},
    "DomainOu": {"DomainMemberships": [SELF_MANAGED]},
    "DomainAuthSecretArn": {"DomainMemberships": [SELF_MANAGED]},
    "DomainDnsIps": {"DomainMemberships": [SELF_MANAGED]},
    "Tags": {"tags": {"app": "other"}},
    "PerformanceInsightsEnabled": {"PerformanceInsightsEnabled": False},
    "EnabledCloudwatchLogsExports": {"EnabledCloudwatchLogsExports": []},
}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"DBInstanceArn": "arn:other", "DbiResourceId": "db-OTHER"}, id="identity"),
        pytest.param({"DBInstanceStatus": "backing-up", "PercentProgress": "40"}, id="state"),
        pytest.param(
            {"AvailabilityZone": "eu-west-3b", "SecondaryAvailabilityZone": "eu-west-3a"}, id="Multi-AZ failed over"
        ),
        pytest.param({"AllocatedStorage": 600}, id="more storage"),
        pytest.param({"tags": {"app": "spymeo", "spymeo:rollback-run": "rb-1"}}, id="our tags"),
        pytest.param({"Endpoint": {"Address": "other", "Port": 5433}}, id="another host, the same port"),
    ],
)
def test_what_has_to_differ_is_no_difference(instance, changes):
    assert settings.compare(instance(), instance(**{"name": "app-db-new", **changes})) == ()


def test_a_difference_is_told_in_one_line(instance):
    told = [
        str(item) for item in settings.compare(instance(), instance(DeletionProtection=False, MaxAllocatedStorage=None))
    ]
    assert told == ["MaxAllocatedStorage: nothing, was 1000", "DeletionProtection: False, was True"]


def test_what_rds_has_learned_since_is_not_called_equal(instance):
    assert settings.not_compared(instance(QuantumMode="on", Newer=1)) == ["Newer", "QuantumMode"]
    assert settings.not_compared(instance()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ReadReplicaDBInstanceIdentifiers": ["app-db-ro"]}, ["read replicas", "app-db-ro"]),
        ({"ReadReplicaSourceDBInstanceIdentifier": "other-db"}, ["is a read replica", "other-db"]),
        ({"MasterUserSecret": {"SecretArn": "arn:secret"}}, ["master password"]),
        ({"PendingModifiedValues": {"DBInstanceClass": "db.r6g.large"}}, ["pending", "DBInstanceClass"]),
        ({"DBInstanceAutomatedBackupsReplications": [{"DBInstanceAutomatedBackupsArn": "arn:b"}]}, ["another region"]),
    ],
)
def test_what_no_restore_brings_over_is_a_finding(instance, changes, words):
    (finding,) = settings.not_brought_over(instance(**changes))
    assert all(word in finding for word in words)


def test_a_pending_master_password_is_no_part_of_a_finding(instance):
    (finding,) = settings.not_brought_over(instance(PendingModifiedValues={"MasterUserPassword": "hunter2"}))
    assert "hunter2" not in finding


def test_a_newer_minor_version_is_no_difference_and_nobody_asks_for_the_older_one(instance):
    newer = instance(name="app-db-new", EngineVersion="16.10")
    assert "EngineVersion" not in {item.setting for item in settings.compare(instance(), newer)}
    assert "EngineVersion" not in (settings.modify_request(instance(), newer, frozenset(["EngineVersion"])) or {})


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("authorities", "given"),
    [
        (None, True),
        ({"rds-ca-rsa4096-g1": NOW + timedelta(days=1)}, True),
        ({"rds-ca-rsa4096-g1": NOW}, False),
        ({"other": NOW + timedelta(days=1)}, False),
    ],
)
def test_a_ca_that_rds_gives_to_nobody_any_more_is_not_asked_for_and_no_difference(instance, authorities, given):
    source = settings.givable(instance(), authorities, NOW)
    other = instance(name="app-db-new", CACertificateIdentifier="other")
    assert ("CACertificateIdentifier" in settings.settings_of(source)) is given
    assert ("CACertificateIdentifier" in {item.setting for item in settings.compare(source, other)}) is given
