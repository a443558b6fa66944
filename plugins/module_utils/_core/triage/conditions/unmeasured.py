# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nobody has asked, or could not. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import (
    CORRUPTED,
    LOST,
    SCHEMA,
    WHOLE,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import of_answers, of_database
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import HEALTH

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
        HttpSeen,
        LogsSeen,
        StepSeen,
    )

_READS = ("GET", "HEAD", "OPTIONS")
_RULE_VERDICTS = (WHOLE, CORRUPTED, SCHEMA, LOST)  # all that a rule can say


def gaps(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What was looked at and still says nothing: (part, why), in words. Parts that were not measured at all are in ``missing``."""
    if evidence.services == ():
        yield "services", "no service is named (rollback_services), so what runs and what came lately was not asked"
    yield from _http_gaps(evidence.http)
    yield from _log_gaps(evidence.logs)
    unknown = of_database.instance_unknown(evidence)
    if unknown:
        yield "instance", "RDS says that %(name)s is %(status)s, which is no state that is known here" % unknown
    away = of_answers.turned_away(evidence)
    if away:
        yield "http", "%(path)s answers %(answer)s: %(why)s" % away
    database = evidence.database
    if database and not database.answers:
        yield "database", "it could not be asked (%s)" % (database.why or database.code or "no reason given")
    if database and database.answers:
        if not database.rules:
            yield (
                "database",
                "nobody has said what whole data are: without rollback_data_rules, corrupted and lost rows cannot be seen",
            )
        for rule in database.rules:
            if rule.verdict not in _RULE_VERDICTS:
                yield "database", "%s (rollback_data_rules, rollback_data_timeout)" % rule.words
        if database.migrations is None:
            yield "database", "Prisma's record of migrations was not found, so whether one came is not known"


def _http_gaps(http: HttpSeen | None) -> Iterator[tuple[str, str]]:
    if http is None:
        return
    for why in http.left_out:
        yield "http", why
    unknown = dict.fromkeys(
        "%s %s: %s" % (step.method, step.path, step.reason) for step in http.steps if step.verdict == "inconclusive"
    )
    for told in list(unknown)[:3]:
        yield "http", told
    if not any(step.scenario != HEALTH for step in http.steps) and not http.left_out:
        yield (
            "http",
            "no scenario is played (verify_scenarios), so whether people can log in, sign up and pay was not asked",
        )


def _log_gaps(logs: LogsSeen | None) -> Iterator[tuple[str, str]]:
    if logs and not logs.lines and not logs.doubt:
        yield "logs", "no line was found"


def steps_with_a_word(evidence: Evidence) -> list[StepSeen]:
    """Steps beyond the health check that have said something, for or against the application."""
    said = [step for step in of_answers.steps_beyond_health(evidence) if step.verdict in ("passed", "failed")]
    return (
        [step for step in said if step.status not in of_answers.TURNED_AWAY]
        if of_answers.turned_away(evidence)
        else said
    )


def logins_answered(evidence: Evidence) -> list[StepSeen]:
    """Those among them that log in."""
    return [step for step in steps_with_a_word(evidence) if of_answers.is_login(step)]


def others_answered(evidence: Evidence) -> list[StepSeen]:
    """Those among them that do something else."""
    return [step for step in steps_with_a_word(evidence) if not of_answers.is_login(step)]


def logs_read(evidence: Evidence) -> bool:
    """Whether the logs have lines that were understood, of every task."""
    return evidence.logs is not None and bool(evidence.logs.lines) and not evidence.logs.doubt


def data_asked(evidence: Evidence) -> bool:
    """Whether every rule of the inventory for data got an answer, and there is one."""
    seen = evidence.database
    return (
        seen is not None
        and seen.answers
        and bool(seen.rules)
        and all(rule.verdict in _RULE_VERDICTS for rule in seen.rules)
    )
