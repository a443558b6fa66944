# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a service runs what it should, and whether its new tasks get traffic. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import (
    failed_tasks_that_prove_it,
    short,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Balancer, Service, ServiceTask

RUNNING = "RUNNING"
AUTO, NO_FENCE, SCALE_TO_ZERO = "auto", "none", "scale_to_zero"
NOBODY = "no service is named, so nothing was looked at"
ON_THE_WAY = ("initial", "unused")  # TargetHealth: its first checks are under way, or it is not registered yet


Health = Sequence[tuple["Balancer", Sequence[Mapping[str, tuple[str, str]]]]]


@dataclass(frozen=True)
class ServiceObservation:
    """One look at a service: its tasks that are to run, and what each target group says of their addresses.

    ``expected`` is the ARN of the task definition that it should run. ``health`` has (Balancer, answers) for each load balancer, with an
    answer (address → (state, reason)) of each of its target groups. ``unread`` is why there is none.
    """

    service: Service
    tasks: tuple[ServiceTask, ...]
    expected: str
    health: Health = ()
    unread: str = ""

    @property
    def running(self) -> tuple[ServiceTask, ...]:
        """The tasks that run."""
        return tuple(task for task in self.tasks if task.status == RUNNING)


def expected_of(service: Service, targets: Mapping[str, str]) -> str:
    """What a service should run: what ``targets`` (service → ARN or family:revision) says, else what it says itself."""
    named = targets.get(service.name)
    return service.task_definition if not named or short(named) == short(service.task_definition) else named


def judge_tasks(seen: ServiceObservation) -> Ready | Pending | Failed:
    """Whether every task of a service runs the expected task definition, and as many run as are wanted."""
    service, name = seen.service, seen.service.name
    if service.status != "ACTIVE":
        return Failed("%s is %s" % (name, service.status))
    if service.task_definition != seen.expected:
        return Failed("%s is to run %s, not %s" % (name, short(service.task_definition), short(seen.expected)))
    if not service.desired:
        return Failed("%s is scaled to 0: nobody is served" % name)
    ours = [task for task in seen.running if task.task_definition == seen.expected]
    others = sorted({short(task.task_definition) for task in seen.running} - {short(seen.expected)})
    told = "%s: %d of %d tasks run %s" % (name, len(ours), service.desired, short(seen.expected))
    if others:
        told += ", others still run %s" % ", ".join(others)
    primary = service.primary
    if primary and primary.failed_tasks >= failed_tasks_that_prove_it(service.desired):
        return Failed("%s, and %d failed in a row" % (told, primary.failed_tasks))
    if primary and primary.rollout_state == "FAILED":
        return Failed("%s, and its deployment has failed" % told)
    if others or len(ours) < service.desired:
        return Pending(len(ours), service.desired, told)
    if not service.settled:
        return Pending(len(ours), service.desired, "%s, and a deployment is under way" % told)
    return Ready(told)


def tasks_line(service: Service) -> str:
    """What a service runs, for people."""
    told = "%s: %d of %d tasks run, %s" % (
        service.name,
        service.running,
        service.desired,
        short(service.task_definition),
    )
    under_way = [item for item in service.deployments if item.rollout_state == "IN_PROGRESS"]
    return told + (", a deployment is under way" if under_way or not service.settled else "")


def changed_since(seen: ServiceObservation, service: Service) -> str | None:
    """What has become of a service since it was judged (str), None when its deployment is still the only one and all its tasks run.

    :param seen: the ServiceObservation that was judged.
    :param service: the Service as it is now.
    """
    then, now, name = seen.service.primary, service.primary, service.name
    if service.status != "ACTIVE" or now is None:
        return "%s is %s and has no deployment" % (name, service.status)
    if then is None or (now.task_definition, now.created_at) != (then.task_definition, then.created_at):
        return "%s: somebody has deployed %s at %s, while the checks were made" % (
            name, short(now.task_definition), now.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        )  # fmt: skip
    if not service.settled:
        return "%s: its deployment is no longer the only one" % name
    if not service.desired:
        return "%s was scaled to 0 while the checks were made: nobody is served" % name
    if service.running < min(service.desired, seen.service.desired):  # autoscaling may add some meanwhile
        return "%s: %d of %d tasks run now" % (name, service.running, service.desired)
    return None


def judge_targets(seen: ServiceObservation) -> Ready | Pending:
    """Whether the load balancer sends traffic to every task of a service that runs, and to as many as are wanted."""
    name, wanted = seen.service.name, seen.service.desired
    states = [_state(seen.health, task.address) for task in seen.running]
    healthy = sum(state == "healthy" for state, _why in states)
    told = "%s: %d of %d tasks are healthy targets" % (name, healthy, wanted)
    ill = sorted({"%s%s" % (state, " (%s)" % why if why else "") for state, why in states if state != "healthy"})
    if ill:
        told += ", others are %s" % ", ".join(ill)
    if healthy < max(wanted, len(states)) or not healthy:
        return Pending(healthy, wanted, told)
    return Ready(told)


def _state(health: Health, address: str | None) -> tuple[str, str]:
    """The worst (state, reason) of an address over all load balancers. In one of them any group counts: two take turns."""
    worst = ("healthy", "")
    for _balancer, answers in health:
        found = [answer[address] for answer in answers if address is not None and address in answer]
        best = next((item for item in found if item[0] == "healthy"), found[0] if found else ("unused", ""))
        known = [item for item in found if item[0] != "unused"]
        if best[0] != "healthy":
            worst = known[0] if known else best
    return worst


def judge_traffic(seen: ServiceObservation, left: Iterable[str] = ()) -> Ready | Pending:
    """Whether all traffic of a service is on healthy tasks of what it should run. What drains gets none any more.

    :param left: addresses of tasks of something else that were there before.
    """
    service, name = seen.service, seen.service.name
    ours = [task for task in seen.running if task.task_definition == seen.expected]
    others = [task for task in seen.tasks if task.task_definition != seen.expected]
    if not service.desired or len(ours) < service.desired:
        return Pending(len(ours), service.desired, "%s: %d of %d tasks run" % (name, len(ours), service.desired))
    if not service.balancers:
        told = "%s: tasks of something else are still to run" % name
        return Pending(len(ours), service.desired, told) if others else Ready("%s: all tasks that run are of it" % name)
    if unknown_targets(seen):
        return Pending(len(ours), service.desired, unknown_targets(seen)[0])
    ill = [task for task in ours if _state(seen.health, task.address)[0] != "healthy"]
    if ill:
        told = "%s: %d of %d tasks are healthy targets" % (name, len(ours) - len(ill), len(ours))
        return Pending(len(ours) - len(ill), service.desired, told)
    elsewhere = {task.address for task in others} | set(left) - {task.address for task in seen.tasks}
    served = [address for address in sorted(filter(None, elsewhere)) if _state(seen.health, address)[0] == "healthy"]
    if served:
        told = "%s: %d tasks of something else still get traffic" % (name, len(served))
        return Pending(len(ours), service.desired, told)
    return Ready("%s: all traffic is on its %d tasks" % (name, len(ours)))


def some_healthy(seen: ServiceObservation) -> bool:
    """Whether a task of a service serves, or may: what has no load balancer, or whose targets could not be read, may."""
    if not seen.running:
        return False
    return not seen.service.balancers or bool(unknown_targets(seen)) or _some_healthy(seen)


def nobody_served(looks: Iterable[ServiceObservation]) -> str:
    """Why nothing of several services serves anybody (str), or an empty one where something does, or may.

    What has no load balancer, or whose targets could not be read, may serve as long as a task of it runs.
    """
    told = []
    for seen in looks:
        name, running = seen.service.name, seen.running
        if not running:
            told.append("%s has no task that runs" % name)
        elif some_healthy(seen):
            return ""
        else:
            told.append("none of the %d tasks of %s is a healthy target" % (len(running), name))
    return "; ".join(told)


def _some_healthy(seen: ServiceObservation) -> bool:
    return any(_state(seen.health, task.address)[0] == "healthy" for task in seen.running)


def choose_fence(asked: str, looks: Sequence[ServiceObservation], deployed: bool = False) -> tuple[str, str]:
    """Whether the services are brought to 0 tasks before the deployment, and why: (``none`` or ``scale_to_zero``, str).

    :param asked: ``auto``, ``none`` or ``scale_to_zero``.
    :param looks: the ServiceObservation of each service, for ``auto``.
    :param deployed: whether each service has one deployment only, which is what an earlier try has made for what comes back.
    """
    if asked != AUTO:
        return asked, "rollback_fence is %s" % asked
    if any(not seen.service.wanted for seen in looks):
        return NO_FENCE, "a service is scaled to 0 already"
    why = nobody_served(looks)
    if not why:
        return NO_FENCE, "something serves"
    if deployed:
        return NO_FENCE, "what comes back is deployed already, and nothing else is left"
    return SCALE_TO_ZERO, "it costs nobody anything: %s" % why


def unknown_targets(seen: ServiceObservation) -> list[str]:
    """Why it cannot be known whether the tasks of a service get traffic (list of str)."""
    if seen.unread:
        return ["%s: %s" % (seen.service.name, seen.unread)]
    return [
        "%s: task %s shares the address of its host, so it is not known which target it is"
        % (seen.service.name, task.id)
        for task in seen.running
        if not task.address
    ]


def decided(looks: Iterable[ServiceObservation]) -> Ready | Pending:
    """Whether looking on would change nothing: ready, or failed for certain. A failed service's targets are not awaited.

    :param looks: list of ServiceObservation.
    """
    for seen in looks:
        tasks = judge_tasks(seen)
        if isinstance(tasks, Pending):
            return tasks
        if isinstance(tasks, Ready) and seen.service.balancers and not unknown_targets(seen):
            targets = judge_targets(seen)
            if isinstance(targets, Pending):
                return targets
    return Ready("every service is decided")


def verdict_of_tasks(looks: Collection[ServiceObservation]) -> tuple[str, str, list[str]]:
    """(verdict, reason, evidence) over the tasks of all services, at the last look."""
    if not looks:
        return INCONCLUSIVE, NOBODY, [NOBODY]
    answers = [judge_tasks(seen) for seen in looks]
    short_of = [answer for answer in answers if isinstance(answer, Pending) and answer.done < answer.total]
    failed = [_text(answer) for answer in answers if isinstance(answer, Failed) or answer in short_of]
    waiting = [_text(answer) for answer in answers if isinstance(answer, Pending)]
    told = [_text(answer) for answer in answers]
    if failed:
        return FAILED, "; ".join(failed), failed
    return (INCONCLUSIVE, "; ".join(waiting), waiting) if waiting else (PASSED, "; ".join(told), [])


def verdict_of_changes(changes: Collection[str | None]) -> tuple[str, str, list[str]]:
    """(verdict, reason, evidence) over what ``changed_since`` says of each service (list of str or None)."""
    if not changes:
        return INCONCLUSIVE, NOBODY, [NOBODY]
    found = [change for change in changes if change]
    if found:
        return FAILED, "; ".join(found), found
    return PASSED, "at the end of the checks it is still the only one, and all its tasks run", []


def verdict_of_targets(looks: Iterable[ServiceObservation]) -> tuple[str, str, list[str]] | None:
    """(verdict, reason, evidence) over the targets of all services that have a load balancer; None when none has one."""
    balanced = [seen for seen in looks if seen.service.balancers]
    if not balanced:
        return None
    unknown = [line for seen in balanced for line in unknown_targets(seen)]
    answers = [judge_targets(seen) for seen in balanced if not unknown_targets(seen)]
    failed = [_text(answer) for answer in answers if not isinstance(answer, Ready)]
    if failed:
        return FAILED, "; ".join(failed), failed
    if unknown:
        return INCONCLUSIVE, "; ".join(unknown), unknown
    return PASSED, "; ".join(_text(answer) for answer in answers), []


def _text(answer: Ready | Pending | Failed) -> str:
    return answer.reason if isinstance(answer, Failed) else answer.detail
