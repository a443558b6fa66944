# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: a service's history: service deployments and service revisions, and how an ongoing deployment is stopped."""

from __future__ import annotations

from typing import Any

from ...wire import ApiError
from . import describe, hooks
from .operations import Operations
from .state import EcsService, ServiceDeployment
from .store import page, refuse

MOST_DESCRIBED = 20  # ARNs a call


class HistoryOperations(Operations):
    """The operations on service deployments and revisions."""

    def list_service_deployments(self, request: dict[str, Any]) -> dict[str, Any]:
        """Service deployments of a service, newest first, by status and time of creation."""
        service = self.store.service(self.store.cluster(request.get("cluster")), request["service"])
        created, statuses = request.get("createdAt", {}), request.get("status")
        found = [
            describe.service_deployment_brief(service, each)
            for each in service.history
            if (statuses is None or each.status in statuses)
            and ("after" not in created or each.created_at > created["after"])
            and ("before" not in created or each.created_at < created["before"])
        ]
        return page(found, request, 20, "serviceDeployments")

    def describe_service_deployments(self, request: dict[str, Any]) -> dict[str, Any]:
        """At most 20 service deployments by ARN."""
        answer: dict[str, list[dict[str, Any]]] = {"serviceDeployments": [], "failures": []}
        for arn in _at_most(request["serviceDeploymentArns"], "serviceDeploymentArns"):
            found = self._find_deployment(arn)
            if found is None:
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
            else:
                answer["serviceDeployments"].append(describe.service_deployment(*found))
        return answer

    def describe_service_revisions(self, request: dict[str, Any]) -> dict[str, Any]:
        """At most 20 service revisions by ARN."""
        answer: dict[str, list[dict[str, Any]]] = {"serviceRevisions": [], "failures": []}
        for arn in _at_most(request["serviceRevisionArns"], "serviceRevisionArns"):
            revision = next(
                (each.revisions[arn] for each in self.store.services.values() if arn in each.revisions), None
            )
            if revision is None:
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
            else:
                answer["serviceRevisions"].append(describe.service_revision(revision))
        return answer

    def stop_service_deployment(self, request: dict[str, Any]) -> dict[str, Any]:
        """Roll back an ongoing deployment, also where no rollback is configured. What has ended cannot be stopped."""
        arn = request["serviceDeploymentArn"]
        if request.get("stopType", "ROLLBACK") != "ROLLBACK":
            raise refuse("The stop type ABORT is not supported; the valid value is ROLLBACK.")
        found = self._find_deployment(arn)
        if found is None:
            raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
        service, deployment = found
        if deployment.finished:
            raise ApiError(
                "ConflictException",
                f"The service deployment {arn} cannot be stopped because its status is {deployment.status}.",
            )
        if deployment.status in ("PENDING", "IN_PROGRESS"):
            if service.completed is None:
                raise ApiError(
                    "ConflictException", f"The service deployment {arn} has no service revision to roll back to."
                )
            deployment.status, deployment.updated_at = "ROLLBACK_REQUESTED", self.lab.now()
        return {"serviceDeploymentArn": arn}

    def continue_service_deployment(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let a deployment go on that a lifecycle hook has paused, or roll it back."""
        arn = request["serviceDeploymentArn"]
        found = self._find_deployment(arn)
        if found is None:
            raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
        hooks.answer(self.lab, found[1], request["hookId"], request.get("action", "CONTINUE"))
        return {"serviceDeploymentArn": arn}

    def _find_deployment(self, arn: str) -> tuple[EcsService, ServiceDeployment] | None:
        return next(
            (
                (service, each)
                for service in self.store.services.values()
                for each in service.history
                if each.arn == arn
            ),
            None,
        )


def _at_most(arns: list[str], name: str) -> list[str]:
    if not 1 <= len(arns) <= MOST_DESCRIBED:
        raise refuse(f"{name} must have between 1 and {MOST_DESCRIBED} elements.")
    return arns
