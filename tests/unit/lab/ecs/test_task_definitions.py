# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Task definitions and clusters of the lab's ECS, as boto3 sees them."""

from __future__ import annotations

import pytest

from .conftest import ROLE, image, refusal


def test_revisions_count_up_and_are_never_used_twice(stage):
    first, second = stage.definition(), stage.definition()
    assert (first.rpartition("/")[2], second.rpartition("/")[2]) == ("app:1", "app:2")
    stage.ecs.deregister_task_definition(taskDefinition="app:2")
    assert stage.definition().endswith("task-definition/app:3")


def test_a_family_is_its_newest_active_revision(stage):
    stage.definition(), stage.definition()
    stage.ecs.deregister_task_definition(taskDefinition="app:2")
    described = stage.ecs.describe_task_definition(taskDefinition="app")["taskDefinition"]
    assert (described["revision"], described["status"]) == (1, "ACTIVE")


def test_an_inactive_task_definition_can_be_described(stage):
    arn = stage.definition()
    stage.ecs.deregister_task_definition(taskDefinition=arn)
    described = stage.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert (described["status"], described["containerDefinitions"][0]["image"]) == ("INACTIVE", image("serves"))
    assert "deregisteredAt" in described


def test_what_is_not_there_cannot_be_described(stage):
    expected = ("ClientException", "Unable to describe task definition.")
    stage.ecs.deregister_task_definition(taskDefinition=stage.definition())
    for name in ("app", "app:2", "other", "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:1"):
        assert refusal(stage.ecs.describe_task_definition, taskDefinition=name) == expected


def test_a_deleted_definition_goes_once_nothing_is_made_of_it_and_its_number_stays_taken(stage):
    used, unused = stage.definition(), stage.definition()
    stage.create(used, 0)
    delete = stage.ecs.delete_task_definitions
    (failure,) = delete(taskDefinitions=[unused])["failures"]
    assert (failure["arn"], "still in ACTIVE status" in failure["reason"]) == (unused, True)
    for arn in (used, unused):
        stage.ecs.deregister_task_definition(taskDefinition=arn)
    deleted = delete(taskDefinitions=[used, unused])["taskDefinitions"]
    assert {item["status"] for item in deleted} == {"DELETE_IN_PROGRESS"}
    still = stage.ecs.describe_task_definition(taskDefinition=used)["taskDefinition"]
    assert (still["status"], "deleteRequestedAt" in still) == ("DELETE_IN_PROGRESS", True)
    gone = ("ClientException", "Unable to describe task definition.")
    assert refusal(stage.ecs.describe_task_definition, taskDefinition=unused) == gone
    refused = refusal(stage.update, taskDefinition=used, forceNewDeployment=True)
    assert refused == ("ClientException", "TaskDefinition is inactive")
    assert stage.definition().endswith("app:3")


def test_a_described_definition_registers_again_as_a_new_revision(stage):
    described = stage.ecs.describe_task_definition(taskDefinition=stage.definition())["taskDefinition"]
    computed = {"taskDefinitionArn", "revision", "status", "registeredAt", "registeredBy", "compatibilities"}
    again = stage.ecs.register_task_definition(
        **{key: value for key, value in described.items() if key not in computed}
    )
    assert again["taskDefinition"]["containerDefinitions"] == described["containerDefinitions"]
    assert again["taskDefinition"]["revision"] == 2


def test_lists_by_family_status_and_order_in_pages(stage):
    app = [stage.definition() for _ in range(3)]
    other = stage.definition(family="other")
    stage.ecs.deregister_task_definition(taskDefinition="app:2")
    listing = stage.ecs.list_task_definitions
    assert listing()["taskDefinitionArns"] == [app[0], app[2], other]
    assert listing(familyPrefix="app", sort="DESC")["taskDefinitionArns"] == [app[2], app[0]]
    assert listing(familyPrefix="app", status="INACTIVE")["taskDefinitionArns"] == [app[1]]
    pages = stage.ecs.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 1})
    assert [page["taskDefinitionArns"] for page in pages] == [[app[0]], [app[2]], [other]]
    assert stage.ecs.list_task_definition_families()["families"] == ["app", "other"]


def test_tags_are_shown_when_they_are_asked_for(stage):
    arn = stage.definition()
    stage.ecs.tag_resource(resourceArn=arn, tags=[{"key": "release", "value": "1"}, {"key": "team", "value": "care"}])
    stage.ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert "tags" not in stage.ecs.describe_task_definition(taskDefinition=arn)
    tags = [{"key": "release", "value": "1"}]
    assert stage.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])["tags"] == tags
    assert stage.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    assert refusal(stage.ecs.list_tags_for_resource, resourceArn=arn + "9")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"healthCheck": {"command": ["CMD", "true"]}}, "The lab does not have containers with healthCheck."),
        ({"logConfiguration": {"logDriver": "splunk"}}, "The lab has no log driver splunk, only awslogs."),
        ({"essential": False}, "Invalid setting for container. At least one container in a task must be essential."),
    ],
)
def test_refuses_what_the_lab_would_run_differently(stage, change, message):
    with pytest.raises(stage.ecs.exceptions.ClientException, match=message):
        stage.definition(**change)


SMALLEST = {
    "family": "app",
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": ROLE,
    "containerDefinitions": [
        {"name": "app", "image": image("serves"), "secrets": [{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:x"}]}
    ],
}


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ("cpu", "Fargate requires that 'cpu' be defined at the task level."),
        ("networkMode", "Networking mode must be awsvpc: the lab runs tasks as Fargate does."),
        (
            "executionRoleArn",
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ),
    ],
)
def test_refuses_what_fargate_could_not_run(stage, without, message):
    stage.ecs.register_task_definition(**SMALLEST)
    request = {name: value for name, value in SMALLEST.items() if name != without}
    assert refusal(stage.ecs.register_task_definition, **request) == ("ClientException", message)


def test_an_image_of_ecr_needs_an_execution_role(stage):
    container = {"name": "app", "image": image("serves")}
    request = {**SMALLEST, "executionRoleArn": "", "containerDefinitions": [container]}
    message = "Fargate requires task definition to have execution role ARN to support ECR images."
    assert refusal(stage.ecs.register_task_definition, **request) == ("ClientException", message)


def test_clusters_by_name_and_arn(stage):
    stage.ecs.create_cluster(clusterName="main")
    (arn,) = stage.ecs.list_clusters()["clusterArns"]
    answer = stage.ecs.describe_clusters(clusters=["main", arn, "none"])
    assert [cluster["clusterName"] for cluster in answer["clusters"]] == ["main", "main"]
    assert answer["failures"] == [{"arn": "arn:aws:ecs:eu-west-3:123456789012:cluster/none", "reason": "MISSING"}]
    assert refusal(stage.ecs.list_services, cluster="none") == ("ClusterNotFoundException", "Cluster not found.")
    assert refusal(stage.ecs.list_services)[0] == "ClusterNotFoundException"
