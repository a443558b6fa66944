# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling on an ECS service: aws-semantics, "Controllers, capacity"."""

from __future__ import annotations

import pytest

from .ecs.conftest import Stage, refusal

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/main/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@pytest.fixture
def stage(lab):
    """A service with two tasks."""
    stage = Stage(lab)
    stage.running(stage.definition())
    return stage


@pytest.fixture
def scaling(stage):
    return stage.client("application-autoscaling")


def test_a_service_below_its_minimum_is_brought_back_unless_that_is_suspended(stage, scaling):
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)
    stage.update(desiredCount=0)
    stage.until(lambda: stage.service()["desiredCount"] == 2)
    scaling.register_scalable_target(**TARGET, SuspendedState=dict.fromkeys(FLAGS, True))
    stage.update(desiredCount=0)
    stage.until(lambda: stage.service()["runningCount"] == 0)
    assert stage.service()["desiredCount"] == 0
    scaling.register_scalable_target(**TARGET, SuspendedState=dict.fromkeys(FLAGS, False))
    assert stage.service()["desiredCount"] == 2


def test_what_is_left_out_stays(stage, scaling):
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    scaling.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingInSuspended": True})
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=["service/main/web"])[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["SuspendedState"] == dict(zip(FLAGS, (True, False, False), strict=True))


def test_what_is_not_there_is_refused_or_left_out(stage, scaling):
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    code, message = refusal(
        scaling.register_scalable_target, **{**TARGET, "ResourceId": "service/main/none"}, MinCapacity=1, MaxCapacity=2
    )
    assert (code, "doesn't exist" in message) == ("ValidationException", True)
    assert refusal(scaling.register_scalable_target, **TARGET)[0] == "ValidationException"
