# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each accident does the harm that its name promises, seen as a person sees it: by the public URL, AWS's API and the rows.

One lab serves all: each test deploys its own bad release over whatever the test before it has left.
"""

from __future__ import annotations

import json
import time

import pytest

import spymeo_app.seed
from spymeo_world import cli, world
from spymeo_world.accidents import ACCIDENTS
from spymeo_world.demo import Visitor, fingerprint

SEEN_WITHIN = 60  # seconds
PAYER = spymeo_app.seed.practitioner(0)[0]
SLOW = 3.0  # seconds that release 2.0.0 waits before each answer


def seen(look):
    """What `look` finds as soon as it finds something, or its last empty answer."""
    deadline = time.monotonic() + SEEN_WITHIN
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def scene(shared_production):
    """A production with the fingerprint of its rows while they were whole."""
    shared_production.whole = fingerprint(shared_production.state, world.DB_INSTANCE)
    return shared_production


def visitor(production) -> Visitor:
    return Visitor(production.state["base_url"])


def health(production) -> tuple[int, dict]:
    return visitor(production).ask("GET", world.HEALTH_PATH)


def logged(production, pattern: str) -> list[str]:
    """Messages that FilterLogEvents finds."""
    pages = (
        production.aws("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=world.LOG_GROUP, filterPattern=pattern)
    )
    return [event["message"] for page in pages for event in page["events"]]


def newest(production) -> dict:
    """The PRIMARY deployment."""
    return next(item for item in production.service()["deployments"] if item["status"] == "PRIMARY")


def crashed_tasks(production) -> list[dict]:
    """Stopped tasks of the service's task definition of now."""
    ecs, definition = production.aws("ecs"), production.service()["taskDefinition"]
    arns = ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster=world.CLUSTER, tasks=arns)["tasks"] if arns else []
    return [task for task in tasks if task["taskDefinitionArn"] == definition and task["lastStatus"] == "STOPPED"]


def log_in(production) -> int:
    return visitor(production).ask("POST", "/api/admin/login", production.state["admin"])[0]


def pay(production) -> int:
    return visitor(production).ask("POST", "/api/payments", {"practitionerId": PAYER, "amountCents": 2900})[0]


def assert_crash_loop(production) -> None:
    assert health(production)[0] == 503
    before = newest(production)["failedTasks"]
    assert seen(lambda: newest(production)["failedTasks"] > before)
    tasks = seen(lambda: crashed_tasks(production))
    assert {(task["stopCode"], task["stoppedReason"]) for task in tasks} == {
        ("EssentialContainerExited", "Essential container in task exited")
    }
    assert {task["containers"][0]["exitCode"] for task in tasks} == {1}


def test_login_broken_refuses_the_right_credentials(scene):
    scene.accident("login-broken")
    assert log_in(scene) == 401
    assert health(scene) == (200, {"status": "ok", "release": "2.0.0", "database": "ok"})


def test_payments_broken_fails_payments_only(scene):
    scene.accident("payments-broken")
    assert pay(scene) == 500
    assert health(scene)[0] == 200
    assert log_in(scene) == 200


def test_slow_answers_right_but_late(scene):
    scene.accident("slow")
    started = time.monotonic()
    assert health(scene)[0] == 200
    assert time.monotonic() - started >= SLOW


def test_cannot_connect_logs_p1001_and_is_not_healthy(scene):
    scene.accident("cannot-connect")
    status, answer = health(scene)
    assert status != 200, answer
    assert seen(lambda: logged(scene, '"P1001"'))
    assert seen(lambda: logged(scene, '"Can\'t reach database server"'))
    tasks = seen(lambda: crashed_tasks(scene))
    assert any("Task failed ELB health checks" in task["stoppedReason"] for task in tasks), tasks


def test_crash_loop_is_an_outage_with_tasks_that_exit(scene):
    scene.accident("crash-loop")
    assert_crash_loop(scene)


def test_bad_migration_is_healthy_but_signs_nobody_up_and_has_corrupted_rows(scene):
    scene.accident("bad-migration")
    assert health(scene) == (200, {"status": "ok", "release": "2.0.0", "database": "ok"})
    status, answer = visitor(scene).sign_up("nobody")
    assert (status, answer["code"]) == (500, "P2022")
    assert seen(lambda: logged(scene, '"P2022"'))
    assert fingerprint(scene.state, world.DB_INSTANCE) != scene.whole


def assert_healthy(production) -> None:
    assert health(production) == (200, {"status": "ok", "release": "1.0.0", "database": "ok"})
    assert (log_in(production), pay(production), visitor(production).sign_up("somebody")[0]) == (200, 201, 201)
    assert logged(production, '?"P1001" ?"P2022"') == []
    assert fingerprint(production.state, world.DB_INSTANCE) == production.whole


def test_heal_brings_back_release_1_on_the_same_ports_and_full_breaks_it_in_three_ways(scene):
    before = {key: scene.state[key] for key in ("endpoint_url", "base_url")}
    cli.heal(cli.parser().parse_args(["heal", "--name", scene.name]))
    scene.state = cli.running(scene.name)
    assert {key: scene.state[key] for key in before} == before
    assert_healthy(scene)

    scene.accident("full")
    assert_crash_loop(scene)
    assert fingerprint(scene.state, world.DB_INSTANCE) != scene.whole
    secret = scene.aws("secretsmanager").get_secret_value(SecretId=world.APP_SECRET)["SecretString"]
    assert json.loads(secret)["PAYMENT_API_KEY"] != world.PAYMENT_KEY


def test_every_accident_has_a_test_here():
    tested = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    assert [accident for accident in ACCIDENTS if not any(accident in name for name in tested)] == []


def test_with_a_breaker_ecs_itself_rolls_a_crash_loop_back(production_with_breaker):
    production = production_with_breaker
    production.accident("crash-loop")
    latest = lambda: production.aws("ecs").list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)[  # noqa: E731
        "serviceDeployments"
    ][0]["status"]
    assert seen(lambda: latest() == "ROLLBACK_SUCCESSFUL"), latest()
    assert seen(lambda: health(production) == (200, {"status": "ok", "release": "1.0.0", "database": "ok"}))
    assert production.origin().endswith(":1")
