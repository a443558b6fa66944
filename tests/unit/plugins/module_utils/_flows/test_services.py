# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of AWS about services, their tasks and their targets, and what the answers become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, UnexpectedAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceTask
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import (
    NEWEST_DEAD,
    dead_tasks_of,
    look_until_decided,
    observe_services,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io import concurrency as _side_by_side
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock
from botocore.stub import Stubber

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/app:41"
TASK = "arn:aws:ecs:eu-west-3:123456789012:task/main/"
BLUE, GREEN = ("arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/%s/1" % name for name in ("b", "g"))
DEPLOYMENT = {
    "status": "PRIMARY",
    "taskDefinition": DEFINITION,
    "createdAt": NOON,
    "desiredCount": 1,
    "runningCount": 1,
    "rolloutState": "COMPLETED",
}
SERVICE = {
    "serviceName": "app",
    "serviceArn": "x/app",
    "status": "ACTIVE",
    "taskDefinition": DEFINITION,
    "desiredCount": 1,
    "runningCount": 1,
    "pendingCount": 0,
    "loadBalancers": [
        {
            "targetGroupArn": BLUE,
            "containerPort": 8080,
            "advancedConfiguration": {"alternateTargetGroupArn": GREEN},
        },
        {"loadBalancerName": "classic", "containerPort": 8080},
    ],
    "deployments": [DEPLOYMENT],
    "events": [],
}


def task(name, address="10.0.0.7", status="RUNNING", created=NOON):
    details = [{"name": "subnetId", "value": "subnet-1"}, {"name": "privateIPv4Address", "value": address}]
    attachments = [{"type": "ElasticNetworkInterface", "details": details}] if address else []
    return {
        "taskArn": TASK + name,
        "taskDefinitionArn": DEFINITION,
        "createdAt": created,
        "lastStatus": status,
        "attachments": attachments,
    }


class Stubs:
    def __init__(self):
        keys = dict(region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
        ecs, elb = boto3.client("ecs", **keys), boto3.client("elbv2", **keys)
        self.ecs, self.elb = Stubber(ecs), Stubber(elb)
        self.gateway, self.balancers = EcsGateway(ecs, "main"), ElbGateway(elb)


@pytest.fixture
def stubs(monkeypatch):
    monkeypatch.setattr(_side_by_side, "SIDE_BY_SIDE", 1)  # stubbed answers come in the order of the calls
    stubs = Stubs()
    with stubs.ecs, stubs.elb:
        yield stubs
        stubs.ecs.assert_no_pending_responses()
        stubs.elb.assert_no_pending_responses()


def announce(stubs, **states):
    """One look at the service: its task, and the state of the task's address in the groups."""
    stubs.ecs.add_response("describe_services", {"services": [SERVICE]})
    stubs.ecs.add_response("list_tasks", {"taskArns": [TASK + "aaaa"]})
    stubs.ecs.add_response("describe_tasks", {"tasks": [task("aaaa")]})
    target = {"Id": "10.0.0.7", "Port": 8080}
    for group, state in states.items():
        asked = {"TargetGroupArn": dict(blue=BLUE, green=GREEN)[group], "Targets": [target]}
        health = {"Target": target, "TargetHealth": {"State": state, "Reason": "Target.NotRegistered"}}
        stubs.elb.add_response("describe_target_health", {"TargetHealthDescriptions": [health]}, asked)


def test_tells_the_tasks_of_every_page(stubs):
    asked = {"cluster": "main", "serviceName": "app", "desiredStatus": "RUNNING", "maxResults": 100}
    stubs.ecs.add_response("list_tasks", {"taskArns": [TASK + "aaaa"], "nextToken": "2"}, asked)
    stubs.ecs.add_response("list_tasks", {"taskArns": [TASK + "bbbb"]}, {**asked, "nextToken": "2"})
    starting = task("bbbb", address=None, status="PENDING")
    both = {"cluster": "main", "tasks": [TASK + "aaaa", TASK + "bbbb"]}
    stubs.ecs.add_response("describe_tasks", {"tasks": [starting, task("aaaa")]}, both)
    assert stubs.gateway.tasks(["app"])["app"] == [
        ServiceTask("aaaa", "app", DEFINITION, NOON, "RUNNING", "10.0.0.7"),
        ServiceTask("bbbb", "app", DEFINITION, NOON, "PENDING", None),
    ]


def test_tasks_of_many_services_are_described_together_and_told_apart(stubs):
    for name in ("aaaa", "bbbb"):
        stubs.ecs.add_response("list_tasks", {"taskArns": [TASK + name]})
    stubs.ecs.add_response("describe_tasks", {"tasks": [task("bbbb"), task("aaaa")]})
    found = stubs.gateway.tasks(["app", "worker"])
    assert {name: [item.id for item in tasks] for name, tasks in found.items()} == {"app": ["aaaa"], "worker": ["bbbb"]}
    assert found["worker"][0].service == "worker"


def test_histories_of_many_services_are_described_together_and_the_newest_is_first(stubs):
    def deployment(name, minutes):
        revision = {"arn": f"revision/{name}", "requestedTaskCount": 1, "runningTaskCount": 1, "pendingTaskCount": 0}
        return {
            "serviceDeploymentArn": name,
            "status": "SUCCESSFUL",
            "createdAt": NOON + timedelta(minutes=minutes),
            "targetServiceRevision": revision,
        }

    listed = {"app": ["a1", "a2"], "worker": ["w1"], "new": []}
    for arns in listed.values():
        stubs.ecs.add_response(
            "list_service_deployments", {"serviceDeployments": [{"serviceDeploymentArn": arn} for arn in arns]}
        )
    described = [deployment("w1", 5), deployment("a1", 0), deployment("a2", 9)]
    stubs.ecs.add_response("describe_service_deployments", {"serviceDeployments": described})
    revisions = [
        {"serviceRevisionArn": f"revision/{name}", "taskDefinition": DEFINITION, "containerImages": []}
        for name in ("a1", "a2", "w1")
    ]
    stubs.ecs.add_response("describe_service_revisions", {"serviceRevisions": revisions})
    found = stubs.gateway.histories(list(listed))
    assert {name: [item.arn for item in history] for name, history in found.items()} == {
        "app": ["a2", "a1"],
        "worker": ["w1"],
        "new": [],
    }


@pytest.mark.parametrize(
    ("code", "option"), [("ClusterNotFoundException", "cluster"), ("ServiceNotFoundException", "services")]
)
def test_names_the_variable_of_what_does_not_exist(stubs, code, option):
    stubs.ecs.add_client_error("list_tasks", code)
    with pytest.raises(BadInput, match=f"rollback_{option}"):
        stubs.gateway.tasks(["app"])


def test_an_answer_without_what_it_must_have_is_an_error(stubs):
    stubs.ecs.add_response("list_tasks", {"taskArns": [TASK + "aaaa"]})
    stubs.ecs.add_response("describe_tasks", {"tasks": [{"lastStatus": "RUNNING", "taskArn": TASK + "aaaa"}]})
    with pytest.raises(UnexpectedAnswer, match="it lacks taskDefinitionArn"):
        stubs.gateway.tasks(["app"])


def test_both_groups_of_a_load_balancer_are_asked_for_the_tasks_addresses_and_a_classic_one_has_none(stubs):
    announce(stubs, blue="unused", green="healthy")
    (seen,) = observe_services(stubs.gateway, ["app"], stubs.balancers, {})
    (balancer,) = seen.service.balancers
    assert (balancer.groups, balancer.port) == ((BLUE, GREEN), 8080)
    why = "Target.NotRegistered"
    assert seen.health == ((balancer, ({"10.0.0.7": ("unused", why)}, {"10.0.0.7": ("healthy", why)})),)


def test_what_may_not_be_asked_is_told_and_the_tasks_are_known_all_the_same(stubs):
    announce(stubs)
    stubs.elb.add_client_error("describe_target_health", "AccessDenied")
    (seen,) = observe_services(stubs.gateway, ["app"], stubs.balancers, {})
    assert "Allow elasticloadbalancing:DescribeTargetHealth" in seen.unread
    assert [item.id for item in seen.running] == ["aaaa"]


def test_a_target_group_that_is_gone_is_told(stubs):
    announce(stubs)
    stubs.elb.add_client_error("describe_target_health", "TargetGroupNotFound")
    (seen,) = observe_services(stubs.gateway, ["app"], stubs.balancers, {})
    assert f"There is no target group {BLUE} any more" in seen.unread


@pytest.mark.parametrize(("states", "timeout", "looks"), [(["initial", "healthy"], 30, 2), (["initial"] * 3, 1, 3)])
def test_looks_until_it_is_decided_or_the_time_is_over(stubs, states, timeout, looks):
    passed = []
    for state in states:
        announce(stubs, blue=state, green="unused")
    clock = Clock(lambda: sum(passed), passed.append)
    (seen,) = look_until_decided(stubs.gateway, ["app"], stubs.balancers, {}, timeout, clock)
    assert seen.health[0][1][0]["10.0.0.7"][0] == states[-1]
    assert len(passed) == looks - 1


def test_last_words_are_those_of_the_newest_tasks_of_this_deployment(stubs):
    dead = [task(f"t{n:02}", None, "STOPPED", NOON + timedelta(seconds=n)) for n in range(-1, NEWEST_DEAD + 3)]
    other = {**task("other", None, "STOPPED", NOON), "taskDefinitionArn": DEFINITION.replace(":41", ":40")}
    stubs.ecs.add_response("list_tasks", {"taskArns": [item["taskArn"] for item in [*reversed(dead), other]]})
    stubs.ecs.add_response("describe_tasks", {"tasks": [*dead, other]})
    service = Service.from_boto(SERVICE)
    seen = type("Seen", (), {"service": service})
    names = [item.id for item in dead_tasks_of(stubs.gateway, [seen])[0]]
    assert names == [f"t{n:02}" for n in range(3, NEWEST_DEAD + 3)]
