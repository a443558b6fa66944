# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: the service scheduler: every interval it compares what a service wants with what is there, and takes a step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import rollout, shift
from .agent import Agent
from .decide import breaker_threshold, next_step, restart_delay, wanted_percent
from .state import STARTING, Counts, Deployment, EcsService, Task
from .store import Store
from .targets import GONE

if TYPE_CHECKING:
    from ...lab import Lab

IMPAIRED_AFTER = 3  # tasks in a row that never reached RUNNING
IMPAIRED = (
    "is unable to consistently start tasks successfully. "
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)


class Scheduler:
    """Reconciles the services of one lab, under the lab's lock."""

    def __init__(self, lab: Lab, store: Store, agent: Agent) -> None:
        self.lab = lab
        self.store = store
        self.agent = agent
        self._awake = False

    def wake(self) -> None:
        """Begin to look after the services; a lab without a service needs no timer."""
        if not self._awake:
            self._awake = True
            self.lab.after(0, self._tick)

    def _tick(self) -> None:
        try:
            for service in self.store.services.values():
                if service.status != "INACTIVE":
                    self.reconcile(service)
        finally:
            self.lab.after(self.lab.durations.scheduler_interval, self._tick)

    def reconcile(self, service: EcsService) -> None:
        """One round for one service."""
        before = service.primary
        rollout.advance(self.lab, service)
        deployments = {deployment.id: deployment for deployment in service.deployments}
        ended = [task for task in service.tasks if not task.wanted and not task.accounted]
        for task in ended:
            self._account(service, deployments[task.started_by], task)
        died = [task for task in ended if task.was_running and task.stop_code == "EssentialContainerExited"]
        self._tell_groups(service, "deregistered", died)
        self._register(service)
        for task in service.tasks:
            if task.wanted and task.last_status == "RUNNING":
                self._observe(service, deployments[task.started_by], task)
        self._watch_breaker(service)
        rollout.watch_alarms(self.lab, service)
        self._step(service)
        service.tasks = [task for task in service.tasks if task.last_status != "STOPPED"]
        if service.primary is before:  # the middle of a rollback can be seen for a round at least
            self._settle(service)

    def _account(self, service: EcsService, deployment: Deployment, task: Task) -> None:
        """Draw the consequences of a task's end, once."""
        task.accounted = True
        if task.stop_code == "TaskFailedToStart":
            deployment.launch_failures += 1
            self._count_failure(deployment)
            rollout.complain(self.lab, service, f"was unable to place a task. Reason: {task.stopped_reason}.")
            if deployment.launch_failures >= IMPAIRED_AFTER:
                rollout.complain(self.lab, service, IMPAIRED)
        elif task.stop_code == "EssentialContainerExited":
            # A task that ends before its first health check has passed has failed; without health checks RUNNING is enough.
            if not task.was_healthy and task.revision and task.revision.load_balancers:
                self._count_failure(deployment)
            rollout.delay(deployment, self.lab.durations.task_restart_delay)

    def _count_failure(self, deployment: Deployment) -> None:
        deployment.failed_tasks += 1
        deployment.breaker_failures += 1
        rollout.delay(deployment, restart_delay(self.lab.durations.task_restart_delay, deployment.launch_failures))

    def _register(self, service: EcsService) -> None:
        ready = [task for task in service.tasks if task.wanted and task.last_status == "ACTIVATING"]
        for task in ready:
            self.agent.targets.register(task)
            self.agent.activate(task)
        self._tell_groups(service, "registered", ready)

    def _tell_groups(self, service: EcsService, verb: str, tasks: list[Task]) -> None:
        groups = [each["targetGroupArn"] for task in tasks if task.revision for each in task.revision.load_balancers]
        for group in dict.fromkeys(groups):
            rollout.tell(self.lab, service, f"{verb} {groups.count(group)} targets in (target-group {group})")

    def _observe(self, service: EcsService, deployment: Deployment, task: Task) -> None:
        """Ask the load balancers about a running task; who is unhealthy after the grace period is killed."""
        if not task.was_running:
            task.was_running = True
            deployment.launch_failures = 0
        task.healthy, before = True, task.healthy
        for balancer, health in self.agent.targets.health(task):
            task.healthy = task.healthy and health["State"] == "healthy"
            why = health.get("Description", "Health checks failed")
            if health["State"] == "unhealthy" and self._grace_is_over(service, task):
                self._kill(service, deployment, task, balancer, why)
                return
            if health.get("Reason") == GONE:
                group = f"(target-group {balancer['targetGroupArn']})"
                rollout.complain(self.lab, service, f"failed to describe target health on {group} with (error {why}).")
        if task.healthy and not before:
            task.was_healthy = True
            self._reset_failures(service, deployment)

    def _grace_is_over(self, service: EcsService, task: Task) -> bool:
        running = (self.lab.now() - task.times["startedAt"]).total_seconds()
        return bool(running > service.settings.get("healthCheckGracePeriodSeconds", 0))

    @staticmethod
    def _reset_failures(service: EcsService, deployment: Deployment) -> None:
        deployment.failed_tasks = 0
        breaker = service.settings["deploymentConfiguration"]["deploymentCircuitBreaker"]
        if breaker.get("resetOnHealthyTask", True):
            deployment.breaker_failures = 0

    def _kill(
        self, service: EcsService, deployment: Deployment, task: Task, balancer: dict[str, Any], why: str
    ) -> None:
        group = f"(target-group {balancer['targetGroupArn']})"
        port = balancer["containerPort"]
        rollout.tell(
            self.lab, service, f"(task {task.id}) (port {port}) is unhealthy in {group} due to (reason {why})."
        )
        self._stop(service, [task], f"Task failed ELB health checks in {group}")
        task.accounted = True
        self._count_failure(deployment)

    def _watch_breaker(self, service: EcsService) -> None:
        ongoing, primary = service.ongoing, service.primary
        if ongoing is None or primary.rollout_state != "IN_PROGRESS":
            return
        breaker = ongoing.configuration["deploymentCircuitBreaker"]
        if breaker["enable"] and primary.breaker_failures >= breaker_threshold(service.desired, breaker):
            rollout.trip_breaker(self.lab, service, may_roll_back=breaker["rollback"])

    def _step(self, service: EcsService) -> None:
        primary, *older = service.deployments
        configuration = service.settings["deploymentConfiguration"]
        step = next_step(
            service.desired if service.status == "ACTIVE" and service.controller != "EXTERNAL" else 0,
            configuration["minimumHealthyPercent"],
            200 if shift.takes_part(service.ongoing) else configuration["maximumPercent"],
            service.counts(primary),
            tuple(service.counts(each) for each in older),
            None if shift.takes_part(service.ongoing) else tuple(each.held for each in older),
            frozen=primary.rollout_state == "FAILED",
        )
        leaving = [
            task
            for each, count in zip(older, self._stop_older(service, older, step.stop_older), strict=True)
            for task in _dispensable(service, each, count)
        ]
        leaving += _dispensable(service, primary, step.stop)
        if leaving:
            self._stop(service, leaving, f"Scaling activity initiated by (deployment {primary.id})")
        if step.start and time.monotonic() >= primary.not_before and shift.may_start(service):
            self._start(service, primary, step.start)
        for each, count in zip(older, step.start_older, strict=True):
            if count and time.monotonic() >= each.not_before:
                self._start(service, each, count)

    @staticmethod
    def _stop_older(service: EcsService, older: list[Deployment], counts: tuple[int, ...]) -> list[int]:
        """A rolling update gives tasks up as soon as it can; one that shifts traffic gives up all of them at its end."""
        if not shift.takes_part(service.ongoing):
            return list(counts)
        return [service.counts(each).all if shift.may_stop_older(service, each) else 0 for each in older]

    def _start(self, service: EcsService, deployment: Deployment, count: int) -> None:
        revision = deployment.revision
        started = [
            self.agent.start(
                service.cluster,
                revision.definition,
                _task_settings(service, deployment),
                group=f"service:{service.name}",
                started_by=deployment.id,
                revision=revision,
            )
            for _ in range(count)
        ]
        for task in started:
            self.store.tag(task.arn, self._tags(service, deployment))
        service.tasks += started
        rollout.tell(self.lab, service, f"has started {count} tasks: {_names(started)}.")

    def _tags(self, service: EcsService, deployment: Deployment) -> list[dict[str, Any]]:
        sources = {"SERVICE": service.arn, "TASK_DEFINITION": deployment.revision.definition["taskDefinitionArn"]}
        source = sources.get(service.settings["propagateTags"])
        managed = {"aws:ecs:clusterName": service.cluster.name, "aws:ecs:serviceName": service.name}
        tags = self.store.tags_of(source) if source else []
        if service.settings["enableECSManagedTags"]:
            tags = tags + [{"key": key, "value": value} for key, value in managed.items()]
        return tags

    def _stop(self, service: EcsService, tasks: list[Task], reason: str) -> None:
        serving = [task for task in tasks if task.registered]
        if serving:
            rollout.tell(self.lab, service, f"has begun draining connections on {len(serving)} tasks.")
            self._tell_groups(service, "deregistered", serving)
        for task in tasks:
            self.agent.stop(task, "ServiceSchedulerInitiated", reason)
        rollout.tell(self.lab, service, f"has stopped {len(tasks)} running tasks: {_names(tasks)}.")

    def _settle(self, service: EcsService) -> None:
        """Drop what is drained, complete what is done, say when it is steady."""
        primary = service.primary
        service.deployments = [
            each
            for each in service.deployments
            if each is primary or service.tasks_of(each) or _replaces_its_own(service, each)
        ]
        counts, alone = service.counts(primary), len(service.deployments) == 1
        settled = alone and counts.healthy == counts.all == service.desired == len(service.tasks)
        done = settled and shift.may_complete(service)
        age = (self.lab.now() - primary.updated_at).total_seconds()
        if (
            (done or _early(service, counts))
            and primary.rollout_state == "IN_PROGRESS"
            and age >= self.lab.durations.deployment_minimum
            and (service.ongoing is None or rollout.baked(self.lab, service.ongoing))
        ):
            rollout.complete(self.lab, service)
        steady = done and primary.rollout_state == "COMPLETED"
        if steady and not service.steady:
            service.complaints.clear()
            rollout.tell(self.lab, service, "has reached a steady state.")
        service.steady = steady
        if service.status == "DRAINING" and not service.tasks:
            # AWS deletes the service deployments with their service; the service itself can be described for a while.
            service.status, service.deployments, service.history = "INACTIVE", [], []


def _early(service: EcsService, counts: Counts) -> bool:
    """Whether the success criteria that a rolling deployment was given hold before it has settled."""
    if service.ongoing is None or service.ongoing.strategy != "ROLLING" or not service.desired:
        return False
    percent, blocking = wanted_percent(service.ongoing.configuration)
    if (percent, blocking) == (100, True):
        return False
    left = any(service.tasks_of(each) for each in service.deployments if each is not service.primary)
    return counts.healthy * 100 >= service.desired * percent and not (blocking and left)


def _dispensable(service: EcsService, deployment: Deployment, count: int) -> list[Task]:
    """The `count` tasks of a deployment that are missed least: those that serve nobody, then the oldest."""
    wanted = [task for task in service.tasks_of(deployment) if task.wanted]
    wanted.sort(key=lambda task: (task.healthy, task.last_status not in STARTING, task.times["createdAt"]))
    return wanted[:count]


def _task_settings(service: EcsService, deployment: Deployment) -> dict[str, Any]:
    network = deployment.revision.settings["networkConfiguration"]["awsvpcConfiguration"]
    return {
        "subnet": network["subnets"][len(service.tasks) % len(network["subnets"])],
        "availabilityZone": service.arn.split(":")[3] + "abc"[len(service.tasks) % 3],
        "enableExecuteCommand": service.settings["enableExecuteCommand"],
    }


def _names(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)


def _replaces_its_own(service: EcsService, older: Deployment) -> bool:
    """Whether an older deployment without a task is about to start some again: what crashes has none for moments, until the primary is healthy."""
    primary = service.primary
    waiting = primary.rollout_state == "IN_PROGRESS" and service.counts(primary).healthy < service.desired
    crashed = time.monotonic() < older.not_before + 1
    return bool(older.held) and waiting and crashed and not shift.takes_part(service.ongoing)
