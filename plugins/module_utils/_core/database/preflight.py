# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would make a restore fail, or leave something behind, with the cure of each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.options import fitting
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import (
    Rollback,
    refuse_a_stranger,
    refuse_what_cannot_be_restored,
    takes_snapshot,
    waits_for,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import (
    not_brought_over as left_behind,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbSnapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import in_order
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)


@dataclass(frozen=True)
class DatabaseObservation:
    """What was read besides instances and snapshots. A reading is a NotRead where the credentials do not allow it.

    ``safety`` is the DbSnapshot that has the name of the safety snapshot, or None. ``quotas``: name → (used, maximum).
    ``key_state`` is None when there is no such key, and ``Enabled`` where nothing is encrypted. ``earliest`` is a NotRead where the
    earliest restorable time could not be read, else None. ``authorities``: name of a CA → the end of its life. ``despite_lineage``:
    whether data are taken that what serves has not come from.
    """

    rollback: Rollback
    run_id: str
    now: datetime
    safety: DbSnapshot | None = None
    quotas: Mapping[str, tuple[int, int]] | NotRead = field(default_factory=dict)
    offered: bool | NotRead = True
    subnet_group: str | NotRead | None = "Complete"
    key_state: str | NotRead | None = "Enabled"
    proxies: Sequence[str] | NotRead = ()
    earliest: NotRead | None = None
    authorities: Mapping[str, datetime] | NotRead | None = None
    despite_lineage: bool = False


def database_findings(seen: DatabaseObservation) -> list[Finding]:
    """Everything that an DatabaseObservation tells, a list of Finding, failures first; nothing when the rollback is done already."""
    if seen.rollback.state == "done":
        return []
    found = [
        *_refusals(seen),
        *_lineage(seen),
        *fitting(seen),
        *_quotas(seen),
        _class(seen),
        _subnet_group(seen),
        _key(seen),
        _proxies(seen),
        *_left_behind(seen),
    ]
    return in_order(filter(None, found))


def _refusals(seen: DatabaseObservation) -> Iterator[Finding]:
    rollback = seen.rollback
    current, source, present = rollback.current, rollback.source, rollback.restored
    yield _tried("source", source.label, lambda: refuse_what_cannot_be_restored(current, source))
    if present:
        yield _tried("name", present.name, lambda: refuse_a_stranger(present, source, seen.run_id))
    else:
        yield Finding("name", rollback.new_db_instance, PASSED, "the name of the new instance is free")
    yield _safety(seen)


def _safety(seen: DatabaseObservation) -> Finding:
    current, name = seen.rollback.current, seen.rollback.safety_snapshot
    if not name:
        what = (
            "rollback_safety_snapshot is none: no snapshot keeps what %s (%s) holds. Only the instance itself does; if it is deleted or "
            "lost, so is all that was written since the data that are restored" % (current.name, current.status)
        )
        return Finding("safety_snapshot", current.name, NOTED, what)
    found = _tried("safety_snapshot", name, lambda: takes_snapshot(current, seen.safety, name, seen.run_id))
    waits = waits_for(current) if found.verdict == PASSED and seen.safety is None else None
    if waits:
        what = "%s is %s now; the restore begins at once, and the safety snapshot as soon as that is over" % (
            current.name,
            waits,
        )
        return Finding("safety_snapshot", name, NOTED, what)
    return found


def _lineage(seen: DatabaseObservation) -> Iterator[Finding]:
    """Whether what serves has come from the data that are restored."""
    rollback = seen.rollback
    source = rollback.source
    if rollback.against:
        cure = "Name other data, or take these all the same: -e rollback_despite_lineage=true."
        verdict_of = NOTED if seen.despite_lineage else FAILED
        yield Finding("lineage", source.label, verdict_of, rollback.against, "" if seen.despite_lineage else cure)
    elif isinstance(source, DbSnapshot) and source.of_harm:
        what = "it is the safety snapshot of run %s, and holds what that run was to undo" % source.run_id
        yield Finding("lineage", source.label, NOTED, what)
    else:
        yield Finding("lineage", source.label, PASSED, "%s has come from it" % rollback.current.name)


def _tried(check: str, subject: str, refuse: Callable[[], object]) -> Finding:
    try:
        refuse()
    except BadInput as error:
        return Finding(check, subject, FAILED, error.problem, error.cure or "Correct rollback_%s." % error.option)
    except RollbackError as error:
        return Finding(check, subject, FAILED, error.message)
    return Finding(check, subject, PASSED, "it can be used")


def _quotas(seen: DatabaseObservation) -> Iterator[Finding]:
    if isinstance(seen.quotas, NotRead):
        yield Finding("quota", "RDS", INCONCLUSIVE, seen.quotas.why, seen.quotas.cure)
        return
    rollback = seen.rollback
    needed = dict(ManualSnapshots=0 if seen.safety or not rollback.safety_snapshot else 1)
    if rollback.restored is None:
        storage = max(rollback.current.allocated_storage, rollback.source.allocated_storage)
        needed.update(DBInstances=1, AllocatedStorage=storage)
    for name, more in sorted(needed.items()):
        if name not in seen.quotas:
            why = "RDS tells no quota of this name"
            yield Finding("quota", name, INCONCLUSIVE, why, "Look in the console of Service Quotas.")
            continue
        used, maximum = seen.quotas[name]
        told = "%d of %d are used, and %d more needed" % (used, maximum, more)
        if used + more > maximum:
            yield Finding("quota", name, FAILED, told, "Ask for more in Service Quotas, or delete what is not needed.")
        else:
            yield Finding("quota", name, PASSED, told)


def _class(seen: DatabaseObservation) -> Finding:
    current = seen.rollback.current
    subject = current.description["DBInstanceClass"]
    if isinstance(seen.offered, NotRead):
        return Finding("class", subject, INCONCLUSIVE, seen.offered.why, seen.offered.cure)
    if seen.offered:
        return Finding("class", subject, PASSED, "it is offered")
    what = "RDS offers it no longer for %s %s" % (current.engine, current.engine_version)
    return Finding(
        "class", subject, FAILED, what, "Modify %s to a class that is offered, then run again." % current.name
    )


def _subnet_group(seen: DatabaseObservation) -> Finding | None:
    group = seen.rollback.current.description.get("DBSubnetGroup")
    if not group:
        return None
    subject = group["DBSubnetGroupName"]
    if isinstance(seen.subnet_group, NotRead):
        return Finding("subnet_group", subject, INCONCLUSIVE, seen.subnet_group.why, seen.subnet_group.cure)
    if seen.subnet_group == "Complete":
        return Finding("subnet_group", subject, PASSED, "it is there")
    what = "it is %s" % (seen.subnet_group or "gone")
    return Finding("subnet_group", subject, FAILED, what, "Bring it back with the subnets that it had.")


def _key(seen: DatabaseObservation) -> Finding | None:
    key = seen.rollback.source.kms_key
    if not key:
        return None
    if isinstance(seen.key_state, NotRead):
        return Finding("key", key, INCONCLUSIVE, seen.key_state.why, seen.key_state.cure)
    if seen.key_state == "Enabled":
        return Finding("key", key, PASSED, "it is enabled")
    what = "the data are encrypted with it, and it is %s" % (seen.key_state or "gone")
    return Finding("key", key, FAILED, what, "Enable it (aws kms enable-key), or cancel its deletion first.")


def _proxies(seen: DatabaseObservation) -> Finding:
    name = seen.rollback.current.name
    if isinstance(seen.proxies, NotRead):
        return Finding("proxy", name, INCONCLUSIVE, seen.proxies.why, seen.proxies.cure)
    if not seen.proxies:
        return Finding("proxy", name, PASSED, "no RDS Proxy sends to it")
    what = "RDS Proxy %s goes on sending to it" % ", ".join(seen.proxies)
    return Finding("proxy", name, NOTED, what, "Register the restored instance as the proxy's target afterwards.")


def _left_behind(seen: DatabaseObservation) -> Iterator[Finding]:
    current = seen.rollback.current
    for text in left_behind(current):
        yield Finding("left_behind", current.name, NOTED, text.rstrip("."))
