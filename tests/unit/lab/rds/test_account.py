# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Groups, tags, events, quotas and offers: what needs no running database."""

from __future__ import annotations

import datetime

import pytest


def test_a_subnet_group_shows_its_network(stage):
    group = stage.rds.describe_db_subnet_groups(DBSubnetGroupName="private")["DBSubnetGroups"][0]
    assert group["VpcId"] == stage.vpc
    assert {subnet["SubnetAvailabilityZone"]["Name"] for subnet in group["Subnets"]} == {"eu-west-3a", "eu-west-3b"}
    assert {subnet["SubnetStatus"] for subnet in group["Subnets"]} == {"Active"}


def test_the_default_subnet_group_has_the_default_vpcs_subnets(stage):
    groups = {group["DBSubnetGroupName"]: group for group in stage.rds.describe_db_subnet_groups()["DBSubnetGroups"]}
    assert len(groups["default"]["Subnets"]) == 3


def test_subnet_groups_are_checked(stage, helpers):
    subnet = stage.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    for name, subnets, code in (
        ("private", [subnet], "DBSubnetGroupAlreadyExists"),
        ("narrow", [subnet], "DBSubnetGroupDoesNotCoverEnoughAZs"),
        ("astray", ["subnet-0123456789abcdef0"], "InvalidSubnet"),
    ):
        create = stage.rds.create_db_subnet_group
        assert (
            helpers.refusal(create, DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=subnets)[0] == code
        )


def test_parameter_groups_come_in_pages(stage):
    for number in range(25):
        stage.rds.create_db_parameter_group(
            DBParameterGroupName=f"p{number}", DBParameterGroupFamily="postgres16", Description="d"
        )
    first = stage.rds.describe_db_parameter_groups(MaxRecords=20)
    assert len(first["DBParameterGroups"]) == 20
    pages = stage.rds.get_paginator("describe_db_parameter_groups").paginate(PaginationConfig={"PageSize": 20})
    names = [group["DBParameterGroupName"] for page in pages for group in page["DBParameterGroups"]]
    assert len(names) == len(set(names)) > 25
    assert {"default.postgres16", "tuned"} <= set(names)


def test_groups_that_are_not_there_are_named_in_the_error(stage, helpers):
    describe = stage.rds.describe_db_parameter_groups
    assert helpers.refusal(describe, DBParameterGroupName="none") == (
        "DBParameterGroupNotFound",
        "DBParameterGroup not found: none",
    )
    assert helpers.refusal(stage.rds.describe_option_groups, OptionGroupName="none")[0] == "OptionGroupNotFoundFault"
    assert (
        helpers.refusal(stage.rds.describe_db_subnet_groups, DBSubnetGroupName="none")[0]
        == "DBSubnetGroupNotFoundFault"
    )
    create = {"DBParameterGroupName": "tuned", "DBParameterGroupFamily": "postgres16", "Description": "d"}
    assert helpers.refusal(stage.rds.create_db_parameter_group, **create)[0] == "DBParameterGroupAlreadyExists"


def test_option_groups_have_a_default_for_each_version(stage):
    groups = stage.rds.describe_option_groups(EngineName="postgres", MajorEngineVersion="16")["OptionGroupsList"]
    assert [group["OptionGroupName"] for group in groups] == ["default:postgres-16", "own"]


def test_tags_are_added_overwritten_and_removed(stage, helpers):
    arn = stage.rds.describe_db_parameter_groups(DBParameterGroupName="tuned")["DBParameterGroups"][0][
        "DBParameterGroupArn"
    ]
    stage.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    stage.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "3"}])
    stage.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["b", "never-there"])
    assert stage.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "a", "Value": "3"}]
    read = stage.rds.list_tags_for_resource
    assert (
        helpers.refusal(read, ResourceName="arn:aws:rds:eu-west-3:123456789012:db:nothing")[0] == "DBInstanceNotFound"
    )
    assert helpers.refusal(read, ResourceName="nothing")[0] == "InvalidParameterValue"


def test_events_are_found_by_source_category_and_time(stage, helpers):
    stage.lab.lab.rds.store.event("db-instance", "told", "failure", "it broke")
    stage.lab.lab.rds.store.event("db-snapshot", "told", "creation", "it was made")
    read = stage.rds.describe_events
    assert [event["Message"] for event in read(SourceIdentifier="told", SourceType="db-instance")["Events"]] == [
        "it broke"
    ]
    assert [event["Message"] for event in read(EventCategories=["creation"])["Events"]] == ["it was made"]
    now = datetime.datetime.now(datetime.UTC)
    assert (
        read(StartTime=now + datetime.timedelta(minutes=1), EndTime=now + datetime.timedelta(minutes=2))["Events"] == []
    )
    assert read(Duration=5)["Events"][0]["SourceArn"] == "arn:aws:rds:eu-west-3:123456789012:db:told"
    assert helpers.refusal(read, SourceIdentifier="told")[0] == "InvalidParameterCombination"


def test_quotas_are_shown_with_what_is_used(stage):
    quotas = {quota["AccountQuotaName"]: quota for quota in stage.rds.describe_account_attributes()["AccountQuotas"]}
    assert quotas["DBInstances"] == {"AccountQuotaName": "DBInstances", "Used": 0, "Max": 40}
    assert set(quotas) == {"DBInstances", "ManualSnapshots", "AllocatedStorage"}


@pytest.mark.parametrize(("name", "offers"), [("db.m6g.large", 1), ("db.x9.huge", 0)])
def test_offers_tell_which_classes_there_are(stage, name, offers):
    answer = stage.rds.describe_orderable_db_instance_options(
        Engine="postgres", EngineVersion="16.4", DBInstanceClass=name
    )
    assert len(answer["OrderableDBInstanceOptions"]) == offers


def test_a_class_that_is_withdrawn_is_offered_no_longer_and_refused(stage, helpers):
    stage.lab.lab.controls["rds_withdraw_class"]("db.m5.xlarge")
    asked = {"Engine": "postgres", "EngineVersion": "16.4", "DBInstanceClass": "db.m5.xlarge"}
    assert stage.rds.describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"] == []
    code, message = helpers.refusal(stage.create_plain, name="refused", DBInstanceClass="db.m5.xlarge")
    assert (code, "does not support creating" in message) == ("InvalidParameterCombination", True)


def test_there_are_no_clusters_proxies_or_maintenance(stage, helpers):
    assert stage.rds.describe_db_clusters()["DBClusters"] == []
    assert stage.rds.describe_db_proxies()["DBProxies"] == []
    assert stage.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []
    assert helpers.refusal(stage.rds.describe_db_clusters, DBClusterIdentifier="none")[0] == "DBClusterNotFoundFault"
    assert helpers.refusal(stage.rds.describe_db_proxies, DBProxyName="none")[0] == "DBProxyNotFoundFault"


def test_an_operation_that_the_lab_does_not_have_says_so(stage, helpers):
    assert helpers.refusal(stage.rds.describe_event_subscriptions)[0] == "InvalidAction"


def test_controls_are_reachable_from_outside(stage):
    controls = stage.lab.lab.controls
    controls["rds_quota"]("DBInstances", 41)
    assert stage.rds.describe_account_attributes()["AccountQuotas"][0]["Max"] == 41
    with pytest.raises(ValueError, match="no terminal state available"):
        controls["rds_next_restore"]("available")
