# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a service comes to stand at 0 tasks while its database is rolled back, how it gets back what it had, and who has interfered. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence, Suspended
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import WATCH
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import (
    failed_tasks_that_prove_it,
    short,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    judge_traffic,
    some_healthy,
    unknown_targets,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import ServiceObservation

FENCE, LIFT = "fence", "lift"
ALL = (True, True, True)  # what is suspended of scaling while a service stands at 0


def next_to_fence(fence: Fence | None, desired: int, suspended: Suspended | None, running: int) -> str | None:
    """What is to be done next so that a service stands at 0 tasks: ``tag``, ``suspend``, ``remember``, ``scale``, ``wait``, or None.

    Scaling is suspended first: without that, Application Auto Scaling brings tasks back as soon as they are gone. A count that somebody has set
    since is remembered in place of the one that was there before, so that the service gets back what is wanted now.

    :param fence: the Fence that the service bears, or None.
    :param desired: its desired count now.
    :param suspended: what is suspended of its scalable target now, or None without one.
    :param running: how many of its tasks are not gone yet.
    """
    if fence is None:
        return "tag"
    if suspended is not None and suspended != ALL:
        return "suspend"
    if desired:
        return "scale" if desired == fence.desired else "remember"
    return "wait" if running else None


def next_to_lift(fence: Fence | None, desired: int, suspended: Suspended | None, running: int) -> str | None:
    """What is to be done next so that a service has back what it had: ``scale``, ``wait``, ``resume``, ``untag``, or None.

    Its tasks are there before scaling resumes, because a capacity below the minimum would be changed at once. A count that somebody has set
    since stays.
    """
    if fence is None:
        return None
    if desired == 0:
        return "scale"
    if running < min(fence.desired, desired):
        return "wait"
    if fence.suspended is not None and suspended not in (None, fence.suspended):
        return "resume"
    return "untag"


def tasks_back(seen: ServiceObservation, ended: int, failed: int, seconds: float) -> Ready | Pending | Failed:
    """Whether the tasks serve that a service is to have again. That as many run as are wanted proves nothing: so do tasks that crash, for a moment.

    :param seen: the ServiceObservation of now, whose targets tell of traffic; where they cannot, tasks that stay for a while count.
    :param ended: how many of its tasks have ended of their own since they were wanted again.
    :param failed: how many ECS counts as failed since then.
    :param seconds: how long as many tasks are there as are wanted.
    """
    service, release = seen.service, short(seen.expected)
    enough = failed_tasks_that_prove_it(service.desired)
    if ended >= enough or failed >= enough:
        told = "%d tasks of %s on %s ended since they are wanted again, so it will not come up%s"
        nobody = "" if some_healthy(seen) else ", and nobody is served"
        return Failed(told % (max(ended, failed), release, service.name, nobody))
    primary = service.primary
    if primary and primary.rollout_state == "FAILED" and service.running < service.desired:
        return Failed("ECS has given up deploying %s to %s, and starts no more tasks of it" % (release, service.name))
    traffic = judge_traffic(seen)
    if service.running < service.desired or (service.balancers and not unknown_targets(seen)):
        return traffic
    told = "%s: %d of %d tasks run %s" % (service.name, service.running, service.desired, release)
    if seconds >= WATCH:
        return Ready(told)
    return Pending(service.running, service.desired, "%s; they are watched for %d s" % (told, WATCH))


def lift_line(name: str, fence: Fence | None, desired: int, suspended: Suspended | None, running: int) -> str:
    """What becomes of a service when its fence is lifted, for people. Arguments as ``next_to_lift`` takes them."""
    if fence is None and desired:
        return "%s: stays as it is (desired count %d): it bears no mark of a run, so there is nothing to give back" % (
            name,
            desired,
        )
    if fence is None:
        what = "who has brought it there, and from how many, is not known here. This gives it N tasks:"
        return "%s: stays at 0 tasks: it bears no mark of a run, so %s" % (name, what)
    step, told = next_to_lift(fence, desired, suspended, running), []
    if step == "scale":
        told.append("desired count 0 -> %d" % fence.desired)
    elif step == "wait":
        told.append("desired count %d, and %d of %d tasks run: wait for the others" % (desired, running, fence.desired))
    if fence.suspended is not None and suspended not in (None, fence.suspended):
        told.append("its scaling as it was (%s)" % _scaling_line(fence.suspended))
    told.append("then the mark of run %s is taken away" % fence.run_id)
    return "%s: %s" % (name, "; ".join(told))


def count_command(cluster: str, name: str) -> str:
    """The command that gives a service N tasks, which nobody knows here."""
    return "aws ecs update-service --cluster %s --service %s --desired-count N" % (shlex.quote(cluster), name)


def _scaling_line(suspended: Suspended) -> str:
    kinds = [kind for kind, off in zip(("scaling in", "scaling out", "scheduled scaling"), suspended) if off]
    return "suspended: %s" % ", ".join(kinds) if kinds else "nothing suspended"


def broken(name: str, fence: Fence, desired: int, stood: bool, started: Iterable[str] = ()) -> str | None:
    """What somebody else has done to a fence, for people; None where nothing was seen.

    :param fence: the Fence that the service bears.
    :param desired: its desired count now.
    :param stood: whether it was seen at 0 before.
    :param started: messages of ECS (str) that tell of tasks that were started since then.
    """
    who = "not by this run (CloudTrail tells who has called UpdateService)"
    if desired and (stood or desired != fence.desired):
        # A run that died may have written the mark, and nothing else.
        where = "stood at 0 tasks for run %s" if stood else "was to stand at 0 tasks for run %s"
        return "%s %s, and its desired count was set to %d since, %s" % (name, where % fence.run_id, desired, who)
    if stood and started:
        return "%s stood at 0 tasks for run %s, and tasks were started since, %s: %s" % (
            name,
            fence.run_id,
            who,
            "; ".join(started),
        )
    return None


def recounted(planned: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """What is told of desired counts that somebody has changed between the plan and the fence, one sentence a service.

    :param planned: service → the count that the run has seen before it changed anything.
    :param found: service → the count that it had when it was brought to 0, which is what it gets back.
    """
    return [
        "%s had a desired count of %d when the run looked, and of %d when it was to be brought to 0 tasks: somebody, or its scaling, "
        "has set that meanwhile, not this run. It gets back the %d" % (name, planned[name], count, count)
        for name, count in sorted(found.items())
        if name in planned and planned[name] != count
    ]
