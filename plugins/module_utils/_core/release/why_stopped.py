# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a task has stopped: because of what is in it, or because somebody or AWS stopped it, or did not start it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.stopped_task import StoppedTask

_NO_CAPACITY = re.compile(
    r"^RESOURCE:|capacity is unavailable|insufficient capacity|no container instance met|placement constraint",
    re.IGNORECASE,
)
# ECS developer guide, "stopped tasks error messages": what AWS itself did not do, whichever release was to start.
_NOT_STARTED = re.compile(
    r"network interface (provisioning|creation)|create network interface|InsufficientFreeAddresses|toomanyrequests|too many requests"
    r"|rate (limit )?exceeded|pull rate limit|throttl|RequestLimitExceeded|service ?unavailable|internal ?(server ?)?error|bad gateway|gateway time-?out"
    r"|(docker|ContainerRuntime)TimeoutError|agent (is )?(disconnected|not connected)",
    re.IGNORECASE,
)
_HOST_GONE = re.compile(r"^Host EC2 |instance .{0,40}(terminated|deregistered)", re.IGNORECASE)
_SCALING = "Scaling activity initiated"
_BY_OTHERS = (
    "Your Spot Task was interrupted",
    "ECS is performing maintenance",
    "Task stopped by user",
    _SCALING,
    "Host EC2",
)


def scaled_in(task: StoppedTask) -> bool:
    """Whether it was stopped because the service was to have fewer tasks, or those of another release."""
    return task.reason.startswith(_SCALING)


def by_others(task: StoppedTask) -> bool:
    """Whether somebody, or AWS, has stopped it for a reason that its code has nothing to do with."""
    return task.reason.startswith(_BY_OTHERS)


def no_capacity(task: StoppedTask) -> bool:
    return task.code == "TaskFailedToStart" and bool(_NO_CAPACITY.search(task.reason))


def not_started(task: StoppedTask) -> bool:
    """Whether AWS did not bring a task up, or took its host away."""
    if no_capacity(task):
        return False
    return bool(
        _HOST_GONE.search(task.reason) or (task.code == "TaskFailedToStart" and _NOT_STARTED.search(task.reason))
    )


def failed_health(task: StoppedTask) -> bool:
    return task.reason.startswith("Task failed")  # ELB or container health checks


def of_its_own(task: StoppedTask) -> bool:
    """Whether a task may have ended because of what is in it, and not because somebody or AWS stopped it."""
    if failed_health(task):
        return True
    by_aws = no_capacity(task) or not_started(task)
    return task.code in ("EssentialContainerExited", "TaskFailedToStart") and not by_aws


def by_application(task: StoppedTask) -> bool:
    """Whether it surely has: what ends with 0 has done what it was to do, and what never started has done nothing."""
    exited = task.code == "EssentialContainerExited" and any(item.code for item in task.exits)
    return failed_health(task) or exited
