# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a database rollback stands, and what is refused. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError, UnexpectedAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.ready import SNAPSHOT_SOURCE
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.settings import findings
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.state import DbInstance
from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import restored_instance, safety_snapshot


@dataclass(frozen=True)
class Lost:
    """What the rollback throws away: everything written from ``since`` until ``until``."""

    since: datetime
    until: datetime
    how_known: str

    @property
    def seconds(self):
        """How much time that is, in seconds."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True)
class Rollback:
    """Where a database rollback stands: ``state`` is ``restore``, ``resume`` or ``done``.

    ``replaced``, ``new_db_instance`` and ``safety_snapshot`` are names: of the instance that is (or was) taken out of service, of the one
    that takes its place, of the snapshot that keeps the data of the first. ``restored`` is the DbInstance of the second name, or None.
    """

    state: str
    reason: str
    replaced: str
    restored: DbInstance | None
    new_db_instance: str
    safety_snapshot: str
    lost: Lost
    findings: tuple[str, ...]


def decide_rollback(db_instance, snapshot_name, current_host, run_id, instances, snapshot, snapshots, now):
    """Where the rollback of ``db_instance`` to ``snapshot_name`` stands.

    :param current_host: the host in DATABASE_URL now, or None: then it is the endpoint of ``db_instance``.
    :param instances: every DbInstance of the region.
    :param snapshot: the DbSnapshot of that name, or None.
    :param snapshots: the DbSnapshots of ``db_instance``, for the message when the named one is missing.
    :param now: aware datetime.
    :return: a Rollback.
    :raises BadInput, RollbackError: it cannot be done; the message says how to cure it.
    """
    by_name = {instance.name: instance for instance in instances}
    if db_instance not in by_name:
        raise BadInput(
            "db_instance",
            db_instance,
            "there is no such DB instance in this region",
            _list("DB instances", sorted(by_name)),
        )
    if snapshot is None:
        names = ["%s (%s, %s)" % (item.name, item.status, _time(item.data_from)) for item in snapshots]
        raise BadInput(
            "snapshot", snapshot_name, "there is no such snapshot", _list("snapshots of %s" % db_instance, names)
        )
    current = _in_service(by_name[db_instance], current_host, by_name)
    if _is_done(current, snapshot):
        return _done(current, snapshot)
    refuse_what_cannot_be_restored(current, snapshot)
    return _to_do(current, snapshot, run_id, by_name, now)


def _in_service(named, current_host, by_name):
    """The instance whose endpoint the application uses: ``named``, or one that our runs restored in its place."""
    if current_host is None or _same_host(named.host, current_host):
        return named
    for instance in by_name.values():
        if _same_host(instance.host, current_host) and _stands_for(instance, named, by_name):
            return instance
    raise BadInput(
        "db_instance",
        named.name,
        "the application's DATABASE_URL names the host %s, which is neither its endpoint (%s) nor that of an instance restored in its place"
        % (current_host, named.host or "none yet"),
        "Set rollback_db_instance to the DB instance that the application uses, or mend the URL.",
    )


def _same_host(one, other):
    return bool(one and other) and one.lower().rstrip(".") == other.lower().rstrip(".")


def _stands_for(instance, named, by_name):
    seen = set()
    while instance is not None and instance.replaces and instance.name not in seen:
        if instance.replaces == named.name:
            return True
        seen.add(instance.name)
        instance = by_name.get(instance.replaces)
    return False


def _is_done(current, snapshot):
    """The application uses what was restored from this very snapshot; a younger snapshot of the same name has the same ARN."""
    times_known = current.created is not None and snapshot.created is not None
    return current.from_snapshot == snapshot.arn and times_known and current.created > snapshot.created


def _done(current, snapshot):
    reason = "The application uses %s already, which run %s restored from this snapshot on %s" % (
        current.name,
        current.run_id,
        _time(current.created),
    )
    lost = Lost(
        _data_from(snapshot),
        current.created,
        "from the time of the snapshot's data to the creation of %s" % current.name,
    )
    taken = safety_snapshot(current.replaces, current.run_id)
    return Rollback("done", reason, current.replaces, current, current.name, taken, lost, ())


def _to_do(current, snapshot, run_id, by_name, now):
    name = restored_instance(current.name, run_id)
    present = by_name.get(name)
    if present is not None:
        refuse_a_stranger(present, snapshot, run_id)
    state = "resume" if present else "restore"
    reason = (
        "run %s has begun to restore %s" % (run_id, name)
        if present
        else "%s is in service, and nothing has been restored yet" % current.name
    )
    lost = Lost(_data_from(snapshot), now, "from the time of the snapshot's data to now, by this machine's clock")
    found = tuple(findings(current))
    if snapshot.instance not in (current.name, current.replaces):
        found += (
            "Snapshot %s was taken of DB instance %s, not of %s." % (snapshot.name, snapshot.instance, current.name),
        )
    return Rollback(state, reason, current.name, present, name, safety_snapshot(current.name, run_id), lost, found)


def refuse_what_cannot_be_restored(source, snapshot):
    """Raise BadInput when ``snapshot`` cannot take the place of ``source``."""
    if source.cluster:
        problem = "it is part of the Aurora cluster %s, and clusters are restored otherwise" % source.cluster
        raise BadInput(
            "db_instance", source.name, problem, "This collection rolls back DB instances without a cluster."
        )
    if snapshot.status != "available":
        raise BadInput(
            "snapshot", snapshot.name, "it is %s, and only an available one can be restored" % snapshot.status
        )
    if snapshot.engine != source.engine:
        raise BadInput(
            "snapshot",
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
            "snapshot",
            snapshot.name,
            problem,
            "The instance's parameter and option groups do not fit another major version.",
        )


def _major(thing):
    """PostgreSQL's major version is one number since 10, that of the other engines two (8.0.35)."""
    return thing.engine_version.split(".")[: 1 if thing.engine == "postgres" else 2]


def refuse_a_stranger(instance, snapshot, run_id):
    """Raise BadInput when ``instance``, which has the name that this run's instance would have, is not this run's."""
    if instance.run_id != run_id:
        problem = (
            "the DB instance %s, which this run would make, is there already and is not this run's" % instance.name
        )
        raise BadInput("run_id", run_id, problem, "Run again with another run id; %s is left alone." % instance.name)
    if instance.from_snapshot != snapshot.arn:
        problem = "it has restored %s already, from the snapshot %s" % (instance.name, instance.from_snapshot)
        raise BadInput("run_id", run_id, problem, "Run again with another run id.")


def _data_from(snapshot):
    if snapshot.data_from is None:
        raise UnexpectedAnswer(
            "DescribeDBSnapshots", "snapshot %s is available but has no SnapshotCreateTime" % snapshot.name
        )
    return snapshot.data_from


def _list(what, names):
    return "The %s there are: %s." % (what, ", ".join(names)) if names else "There are no %s at all." % what


def _time(moment):
    return moment.isoformat(timespec="seconds") if moment else "no time yet"


def takes_snapshot(source, present, name, run_id):
    """Whether the snapshot ``name`` of ``source`` is to be taken (True), or is there or on its way already (False).

    :param present: the DbSnapshot of that name, or None.
    :raises RollbackError: the name is taken by a stranger, or RDS takes no snapshot of ``source`` now.
    """
    if present is not None:
        if present.run_id == run_id and present.instance == source.name:
            return False
        whose = "run %s" % present.run_id if present.run_id else "no run of this collection"
        raise RollbackError(
            "There is a snapshot %s already, of DB instance %s and taken by %s, so run %s does not call it its own. Run again with another run id."
            % (name, present.instance, whose, run_id)
        )
    if source.status not in SNAPSHOT_SOURCE:
        raise RollbackError(
            "RDS takes no snapshot of DB instance %s now, because it is %s and not available. Bring it there (a stopped one: start it), then run again."
            % (source.name, source.status)
        )
    return True
