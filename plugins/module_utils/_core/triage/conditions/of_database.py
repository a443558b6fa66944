# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the database and its instance show. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import TERMINAL
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import (
    CORRUPTED,
    LOST,
    SCHEMA,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_answers,
    of_logs,
    of_tasks,
    of_users,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import (
    RECENT,
    Words,
    ago,
    listed,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
    )

_WARNED = re.compile(
    r"free storage capacity|(?:exhausted|out of|low on|insufficient) (?:\w+ ){0,3}(?:storage|memory|space)|storage (?:\w+ )?(?:is low|full)"
    r"|(?:could not|cannot|unable to|failed to) ",
    re.IGNORECASE,
)
_FAILOVER = re.compile(
    r"failover|failed over|restarted|shut ?down|off-?line patch|recovery of the DB instance", re.IGNORECASE
)
# RDS user guide, "Viewing DB instance status". Of the other states the instance can be used.
_START = "aws rds start-db-instance --db-instance-identifier {name}"
_PASSING = {
    "stopped": "start it: " + _START,
    "stopping": "find out who stops it, then start it: " + _START,
    "starting": "wait",
    "rebooting": "wait",
    "maintenance": "wait",
    "upgrading": "wait",
    "renaming": "wait",
    "creating": "wait",
    "converting-to-vpc": "wait",
    "moving-to-vpc": "wait",
    "resetting-master-credentials": "wait",
    "storage-full": "enlarge its storage: aws rds modify-db-instance --db-instance-identifier {name} --allocated-storage {storage} --apply-immediately",
    "insufficient-capacity": "choose another class or zone",
    "incompatible-parameters": "put its parameter group right, which a restore would take along (the instance's newest events name the parameters), "
    "then restart it: aws rds reboot-db-instance --db-instance-identifier {name}",
    "inaccessible-encryption-credentials-recoverable": "give RDS its KMS key back within 7 days, then start it: "
    + _START,
}
# In these it can often be used, so that an answer of the database says more.
_AT_WORK = (
    "maintenance",
    "upgrading",
    "renaming",
    "resetting-master-credentials",
    "converting-to-vpc",
    "moving-to-vpc",
)
_USABLE = (
    "available", "backing-up", "modifying", "configuring-enhanced-monitoring", "configuring-iam-database-auth", "configuring-log-exports",
    "storage-config-upgrade", "storage-initialization", "storage-optimization", "delete-precheck", "associating",
)  # fmt: skip
# What RDS could not do to the instance, which may go on answering as it was until it is started again.
_CRIPPLED = ("incompatible-network", "incompatible-option-group")
_LOST = (
    "failed", "restore-error", "inaccessible-encryption-credentials", "incompatible-restore", "incompatible-create", "deleting", *_CRIPPLED,
)  # fmt: skip
# Of what is no use to anybody by its status, these may be, for a while or in part: "it might no longer be available" is said of a full storage.
_MAY_ANSWER = ("storage-full", "deleting", *_CRIPPLED)


def _rules(evidence: Evidence, verdict: str) -> Words | None:
    found = [rule.words for rule in (evidence.database.rules if evidence.database else ()) if rule.verdict == verdict]
    return dict(told="; ".join(found)) if found else None


def rows_corrupted(evidence: Evidence) -> Words | None:
    """Rows are what a rule of the inventory calls corrupted."""
    return _rules(evidence, CORRUPTED)


def schema_changed(evidence: Evidence) -> Words | None:
    """The database lacks what a rule of the inventory needs."""
    return _rules(evidence, SCHEMA)


def rows_lost(evidence: Evidence) -> Words | None:
    """There are fewer rows than a rule of the inventory knows."""
    return _rules(evidence, LOST)


def _migrations(evidence: Evidence) -> tuple[Migration, ...] | None:
    return evidence.database.migrations if evidence.database else None


def came_since(evidence: Evidence) -> list[Migration] | None:
    """Migrations that the release before did not know; None when that cannot be told."""
    proven = [service.proven for service in of_tasks.services_in(evidence) if service.proven]
    migrations = _migrations(evidence)
    if migrations is None or not proven:
        return None
    since = min(proven)
    return [item for item in migrations if item.started > since and not item.rolled_back]


def migrations_came(evidence: Evidence) -> Words | None:
    """The database has migrations that the release before did not know."""
    came = came_since(evidence)
    return dict(names=listed(item.name for item in came)) if came else None


def unproven_came(evidence: Evidence) -> Words | None:
    """The database has migrations that the release before did not know, of which nobody has read that they only add."""
    came = [item.described for item in came_since(evidence) or () if not item.additive]
    return dict(names=listed(came)) if came else None


def additive_came(evidence: Evidence) -> Words | None:
    """All that the release before did not know only adds, as it was read before it was applied."""
    came = came_since(evidence)
    if not came or not all(item.additive for item in came):
        return None
    beware = list(dict.fromkeys(text for item in came if item.classified for text in item.classified.beware))
    return dict(names=listed(item.name for item in came), beware=", %s" % "; ".join(beware) if beware else "")


def migration_takes_away(evidence: Evidence) -> Words | None:
    """A migration took something away, by its statements, or as far as its name tells."""
    found = [item for item in came_since(evidence) or () if item.takes_away]
    by_name = "" if all(item.classified for item in found) else ", by its name,"
    return dict(names=listed(item.described for item in found), by_name=by_name) if found else None


def _failed_migrations(evidence: Evidence) -> list[str]:
    return [item.name for item in _migrations(evidence) or () if item.failed]


def migration_failed_and_felt(evidence: Evidence) -> Words | None:
    """A migration came to no end, and something is wrong."""
    found = _failed_migrations(evidence)
    return dict(names=listed(found)) if found and of_users.felt(evidence) is not None else None


def migration_failed_quietly(evidence: Evidence) -> Words | None:
    """A migration came to no end, and nobody feels it."""
    found = _failed_migrations(evidence)
    return dict(names=listed(found)) if found and of_users.felt(evidence) is None else None


def migration_stops_tasks(evidence: Evidence) -> Words | None:
    """Tasks migrate when they start, and stumble over a migration that failed."""
    seen = of_logs.codes_in(evidence, of_logs.MIGRATION_CODES)
    return dict(codes=seen) if seen else None


def _mismatch(evidence: Evidence) -> str:
    return of_logs.codes_in(evidence, of_logs.SCHEMA_CODES)


def mismatch_by_migration(evidence: Evidence) -> Words | None:
    """The schema is not the one that the code needs, a migration came, and something people do is broken."""
    seen, came = _mismatch(evidence), migrations_came(evidence)
    if seen and came and of_users.felt(evidence) is not None:
        return dict(codes=seen, names=came["names"])
    return None


def mismatch_in_logs_only(evidence: Evidence) -> Words | None:
    """The schema is not the one that the code needs, a migration came, and what was tried works."""
    seen, came = _mismatch(evidence), migrations_came(evidence)
    if seen and came and of_users.felt(evidence) is None:
        return dict(codes=seen, names=came["names"])
    return None


def _mismatch_of_code(evidence: Evidence) -> Words | None:
    seen = _mismatch(evidence)
    return dict(codes=seen) if seen and came_since(evidence) == [] else None


def mismatch_without_migration(evidence: Evidence) -> Words | None:
    """The code needs a schema that no migration has brought, and something is down."""
    return _mismatch_of_code(evidence) if of_users.down(evidence) is not None else None


def mismatch_in_logs_without_migration(evidence: Evidence) -> Words | None:
    """The same, and nothing is known to be down."""
    return _mismatch_of_code(evidence) if of_users.down(evidence) is None else None


def mismatch_of_unknown_origin(evidence: Evidence) -> Words | None:
    """Code and schema do not match, and the migrations could not be read."""
    seen = _mismatch(evidence)
    return dict(codes=seen) if seen and came_since(evidence) is None else None


def data_harmed(evidence: Evidence) -> Words | None:
    """Something speaks for taking the data back, besides the instance itself."""
    found = (
        rows_corrupted,
        schema_changed,
        rows_lost,
        mismatch_by_migration,
        mismatch_in_logs_only,
        migration_failed_and_felt,
        migration_stops_tasks,
    )
    return dict() if any(condition(evidence) for condition in found) else None


def harmed_by_release(evidence: Evidence) -> Words | None:
    """The data are harmed, and a release came lately that is there still."""
    fresh = of_tasks.fresh_services(evidence)
    if not fresh or data_harmed(evidence) is None:
        return None
    brought = migrations_came(evidence)
    return dict(
        release=listed(service.release for service in fresh),
        ago=ago(evidence, max(of_tasks.times_of_fresh(evidence))),
        brought="brought %s" % brought["names"] if brought else "is what has changed",
    )


def instance_passing(evidence: Evidence) -> Words | None:
    """RDS says that the instance cannot be used now, and that it comes back without a restore."""
    seen = evidence.instance
    if seen and seen.status in _PASSING and instance_at_work(evidence) is None:
        # RDS wants at least a tenth more (ModifyDBInstance, AllocatedStorage); a fifth lasts for the night.
        storage = math.ceil(seen.storage * 1.2) if seen.storage else "GIB"
        return dict(
            name=seen.name, status=seen.status, cure=_PASSING[seen.status].format(name=seen.name, storage=storage)
        )
    return None


def instance_at_work(evidence: Evidence) -> Words | None:
    """RDS is at work on the instance, and the database answers meanwhile."""
    seen = evidence.instance
    return dict(name=seen.name, status=seen.status) if seen and seen.status in _AT_WORK and _answers(evidence) else None


def instance_unknown(evidence: Evidence) -> Words | None:
    """RDS names a state of the instance of which nobody here knows what it means."""
    seen = evidence.instance
    known = {*_PASSING, *_AT_WORK, *_USABLE, *_LOST}
    return dict(name=seen.name, status=seen.status or "in no state") if seen and seen.status not in known else None


def instance_passing_and_whole(evidence: Evidence) -> Words | None:
    """The same, and nothing says that its data are harmed."""
    return instance_passing(evidence) if data_harmed(evidence) is None else None


def instance_lost(evidence: Evidence) -> Words | None:
    """RDS says that the instance does not come back by itself."""
    seen = evidence.instance
    lost = seen is not None and seen.status in _LOST and instance_crippled(evidence) is None
    return dict(name=seen.name, status=seen.status) if seen and lost else None


def instance_crippled(evidence: Evidence) -> Words | None:
    """RDS could not do something to the instance, and the database answers as it did."""
    seen = evidence.instance
    if seen and seen.status in _CRIPPLED and _answers(evidence):
        return dict(name=seen.name, status=seen.status, why=TERMINAL[seen.status])
    return None


def _answers(evidence: Evidence) -> bool:
    return evidence.database is not None and evidence.database.answers


def passing_out_of_use(evidence: Evidence) -> Words | None:
    """An instance that comes back without a restore is out of use by its status, or has not answered."""
    return instance_passing(evidence) if _out_of_use(evidence) else None


def passing_perhaps_out_of_use(evidence: Evidence) -> Words | None:
    """The same, where its status leaves open whether it can be used."""
    return None if _out_of_use(evidence) else instance_passing(evidence)


def lost_out_of_use(evidence: Evidence) -> Words | None:
    """An instance that does not come back by itself is out of use by its status, or has not answered."""
    return instance_lost(evidence) if _out_of_use(evidence) else None


def lost_perhaps_out_of_use(evidence: Evidence) -> Words | None:
    """The same, where its status leaves open whether it can be used, and it was not asked."""
    return None if _out_of_use(evidence) or _answers(evidence) else instance_lost(evidence)


def _out_of_use(evidence: Evidence) -> bool:
    """Whether the status says that nobody can use the database, or leaves it open and the database has not answered."""
    seen, asked = evidence.instance, evidence.database
    return seen is not None and (seen.status not in _MAY_ANSWER or (asked is not None and not asked.answers))


def failover(evidence: Evidence) -> Words | None:
    """The instance has just failed over or restarted."""
    return _event(evidence, _FAILOVER)


def instance_warned(evidence: Evidence) -> Words | None:
    """RDS has just told trouble of the instance, of its storage or else, that is no state of it."""
    return _event(evidence, _WARNED)


def _event(evidence: Evidence, wanted: re.Pattern[str]) -> Words | None:
    """The newest event of the last minutes that says so."""
    seen = evidence.instance
    for event in sorted(seen.events, key=lambda item: item.at, reverse=True) if seen else ():
        if wanted.search(event.message) and evidence.at - event.at <= RECENT:
            return dict(name=seen.name if seen else "", said=event.message.rstrip("."), ago=ago(evidence, event.at))
    return None


def failover_while_broken(evidence: Evidence) -> Words | None:
    """It has, and what people do fails at the time: applications connect again within minutes."""
    return failover(evidence) if of_users.felt(evidence) is not None or of_answers.broken_steps(evidence) else None


def database_slow(evidence: Evidence) -> Words | None:
    """The database itself is late."""
    seen = evidence.database
    if seen and seen.answers and of_answers.slow(evidence) and seen.seconds > of_answers.slow_after(evidence):
        return dict(seconds="%.1f" % seen.seconds)
    return None


def database_quick(evidence: Evidence) -> Words | None:
    """The application is late, and its database is not."""
    seen = evidence.database
    if seen and seen.answers and of_answers.slow(evidence) and seen.seconds <= of_answers.slow_after(evidence) / 2:
        return dict(seconds="%.2f" % seen.seconds)
    return None


def database_late(evidence: Evidence) -> Words | None:
    """The database was late when it was asked, and the application was not."""
    seen = evidence.database
    if seen and seen.answers and not of_answers.slow(evidence) and seen.seconds > of_answers.slow_after(evidence):
        return dict(seconds="%.1f" % seen.seconds)
    return None


def url_refused(evidence: Evidence) -> Words | None:
    """The database refuses what DATABASE_URL says, from here as well."""
    seen = evidence.database
    return dict(code=seen.code, why=seen.why) if seen and not seen.answers and seen.code else None


def what_is_lost(evidence: Evidence) -> Words | None:
    """How far back the data would go."""
    seen = evidence.instance
    if seen and seen.data_from:
        return dict(name=seen.name, ago=ago(evidence, seen.data_from), snapshot=seen.snapshot or "the point in time")
    return None


def nothing_to_restore(evidence: Evidence) -> Words | None:
    """There is no data to go back to."""
    seen = evidence.instance
    return dict(why=seen.snapshot_problem) if seen and seen.snapshot_problem else None


def snapshot_too_young(evidence: Evidence) -> Words | None:
    """The snapshot holds the migration, too."""
    came, seen = came_since(evidence), evidence.instance
    if came and seen and seen.data_from and seen.data_from > min(item.started for item in came):
        return dict(snapshot=seen.snapshot or "the point in time", names=listed(item.name for item in came))
    return None
