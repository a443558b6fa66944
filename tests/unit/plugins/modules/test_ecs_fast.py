# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ecs_rollback with a fast deployment, and ecs_finish, against whole answers of ECS and Elastic Load Balancing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._io import wait as _wait

from .test_ecs import (
    PREFIX,
    SERVED,
    definition,
    expect_deploy,
    expect_deployments,
    expect_history,
    expect_look,
    minute,
    roll_back,
    service,
)

ARN = f"{PREFIX}:service/production/app"
GROUP = "arn:aws:elasticloadbalancing:eu-west-3:123456789012:targetgroup/app/0123456789abcdef"
GROUP_TAG = "spymeo:rollback-fast:app/0123456789abcdef"
SLOW = {"HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5, "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2}  # fmt: skip
QUICK = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 4, "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 10}  # fmt: skip
BREAKER = {"enable": False, "rollback": False}
CONFIGURED = {"minimumHealthyPercent": 100, "maximumPercent": 200, "deploymentCircuitBreaker": BREAKER}
FAST = {
    **CONFIGURED,
    "minimumHealthyPercent": 0,
    "deploymentCircuitBreaker": {"enable": True, "rollback": False},
    "earlySuccessCriteria": {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED"},
}
BACK = {**CONFIGURED, "earlySuccessCriteria": {"enable": False}}
TAGS = {
    GROUP_TAG: "rb-1 healthy=5:2 delay=300:10 interval=30:5 timeout=5:4 unhealthy=2:10",
    "spymeo:rollback-fast": "rb-1 grace=0:60 breaker=n:y early=no:100/DEFERRED min=100:0",
}


def balanced(revision, configuration, grace=0, tags=(), **more):
    """DescribeServices of a service on Fargate behind a target group."""
    answer = service(revision, **more)
    answer["services"][0].update(
        loadBalancers=[{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8080}],
        deploymentConfiguration=configuration,
        healthCheckGracePeriodSeconds=grace,
        launchType="FARGATE",
        tags=[{"key": key, "value": tags[key]} for key in tags],
    )
    return answer


def expect_group(aws, settings, delay):
    group = {"TargetGroupArn": GROUP, **settings}
    aws.answer("elbv2", "describe_target_groups", {"TargetGroups": [group]}, {"TargetGroupArns": [GROUP]})
    attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}]
    aws.answer("elbv2", "describe_target_group_attributes", {"Attributes": attributes}, {"TargetGroupArn": GROUP})


def expect_group_set(aws, settings, delay):
    aws.answer("elbv2", "modify_target_group", {}, {"TargetGroupArn": GROUP, **settings})
    attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}]
    asked = {"TargetGroupArn": GROUP, "Attributes": attributes}
    aws.answer("elbv2", "modify_target_group_attributes", {}, asked)


def expect_tagged(aws):
    def tags(some):
        return {"resourceArn": ARN, "tags": [{"key": key, "value": some[key]} for key in some]}

    aws.answer("ecs", "tag_resource", {}, tags(TAGS))


def expect_configured(aws, configuration, grace):
    asked = {"cluster": "production", "service": "app"}
    asked.update(healthCheckGracePeriodSeconds=grace, deploymentConfiguration=configuration)
    aws.answer("ecs", "update_service", {"service": service(1)["services"][0]}, asked)


def expect_deployed(aws, configuration, grace):
    asked = {"cluster": "production", "service": "app", "taskDefinition": definition(1), "forceNewDeployment": False}
    asked.update(healthCheckGracePeriodSeconds=grace, deploymentConfiguration=configuration)
    aws.answer("ecs", "update_service", {"service": service(1)["services"][0]}, asked)


def expect_success(aws, seen):
    expect_history(aws, *SERVED, (3, 1, "IN_PROGRESS"), revisions=[3])
    expect_deployments(aws, (3, 1, "SUCCESSFUL"), revisions=[])
    aws.answer("ecs", "describe_services", seen)


def expect_put_back(aws):
    """Look, put back, look, forget, look."""
    aws.answer("ecs", "describe_services", balanced(1, FAST, 60, TAGS))
    expect_group(aws, QUICK, 10)
    expect_group_set(aws, SLOW, 300)
    expect_configured(aws, BACK, 0)
    aws.answer("ecs", "describe_services", balanced(1, BACK, 0, TAGS))
    expect_group(aws, SLOW, 300)
    aws.answer("ecs", "untag_resource", {}, {"resourceArn": ARN, "tagKeys": list(TAGS)})
    aws.answer("ecs", "describe_services", balanced(1, BACK))


def test_it_remembers_first_then_sets_deploys_and_puts_back(aws, run_module):
    """Nothing of the service runs, so that there need be no minimum."""
    expect_look(aws, balanced(2, CONFIGURED, running=0), SERVED)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    expect_group(aws, SLOW, 300)
    expect_tagged(aws)
    expect_group_set(aws, QUICK, 10)
    expect_deployed(aws, FAST, 60)
    expect_success(aws, balanced(1, FAST, 60, TAGS))
    expect_put_back(aws)
    result = roll_back(run_module, deployment="fast")
    assert result["services"][0]["outcome"] == "serves", result
    assert result["settings"] == [
        "app: target group app: HealthyThresholdCount 2 (then 5 again), deregistration_delay.timeout_seconds 10 (then 300 again), "
        "HealthCheckIntervalSeconds 5 (then 30 again), HealthCheckTimeoutSeconds 4 (then 5 again), UnhealthyThresholdCount 10 (then 2 again)",
        "app: the service: healthCheckGracePeriodSeconds 60 (then 0 again), deploymentCircuitBreaker y (then n again), "
        "earlySuccessCriteria 100/DEFERRED (then no again), minimumHealthyPercent 0 (then 100 again)",
    ]
    assert (result["notes"], result["unfinished"]) == ([], [])
    assert result["served_at"]


def test_check_mode_tells_it_and_writes_nothing(aws, run_module):
    expect_look(aws, balanced(2, CONFIGURED, running=0), SERVED)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    expect_group(aws, SLOW, 300)
    result = roll_back(run_module, deployment="fast", check_mode=True)
    assert len(result["settings"]) == 2
    assert result["changed"]


def test_what_aws_refuses_stays_as_it_is_and_the_deployment_is_made(aws, run_module):
    expect_look(aws, balanced(2, CONFIGURED, running=0), SERVED)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    aws.refuse("elbv2", "describe_target_groups", "AccessDenied", "not for you")
    aws.refuse("ecs", "tag_resource", "AccessDeniedException", "not for you")
    expect_deploy(aws, False)
    expect_success(aws, balanced(1, CONFIGURED))
    aws.answer("ecs", "describe_services", balanced(1, CONFIGURED))
    result = roll_back(run_module, deployment="fast")
    assert result["services"][0]["outcome"] == "serves", result
    assert (
        "its target groups stay as they are: Elastic Load Balancing refuses DescribeTargetGroups" in result["notes"][0]
    )
    assert "app is deployed as it is configured: ECS refuses TagResource" in result["notes"][1]


def test_where_ecs_refuses_the_settings_the_deployment_is_made_without_them(aws, run_module):
    expect_look(aws, balanced(2, CONFIGURED, running=0), SERVED)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    expect_group(aws, QUICK, 10)
    service_tag = {"spymeo:rollback-fast": "rb-1 breaker=n:y early=no:100/DEFERRED min=100:0"}
    aws.answer("ecs", "tag_resource", {})
    aws.refuse("ecs", "update_service", "InvalidParameterException", "early success is not supported here")
    expect_deploy(aws, False)
    expect_success(aws, balanced(1, CONFIGURED))
    aws.answer("ecs", "describe_services", balanced(1, CONFIGURED, 0, service_tag))
    aws.answer("ecs", "untag_resource", {}, {"resourceArn": ARN, "tagKeys": list(service_tag)})
    aws.answer("ecs", "describe_services", balanced(1, CONFIGURED))
    result = roll_back(run_module, deployment="fast")
    assert "app is deployed as it is configured" in result["notes"][0], result


def test_what_aws_may_have_done_all_the_same_is_not_asked_for_twice(aws, run_module):
    expect_look(aws, balanced(2, CONFIGURED, running=0), SERVED)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    expect_group(aws, QUICK, 10)
    aws.answer("ecs", "tag_resource", {})
    aws.refuse("ecs", "update_service", "ServerException", "something broke")
    aws.answer("ecs", "describe_services", balanced(2, CONFIGURED, running=0))
    result = roll_back(run_module, deployment="fast")
    assert result["msg"].startswith("1 of 1 services were not deployed."), result


def test_what_a_run_that_died_has_set_is_put_back_although_nothing_is_to_be_deployed(aws, run_module):
    expect_look(aws, balanced(1, FAST, 60, TAGS), SERVED, running=1)
    expect_put_back(aws)
    result = roll_back(run_module)
    assert (result["changed"], result["services"][0]["outcome"], result["unfinished"]) == (True, "as before", [])


def test_what_cannot_be_put_back_is_left_to_whoever_comes_next(aws, run_module):
    expect_look(aws, balanced(1, FAST, 60, TAGS), SERVED, running=1)
    aws.answer("ecs", "describe_services", balanced(1, FAST, 60, TAGS))
    aws.refuse("elbv2", "describe_target_groups", "AccessDenied", "not for you")
    expect_configured(aws, BACK, 0)
    result = roll_back(run_module)
    (left,) = result["unfinished"]
    assert left.startswith(
        "service app still has settings of the fast deployment of run rb-1: Elastic Load Balancing refuses"
    )


def finish(run_module, **more):
    return run_module("ecs_finish", cluster="production", services=["app"], run_id="rb-2", **more)


def test_a_finish_puts_back_and_leaves_what_somebody_has_set(aws, run_module):
    """The drain is another one by now."""
    aws.answer("ecs", "describe_services", balanced(1, FAST, 60, TAGS))
    expect_group(aws, QUICK, 120)
    aws.answer("ecs", "describe_services", balanced(1, FAST, 60, TAGS))
    expect_group(aws, QUICK, 120)
    aws.answer("elbv2", "modify_target_group", {}, {"TargetGroupArn": GROUP, **SLOW})
    expect_configured(aws, BACK, 0)
    aws.answer("ecs", "describe_services", balanced(1, BACK, 0, TAGS))
    expect_group(aws, SLOW, 120)
    aws.answer("ecs", "untag_resource", {}, {"resourceArn": ARN, "tagKeys": list(TAGS)})
    aws.answer("ecs", "describe_services", balanced(1, BACK))
    aws.answer("ecs", "describe_services", balanced(1, BACK))
    result = finish(run_module)
    assert result["notes"] == [
        f"app: somebody has set deregistration_delay.timeout_seconds of target group {GROUP} to 120 meanwhile, and it stays"
    ]
    assert (result["changed"], result["unfinished"], result["after"]) == (True, [], {})
    assert "put back what run rb-1 has set for its deployment of app" in result["plan"][0]
    assert "deregistration_delay" not in result["plan"][0]


def test_what_somebody_sets_during_a_fast_deployment_is_told_where_it_is_told_what_was_set(aws, run_module):
    expect_look(aws, balanced(2, CONFIGURED, running=0), SERVED)
    aws.answer("ecs", "list_tasks", {"taskArns": []})
    expect_group(aws, SLOW, 300)
    expect_tagged(aws)
    expect_group_set(aws, QUICK, 10)
    expect_deployed(aws, FAST, 60)
    expect_success(aws, balanced(1, FAST, 60, TAGS))
    aws.answer("ecs", "describe_services", balanced(1, FAST, 60, TAGS))
    expect_group(aws, QUICK, 120)
    aws.answer("elbv2", "modify_target_group", {}, {"TargetGroupArn": GROUP, **SLOW})
    expect_configured(aws, BACK, 0)
    aws.answer("ecs", "describe_services", balanced(1, BACK, 0, TAGS))
    expect_group(aws, SLOW, 120)
    aws.answer("ecs", "untag_resource", {}, {"resourceArn": ARN, "tagKeys": list(TAGS)})
    aws.answer("ecs", "describe_services", balanced(1, BACK))
    result = roll_back(run_module, deployment="fast")
    assert (
        "delay.timeout_seconds 10 (then 120, which somebody has set), HealthCheckIntervalSeconds 5 (then 30 again)"
        in result["settings"][0]
    )
    assert "to 120 meanwhile, and it stays" in result["notes"][0]


def test_a_finish_in_check_mode_reads_only_and_where_nothing_is_left_does_nothing(aws, run_module):
    aws.answer("ecs", "describe_services", balanced(1, FAST, 60, TAGS))
    expect_group(aws, QUICK, 10)
    result = finish(run_module, check_mode=True)
    assert (result["changed"], len(result["plan"]), result["resources"]) == (True, 1, [ARN])
    aws.answer("ecs", "describe_services", balanced(1, BACK))
    result = finish(run_module)
    assert (result["changed"], result["plan"], result["reason"]) == (False, [], "nothing is left of a fast deployment")


def task(name, revision, address, status="RUNNING"):
    detail = {"name": "privateIPv4Address", "value": address}
    return {
        "taskArn": f"{PREFIX}:task/production/{name}",
        "taskDefinitionArn": definition(revision),
        "createdAt": minute(70),
        "lastStatus": status,
        "attachments": [{"details": [detail]}],
    }


def expect_traffic(aws, draining, states):
    """What is asked to see whether all traffic is on the new tasks."""
    for tasks in (draining, [task("new", 1, "10.0.0.1"), task("two", 1, "10.0.0.2")]):
        aws.answer("ecs", "list_tasks", {"taskArns": [each["taskArn"] for each in tasks]})
        if tasks:
            aws.answer("ecs", "describe_tasks", {"tasks": tasks, "failures": []})
    told = [
        {"Target": {"Id": address, "Port": 8080}, "TargetHealth": {"State": state}} for address, state in states.items()
    ]
    aws.answer("elbv2", "describe_target_health", {"TargetHealthDescriptions": told})


def with_old(answer, running):
    """The same with an older deployment of which so many tasks are to run."""
    told = answer["services"][0]
    old = {**told["deployments"][0], "id": "ecs-svc/2", "status": "ACTIVE", "taskDefinition": definition(2)}
    told["deployments"].append({**old, "desiredCount": running, "runningCount": running})
    return answer


@pytest.mark.parametrize(("state", "ago"), [("healthy", 0), ("draining", 60)])
def test_served_is_when_no_old_task_gets_traffic_though_ecs_waits_for_their_end(
    aws, run_module, monkeypatch, state, ago
):
    """A minute passes between two looks; only the second one shows that ECS calls the deployment a success."""
    seconds = []
    passing = (lambda: 60.0 * len(seconds), seconds.append)
    monkeypatch.setattr(_wait.Clock.__init__, "__defaults__", passing)
    began = datetime.now(UTC)
    expect_look(aws, balanced(2, CONFIGURED), SERVED)
    expect_deploy(aws, False)
    expect_history(aws, *SERVED, (3, 1, "IN_PROGRESS"), revisions=[3])
    expect_deployments(aws, (3, 1, "IN_PROGRESS"), revisions=[])
    aws.answer("ecs", "describe_services", with_old(balanced(1, CONFIGURED, rollout_state="IN_PROGRESS"), 0))
    old = [task("old", 2, "10.0.0.9", "DEACTIVATING"), task("gone", 2, "10.0.0.8", "STOPPED")]
    expect_traffic(aws, old, {"10.0.0.1": "healthy", "10.0.0.2": "healthy", "10.0.0.9": state})
    expect_deployments(aws, (3, 1, "SUCCESSFUL"), revisions=[])
    aws.answer("ecs", "describe_services", balanced(1, CONFIGURED))
    result = roll_back(run_module)
    assert result["services"][0]["outcome"] == "serves", result
    assert round((began - datetime.fromisoformat(result["served_at"])).total_seconds(), -1) == ago


def test_a_success_of_ecs_is_none_of_ours_while_an_old_task_gets_traffic(aws, run_module, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    expect_look(aws, balanced(2, CONFIGURED), SERVED)
    expect_deploy(aws, False)
    expect_success(aws, with_old(balanced(1, CONFIGURED), 0))
    old = [task("old", 2, "10.0.0.9", "DEACTIVATING")]
    expect_traffic(aws, old, {"10.0.0.1": "healthy", "10.0.0.2": "healthy", "10.0.0.9": "healthy"})
    aws.answer("ecs", "describe_services", with_old(balanced(1, CONFIGURED), 0))
    expect_traffic(aws, old, {"10.0.0.1": "healthy", "10.0.0.2": "healthy", "10.0.0.9": "draining"})
    result = roll_back(run_module)
    assert result["services"][0]["outcome"] == "serves", result
