# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What else belongs to an instance: read replicas, which follow it, and RDS Proxies, of which only the API is there."""

from __future__ import annotations

import psycopg
import pytest

SOURCE, REPLICA, PROXY = "leader", "follower", "front"
ROLE = "arn:aws:iam::123456789012:role/proxy"


@pytest.fixture(scope="module")
def replicated(stage):
    """An instance with a table and a read replica."""
    stage.create_plain(SOURCE, DBName="spymeo", DBParameterGroupName="tuned", DBSubnetGroupName="private")
    stage.await_available(SOURCE)
    with stage.connect(SOURCE) as connection:
        connection.execute("CREATE TABLE practitioners AS SELECT 1 AS id")
    stage.rds.create_db_instance_read_replica(
        DBInstanceIdentifier=REPLICA, SourceDBInstanceIdentifier=SOURCE, VpcSecurityGroupIds=[stage.open_group]
    )
    stage.await_available(REPLICA)
    return stage


def test_source_and_replica_name_each_other(replicated):
    source, replica = replicated.instance(SOURCE), replicated.instance(REPLICA)
    assert source["ReadReplicaDBInstanceIdentifiers"] == [REPLICA]
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == SOURCE
    assert replica["StatusInfos"][0]["Status"] == "replicating"
    assert replica["DBParameterGroups"][0]["DBParameterGroupName"] == "tuned"
    assert replica["DBSubnetGroup"]["DBSubnetGroupName"] == "private"
    assert (replica["BackupRetentionPeriod"], replica["ReadReplicaDBInstanceIdentifiers"]) == (0, [])


def test_a_replica_follows_and_is_read_only(replicated, helpers):
    with replicated.connect(SOURCE) as connection:
        connection.execute("INSERT INTO practitioners VALUES (2)")
    helpers.await_that(lambda: replicated.count(REPLICA) == 2)
    with replicated.connect(REPLICA) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM practitioners")


def test_what_cannot_be_done_with_replicas(replicated, helpers):
    rds = replicated.rds
    for call, arguments, code in (
        (rds.stop_db_instance, {"DBInstanceIdentifier": SOURCE}, "InvalidDBInstanceState"),
        (rds.stop_db_instance, {"DBInstanceIdentifier": REPLICA}, "InvalidDBInstanceState"),
        (
            rds.create_db_instance_read_replica,
            {"DBInstanceIdentifier": "second", "SourceDBInstanceIdentifier": REPLICA},
            "InvalidDBInstanceState",  # its automated backups are off
        ),
        (
            rds.create_db_snapshot,
            {"DBInstanceIdentifier": REPLICA, "DBSnapshotIdentifier": "x"},
            "InvalidParameterCombination",
        ),
    ):
        assert helpers.refusal(call, **arguments)[0] == code


@pytest.fixture(scope="module")
def proxied(replicated):
    """A proxy without a target."""
    subnets = [subnet["SubnetId"] for subnet in replicated.ec2.describe_subnets()["Subnets"]]
    replicated.rds.create_db_proxy(DBProxyName=PROXY, EngineFamily="POSTGRESQL", RoleArn=ROLE, VpcSubnetIds=subnets)
    return replicated


def targets(stage) -> list[tuple[str, str]]:
    """The proxy's targets, each with its state."""
    found = stage.rds.describe_db_proxy_targets(DBProxyName=PROXY)["Targets"]
    return [(target["RdsResourceId"], target["TargetHealth"]["State"]) for target in found]


def test_a_proxy_becomes_available_and_has_one_target_group(proxied, helpers):
    read = proxied.rds.describe_db_proxies
    helpers.await_that(lambda: read(DBProxyName=PROXY)["DBProxies"][0]["Status"] == "available")
    assert [proxy["DBProxyName"] for proxy in read()["DBProxies"]] == [PROXY]
    groups = proxied.rds.describe_db_proxy_target_groups(DBProxyName=PROXY)["TargetGroups"]
    assert [(group["TargetGroupName"], group["IsDefault"]) for group in groups] == [("default", True)]


def test_a_proxys_target_can_be_exchanged_and_there_is_one_at_a_time(proxied, helpers):
    rds, target = proxied.rds, {"DBProxyName": PROXY, "DBInstanceIdentifiers": [SOURCE]}
    assert targets(proxied) == []
    answer = rds.register_db_proxy_targets(**target)["DBProxyTargets"]
    assert [each["TargetHealth"]["State"] for each in answer] == ["REGISTERING"]
    helpers.await_that(lambda: targets(proxied) == [(SOURCE, "AVAILABLE")])
    assert helpers.refusal(rds.register_db_proxy_targets, **target)[0] == "DBProxyTargetAlreadyRegisteredFault"
    rds.deregister_db_proxy_targets(**target)
    assert targets(proxied) == []
    assert helpers.refusal(rds.deregister_db_proxy_targets, **target)[0] == "DBProxyTargetNotFoundFault"


def test_what_a_proxy_does_not_have_is_named(proxied, helpers):
    read = proxied.rds.describe_db_proxy_targets
    assert helpers.refusal(read, DBProxyName="none")[0] == "DBProxyNotFoundFault"
    assert helpers.refusal(read, DBProxyName=PROXY, TargetGroupName="own")[0] == "DBProxyTargetGroupNotFoundFault"
    again = {
        "DBProxyName": PROXY,
        "EngineFamily": "POSTGRESQL",
        "RoleArn": ROLE,
        "VpcSubnetIds": ["subnet-0123456789abcdef0"],
    }
    assert helpers.refusal(proxied.rds.create_db_proxy, **again)[0] == "DBProxyAlreadyExistsFault"
