# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling of ECS services: the desired count stays within a minimum and a maximum unless that is suspended.

The lab has no policies and no metrics. What a target-tracking policy would do to a service below its minimum is done by
`_follow`, at every look: it brings tasks back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..wire import ApiError, Service
from .ecs import rollout

if TYPE_CHECKING:
    from ..lab import Lab
    from .ecs.state import EcsService

FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
DIMENSION = "ecs:service:DesiredCount"


class ApplicationAutoScaling(Service):
    """The scalable targets of the lab's account."""

    model = "application-autoscaling"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._targets: dict[str, dict[str, Any]] = {}  # by resource id, in the shape ScalableTarget
        self._following = False

    def register_scalable_target(self, request: dict[str, Any]) -> dict[str, Any]:
        """Set limits, suspend or resume; what is left out stays. A capacity beyond the limits is changed unless that is suspended."""
        if (request["ServiceNamespace"], request["ScalableDimension"]) != ("ecs", DIMENSION):
            raise ApiError("ValidationException", f"The lab scales {DIMENSION} only.")
        name = request["ResourceId"]
        self._service(name)
        known = self._targets.get(name)
        if known is None:
            if "MinCapacity" not in request or "MaxCapacity" not in request:
                raise ApiError(
                    "ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target."
                )
            known = self._targets[name] = {
                "ServiceNamespace": "ecs",
                "ResourceId": name,
                "ScalableDimension": DIMENSION,
                "RoleARN": f"arn:aws:iam::{self.lab.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/Ecs",
                "CreationTime": self.lab.now(),
                "SuspendedState": dict.fromkeys(FLAGS, False),
                "ScalableTargetARN": self.lab.arn("application-autoscaling", f"scalable-target/{len(self._targets)}"),
            }
        known.update({key: request[key] for key in ("MinCapacity", "MaxCapacity") if key in request})
        known["SuspendedState"] = {**known["SuspendedState"], **request.get("SuspendedState", {})}
        self._keep(known)
        if not self._following:
            self._following = True
            self.lab.after(self.lab.durations.scheduler_interval, self._follow)
        return {"ScalableTargetARN": known["ScalableTargetARN"]}

    def describe_scalable_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """The scalable targets of a namespace, or those asked for; what is not there is left out."""
        asked = request.get("ResourceIds")
        found = [target for name, target in self._targets.items() if asked is None or name in asked]
        return {"ScalableTargets": found if request["ServiceNamespace"] == "ecs" else []}

    def _follow(self) -> None:
        for target in self._targets.values():
            self._keep(target)
        self.lab.after(self.lab.durations.scheduler_interval, self._follow)

    def _keep(self, target: dict[str, Any]) -> None:
        suspended, service = target["SuspendedState"], self._service(target["ResourceId"])
        before = service.desired
        if service.desired < target["MinCapacity"] and not suspended["DynamicScalingOutSuspended"]:
            service.desired = target["MinCapacity"]
        elif service.desired > target["MaxCapacity"] and not suspended["DynamicScalingInSuspended"]:
            service.desired = target["MaxCapacity"]
        if service.desired != before:
            rollout.scale(service, before)

    def _service(self, resource_id: str) -> EcsService:
        for service in self.lab.ecs.store.services.values():
            if resource_id == f"service/{service.cluster.name}/{service.name}" and service.status == "ACTIVE":
                return service
        raise ApiError("ValidationException", f"ECS service doesn't exist: {resource_id}")
