# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ECS shows of tasks and targets. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.release import why_stopped
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import of_answers
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import (
    RECENT,
    Words,
    ago,
    listed,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
        ServiceSeen,
        TargetsSeen,
    )

FRESH = timedelta(hours=24)  # a release that has served for longer is not what changed
STARTING = timedelta(minutes=10)  # so long a deployment may take without anybody being worried
A_LOOP = 2  # tasks that ended by themselves
FAILED_IN_A_ROW = 3  # ECS's own least threshold (DeploymentCircuitBreaker)
_NOT_PLACED = re.compile(
    r"unable to (consistently )?(place|start) |was unable to|(unable|failed) to (assume|register|pull|launch)",
    re.IGNORECASE,
)


def services_in(evidence: Evidence) -> tuple[ServiceSeen, ...]:
    return evidence.services or ()


def _new(evidence: Evidence, service: ServiceSeen) -> bool:
    """Whether what a service runs came lately, and was not brought back."""
    return not service.brought_back and service.came is not None and evidence.at - service.came <= FRESH


def fresh_services(evidence: Evidence) -> list[ServiceSeen]:
    return [service for service in services_in(evidence) if _new(evidence, service)]


def times_of_fresh(evidence: Evidence) -> list[datetime]:
    """When what came lately came."""
    return [service.came for service in fresh_services(evidence) if service.came]


def _of_release(evidence: Evidence, service: ServiceSeen) -> list[StoppedTask]:
    """The tasks of what a service runs that ended since it came."""
    return [
        task
        for task in evidence.tasks or ()
        if task.service == service.name
        and task.release == service.release
        and (service.came is None or task.at >= service.came)
    ]


def ended_tasks(evidence: Evidence, service: ServiceSeen) -> list[StoppedTask]:
    """Those of them that ended of their own."""
    return [task for task in _of_release(evidence, service) if why_stopped.of_its_own(task)]


def loop_in(evidence: Evidence) -> tuple[ServiceSeen, Words, bool] | None:
    """(service, words, whether it is the application's own doing) where tasks end again and again."""
    found = [each for each in (loop_of(evidence, service) for service in services_in(evidence)) if each]
    return next((each for each in found if each[2]), found[0] if found else None)


def loop_of(evidence: Evidence, service: ServiceSeen) -> tuple[ServiceSeen, Words, bool] | None:
    ended = ended_tasks(evidence, service)
    by_aws = [
        task
        for task in _of_release(evidence, service)
        if why_stopped.no_capacity(task) or why_stopped.not_started(task)
    ]
    own = [task for task in ended if why_stopped.by_application(task)]
    counted = service.failed_tasks - len(by_aws) >= FAILED_IN_A_ROW
    if len(ended) < A_LOOP and not counted:
        return None
    how = Counter(task.how for task in own or ended).most_common(1)
    words: Words = dict(
        count=max(len(ended), service.failed_tasks - len(by_aws)),
        release=service.release,
        service=service.name,
        running=service.running,
        desired=service.desired,
        how=how[0][0] if how else "ECS no longer tells how",
    )
    return service, words, len(own) >= A_LOOP or bool(own and counted)


def _well(evidence: Evidence, service: ServiceSeen) -> bool:
    """Whether all tasks of a service run, and what people do was seen to work."""
    steady = service.running >= service.desired and service.rollout not in ("IN_PROGRESS", "FAILED")
    return steady and of_answers.everything_passes(evidence) is not None


def _loops(evidence: Evidence, own: bool, well: bool) -> Words | None:
    found = loop_in(evidence)
    if found is None or found[2] is not own or _well(evidence, found[0]) is not well:
        return None
    return found[1]


def crash_loop(evidence: Evidence) -> Words | None:
    """The application ends its tasks again and again."""
    return _loops(evidence, own=True, well=False)


def crash_loop_while_well(evidence: Evidence) -> Words | None:
    """It did, and everything works now."""
    return _loops(evidence, own=True, well=True)


def tasks_end(evidence: Evidence) -> Words | None:
    """Tasks end again and again, and it is not sure that the application does that."""
    return _loops(evidence, own=False, well=False)


def tasks_end_while_well(evidence: Evidence) -> Words | None:
    """They did, and everything works now."""
    return _loops(evidence, own=False, well=True)


def one_crash(evidence: Evidence) -> Words | None:
    """A single task has ended of its own."""
    if loop_in(evidence):
        return None
    ended = [(service, task) for service in services_in(evidence) for task in ended_tasks(evidence, service)]
    return dict(release=ended[0][0].release, how=ended[0][1].how) if ended else None


# ECS API, Task, stopCode.
_STOP_CODES = (
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
)
_ASKED_TO_END = (None, 0, 137, 143)  # of a container: SIGKILL, SIGTERM


def _ended_oddly(task: StoppedTask) -> bool:
    """Whether a task ended neither as AWS says it of one that was stopped, nor as one that went of its own."""
    if why_stopped.of_its_own(task) or why_stopped.no_capacity(task) or why_stopped.not_started(task):
        return False
    return task.code not in _STOP_CODES or any(item.code not in _ASKED_TO_END for item in task.exits)


def odd_ends(evidence: Evidence) -> Words | None:
    """Tasks of what runs were stopped, and their containers or ECS tell another end than that."""
    found = [task for service in services_in(evidence) for task in _of_release(evidence, service) if _ended_oddly(task)]
    if not found:
        return None
    how = found[0].how or "ECS does not say how"
    return dict(tasks=many(len(found), "task"), release=found[0].release, how=how)


def others_end(evidence: Evidence) -> Words | None:
    """Tasks ended of their own that are of nothing that runs, and of nothing that was given up for it."""
    services = {service.name: service for service in services_in(evidence)}
    found = []
    for task in evidence.tasks or ():
        service = services.get(task.service)
        known = (service.release, service.before, *service.gone) if service else ()
        if why_stopped.of_its_own(task) and task.release not in known and (not service or _since(task, service)):
            found.append(task)
    if not found:
        return None
    return dict(tasks=many(len(found), "task"), release=listed(task.release for task in found), how=found[0].how)


def _since(task: StoppedTask, service: ServiceSeen) -> bool:
    return service.came is None or task.at >= service.came


def tasks_failed(evidence: Evidence) -> Words | None:
    """ECS counts tasks that failed, and neither ends that are known nor AWS explain them."""
    if loop_in(evidence):
        return None
    for service in services_in(evidence):
        of_it = _of_release(evidence, service)
        explained = [
            task
            for task in of_it
            if why_stopped.of_its_own(task) or why_stopped.no_capacity(task) or why_stopped.not_started(task)
        ]
        if service.failed_tasks > len(explained):
            return dict(tasks=many(service.failed_tasks, "task"), release=service.release, service=service.name)
    return None


def deployment_failed(evidence: Evidence) -> Words | None:
    """ECS has given a deployment up, and it is what runs."""
    for service in services_in(evidence):
        last = service.deployments[0] if service.deployments else None
        if service.brought_back:
            continue
        if service.rollout == "FAILED" or (last and last.status == "ROLLBACK_FAILED"):
            why = last.reason if last and last.reason else service.rollout
            return dict(service=service.name, release=service.release, why=why or "no reason given")
    return None


def no_healthy_target(evidence: Evidence) -> Words | None:
    """A load balancer has nobody to send to, and not only because tasks have just started."""
    wanted = any(service.desired for service in services_in(evidence)) or evidence.services is None
    for group in evidence.targets or ():
        if wanted and group.healthy == 0 and (group.unhealthy or not group.initial):
            return dict(group=group.group, why=listed(group.why) or "no target is registered")
    return None


def _lacking(evidence: Evidence, why: Callable[[StoppedTask], bool]) -> dict[str, list[StoppedTask]]:
    """Tasks that AWS did not start, of services that lack some to this day and have nothing else wrong with them: service → StoppedTasks."""
    looping = {service.name for service in services_in(evidence) if loop_of(evidence, service)}
    full = {service.name for service in services_in(evidence) if service.running >= service.desired}
    found: dict[str, list[StoppedTask]] = {}
    for task in evidence.tasks or ():
        if why(task) and task.service not in looping | full:
            found.setdefault(task.service, []).append(task)
    return found


def _lacking_words(found: Mapping[str, Sequence[StoppedTask]]) -> Words | None:
    tasks = [task for name in found for task in found[name]]
    return dict(count=len(tasks), services=listed(found), why=tasks[0].reason.rstrip(".")) if tasks else None


def no_capacity(evidence: Evidence) -> Words | None:
    """AWS has no room for the tasks, and that is all that is wrong."""
    found = _lacking(evidence, why_stopped.no_capacity)
    return _lacking_words(found) if len(found) >= len(services_in(evidence)) else None


def no_capacity_for_some(evidence: Evidence) -> Words | None:
    """AWS has no room for tasks of some services, and others have theirs."""
    found = _lacking(evidence, why_stopped.no_capacity)
    return _lacking_words(found) if len(found) < len(services_in(evidence)) else None


def not_started(evidence: Evidence) -> Words | None:
    """AWS did not bring the tasks up, and that is all that is wrong."""
    found = _lacking(evidence, why_stopped.not_started)
    return _lacking_words(found) if len(found) >= len(services_in(evidence)) else None


def not_started_some(evidence: Evidence) -> Words | None:
    """AWS did not bring tasks of some services up, and others have theirs."""
    found = _lacking(evidence, why_stopped.not_started)
    return _lacking_words(found) if len(found) < len(services_in(evidence)) else None


def not_started_at_first(evidence: Evidence) -> Words | None:
    """AWS did not bring tasks up, and their services have all of theirs by now."""
    full = [service for service in services_in(evidence) if service.running >= service.desired]
    tasks = {
        item.name: [task for task in _of_release(evidence, item) if why_stopped.not_started(task)] for item in full
    }
    return _lacking_words({name: found for name, found in tasks.items() if found})


def is_starting(evidence: Evidence, service: ServiceSeen) -> bool:
    """Whether a deployment of what a service runs is young."""
    return service.came is not None and evidence.at - service.came <= STARTING


def too_few_tasks(evidence: Evidence) -> Words | None:
    """A service runs fewer tasks than it is to, and not because it has just been deployed."""
    for service in services_in(evidence):
        if service.desired and service.running < service.desired and not is_starting(evidence, service):
            said = not_placed(evidence)
            return dict(
                running=service.running,
                desired=service.desired,
                release=service.release,
                why="ECS says: %s" % said["said"] if said else "ECS does not say why",
            )
    return None


def not_placed(evidence: Evidence) -> Words | None:
    """ECS says that it cannot start tasks."""
    for service in services_in(evidence):
        for at, said in zip(service.event_times, service.events):
            if _NOT_PLACED.search(said) and evidence.at - at <= RECENT:
                return dict(service=service.name, said=said, ago=ago(evidence, at))
    return None


def too_few_targets(evidence: Evidence) -> Words | None:
    """A load balancer knows fewer targets than tasks run, and not because they have just started."""
    for group in evidence.targets or ():
        services = _behind(evidence, group)
        known = [service.name for service in services]
        tasks, count = sum(service.running for service in services), group.healthy + group.unhealthy + group.initial
        if group.healthy and count < tasks and not any(is_starting(evidence, service) for service in services):
            return dict(group=group.group, count=many(count, "target"), tasks=tasks, services=listed(known))
    return None


def _behind(evidence: Evidence, group: TargetsSeen) -> list[ServiceSeen]:
    """The services whose tasks a target group's targets are; where that was not recorded, the one that runs the fewest."""
    services = services_in(evidence)
    if group.services:
        return [service for service in services if service.name in group.services]
    return sorted((service for service in services if service.running), key=lambda service: service.running)[:1]


def some_targets_unhealthy(evidence: Evidence) -> Words | None:
    """A load balancer sends to some targets and not to others that neither have just started nor are on their way out."""
    for group in evidence.targets or ():
        away = group.unhealthy + group.other
        if group.healthy and away:
            return dict(
                count=away, all=group.healthy + away, group=group.group, why=listed(group.why) or "no reason given"
            )
    return None
