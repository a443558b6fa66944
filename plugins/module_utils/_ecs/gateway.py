# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only room that calls ECS."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.state import (
    Service,
    ServiceDeployment,
    TaskDefinition,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, UnexpectedAnswer

SERVICES_A_CALL = 10  # DescribeServices
DEPLOYMENTS_A_CALL = 20  # DescribeServiceDeployments, DescribeServiceRevisions
EVIDENCE_EVENTS, EVIDENCE_TASKS = 5, 3


class EcsGateway:
    """Reads and changes the services of one cluster."""

    def __init__(self, client, cluster):
        self._ecs = client
        self.cluster = cluster
        self._task_definition_of = {}  # service revision → task definition; revisions never change

    def services(self, names):
        """The services by name, in the order of ``names``.

        :raises BadInput: the cluster or a service does not exist.
        """
        found = {}
        for chunk in _chunks(names, SERVICES_A_CALL):
            try:
                answer = self._ecs.describe_services(cluster=self.cluster, services=chunk)
            except is_boto3_error_code("ClusterNotFoundException"):
                raise BadInput(
                    "cluster",
                    self.cluster,
                    "there is no such ECS cluster in %s" % self._ecs.meta.region_name,
                    self._clusters(),
                ) from None
            found.update((service["serviceName"], Service.from_boto(service)) for service in answer["services"])
        for name in names:
            if name not in found:
                raise BadInput("services", name, "cluster %s has no such service" % self.cluster, self._services())
        return [found[name] for name in names]

    def _clusters(self):
        return _there_are("clusters", self._ecs.list_clusters()["clusterArns"])

    def _services(self):
        return _there_are("services", self._ecs.list_services(cluster=self.cluster)["serviceArns"])

    def task_definition(self, name):
        """A task definition by ``family:revision`` or ARN.

        :raises BadInput: there is none of that name.
        """
        try:
            return TaskDefinition.from_boto(self._ecs.describe_task_definition(taskDefinition=name)["taskDefinition"])
        except is_boto3_error_code("ClientException"):  # "Unable to describe task definition."
            raise BadInput(
                "task_definition", name, "there is no such task definition in %s" % self._ecs.meta.region_name
            ) from None

    def history(self, service):
        """The ServiceDeployments of a service, newest first."""
        arns, token = [], {}
        while True:  # botocore has no paginator for this operation
            page = self._ecs.list_service_deployments(cluster=self.cluster, service=service, **token)
            arns += [item["serviceDeploymentArn"] for item in page["serviceDeployments"]]
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
        return sorted(self.deployments(arns), key=lambda item: item.created_at, reverse=True)

    def deployments(self, arns):
        """ServiceDeployments by ARN, with the task definitions that their service revisions hold."""
        answers = [
            item
            for chunk in _chunks(arns, DEPLOYMENTS_A_CALL)
            for item in self._ecs.describe_service_deployments(serviceDeploymentArns=chunk)["serviceDeployments"]
        ]
        wanted = {_target_revision(item) for item in answers} | {_rollback_revision(item) for item in answers}
        revisions = self._revisions(sorted(wanted - {None}))
        return [
            ServiceDeployment(
                arn=item["serviceDeploymentArn"],
                status=item["status"],
                reason=item.get("statusReason", ""),
                created_at=item["createdAt"],
                task_definition=revisions[_target_revision(item)],
                brought_back=revisions.get(_rollback_revision(item)),
            )
            for item in answers
        ]

    def _revisions(self, arns):
        known = self._task_definition_of
        for chunk in _chunks([arn for arn in arns if arn not in known], DEPLOYMENTS_A_CALL):
            answer = self._ecs.describe_service_revisions(serviceRevisionArns=chunk)
            known.update((item["serviceRevisionArn"], item["taskDefinition"]) for item in answer["serviceRevisions"])
        missing = [arn for arn in arns if arn not in known]
        if missing:
            raise UnexpectedAnswer("DescribeServiceRevisions", "it left out %s" % ", ".join(missing))
        return known

    def deploy(self, service, task_definition, force):
        """Start a deployment. ``desiredCount`` is left out on purpose: sending it overwrites what autoscaling has set."""
        self._ecs.update_service(
            cluster=self.cluster, service=service, taskDefinition=task_definition, forceNewDeployment=force
        )

    def evidence(self, service, task_definition, since):
        """Lines that show how the deployment of ``task_definition`` went: events since then, why its tasks stopped."""
        lines = ["event: %s" % message for at, message in self.services([service])[0].events if at >= since][
            :EVIDENCE_EVENTS
        ]
        arns = self._ecs.list_tasks(cluster=self.cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
        tasks = self._ecs.describe_tasks(cluster=self.cluster, tasks=arns[:100])["tasks"] if arns else []
        ours = [task for task in tasks if task["taskDefinitionArn"] == task_definition and _tells(task, since)]
        return lines + [_told(task) for task in ours[:EVIDENCE_TASKS]]


def _target_revision(deployment):
    return deployment["targetServiceRevision"]["arn"]


def _rollback_revision(deployment):
    return deployment.get("rollback", {}).get("serviceRevisionArn")


def _tells(task, since):
    """Whether a stopped task shows why the deployment fails: it stopped since then, and not because the service was scaled."""
    stopped, reason = task.get("stoppedAt"), task.get("stoppedReason", "")
    return stopped is not None and stopped >= since and not reason.startswith("Scaling activity initiated")


def _told(task):
    exits = [
        "%s exited with %s" % (item["name"], item["exitCode"]) for item in task["containers"] if "exitCode" in item
    ]
    reason = task.get("stoppedReason", "no reason given")
    return "task %s: %s" % (task["taskArn"].rpartition("/")[2], "; ".join([reason, *exits]))


def _there_are(what, arns):
    names = ", ".join(sorted(arn.rpartition("/")[2] for arn in arns)[:10])
    return "The %s there are: %s." % (what, names) if names else "There are no %s at all." % what


def _chunks(items, size):
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
