# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application's history on a small model of RDS that knows which rows are where: what lineages are measured with."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.retire import into_service, out_of_service
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot, PointInTime
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import restored_instance, safety_snapshot

BEGIN = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
NEWER = (
    "spymeo:rollback-data",
    "spymeo:rollback-served",
    "spymeo:rollback-safety",
)  # what older versions did not write


@dataclasses.dataclass
class Machine:
    """An instance: when it was made, its tags, the rows it holds (dict row → time), and the instance that its data have come from."""

    created: datetime
    tags: dict
    rows: dict
    parent: str | None = None


class History:
    """Operations a minute and a bit apart. ``rows`` are numbers; a row is written into what serves, a stray one into what does not."""

    def __init__(self, instance_answer, snapshot_answer, older=False):
        self._instance_answer, self._snapshot_answer = instance_answer, snapshot_answer
        self.older = older  # as runs of older versions leave it: without the tags that tell periods and data
        self.now = BEGIN
        self.machines = {"app-db": Machine(BEGIN, {}, {})}
        self.strays = set()
        self.snapshots = []  # dicts of changes, with the rows they hold
        self.serves = "app-db"
        self.numbers = iter(range(1, 10_000))
        self.moves = []  # (from, to), for undos
        self.served = {"app-db": [[BEGIN, None]]}

    def tick(self):
        self.now += timedelta(minutes=1, microseconds=next(self.numbers) * 1234 % 1_000_000)
        return self.now

    def write(self):
        self.machines[self.serves].rows[next(self.numbers)] = self.tick()

    def stray(self, name):
        """Somebody who was not told writes into an instance that is out of service."""
        if name != self.serves:
            machine, row = self.machines[name], next(self.numbers)
            machine.rows[row] = self.tick()
            self.strays.add(row)

    def snapshot(self, name, called=None, **tags):
        machine, at = self.machines[name], self.tick()
        inherited = {key: value for key, value in machine.tags.items() if not key.startswith("aws:")}
        self.snapshots.append(
            dict(
                name=called or "snapshot-%d" % next(self.numbers),
                DBInstanceIdentifier=name,
                SnapshotCreateTime=at,
                OriginalSnapshotCreateTime=at,
                tags={**inherited, **tags},
                rows=dict(machine.rows),
            )
        )
        return self.snapshots[-1]["name"]

    def copy(self, index):
        original = self.snapshots[index % len(self.snapshots)]
        self.snapshots.append({**original, "name": "copy-%d" % next(self.numbers), "SnapshotCreateTime": self.tick()})

    def by_hand(self, index):
        """Somebody restores a snapshot beside, without passing tags: RDS gives the new instance those of the snapshot's instance."""
        origin = self.snapshots[index % len(self.snapshots)]
        name = "hand-%d" % next(self.numbers)
        self.machines[name] = Machine(
            self.tick(), dict(origin["tags"]), dict(origin["rows"]), parent=origin["DBInstanceIdentifier"]
        )
        return name

    def staged(self, source, rows):
        """A rollback that dies before it deploys anything, right after it has written down that the restored instance goes into service."""
        name = self._restore(source, rows)
        self.machines[name].tags.update(self._of_today(into_service(self.instance(name), self.tick())))
        return name

    def rollback(self, source, rows):
        """A whole rollback to a DbSnapshot or PointInTime that holds these rows."""
        old, name = self.serves, self._restore(source, rows)
        run_id = self.instance(name).run_id
        kept = self._of_today({"spymeo:rollback-safety": self.instance(old).resource_id})
        self.snapshot(old, safety_snapshot(old, run_id), **{"spymeo:rollback-run": run_id, **kept})
        self.write()
        self._move(old, name)
        return name

    def _restore(self, source, rows):
        run_id = "rb-20261122-%06d" % next(self.numbers)
        old, name = self.serves, restored_instance(self.serves, run_id)
        tags = {
            "spymeo:rollback-run": run_id,
            "spymeo:rollback-source-snapshot": source.arn,
            "spymeo:rollback-replaces": old,
            "spymeo:rollback-data": source.data.as_tag(name),
        }
        self.machines[name] = Machine(self.tick(), self._of_today(tags), dict(rows), parent=source.instance)
        return name

    def undo(self):
        if self.moves:
            old, new = self.moves.pop()
            self._move(new, old)

    def _move(self, old, new):
        at = self.tick()
        self.machines[new].tags.update(self._of_today(into_service(self.instance(new), at)))
        self.machines[old].tags.update(self._of_today(out_of_service(self.instance(old), self.instance(new), at, True)))
        self.serves = new
        self.served[old][-1][1] = at
        self.served.setdefault(new, []).append([at, None])
        if (new, old) not in self.moves and self.machines[new].created == max(
            m.created for m in self.machines.values()
        ):
            self.moves.append((old, new))

    def _of_today(self, tags):
        return {key: value for key, value in tags.items() if not (self.older and key in NEWER)}

    # As RDS tells it

    def instance(self, name):
        machine = self.machines[name]
        return DbInstance.from_boto(
            self._instance_answer(
                name=name, tags=machine.tags, InstanceCreateTime=machine.created, LatestRestorableTime=self.now
            )
        )

    def instances(self):
        return [self.instance(name) for name in self.machines]

    def as_snapshot(self, changes):
        told = {key: value for key, value in changes.items() if key != "rows"}
        return DbSnapshot.from_boto(self._snapshot_answer(**told))

    def all_snapshots(self):
        return [self.as_snapshot(changes) for changes in self.snapshots]

    # What is true

    def rows_of(self, source):
        """The rows that a DbSnapshot or PointInTime holds."""
        if isinstance(source, PointInTime):
            rows = self.machines[source.instance].rows
            return {row: at for row, at in rows.items() if at <= source.moment}
        return next(item["rows"] for item in self.snapshots if item["name"] == source.name)

    def ancestors(self):
        """The names of what serves and of what its data have come from."""
        found, name = [], self.serves
        while name:
            found.append(name)
            name = self.machines[name].parent
        return found
