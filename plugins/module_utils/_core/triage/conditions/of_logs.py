# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the logs show. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import prisma_codes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_answers,
    of_tasks,
    of_users,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import Words, listed
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        ErrorSeen,
        Evidence,
    )

_ADDRESS = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d{1,5}))?\Z")
_NUMERIC = re.compile(r"[\d.]+\Z|[\da-f]*:[\da-f:.]+\Z")  # an IP address
# Endpoints beside the writer's: RDS Proxy, the readers of a cluster, and replicas by the names that people give them.
_BESIDE = re.compile(
    r"\.proxy-|\.cluster-ro-|\.cluster-custom-|^[^.]*(?:replica|reader|read-?only|(?<![a-z])r[or](?![a-z])|proxy|bouncer)"
)
# Prisma's error reference. Others, like P2002 (not unique) and P2025 (no such record), are an application's daily bread.
CONNECTION_CODES = (
    "P1000", "P1001", "P1002", "P1003", "P1008", "P1010", "P1011", "P1012", "P1013", "P1017", "P2024", "P2037",
)  # fmt: skip
SCHEMA_CODES = ("P2021", "P2022")
MIGRATION_CODES = ("P3005", "P3009", "P3018")


def _errors(evidence: Evidence) -> list[ErrorSeen]:
    """Errors that the release before did not log, or not as often."""
    return [error for error in (evidence.logs.errors if evidence.logs else ()) if error.is_new]


def codes_in(evidence: Evidence, wanted: Sequence[str]) -> str:
    """Which of these Prisma codes were seen, how often in logs that are new, and in which answers of the application; empty where none was."""
    logged: Counter[str] = Counter()
    for error in _errors(evidence):
        logged.update({code: error.count for code in error.codes if code in wanted})
    answered: dict[str, dict[str, None]] = {}
    for step in of_answers.steps_in(evidence):
        for code in prisma_codes(step.reason) if of_answers.step_failed(step) else ():
            if code in wanted:
                answered.setdefault(code, {})["%s %s" % (step.method, step.path)] = None
    times = {code: "once" if count == 1 else "%d times" % count for code, count in logged.most_common()}
    told = ["%s in the logs" % ", ".join("%s %s" % item for item in times.items())] if times else []
    return "; ".join([*told, *("%s in the answer to %s" % (code, listed(paths)) for code, paths in answered.items())])


def cannot_connect(evidence: Evidence) -> Words | None:
    """The application cannot use its database."""
    seen = codes_in(evidence, CONNECTION_CODES)
    return dict(codes=seen) if seen else None


def _url_address(evidence: Evidence) -> str:
    said = (evidence.database and evidence.database.address) or (evidence.instance and evidence.instance.address)
    return said or ""


def _host_and_port(address: str) -> tuple[str, str]:
    """Names of hosts are the same in capitals, and with the dot of the root; the port is empty where none is said."""
    said = _ADDRESS.match(address.strip().lower())
    return (said["host"].strip("[]").rstrip("."), said["port"] or "") if said else (address.lower(), "")


def _may_be(named: str, wanted: str) -> bool:
    """Whether an address may be another way to the same database: another spelling, an IP address of its name, its RDS Proxy or a reader of it."""
    (host, port), (other, other_port) = _host_and_port(named), _host_and_port(wanted)
    if port and other_port and port != other_port and host == other:
        return False
    by_number = (_NUMERIC.match(host) is None) != (_NUMERIC.match(other) is None)
    return host == other or by_number or _BESIDE.search(host) is not None or _BESIDE.search(other) is not None


def _elsewhere(evidence: Evidence) -> Words | None:
    named, wanted = (evidence.logs.addresses if evidence.logs else ()), _url_address(evidence)
    if named and wanted and not any(_may_be(each, wanted) for each in named):
        return dict(named=listed(named), wanted=wanted)
    return None


def looks_elsewhere(evidence: Evidence) -> Words | None:
    """The application looks for its database where DATABASE_URL does not send it, and something is down."""
    return _elsewhere(evidence) if of_users.down(evidence) is not None else None


def looked_elsewhere(evidence: Evidence) -> Words | None:
    """It did, and nothing is known to be down."""
    return _elsewhere(evidence) if of_users.down(evidence) is None else None


def database_answers(evidence: Evidence) -> Words | None:
    """The database is well, and the application cannot use it."""
    if cannot_connect(evidence) and evidence.database and evidence.database.answers:
        return dict(seconds="%.2f" % evidence.database.seconds)
    return None


def new_errors(evidence: Evidence) -> Words | None:
    """The logs have errors without a code that is reported elsewhere."""
    known = {*CONNECTION_CODES, *SCHEMA_CODES, *MIGRATION_CODES}
    found = [error for error in _errors(evidence) if not known & set(error.codes)]
    if not found:
        return None
    told = "%s of %s" % (many(sum(error.count for error in found), "error"), many(len(found), "kind"))
    return dict(told=told, first=found[0].fingerprint[:120])


def errors_before(evidence: Evidence) -> Words | None:
    """The release before logged the same errors."""
    codes = {*CONNECTION_CODES, *SCHEMA_CODES}
    found = [
        error
        for error in (evidence.logs.errors if evidence.logs else ())
        if not error.is_new and codes & set(error.codes)
    ]
    return dict(first=found[0].fingerprint[:120], before=found[0].before) if found else None


def features_failed_before(evidence: Evidence) -> Words | None:
    """What people do fails, and all that the logs tell the release before has logged as often."""
    errors = evidence.logs.errors if evidence.logs else ()
    if not errors or _errors(evidence) or not of_answers.broken_steps(evidence) or of_tasks.loop_in(evidence):
        return None
    most = max(errors, key=lambda error: error.before)
    return dict(first=most.fingerprint[:120], before="once" if most.before == 1 else "%d times" % most.before)


def quiet(evidence: Evidence) -> Words | None:
    """ECS is steady and the logs are without errors."""
    services, logs = of_tasks.services_in(evidence), evidence.logs
    steady = services and all(
        service.desired and service.running >= service.desired and not service.failed_tasks for service in services
    )
    if steady and logs and logs.lines and not (logs.errors or logs.silent or logs.unread or logs.unclear):
        return dict(lines=logs.lines)
    return None
