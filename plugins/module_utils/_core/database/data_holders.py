# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances and snapshots hold something that was written in service and is not in what serves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, InstanceData
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.time_in_service import Period

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Ancestor, Tree


@dataclass(frozen=True)
class Holder:
    """A DB instance that holds what was written in ``periods`` (tuple of Period). ``status`` is RDS's, empty when it is gone: then only
    ``snapshots`` (names) of it hold something, up to ``snapshots_until``, None where that is not known. ``never_served`` is the run that has made
    it, where that has ended before anything could read it: then it holds nothing that was written in service."""

    name: str
    periods: tuple[Period, ...]
    status: str
    snapshots: tuple[str, ...] = ()
    serves: bool = False
    snapshots_until: datetime | None = None
    never_served: str = ""

    @property
    def line(self) -> str:
        """For people, in one line."""
        if self.never_served:
            what = "DB instance %s, which run %s has restored, was never in service: the run has ended before it deployed what reads it"
            return what % (self.name, self.never_served)
        when = " and ".join(_when(period, self.serves) for period in self.periods) or "at a time that is not known"
        if not self.status:
            return "%s is gone; of what was written %s, its snapshots hold what they hold: %s" % (
                self.name,
                when,
                ", ".join(self.snapshots),
            )
        also = " (also in snapshot %s%s)" % (", ".join(self.snapshots), self._as_far) if self.snapshots else ""
        return "DB instance %s%s: what was written %s%s" % (
            self.name,
            "" if self.status == "available" else " (%s)" % self.status,
            when,
            also,
        )

    @property
    def _as_far(self) -> str:
        """Where its snapshots end before it was out of service, up to when they hold something."""
        if not self.snapshots_until or (self.last and self.last <= self.snapshots_until):
            return ""
        return ", as far as it was written by %s" % _time(self.snapshots_until)

    @property
    def last(self) -> datetime | None:
        """The end of its last period, for an order; one without an end has none."""
        return self.periods[-1].until if self.periods else None


def _when(period: Period, serves: bool) -> str:
    since = "from %s" % _time(period.since) if period.since else "before another one took its place"
    if period.until:
        return "%s to %s" % (since, _time(period.until))
    return "%s until now" % since if serves else since + " until another one took its place" * bool(period.since)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def holders(tree: Tree, current: DbInstance, line: Sequence[Ancestor]) -> tuple[Holder, ...]:
    """Every Holder of what is not in ``line``, the line of what serves or is to serve; the newest first.

    :param current: DbInstance that is in service now.
    """
    found = []
    for name in sorted(tree.family(current, line)):
        instance = tree.by_name.get(name)
        holder = _of_instance(tree, instance, current, line) if instance else _of_snapshots(tree, name, line)
        if holder:
            found.append(holder)
    if current.created is None:
        return tuple(found)
    order = datetime.max.replace(tzinfo=current.created.tzinfo)
    return tuple(
        sorted(found, key=lambda item: (not item.never_served, bool(item.status), item.last or order), reverse=True)
    )


def _of_instance(tree: Tree, instance: DbInstance, current: DbInstance, line: Sequence[Ancestor]) -> Holder | None:
    bound = _bound(line, InstanceData(instance.resource_id, instance.name, None))
    periods = tuple(filter(None, (_beyond(period, bound) for period in tree.served(instance, current))))
    if not periods:
        staged = instance.name in tree.staged and not tree.served(instance, current)
        return Holder(instance.name, (), instance.status, never_served=instance.run_id or "") if staged else None
    kept = _snapshots(tree, instance.name, instance.resource_id, periods[0].since, harm=True)
    until = max((item.data_from for item in tree.snapshots if item.name in kept and item.data_from), default=None)
    return Holder(instance.name, periods, instance.status, kept, instance.name == current.name, until)


def _of_snapshots(tree: Tree, name: str, line: Sequence[Ancestor]) -> Holder | None:
    """A Holder of an instance that is gone, or None when no snapshot of it holds anything else than the line."""
    bound = _bound(line, InstanceData(name, name, None))
    moments = [item.data_from for item in tree.snapshots if item.instance == name and item.data_from]
    if not [item for item in tree.snapshots if item.of_harm and item.instance == name] or not moments:
        return None
    since = bound or min(moments)
    kept = _snapshots(tree, name, None, since, harm=False)
    return Holder(name, (Period(since, max(moments)),), "", kept) if kept else None


def _snapshots(tree: Tree, name: str, resource_id: str | None, since: datetime, harm: bool) -> tuple[str, ...]:
    """The names of the available snapshots of an instance with data from after ``since``."""
    return tuple(
        item.name
        for item in tree.snapshots
        if item.instance == name
        and resource_id in (None, item.resource_id or resource_id)
        and item.status == "available"
        and item.data_from
        and item.data_from > since
        and (item.of_harm or not harm)
    )


def _bound(line: Sequence[Ancestor], data: InstanceData) -> datetime | None:
    """Up to when an instance's data are in the line: ``None`` for not at all."""
    moments = [ancestor.one_until for ancestor in line if ancestor.holds(data) and ancestor.one_until]
    return max(moments, default=None)


def _beyond(period: Period, bound: datetime | None) -> Period | None:
    """What of a Period is after ``bound``, or None."""
    if bound is None or period.since >= bound:
        return period
    if period.until and period.until <= bound:
        return None
    return Period(bound, period.until)


def holder_result(holder: Holder) -> dict[str, Any]:
    """A Holder in JSON types."""
    return dict(
        db_instance=holder.name,
        status=holder.status,
        snapshots=list(holder.snapshots),
        serves=holder.serves,
        never_served=bool(holder.never_served),
        told=holder.line,
    )
