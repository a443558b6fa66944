# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: the records in AWS's words, as DescribeServices, DescribeTasks and the others answer."""

from __future__ import annotations

from typing import Any

from . import hooks
from .decide import breaker_threshold
from .state import STARTING, Cluster, Deployment, EcsService, Revision, ServiceDeployment, Task

SHOWN_BY_SERVICE = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "deploymentController",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformFamily",
    "platformVersion",
    "propagateTags",
    "schedulingStrategy",
    "serviceRegistries",
)
SHOWN_BY_DEPLOYMENT = (
    "capacityProviderStrategy",
    "launchType",
    "networkConfiguration",
    "platformFamily",
    "platformVersion",
)
SHOWN_BY_REVISION = (*SHOWN_BY_DEPLOYMENT, "loadBalancers", "serviceRegistries")


def _pick(settings: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: settings[name] for name in names if name in settings}


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def cluster(record: Cluster, services: list[EcsService], tasks: list[Task]) -> dict[str, Any]:
    """botocore's Cluster."""
    return {
        "clusterArn": record.arn,
        "clusterName": record.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": sum(task.last_status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(task.last_status in STARTING for task in tasks),
        "activeServicesCount": sum(service.status == "ACTIVE" for service in services),
        "statistics": [],
        "settings": record.settings,
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [],
    }


def service(record: EcsService) -> dict[str, Any]:
    """botocore's Service. Under CODE_DEPLOY and EXTERNAL what runs is told by taskSets, and deployments[] is empty."""
    rolling = record.controller == "ECS"
    shown = {
        "serviceArn": record.arn,
        "serviceName": record.name,
        "clusterArn": record.cluster.arn,
        "status": record.status,
        "desiredCount": record.desired,
        "runningCount": sum(task.last_status == "RUNNING" for task in record.tasks),
        "pendingCount": sum(task.last_status in STARTING for task in record.tasks),
        "createdAt": record.created_at,
        "events": list(record.events),
        "deployments": [deployment(record, each) for each in record.deployments] if rolling else [],
        "roleArn": "arn:aws:iam::%s:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        % record.arn.split(":")[4],
        **_pick(record.settings, SHOWN_BY_SERVICE),
    }
    if record.deployments:
        shown["taskDefinition"] = record.primary.revision.definition["taskDefinitionArn"]
    if not rolling:
        shown["taskSets"] = [_task_set(record, each) for each in record.deployments]
    if rolling and record.history:
        shown["currentServiceDeployment"] = record.history[0].arn
        shown["currentServiceRevisions"] = [_summary(record, each.revision) for each in record.deployments]
    return shown


def deployment(record: EcsService, each: Deployment) -> dict[str, Any]:
    """botocore's Deployment."""
    tasks = record.tasks_of(each)
    return {
        "id": each.id,
        "status": each.status,
        "taskDefinition": each.revision.definition["taskDefinitionArn"],
        "desiredCount": _requested(record, each),
        "pendingCount": sum(task.last_status in STARTING for task in tasks),
        "runningCount": sum(task.last_status == "RUNNING" for task in tasks),
        "failedTasks": each.failed_tasks,
        "createdAt": each.created_at,
        "updatedAt": each.updated_at,
        **_rollout_state(record, each),
        **_pick(each.revision.settings, SHOWN_BY_DEPLOYMENT),
    }


def _rollout_state(record: EcsService, each: Deployment) -> dict[str, Any]:
    """Only rolling deployments have one (botocore Deployment.rolloutState)."""
    if record.settings["deploymentConfiguration"].get("strategy", "ROLLING") != "ROLLING":
        return {}
    return {"rolloutState": each.rollout_state, "rolloutStateReason": each.rollout_reason}


def _requested(record: EcsService, each: Deployment) -> int:
    if each.status == "PRIMARY":
        return record.desired
    return 0 if each.rollout_state == "FAILED" else record.counts(each).all


def _task_set(record: EcsService, each: Deployment) -> dict[str, Any]:
    tasks = record.tasks_of(each)
    return {
        "id": each.id,
        "taskSetArn": record.arn.replace(":service/", ":task-set/") + "/" + each.id,
        "serviceArn": record.arn,
        "clusterArn": record.cluster.arn,
        "startedBy": "CODE_DEPLOY",
        "status": "PRIMARY",
        "taskDefinition": each.revision.definition["taskDefinitionArn"],
        "computedDesiredCount": record.desired,
        "pendingCount": sum(task.last_status in STARTING for task in tasks),
        "runningCount": sum(task.last_status == "RUNNING" for task in tasks),
        "createdAt": each.created_at,
        "updatedAt": each.updated_at,
        "scale": {"value": 100.0, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if record.steady else "STABILIZING",
        "stabilityStatusAt": each.updated_at,
        **_pick(each.revision.settings, ("launchType", "platformVersion", "networkConfiguration", "loadBalancers")),
    }


def revision_counts(record: EcsService, revision: Revision) -> dict[str, Any]:
    """How many tasks of a revision are asked for, run and are on their way."""
    mine = [each for each in record.deployments if each.revision is revision]
    tasks = [task for each in mine for task in record.tasks_of(each)]
    return {
        "requestedTaskCount": sum(_requested(record, each) for each in mine),
        "runningTaskCount": sum(task.last_status == "RUNNING" for task in tasks),
        "pendingTaskCount": sum(task.last_status in STARTING for task in tasks),
    }


def _summary(record: EcsService, revision: Revision) -> dict[str, Any]:
    return {"arn": revision.arn, **revision_counts(record, revision)}


def service_deployment_brief(record: EcsService, each: ServiceDeployment) -> dict[str, Any]:
    """botocore's ServiceDeploymentBrief."""
    return {
        "serviceDeploymentArn": each.arn,
        "serviceArn": record.arn,
        "clusterArn": record.cluster.arn,
        "createdAt": each.created_at,
        "targetServiceRevisionArn": each.target.arn,
        "status": each.status,
        **_present(startedAt=each.started_at, finishedAt=each.finished_at, statusReason=each.reason),
    }


def service_deployment(record: EcsService, each: ServiceDeployment) -> dict[str, Any]:
    """botocore's ServiceDeployment. The counts of one that has ended are those of its end."""

    def counted(revision: Revision) -> dict[str, Any]:
        counts = each.final_counts[revision.arn] if each.finished else revision_counts(record, revision)
        return {"arn": revision.arn, **counts}

    brief = service_deployment_brief(record, each)
    del brief["targetServiceRevisionArn"]
    return {
        **brief,
        "updatedAt": each.updated_at,
        "sourceServiceRevisions": [counted(revision) for revision in each.sources],
        "targetServiceRevision": counted(each.target),
        "deploymentConfiguration": each.configuration,
        "deploymentCircuitBreaker": _breaker(record, each),
        "alarms": hooks.shape_of_alarms(each),
        **_present(stoppedAt=each.stopped_at, rollback=each.rollback, lifecycleStage=each.stage),
        **({"lifecycleHookDetails": [hook.shape() for hook in each.hooks]} if each.hooks else {}),
    }


def _breaker(record: EcsService, each: ServiceDeployment) -> dict[str, Any]:
    configuration = each.configuration.get("deploymentCircuitBreaker", {"enable": False})
    if not configuration["enable"]:
        return {"status": "DISABLED", "failureCount": 0, "threshold": 0}
    status = "TRIGGERED" if each.breaker_triggered else "MONITORING_COMPLETE" if each.finished else "MONITORING"
    return {
        "status": status,
        "failureCount": each.failure_count,
        "threshold": breaker_threshold(record.desired, configuration),
    }


def service_revision(record: Revision) -> dict[str, Any]:
    """botocore's ServiceRevision. It holds neither desiredCount nor deploymentConfiguration nor values of secrets."""
    images = [
        {
            "containerName": each["name"],
            "image": each["image"],
            **_present(imageDigest=record.digests.get(each["name"])),
        }
        for each in record.definition["containerDefinitions"]
    ]
    return {
        "serviceRevisionArn": record.arn,
        "serviceArn": record.service_arn,
        "clusterArn": record.cluster_arn,
        "taskDefinition": record.definition["taskDefinitionArn"],
        "containerImages": images,
        "guardDutyEnabled": False,
        "createdAt": record.created_at,
        **_present(resolvedConfiguration=_resolved(record)),
        **_pick(record.settings, SHOWN_BY_REVISION),
    }


def _resolved(record: Revision) -> dict[str, Any]:
    """Which of the two target groups a revision behind a shifting load balancer has got."""
    balancers = [
        {
            "targetGroupArn": each["targetGroupArn"],
            "productionListenerRule": each["advancedConfiguration"]["productionListenerRule"],
        }
        for each in record.load_balancers
        if "advancedConfiguration" in each
    ]
    return {"loadBalancers": balancers} if balancers else {}


def task(record: Task) -> dict[str, Any]:
    """botocore's Task, as Fargate with awsvpc shows it."""
    return {
        "taskArn": record.arn,
        "clusterArn": record.cluster.arn,
        "taskDefinitionArn": record.definition["taskDefinitionArn"],
        "group": record.group,
        "lastStatus": record.last_status,
        "desiredStatus": record.desired_status,
        "healthStatus": "UNKNOWN",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": record.settings["availabilityZone"],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "connectivity": "CONNECTED",
        "connectivityAt": record.times["createdAt"],
        "enableExecuteCommand": record.settings.get("enableExecuteCommand", False),
        "attachments": [_attachment(record)],
        "containers": [_container(record)],
        "overrides": {
            "containerOverrides": [{"name": record.container["name"]}],
            **record.settings.get("overrides", {}),
        },
        "version": len(record.times),
        **_pick(record.definition, ("cpu", "memory")),
        **record.times,
        **_present(startedBy=record.started_by, stopCode=record.stop_code, stoppedReason=record.stopped_reason),
    }


def _attachment(record: Task) -> dict[str, Any]:
    details = [{"name": "subnetId", "value": record.settings["subnet"]}]
    status = "PRECREATED"
    if record.last_status != "PROVISIONING":
        status = "DELETED" if record.last_status == "STOPPED" else "ATTACHED"
        details += [
            {"name": "networkInterfaceId", "value": "eni-0" + record.id[:16]},
            {
                "name": "macAddress",
                "value": "06:" + ":".join(record.id[index : index + 2] for index in range(0, 10, 2)),
            },
            {"name": "privateIPv4Address", "value": record.address},
        ]
    return {"id": record.attachment_id, "type": "ElasticNetworkInterface", "status": status, "details": details}


def _container(record: Task) -> dict[str, Any]:
    definition = record.container
    last_status = {
        "PROVISIONING": "PENDING",
        "ACTIVATING": "RUNNING",
        "DEACTIVATING": "RUNNING",
        "STOPPING": "RUNNING",
    }.get(record.last_status, record.last_status)
    if record.last_status == "DEPROVISIONING":
        last_status = "STOPPED"
    interfaces = [{"attachmentId": record.attachment_id, "privateIpv4Address": record.address}]
    return {
        "containerArn": record.arn.replace(":task/", ":container/") + "/" + record.attachment_id,
        "taskArn": record.arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": last_status,
        "networkBindings": [],
        "networkInterfaces": [] if record.last_status == "PROVISIONING" else interfaces,
        "healthStatus": "UNKNOWN",
        "cpu": str(definition["cpu"]),
        **_present(
            imageDigest=record.digest,
            exitCode=record.exit_code,
            reason=record.container_reason,
            runtimeId=f"{record.id}-{int(record.attachment_id[:8], 16)}" if record.digest else "",
        ),
    }
