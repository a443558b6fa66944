# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a deployment of ours has succeeded, when it has failed, and when it is still on its way. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ENDED_BY_ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import (
    failed_tasks_that_prove_it,
    short,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import (
        Pause,
        Service,
        ServiceDeployment,
        ServiceTask,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition

WATCH = 5.0  # seconds; a program that cannot work mostly ends within a few


def deployment_status(service: Service, deployment: ServiceDeployment | None, target: str) -> Ready | Pending | Failed:
    """How far OUR deployment is. A steady service proves nothing: it is steady after a breaker rollback, too.

    :param service: Service, observed now.
    :param deployment: our ServiceDeployment, or None while AWS does not list it yet.
    :param target: ARN of the task definition that we asked for.
    """
    if deployment is None:
        return Pending(0, service.desired, "%s: the deployment of %s is not listed yet" % (service.name, short(target)))
    if deployment.status in ENDED_BY_ROLLBACK:
        return Failed(
            "ECS gave up %s on %s and rolled back (%s: %s)%s"
            % (short(target), service.name, deployment.status, deployment.reason, _alarms(service, deployment))
        )
    if deployment.status == "STOPPED" and (deployment.alarms or deployment.breaker):
        return Failed(
            "ECS gave up %s on %s and starts no more tasks of it (%s: %s)%s"
            % (short(target), service.name, deployment.status, deployment.reason, _alarms(service, deployment))
        )
    if deployment.status in ("STOPPED", "STOP_REQUESTED"):
        return Failed(
            "the deployment of %s to %s was stopped by somebody else (%s)"
            % (short(target), service.name, deployment.reason)
        )
    if deployment.status != "SUCCESSFUL":
        return _on_its_way(service, deployment, target)
    if deployment.task_definition != target:
        now = short(deployment.task_definition)
        return Failed(
            "%s now deploys %s, not %s: somebody else deployed at the same time" % (service.name, now, short(target))
        )
    return _proven(service, deployment, target)


def judge_rollback(service: Service, deployment: ServiceDeployment, target: str) -> Ready | Pending | Failed:
    """How far the rollback is of a deployment that we stopped; here, ROLLBACK_SUCCESSFUL is what we want.

    :param deployment: the ServiceDeployment that we stopped.
    """
    if deployment.status == "ROLLBACK_SUCCESSFUL":
        if deployment.brought_back != target:
            return Failed(
                "ECS rolled %s back to %s, not to %s"
                % (service.name, short(deployment.brought_back or "nothing"), short(target))
            )
        return _proven(service, deployment, target)
    if deployment.status in ("ROLLBACK_FAILED", "STOPPED"):
        return Failed(
            "ECS could not roll %s back to %s (%s: %s)"
            % (service.name, short(target), deployment.status, deployment.reason)
        )
    if deployment.status == "SUCCESSFUL":
        return Failed(
            "the deployment of %s ended before it could be stopped; run again, and it is replaced" % service.name
        )
    return _on_its_way(service, deployment, target)


def asked_about_health(service: Service, definition: TaskDefinition) -> bool:
    """Whether ECS asks the tasks if they are well, by a load balancer or a container health check, before it calls them a success."""
    return service.load_balanced or any(container.has_health_check for container in definition.containers)


def watched(
    service: Service, target: str, answer: Ready | Pending | Failed, seconds: float, dead: int
) -> Ready | Pending | Failed:
    """The answer for tasks that nobody asks: they count once they have run for a while, and have failed when they keep dying.

    ECS counts no failure of such a task once it was RUNNING (failedTasks, and its circuit breaker, know none).

    :param answer: what ``judge`` says.
    :param seconds: how long all tasks are there.
    :param dead: how many tasks of the target ended by themselves since the deployment began.
    """
    if isinstance(answer, Ready) and seconds < WATCH:
        told = "%s; without a load balancer or a health check they are watched for %d s" % (answer.detail, WATCH)
        return Pending(service.desired, service.desired, told)
    if isinstance(answer, Pending) and dead >= failed_tasks_that_prove_it(service.desired):
        return Failed("%d tasks of %s on %s ended soon after their start" % (dead, short(target), service.name))
    return answer


def _proven(service: Service, deployment: ServiceDeployment, target: str) -> Ready | Pending | Failed:
    primary = service.primary
    if primary is None or primary.task_definition != target:
        return Failed(
            "%s succeeded, but %s was deployed to %s since"
            % (short(target), short(service.task_definition), service.name)
        )
    whole = service.settled and primary.running == service.desired and primary.running > 0
    if (
        not whole or primary.failed_tasks
    ):  # a task that dies right after its start fails after ECS has called it a success
        return _on_its_way(service, deployment, target)
    return Ready("%s: %d of %d tasks run %s" % (service.name, primary.running, service.desired, short(target)))


def _on_its_way(service: Service, deployment: ServiceDeployment, target: str) -> Failed | Pending:
    ours = [item for item in service.deployments if item.task_definition == target]
    running, failed = sum(item.running for item in ours), sum(item.failed_tasks for item in ours)
    if failed >= failed_tasks_that_prove_it(service.desired):
        return Failed(
            "%d tasks of %s on %s failed in a row, so it will not come up" % (failed, short(target), service.name)
        )
    told = "%s: %d of %d tasks run %s, %d failed" % (service.name, running, service.desired, short(target), failed)
    if deployment.stage:
        told += ", " + deployment.stage
    if deployment.pause:
        told += ", %s" % _paused(deployment.arn, deployment.pause)
    return Pending(running, service.desired, told)


def _paused(arn: str, pause: Pause) -> str:
    """Where and until when it waits for a person, and the command that lets it go on."""
    after = "goes on by itself" if pause.action == "CONTINUE" else "is rolled back"
    until = " until %s, when it %s" % (pause.expires.strftime("%Y-%m-%d %H:%M UTC"), after) if pause.expires else ""
    command = "aws ecs continue-service-deployment --service-deployment-arn %s --hook-id %s --action CONTINUE"
    return "paused by a lifecycle hook%s; to let it go on now: %s" % (until, command % (arn, pause.hook_id))


def _alarms(service: Service, deployment: ServiceDeployment) -> str:
    """Which alarms have ended a deployment, and what can be done about that; empty where none has."""
    if not deployment.alarms:
        return ""
    # arn:…:service-deployment/CLUSTER/SERVICE/ID
    cluster, names = deployment.arn.split("/")[1], " ".join(deployment.alarms)
    off = "alarms={alarmNames=[%s],enable=false,rollback=false}" % ",".join(deployment.alarms)
    text = (
        "; of its deployment alarms, %s went into ALARM meanwhile. Look at it: aws cloudwatch describe-alarms --alarm-names %s. ECS ignores one that is "
        "in ALARM when a deployment begins, so running again may do; to have none watched: aws ecs update-service --cluster %s --service %s "
        "--deployment-configuration '%s'"
    )
    return text % (", ".join(deployment.alarms), names, cluster, service.name, off)


def all_of(answers: Collection[Ready | Pending | Failed]) -> Ready | Pending | Failed:
    """One answer for several services: it fails only when all are decided, so that one failure does not hide another."""
    waiting = [answer for answer in answers if isinstance(answer, Pending)]
    if waiting:
        return Pending(
            sum(a.done for a in waiting), sum(a.total for a in waiting), "; ".join(a.detail for a in waiting)
        )
    failed = [answer.reason for answer in answers if isinstance(answer, Failed)]
    ready = [answer.detail for answer in answers if isinstance(answer, Ready)]
    return Failed("; ".join(failed)) if failed else Ready("; ".join(ready))


def all_there(service: Service, target: str) -> bool:
    """Whether as many tasks of a target run as are wanted; whether they are well is another question."""
    primary = service.primary
    return primary is not None and primary.task_definition == target and primary.running >= service.desired > 0


def alone(
    deployed: Mapping[str, str], services: Mapping[str, Service], tasks: Mapping[str, Sequence[ServiceTask]]
) -> Ready | Pending | Failed:
    """Whether ECS is to run nothing but what was deployed. What is being stopped has read its secrets long ago, so it is not waited for.

    :param deployed: service → ARN of the task definition.
    :param services: service → Service.
    :param tasks: service → ServiceTasks that are to be RUNNING.
    """
    others = []
    for name, arn in sorted(deployed.items()):
        primary = services[name].primary
        if primary is None or primary.task_definition != arn:
            return Failed("somebody has deployed %s of %s meanwhile" % (short(services[name].task_definition), name))
        left = [task for task in tasks[name] if task.task_definition != arn]
        others += ["%s of %s" % (task.id, short(task.task_definition)) for task in left]
    if others:
        return Pending(0, 1, "still to run: %s" % ", ".join(others))
    return Ready("nothing else is to run")
