# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done with a DB instance that another one has taken the place of. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import (
    as_tag,
    entered,
    taken_out,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_REPLACED_BY, TAG_SERVED

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance

STOPPED = ("stopping", "stopped")


@dataclass(frozen=True)
class Retirement:
    """What the instance (``old``) and the one in its place (``new``) are to be tagged with (dicts), whether the first is to be stopped, and
    why not where it was asked for (empty otherwise)."""

    old: dict[str, str]
    new: dict[str, str]
    stop: bool
    kept_running: str = ""

    @property
    def steps(self) -> list[str]:
        """What is to be done with the old one, in words."""
        return ["tag it"] * bool(self.old) + ["stop it"] * self.stop


def into_service(new: DbInstance, now: datetime) -> dict[str, str]:
    """The tags (dict) that a DbInstance lacks which goes into service."""
    tags = {TAG_SERVED: as_tag(entered(new.served, now), new.resource_id)}
    if new.tags.get(TAG_REPLACED_BY):  # it was replaced once, and is back
        tags[TAG_REPLACED_BY] = ""
    return _lacking(new, tags)


def out_of_service(old: DbInstance, new: DbInstance, now: datetime, served_now: bool = False) -> dict[str, str]:
    """The tags (dict) that a DbInstance lacks in whose place ``new`` is now.

    :param served_now: whether it is known to have been in service until now.
    """
    periods = taken_out(old.served, old.created or now, now, served_now)
    return _lacking(old, {TAG_SERVED: as_tag(periods, old.resource_id), TAG_REPLACED_BY: new.name})


def _lacking(instance: DbInstance, tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if instance.tags.get(key, "") != value}


def retire(old: DbInstance, new: DbInstance, stop: bool, family: Collection[str], now: datetime) -> Retirement:
    """The Retirement of a DbInstance.

    :param old: DbInstance that was in service.
    :param new: DbInstance that has taken its place.
    :param stop: whether it is to be stopped, too (bool).
    :param family: the names of all instances that ``old`` has to do with, as lineage.Tree tells.
    :raises RollbackError: neither was restored in the place of the other.
    """
    if new.name not in family or new.name == old.name:
        raise RollbackError(
            "DB instance %s was not restored in the place of %s (its tag says %s), so %s is left alone."
            % (new.name, old.name, new.replaces or "nothing", old.name)
        )
    tags = out_of_service(old, new, now), into_service(new, now)
    if not stop or old.status in STOPPED:
        return Retirement(*tags, False)
    replicas = old.description.get("ReadReplicaDBInstanceIdentifiers", [])
    if replicas:  # RDS user guide, "Stopping an Amazon RDS DB instance temporarily", limitations
        return Retirement(*tags, False, "RDS does not stop an instance with read replicas (%s)" % ", ".join(replicas))
    if old.status != "available":
        return Retirement(*tags, False, "RDS stops an available instance only, and it is %s" % old.status)
    return Retirement(*tags, True)
