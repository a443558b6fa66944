# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_fence=scale_to_zero: nothing runs until the deployment on the restored database, and all is given back, also when the run dies."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from spymeo_world import world
from spymeo_world.demo import Visitor

FENCE = ["-e", "rollback_fence=scale_to_zero", "-e", "rollback_lease=2"]
RUN = ["-e", "rollback_run_id=run-of-the-fence"]
TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{world.CLUSTER}/{world.SERVICE}",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.fixture(scope="module", name="broken")
def _broken(shared_production):
    """Release 2 has done its harm, and autoscaling wants at least two tasks."""
    shared_production.accident("full")
    scaling(shared_production).register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)
    return shared_production


def scaling(production):
    return production.aws("application-autoscaling")


def suspended(production) -> set[bool]:
    (target,) = scaling(production).describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return set(target["SuspendedState"].values())


def tags(production) -> list[str]:
    arn = production.service()["serviceArn"]
    return [tag["key"] for tag in production.aws("ecs").list_tags_for_resource(resourceArn=arn)["tags"]]


def counts(production) -> tuple[int, int]:
    service = production.service()
    return service["desiredCount"], service["runningCount"]


def test_a_check_says_what_the_fence_means_and_writes_nothing(broken):
    played = broken.play("rollback_full", "--check", *FENCE)
    assert (played.code, played.written) == (0, []), played.output
    assert (
        "FENCE     the services stand at 0 tasks from when the new instance has answered until the deployment"
        in played.output
    )


def test_a_run_that_is_killed_once_the_fence_is_up_leaves_what_the_next_one_needs(broken):
    broken.control("durations", deregistration_delay=3.0)
    command = ["ansible-playbook", "playbooks/rollback_full.yml", "-i", "inventories/lab", *FENCE, *RUN]
    playing = subprocess.Popen(
        command, env=broken.environment(), cwd=world.APP.parents[2], start_new_session=True, stdout=subprocess.DEVNULL
    )
    broken.until(lambda: [call["operation"] for call in broken.calls() if call["writes"]][-1] == "UpdateService", 240)
    os.killpg(playing.pid, signal.SIGKILL)
    playing.wait()
    assert "RestoreDBInstanceFromDBSnapshot" in [call["operation"] for call in broken.calls()], (
        "the fence comes after the restore"
    )
    broken.until(lambda: counts(broken) == (0, 0))
    assert suspended(broken) == {True}
    assert tags(broken) == ["spymeo:rollback-fence"]


def test_giving_the_rollback_up_starts_again_what_ran_before(broken):
    """The run of the test above is dead. Release 2 takes its time to start, and crashes."""
    bad = broken.service()["taskDefinition"]
    broken.control("durations", task_pull=30.0)
    played = broken.play("unfence", "-e", "rollback_deploy_timeout=2")
    assert played.code != 0
    assert "Bringing the services back was not done after 2 s" in played.output
    assert played.written == ["ecs UpdateService"]
    assert (broken.service()["desiredCount"], broken.service()["taskDefinition"]) == (2, bad)
    assert tags(broken) == ["spymeo:rollback-fence"]


def test_the_same_run_goes_on_and_gives_everything_back(broken):
    broken.control("durations", deregistration_delay=0.2, task_pull=0.2)
    played = broken.play("rollback_full", *FENCE, *RUN)
    assert played.code == 0, played.output
    deployments = [
        call for call in played.calls if "taskDefinition" in call["parameters"] and call["operation"] == "UpdateService"
    ]
    assert len(deployments) == 1
    assert counts(broken) == (2, 2)
    assert suspended(broken) == {False}
    assert tags(broken) == []
    assert broken.service()["taskDefinition"].endswith(":3"), "a copy of the good release, with the new address"
    visitor = Visitor(broken.state["base_url"])
    assert visitor.ask("GET", world.HEALTH_PATH) == (200, {"status": "ok", "release": "1.0.0", "database": "ok"})
    restored = [name for name in broken.instances() if name.endswith("run-of-the-fence")]
    assert len(restored) == 1
    again = broken.play("rollback_full", *FENCE, *RUN)
    assert (again.code, again.written) == (0, []), again.output
