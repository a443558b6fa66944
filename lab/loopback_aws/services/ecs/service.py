# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: clusters, services, tasks that are processes, a scheduler that deploys, and the history of what it did.

Where to look: what the scheduler decides: decide.py; how it gets there: scheduler.py; what becomes of a
deployment: rollout.py; a task as a process: agent.py; its target groups: targets.py; the API:
definitions.py, services.py, tasks.py, history.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...wire import ApiError, Service
from . import describe
from .agent import Agent
from .definitions import TaskDefinitionOperations
from .history import HistoryOperations
from .scheduler import Scheduler
from .services import ServiceOperations
from .state import Cluster
from .store import Store, page, refuse
from .tasks import TaskOperations

if TYPE_CHECKING:
    from ...lab import Lab

MOST_DESCRIBED = 100  # a DescribeClusters call


class Ecs(Service):
    """Amazon ECS of one lab. Here: clusters and tags."""

    model = "ecs"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.store = Store(lab)
        self.agent = Agent(lab, self.store)
        self.scheduler = Scheduler(lab, self.store, self.agent)
        shared = (lab, self.store, self.agent, self.scheduler)
        self.services, self.history = ServiceOperations(*shared), HistoryOperations(*shared)
        self.parts = (TaskDefinitionOperations(*shared), self.services, self.history, TaskOperations(*shared))

    def create_cluster(self, request: dict[str, Any]) -> dict[str, Any]:
        """A cluster; one that is there already is answered as it is."""
        name = request.get("clusterName", "default")
        if name not in self.store.clusters:
            settings = request.get("settings", [{"name": "containerInsights", "value": "disabled"}])
            self.store.clusters[name] = Cluster(name, self.lab.arn("ecs", f"cluster/{name}"), settings)
            self.store.tag(self.store.clusters[name].arn, request.get("tags", []))
        return {"cluster": self._describe_cluster(self.store.clusters[name], ["TAGS"])}

    def describe_clusters(self, request: dict[str, Any]) -> dict[str, Any]:
        """Clusters by name or ARN; those that are not there are in failures[]."""
        names = request.get("clusters", ["default"])
        if len(names) > MOST_DESCRIBED:
            raise refuse(f"Clusters cannot be more than {MOST_DESCRIBED}.")
        answer: dict[str, list[dict[str, Any]]] = {"clusters": [], "failures": []}
        for name in names:
            try:
                cluster = self.store.cluster(name)
            except ApiError:
                arn = name if name.startswith("arn:") else self.lab.arn("ecs", f"cluster/{name}")
                answer["failures"].append({"arn": arn, "reason": "MISSING"})
                continue
            answer["clusters"].append(self._describe_cluster(cluster, request.get("include", [])))
        return answer

    def _describe_cluster(self, cluster: Cluster, include: list[str]) -> dict[str, Any]:
        services = [each for each in self.store.services.values() if each.cluster is cluster]
        tasks = [each for each in self.store.tasks.values() if each.cluster is cluster]
        shown = describe.cluster(cluster, services, tasks)
        if "TAGS" in include:
            shown["tags"] = self.store.tags_of(cluster.arn)
        return shown

    def list_clusters(self, request: dict[str, Any]) -> dict[str, Any]:
        """ARNs of all clusters."""
        return page([cluster.arn for cluster in self.store.clusters.values()], request, 100, "clusterArns")

    def tag_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Set tags of a cluster, service, task definition or task."""
        self.store.tag(self._taggable(request), request["tags"])
        return {}

    def untag_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Remove tags by key."""
        arn = self._taggable(request)
        for key in request["tagKeys"]:
            self.store.tags.get(arn, {}).pop(key, None)
        return {}

    def list_tags_for_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tags of a cluster, service, task definition or task."""
        return {"tags": self.store.tags_of(self._taggable(request))}

    def _taggable(self, request: dict[str, Any]) -> str:
        arn: str = request["resourceArn"]
        known = (
            arn in self.store.services
            or arn in self.store.tasks
            or any(cluster.arn == arn for cluster in self.store.clusters.values())
            or (":task-definition/" in arn and self.store.find_definition(arn) is not None)
        )
        if not arn.startswith("arn:aws:ecs:"):
            raise refuse("Invalid ARN.")
        if not known:
            raise ApiError("ResourceNotFoundException", "The specified resource was not found.")
        return arn
