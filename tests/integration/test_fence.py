# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_fence=scale_to_zero: nothing runs until the deployment on the restored database, and all is given back, also when the run dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from spymeo_world import world
from spymeo_world.demo import Visitor

from .conftest import ROOT

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


def not_at_work(played):
    return None if " is at work" in played.output else played


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
        command, env=broken.environment(), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
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


def test_who_only_looks_is_told_of_the_run_and_what_giving_it_up_would_do(broken):
    """The run of the test above is dead, once the module that it was in has ended as well, and its lease."""
    held = broken.until(lambda: not_at_work(broken.play("hold", "-e", "rollback_hold=show")), 60)
    assert "RUNS      run run-of-the-fence (Roll back code, database and secrets) was not finished." in held.output
    assert "playbooks/rollback_full.yml" in held.output
    assert "-e rollback_run_id=run-of-the-fence" in held.output
    checked = broken.play("unfence", "--check")
    assert (checked.code, checked.written) == (0, []), checked.output
    assert "FENCE     spymeo-app: desired count 0 -> 2; its scaling as it was (nothing suspended)" in checked.output
    assert "then the mark of run run-of-the-fence is taken away" in checked.output


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


def test_what_cannot_come_up_ends_it_at_once_with_what_is_next(broken):
    """Nobody has to wait: its tasks crash one after the other. A moment at which two of them run is no end."""
    broken.control("durations", deregistration_delay=0.2, task_pull=0.2)
    played = broken.play("unfence")
    assert played.code != 0, played.output
    assert (
        "of spymeo-app:2 on spymeo-app ended since they are wanted again, so it will not come up, and nobody is served"
        in played.output
    )
    assert "spymeo-app:   log: Error: Cannot read the booking calendar" in played.output
    following = played.output.partition("NEXT")[2].partition("NEXT")
    assert "playbooks/triage.yml" in following[0]
    assert "playbooks/unfence.yml" in following[2]
    assert (played.written, tags(broken)) == ([], ["spymeo:rollback-fence"])


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
    assert_it_tells_of_the_whole_run(played.output)
    again = broken.play("rollback_full", *FENCE, *RUN)
    assert (again.code, again.written) == (0, []), again.output
    assert CLOCKS.findall(again.output) == CLOCKS.findall(played.output), "it was complete, and only looked at again"
    assert_it_tells_of_the_whole_run(again.output)


CLOCKS = re.compile(r"(SERVED|FINISHED) +after (\d+:\d\d)")
MADE = re.compile(r"MADE +(\w+ \w+)")


def assert_it_tells_of_the_whole_run(output):
    """The play that was killed has restored and fenced, and ended long before; release 2 ran before it."""
    assert "spymeo-app:2 -> spymeo-app:3  serves" in output
    assert {"rds RestoreDBInstanceFromDBSnapshot", "ecs UpdateService", "rds CreateDBSnapshot"} <= set(
        MADE.findall(output)
    )
    assert "and 1 more" not in output
    assert re.search(r"DATABASE_URL names \S+ now; before, it named \S+", output)
    clocks = {word: 60 * int(told.split(":")[0]) + int(told.split(":")[1]) for word, told in CLOCKS.findall(output)}
    assert clocks["FINISHED"] >= clocks["SERVED"] >= BETWEEN


BETWEEN = 8  # seconds that the plays between the death and the end take at the very least
