# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What evidence shows. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import prisma_codes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import (
    CORRUPTED,
    LOST,
    SCHEMA,
    WHOLE,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release import why_stopped
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        ErrorSeen,
        Evidence,
        HttpSeen,
        LogsSeen,
        RunSeen,
        SecretSeen,
        ServiceSeen,
        StepSeen,
        TargetsSeen,
    )

Words = dict[str, Union[str, int]]  # what a rule's sentence is filled with

FRESH = timedelta(hours=24)  # a release that has served for longer is not what changed
STARTING = timedelta(minutes=10)  # so long a deployment may take without anybody being worried
RECENT = timedelta(minutes=15)  # after a failover, applications connect again by themselves within a few minutes
A_LOOP = 2  # tasks that ended by themselves
FAILED_IN_A_ROW = 3  # ECS's own least threshold (DeploymentCircuitBreaker)

HEALTH = "health"  # the scenario that asks for the health check alone
# As words of their own, or of a name in camel case: authors and a catalog in a path are none.
_LOGIN = re.compile(
    r"(?<![a-z])(?:log[ _.-]?(?:in|on)|sign[ _.-]?(?:in|on)|auth(?:enticat\w*|ori[sz]\w*|n|z)?|oauth2?|sso|session)(?![a-z])",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_PLACED = re.compile(
    r"unable to (consistently )?(place|start) |was unable to|(unable|failed) to (assume|register|pull|launch)",
    re.IGNORECASE,
)
_WARNED = re.compile(
    r"free storage capacity|(?:exhausted|out of|low on|insufficient) (?:\w+ ){0,3}(?:storage|memory|space)|storage (?:\w+ )?(?:is low|full)"
    r"|(?:could not|cannot|unable to|failed to) ",
    re.IGNORECASE,
)
_FAILOVER = re.compile(
    r"failover|failed over|restarted|shut ?down|off-?line patch|recovery of the DB instance", re.IGNORECASE
)
_ADDRESS = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d{1,5}))?\Z")
_NUMERIC = re.compile(r"[\d.]+\Z|[\da-f]*:[\da-f:.]+\Z")  # an IP address
# Endpoints beside the writer's: RDS Proxy, the readers of a cluster, and replicas by the names that people give them.
_BESIDE = re.compile(
    r"\.proxy-|\.cluster-ro-|\.cluster-custom-|^[^.]*(?:replica|reader|read-?only|(?<![a-z])r[or](?![a-z])|proxy|bouncer)"
)
# Of somebody in front who got no good answer, or none: a load balancer, Cloudflare (520 to 527, 530), other proxies (598, 599).
_GATEWAY = (502, 503, 504, *range(520, 528), 530, 598, 599)
# With these, whoever stands before the application keeps us away or sends us elsewhere. It was reached, or not even asked: nothing is known of it.
_ELSEWHERE = "it sends elsewhere: does rollback_base_url name the address that people use?"
_KEPT_OUT = "this machine is kept out (AWS WAF, a list of addresses, a login in front of it)"
_TURNED_AWAY = {
    **dict.fromkeys((301, 302, 303, 307, 308, 421), _ELSEWHERE),
    **dict.fromkeys((401, 403, 407, 451, 511), _KEPT_OUT),
    202: "this machine is asked to prove that it is a browser (AWS WAF's challenge)",
    429: "this machine is throttled (AWS WAF, a limit of requests): wait, and look again",
}
_READS = ("GET", "HEAD", "OPTIONS")

# Prisma's error reference. Others, like P2002 (not unique) and P2025 (no such record), are an application's daily bread.
CONNECTION_CODES = (
    "P1000", "P1001", "P1002", "P1003", "P1008", "P1010", "P1011", "P1012", "P1013", "P1017", "P2024", "P2037",
)  # fmt: skip
SCHEMA_CODES = ("P2021", "P2022")
MIGRATION_CODES = ("P3005", "P3009", "P3018")

# RDS user guide, "Viewing DB instance status". Of the other states the instance can be used.
_START = "aws rds start-db-instance --db-instance-identifier {name}"
_PASSING = {
    "stopped": "start it: " + _START,
    "stopping": "find out who stops it, then start it: " + _START,
    "starting": "wait",
    "rebooting": "wait",
    "maintenance": "wait",
    "upgrading": "wait",
    "renaming": "wait",
    "creating": "wait",
    "converting-to-vpc": "wait",
    "moving-to-vpc": "wait",
    "resetting-master-credentials": "wait",
    "storage-full": "enlarge its storage: aws rds modify-db-instance --db-instance-identifier {name} --allocated-storage {storage} --apply-immediately",
    "insufficient-capacity": "choose another class or zone",
    "inaccessible-encryption-credentials-recoverable": "give RDS its KMS key back within 7 days, then start it: "
    + _START,
}
# In these it can often be used, so that an answer of the database says more.
_AT_WORK = (
    "maintenance",
    "upgrading",
    "renaming",
    "resetting-master-credentials",
    "converting-to-vpc",
    "moving-to-vpc",
)
_USABLE = (
    "available", "backing-up", "modifying", "configuring-enhanced-monitoring", "configuring-iam-database-auth", "configuring-log-exports",
    "storage-config-upgrade", "storage-initialization", "storage-optimization", "delete-precheck", "associating",
)  # fmt: skip
_LOST = (
    "failed", "restore-error", "inaccessible-encryption-credentials", "incompatible-restore", "incompatible-network",
    "incompatible-parameters", "incompatible-option-group", "incompatible-create", "deleting",
)  # fmt: skip


def _names(items: Iterable[str], most: int = 3) -> str:
    names = list(dict.fromkeys(items))
    return ", ".join(names[:most]) + (" and %d more" % (len(names) - most) if len(names) > most else "")


def _ago(evidence: Evidence, moment: datetime) -> str:
    minutes = max(0, round((evidence.at - moment).total_seconds() / 60))
    if minutes < 120:
        return "%d min" % minutes
    return "%d h" % (minutes // 60) if minutes < 48 * 60 else "%d days" % (minutes // 1440)


# ECS


def _services(evidence: Evidence) -> tuple[ServiceSeen, ...]:
    return evidence.services or ()


def _new(evidence: Evidence, service: ServiceSeen) -> bool:
    """Whether what a service runs came lately, and was not brought back."""
    return not service.brought_back and service.came is not None and evidence.at - service.came <= FRESH


def _fresh(evidence: Evidence) -> list[ServiceSeen]:
    return [service for service in _services(evidence) if _new(evidence, service)]


def _times_of_fresh(evidence: Evidence) -> list[datetime]:
    """When what came lately came."""
    return [service.came for service in _fresh(evidence) if service.came]


def _of_release(evidence: Evidence, service: ServiceSeen) -> list[StoppedTask]:
    """The tasks of what a service runs that ended since it came."""
    return [
        task
        for task in evidence.tasks or ()
        if task.service == service.name
        and task.release == service.release
        and (service.came is None or task.at >= service.came)
    ]


def _ended(evidence: Evidence, service: ServiceSeen) -> list[StoppedTask]:
    """Those of them that ended of their own."""
    return [task for task in _of_release(evidence, service) if why_stopped.of_its_own(task)]


def _loop(evidence: Evidence) -> tuple[ServiceSeen, Words, bool] | None:
    """(service, words, whether it is the application's own doing) where tasks end again and again."""
    found = [each for each in (_loop_of(evidence, service) for service in _services(evidence)) if each]
    return next((each for each in found if each[2]), found[0] if found else None)


def _loop_of(evidence: Evidence, service: ServiceSeen) -> tuple[ServiceSeen, Words, bool] | None:
    ended = _ended(evidence, service)
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
    return steady and everything_passes(evidence) is not None


def _loops(evidence: Evidence, own: bool, well: bool) -> Words | None:
    found = _loop(evidence)
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
    if _loop(evidence):
        return None
    ended = [(service, task) for service in _services(evidence) for task in _ended(evidence, service)]
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
    found = [task for service in _services(evidence) for task in _of_release(evidence, service) if _ended_oddly(task)]
    if not found:
        return None
    how = found[0].how or "ECS does not say how"
    return dict(tasks=many(len(found), "task"), release=found[0].release, how=how)


def others_end(evidence: Evidence) -> Words | None:
    """Tasks ended of their own that are of nothing that runs, and of nothing that was given up for it."""
    services = {service.name: service for service in _services(evidence)}
    found = []
    for task in evidence.tasks or ():
        service = services.get(task.service)
        known = (service.release, service.before, *service.gone) if service else ()
        if why_stopped.of_its_own(task) and task.release not in known and (not service or _since(task, service)):
            found.append(task)
    if not found:
        return None
    return dict(tasks=many(len(found), "task"), release=_names(task.release for task in found), how=found[0].how)


def _since(task: StoppedTask, service: ServiceSeen) -> bool:
    return service.came is None or task.at >= service.came


def tasks_failed(evidence: Evidence) -> Words | None:
    """ECS counts tasks that failed, and neither ends that are known nor AWS explain them."""
    if _loop(evidence):
        return None
    for service in _services(evidence):
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
    for service in _services(evidence):
        last = service.deployments[0] if service.deployments else None
        if service.brought_back:
            continue
        if service.rollout == "FAILED" or (last and last.status == "ROLLBACK_FAILED"):
            why = last.reason if last and last.reason else service.rollout
            return dict(service=service.name, release=service.release, why=why or "no reason given")
    return None


def no_healthy_target(evidence: Evidence) -> Words | None:
    """A load balancer has nobody to send to, and not only because tasks have just started."""
    wanted = any(service.desired for service in _services(evidence)) or evidence.services is None
    for group in evidence.targets or ():
        if wanted and group.healthy == 0 and (group.unhealthy or not group.initial):
            return dict(group=group.group, why=_names(group.why) or "no target is registered")
    return None


def _lacking(evidence: Evidence, why: Callable[[StoppedTask], bool]) -> dict[str, list[StoppedTask]]:
    """Tasks that AWS did not start, of services that lack some to this day and have nothing else wrong with them: service → StoppedTasks."""
    looping = {service.name for service in _services(evidence) if _loop_of(evidence, service)}
    full = {service.name for service in _services(evidence) if service.running >= service.desired}
    found: dict[str, list[StoppedTask]] = {}
    for task in evidence.tasks or ():
        if why(task) and task.service not in looping | full:
            found.setdefault(task.service, []).append(task)
    return found


def _told_lacking(found: Mapping[str, Sequence[StoppedTask]]) -> Words | None:
    tasks = [task for name in found for task in found[name]]
    return dict(count=len(tasks), services=_names(found), why=tasks[0].reason.rstrip(".")) if tasks else None


def no_capacity(evidence: Evidence) -> Words | None:
    """AWS has no room for the tasks, and that is all that is wrong."""
    found = _lacking(evidence, why_stopped.no_capacity)
    return _told_lacking(found) if len(found) >= len(_services(evidence)) else None


def no_capacity_for_some(evidence: Evidence) -> Words | None:
    """AWS has no room for tasks of some services, and others have theirs."""
    found = _lacking(evidence, why_stopped.no_capacity)
    return _told_lacking(found) if len(found) < len(_services(evidence)) else None


def not_started(evidence: Evidence) -> Words | None:
    """AWS did not bring the tasks up, and that is all that is wrong."""
    found = _lacking(evidence, why_stopped.not_started)
    return _told_lacking(found) if len(found) >= len(_services(evidence)) else None


def not_started_some(evidence: Evidence) -> Words | None:
    """AWS did not bring tasks of some services up, and others have theirs."""
    found = _lacking(evidence, why_stopped.not_started)
    return _told_lacking(found) if len(found) < len(_services(evidence)) else None


def not_started_at_first(evidence: Evidence) -> Words | None:
    """AWS did not bring tasks up, and their services have all of theirs by now."""
    full = [service for service in _services(evidence) if service.running >= service.desired]
    tasks = {
        item.name: [task for task in _of_release(evidence, item) if why_stopped.not_started(task)] for item in full
    }
    return _told_lacking({name: found for name, found in tasks.items() if found})


def _starting(evidence: Evidence, service: ServiceSeen) -> bool:
    """Whether a deployment of what a service runs is young."""
    return service.came is not None and evidence.at - service.came <= STARTING


def too_few_tasks(evidence: Evidence) -> Words | None:
    """A service runs fewer tasks than it is to, and not because it has just been deployed."""
    for service in _services(evidence):
        if service.desired and service.running < service.desired and not _starting(evidence, service):
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
    for service in _services(evidence):
        for at, said in zip(service.event_times, service.events):
            if _NOT_PLACED.search(said) and evidence.at - at <= RECENT:
                return dict(service=service.name, said=said, ago=_ago(evidence, at))
    return None


def too_few_targets(evidence: Evidence) -> Words | None:
    """A load balancer knows fewer targets than tasks run, and not because they have just started."""
    for group in evidence.targets or ():
        services = _behind(evidence, group)
        known = [service.name for service in services]
        tasks, count = sum(service.running for service in services), group.healthy + group.unhealthy + group.initial
        if group.healthy and count < tasks and not any(_starting(evidence, service) for service in services):
            return dict(group=group.group, count=many(count, "target"), tasks=tasks, services=_names(known))
    return None


def _behind(evidence: Evidence, group: TargetsSeen) -> list[ServiceSeen]:
    """The services whose tasks a target group's targets are; where that was not recorded, the one that runs the fewest."""
    services = _services(evidence)
    if group.services:
        return [service for service in services if service.name in group.services]
    return sorted((service for service in services if service.running), key=lambda service: service.running)[:1]


def some_targets_unhealthy(evidence: Evidence) -> Words | None:
    """A load balancer sends to some targets and not to others that neither have just started nor are on their way out."""
    for group in evidence.targets or ():
        away = group.unhealthy + group.other
        if group.healthy and away:
            return dict(
                count=away, all=group.healthy + away, group=group.group, why=_names(group.why) or "no reason given"
            )
    return None


def brought_back(evidence: Evidence) -> Words | None:
    """Every service runs the release before already."""
    services = _services(evidence)
    if services and all(service.brought_back for service in services):
        gone = [name for service in services for name in service.gone]
        return dict(release=_names(service.release for service in services), gone=_names(gone) or "a later one")
    return None


def served_long(evidence: Evidence) -> Words | None:
    """Nothing was deployed lately."""
    known = [(item.came, item.release) for item in _services(evidence) if item.came and not item.brought_back]
    if known and len(known) == len(_services(evidence)) and not _fresh(evidence):
        came, release = max(known, key=lambda item: item[0])
        return dict(release=release, ago=_ago(evidence, came))
    return None


def history_unknown(evidence: Evidence) -> Words | None:
    """ECS could not be asked, or does not tell when what runs came, so whether anything was deployed lately is not known."""
    if not evidence.services:
        return dict()
    unknown = [item for item in _services(evidence) if item.came is None and not item.brought_back]
    return dict() if unknown and not _fresh(evidence) else None


def no_release_before(evidence: Evidence) -> Words | None:
    """ECS's history names no release to go back to."""
    found = [service for service in _services(evidence) if not service.before]
    return dict(service=found[0].name, why=found[0].before_reason or "ECS tells none") if found else None


def rolling_back(evidence: Evidence) -> Words | None:
    """ECS itself is bringing the release before back."""
    for service in _services(evidence):
        last = service.deployments[0] if service.deployments else None
        if last and last.status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"):
            return dict(service=service.name, release=last.release)
    return None


def deployment_starting(evidence: Evidence) -> Words | None:
    """A deployment is young, under way, and nothing of it has failed."""
    for service in _services(evidence):
        under_way = service.rollout == "IN_PROGRESS" or service.running < service.desired
        if (
            service.came
            and _starting(evidence, service)
            and under_way
            and not service.failed_tasks
            and not _ended(evidence, service)
        ):
            return dict(service=service.name, release=service.release, ago=_ago(evidence, service.came))
    return None


_ENDED_WELL = ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL")  # ECS API, ServiceDeployment, status
_ECS_AT_WORK = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def deployment_open(evidence: Evidence) -> Words | None:
    """The newest deployment of a service did not come to a good end, or to none yet."""
    for service in _services(evidence):
        last = service.deployments[0] if service.deployments else None
        if service.rollout not in ("", "COMPLETED"):
            at, release, state = service.came, service.release, service.rollout
        elif last and last.status not in _ENDED_WELL:
            at, release, state = last.at, last.release, last.status
        elif service.running < service.desired and _starting(evidence, service):
            at, release, state = service.came, service.release, "at %d of %d tasks" % (service.running, service.desired)
        else:
            continue
        return dict(service=service.name, release=release, state=state, ago=_ago(evidence, at) if at else "a time")
    return None


def ecs_at_work(evidence: Evidence) -> Words | None:
    """A deployment is under way, so what is seen may be of its middle; one whose tasks end again and again is seen enough."""
    for service in _services(evidence):
        if _loop_of(evidence, service):
            continue
        last = service.deployments[0] if service.deployments else None
        if service.rollout == "IN_PROGRESS" or (last and last.status in _ECS_AT_WORK):
            return dict(service=service.name)
    return None


def fenced(evidence: Evidence) -> Words | None:
    """A rollback has brought a service to 0 tasks and not given them back."""
    found = [service for service in _services(evidence) if service.fenced_by]
    return dict(service=found[0].name, run=found[0].fenced_by) if found else None


def scaled_to_zero(evidence: Evidence) -> Words | None:
    """Somebody has stopped all services."""
    found = _stopped(evidence)
    return dict(service=found[0].name) if found and len(found) == len(_services(evidence)) else None


def one_scaled_to_zero(evidence: Evidence) -> Words | None:
    """Somebody has stopped a service, and others are to run."""
    found = _stopped(evidence)
    return dict(service=found[0].name) if found and len(found) < len(_services(evidence)) else None


def _stopped(evidence: Evidence) -> list[ServiceSeen]:
    return [service for service in _services(evidence) if service.desired == 0 and not service.fenced_by]


# HTTP


def _steps(evidence: Evidence) -> list[StepSeen]:
    return [step for step in evidence.http.steps if step.verdict] if evidence.http else []


def _beyond_health(evidence: Evidence) -> list[StepSeen]:
    return [step for step in _steps(evidence) if step.scenario != HEALTH]


def _failed(step: StepSeen) -> bool:
    return step.verdict == "failed" and not step.cleans_up


def _answer(step: StepSeen) -> str:
    return str(step.status) if step.status is not None else "nothing (%s)" % step.reason.partition(";")[0]


def _told(step: StepSeen) -> str:
    return "%s, %s: %s %s answers %s" % (step.scenario, step.step, step.method, step.path, _answer(step))


def outage(evidence: Evidence) -> Words | None:
    """The health check does not answer, or says that the application is not well."""
    for step in _steps(evidence):
        if step.scenario == HEALTH and _failed(step) and step.status not in _TURNED_AWAY:
            return dict(path=step.path, answer=_answer(step))
    return None


def turned_away(evidence: Evidence) -> Words | None:
    """The health check is answered by somebody who keeps us away from the application, or sends us elsewhere."""
    for step in _steps(evidence):
        if step.scenario == HEALTH and _failed(step) and step.status in _TURNED_AWAY:
            return dict(path=step.path, answer=_answer(step), why=_TURNED_AWAY[step.status])
    return None


def _broken(evidence: Evidence) -> list[StepSeen]:
    """Steps that fail although the application is there, and lets us in."""
    if outage(evidence):
        return []
    failed = [step for step in _beyond_health(evidence) if _failed(step)]
    return [step for step in failed if step.status not in _TURNED_AWAY] if turned_away(evidence) else failed


def feature_broken(evidence: Evidence) -> Words | None:
    """What people do ends in an error of the application."""
    found = [step for step in _broken(evidence) if step.status and step.status >= 500 and step.status not in _GATEWAY]
    return dict(steps="; ".join(_told(step) for step in found)) if found else None


def feature_without_answer(evidence: Evidence) -> Words | None:
    """What people do gets no answer, or one that tells of somebody behind the application."""
    found = [step for step in _broken(evidence) if step.status is None or step.status in _GATEWAY]
    return dict(steps="; ".join(_told(step) for step in found)) if found else None


def _is_login(step: StepSeen) -> bool:
    return any(_LOGIN.search(_HUMP.sub(" ", text)) for text in (step.scenario, step.step, step.path))


def _refused_login(step: StepSeen) -> bool:
    return step.status in (401, 403) and _is_login(step)


def login_refused(evidence: Evidence) -> Words | None:
    """The right credentials, or the session of a login, are refused."""
    found = [step for step in _broken(evidence) if _refused_login(step)]
    return dict(steps="; ".join(_told(step) for step in found)) if found else None


def feature_otherwise(evidence: Evidence) -> Words | None:
    """What people do is answered otherwise than the scenario expects."""
    found = [
        step
        for step in _broken(evidence)
        if step.status is not None and step.status < 500 and not _refused_login(step) and not _is_late(evidence, step)
    ]
    return dict(steps="; ".join(_told(step) for step in found)) if found else None


def _slow_after(evidence: Evidence) -> float:
    return evidence.http.slow_after if evidence.http else math.inf


def _is_late(evidence: Evidence, step: StepSeen) -> bool:
    late = step.seconds is not None and step.seconds > _slow_after(evidence)
    # A scenario may limit the time itself (max_seconds); then being late is all that is wrong.
    return late and (step.verdict == "passed" or (step.status or 500) < 400 or step.reason.startswith("it took "))


def _late(evidence: Evidence) -> list[StepSeen]:
    return [step for step in _steps(evidence) if _is_late(evidence, step)]


def _slow(evidence: Evidence) -> tuple[Words, bool] | None:
    late, timed = _late(evidence), [step for step in _steps(evidence) if step.seconds is not None]
    if not late:
        return None
    words: Words = dict(
        late=len(late),
        all=len(timed),
        after="%g" % _slow_after(evidence),
        longest="%.1f" % max(step.seconds or 0 for step in late),
    )
    return words, 2 * len(late) >= len(timed)


def slow(evidence: Evidence) -> Words | None:
    """Most answers are late."""
    words, most = _slow(evidence) or (None, False)
    return words if most else None


def partly_slow(evidence: Evidence) -> Words | None:
    """Some answers are late."""
    words, most = _slow(evidence) or (None, True)
    return None if most else words


def everything_passes(evidence: Evidence) -> Words | None:
    """People can do what they came for."""
    steps, beyond = evidence.http.steps if evidence.http else (), _beyond_health(evidence)
    left_out = evidence.http.left_out if evidence.http else ()
    played = all(step.verdict == "passed" or (step.cleans_up and not step.verdict) for step in steps)
    if not beyond or left_out or _late(evidence) or not played:
        return None
    return dict(scenarios=_names((step.scenario for step in steps), most=6))


def health_passes(evidence: Evidence) -> Words | None:
    """The health check answers, and nothing else was tried."""
    steps = _steps(evidence)
    whole = steps and all(step.verdict == "passed" for step in steps) and not _late(evidence)
    return dict(count=len(steps)) if whole and not everything_passes(evidence) else None


def felt(evidence: Evidence) -> Words | None:
    """Users feel that something is wrong."""
    return dict() if crash_loop(evidence) or tasks_end(evidence) or _seen_broken(evidence) else None


def _seen_broken(evidence: Evidence) -> bool:
    found = (outage, feature_broken, feature_without_answer, login_refused, no_healthy_target, slow)
    return any(condition(evidence) for condition in found)


def down(evidence: Evidence) -> Words | None:
    """Something is down at this moment, seen by what people do, by a load balancer, or by ECS."""
    lacks = any(service.running < service.desired for service in _services(evidence))
    return dict() if lacks or _seen_broken(evidence) else None


# Logs


def _errors(evidence: Evidence) -> list[ErrorSeen]:
    """Errors that the release before did not log, or not as often."""
    return [error for error in (evidence.logs.errors if evidence.logs else ()) if error.is_new]


def _codes(evidence: Evidence, wanted: Sequence[str]) -> str:
    """Which of these Prisma codes were seen, how often in logs that are new, and in which answers of the application; empty where none was."""
    logged: Counter[str] = Counter()
    for error in _errors(evidence):
        logged.update({code: error.count for code in error.codes if code in wanted})
    answered: dict[str, dict[str, None]] = {}
    for step in _steps(evidence):
        for code in prisma_codes(step.reason) if _failed(step) else ():
            if code in wanted:
                answered.setdefault(code, {})["%s %s" % (step.method, step.path)] = None
    times = {code: "once" if count == 1 else "%d times" % count for code, count in logged.most_common()}
    told = ["%s in the logs" % ", ".join("%s %s" % item for item in times.items())] if times else []
    return "; ".join([*told, *("%s in the answer to %s" % (code, _names(paths)) for code, paths in answered.items())])


def cannot_connect(evidence: Evidence) -> Words | None:
    """The application cannot use its database."""
    seen = _codes(evidence, CONNECTION_CODES)
    return dict(codes=seen) if seen else None


def _url_address(evidence: Evidence) -> str:
    said = (evidence.database and evidence.database.address) or (evidence.instance and evidence.instance.address)
    return said or ""


def _host_and_port(address: str) -> tuple[str, str]:
    """Names of hosts are the same in capitals, and with the dot of the root; the port is empty where none is said."""
    said = _ADDRESS.match(address.strip().lower())
    return (said["host"].strip("[]").rstrip("."), said["port"] or "") if said else (address.lower(), "")


def _may_be(named: str, wanted: str) -> bool:
    """Whether an address may be another way to the same database: another spelling, an IP address of its name, its RDS Proxy or a reader of it."""
    (host, port), (other, other_port) = _host_and_port(named), _host_and_port(wanted)
    if port and other_port and port != other_port and host == other:
        return False
    by_number = (_NUMERIC.match(host) is None) != (_NUMERIC.match(other) is None)
    return host == other or by_number or _BESIDE.search(host) is not None or _BESIDE.search(other) is not None


def _elsewhere(evidence: Evidence) -> Words | None:
    named, wanted = (evidence.logs.addresses if evidence.logs else ()), _url_address(evidence)
    if named and wanted and not any(_may_be(each, wanted) for each in named):
        return dict(named=_names(named), wanted=wanted)
    return None


def looks_elsewhere(evidence: Evidence) -> Words | None:
    """The application looks for its database where DATABASE_URL does not send it, and something is down."""
    return _elsewhere(evidence) if down(evidence) is not None else None


def looked_elsewhere(evidence: Evidence) -> Words | None:
    """It did, and nothing is known to be down."""
    return _elsewhere(evidence) if down(evidence) is None else None


def database_answers(evidence: Evidence) -> Words | None:
    """The database is well, and the application cannot use it."""
    if cannot_connect(evidence) and evidence.database and evidence.database.answers:
        return dict(seconds="%.2f" % evidence.database.seconds)
    return None


def new_errors(evidence: Evidence) -> Words | None:
    """The logs have errors without a code that is told elsewhere."""
    known = {*CONNECTION_CODES, *SCHEMA_CODES, *MIGRATION_CODES}
    found = [error for error in _errors(evidence) if not known & set(error.codes)]
    if not found:
        return None
    told = "%s of %s" % (many(sum(error.count for error in found), "error"), many(len(found), "kind"))
    return dict(told=told, first=found[0].fingerprint[:120])


def errors_before(evidence: Evidence) -> Words | None:
    """The release before logged the same errors."""
    codes = {*CONNECTION_CODES, *SCHEMA_CODES}
    found = [
        error
        for error in (evidence.logs.errors if evidence.logs else ())
        if not error.is_new and codes & set(error.codes)
    ]
    return dict(first=found[0].fingerprint[:120], before=found[0].before) if found else None


def features_failed_before(evidence: Evidence) -> Words | None:
    """What people do fails, and all that the logs tell the release before has logged as often."""
    errors = evidence.logs.errors if evidence.logs else ()
    if not errors or _errors(evidence) or not _broken(evidence) or _loop(evidence):
        return None
    most = max(errors, key=lambda error: error.before)
    return dict(first=most.fingerprint[:120], before="once" if most.before == 1 else "%d times" % most.before)


def quiet(evidence: Evidence) -> Words | None:
    """ECS is steady and the logs are without errors."""
    services, logs = _services(evidence), evidence.logs
    steady = services and all(
        service.desired and service.running >= service.desired and not service.failed_tasks for service in services
    )
    if steady and logs and logs.lines and not (logs.errors or logs.silent or logs.unread or logs.unclear):
        return dict(lines=logs.lines)
    return None


# The database


def _rules(evidence: Evidence, verdict: str) -> Words | None:
    found = [rule.told for rule in (evidence.database.rules if evidence.database else ()) if rule.verdict == verdict]
    return dict(told="; ".join(found)) if found else None


def rows_corrupted(evidence: Evidence) -> Words | None:
    """Rows are what a rule of the inventory calls corrupted."""
    return _rules(evidence, CORRUPTED)


def schema_changed(evidence: Evidence) -> Words | None:
    """The database lacks what a rule of the inventory needs."""
    return _rules(evidence, SCHEMA)


def rows_lost(evidence: Evidence) -> Words | None:
    """There are fewer rows than a rule of the inventory knows."""
    return _rules(evidence, LOST)


def _migrations(evidence: Evidence) -> tuple[Migration, ...] | None:
    return evidence.database.migrations if evidence.database else None


def _came_since(evidence: Evidence) -> list[Migration] | None:
    """Migrations that the release before did not know; None when that cannot be told."""
    proven = [service.proven for service in _services(evidence) if service.proven]
    migrations = _migrations(evidence)
    if migrations is None or not proven:
        return None
    since = min(proven)
    return [item for item in migrations if item.started > since and not item.rolled_back]


def migrations_came(evidence: Evidence) -> Words | None:
    """The database has migrations that the release before did not know."""
    came = _came_since(evidence)
    return dict(names=_names(item.name for item in came)) if came else None


def migration_takes_away(evidence: Evidence) -> Words | None:
    """The name of a migration says that it took something away."""
    found = [item.name for item in _came_since(evidence) or () if item.takes_away]
    return dict(names=_names(found)) if found else None


def _failed_migrations(evidence: Evidence) -> list[str]:
    return [item.name for item in _migrations(evidence) or () if item.failed]


def migration_failed_and_felt(evidence: Evidence) -> Words | None:
    """A migration came to no end, and something is wrong."""
    found = _failed_migrations(evidence)
    return dict(names=_names(found)) if found and felt(evidence) is not None else None


def migration_failed_quietly(evidence: Evidence) -> Words | None:
    """A migration came to no end, and nobody feels it."""
    found = _failed_migrations(evidence)
    return dict(names=_names(found)) if found and felt(evidence) is None else None


def migration_stops_tasks(evidence: Evidence) -> Words | None:
    """Tasks migrate when they start, and stumble over a migration that failed."""
    seen = _codes(evidence, MIGRATION_CODES)
    return dict(codes=seen) if seen else None


def _mismatch(evidence: Evidence) -> str:
    return _codes(evidence, SCHEMA_CODES)


def mismatch_by_migration(evidence: Evidence) -> Words | None:
    """The schema is not the one that the code needs, a migration came, and something people do is broken."""
    seen, came = _mismatch(evidence), migrations_came(evidence)
    if seen and came and felt(evidence) is not None:
        return dict(codes=seen, names=came["names"])
    return None


def mismatch_in_logs_only(evidence: Evidence) -> Words | None:
    """The schema is not the one that the code needs, a migration came, and what was tried works."""
    seen, came = _mismatch(evidence), migrations_came(evidence)
    if seen and came and felt(evidence) is None:
        return dict(codes=seen, names=came["names"])
    return None


def _mismatch_of_code(evidence: Evidence) -> Words | None:
    seen = _mismatch(evidence)
    return dict(codes=seen) if seen and _came_since(evidence) == [] else None


def mismatch_without_migration(evidence: Evidence) -> Words | None:
    """The code needs a schema that no migration has brought, and something is down."""
    return _mismatch_of_code(evidence) if down(evidence) is not None else None


def mismatch_in_logs_without_migration(evidence: Evidence) -> Words | None:
    """The same, and nothing is known to be down."""
    return _mismatch_of_code(evidence) if down(evidence) is None else None


def mismatch_of_unknown_origin(evidence: Evidence) -> Words | None:
    """Code and schema do not match, and the migrations could not be read."""
    seen = _mismatch(evidence)
    return dict(codes=seen) if seen and _came_since(evidence) is None else None


def data_harmed(evidence: Evidence) -> Words | None:
    """Something speaks for taking the data back, besides the instance itself."""
    found = (
        rows_corrupted,
        schema_changed,
        rows_lost,
        mismatch_by_migration,
        mismatch_in_logs_only,
        migration_failed_and_felt,
        migration_stops_tasks,
    )
    return dict() if any(condition(evidence) for condition in found) else None


def harmed_by_release(evidence: Evidence) -> Words | None:
    """The data are harmed, and a release came lately that is there still."""
    fresh = _fresh(evidence)
    if not fresh or data_harmed(evidence) is None:
        return None
    brought = migrations_came(evidence)
    return dict(
        release=_names(service.release for service in fresh),
        ago=_ago(evidence, max(_times_of_fresh(evidence))),
        brought="brought %s" % brought["names"] if brought else "is what has changed",
    )


def instance_passing(evidence: Evidence) -> Words | None:
    """RDS says that the instance cannot be used now, and that it comes back without a restore."""
    seen = evidence.instance
    if seen and seen.status in _PASSING and instance_at_work(evidence) is None:
        # RDS wants at least a tenth more (ModifyDBInstance, AllocatedStorage); a fifth lasts for the night.
        storage = math.ceil(seen.storage * 1.2) if seen.storage else "GIB"
        return dict(
            name=seen.name, status=seen.status, cure=_PASSING[seen.status].format(name=seen.name, storage=storage)
        )
    return None


def instance_at_work(evidence: Evidence) -> Words | None:
    """RDS is at work on the instance, and the database answers meanwhile."""
    seen = evidence.instance
    answers = evidence.database is not None and evidence.database.answers
    return dict(name=seen.name, status=seen.status) if seen and seen.status in _AT_WORK and answers else None


def instance_unknown(evidence: Evidence) -> Words | None:
    """RDS names a state of the instance of which nobody here knows what it means."""
    seen = evidence.instance
    known = {*_PASSING, *_AT_WORK, *_USABLE, *_LOST}
    return dict(name=seen.name, status=seen.status or "in no state") if seen and seen.status not in known else None


def instance_passing_and_whole(evidence: Evidence) -> Words | None:
    """The same, and nothing says that its data are harmed."""
    return instance_passing(evidence) if data_harmed(evidence) is None else None


def instance_lost(evidence: Evidence) -> Words | None:
    """RDS says that the instance does not come back by itself."""
    seen = evidence.instance
    return dict(name=seen.name, status=seen.status) if seen and seen.status in _LOST else None


def failover(evidence: Evidence) -> Words | None:
    """The instance has just failed over or restarted."""
    return _event(evidence, _FAILOVER)


def instance_warned(evidence: Evidence) -> Words | None:
    """RDS has just told trouble of the instance, of its storage or else, that is no state of it."""
    return _event(evidence, _WARNED)


def _event(evidence: Evidence, wanted: re.Pattern[str]) -> Words | None:
    """The newest event of the last minutes that says so."""
    seen = evidence.instance
    for event in sorted(seen.events, key=lambda item: item.at, reverse=True) if seen else ():
        if wanted.search(event.message) and evidence.at - event.at <= RECENT:
            return dict(name=seen.name if seen else "", said=event.message.rstrip("."), ago=_ago(evidence, event.at))
    return None


def failover_while_broken(evidence: Evidence) -> Words | None:
    """It has, and what people do fails at the time: applications connect again within minutes."""
    return failover(evidence) if felt(evidence) is not None or _broken(evidence) else None


def database_slow(evidence: Evidence) -> Words | None:
    """The database itself is late."""
    seen = evidence.database
    if seen and seen.answers and slow(evidence) and seen.seconds > _slow_after(evidence):
        return dict(seconds="%.1f" % seen.seconds)
    return None


def database_quick(evidence: Evidence) -> Words | None:
    """The application is late, and its database is not."""
    seen = evidence.database
    if seen and seen.answers and slow(evidence) and seen.seconds <= _slow_after(evidence) / 2:
        return dict(seconds="%.2f" % seen.seconds)
    return None


def database_late(evidence: Evidence) -> Words | None:
    """The database was late when it was asked, and the application was not."""
    seen = evidence.database
    if seen and seen.answers and not slow(evidence) and seen.seconds > _slow_after(evidence):
        return dict(seconds="%.1f" % seen.seconds)
    return None


def url_refused(evidence: Evidence) -> Words | None:
    """The database refuses what DATABASE_URL says, from here as well."""
    seen = evidence.database
    return dict(code=seen.code, why=seen.why) if seen and not seen.answers and seen.code else None


def what_is_lost(evidence: Evidence) -> Words | None:
    """How far back the data would go."""
    seen = evidence.instance
    if seen and seen.data_from:
        return dict(name=seen.name, ago=_ago(evidence, seen.data_from), snapshot=seen.snapshot or "the point in time")
    return None


def nothing_to_restore(evidence: Evidence) -> Words | None:
    """There is no data to go back to."""
    seen = evidence.instance
    return dict(why=seen.snapshot_problem) if seen and seen.snapshot_problem else None


def snapshot_too_young(evidence: Evidence) -> Words | None:
    """The snapshot holds the migration, too."""
    came, seen = _came_since(evidence), evidence.instance
    if came and seen and seen.data_from and seen.data_from > min(item.started for item in came):
        return dict(snapshot=seen.snapshot or "the point in time", names=_names(item.name for item in came))
    return None


# Secrets


def _secrets_since(evidence: Evidence) -> datetime | None:
    """Since when a secret that changed may be why, None where no service is known: since the release before served, else within a day."""
    fresh, services = _fresh(evidence), _services(evidence)
    if fresh:
        times = [service.proven or service.came for service in fresh]
        return min(moment for moment in times if moment)
    back = [service.proven for service in services if service.brought_back and service.proven]
    return min(back, default=evidence.at - FRESH) if services else None


def _changed_secrets(evidence: Evidence) -> list[SecretSeen]:
    since = _secrets_since(evidence)
    if since is None:
        return []
    return [secret for secret in evidence.secrets or () if secret.since > since and not secret.holds_url]


def _changed(evidence: Evidence) -> Words | None:
    found = _changed_secrets(evidence)
    if not found:
        return None
    return dict(names=_names(item.name for item in found), ago=_ago(evidence, max(item.since for item in found)))


def secret_changed(evidence: Evidence) -> Words | None:
    """A secret got another value with the release."""
    return _changed(evidence) if _fresh(evidence) else None


def url_changed(evidence: Evidence) -> Words | None:
    """The secret that holds DATABASE_URL got another value with the release."""
    since = _secrets_since(evidence) if _fresh(evidence) else None
    found = [item for item in evidence.secrets or () if since and item.since > since and item.holds_url]
    return dict(names=_names(item.name for item in found), ago=_ago(evidence, found[0].since)) if found else None


def secret_left(evidence: Evidence) -> Words | None:
    """The code was brought back, the data are harmed, and a secret still has the value that it got with the release."""
    return _changed(evidence) if brought_back(evidence) and data_harmed(evidence) is not None else None


def secret_changed_alone(evidence: Evidence) -> Words | None:
    """A secret changed lately, and the release that runs did not, or was brought back already."""
    if _fresh(evidence) or secret_left(evidence):
        return None
    return _changed(evidence)


def secret_may_be_why(evidence: Evidence) -> Words | None:
    """A secret changed, and what fails is what a wrong secret makes fail."""
    refused = login_refused(evidence) or feature_without_answer(evidence)
    return _changed(evidence) if refused and not feature_broken(evidence) else None


# What was tried


TRIED = timedelta(hours=24)
_ENDS = ("complete", "unverified")


def _runs(evidence: Evidence) -> list[RunSeen]:
    """The runs of the last day that were not undone and after which no release was deployed, newest first."""
    newest = max(_times_of_fresh(evidence), default=None)
    late = [run for run in evidence.runs if evidence.at - run.at <= TRIED and not run.undone]
    return [run for run in late if not (newest and newest > run.at)]


def _run_with(evidence: Evidence, part: str) -> RunSeen | None:
    """The newest of them that has done this and came to its end, or None."""
    return next((run for run in _runs(evidence) if part in run.parts and run.outcome in _ENDS), None)


def _tried(evidence: Evidence, run: RunSeen | None) -> Words | None:
    return dict(run=run.id, kind=run.kind, ago=_ago(evidence, run.at)) if run else None


def data_taken_back(evidence: Evidence) -> Words | None:
    """The data were taken back lately, and they are harmed."""
    return _tried(evidence, _run_with(evidence, "restore")) if data_harmed(evidence) is not None else None


def code_taken_back(evidence: Evidence) -> Words | None:
    """The code was taken back lately, and something is wrong all the same."""
    wrong = felt(evidence) is not None or data_harmed(evidence) is not None or _broken(evidence)
    return _tried(evidence, _run_with(evidence, "deployment")) if brought_back(evidence) and wrong else None


def tried(evidence: Evidence) -> Words | None:
    """The newest run that deployed or restored something within a day, whatever it came to, and no release came after it."""
    done = next((run for run in _runs(evidence) if {"deployment", "restore"} & set(run.parts)), None)
    return _tried(evidence, done)


def _undone(evidence: Evidence, part: str) -> Words | None:
    """The newest rollback of the last day that has done this and was undone, and nothing was deployed since, or None."""
    newest = max(_times_of_fresh(evidence), default=None)
    for run in evidence.runs:
        if not run.undone or evidence.at - run.undone > TRIED or part not in run.parts:
            continue
        if not newest or newest <= run.undone:
            return dict(run=run.id, kind=run.kind, ago=_ago(evidence, run.undone), by=run.undone_by)
    return None


def run_failed(evidence: Evidence) -> Words | None:
    """The newest rollback of the last day changed something and failed."""
    newest = next(iter(_runs(evidence)), None)
    return _tried(evidence, newest) if newest and newest.outcome == "failed" and newest.parts else None


def code_undone(evidence: Evidence) -> Words | None:
    """The code was taken back lately, and that was undone."""
    return None if brought_back(evidence) else _undone(evidence, "deployment")


def data_undone(evidence: Evidence) -> Words | None:
    """The data were taken back lately, and that was undone, and they are harmed."""
    return _undone(evidence, "restore") if data_harmed(evidence) is not None else None


def came_or_unknown(evidence: Evidence) -> str:
    """The names of the migrations that came since the release before served, what is not known of them, or empty."""
    if _came_since(evidence) is None:
        return "whether a migration came since the release before served is not known"
    came = migrations_came(evidence)
    return "%s came since the release before served; that it only adds is not proven" % came["names"] if came else ""


def unfinished(evidence: Evidence) -> Words | None:
    """A run was not finished."""
    run = evidence.unfinished
    return dict(run=run.id, kind=run.kind) if run else None


def apart(evidence: Evidence) -> Words | None:
    """Whatever is deployed would read another database than what runs, so that plans refuse it."""
    return dict(told=evidence.apart.told) if evidence.apart else None


def at_work(evidence: Evidence) -> Words | None:
    """A run works on the application now."""
    return dict(told=evidence.at_work) if evidence.at_work else None


def does_not_come_up(evidence: Evidence) -> str:
    """Why what runs does not come up, for people; empty where it does, or where its services are to run nothing."""
    looped, ended, failed = crash_loop(evidence), tasks_end(evidence), deployment_failed(evidence)
    seen = looped or ended
    if seen and not fenced(evidence):
        return "%(count)s tasks of %(release)s ended, and %(running)s of %(desired)s run" % seen
    return "ECS has given up deploying %(release)s to %(service)s" % failed if failed else ""


def same_release(evidence: Evidence) -> Words | None:
    """Something is known against the release that a rollback would bring back."""
    found = [(service, text) for service in _services(evidence) if not service.brought_back for text in service.against]
    return dict(release=found[0][0].before, why=_names(text for _service, text in found)) if found else None


# What nobody has asked

_RULE_VERDICTS = (WHOLE, CORRUPTED, SCHEMA, LOST)  # all that a rule can say


def gaps(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What was looked at and still says nothing: (part, why), in words. Parts that were not measured at all are in ``missing``."""
    if evidence.services == ():
        yield "services", "no service is named (rollback_services), so what runs and what came lately was not asked"
    yield from _http_gaps(evidence.http)
    yield from _log_gaps(evidence.logs)
    unknown = instance_unknown(evidence)
    if unknown:
        yield "instance", "RDS says that %(name)s is %(status)s, which is no state that is known here" % unknown
    away = turned_away(evidence)
    if away:
        yield "http", "%(path)s answers %(answer)s: %(why)s" % away
    database = evidence.database
    if database and not database.answers:
        yield "database", "it could not be asked (%s)" % (database.why or database.code or "no reason given")
    if database and database.answers:
        if not database.rules:
            yield (
                "database",
                "nobody has said what whole data are: without rollback_data_rules, corrupted and lost rows cannot be seen",
            )
        for rule in database.rules:
            if rule.verdict not in _RULE_VERDICTS:
                yield "database", "%s (rollback_data_rules, rollback_data_timeout)" % rule.told
        if database.migrations is None:
            yield "database", "Prisma's record of migrations was not found, so whether one came is not known"


def _http_gaps(http: HttpSeen | None) -> Iterator[tuple[str, str]]:
    if http is None:
        return
    for why in http.left_out:
        yield "http", why
    unknown = dict.fromkeys(
        "%s %s: %s" % (step.method, step.path, step.reason) for step in http.steps if step.verdict == "inconclusive"
    )
    for told in list(unknown)[:3]:
        yield "http", told
    if not any(step.scenario != HEALTH for step in http.steps) and not http.left_out:
        yield (
            "http",
            "no scenario is played (verify_scenarios), so whether people can log in, sign up and pay was not asked",
        )


def _log_gaps(logs: LogsSeen | None) -> Iterator[tuple[str, str]]:
    if logs and not logs.lines and not logs.doubt:
        yield "logs", "no line was found"


def steps_with_a_word(evidence: Evidence) -> list[StepSeen]:
    """Steps beyond the health check that have said something, for or against the application."""
    said = [step for step in _beyond_health(evidence) if step.verdict in ("passed", "failed")]
    return [step for step in said if step.status not in _TURNED_AWAY] if turned_away(evidence) else said


def logins_answered(evidence: Evidence) -> list[StepSeen]:
    """Those among them that log in."""
    return [step for step in steps_with_a_word(evidence) if _is_login(step)]


def others_answered(evidence: Evidence) -> list[StepSeen]:
    """Those among them that do something else."""
    return [step for step in steps_with_a_word(evidence) if not _is_login(step)]


def logs_read(evidence: Evidence) -> bool:
    """Whether the logs have lines that were understood, of every task."""
    return evidence.logs is not None and bool(evidence.logs.lines) and not evidence.logs.doubt


def data_asked(evidence: Evidence) -> bool:
    """Whether every rule of the inventory for data got an answer, and there is one."""
    seen = evidence.database
    return (
        seen is not None
        and seen.answers
        and bool(seen.rules)
        and all(rule.verdict in _RULE_VERDICTS for rule in seen.rules)
    )


# What was played


def left_behind(evidence: Evidence) -> Words | None:
    """A scenario has written something, and nothing has shown that it took it away again."""
    steps = evidence.http.steps if evidence.http else ()
    wrote = {
        step.scenario for step in steps if step.verdict == "passed" and step.method not in _READS and not step.cleans_up
    }
    kept = [
        step.scenario
        for step in steps
        if step.cleans_up and step.verdict not in ("passed", "") and step.scenario in wrote
    ]
    kept += [text.partition(": ")[0] for text in (evidence.http.left if evidence.http else ())]
    return dict(scenarios=_names(dict.fromkeys(kept))) if kept else None
