# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives a restored instance the password that applications have now: the one that its data have is from the day of the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_PASSWORD
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock, State, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway


def give(
    gateway: RdsGateway,
    name: str,
    password: str,
    version_id: str,
    timeout: float,
    clock: Clock,
    tell: Callable[[Pending, float], object] | None = None,
) -> bool:
    """Set the master password of a DB instance, unless it was given the one of this version of the secret already. Whether it was set.

    RDS tells nobody which password an instance has, so a tag tells which version of the secret it came from. It begins with the instance's own
    DbiResourceId, because what is restored from a snapshot of it may inherit the tag, and not the password.

    :param timeout: seconds until it has taken effect.
    :raises RollbackError: RDS refuses it, or it has not taken effect in time.
    """
    given = gateway.source(name)
    mark = "%s/%s" % (given.resource_id, version_id)
    if given.tags.get(TAG_PASSWORD) == mark:
        return False
    asked: list[bool] = []

    def look() -> State:
        instance = gateway.source(name)
        if instance.status != "available":
            return Pending(0, 1, "%s is %s" % (name, instance.status))
        if not asked:
            request = dict(DBInstanceIdentifier=name, MasterUserPassword=password, ApplyImmediately=True)
            asked.extend([True] if gateway.modify(request) else [])
            return Pending(0, 1, "%s is asked to take the password of now" % name, fresh=True)
        if "MasterUserPassword" in instance.description.get("PendingModifiedValues", {}):
            return Pending(0, 1, "%s has not taken the password of now yet" % name)
        return Ready()

    wait_for("The password of DB instance %s" % name, look, timeout, clock, tell=tell)
    gateway.tag(given.arn, {TAG_PASSWORD: mark})
    return True
