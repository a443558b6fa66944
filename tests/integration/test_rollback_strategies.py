# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_code.yml on a service that ECS deploys as a canary: stopped while it bakes, followed through it, refused when that is too long."""

from __future__ import annotations

import json
import re

import pytest

from spymeo_world import world
from spymeo_world.demo import Visitor

from .conftest import CLIENTS

CANARY = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 2}


@pytest.fixture(scope="module", name="production")
def _production(shared_production):
    """SPYMEO's production with a second target group, deployed as a canary; a minute lasts a second."""
    elb, ecs = shared_production.aws("elbv2"), shared_production.aws("ecs")
    one = elb.describe_target_groups(TargetGroupArns=[shared_production.state["target_group_arn"]])["TargetGroups"][0]
    kept = ("Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "HealthyThresholdCount", "Matcher")
    made = elb.create_target_group(Name="spymeo-app-2", **{key: one[key] for key in kept})
    two = made["TargetGroups"][0]["TargetGroupArn"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=one["LoadBalancerArns"][0])["Listeners"]
    weights = [{"TargetGroupArn": one["TargetGroupArn"], "Weight": 1}, {"TargetGroupArn": two, "Weight": 0}]
    forward = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=forward)
    (rule,) = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    advanced = {
        "alternateTargetGroupArn": two,
        "productionListenerRule": rule["RuleArn"],
        "roleArn": "arn:aws:iam::1:role/r",
    }
    balancers = [{**shared_production.service()["loadBalancers"][0], "advancedConfiguration": advanced}]
    strategy = {"strategy": "CANARY", "canaryConfiguration": CANARY, "bakeTimeInMinutes": 1}
    ecs.update_service(
        cluster=world.CLUSTER, service=world.SERVICE, loadBalancers=balancers, deploymentConfiguration=strategy
    )
    wait_for(shared_production, "SUCCESSFUL")
    return shared_production


def newest(production) -> dict:
    ecs = production.aws("ecs")
    listed = ecs.list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)["serviceDeployments"]
    arns = [listed[0]["serviceDeploymentArn"]]
    return ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"][0]


def wait_for(production, *wanted: str) -> dict:
    """The newest service deployment once its status or stage is one of these."""
    return production.until(
        lambda: next(
            (item for item in [newest(production)] if {item["status"], item.get("lifecycleStage")} & set(wanted)), None
        )
    )


def deploy_release_2(production) -> None:
    """What a pipeline does; the release cannot log anybody in, which no health check sees."""
    production.control("push", release="2.0.0", defect="login-broken")
    ecs = production.aws("ecs")
    first = ecs.describe_task_definition(taskDefinition="spymeo-app:1")["taskDefinition"]
    kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
    container = first["containerDefinitions"][0]
    changed = {**container, "image": container["image"].replace(":1.0.0", ":2.0.0")}
    made = ecs.register_task_definition(containerDefinitions=[changed], **{key: first[key] for key in kept})
    ecs.update_service(
        cluster=world.CLUSTER, service=world.SERVICE, taskDefinition=made["taskDefinition"]["taskDefinitionArn"]
    )


def releases(production, count: int = 10) -> list[str]:
    """Which releases answer, in a row of visits."""
    visitor = Visitor(production.state["base_url"])
    return sorted(visitor.ask("GET", world.HEALTH_PATH)[1]["release"] for _ in range(count))


def test_a_canary_that_still_bakes_is_stopped_and_all_traffic_goes_back(production):
    production.control("durations", minute=60.0)
    deploy_release_2(production)
    wait_for(production, "PRODUCTION_TRAFFIC_SHIFT")
    production.until(lambda: "2.0.0" in releases(production))
    played = production.play("rollback_code")
    assert (played.code, played.written) == (0, ["ecs StopServiceDeployment"]), played.output
    assert newest(production)["status"] == "ROLLBACK_SUCCESSFUL"
    assert production.origin() == "spymeo-app:1"
    assert set(releases(production)) == {"1.0.0"}
    again = production.play("rollback_code")
    assert (again.code, again.written) == (0, []), again.output


def test_a_bake_time_longer_than_the_wait_is_refused_before_anything_changes(production):
    production.control("durations", minute=0.5)
    deploy_release_2(production)
    wait_for(production, "SUCCESSFUL")
    played = production.play("rollback_code", "-e", json.dumps({"rollback_deploy_timeout": 120}))
    assert played.code != 0
    assert played.written == []
    message = " ".join(played.output.split())
    assert "it is deployed CANARY, with 3 minutes of bake time, and rollback_deploy_timeout is 120 s" in message
    assert set(releases(production)) == {"2.0.0"}


def test_the_way_back_is_followed_through_the_bake_time(production):
    """Release 2 of the test above serves."""
    production.control("durations", minute=1.0)
    played = production.play("rollback_code", SPYMEO_ROLLBACK_PROGRESS_INTERVAL="0.2")
    assert (played.code, played.written) == (0, ["ecs UpdateService"]), played.output
    assert "BEWARE    bake time spymeo-app: it is deployed CANARY, with 3 minutes of bake time" in played.output
    assert ", PRODUCTION_TRAFFIC_SHIFT" in played.output
    found = newest(production)
    assert found["status"] == "SUCCESSFUL"
    assert (found["finishedAt"] - found["startedAt"]).total_seconds() >= 3
    assert set(releases(production)) == {"1.0.0"}
    assert len(production.service()["deployments"]) == 1


def test_a_pause_is_told_with_the_command_that_ends_it(production):
    """Nothing is done about it by us: who has configured it wants to be asked."""
    ecs = production.aws("ecs")
    deploy_release_2(production)
    wait_for(production, "SUCCESSFUL")
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_PRODUCTION_TRAFFIC_SHIFT"]}
    brief = {"canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0}, "bakeTimeInMinutes": 0}
    configured = {**brief, "lifecycleHooks": [hook]}
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, deploymentConfiguration=configured)
    given = ["rollback_code", "-e", "rollback_run_id=run-paused", "-e", json.dumps({"rollback_deploy_timeout": 6})]
    late = production.play(*given)
    assert late.code != 0, late.output
    assert "at POST_PRODUCTION_TRAFFIC_SHIFT a lifecycle hook pauses its deployments" in late.output
    told = r"aws (ecs continue-service-deployment --service-deployment-arn \S+ --hook-id \S+ --action CONTINUE)"
    command = re.search(told, " ".join(late.output.split()))[1]
    done = production.run([str(CLIENTS / "aws"), "--endpoint-url", production.state["endpoint_url"], *command.split()])
    assert done.code == 0, done.output
    wait_for(production, "SUCCESSFUL")
    again = production.play(*given)
    assert (again.code, again.written) == (0, []), again.output
    assert set(releases(production)) == {"1.0.0"}
