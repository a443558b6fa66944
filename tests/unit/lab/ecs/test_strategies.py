# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Blue/green, linear and canary: the stages, the traffic that really moves, the bake time, and the way back."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import urllib.request

import pytest

from loopback_aws.services.ecs.shift import STAGES, percent_after

from .conftest import BREAKER, refusal

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1}


def canary(percent=20.0, minutes=1, **more):
    configuration = {"canaryPercent": percent, "canaryBakeTimeInMinutes": minutes}
    return {"strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": configuration, **more}


SERVER = """
import os, socket
listener = socket.create_server((os.environ["HOST"], 8080))
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 x\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\n{name}")
    connection.close()
"""


class Pair:
    """A listener with two target groups in front of service `web`, whose images answer `blue` and `lime`."""

    def __init__(self, stage):
        self.stage, self.elb = stage, stage.client("elbv2")
        stage.lab.durations = dataclasses.replace(stage.lab.durations, minute=0.6)
        for name in ("blue", "lime"):
            stage.push(name, SERVER.format(name=name))
        subnets = stage.client("ec2").describe_subnets()["Subnets"]
        vpc = subnets[0]["VpcId"]
        made = self.elb.create_load_balancer(Name="front", Subnets=[each["SubnetId"] for each in subnets])
        groups = [
            self.elb.create_target_group(
                Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath="/",
                HealthyThresholdCount=2, UnhealthyThresholdCount=10,
            )["TargetGroups"][0]["TargetGroupArn"]
            for name in ("one", "two")
        ]  # fmt: skip
        weights = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(groups, (1, 0), strict=True)]
        self.listener = self.elb.create_listener(
            LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}],
        )["Listeners"][0]["ListenerArn"]  # fmt: skip
        (rule,) = self.elb.describe_rules(ListenerArn=self.listener)["Rules"]
        advanced = {
            "alternateTargetGroupArn": groups[1],
            "productionListenerRule": rule["RuleArn"],
            "roleArn": "arn:aws:iam::123456789012:role/shift",
        }
        self.balancer = {
            "targetGroupArn": groups[0],
            "containerName": "app",
            "containerPort": 8080,
            "advancedConfiguration": advanced,
        }

    def blue_serves(self, configuration, count=1):
        """A service with this deployment configuration, on its first revision."""
        first = self.stage.definition("blue")
        self.stage.create(first, count, loadBalancers=[self.balancer], deploymentConfiguration=configuration)
        self.stage.until(lambda: self.status() == "SUCCESSFUL")
        return first

    def deploy(self, tag="lime"):
        """Deploy another image; gives the ARN of the service deployment."""
        self.stage.update(taskDefinition=self.stage.definition(tag))
        return self.stage.history()[0]["serviceDeploymentArn"]

    def status(self, place=0):
        return self.stage.history()[place]["status"]

    def reach(self, stage_name):
        """Wait until the newest service deployment is in this stage."""
        return self.stage.until(lambda: self.stage.history()[0].get("lifecycleStage") == stage_name)

    def answers(self, count=20):
        """How often each release answers through the load balancer."""
        port = self.stage.lab.elbv2.port_of(self.listener)
        found = collections.Counter()
        for _ in range(count):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                found[answer.read().decode()] += 1
        return found

    def stages(self):
        """The stages that are seen from now on, each once, in order."""
        seen, scheduler = [], self.stage.lab.ecs.scheduler
        reconcile = scheduler.reconcile

        def recording(service):
            reconcile(service)
            seen.append(service.history[0].stage)

        scheduler.reconcile = recording
        return seen


@pytest.fixture
def pair(stage):
    return Pair(stage)


def test_blue_green_goes_through_its_stages_and_bakes_with_both(stage, pair):
    pair.blue_serves(BLUE_GREEN)
    seen = pair.stages()
    pair.deploy()
    pair.reach("BAKE_TIME")
    service = stage.service()
    assert [(each["status"], each["runningCount"]) for each in service["deployments"]] == [
        ("PRIMARY", 1),
        ("ACTIVE", 1),
    ]
    assert all("rolloutState" not in each for each in service["deployments"])
    assert pair.answers(6) == {"lime": 6}
    assert pair.status() == "IN_PROGRESS"
    stage.until(lambda: pair.status() == "SUCCESSFUL")
    names = [name for name, _ in itertools.groupby(seen)]
    assert names[names.index(STAGES[1]) :] == list(STAGES[1:])  # nothing is to be reconciled
    newest = stage.history()[0]
    assert (newest["finishedAt"] - newest["startedAt"]).total_seconds() >= 0.6
    assert len(stage.service()["deployments"]) == 1


def test_revisions_take_turns_in_the_two_target_groups(stage, pair):
    pair.blue_serves({**BLUE_GREEN, "bakeTimeInMinutes": 0})
    groups = []
    for tag in ("lime", "blue"):
        pair.deploy(tag)
        stage.until(lambda: pair.status() == "SUCCESSFUL")
        arn = stage.history()[0]["targetServiceRevision"]["arn"]
        (revision,) = stage.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
        groups.append(revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"])
        assert pair.answers(4) == {tag: 4}
    one, two = pair.balancer["targetGroupArn"], pair.balancer["advancedConfiguration"]["alternateTargetGroupArn"]
    assert groups == [two, one]


def test_a_canary_gets_its_share_first_and_then_all(stage, pair):
    pair.blue_serves(canary())
    pair.deploy()
    pair.reach("PRODUCTION_TRAFFIC_SHIFT")
    stage.until(lambda: pair.answers(5)["lime"])
    assert pair.answers(20) == {"blue": 16, "lime": 4}
    stage.until(lambda: pair.status() == "SUCCESSFUL")
    assert pair.answers(4) == {"lime": 4}


@pytest.mark.parametrize("at", ["PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"])
def test_a_stop_gives_the_traffic_back_at_once(stage, pair, at):
    first = pair.blue_serves(
        canary(minutes=3, bakeTimeInMinutes=5) if at != "BAKE_TIME" else {**BLUE_GREEN, "bakeTimeInMinutes": 9}
    )
    arn = pair.deploy()
    pair.reach(at)
    stage.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    stage.until(lambda: pair.status() == "ROLLBACK_IN_PROGRESS" or pair.status() == "ROLLBACK_SUCCESSFUL")
    assert pair.answers(6) == {"blue": 6}
    stage.until(lambda: pair.status() == "ROLLBACK_SUCCESSFUL")
    assert stage.service()["taskDefinition"] == first
    assert [each["runningCount"] for each in stage.service()["deployments"]] == [1]


def test_a_newer_deployment_begins_with_blue_alone(stage, pair):
    pair.blue_serves(canary(percent=50.0, minutes=9))
    pair.deploy()
    pair.reach("PRODUCTION_TRAFFIC_SHIFT")
    stage.update(
        taskDefinition=stage.definition("blue"),
        deploymentConfiguration={"canaryConfiguration": {"canaryBakeTimeInMinutes": 0}},
    )
    assert pair.answers(6) == {"blue": 6}
    stage.until(lambda: pair.status() == "SUCCESSFUL")
    assert pair.status(1) == "STOPPED"
    assert pair.answers(6) == {"blue": 6}


def paused(stage, pair, minutes=30, action="ROLLBACK"):
    """A deployment that waits, all its traffic shifted, and the pause as DescribeServiceDeployments tells it."""
    timeout = {"timeoutInMinutes": minutes, "action": action}
    hook = {
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_PRODUCTION_TRAFFIC_SHIFT"],
        "timeoutConfiguration": timeout,
    }
    pair.blue_serves({**BLUE_GREEN, "bakeTimeInMinutes": 0})
    configured = {**BLUE_GREEN, "bakeTimeInMinutes": 0, "lifecycleHooks": [hook]}
    stage.update(taskDefinition=stage.definition("lime"), deploymentConfiguration=configured)
    return stage.history()[0]["serviceDeploymentArn"], stage.until(lambda: stage.history()[0].get("lifecycleHookDetails"))[0]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "status", "answer"), [("CONTINUE", "SUCCESSFUL", "lime"), ("ROLLBACK", "ROLLBACK_SUCCESSFUL", "blue")]
)
def test_a_pause_waits_for_a_person_and_does_what_they_say(stage, pair, action, status, answer):
    arn, hook = paused(stage, pair)
    assert (hook["targetType"], hook["status"], hook["timeoutAction"]) == ("PAUSE", "AWAITING_ACTION", "ROLLBACK")
    assert (hook["expiresAt"] - stage.history()[0]["createdAt"]).total_seconds() >= 30 * 0.6
    assert (pair.status(), pair.answers(2)) == ("IN_PROGRESS", {"lime": 2})
    stage.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"], action=action)
    stage.until(lambda: pair.status() == status)
    assert pair.answers(2) == {answer: 2}
    again = dict(serviceDeploymentArn=arn, hookId=hook["hookId"], action="CONTINUE")
    assert refusal(stage.ecs.continue_service_deployment, **again)[0] == "InvalidParameterException"


def test_a_pause_that_nobody_ends_is_rolled_back_when_its_time_is_over(stage, pair):
    paused(stage, pair, minutes=1)
    stage.until(lambda: pair.status() == "ROLLBACK_SUCCESSFUL")
    assert stage.history()[0]["lifecycleHookDetails"][0]["status"] == "TIMED_OUT"


def test_the_breaker_ends_a_green_that_does_not_start(stage, pair):
    first = pair.blue_serves({**BLUE_GREEN, **BREAKER})
    pair.deploy("no-such-tag")
    stage.until(lambda: pair.status() == "ROLLBACK_SUCCESSFUL")
    assert stage.service()["taskDefinition"] == first
    assert pair.answers(4) == {"blue": 4}


@pytest.mark.parametrize(
    ("configuration", "minutes", "percent"),
    [
        ({"strategy": "BLUE_GREEN"}, 0, 100),
        (canary(10.0, 60), 59, 10),
        (canary(10.0, 60), 60, 100),
        ({"strategy": "CANARY"}, 9, 5),
        ({"strategy": "LINEAR"}, 0, 10),
        ({"strategy": "LINEAR"}, 6, 20),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 1}}, 1.5, 80),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 1}}, 2, 100),
    ],
)
def test_how_much_of_the_traffic_is_shifted(configuration, minutes, percent):
    assert percent_after(configuration, minutes) == percent


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"strategy": "BLUE_GREEN", "canaryConfiguration": {}}, "only valid with deployment strategy CANARY"),
        (
            {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 101}},
            "canaryPercent must be from 0.1 to 100",
        ),
        ({"strategy": "LINEAR", "bakeTimeInMinutes": 1441}, "bakeTimeInMinutes must be from 0 to 1440"),
        ({"strategy": "BLUE_GREEN", "lifecycleHooks": [{"targetType": "PAUSE"}]}, "lifecycleStages is required"),
        (
            {
                "strategy": "BLUE_GREEN",
                "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]}],
            },
            "PAUSE hooks cannot be configured at the lifecycle stage TEST_TRAFFIC_SHIFT",
        ),
        ({"strategy": "BLUE_GREEN", "lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"]}]}, "of type PAUSE only"),
        (
            {"strategy": "BLUE_GREEN", "alarms": {"alarmNames": [], "enable": True, "rollback": True}},
            "alarmNames cannot be empty",
        ),
    ],
)
def test_refuses_what_does_not_fit(stage, pair, configuration, words):
    code, message = refusal(
        stage.create,
        definition=stage.definition("blue"),
        loadBalancers=[pair.balancer],
        deploymentConfiguration=configuration,
    )
    assert code == "InvalidParameterException"
    assert words in message


def test_traffic_cannot_shift_without_an_alternate_target_group(stage, pair):
    plain = {key: value for key, value in pair.balancer.items() if key != "advancedConfiguration"}
    arguments = dict(definition=stage.definition("blue"), loadBalancers=[plain], deploymentConfiguration=BLUE_GREEN)
    assert "advancedConfiguration field is required" in refusal(stage.create, **arguments)[1]
