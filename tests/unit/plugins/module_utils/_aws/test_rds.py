# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, UnexpectedAnswer
from botocore.exceptions import ClientError
from botocore.stub import Stubber

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def stub():
    client = boto3.client("rds", region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def gateway(stub):
    return RdsGateway(stub.client)


def test_reads_every_instance_of_the_region_over_pages(stub, gateway, db_instance_answer):
    stub.add_response("describe_db_instances", {"DBInstances": [db_instance_answer(name="one")], "Marker": "m"}, {})
    stub.add_response("describe_db_instances", {"DBInstances": [db_instance_answer(name="two")]}, {"Marker": "m"})
    assert [item.name for item in gateway.instances()] == ["one", "two"]


def test_tells_an_instance_with_its_endpoint_and_tags(stub, gateway, db_instance_answer, ours):
    name = "app-db-rb-20261122-120000"
    answer = db_instance_answer(name=name, tags=ours)
    stub.add_response("describe_db_instances", {"DBInstances": [answer]}, {"DBInstanceIdentifier": name})
    found = gateway.instance(name)
    assert (found.host, found.port) == (f"{name}.abc.eu-west-3.rds.amazonaws.com", 5433)
    assert (found.run_id, found.replaces) == (ours["spymeo:rollback-run"], "app-db")
    assert found.from_snapshot == ours["spymeo:rollback-source-snapshot"]
    assert found.description == answer


def test_an_instance_that_is_not_there_is_none_and_as_a_source_bad_input(stub, gateway):
    stub.add_client_error("describe_db_instances", "DBInstanceNotFound")
    stub.add_client_error("describe_db_instances", "DBInstanceNotFound")
    assert gateway.instance("nope") is None
    with pytest.raises(BadInput, match=r"rollback_db_instance .*'nope'.*eu-west-3"):
        gateway.source("nope")


def test_a_snapshot_that_is_not_there_is_none(stub, gateway):
    stub.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
    assert gateway.snapshot("nope") is None


def test_a_snapshot_without_a_time_is_listed_last(stub, gateway, db_snapshot_answer):
    new = db_snapshot_answer(
        name="new", Status="creating", without=["SnapshotCreateTime", "OriginalSnapshotCreateTime"]
    )
    stub.add_response(
        "describe_db_snapshots",
        {"DBSnapshots": [new, db_snapshot_answer(name="old")]},
        {"DBInstanceIdentifier": "app-db"},
    )
    assert [item.name for item in gateway.snapshots_of("app-db")] == ["old", "new"]


@pytest.mark.parametrize(
    "key", ["DBInstanceStatus", "TagList", "EngineVersion", "DBParameterGroups", "AllocatedStorage"]
)
def test_a_key_that_aws_leaves_out_is_an_error_not_a_default(stub, gateway, db_instance_answer, key):
    stub.add_response("describe_db_instances", {"DBInstances": [db_instance_answer(without=[key])]})
    with pytest.raises(UnexpectedAnswer, match=key):
        gateway.instance("app-db")


@pytest.mark.parametrize("key", ["Status", "TagList", "PercentProgress", "AllocatedStorage"])
def test_a_key_that_a_snapshot_lacks_is_an_error_not_a_default(stub, gateway, db_snapshot_answer, key):
    stub.add_response("describe_db_snapshots", {"DBSnapshots": [db_snapshot_answer(without=[key])]})
    with pytest.raises(UnexpectedAnswer, match=key):
        gateway.snapshot("before")


def test_takes_a_snapshot_with_its_tags(stub, gateway):
    expected = {
        "DBInstanceIdentifier": "app-db",
        "DBSnapshotIdentifier": "safety",
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
    }
    stub.add_response("create_db_snapshot", {}, expected)
    assert gateway.take_snapshot("app-db", "safety", {"b": "2", "a": "1"}) is True


# The calls that RDS may refuse because something is there, or is busy: the caller looks again.
AGAIN = {
    "create_db_snapshot": ("DBSnapshotAlreadyExists", lambda gateway: gateway.take_snapshot("app-db", "safety", {})),
    "restore_db_instance_from_db_snapshot": (
        "DBInstanceAlreadyExists",
        lambda gateway: gateway.restore(
            "RestoreDBInstanceFromDBSnapshot", {"DBInstanceIdentifier": "new", "DBSnapshotIdentifier": "before"}
        ),
    ),
    "modify_db_instance": ("InvalidDBInstanceState", lambda gateway: gateway.modify({"DBInstanceIdentifier": "new"})),
    "reboot_db_instance": ("InvalidDBInstanceState", lambda gateway: gateway.reboot("new")),
}


@pytest.mark.parametrize("operation", AGAIN)
def test_says_when_a_writing_call_was_taken_and_when_not(stub, gateway, operation):
    code, call = AGAIN[operation]
    stub.add_response(operation, {})
    stub.add_client_error(operation, code)
    assert call(gateway) is True
    assert call(gateway) is False


@pytest.mark.parametrize("operation", AGAIN)
def test_other_refusals_rise(stub, gateway, operation):
    stub.add_client_error(operation, "StorageQuotaExceeded")
    with pytest.raises(ClientError, match="StorageQuotaExceeded"):
        AGAIN[operation][1](gateway)


def test_knows_which_parameters_this_botocore_has(gateway):
    assert {"DBInstanceIdentifier", "Tags", "MultiAZ"} <= gateway.accepts("RestoreDBInstanceFromDBSnapshot")
    assert "MonitoringInterval" not in gateway.accepts("RestoreDBInstanceFromDBSnapshot")
    assert "MonitoringInterval" in gateway.accepts("ModifyDBInstance")


def test_events_are_evidence_in_lines(stub, gateway):
    events = [{"Date": NOON, "Message": "message %d" % number} for number in range(20)]
    expected = {"SourceIdentifier": "new", "SourceType": "db-instance", "Duration": 180}
    stub.add_response("describe_events", {"Events": events}, expected)
    stub.add_response("describe_events", {"Events": []})
    lines = gateway.events("db-instance", "new")
    assert lines[-1] == "2026-11-22T12:00:00+00:00 message 19"
    assert len(lines) == 8
    assert "no event of new" in gateway.events("db-instance", "new")[0]


def test_events_that_may_not_be_read_do_not_hide_the_failure(stub, gateway):
    stub.add_client_error("describe_events", "AccessDenied")
    assert "DescribeEvents" in gateway.events("db-instance", "new")[0]


def test_a_snapshot_whose_reply_was_lost_is_known_while_its_source_is_backing_up(stub, gateway, db_snapshot_answer):
    stub.add_client_error("create_db_snapshot", "InvalidDBInstanceState")
    stub.add_response("describe_db_snapshots", {"DBSnapshots": [db_snapshot_answer(name="safety")]})
    assert gateway.take_snapshot("app-db", "safety", {}) is False


def test_a_source_that_takes_no_snapshot_now_is_told(stub, gateway):
    stub.add_client_error("create_db_snapshot", "InvalidDBInstanceState")
    stub.add_client_error("describe_db_snapshots", "DBSnapshotNotFound")
    assert gateway.take_snapshot("app-db", "safety", {}) is None


def test_tells_from_when_on_the_automated_backups_can_be_restored(stub, gateway):
    backups = [
        {"DbiResourceId": "db-A", "RestoreWindow": {"EarliestTime": NOON, "LatestTime": NOON}},
        {"DbiResourceId": "db-B", "RestoreWindow": {}},
    ]
    expected = {"DBInstanceIdentifier": "app-db"}
    stub.add_response("describe_db_instance_automated_backups", {"DBInstanceAutomatedBackups": backups}, expected)
    assert gateway.earliest_restorable("app-db") == {"db-A": NOON}


def test_an_instance_without_automated_backups_has_no_earliest_time(stub, gateway):
    stub.add_client_error("describe_db_instance_automated_backups", "DBInstanceAutomatedBackupNotFound")
    assert gateway.earliest_restorable("app-db") == {}


def test_tells_the_cas_with_the_ends_of_their_lives(stub, gateway):
    known = [
        {"CertificateIdentifier": "rds-ca-rsa2048-g1", "CertificateType": "CA", "ValidTill": NOON},
        {"CertificateIdentifier": "other", "CertificateType": "server", "ValidTill": NOON},
    ]
    stub.add_response("describe_certificates", {"Certificates": known})
    assert gateway.authorities() == {"rds-ca-rsa2048-g1": NOON}


@pytest.mark.parametrize("code", ["DBInstanceRoleAlreadyExists", "InvalidDBInstanceState"])
def test_a_role_that_is_there_or_cannot_be_taken_now_is_looked_at_again(stub, gateway, code):
    stub.add_client_error("add_role_to_db_instance", code)
    assert gateway.add_role("app-db", "arn:r", "s3Import") is False
