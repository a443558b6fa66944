# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules of the code rollback, each called alone by pytest-ansible; what they say is compared with what AWS says.

test_modules_alone.py runs this file in a process of its own.
"""

from __future__ import annotations

import pytest

from spymeo_world import world

RUN = "rb-20261122-031500"


@pytest.fixture(scope="module", name="broken")
def _broken(shared_production):
    shared_production.accident("login-broken")
    return shared_production


@pytest.fixture
def task(call_module, broken):
    """Run one module; gives its result (dict) and the writing calls that it made."""
    return lambda module, **options: call_module(broken, module, cluster=world.CLUSTER, **options)


def arn(broken, name: str) -> str:
    definition = broken.aws("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
    return definition["taskDefinitionArn"]


def digest(broken, release: str) -> str:
    image = broken.aws("ecr").describe_images(repositoryName=world.REPOSITORY, imageIds=[{"imageTag": release}])
    return image["imageDetails"][0]["imageDigest"]


def test_the_candidates_are_told_with_what_aws_knows_of_each(broken, task):
    result, written = task("ecs_release_info", services=[world.SERVICE])
    assert (result["changed"], written) == (False, [])
    (service,) = result["services"]
    assert result["targets"] == {world.SERVICE: arn(broken, "spymeo-app:1")}
    bad, good = service["candidates"]
    assert (bad["task_definition"], bad["verdict"], bad["in_use"], bad["chosen"]) == (
        "spymeo-app:2",
        "running",
        True,
        False,
    )
    assert (good["task_definition"], good["verdict"], good["in_use"], good["chosen"]) == (
        "spymeo-app:1",
        "moments",  # the release of a lab has served for seconds
        False,
        True,
    )
    assert {item["outcome"] for item in (bad, good)} == {"SUCCESSFUL"}
    assert list(good["digest"].values()) == [digest(broken, "1.0.0")]
    assert result["bad_since"]


@pytest.mark.parametrize("form", ["revision", "arn", "digest", "mapping"])
def test_a_target_is_named_in_each_form(broken, task, form):
    first = arn(broken, "spymeo-app:1")
    forms = {
        "revision": "spymeo-app:1",
        "arn": first,
        "digest": digest(broken, "1.0.0"),
        "mapping": {world.SERVICE: "spymeo-app:1"},
    }
    result, written = task("ecs_release_info", services=[world.SERVICE], task_definition=forms[form])
    assert (result["targets"], written) == ({world.SERVICE: first}, [])
    assert result["services"][0]["reason"] == "rollback_task_definition names it"


@pytest.mark.parametrize("target", [41, 1.1, "41", {world.SERVICE: 41}])
def test_a_bare_number_is_refused_with_the_right_form(task, target):
    result, written = task("ecs_release_info", services=[world.SERVICE], task_definition=target)
    assert (result["failed"], written) == (True, [])
    assert "family:revision" in result["msg"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"spymeo-web": "spymeo-app:1"}, "not in rollback_services"),
        ("sha256:" + "0" * 64, "spymeo-app was never deployed with this image"),
        ("spymeo-app:99", "there is no such task definition"),
    ],
)
def test_a_target_that_is_not_there_is_refused(task, target, words):
    result, written = task("ecs_release_info", services=[world.SERVICE], task_definition=target)
    assert (result["failed"], written) == (True, [])
    assert words in result["msg"]


def test_a_service_that_is_not_there_is_refused_with_those_there_are(task):
    result, written = task("ecs_rollback", targets={"spymeo-web": "spymeo-app:1"}, run_id=RUN)
    assert (result["failed"], written) == (True, [])
    assert "The services there are: spymeo-app" in result["msg"]


def test_a_service_is_deployed_once_and_the_second_time_nothing_is_done(broken, task):
    targets = {world.SERVICE: arn(broken, "spymeo-app:1")}
    first, written = task("ecs_rollback", targets=targets, run_id=RUN)
    assert (first["changed"], written) == (True, ["UpdateService"])
    (service,) = first["services"]
    assert (service["before"], service["after"], service["outcome"]) == ("spymeo-app:2", "spymeo-app:1", "serves")
    (deployment,) = broken.service()["deployments"]
    assert (deployment["taskDefinition"], deployment["rolloutState"]) == (targets[world.SERVICE], "COMPLETED")
    assert deployment["runningCount"] == broken.service()["desiredCount"] == world.TASKS
    second, written = task("ecs_rollback", targets=targets, run_id=RUN)
    assert (second["changed"], written) == (False, [])
    assert second["services"][0]["outcome"] == "as before"
