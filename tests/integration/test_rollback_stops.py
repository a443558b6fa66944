# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rollback that stops is told as stopped, and goes on with its id: one restored instance, one deployment, nothing twice."""

from __future__ import annotations

import re

import pytest

from spymeo_world import world


@pytest.fixture(scope="module")
def story(shared_production):
    """Stopped while deploying; then gone on, with a check that fails."""
    shared_production.accident("full")
    shared_production.control("durations", task_pull=8.0)
    stopped = shared_production.play("rollback_full", "-e", "rollback_deploy_timeout=1")
    shared_production.control("durations", task_pull=0.2)
    run_id = re.search(r"-e (rollback_run_id=rb-[0-9-]+)", stopped.output)[1]
    unhealthy = shared_production.play("rollback_full", "-e", run_id, "-e", "rollback_health_path=/api/nothing")
    return shared_production, stopped, unhealthy


def test_a_stop_says_what_was_done_and_how_to_go_on(story):
    _production, stopped, _unhealthy = story
    assert stopped.code != 0
    told = stopped.output.split("The failure]")[1]
    assert "FAILED    at: Deploy the release and wait until it serves" in told
    assert "The rollback is not complete." in told
    assert "DATABASE_URL names" not in told, "it does not until nothing else is left"
    assert "CALL      on_call" in told


def test_going_on_does_nothing_twice(story):
    production, stopped, unhealthy = story
    assert "ecs UpdateService" in stopped.written
    assert not {"ecs UpdateService", "ecs RegisterTaskDefinition", "rds RestoreDBInstanceFromDBSnapshot"} & set(
        unhealthy.written
    )
    assert len(production.instances()) == 2
    deployments = production.aws("ecs").list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)[
        "serviceDeployments"
    ]
    assert len(deployments) == 3


def test_a_check_that_fails_fails_the_run_and_takes_nothing_back(story):
    production, _stopped, unhealthy = story
    assert unhealthy.code != 0
    told = unhealthy.output.split("The failure]")[1]
    assert "health, failed: /api/nothing: failed" in told, unhealthy.output
    assert "status 404 instead of 200" in told
    assert "The rollback is complete. It is not verified: " in told
    assert production.origin() == "spymeo-app:1"
