# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_code.yml against what code can cure and what can go wrong meanwhile; every end state is asked of AWS and of the public URL.

One lab serves all tests but those of the circuit breaker: each begins with a bad release over release 1. What keeps a target from
starting (an image that is gone, and the like) is in test_preflight.py.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sys
import time

import pytest

import spymeo_app.seed
from spymeo_world import world
from spymeo_world.accidents import ACCIDENTS
from spymeo_world.demo import Visitor

NEEDS_MORE_THAN_CODE = {"bad-migration", "full"}
IN_TESTS_OF_THEIR_OWN = {"crash-loop", "login-broken"}
PAYER = spymeo_app.seed.practitioner(0)[0]
ANSWERS_WITHIN = 2.0  # seconds; release 2.0.0 "slow" takes 3
SETTLES_WITHIN = 30  # seconds
WORKER = "spymeo-worker"


@pytest.fixture(name="production")
def _production(shared_production):
    shared_production.forget_runs()
    return shared_production


def deployments(production) -> list[dict]:
    """The history of the service, newest first."""
    listed = production.aws("ecs").list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)
    return listed["serviceDeployments"]


def running(production, name: str = world.SERVICE) -> str:
    """family:revision of the only deployment of a service, with all its tasks; empty while there is no such thing."""
    service = production.aws("ecs").describe_services(cluster=world.CLUSTER, services=[name])["services"][0]
    if len(service["deployments"]) > 1 or service["deployments"][0]["rolloutState"] != "COMPLETED":
        return ""
    whole = service["runningCount"] == service["desiredCount"] == service["deployments"][0]["runningCount"]
    return service["taskDefinition"].rpartition("/")[2] if whole else ""


def settled(production, name: str = world.SERVICE) -> str:
    """`running`, once it is settled, or the last empty answer."""
    deadline = time.monotonic() + SETTLES_WITHIN
    while not (found := running(production, name)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def break_code(production) -> None:
    """Deploy a bad release that ECS finds healthy, unless one serves already."""
    if Visitor(production.state["base_url"]).ask("GET", world.HEALTH_PATH)[1].get("release") == "1.0.0":
        production.accident("login-broken")
    assert settled(production)


def image_of(production) -> str:
    """The image that the service's task definition names."""
    ecs = production.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition=production.service()["taskDefinition"])["taskDefinition"]
    return definition["containerDefinitions"][0]["image"]


def assert_release_1_serves(production) -> None:
    """As people see it: nothing that an accident breaks is broken."""
    visitor, began = Visitor(production.state["base_url"]), time.monotonic()
    assert visitor.ask("GET", world.HEALTH_PATH) == (200, {"status": "ok", "release": "1.0.0", "database": "ok"})
    assert time.monotonic() - began < ANSWERS_WITHIN
    assert visitor.ask("POST", "/api/admin/login", production.state["admin"])[0] == 200
    assert visitor.ask("POST", "/api/payments", {"practitionerId": PAYER, "amountCents": 2900})[0] == 201
    assert production.service()["desiredCount"] == world.TASKS


def refused(played) -> str:
    """The output, as one line, of a run that has changed nothing."""
    assert played.code != 0, played.output
    assert played.written == []
    assert "Nothing was changed" in played.output
    return " ".join(played.output.split())


def test_a_crash_loop_that_is_still_being_deployed_is_stopped_and_rolled_back_by_ecs(production):
    production.accident("crash-loop")
    check = production.play("rollback_code", "--check", "--diff")
    assert (check.code, check.written) == (0, []), check.output
    assert "CODE      spymeo-app: spymeo-app:2 -> spymeo-app:1" in check.output
    assert "DATABASE  is not touched" in check.output

    first = production.play("rollback_code", "--diff")
    assert (first.code, first.written) == (0, ["ecs StopServiceDeployment"]), first.output
    assert [item["status"] for item in deployments(production)] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert running(production) == "spymeo-app:1"
    assert_release_1_serves(production)

    second = production.play("rollback_code")
    assert (second.code, second.written, second.recap["changed"]) == (0, [], 0), second.output


def test_a_target_that_crashes_too_fails_at_the_first_certain_sign_with_its_last_words_and_what_served_is_back(
    production,
):
    """spymeo-app:2 is the release of the test above."""
    played = production.play("rollback_code", "-e", "rollback_task_definition=spymeo-app:2")
    assert played.code != 0
    assert played.written == ["ecs UpdateService", "ecs StopServiceDeployment"]
    assert "tasks of spymeo-app:2 on spymeo-app failed in a row" in played.output
    assert "it was brought back to spymeo-app:1, which served before" in played.output
    assert "app exited with 1" in played.output
    assert "log: " in played.output
    assert deployments(production)[0]["status"] == "ROLLBACK_SUCCESSFUL"
    assert settled(production) == "spymeo-app:1"
    assert_release_1_serves(production)


@pytest.mark.parametrize("accident", sorted(set(ACCIDENTS) - NEEDS_MORE_THAN_CODE - IN_TESTS_OF_THEIR_OWN))
def test_an_accident_that_code_can_cure_is_cured_by_one_deployment(production, accident):
    production.accident(accident)
    assert not production.service()["taskDefinition"].endswith("spymeo-app:1")
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert len(played.written) == 1
    assert played.written[0] in ("ecs UpdateService", "ecs StopServiceDeployment")
    assert running(production) == "spymeo-app:1"
    assert_release_1_serves(production)


def test_a_broken_login_is_cured_although_aws_throttles(production):
    production.accident("login-broken")
    before = len(deployments(production))
    for operation, times in (("DescribeServices", 3), ("UpdateService", 2), ("DescribeServiceDeployments", 2)):
        production.control("throttle", operation=operation, times=times)
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    throttled = [call["operation"] for call in played.calls if call["error"] == "ThrottlingException"]
    assert sorted(set(throttled)) == ["DescribeServiceDeployments", "DescribeServices", "UpdateService"]
    assert len(deployments(production)) == before + 1
    assert running(production) == "spymeo-app:1"
    assert_release_1_serves(production)


def test_a_service_scaled_to_0_is_refused_and_stays_so(production):
    ecs = production.aws("ecs")
    break_code(production)
    bad = production.service()["taskDefinition"]
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, desiredCount=0)
    try:
        assert "--desired-count" in refused(production.play("rollback_code"))
        service = production.service()
        assert (service["desiredCount"], service["taskDefinition"]) == (0, bad)
    finally:
        ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, desiredCount=world.TASKS)


REFUSED = {
    "a service that is not there": (
        {"rollback_services": ["spymeo-app", "spymeo-web"]},
        ["rollback_services", "'spymeo-web'", "The services there are: spymeo-app"],
    ),
    "numbers that AWX has made of text, all of them": (
        {"rollback_task_definition": {"spymeo-app": 41}, "rollback_deploy_timeout": 1.5, "rollback_cluster": 7},
        [
            "rollback_task_definition is {'spymeo-app': 41}: for spymeo-app, a bare int",
            "rollback_deploy_timeout is 1.5",
            "rollback_cluster is 7",
        ],
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_is_refused_in_clear_words(production, mistake):
    variables, words = REFUSED[mistake]
    message = refused(production.play("rollback_code", "-e", json.dumps(variables)))
    assert [word for word in words if word not in message] == []


@contextlib.contextmanager
def worker(production, name: str = WORKER):
    """A second service of the application, without a load balancer. Revision 1 works; the program of revision 2 is not there,
    and that of revision 3 ends a second after its start."""
    ecs = production.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition="spymeo-app:1")["taskDefinition"]
    whole = {
        key: definition[key] for key in ("requiresCompatibilities", "networkMode", "cpu", "memory", "executionRoleArn")
    }
    container = {key: definition["containerDefinitions"][0][key] for key in ("name", "image", "logConfiguration")}
    sleeps = lambda seconds: [sys.executable, "-c", f"import time; time.sleep({seconds})"]  # noqa: E731
    for command in (sleeps(600), ["/no/such/program"], sleeps(1)):
        changed = [container | {"command": command}]
        ecs.register_task_definition(family=name, containerDefinitions=changed, **whole)
    network = production.service()["networkConfiguration"]
    ecs.create_service(
        cluster=world.CLUSTER, serviceName=name, taskDefinition=f"{name}:1", desiredCount=1, launchType="FARGATE",
        networkConfiguration=network,
    )  # fmt: skip
    assert settled(production, name) == f"{name}:1"
    try:
        yield
    finally:
        ecs.delete_service(cluster=world.CLUSTER, service=name, force=True)


def test_of_two_services_the_one_that_fails_does_not_hide_or_stop_the_other(production):
    break_code(production)
    both = {
        "rollback_services": [world.SERVICE, WORKER],
        "rollback_task_definition": {world.SERVICE: "spymeo-app:1", WORKER: f"{WORKER}:2"},
    }
    with worker(production):
        played = production.play("rollback_code", "-e", json.dumps(both))
        assert played.code != 0
        assert played.written == ["ecs UpdateService", "ecs UpdateService", "ecs StopServiceDeployment"]
        assert f"tasks of {WORKER}:2 on {WORKER} failed in a row" in played.output
        assert "CannotStartContainerError" in played.output
        assert "spymeo-app: serves spymeo-app:1" in played.output
        assert running(production) == "spymeo-app:1"
        assert settled(production, WORKER) == f"{WORKER}:1"
        assert_release_1_serves(production)


def test_a_task_that_ends_soon_after_its_start_is_no_success_although_ecs_says_so(production):
    jobs = "spymeo-jobs"
    alone = {"rollback_services": [jobs], "rollback_task_definition": f"{jobs}:3"}
    with worker(production, jobs):
        played = production.play("rollback_code", "-e", json.dumps(alone))
        listed = production.aws("ecs").list_service_deployments(cluster=world.CLUSTER, service=jobs)
        assert listed["serviceDeployments"][0]["status"] == "SUCCESSFUL"
    assert played.code != 0
    assert f"tasks of {jobs}:3 on {jobs} ended soon after their start" in played.output
    assert "app exited with 0" in played.output


DEADLINE = 3  # seconds; a task takes 8


def test_the_deadline_is_kept_to_the_second(production):
    break_code(production)
    production.control("durations", task_pull=8.0)
    try:
        played = production.play("rollback_code", "-e", json.dumps({"rollback_deploy_timeout": DEADLINE}))
    finally:
        production.control("durations", task_pull=0.2)
    assert played.code != 0
    assert f"was not done after {DEADLINE} s: spymeo-app: 0 of 2 tasks run spymeo-app:1" in played.output
    (started,) = [call for call in played.calls if call["operation"] == "UpdateService"]
    looks = [
        call for call in played.calls if call["operation"] == "DescribeServices" and call["time"] > started["time"]
    ]
    waited = [moment(look) - moment(started) for look in looks if moment(look) - moment(started) <= DEADLINE + 1]
    assert DEADLINE <= max(waited) <= DEADLINE + 1
    assert "desiredCount" not in started["parameters"]
    assert settled(production) == "spymeo-app:1"  # what was begun goes on in AWS


def moment(call: dict) -> float:
    return datetime.datetime.fromisoformat(call["time"]).timestamp()


def test_a_tag_that_was_moved_is_pinned_to_what_it_meant(production):
    """Under the tag 1.0.0 there is now an image that does not start."""
    break_code(production)
    production.control("push", release="1.0.0", defect="crash-loop")
    try:
        played = production.play("rollback_code")
        assert played.code == 0, played.output
        assert played.written == ["ecs RegisterTaskDefinition", "ecs UpdateService"]
        assert "@sha256:" in image_of(production)
        assert_release_1_serves(production)
    finally:
        production.control("push", release="1.0.0", defect="")


def test_a_target_that_is_inactive_is_registered_again(production):
    ecs, served = production.aws("ecs"), running(production)
    image = image_of(production)
    break_code(production)
    ecs.deregister_task_definition(taskDefinition=served)
    played = production.play("rollback_code")
    assert played.code == 0, played.output
    assert played.written == ["ecs RegisterTaskDefinition", "ecs UpdateService"]
    assert image_of(production) == image
    assert running(production) == production.service()["taskDefinition"].rpartition("/")[2]
    inactive = ecs.describe_task_definition(taskDefinition=served)["taskDefinition"]
    assert inactive["status"] == "INACTIVE"
    assert_release_1_serves(production)


def test_nothing_was_deleted_or_deregistered_by_any_run(production):
    ours = [call for call in production.calls() if call["operation"].startswith(("Delete", "Deregister", "Remove"))]
    assert [call["operation"] for call in ours] == [
        "DeleteService",
        "DeleteService",
        "DeregisterTaskDefinition",
    ]  # the tests' own


@pytest.fixture(scope="module")
def with_breaker(shared_production_with_breaker):
    """A production whose circuit breaker has rolled a crash loop back by itself."""
    shared_production_with_breaker.accident("crash-loop")
    return shared_production_with_breaker


def test_what_the_breaker_has_rolled_back_already_is_left_as_it_is(with_breaker):
    assert settled(with_breaker) == "spymeo-app:1"
    played = with_breaker.play("rollback_code")
    assert (played.code, played.written) == (0, []), played.output
    assert "there was nothing to change" in played.output


def test_a_breaker_that_rolls_our_deployment_back_during_the_wait_is_no_success(with_breaker):
    played = with_breaker.play("rollback_code", "-e", "rollback_task_definition=spymeo-app:2")
    assert played.code != 0
    assert played.written == ["ecs UpdateService"]
    assert "FAILED    at: Deploy the release" in played.output
    assert "app exited with 1" in played.output
    assert settled(with_breaker) == "spymeo-app:1"
    assert deployments(with_breaker)[0]["status"] == "ROLLBACK_SUCCESSFUL"
    assert_release_1_serves(with_breaker)
