# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rolling deployments, the circuit breaker, and the history they leave: aws-semantics, ECS."""

from __future__ import annotations

import dataclasses

import pytest

from .conftest import BREAKER, NETWORK, refusal

RUNNING_PERCENT = {"minimumHealthyPercent": 50, "maximumPercent": 100}


def by_status(service: dict) -> dict[str, dict]:
    """deployments[] by PRIMARY and ACTIVE."""
    return {each["status"]: each for each in service["deployments"]}


def test_a_rolling_update_never_has_less_than_it_should(stage):
    first, second = stage.definition(), stage.definition()
    old = stage.running(first)
    rounds = stage.every_round()
    answer = stage.update(taskDefinition=second)
    assert [each["status"] for each in answer["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert (
        answer["deployments"][0]["rolloutStateReason"]
        == f"ECS deployment {answer['deployments'][0]['id']} in progress."
    )
    service = stage.steady()
    assert min(each["runningCount"] for each in rounds) == 2
    assert max(each["runningCount"] + each["pendingCount"] for each in rounds) == 4
    assert service["taskDefinition"] == second
    assert service["deployments"][0]["id"] != old["deployments"][0]["id"]
    assert {task["taskDefinitionArn"] for task in stage.tasks()} == {second}


def test_with_50_and_100_percent_old_tasks_make_room(stage):
    stage.running(stage.definition(), deploymentConfiguration=RUNNING_PERCENT)
    rounds = stage.every_round()
    stage.update(taskDefinition=stage.definition())
    stage.steady()
    assert max(each["runningCount"] + each["pendingCount"] for each in rounds) == 2
    assert min(each["runningCount"] for each in rounds) == 1


def test_with_0_and_100_percent_a_bad_release_is_an_outage_and_the_breaker_ends_it(stage):
    first = stage.definition()
    before = stage.running(
        first, deploymentConfiguration={**BREAKER, "minimumHealthyPercent": 0, "maximumPercent": 100}
    )
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    stage.until(lambda: stage.service()["runningCount"] == 0)
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    service = stage.steady()
    assert (service["taskDefinition"], service["runningCount"]) == (first, 2)
    assert [each["arn"] for each in service["currentServiceRevisions"]] == [
        each["arn"] for each in before["currentServiceRevisions"]
    ]


def test_the_same_task_definition_again_is_no_deployment(stage):
    definition = stage.definition()
    before = stage.running(definition, 1)
    stage.update(taskDefinition=definition)
    assert [each["id"] for each in stage.service()["deployments"]] == [before["deployments"][0]["id"]]
    stage.update(forceNewDeployment=True)
    assert [each["id"] for each in stage.steady()["deployments"]] != [before["deployments"][0]["id"]]
    assert len(stage.history()) == 2


def test_success_is_successful_with_our_revision_as_the_target(stage):
    stage.running(stage.definition(), 1)
    stage.update(taskDefinition=(second := stage.definition()))
    service = stage.steady()
    newest, oldest = stage.history()
    assert (newest["status"], oldest["status"]) == ("SUCCESSFUL", "SUCCESSFUL")
    assert service["currentServiceDeployment"] == newest["serviceDeploymentArn"]
    target = newest["targetServiceRevision"]
    assert target == {"arn": target["arn"], "requestedTaskCount": 1, "runningTaskCount": 1, "pendingTaskCount": 0}
    assert [each["arn"] for each in service["currentServiceRevisions"]] == [target["arn"]]
    assert [each["arn"] for each in newest["sourceServiceRevisions"]] == [oldest["targetServiceRevision"]["arn"]]
    assert newest["createdAt"] <= newest["startedAt"] <= newest["finishedAt"]
    (revision,) = stage.ecs.describe_service_revisions(serviceRevisionArns=[target["arn"]])["serviceRevisions"]
    assert revision["taskDefinition"] == second
    assert ":service-revision/main/web/" in revision["serviceRevisionArn"]
    assert ":service-deployment/main/web/" in newest["serviceDeploymentArn"]


def test_a_revision_holds_neither_desired_count_nor_deployment_configuration(stage):
    stage.running(stage.definition(), 1)
    (arn,) = [each["arn"] for each in stage.service()["currentServiceRevisions"]]
    (revision,) = stage.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
    assert {"desiredCount", "deploymentConfiguration"} & revision.keys() == set()
    assert revision["containerImages"][0]["imageDigest"] == stage.tasks()[0]["containers"][0]["imageDigest"]


def test_a_tag_is_resolved_once_for_all_tasks_of_a_deployment(stage):
    stage.running(stage.definition(), 1)
    today = stage.push("serves", "import time; time.sleep(601)")
    (before,) = {task["containers"][0]["imageDigest"] for task in stage.tasks()}
    stage.update(desiredCount=3)
    stage.until(lambda: stage.service()["runningCount"] == 3)
    assert {task["containers"][0]["imageDigest"] for task in stage.tasks()} == {before}
    stage.update(forceNewDeployment=True)
    stage.steady()
    assert {task["containers"][0]["imageDigest"] for task in stage.tasks()} == {today}


def test_a_newer_deployment_stops_the_one_under_way(stage):
    stage.running(stage.definition(), 1)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    stage.until(lambda: stage.service()["deployments"][0]["failedTasks"])
    stage.update(taskDefinition=(good := stage.definition()))
    assert [each["status"] for each in stage.history()][1:] == ["STOPPED", "SUCCESSFUL"]
    assert stage.steady()["taskDefinition"] == good
    assert [each["status"] for each in stage.history()] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


def test_without_a_breaker_a_failing_deployment_goes_on_and_the_old_tasks_serve(stage):
    first = stage.definition()
    stage.running(first)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    service = stage.until(lambda: s if (s := stage.service())["deployments"][0]["failedTasks"] >= 4 else None)
    found = by_status(service)
    assert (found["PRIMARY"]["rolloutState"], found["PRIMARY"]["runningCount"]) == ("IN_PROGRESS", 0)
    assert (found["ACTIVE"]["runningCount"], found["ACTIVE"]["taskDefinition"]) == (2, first)
    events = stage.events()
    assert sum("is unable to consistently start tasks successfully." in each for each in events) == 1
    assert sum("was unable to place a task. Reason: CannotPullContainerError" in each for each in events) == 1
    assert stage.history()[0]["deploymentCircuitBreaker"]["status"] == "DISABLED"


def test_crashes_after_running_are_not_impaired_starts(stage):
    stage.create(stage.definition("crashes"), 1)
    stage.stopped(3)
    assert not any("unable to consistently start" in each for each in stage.events())


def test_the_middle_of_a_breaker_rollback(stage):
    first, bad = stage.definition(), stage.definition("no-such-tag")
    stage.running(first, deploymentConfiguration=BREAKER)
    rounds = stage.every_round()
    stage.update(taskDefinition=bad)
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    rolling_back = (each for each in rounds if each["taskDefinition"] == first and len(each["deployments"]) == 2)
    middle = by_status(next(rolling_back))
    assert (middle["PRIMARY"]["taskDefinition"], middle["PRIMARY"]["rolloutState"]) == (first, "IN_PROGRESS")
    assert middle["PRIMARY"]["rolloutStateReason"] == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {middle['PRIMARY']['id']}."
    )
    assert (middle["ACTIVE"]["taskDefinition"], middle["ACTIVE"]["rolloutState"]) == (bad, "FAILED")
    assert middle["ACTIVE"]["desiredCount"] == 0
    assert middle["ACTIVE"]["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."


def test_a_breaker_rollback_ends_looking_like_success(stage):
    first = stage.definition()
    before = stage.running(first, deploymentConfiguration=BREAKER)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    service = stage.steady()
    (deployment,) = service["deployments"]
    assert (deployment["status"], deployment["rolloutState"], deployment["taskDefinition"]) == (
        "PRIMARY",
        "COMPLETED",
        first,
    )
    newest, oldest = stage.history()
    assert newest["rollback"]["serviceRevisionArn"] == oldest["targetServiceRevision"]["arn"]
    assert "circuit breaker" in newest["rollback"]["reason"]
    breaker = newest["deploymentCircuitBreaker"]
    assert (breaker["status"], breaker["threshold"]) == ("TRIGGERED", 3)
    assert breaker["failureCount"] >= 3
    assert service["currentServiceRevisions"] == before["currentServiceRevisions"]
    assert any(each.endswith("deployment failed: tasks failed to start.") for each in stage.events())


def test_a_breaker_without_rollback_leaves_a_failed_primary_and_the_old_tasks(stage):
    first = stage.definition()
    stage.running(first, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    found = by_status(
        stage.until(lambda: s if (s := stage.service())["deployments"][0]["rolloutState"] == "FAILED" else None)
    )
    assert (found["ACTIVE"]["taskDefinition"], found["ACTIVE"]["runningCount"]) == (first, 2)
    assert stage.history()[0]["status"] == "STOPPED"
    started = len(stage.tasks("STOPPED"))
    stage.until(lambda: stage.service()["pendingCount"] == 0)
    assert len(stage.tasks("STOPPED")) == started


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(stage):
    stage.create(stage.definition("no-such-tag"), deploymentConfiguration=BREAKER)
    service = stage.until(lambda: s if (s := stage.service())["deployments"][0]["rolloutState"] == "FAILED" else None)
    assert [each["status"] for each in service["deployments"]] == ["PRIMARY"]
    assert stage.history()[0]["status"] == "STOPPED"


def test_stop_service_deployment_rolls_back_where_no_rollback_is_configured(stage):
    first = stage.definition()
    stage.running(first)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    stage.until(lambda: stage.history()[0]["status"] == "IN_PROGRESS")
    arn = stage.history()[0]["serviceDeploymentArn"]
    answer = stage.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert answer["serviceDeploymentArn"] == arn
    assert stage.history()[0]["status"].startswith("ROLLBACK_")
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    assert stage.steady()["taskDefinition"] == first


def test_a_rollback_brings_the_whole_service_revision_back(stage):
    first, second = stage.definition(), stage.definition("crashes")
    stage.running(first, 1)
    other = {"awsvpcConfiguration": {"subnets": ["subnet-b"], "securityGroups": ["sg-wrong"]}}
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    stage.update(taskDefinition=second, networkConfiguration=other, capacityProviderStrategy=spot)
    under_way = stage.history()[0]
    arns = [under_way["targetServiceRevision"]["arn"], *(item["arn"] for item in under_way["sourceServiceRevisions"])]
    told = stage.ecs.describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]
    new, old = sorted(told, key=lambda item: item["createdAt"])[::-1]
    assert (new["networkConfiguration"], new["capacityProviderStrategy"], "launchType" in new) == (other, spot, False)
    assert (old["networkConfiguration"], old["launchType"], old["platformVersion"]) == (NETWORK, "FARGATE", "1.4.0")
    stage.ecs.stop_service_deployment(serviceDeploymentArn=under_way["serviceDeploymentArn"], stopType="ROLLBACK")
    service = stage.steady()
    shown = (service["networkConfiguration"], service["launchType"], "capacityProviderStrategy" in service)
    assert shown == (NETWORK, "FARGATE", False)


def test_a_capacity_provider_strategy_alone_is_no_deployment_and_an_empty_one_is_the_launch_type(stage):
    stage.running(stage.definition(), 1)
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    assert "launchType" not in stage.update(capacityProviderStrategy=spot)
    assert len(stage.history()) == 1
    service = stage.update(capacityProviderStrategy=[], forceNewDeployment=True)
    assert (service["launchType"], "capacityProviderStrategy" in service) == ("FARGATE", False)
    assert len(stage.history()) == 2


def test_stop_service_deployment_works_from_pending(stage):
    first = stage.definition()
    stage.running(first, 1)
    with stage.lab.lock:  # the scheduler holds still
        arn = stage.lab.ecs.services.update_service({"cluster": "main", "service": "web", "forceNewDeployment": True})[
            "service"
        ]["currentServiceDeployment"]
        (shown,) = stage.lab.ecs.history.describe_service_deployments({"serviceDeploymentArns": [arn]})[
            "serviceDeployments"
        ]
        stage.lab.ecs.history.stop_service_deployment({"serviceDeploymentArn": arn, "stopType": "ROLLBACK"})
    assert shown["status"] == "PENDING"
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")


def test_stop_service_deployment_cannot_undo_what_has_ended(stage):
    stage.running(stage.definition(), 1)
    (ended,) = stage.history()
    arn = ended["serviceDeploymentArn"]
    stop = stage.ecs.stop_service_deployment
    assert refusal(stop, serviceDeploymentArn=arn, stopType="ROLLBACK")[0] == "ConflictException"
    assert refusal(stop, serviceDeploymentArn=arn, stopType="ABORT")[0] == "InvalidParameterException"
    assert refusal(stop, serviceDeploymentArn=arn + "x")[0] == "ServiceDeploymentNotFoundException"


def test_a_rollback_goes_to_the_recorded_digest_when_the_old_tasks_are_gone(stage):
    stage.running(stage.definition(), 1)
    (before,) = {task["containers"][0]["imageDigest"] for task in stage.tasks()}
    stage.update(desiredCount=0)
    stage.until(lambda: stage.service()["runningCount"] == 0)
    stage.push("serves", "import time; time.sleep(601)")
    stage.update(taskDefinition=stage.definition("no-such-tag"), desiredCount=1)
    stage.until(lambda: stage.service()["deployments"][0]["failedTasks"] and len(stage.service()["deployments"]) == 1)
    stage.ecs.stop_service_deployment(serviceDeploymentArn=stage.service()["currentServiceDeployment"])
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    assert {task["containers"][0]["imageDigest"] for task in stage.tasks()} == {before}


def test_list_service_deployments_by_status_and_time(stage):
    stage.running(stage.definition(), 1)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    stage.until(lambda: stage.history()[0]["status"] == "IN_PROGRESS")
    newest, oldest = stage.history()
    names = {"cluster": "main", "service": "web"}

    def listed(**filters):
        found = stage.ecs.list_service_deployments(**names, **filters)["serviceDeployments"]
        return [each["serviceDeploymentArn"] for each in found]

    assert listed() == [newest["serviceDeploymentArn"], oldest["serviceDeploymentArn"]]
    assert listed(status=["SUCCESSFUL"]) == [oldest["serviceDeploymentArn"]]
    assert listed(status=["ROLLBACK_SUCCESSFUL", "STOPPED"]) == []
    assert listed(createdAt={"before": newest["createdAt"]}) == [oldest["serviceDeploymentArn"]]
    assert listed(maxResults=1) == [newest["serviceDeploymentArn"]]
    assert refusal(stage.ecs.list_service_deployments, cluster="main", service="none")[0] == "ServiceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "argument"),
    [("describe_service_deployments", "serviceDeploymentArns"), ("describe_service_revisions", "serviceRevisionArns")],
)
def test_history_is_described_twenty_at_a_time(stage, operation, argument):
    call = getattr(stage.ecs, operation)
    assert refusal(call, **{argument: [f"arn:{n}" for n in range(21)]})[0] == "InvalidParameterException"
    assert call(**{argument: ["arn:none"]})["failures"] == [{"arn": "arn:none", "reason": "MISSING"}]


def crashed_into(stage, percent=(100, 200), count=1):
    """A service whose release has begun to crash since it was deployed; returns its task definition."""
    bad = stage.definition()
    stage.running(
        bad, count, deploymentConfiguration={"minimumHealthyPercent": percent[0], "maximumPercent": percent[1]}
    )
    return bad


def kill_tasks_of(stage, definition):
    """End every task of a task definition, as a crash does."""
    for task in stage.tasks():
        if task["taskDefinitionArn"] == definition and task["lastStatus"] == "RUNNING":
            stage.ecs.stop_task(cluster="main", task=task["taskArn"])


def started(stage, definition) -> set[str]:
    """The ARNs of all tasks of a task definition that there have been."""
    both = stage.tasks() + stage.tasks("STOPPED")
    return {task["taskArn"] for task in both if task["taskDefinitionArn"] == definition}


def test_what_a_deployment_is_to_replace_is_replaced_by_its_own_until_the_target_is_there(stage):
    bad = crashed_into(stage)
    before = started(stage, bad)
    stage.update(taskDefinition=(target := stage.definition("no-such-tag")))
    stage.until(lambda: started(stage, target))
    kill_tasks_of(stage, bad)
    stage.until(lambda: len(started(stage, bad) - before) == 1)
    stage.update(taskDefinition=(good := stage.definition()))
    stage.steady()
    assert {task["taskDefinitionArn"] for task in stage.tasks()} == {good}


def test_with_a_minimum_of_0_it_is_not_replaced(stage):
    bad = crashed_into(stage, (0, 100))
    before = started(stage, bad)
    stage.update(taskDefinition=(target := stage.definition("no-such-tag")))
    stage.until(lambda: len(started(stage, target)) >= 2)
    assert started(stage, bad) == before


def test_scaling_out_during_a_deployment_is_for_what_runs_too(stage):
    bad = crashed_into(stage)
    stage.update(taskDefinition=stage.definition("no-such-tag"))
    stage.update(desiredCount=3)
    stage.until(lambda: sum(task["taskDefinitionArn"] == bad for task in stage.tasks()) == 3)


@pytest.mark.parametrize("cleanup", ["DEFERRED", "BLOCKING"])
def test_early_success_waits_for_the_old_tasks_or_leaves_them(stage, cleanup):
    crashed_into(stage, count=2)
    early = {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": cleanup}
    rounds = stage.every_round()
    stage.update(taskDefinition=(good := stage.definition()), deploymentConfiguration={"earlySuccessCriteria": early})
    stage.until(lambda: stage.history()[0]["status"] == "SUCCESSFUL")
    (done,) = [
        each
        for each in rounds
        if each["deployments"][0]["rolloutState"] == "COMPLETED" and each["taskDefinition"] == good
    ][:1]
    assert (len(done["deployments"]) > 1) is (cleanup == "DEFERRED")
    stage.steady()


@pytest.mark.parametrize(
    "early",
    [
        {"enable": True},
        {"enable": True, "healthyPercent": 40, "sourceServiceRevisionCleanup": "DEFERRED"},
    ],
)
def test_early_success_criteria_that_cannot_be_are_refused(stage, early):
    crashed_into(stage)
    code, _message = refusal(lambda: stage.update(deploymentConfiguration={"earlySuccessCriteria": early}))
    assert code == "InvalidParameterException"


def alarm(stage, state: str) -> dict:
    """A CloudWatch alarm in this state, and a deployment configuration that watches it."""
    cloudwatch = stage.client("cloudwatch")
    metric = {"MetricName": "errors", "Namespace": "app", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    limit = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName="errors", **metric, **limit)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue=state, StateReason="test")
    return {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}


def test_an_alarm_that_goes_off_rolls_a_deployment_back_and_is_named(stage):
    stage.lab.durations = dataclasses.replace(stage.lab.durations, alarm_bake=60.0)
    first = stage.definition()
    stage.running(first, 1)
    stage.update(taskDefinition=stage.definition(), deploymentConfiguration=alarm(stage, "OK"))
    # Its tasks are there, and it is watched on.
    stage.until(lambda: len(stage.service()["deployments"]) == 1 and stage.service()["runningCount"] == 1)
    assert stage.history()[0]["status"] == "IN_PROGRESS"
    stage.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    stage.until(lambda: stage.history()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    told = stage.history()[0]
    assert told["alarms"] == {"status": "TRIGGERED", "alarmNames": ["errors"], "triggeredAlarmNames": ["errors"]}
    assert stage.service()["taskDefinition"] == first


def test_an_alarm_that_was_off_before_the_deployment_began_is_ignored(stage):
    stage.running(stage.definition(), 1)
    stage.update(taskDefinition=(second := stage.definition()), deploymentConfiguration=alarm(stage, "ALARM"))
    stage.until(lambda: stage.history()[0]["status"] == "SUCCESSFUL")
    assert stage.history()[0]["alarms"]["status"] == "MONITORING_COMPLETE"
    assert stage.service()["taskDefinition"] == second
