# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which data a database rollback goes back to, the whole order of precedence. Pure: no AWS, no clock, no Ansible.

1. A point in time: of the instance that was in service then, which is what serves or an ancestor of it.
2. The newest snapshot with data of a time or earlier: of what serves, and of its ancestors as far as they are one with it. Never a
   safety snapshot, nor a copy of one.
3. The snapshot of a name, whatever it is; ``against`` says what speaks against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import (
    DbSnapshot,
    PointInTime,
    Restorable,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Ancestor, Tree


@dataclass(frozen=True)
class RestoreSelector:
    """What the operator wants the data from: the snapshot of a name, the newest one with data of ``before`` or earlier, or a
    ``point_in_time``. A time is said for one occasion and a name stands in the inventory, so a time comes first.

    ``again``: what was restored from the very same data is not taken for what is wanted. ``safety``: whether the failed instance gets a
    safety snapshot.
    """

    snapshot: str = ""
    before: datetime | None = None
    point_in_time: datetime | None = None
    again: bool = False
    safety: bool = True

    @property
    def by_name(self) -> bool:
        """Whether the snapshot of the name is wanted."""
        return self.before is None and self.point_in_time is None


def chosen(
    wanted: RestoreSelector, tree: Tree, line: Sequence[Ancestor], earliest: Mapping[str, datetime] | None = None
) -> Restorable:
    """The DbSnapshot or PointInTime that is wanted.

    :param tree: lineage.Tree of the instances and of the snapshots there are.
    :param line: the line (tuple of lineage.Ancestor) of what serves.
    :param earliest: DbiResourceId → the earliest time that its automated backups can be restored to; empty where that was not read.
    :raises BadInput: there is none.
    """
    if wanted.before and wanted.point_in_time:
        problem = "rollback_snapshot_before is given, too"
        raise BadInput("point_in_time", wanted.point_in_time.isoformat(), problem, "Give one of them.")
    if wanted.point_in_time:
        return _at(wanted.point_in_time, line, earliest or {})
    if wanted.before:
        return _newest(wanted.before, tree.snapshots, line)
    found = next((item for item in tree.snapshots if item.name == wanted.snapshot), None)
    if found is None:
        raise BadInput("snapshot", wanted.snapshot, "there is no such snapshot", _listed(tree.snapshots, line[0].name))
    return found


def _at(moment: datetime, line: Sequence[Ancestor], earliest: Mapping[str, datetime]) -> PointInTime:
    """The PointInTime of the instance of the line that was in service then; of the oldest one, when none was."""
    then = next((one for one in line if one.began and one.began <= moment), line[-1])
    if then.instance is None:
        problem = "%s was in service then, and is there no longer" % then.name
        cure = "Name a snapshot of it that is from before that time (rollback_snapshot, rollback_snapshot_before)."
        raise BadInput("point_in_time", moment.isoformat(), problem, cure)
    return PointInTime.of(then.instance, moment, earliest.get(then.instance.resource_id))


def _newest(before: datetime, snapshots: Sequence[DbSnapshot], line: Sequence[Ancestor]) -> DbSnapshot:
    harm = {(item.data.of, item.data_from) for item in snapshots if item.of_harm}
    eligible = [
        (item.data_from, item)
        for item in snapshots
        if item.problem is None
        and item.data_from
        and item.data_from <= before
        and (item.data.of, item.data_from) not in harm
        and of_one(item, line)
    ]
    if not eligible:
        problem = "no available snapshot has data of that time or earlier that %s has come from" % line[0].name
        raise BadInput("snapshot_before", before.isoformat(), problem, _listed(snapshots, line[0].name))
    return max(eligible, key=lambda pair: pair[0])[1]


def of_one(snapshot: Restorable, line: Sequence[Ancestor]) -> bool:
    """Whether what serves has come from the data of a snapshot."""
    first = line[0]
    if first.holds(snapshot.data):
        return True
    return any(
        ancestor.one_until and snapshot.data_from and snapshot.data_from <= ancestor.one_until
        for ancestor in line
        if ancestor.holds(snapshot.data)
    )


def against(source: Restorable, line: Sequence[Ancestor]) -> str | None:
    """What speaks against a DbSnapshot or PointInTime: a sentence why it is not of the line of what serves, or None."""
    ancestor = next((one for one in line if one.holds(source.data)), None)
    serves = line[0].name
    if ancestor is None:
        namesake = any(one.name == source.instance for one in line)
        which = "another DB instance that had the name %s" if namesake else "DB instance %s"
        return "it was taken of %s (%s), from which %s, which is in service, is not known to have come" % (
            which % source.instance,
            source.data.of,
            serves,
        )
    if ancestor.left and source.data_from and source.data_from > ancestor.left:
        return "its data are of %s, and %s had been taken out of service at %s; %s has never had them" % (
            _time(source.data_from),
            ancestor.name,
            _time(ancestor.left),
            serves,
        )
    return None


def _listed(snapshots: Iterable[DbSnapshot], name: str) -> str:
    known = ["%s (%s, %s)" % (item.name, item.status, _time(item.data_from)) for item in snapshots]
    if not known:
        return "There are no snapshots of %s at all." % name
    return "The snapshots of %s there are: %s." % (name, ", ".join(known))


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else "no time yet"
