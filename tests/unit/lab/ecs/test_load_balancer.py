# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services behind a load balancer: registered, healthy before they count, drained, killed when unhealthy."""

from __future__ import annotations

import time

import pytest

from .conftest import BREAKER


class Balanced:
    """A load balancer with a listener and a target group, in front of service `web`."""

    def __init__(self, stage):
        self.stage = stage
        self.elb = stage.client("elbv2")
        subnets = stage.client("ec2").describe_subnets()["Subnets"]
        self.vpc = subnets[0]["VpcId"]
        balancer = self.elb.create_load_balancer(Name="front", Subnets=[each["SubnetId"] for each in subnets])
        balancer = balancer["LoadBalancers"][0]
        self.group = self.target_group("web")
        self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )  # fmt: skip
        self.options = {
            "loadBalancers": [{"targetGroupArn": self.group, "containerName": "app", "containerPort": 8080}]
        }

    def target_group(self, name: str) -> str:
        """A target group of addresses; ten failed probes leave a busy machine the time to start a process."""
        return self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=8080, VpcId=self.vpc, TargetType="ip", HealthCheckPath="/",
            HealthyThresholdCount=2, UnhealthyThresholdCount=10,
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip

    def states(self) -> list[str]:
        """Target health as DescribeTargetHealth gives it."""
        found = self.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return [each["TargetHealth"]["State"] for each in found]


@pytest.fixture
def front(stage):
    """The load balancer of the stage."""
    return Balanced(stage)


def test_a_deployment_is_completed_once_its_tasks_are_healthy(stage, front):
    stage.create(stage.definition("answers-200"), **front.options)
    states = []

    def done():
        states.append(front.states())
        return stage.service()["deployments"][0]["rolloutState"] == "COMPLETED"

    stage.until(done)
    assert front.states() == ["healthy", "healthy"]
    assert any("initial" in each for each in states)
    assert (
        sum(f"registered {n} targets in (target-group {front.group})" in e for e in stage.events() for n in (1, 2)) >= 1
    )


def test_old_tasks_are_drained_before_they_are_stopped(stage, front):
    stage.running(stage.definition("answers-200"), 1, **front.options)
    (old,) = stage.tasks()
    stage.update(taskDefinition=stage.definition("answers-200"))
    seen = set()

    def drained():
        (task,) = stage.ecs.describe_tasks(cluster="main", tasks=[old["taskArn"]])["tasks"]
        seen.add((task["lastStatus"], tuple(front.states())))
        return task["lastStatus"] == "STOPPED"

    stage.until(drained)
    assert any(status == "DEACTIVATING" and "draining" in states for status, states in seen)
    assert min(states.count("healthy") for _, states in seen) >= 1
    stage.steady()
    events = " ".join(stage.events())
    assert "has begun draining connections on 1 tasks." in events
    assert f"deregistered 1 targets in (target-group {front.group})" in events


def test_an_unhealthy_task_is_killed_and_counted_while_the_old_ones_serve(stage, front):
    stage.running(stage.definition("answers-200"), 1, **front.options)
    stage.update(taskDefinition=stage.definition("answers-503"))
    (killed, *_) = stage.stopped()
    assert killed["stopCode"] == "ServiceSchedulerInitiated"
    assert killed["stoppedReason"] == f"Task failed ELB health checks in (target-group {front.group})"
    new, old = stage.service()["deployments"]
    assert (new["rolloutState"], old["runningCount"]) == ("IN_PROGRESS", 1)
    assert new["failedTasks"] >= 1
    assert any(f"is unhealthy in (target-group {front.group}) due to (reason " in each for each in stage.events())
    assert not any("unable to consistently start" in each for each in stage.events())


def test_the_grace_period_keeps_an_unhealthy_task_alive(stage, front):
    stage.create(stage.definition("answers-503"), 1, healthCheckGracePeriodSeconds=60, **front.options)
    stage.until(lambda: front.states() == ["unhealthy"])
    time.sleep(0.2)
    service = stage.service()
    assert (service["runningCount"], service["deployments"][0]["rolloutState"]) == (1, "IN_PROGRESS")
    assert stage.tasks("STOPPED") == []


@pytest.mark.parametrize("tag", ["answers-503", "crashes"])
def test_the_breaker_counts_tasks_that_run_and_are_never_healthy(stage, front, tag):
    first = stage.definition("answers-200")
    stage.running(first, 1, deploymentConfiguration=BREAKER, **front.options)
    stage.update(taskDefinition=stage.definition(tag))
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL", 12)
    assert stage.steady()["taskDefinition"] == first
    assert stage.history()[0]["deploymentCircuitBreaker"]["status"] == "TRIGGERED"


def test_create_service_checks_its_load_balancer(stage, front):
    definition = stage.definition()
    refused = stage.ecs.exceptions.InvalidParameterException
    for change, message in (
        ({"containerPort": 9}, "The container app did not have a container port 9 defined"),
        ({"containerName": "web"}, "The container web does not exist in the task definition"),
        ({"targetGroupArn": front.target_group("alone")}, "does not have an associated load balancer"),
        ({"targetGroupArn": front.group + "0"}, "does not exist"),
    ):
        with pytest.raises(refused, match=message):
            stage.create(definition, loadBalancers=[{**front.options["loadBalancers"][0], **change}])
