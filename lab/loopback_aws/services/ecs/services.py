# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: services: created, updated, described, listed, deleted."""

from __future__ import annotations

import copy
from typing import Any

from ...wire import ApiError
from . import describe, hooks, rollout
from .decide import check_configuration, check_strategy
from .operations import Operations
from .state import EcsService
from .store import page, refuse
from .tasks import check_network

MOST_DESCRIBED = 10  # a DescribeServices call
DEFAULTS = {
    "launchType": "FARGATE",
    "platformVersion": "1.4.0",
    "platformFamily": "Linux",
    "schedulingStrategy": "REPLICA",
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "enableExecuteCommand": False,
    "deploymentController": {"type": "ECS"},
}
DEPLOYMENT_DEFAULTS = {
    "strategy": "ROLLING",
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "bakeTimeInMinutes": 0,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}
NEEDS_DEPLOYMENT = {  # what tasks are made of → how UpdateService names it when the controller is not ECS
    "taskDefinition": "task definition",
    "networkConfiguration": "network parameters",
    "loadBalancers": "load balancers",
    "platformVersion": "platform version",
    "capacityProviderStrategy": "capacity provider strategy",
    "serviceRegistries": "service registries",
}
WITH_THE_NEXT = (
    "capacityProviderStrategy",
)  # changed alone, it starts no deployment, and comes with the next one (botocore)
NOT_IN_THE_LAB = (
    "gatewayConnectors",
    "monitoring",
    "role",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
NOT_SETTINGS = (
    "clientToken",
    "cluster",
    "desiredCount",
    "forceNewDeployment",
    "service",
    "serviceName",
    "tags",
    "taskDefinition",
)


class ServiceOperations(Operations):
    """The operations on services."""

    def create_service(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new service and its first deployment; the same call again answers with what is there."""
        cluster = self.store.cluster(request.get("cluster"))
        existing = self.store.find_service(cluster, request["serviceName"])
        if existing is not None and existing.status != "INACTIVE":
            return self._repeated(existing, request)
        definition = self._definition(request)
        if "desiredCount" not in request:
            raise refuse("desiredCount is required when schedulingStrategy is REPLICA.")
        configuration = {**DEPLOYMENT_DEFAULTS, **request.get("deploymentConfiguration", {})}
        settings = {**copy.deepcopy(DEFAULTS), **_settings(request), "deploymentConfiguration": configuration}
        settings = _with_capacity(settings)
        self._check(settings, definition)
        service = EcsService(
            cluster=cluster,
            name=request["serviceName"],
            arn=self.lab.arn("ecs", f"service/{cluster.name}/{request['serviceName']}"),
            settings=settings,
            request=request,
            desired=request["desiredCount"],
            created_at=self.lab.now(),
        )
        self.store.services[service.arn] = service
        self.store.tag(service.arn, request.get("tags", []))
        rollout.begin(self.lab, service, definition)
        self.scheduler.wake()
        return {"service": {**describe.service(service), "tags": self.store.tags_of(service.arn)}}

    def _repeated(self, existing: EcsService, request: dict[str, Any]) -> dict[str, Any]:
        if existing.status == "DRAINING":
            raise refuse("Unable to Start a service that is still Draining.")
        if existing.request != request:
            raise refuse("Creation of service was not idempotent.")
        return {"service": describe.service(existing)}

    def _definition(self, request: dict[str, Any]) -> dict[str, Any]:
        if "taskDefinition" not in request:
            raise refuse("TaskDefinition cannot be blank.")
        return self.store.usable_definition(request["taskDefinition"])

    def _check(self, settings: dict[str, Any], definition: dict[str, Any]) -> None:
        """Refuse settings that AWS refuses, and those that the lab would not keep."""
        unknown = [name for name in NOT_IN_THE_LAB if settings.get(name)]
        if unknown:
            raise refuse(f"The lab does not have services with {', '.join(unknown)}.")
        if settings.get("launchType", "FARGATE") != "FARGATE" or settings["schedulingStrategy"] != "REPLICA":
            raise refuse("The lab runs services with launch type FARGATE and scheduling strategy REPLICA.")
        check_network(settings)
        check_configuration(settings["deploymentConfiguration"])
        hooks.check(settings["deploymentConfiguration"])
        check_strategy(settings["deploymentConfiguration"], settings["loadBalancers"])
        if "healthCheckGracePeriodSeconds" in settings and not settings["loadBalancers"]:
            raise refuse("Health check grace period is only valid for services configured to use load balancers")
        for balancer in settings["loadBalancers"]:
            self._check_load_balancer(balancer, definition)

    def _check_load_balancer(self, balancer: dict[str, Any], definition: dict[str, Any]) -> None:
        container = next(
            (each for each in definition["containerDefinitions"] if each["name"] == balancer.get("containerName")), None
        )
        if container is None:
            raise refuse(f"The container {balancer.get('containerName')} does not exist in the task definition.")
        if balancer.get("containerPort") not in [each["containerPort"] for each in container["portMappings"]]:
            raise refuse(
                f"The container {container['name']} did not have a container port {balancer.get('containerPort')} defined."
            )
        if "targetGroupArn" not in balancer:
            raise refuse("The lab has load balancers with target groups only.")
        self._check_target_group(balancer["targetGroupArn"])
        if "advancedConfiguration" in balancer:
            self._check_target_group(balancer["advancedConfiguration"].get("alternateTargetGroupArn", ""))
            try:
                self.lab.elbv2.describe_rules(
                    {"RuleArns": [balancer["advancedConfiguration"].get("productionListenerRule", "")]}
                )
            except ApiError as error:
                raise refuse("The production listener rule does not exist.") from error

    def _check_target_group(self, arn: str) -> None:
        try:
            (group,) = self.lab.elbv2.describe_target_groups({"TargetGroupArns": [arn]})["TargetGroups"]
        except ApiError as error:
            raise refuse(f"The target group {arn} does not exist.") from error
        if not group.get("LoadBalancerArns"):
            raise refuse(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")

    def update_service(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change a service. What tasks are made of needs a deployment; the desired count alone does not."""
        service = self.store.service(self.store.cluster(request.get("cluster")), request["service"], active=True)
        self._check_controller(service, request)
        current = service.primary.revision.definition
        definition = self.store.usable_definition(request["taskDefinition"]) if "taskDefinition" in request else current
        settings = _with_capacity({**service.settings, **_settings(request)})
        settings["deploymentConfiguration"] = {
            **service.settings["deploymentConfiguration"],
            **request.get("deploymentConfiguration", {}),
        }
        self._check(settings, definition)
        changed = definition is not current or any(
            settings.get(name) != service.settings.get(name) for name in NEEDS_DEPLOYMENT if name not in WITH_THE_NEXT
        )
        service.settings = settings
        before = service.desired
        service.desired = request.get("desiredCount", before)  # left out, it stays what autoscaling has made of it
        if changed or request.get("forceNewDeployment"):
            rollout.begin(self.lab, service, definition, before)
        else:
            rollout.scale(service, before)
        return {"service": describe.service(service)}

    @staticmethod
    def _check_controller(service: EcsService, request: dict[str, Any]) -> None:
        if (
            request.get("deploymentController", service.settings["deploymentController"])
            != service.settings["deploymentController"]
        ):
            raise refuse("The lab does not change the deployment controller of a service.")
        if service.controller == "ECS":
            return
        advice = {
            "CODE_DEPLOY": "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.",
            "EXTERNAL": "on services with an EXTERNAL deployment controller. Use task sets to trigger a new deployment.",
        }[service.controller]
        for name, words in NEEDS_DEPLOYMENT.items():
            if name in request:
                raise refuse(f"Unable to update {words} {advice}")
        if request.get("forceNewDeployment"):
            raise refuse(f"Cannot force a new deployment {advice}")

    def describe_services(self, request: dict[str, Any]) -> dict[str, Any]:
        """At most ten services; those that are not there are in failures[]."""
        cluster, names = self.store.cluster(request.get("cluster")), request["services"]
        if not 1 <= len(names) <= MOST_DESCRIBED:
            raise refuse(
                "Services cannot be empty." if not names else f"Services cannot be more than {MOST_DESCRIBED}."
            )
        answer: dict[str, list[dict[str, Any]]] = {"services": [], "failures": []}
        for name in names:
            service = self.store.find_service(cluster, name)
            if service is None:
                arn = name if name.startswith("arn:") else self.lab.arn("ecs", f"service/{cluster.name}/{name}")
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
                continue
            shown = describe.service(service)
            if "TAGS" in request.get("include", []):
                shown["tags"] = self.store.tags_of(service.arn)
            answer["services"].append(shown)
        return answer

    def list_services(self, request: dict[str, Any]) -> dict[str, Any]:
        """ARNs of the services of a cluster that are not INACTIVE, ten a page."""
        cluster = self.store.cluster(request.get("cluster"))
        arns = [
            service.arn
            for service in self.store.services.values()
            if service.cluster is cluster
            and service.status != "INACTIVE"
            and request.get("launchType") in (None, service.settings.get("launchType"))
            and request.get("schedulingStrategy") in (None, service.settings["schedulingStrategy"])
        ]
        return page(arns, request, 10, "serviceArns")

    def delete_service(self, request: dict[str, Any]) -> dict[str, Any]:
        """DRAINING until its tasks are gone, then INACTIVE; INACTIVE ones can be described."""
        service = self.store.service(self.store.cluster(request.get("cluster")), request["service"], active=True)
        if service.desired and not request.get("force"):
            raise refuse("The service cannot be stopped while it is scaled above 0.")
        service.status, service.desired = "DRAINING", 0
        return {"service": describe.service(service)}


def _with_capacity(settings: dict[str, Any]) -> dict[str, Any]:
    """A service has capacity providers or a launch type; an empty strategy goes back to the launch type."""
    if settings.get("capacityProviderStrategy"):
        return {name: value for name, value in settings.items() if name != "launchType"}
    plain = {name: value for name, value in settings.items() if name != "capacityProviderStrategy"}
    return {"launchType": DEFAULTS["launchType"], **plain}


def _settings(request: dict[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in request.items() if name not in NOT_SETTINGS}
    if settings.get("platformVersion") == "LATEST":
        settings["platformVersion"] = DEFAULTS["platformVersion"]
    return settings
