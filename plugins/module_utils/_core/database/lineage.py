# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which data are where, from when to when: DB instances, snapshots, restores, cutovers and undos as one tree. Pure.

An instance that a run has restored began with what another one held at one time. So its line of ancestors is: its own data, those of
that other one up to that time, and so on. Two lines are one up to the last moment that both have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import (
    DbInstance,
    DbSnapshot,
    InstanceData,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import Period


@dataclass(frozen=True)
class Ancestor:
    """A member of a line. ``instance`` is None when it is there no longer.

    - ``one_until``: the last moment at which what it held is part of the line; None where that is not known.
    - ``began``, ``left``: since when it was in service, and when another one took its place; ``left`` is None for the first of a
      line. What is not written down is the earliest that it can have been.
    """

    of: str
    name: str
    instance: DbInstance | None
    one_until: datetime | None
    began: datetime | None = None
    left: datetime | None = None

    def holds(self, data: InstanceData) -> bool:
        """Whether InstanceData are those of this very instance, not of another one that had its name."""
        if data.of == self.of:
            return True
        return not (_is_id(data.of) and _is_id(self.of)) and data.name == self.name


def _is_id(of: str) -> bool:
    """Whether that is a DbiResourceId; names have small letters only."""
    return of != of.lower()


class Tree:
    """The DbInstances of a region (list) and the DbSnapshots (list) that are known.

    :param staged: the names of those of ``staged_only`` with whose run nothing was deployed since they were made ready.
    """

    def __init__(
        self, instances: Iterable[DbInstance], snapshots: Iterable[DbSnapshot], staged: Collection[str] = ()
    ) -> None:
        self.instances = list(instances)
        self.staged = frozenset(staged)
        self.snapshots = list(snapshots)
        self.by_name = {instance.name: instance for instance in self.instances}
        self._by_id = {instance.resource_id: instance for instance in self.instances}

    def found(self, data: InstanceData) -> DbInstance | None:
        """The DbInstance that InstanceData are of, or None."""
        if _is_id(data.of):
            return self._by_id.get(data.of)
        return self.by_name.get(data.name)

    def began_with(self, instance: DbInstance) -> InstanceData | None:
        """The InstanceData that a DbInstance began with, or None where no run of ours has restored it. ``at`` is None where nobody knows."""
        if not instance.ours:
            return None
        if instance.data:
            return instance.data
        source = instance.from_snapshot or ""
        arn, _at, moment = source.partition("@")
        if moment:
            name = arn.rpartition(":")[2]
            return InstanceData(name, name, datetime.fromisoformat(moment.replace("Z", "+00:00")))
        for snapshot in self.snapshots:
            if snapshot.arn == source and snapshot.created and instance.created and snapshot.created < instance.created:
                return snapshot.data
        return InstanceData(instance.replaces, instance.replaces, None) if instance.replaces else None

    def line(self, data: InstanceData) -> tuple[Ancestor, ...]:
        """The line of InstanceData: a tuple of Ancestor, the one that the data are of first."""
        line: list[Ancestor] = []
        names: set[str] = set()
        held: InstanceData | None = data
        until, later = data.at, None
        while held is not None and held.name not in names:
            instance = self.found(held)
            if instance and later and later.created and instance.created and instance.created > later.created:
                instance = None  # it has the name of one that was there before
            names.add(held.name)
            line.append(
                Ancestor(
                    of=instance.resource_id if instance else held.of,
                    name=held.name,
                    instance=instance,
                    one_until=until,
                    began=_began(instance) if instance else None,
                    left=self._left(held.name, instance, later) if later else None,
                )
            )
            later = instance
            held = self.began_with(instance) if instance else None
            until = min(until, held.at) if held and held.at and until else None
        return tuple(line)

    def line_of(self, instance: DbInstance, now: datetime) -> tuple[Ancestor, ...]:
        """The line of what a DbInstance holds now."""
        return self.line(InstanceData(instance.resource_id, instance.name, now))

    def _left(self, name: str, instance: DbInstance | None, later: DbInstance) -> datetime | None:
        """When the instance of that name was taken out of service, on the way to ``later``."""
        if instance and instance.served and instance.served[-1].until:
            return instance.served[-1].until
        took_over = [other for other in self.instances if other.replaces == name and other.name not in self.staged]
        known = [other.created for other in took_over if other.created]
        return min([*known, later.created] if later.created else known, default=None)

    def family(self, current: DbInstance, line: Iterable[Ancestor]) -> set[str]:
        """The names of every instance that has to do with ``current`` (DbInstance) or is in ``line``, those that are gone among them."""
        return self._family({current.name, *(ancestor.name for ancestor in line)})

    def _family(self, names: set[str]) -> set[str]:
        before: set[str] = set()
        while names != before:
            before = set(names)
            for instance in self.instances:
                kin = self._kin(instance)
                if len(kin) > 1 and kin & names:
                    names |= kin
        return names

    def family_of(self, name: str) -> set[str]:
        """The names of every instance that has to do with the one of that name, which need not be there."""
        return self._family({name})

    def _kin(self, instance: DbInstance) -> set[str]:
        data = self.began_with(instance)
        kin = {instance.name, instance.replaces, data.name} if data else {instance.name}
        return {name for name in kin if name}

    def served(self, instance: DbInstance, current: DbInstance) -> tuple[Period, ...]:
        """When a DbInstance was in service, as far as is known: a tuple of Period. ``current`` is the one that is in service now."""
        periods = instance.served
        if instance.name == current.name:
            if not periods:
                return (Period(instance.created),) if instance.created else ()
            return (*periods, Period(periods[-1].until)) if periods[-1].until else periods
        if instance.name in self.staged:
            return periods[:-1]
        if periods:
            return periods
        took_over = any(other.replaces == instance.name and other.name not in self.staged for other in self.instances)
        gave_way = any(other.replaced_by == instance.name == _replacer(instance, other) for other in self.instances)
        return (Period(instance.created),) if instance.created and (took_over or gave_way) else ()


def staged_only(instances: Iterable[DbInstance], current_host: str | None) -> list[DbInstance]:
    """The DbInstances of which it is not certain whether they were in service. Their run has written that down before it deployed anything, and
    no end: it may have died in between.

    :param current_host: the host in DATABASE_URL.
    """
    return [
        one
        for one in instances
        if one.run_id and one.served and one.served[-1].until is None and (one.host or "") != (current_host or "")
    ]


def never_deployed(candidates: Iterable[DbInstance], deployed: Collection[str]) -> frozenset[str]:
    """The names of those DbInstances of ``staged_only`` with whose run nothing was deployed since, so that they were not in service.

    :param deployed: the ids of the runs that have deployed something to any service since.
    """
    return frozenset(one.name for one in candidates if one.run_id not in deployed)


def _replacer(instance: DbInstance, other: DbInstance) -> str | None:
    """Name of ``instance`` if it was made to take the place of ``other``, else None."""
    return instance.name if instance.replaces == other.name else None


def _began(instance: DbInstance) -> datetime | None:
    return instance.served[0].since if instance.served else instance.created


def last_in_common(one: Sequence[Ancestor], other: Sequence[Ancestor]) -> datetime | None:
    """The last moment at which two lines were one, None where none is known."""
    moments = [
        min(mine.one_until, theirs.one_until)
        for mine in one
        for theirs in other
        if mine.one_until and theirs.one_until and mine.holds(InstanceData(theirs.of, theirs.name, None))
    ]
    return max(moments, default=None)
