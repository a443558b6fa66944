# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: task definitions: registered, described, deregistered, deleted; numbers are never used twice."""

from __future__ import annotations

from typing import Any

from ...wire import ApiError
from .operations import Operations
from .store import page, refuse

MOST_DELETED = 10  # a DeleteTaskDefinitions call
LIST_DEFAULTS = ("environment", "mountPoints", "portMappings", "systemControls", "volumesFrom")
NOT_IN_THE_LAB = (  # what would change how a container runs, and is not done here
    "dependsOn",
    "environmentFiles",
    "firelensConfiguration",
    "healthCheck",
    "links",
    "mountPoints",
    "repositoryCredentials",
    "restartPolicy",
    "volumesFrom",
)


class TaskDefinitionOperations(Operations):
    """The operations on task definitions."""

    def register_task_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new revision of a family, ACTIVE."""
        family = request["family"]
        _check(request, self.lab.region)
        revisions = self.store.definitions.setdefault(family, [])
        number = len(revisions) + 1
        definition = {
            "volumes": [],
            "placementConstraints": [],
            **{name: value for name, value in request.items() if name != "tags"},
            "taskDefinitionArn": self.lab.arn("ecs", f"task-definition/{family}:{number}"),
            "containerDefinitions": [_filled(each) for each in request["containerDefinitions"]],
            "revision": number,
            "status": "ACTIVE",
            "compatibilities": ["EC2", "FARGATE"],
            "registeredAt": self.lab.now(),
            "registeredBy": f"arn:aws:iam::{self.lab.account}:root",
        }
        revisions.append(definition)
        self.store.tag(definition["taskDefinitionArn"], request.get("tags", []))
        return {"taskDefinition": definition, "tags": request.get("tags", [])}

    def describe_task_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        """By ARN, family:revision, or family (newest ACTIVE). An INACTIVE one can be described."""
        definition = self.store.find_definition(request["taskDefinition"])
        if definition is None:
            raise ApiError("ClientException", "Unable to describe task definition.")
        answer: dict[str, Any] = {"taskDefinition": definition}
        if "TAGS" in request.get("include", []):
            answer["tags"] = self.store.tags_of(definition["taskDefinitionArn"])
        return answer

    def deregister_task_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        """INACTIVE: running tasks and services keep it, nothing new may use it."""
        if ":" not in request["taskDefinition"].rpartition("/")[2]:
            raise refuse("Invalid revision number. Number: null")
        definition = self.store.find_definition(request["taskDefinition"])
        if definition is None:
            raise ApiError("ClientException", "Unable to describe task definition.")
        if definition["status"] == "ACTIVE":
            definition.update(status="INACTIVE", deregisteredAt=self.lab.now())
        return {"taskDefinition": definition}

    def delete_task_definitions(self, request: dict[str, Any]) -> dict[str, Any]:
        """INACTIVE to DELETE_IN_PROGRESS, in which a definition stays as long as a service or a task is made of it; then it is gone."""
        names: list[str] = request["taskDefinitions"]
        answer: dict[str, list[dict[str, Any]]] = {"taskDefinitions": [], "failures": []}
        if not 1 <= len(names) <= MOST_DELETED:
            raise ApiError("InvalidParameterException", f"Task definitions must be between 1 and {MOST_DELETED}.")
        for name in names:
            if ":" not in name.rpartition("/")[2]:
                raise refuse("Invalid revision number. Number: null")
            definition = self.store.find_definition(name)
            if definition is None:
                raise ApiError("ClientException", "Unable to describe task definition.")
            if definition["status"] == "ACTIVE":
                why = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
                answer["failures"].append({"arn": definition["taskDefinitionArn"], "reason": why})
                continue
            definition.update(status="DELETE_IN_PROGRESS", deleteRequestedAt=self.lab.now())
            answer["taskDefinitions"].append(dict(definition))
        return answer

    def list_task_definitions(self, request: dict[str, Any]) -> dict[str, Any]:
        """ARNs by family and revision; ACTIVE ones unless `status` says otherwise."""
        status, family = request.get("status", "ACTIVE"), request.get("familyPrefix")
        arns = [
            each["taskDefinitionArn"]
            for name in sorted(self.store.definitions)
            for each in self.store.definitions[name]
            if each["status"] == status and family in (None, name)
        ]
        return page(arns[::-1] if request.get("sort") == "DESC" else arns, request, 100, "taskDefinitionArns")

    def list_task_definition_families(self, request: dict[str, Any]) -> dict[str, Any]:
        """Families whose name starts with familyPrefix; `status` ACTIVE: with an ACTIVE revision, INACTIVE: without one."""
        status = request.get("status", "ALL")

        def shown(revisions: list[dict[str, Any]]) -> bool:
            active = any(each["status"] == "ACTIVE" for each in revisions)
            return bool(status == "ALL" or active == (status == "ACTIVE"))

        prefix = request.get("familyPrefix", "")
        families = [
            name for name, revisions in self.store.definitions.items() if name.startswith(prefix) and shown(revisions)
        ]
        return page(sorted(families), request, 100, "families")


def _filled(container: dict[str, Any]) -> dict[str, Any]:
    """A container definition with the defaults that AWS shows."""
    ports = [
        {"protocol": "tcp", "hostPort": each["containerPort"], **each} for each in container.get("portMappings", [])
    ]
    return {"cpu": 0, "essential": True, **{name: [] for name in LIST_DEFAULTS}, **container, "portMappings": ports}


def _check(request: dict[str, Any], region: str) -> None:
    if len(request["containerDefinitions"]) != 1:
        raise ApiError("ClientException", "The lab runs tasks of exactly one container.")
    container = request["containerDefinitions"][0]
    for name in ("name", "image"):
        if not container.get(name):
            raise ApiError("ClientException", f"Container.{name} should not be null or empty.")
    refused = [name for name in NOT_IN_THE_LAB if container.get(name)]
    if refused:
        raise ApiError("ClientException", f"The lab does not have containers with {', '.join(refused)}.")
    if not container.get("essential", True):
        raise ApiError(
            "ClientException", "Invalid setting for container. At least one container in a task must be essential."
        )
    _check_logging(container.get("logConfiguration"), region)
    if not request.get("executionRoleArn"):
        _check_roleless(container)
    if request.get("networkMode") != "awsvpc":
        raise ApiError("ClientException", "Networking mode must be awsvpc: the lab runs tasks as Fargate does.")
    for name in ("cpu", "memory"):
        if not request.get(name):
            raise ApiError("ClientException", f"Fargate requires that '{name}' be defined at the task level.")


def _check_roleless(container: dict[str, Any]) -> None:
    """What Fargate does on behalf of a task, and cannot without its execution role."""
    if container.get("secrets"):
        message = "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        raise ApiError("ClientException", message)
    needs = {"ECR images": ".dkr.ecr." in container["image"], "log driver awslogs": "logConfiguration" in container}
    for name, needed in needs.items():
        if needed:
            message = f"Fargate requires task definition to have execution role ARN to support {name}."
            raise ApiError("ClientException", message)


def _check_logging(configuration: dict[str, Any] | None, region: str) -> None:
    if configuration is None:
        return
    if configuration["logDriver"] != "awslogs":
        raise ApiError("ClientException", f"The lab has no log driver {configuration['logDriver']}, only awslogs.")
    options = configuration.get("options", {})
    missing = {"awslogs-group", "awslogs-region", "awslogs-stream-prefix"} - options.keys()
    if missing:
        raise ApiError("ClientException", f"Log driver awslogs requires options: {', '.join(sorted(missing))}")
    if options["awslogs-region"] != region:
        raise ApiError("ClientException", f"The lab has logs in {region} only, not in {options['awslogs-region']}.")
