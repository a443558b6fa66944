# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services of the lab's ECS: what CreateService, UpdateService and DescribeServices take, refuse and show."""

from __future__ import annotations

import time

import pytest

from loopback_aws.services.ecs import rollout

from .conftest import NETWORK, refusal


def test_a_service_starts_its_tasks_and_becomes_steady(stage):
    created = stage.create(stage.definition())
    assert (created["desiredCount"], created["runningCount"], created["deployments"][0]["rolloutState"]) == (
        2,
        0,
        "IN_PROGRESS",
    )
    service = stage.steady()
    (deployment,) = service["deployments"]
    assert (deployment["status"], deployment["desiredCount"], deployment["runningCount"]) == ("PRIMARY", 2, 2)
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    ids = [task["taskArn"].rpartition("/")[2] for task in stage.tasks()]
    assert stage.events() == [
        f"(service web) has started 2 tasks: (task {ids[0]}) (task {ids[1]}).",
        f"(service web) (deployment {deployment['id']}) deployment completed.",
        "(service web) has reached a steady state.",
    ]


def test_tasks_of_a_service_name_their_deployment(stage):
    service = stage.running(stage.definition(), 1)
    (task,) = stage.tasks()
    assert (task["group"], task["startedBy"]) == ("service:web", service["deployments"][0]["id"])


def test_create_service_is_idempotent_for_the_same_request_only(stage):
    definition = stage.definition()
    assert stage.create(definition)["serviceArn"] == stage.create(definition)["serviceArn"]
    with pytest.raises(stage.ecs.exceptions.InvalidParameterException, match="Creation of service was not idempotent"):
        stage.create(definition, 3)


def test_create_service_needs_its_cluster(stage):
    request = {
        "serviceName": "web",
        "taskDefinition": stage.definition(),
        "desiredCount": 1,
        "networkConfiguration": NETWORK,
    }
    assert refusal(stage.ecs.create_service, cluster="none", **request)[0] == "ClusterNotFoundException"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"networkConfiguration": {}}, "Network Configuration must be provided when networkMode 'awsvpc' is specified"),
        (
            {"healthCheckGracePeriodSeconds": 5},
            "Health check grace period is only valid for services configured to use load balancers",
        ),
        ({"deploymentConfiguration": {"maximumPercent": 100}}, "cannot be 100 as this will block deployments"),
        ({"deploymentConfiguration": {"strategy": "CANARY"}}, "Deployment strategy CANARY needs a load balancer"),
        ({"launchType": "EC2"}, "launch type FARGATE"),
    ],
)
def test_refuses_settings_that_could_not_be_kept(stage, change, message):
    with pytest.raises(stage.ecs.exceptions.InvalidParameterException, match=message):
        stage.create(stage.definition(), **change)


def test_describe_services_takes_at_most_ten(stage):
    code, message = refusal(stage.ecs.describe_services, cluster="main", services=[f"s{n}" for n in range(11)])
    assert code == "InvalidParameterException"
    assert "10" in message


def test_describe_services_tells_what_is_missing(stage):
    service = stage.create(stage.definition(), tags=[{"key": "team", "value": "care"}])
    answer = stage.ecs.describe_services(cluster="main", services=[service["serviceArn"], "none"], include=["TAGS"])
    assert [each["tags"] for each in answer["services"]] == [[{"key": "team", "value": "care"}]]
    assert answer["failures"] == [{"arn": "arn:aws:ecs:eu-west-3:123456789012:service/main/none", "reason": "MISSING"}]
    assert refusal(stage.ecs.describe_services, cluster="none", services=["web"])[0] == "ClusterNotFoundException"


def test_list_services_pages_by_ten(stage):
    definition = stage.definition()
    arns = [
        stage.ecs.create_service(
            cluster="main",
            serviceName=f"s{n:02}",
            taskDefinition=definition,
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
        )["service"]["serviceArn"]
        for n in range(12)
    ]
    first = stage.ecs.list_services(cluster="main")
    rest = stage.ecs.list_services(cluster="main", nextToken=first["nextToken"])
    assert (first["serviceArns"], rest["serviceArns"], "nextToken" in rest) == (arns[:10], arns[10:], False)
    assert refusal(stage.ecs.list_services, cluster="main", nextToken="else")[0] == "InvalidParameterException"


def test_update_service_refuses_inactive_and_unknown_task_definitions(stage):
    stage.running(stage.definition(), 1)
    before = stage.service()
    stage.ecs.deregister_task_definition(taskDefinition=stage.definition())
    update = {"cluster": "main", "service": "web"}
    assert refusal(stage.ecs.update_service, taskDefinition="app:2", **update) == (
        "ClientException",
        "TaskDefinition is inactive",
    )
    assert refusal(stage.ecs.update_service, taskDefinition="app:9", **update)[0] == "ClientException"
    assert stage.service() == before


def test_update_service_of_what_is_not_there(stage):
    assert refusal(stage.ecs.update_service, cluster="main", service="none")[0] == "ServiceNotFoundException"
    stage.create(stage.definition(), 0)
    stage.ecs.delete_service(cluster="main", service="web")
    stage.until(lambda: stage.service()["status"] == "INACTIVE")
    assert refusal(stage.ecs.update_service, cluster="main", service="web") == (
        "ServiceNotActiveException",
        "Service was not ACTIVE.",
    )


def test_a_running_service_is_deleted_by_force_only(stage):
    stage.running(stage.definition(), 1)
    assert refusal(stage.ecs.delete_service, cluster="main", service="web")[0] == "InvalidParameterException"
    stage.ecs.delete_service(cluster="main", service="web", force=True)
    stage.until(lambda: stage.service()["status"] == "INACTIVE")
    assert stage.tasks() == []


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_other_controllers_do_not_take_a_task_definition(stage, controller):
    stage.create(stage.definition(), 1, deploymentController={"type": controller})
    second = stage.definition()
    for change in ({"taskDefinition": second}, {"forceNewDeployment": True}, {"networkConfiguration": NETWORK}):
        code, message = refusal(stage.ecs.update_service, cluster="main", service="web", **change)
        assert code == "InvalidParameterException"
        assert controller in message
    service = stage.service()
    assert service["deployments"] == []
    assert [each["taskDefinition"] for each in service["taskSets"]] == [service["taskDefinition"]]


def test_the_desired_count_is_kept_when_it_is_left_out(stage):
    stage.running(stage.definition(), 1)
    stage.update(desiredCount=3)
    stage.update(taskDefinition=stage.definition())
    assert stage.steady()["desiredCount"] == 3


def test_scaling_is_no_deployment(stage):
    before = stage.running(stage.definition(), 1)
    stage.update(desiredCount=3)
    assert (
        len(stage.until(lambda: [t for t in stage.tasks() if t["lastStatus"] == "RUNNING"][2:] and stage.tasks())) == 3
    )
    stage.update(desiredCount=0)
    stage.until(lambda: stage.tasks() == [] and stage.service()["runningCount"] == 0)
    assert {each["stoppedReason"] for each in stage.stopped(3)} == {
        f"Scaling activity initiated by (deployment {before['deployments'][0]['id']})"
    }
    assert len(stage.history()) == 1
    stage.update(desiredCount=1)
    stage.until(lambda: stage.service()["runningCount"] == 1)
    assert stage.service()["deployments"][0]["id"] == before["deployments"][0]["id"]


def test_a_task_that_dies_is_replaced_without_a_deployment(stage):
    stage.running(stage.definition(), 1)
    (first,) = stage.tasks()
    stage.lab.ecs.store.tasks[first["taskArn"]].process.kill()
    stage.until(lambda: [t for t in stage.tasks() if t["lastStatus"] == "RUNNING" and t["taskArn"] != first["taskArn"]])
    (dead,) = stage.stopped()
    assert (dead["stopCode"], dead["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)
    assert len(stage.history()) == 1


def test_a_running_task_keeps_the_secret_it_started_with(stage):
    secrets = stage.client("secretsmanager")
    arn = secrets.create_secret(Name="key", SecretString="old")["ARN"]
    stage.push("shows", "import os, time; print('key', os.environ['KEY'], flush=True); time.sleep(600)")
    stage.running(stage.definition("shows", secrets=[{"name": "KEY", "valueFrom": arn}]), 1)
    secrets.put_secret_value(SecretId="key", SecretString="new")
    time.sleep(0.3)
    assert stage.lines() == ["key old"]
    stage.update(forceNewDeployment=True)
    stage.steady()
    stage.until(lambda: stage.lines() == ["key old", "key new"])


def test_tags_go_to_tasks_as_the_service_says(stage):
    tags = [{"key": "team", "value": "care"}]
    stage.running(stage.definition(), 1, tags=tags, propagateTags="SERVICE", enableECSManagedTags=True)
    (arn,) = stage.ecs.list_tasks(cluster="main")["taskArns"]
    (task,) = stage.ecs.describe_tasks(cluster="main", tasks=[arn], include=["TAGS"])["tasks"]
    assert task["tags"][0] == tags[0]
    assert {"key": "aws:ecs:serviceName", "value": "web"} in task["tags"]


def test_the_hundred_newest_events_are_kept_newest_first(stage):
    service = stage.running(stage.definition(), 1)
    with stage.lab.lock:
        for number in range(120):
            rollout.tell(stage.lab, stage.lab.ecs.store.services[service["serviceArn"]], str(number))
    expected = [f"(service web) {number}" for number in range(119, 19, -1)]
    assert [event["message"] for event in stage.service()["events"]] == expected
