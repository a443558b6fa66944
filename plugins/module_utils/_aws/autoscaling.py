# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that calls Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import reading

FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
TARGETS_A_CALL = 50  # DescribeScalableTargets, ResourceIds


class ScalingGateway:
    """The scalable targets of the ECS services of one cluster."""

    def __init__(self, client: Any, cluster: str) -> None:
        self._scaling = client
        self._cluster = cluster.rpartition("/")[2]  # its name, also where its ARN is given

    def _id(self, service: str) -> str:
        return "service/%s/%s" % (self._cluster, service)

    def suspended(self, services: Iterable[str]) -> dict[str, tuple[bool, ...]]:
        """For each service that has a scalable target, what is suspended of it: name → one flag each of FLAGS."""
        names = {self._id(service): service for service in services}
        ids, found = list(names), dict[str, tuple[bool, ...]]()
        for start in range(0, len(ids), TARGETS_A_CALL):
            answer = self._scaling.describe_scalable_targets(
                ServiceNamespace="ecs",
                ResourceIds=ids[start : start + TARGETS_A_CALL],
                ScalableDimension="ecs:service:DesiredCount",
            )
            with reading("DescribeScalableTargets"):
                for target in answer["ScalableTargets"]:
                    state = target.get("SuspendedState", {})  # left out: nothing is (botocore ScalableTarget)
                    found[names[target["ResourceId"]]] = tuple(state.get(flag, False) for flag in FLAGS)
        return found

    def suspend(self, service: str, flags: Iterable[bool]) -> None:
        """Suspend, or resume, of the scalable target of a service; its limits stay as they are."""
        self._scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=self._id(service),
            ScalableDimension="ecs:service:DesiredCount",
            SuspendedState=dict(zip(FLAGS, flags)),
        )
