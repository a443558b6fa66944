# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CreateDBInstance, RebootDBInstance, StopDBInstance, StartDBInstance, DeleteDBInstance; who can reach an instance."""

from __future__ import annotations

import socket

import psycopg
import pytest


@pytest.fixture(scope="module")
def small(stage):
    """A small instance with a table."""
    stage.create_plain("small", DBName="spymeo")
    stage.await_available("small")
    with stage.connect("small") as connection:
        connection.execute("CREATE TABLE practitioners AS SELECT 1 AS id")
    return stage


def test_the_master_user_owns_its_database_and_is_no_superuser(small):
    with small.connect("small") as connection:
        assert connection.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False, True)
        connection.execute("CREATE ROLE reader")
        assert connection.execute("SELECT pg_has_role('rds_superuser', 'MEMBER')").fetchone() == (True,)


@pytest.mark.parametrize(("user", "password"), [("spymeo", "wrong-password"), ("rdsadmin", "first-Passw0rd")])
def test_nobody_else_gets_in(small, user, password):
    host = small.instance("small")["Endpoint"]["Address"]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=host, user=user, password=password, dbname="spymeo", connect_timeout=2)


def test_reboot_restarts_the_server_and_keeps_data_and_address(small, helpers):
    before = small.instance("small")["Endpoint"]
    with small.connect("small") as connection:
        assert (
            small.rds.reboot_db_instance(DBInstanceIdentifier="small")["DBInstance"]["DBInstanceStatus"] == "rebooting"
        )
        small.await_available("small")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert small.instance("small")["Endpoint"] == before
    assert small.count("small") == 1
    assert small.messages("small")[-1] == "DB instance restarted"
    assert (
        helpers.refusal(small.rds.reboot_db_instance, DBInstanceIdentifier="small", ForceFailover=True)[0]
        == "InvalidParameterCombination"
    )


def test_a_stopped_instance_does_not_answer_and_cannot_be_modified_until_it_is_started(small, helpers):
    address = small.rds.stop_db_instance(DBInstanceIdentifier="small")["DBInstance"]["Endpoint"]["Address"]
    helpers.await_that(lambda: small.instance("small")["DBInstanceStatus"] == "stopped")
    assert "AutomaticRestartTime" in small.instance("small")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=address, user="spymeo", password=helpers.PASSWORD, dbname="spymeo", connect_timeout=2)
    for call, arguments in ((small.rds.modify_db_instance, {"MultiAZ": True}), (small.rds.reboot_db_instance, {})):
        assert helpers.refusal(call, DBInstanceIdentifier="small", **arguments)[0] == "InvalidDBInstanceState"
    small.rds.start_db_instance(DBInstanceIdentifier="small")
    assert small.await_available("small")["Endpoint"]["Address"] == address
    assert small.count("small") == 1


@pytest.mark.usefixtures("slowly")
def test_groups_decide_who_can_connect_and_do_not_cut_connections_that_stand(small, helpers):
    with small.connect("small") as standing:
        small.rds.modify_db_instance(DBInstanceIdentifier="small", VpcSecurityGroupIds=[small.closed_group])
        statuses = {
            group["VpcSecurityGroupId"]: group["Status"] for group in small.instance("small")["VpcSecurityGroups"]
        }
        assert statuses == {small.open_group: "removing", small.closed_group: "adding"}
        helpers.await_that(lambda: not reaches(small))
        assert small.instance("small")["VpcSecurityGroups"] == [
            {"VpcSecurityGroupId": small.closed_group, "Status": "active"}
        ]
        assert standing.execute("SELECT 1").fetchone() == (1,)
    small.rds.modify_db_instance(DBInstanceIdentifier="small", VpcSecurityGroupIds=[small.open_group])
    helpers.await_that(lambda: reaches(small))


def test_a_rule_that_is_revoked_or_added_is_followed(small, helpers):
    rules = {"GroupId": small.open_group, "IpPermissions": [small.rule({"IpRanges": [{"CidrIp": "10.0.0.0/16"}]})]}
    small.ec2.revoke_security_group_ingress(**rules)
    helpers.await_that(lambda: not reaches(small))
    small.ec2.authorize_security_group_ingress(**rules)
    helpers.await_that(lambda: reaches(small))
    assert small.count("small") == 1


def test_a_group_that_lets_in_its_own_members_lets_in_nobody_else(small, helpers):
    group = small.security_group("members", None)
    small.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[small.rule({"UserIdGroupPairs": [{"GroupId": group}]})]
    )
    small.create_plain("members-only", VpcSecurityGroupIds=[group])
    small.await_available("members-only")
    assert not reaches(small, "members-only")
    other = [small.rule({"UserIdGroupPairs": [{"GroupId": small.closed_group}]})]
    small.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=other)
    helpers.await_that(lambda: reaches(small, "members-only"))


def reaches(stage, name: str = "small") -> bool:
    """Whether the application can connect. What a security group drops is not refused: it is not answered."""
    endpoint = stage.instance(name)["Endpoint"]
    try:
        socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=0.3).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"name": "SMALL"}, "DBInstanceAlreadyExists"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with@sign-inside"}, "InvalidParameterValue"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"EngineVersion": "16.99"}, "InvalidParameterCombination"),
        ({"AllocatedStorage": 5}, "InvalidParameterCombination"),
        ({"StorageType": "io1", "AllocatedStorage": 100}, "InvalidParameterCombination"),
        ({"StorageType": "gp3", "Iops": 9000}, "InvalidParameterCombination"),
        ({"MonitoringInterval": 60}, "InvalidParameterCombination"),
        ({"EnableCloudwatchLogsExports": ["slowquery"]}, "InvalidParameterCombination"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
        ({"PreferredBackupWindow": "25:00-26:00"}, "InvalidParameterValue"),
        ({"StorageEncrypted": True, "KmsKeyId": "alias/nothing"}, "KMSKeyNotAccessibleFault"),
        ({"Tags": [{"Key": "aws:mine", "Value": "x"}]}, "InvalidParameterValue"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
    ],
)
def test_create_refuses_what_rds_refuses(small, helpers, arguments, code):
    assert helpers.refusal(small.create_plain, **{"name": "refused", **arguments})[0] == code


def test_deletion_is_real_and_protected(small, helpers):
    small.create_plain("doomed", DeletionProtection=True)
    small.await_available("doomed")
    delete = small.rds.delete_db_instance
    assert (
        helpers.refusal(delete, DBInstanceIdentifier="doomed", SkipFinalSnapshot=True)[0]
        == "InvalidParameterCombination"
    )
    small.rds.modify_db_instance(DBInstanceIdentifier="doomed", DeletionProtection=False)
    assert helpers.refusal(delete, DBInstanceIdentifier="doomed")[0] == "InvalidParameterCombination"
    directory = small.lab.lab.rds.store.instances["doomed"].server.directory
    delete(DBInstanceIdentifier="doomed", FinalDBSnapshotIdentifier="last-of-doomed")
    small.rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier="doomed", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )
    assert not directory.exists()
    small.rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier="last-of-doomed", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("db-instance-id", "small", ["small"]), ("db-instance-id", "nothing", []), ("engine", "mysql", [])],
)
def test_instances_are_found_by_filters(small, name, value, found):
    answer = small.rds.describe_db_instances(Filters=[{"Name": name, "Values": [value]}])
    assert [shown["DBInstanceIdentifier"] for shown in answer["DBInstances"]] == found


def test_unknown_names_filters_and_page_sizes_are_refused(small, helpers):
    describe = small.rds.describe_db_instances
    assert helpers.refusal(describe, DBInstanceIdentifier="nothing") == (
        "DBInstanceNotFound",
        "DBInstance nothing not found.",
    )
    assert helpers.refusal(describe, Filters=[{"Name": "colour", "Values": ["red"]}])[0] == "InvalidParameterValue"
    assert helpers.refusal(describe, MaxRecords=5)[0] == "InvalidParameterValue"
    assert helpers.refusal(describe, Marker="invented")[0] == "InvalidParameterValue"
    assert (
        describe(DBInstanceIdentifier=small.instance("small")["DBInstanceArn"])["DBInstances"][0][
            "DBInstanceIdentifier"
        ]
        == "small"
    )
