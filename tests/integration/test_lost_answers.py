# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that would do something twice when they are asked twice: their answer is lost, or the run is killed at them."""

from __future__ import annotations

import json

import pytest

from loopback_aws.interruption import AFTER, BEFORE, DROPPED, UNHEARD
from spymeo_world import world
from spymeo_world.killing import play, production

from .held import held

RUN = ["-e", "rollback_run_id=kill-stop"]


@pytest.fixture(scope="module", name="lab")
def _lab(shared_production):
    return shared_production


@pytest.fixture
def deploy(lab, tmp_path):
    """Run ecs_rollback alone, with a target; gives its result (dict) and the writing calls that it made."""

    def run(target):
        options = {"cluster": world.CLUSTER, "targets": {world.SERVICE: target}, "run_id": "kill-lost"}
        options["run"] = held(tmp_path / "held", "kill-lost")
        command = ["ansible", "localhost", "-m", "spymeo.rollback.ecs_rollback", "-a", json.dumps(options)]
        done = lab.run([*command, "--tree", str(tmp_path)])
        return json.loads((tmp_path / "localhost").read_text()), done.written

    return run


def test_a_forced_deployment_whose_answer_is_lost_is_there_once(lab, deploy):
    """The target runs already, and a secret is newer: asked twice, ECS would deploy twice."""
    lab.aws("secretsmanager").put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=lab.database_url())
    before = len(production(lab.state)["deployments"])
    lab.control("interrupt", when=DROPPED, operation="UpdateService")
    result, written = deploy("spymeo-app:1")
    assert lab.control("interrupted")["happened_at"] == ["UpdateService"]
    assert (result["services"][0]["outcome"], written) == ("serves", ["ecs UpdateService"]), result
    assert len(production(lab.state)["deployments"]) == before + 1


@pytest.mark.parametrize("when", [BEFORE, AFTER, UNHEARD, DROPPED])
def test_a_way_back_that_ecs_goes_itself_is_asked_for_once(lab, when):
    lab.forget_runs()
    lab.accident("crash-loop")
    before = len(production(lab.state)["deployments"])
    code, output, at = play(lab.state, "rollback_code", *RUN, when=when, operation="StopServiceDeployment")
    assert (code, at) == (0 if when == DROPPED else -9, ["StopServiceDeployment"]), output
    if code:
        code, output, _at = play(lab.state, "rollback_code", *RUN)
        assert code == 0, output
    deployments = production(lab.state)["deployments"]
    assert (len(deployments), deployments[0]) == (before, "ROLLBACK_SUCCESSFUL")


def test_a_copy_of_a_task_definition_whose_answer_is_lost_is_registered_once(lab, deploy):
    ecs = lab.aws("ecs")
    lab.accident("login-broken")
    ecs.deregister_task_definition(taskDefinition="spymeo-app:1")
    before = len(ecs.list_task_definitions(familyPrefix="spymeo-app")["taskDefinitionArns"])
    lab.control("interrupt", when=DROPPED, operation="RegisterTaskDefinition")
    result, written = deploy("spymeo-app:1")
    assert lab.control("interrupted")["happened_at"] == ["RegisterTaskDefinition"]
    assert written == ["ecs RegisterTaskDefinition", "ecs UpdateService"], result
    assert len(ecs.list_task_definitions(familyPrefix="spymeo-app")["taskDefinitionArns"]) == before + 1
    assert lab.service()["taskDefinition"].endswith(result["services"][0]["after"])
