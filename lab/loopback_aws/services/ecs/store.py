# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: where the records are found, with AWS's error for each that is not."""

from __future__ import annotations

import random
import string
import uuid
from typing import TYPE_CHECKING, Any

from ... import paging
from ...wire import ApiError
from .state import Cluster, EcsService, Task

if TYPE_CHECKING:
    from ...lab import Lab

GONE = "GONE"  # a task definition that was deleted; no answer has this status


class Store:
    """Clusters, task definitions, services, tasks and tags of one lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.clusters: dict[str, Cluster] = {}  # by name
        self.definitions: dict[str, list[dict[str, Any]]] = {}  # family → revisions, oldest first
        self.services: dict[str, EcsService] = {}  # by ARN
        self.tasks: dict[str, Task] = {}  # by ARN
        self.tags: dict[str, dict[str, str]] = {}  # ARN → key → value

    def cluster(self, name_or_arn: str | None) -> Cluster:
        """:raises ApiError: ClusterNotFoundException."""
        name = (name_or_arn or "default").rpartition(":cluster/")[2]
        if name not in self.clusters or (":" in (name_or_arn or "") and self.clusters[name].arn != name_or_arn):
            raise ApiError("ClusterNotFoundException", "Cluster not found.")
        return self.clusters[name]

    def find_service(self, cluster: Cluster, name_or_arn: str) -> EcsService | None:
        """A service by name, by its ARN, or by the short ARN of before 2018."""
        name = name_or_arn.rpartition("/")[2]
        arn = self.lab.arn("ecs", f"service/{cluster.name}/{name}")
        if name_or_arn in (name, arn, self.lab.arn("ecs", f"service/{name}")):
            return self.services.get(arn)
        return None

    def service(self, cluster: Cluster, name_or_arn: str, *, active: bool = False) -> EcsService:
        """:raises ApiError: ServiceNotFoundException, and with `active` ServiceNotActiveException."""
        service = self.find_service(cluster, name_or_arn)
        if service is None:
            raise ApiError("ServiceNotFoundException", "Service not found.")
        if active and service.status != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def find_definition(self, identifier: str) -> dict[str, Any] | None:
        """A task definition by ARN, `family:revision`, or family: then its newest ACTIVE revision."""
        prefix = self.lab.arn("ecs", "task-definition/")
        family, _, number = identifier.removeprefix(prefix).partition(":")
        revisions = self.definitions.get(family, [])
        if number:
            found = next((each for each in revisions if str(each["revision"]) == number), None)
            return None if found is None or self._gone(found) else found
        return next((each for each in reversed(revisions) if each["status"] == "ACTIVE"), None)

    def _gone(self, definition: dict[str, Any]) -> bool:
        """Whether a deleted definition has gone. Its number stays taken."""
        if definition["status"] == "DELETE_IN_PROGRESS" and not self._used(definition):
            definition["status"] = GONE
        return bool(definition["status"] == GONE)

    def _used(self, definition: dict[str, Any]) -> bool:
        deployed = (each.revision.definition for service in self.services.values() for each in service.deployments)
        running = (task.definition for task in self.tasks.values() if task.last_status != "STOPPED")
        return any(each is definition for each in (*deployed, *running))

    def usable_definition(self, identifier: str) -> dict[str, Any]:
        """A task definition that something new may run.

        :raises ApiError: ClientException when it is unknown or INACTIVE.
        """
        definition = self.find_definition(identifier)
        if definition is None:
            raise ApiError("ClientException", "TaskDefinition not found.")
        if definition["status"] != "ACTIVE":
            raise ApiError("ClientException", "TaskDefinition is inactive")
        return definition

    def find_task(self, cluster: Cluster, id_or_arn: str) -> Task | None:
        """A task by id or ARN, in its cluster."""
        task = self.tasks.get(id_or_arn) or self.tasks.get(self.lab.arn("ecs", f"task/{cluster.name}/{id_or_arn}"))
        return task if task is not None and task.cluster is cluster else None

    def tag(self, arn: str, tags: list[dict[str, Any]]) -> None:
        """Set tags in botocore's form; keys that are there already get the new value."""
        self.tags.setdefault(arn, {}).update({tag["key"]: tag.get("value", "") for tag in tags})

    def tags_of(self, arn: str) -> list[dict[str, Any]]:
        """Tags in botocore's form."""
        return [{"key": key, "value": value} for key, value in self.tags.get(arn, {}).items()]


def refuse(message: str) -> ApiError:
    """InvalidParameterException, ECS's answer to most of what is wrong with a request."""
    return ApiError("InvalidParameterException", message)


def number() -> str:
    """19 digits, as in ecs-svc/1234567890123456789 and in service revisions."""
    return str(random.randrange(10**18, 10**19))


def hexadecimal() -> str:
    """32 hexadecimal digits, as in the id of a task."""
    return uuid.uuid4().hex


def word() -> str:
    """21 characters, as in the id of a service deployment."""
    return "".join(random.choices(string.ascii_letters + string.digits + "-_", k=21))


def page(items: list[Any], request: dict[str, Any], default: int, key: str) -> dict[str, Any]:
    """One page of `items` under `key`, with the nextToken that goes on.

    :raises ApiError: InvalidParameterException for a maxResults outside 1 to 100, or a token that is not ours.
    """
    size = request.get("maxResults", default)
    if not 1 <= size <= 100:
        raise refuse("maxResults must be between 1 and 100.")
    try:
        found, token = paging.page(items, request.get("nextToken"), size)
    except paging.BadToken as error:
        raise refuse("Invalid token.") from error
    return {key: found, **({"nextToken": token} if token else {})}
