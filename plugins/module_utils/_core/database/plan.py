# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a database rollback stands, and what is refused. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import Holder, holders
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import (
    SNAPSHOT_SOURCE,
    TERMINAL,
    snapshot_ready,
    start_command,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import (
    Ancestor,
    Tree,
    last_in_common,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import (
    RestoreSelector,
    against,
    chosen,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import comparable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    BadInput,
    RollbackError,
    UnexpectedAnswer,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import (
    TAG_REPLACES,
    TAG_RUN,
    restored_instance,
    safety_snapshot,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import (
        DbInstance,
        DbSnapshot,
        Origin,
        Restorable,
    )


@dataclass(frozen=True)
class DataLoss:
    """What the rollback throws away: everything written from ``since`` until ``until``."""

    since: datetime
    until: datetime
    how_known: str

    @property
    def seconds(self) -> float:
        """How much time that is, in seconds."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True)
class Rollback:
    """Where a database rollback stands: ``state`` is ``restore``, ``resume`` or ``done``.

    ``replaced``, ``new_db_instance`` and ``safety_snapshot`` are names: of the instance that is (or was) taken out of service, of the one
    that takes its place, of the snapshot that keeps the data of the first. ``restored`` is the DbInstance of the second name, or None.
    ``safety_snapshot`` is empty where none is wanted, and ``safety`` is the DbSnapshot of that name, None where nobody has asked for it.
    ``failed`` is the DbInstance of the first, None when it is there no longer. ``kept`` tells what holds data that are not in what serves
    afterwards (what this run has restored is that), ``against`` why the source is none that what serves has come from, or is None.
    """

    state: str
    reason: str
    replaced: str
    restored: DbInstance | None
    new_db_instance: str
    safety_snapshot: str
    lost: DataLoss
    current: DbInstance
    source: Restorable
    failed: DbInstance | None = None
    kept: tuple[Holder, ...] = ()
    against: str | None = None
    safety: DbSnapshot | None = None

    @property
    def data_from(self) -> datetime:
        """The time of the data; where the source does not tell it yet, the time from which on all is lost."""
        return self.source.data_from or self.lost.since


def decide_rollback(
    db_instance: str,
    wanted: RestoreSelector,
    current_host: str | None,
    run_id: str,
    instances: Iterable[DbInstance],
    snapshots: Iterable[DbSnapshot],
    now: datetime,
    earliest: Mapping[str, datetime] | None = None,
    staged: Collection[str] = (),
) -> Rollback:
    """Where the rollback of ``db_instance`` to what is ``wanted`` stands.

    :param wanted: RestoreSelector.
    :param current_host: the host in DATABASE_URL now, or None: then it is the endpoint of ``db_instance``.
    :param instances: every DbInstance of the region.
    :param snapshots: DbSnapshots: those of ``db_instance`` and of what was restored in its place, and the one that is named.
    :param now: aware datetime.
    :param earliest: as ``chosen`` takes it.
    :param staged: as lineage.Tree takes it.
    :return: a Rollback.
    :raises BadInput, RollbackError: it cannot be done; the message says how to cure it.
    """
    tree = Tree(instances, snapshots, staged)
    if db_instance not in tree.by_name:
        raise BadInput(
            "db_instance",
            db_instance,
            "there is no such DB instance in this region",
            "The DB instances there are: %s." % ", ".join(sorted(tree.by_name)) if tree.by_name else "There are none.",
        )
    current = in_service(tree.by_name[db_instance], current_host, tree.by_name)
    line = tree.line_of(current, now)
    source = chosen(wanted, tree, line, earliest)
    done = _done(tree, current, line, source, wanted)
    if done and (not wanted.again or current.run_id == run_id):
        return done
    return _to_do(tree, current, line, source, run_id, wanted, now)


def in_service(named: DbInstance, current_host: str | None, by_name: Mapping[str, DbInstance]) -> DbInstance:
    """The instance whose endpoint the application uses: ``named``, or one of the same tree, as our runs have restored it.

    :param current_host: the host in DATABASE_URL, None for ``named``.
    :raises BadInput: it uses neither.
    """
    if current_host is None or _same_host(named.host, current_host):
        return named
    family = Tree(by_name.values(), ()).family_of(named.name)
    for instance in by_name.values():
        if _same_host(instance.host, current_host) and instance.name in family:
            return instance
    raise BadInput(
        "db_instance",
        named.name,
        "the application's DATABASE_URL names the host %s, which is neither its endpoint (%s) nor that of an instance restored in its place"
        % (current_host, named.host or "none yet"),
        "Set rollback_db_instance to the DB instance that the application uses, or fix the URL.",
    )


def _same_host(one: str | None, other: str | None) -> bool:
    return bool(one and other and comparable(one) == comparable(other))


def _restored_at(current: DbInstance, snapshot: Restorable) -> datetime | None:
    """When ``current`` was restored from this very snapshot, or None; a younger snapshot of the same name has the same ARN."""
    if current.from_snapshot != snapshot.arn or not current.created or not snapshot.created:
        return None
    return current.created if current.created > snapshot.created else None


def _done(
    tree: Tree, current: DbInstance, line: Sequence[Ancestor], snapshot: Restorable, wanted: RestoreSelector
) -> Rollback | None:
    """The Rollback that the application has behind it, or None where it uses something else than what is wanted."""
    at = _restored_at(current, snapshot)
    if not at:
        return None
    origin = made_by(current)
    reason = "The application uses %s already, which run %s restored from %s on %s" % (
        current.name,
        origin.run_id,
        snapshot.label,
        _time(at),
    )
    how_known = "from the time of the data of %s to the creation of %s" % (snapshot.label, current.name)
    lost = DataLoss(_data_from(snapshot), at, how_known)
    taken = safety_snapshot(origin.replaces, origin.run_id) if wanted.safety else ""
    replaced = tree.by_name.get(origin.replaces)
    return Rollback(
        "done",
        reason,
        origin.replaces,
        current,
        current.name,
        taken,
        lost,
        current,
        snapshot,
        replaced,
        kept=tuple(item for item in holders(tree, current, line) if not item.serves),
        safety=_named(tree, taken),
    )


def made_by(instance: DbInstance) -> Origin:
    """The Origin of an instance that a run has restored.

    :raises RollbackError: its tags do not tell it any more.
    """
    if instance.origin:
        return instance.origin
    text = (
        "DB instance %s was restored by a run, and somebody has taken a tag away that tells by which, or in whose place. Give it back: "
        "aws rds add-tags-to-resource --resource-name %s --tags Key=%s,Value=<id of the run> Key=%s,Value=<name of the DB instance that it replaces>. "
        "Then run again."
    )
    raise RollbackError(text % (instance.name, instance.arn, TAG_RUN, TAG_REPLACES))


def _to_do(
    tree: Tree,
    current: DbInstance,
    line: Sequence[Ancestor],
    snapshot: Restorable,
    run_id: str,
    wanted: RestoreSelector,
    now: datetime,
) -> Rollback:
    name = restored_instance(current.name, run_id)
    present = tree.by_name.get(name)
    state = "resume" if present else "restore"
    reason = (
        "run %s has begun to restore %s" % (run_id, name)
        if present
        else "%s is in service, and nothing has been restored yet" % current.name
    )
    if _restored_at(current, snapshot):
        reason += "; %s was restored from %s, too, and it is restored again" % (current.name, snapshot.label)
    after = tree.line(snapshot.data)
    return Rollback(
        state,
        reason,
        current.name,
        present,
        name,
        safety_snapshot(current.name, run_id) if wanted.safety else "",
        _lost(line, after, snapshot, now),
        current,
        snapshot,
        current,
        kept=tuple(item for item in holders(tree, current, after) if not (present and item.name == name)),
        against=against(snapshot, line),
        safety=_named(tree, safety_snapshot(current.name, run_id)),
    )


def _named(tree: Tree, name: str) -> DbSnapshot | None:
    return next((item for item in tree.snapshots if item.name == name), None)


def _lost(line: Sequence[Ancestor], after: Sequence[Ancestor], snapshot: Restorable, now: datetime) -> DataLoss:
    """What was written into what serves since the last moment that it has in common with what is restored."""
    since = last_in_common(line, after)
    if since is None:
        began = [one.began for one in line if one.began]
        since = min([*began, snapshot.data_from or now, now])
        how_known = "all of it: %s and %s have no moment in common that is known" % (snapshot.label, line[0].name)
    elif snapshot.data_from and since < snapshot.data_from:
        how_known = "from the last moment at which %s and %s were one to now, by this machine's clock" % (
            snapshot.label,
            line[0].name,
        )
    else:
        how_known = "from the time of the data of %s to now, by this machine's clock" % snapshot.label
    return DataLoss(min(since, now), now, how_known)


def refuse_what_cannot_be_restored(source: DbInstance, snapshot: Restorable) -> None:
    """Raise BadInput when ``snapshot`` cannot take the place of ``source``."""
    if source.cluster:
        problem = "it is part of the Aurora cluster %s, and clusters are restored otherwise" % source.cluster
        raise BadInput(
            "db_instance", source.name, problem, "This collection rolls back DB instances without a cluster."
        )
    if snapshot.problem:
        raise BadInput(snapshot.option, snapshot.name, snapshot.problem)
    _data_from(snapshot)
    if snapshot.engine != source.engine:
        raise BadInput(
            snapshot.option,
            snapshot.name,
            "it is of engine %s, but DB instance %s runs %s" % (snapshot.engine, source.name, source.engine),
        )
    if _major(snapshot) != _major(source):
        problem = "it is of %s %s, but DB instance %s runs %s" % (
            snapshot.engine,
            snapshot.engine_version,
            source.name,
            source.engine_version,
        )
        raise BadInput(
            snapshot.option,
            snapshot.name,
            problem,
            "The instance's parameter and option groups do not fit another major version.",
        )


def _major(thing: DbInstance | Restorable) -> list[str]:
    """PostgreSQL's major version is one number since 10, that of the other engines two (8.0.35)."""
    return thing.engine_version.split(".")[: 1 if thing.engine == "postgres" else 2]


def refuse_a_stranger(instance: DbInstance, snapshot: Restorable, run_id: str) -> None:
    """Raise BadInput when ``instance``, which has the name that this run's instance would have, is not this run's."""
    if instance.run_id != run_id:
        problem = (
            "the DB instance %s, which this run would make, is there already and is not this run's" % instance.name
        )
        raise BadInput("run_id", run_id, problem, "Run again with another run id; %s is left alone." % instance.name)
    if instance.from_snapshot != snapshot.arn:
        problem = "it has restored %s already, from %s" % (instance.name, instance.from_snapshot)
        raise BadInput("run_id", run_id, problem, "Run again with another run id.")


def _data_from(snapshot: Restorable) -> datetime:
    if snapshot.data_from is None:
        raise UnexpectedAnswer("DescribeDBSnapshots", "%s is available but has no SnapshotCreateTime" % snapshot.label)
    return snapshot.data_from


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def takes_snapshot(source: DbInstance, present: DbSnapshot | None, name: str, run_id: str) -> bool:
    """Whether the snapshot ``name`` of ``source`` is to be taken (True), or is there or on its way already (False).

    :param present: the DbSnapshot of that name, or None.
    :raises RollbackError: the name is taken by a stranger, it has failed, or RDS takes no snapshot of ``source`` and will not by itself.
    """
    if present is not None:
        if present.run_id == run_id and present.instance == source.name:
            ready = snapshot_ready(present)
            if isinstance(ready, Failed):
                raise RollbackError("Snapshot %s failed: %s" % (name, ready.reason))
            return False
        whose = "run %s" % present.run_id if present.run_id else "no run of this collection"
        raise RollbackError(
            "There is a snapshot %s already, of DB instance %s and taken by %s, so run %s does not call it its own. Run again with another run id."
            % (name, present.instance, whose, run_id)
        )
    if source.status in TERMINAL:
        raise RollbackError(
            "RDS takes no snapshot of DB instance %s, because it is %s. %s"
            % (source.name, source.status, _way_on(source))
        )
    return True


def waits_for(source: DbInstance) -> str | None:
    """What the safety snapshot of ``source`` has to wait for (its status), or None: RDS takes it at once."""
    return None if source.status in SNAPSHOT_SOURCE or source.status in TERMINAL else source.status


def _way_on(source: DbInstance) -> str:
    if source.status in ("stopped", "stopping"):
        return "Start it: %s. Then run again." % start_command(source.name)
    return (
        "Bring it back, or go on without the safety snapshot: -e rollback_safety_snapshot=none. What the instance holds is in the instance "
        "alone then, so nobody may delete it."
    )
