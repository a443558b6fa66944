# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the database what a triage has to know of it: whether it answers, its migrations, and whether the rows are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnose, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    DatabaseRefused,
    RollbackError,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.coming import classes_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import UNKNOWN, RuleSeen, rule_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    DatabaseSeen,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import DataRule
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.triage_questions import Questions
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import Tables
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock


TO_TELL = 5  # seconds that are kept for telling what has been read when time is up
NO_WAY = ("P1001", "P1008")  # codes that may say as much about this machine as about the database


def database_seen(url: DatabaseUrl, asked: Questions, clock: Clock, deadline: float, seconds: float) -> DatabaseSeen:
    """What the database answers through a URL: its migrations, and the rules of the inventory.

    :param deadline: until when ``clock`` may run; ``seconds`` is how long the whole look may take, for people.
    :raises RollbackError: there is no way to it from this machine, which says nothing about the database.
    """
    target, address, began = target_of(url), "%s:%d" % (url.host, url.port), clock.now()

    def read(tables: Tables) -> tuple[tuple[Migration, ...] | None, float, tuple[RuleSeen, ...]]:
        migrations = classes_of(tables.migrations(), asked.release_points)
        took = clock.now() - began
        return migrations, took, tuple(one_rule(tables, rule) for rule in asked.rules)

    def one_rule(tables: Tables, rule: DataRule) -> RuleSeen:
        """The RuleSeen of a rule, which takes no longer than there is time to tell of it."""
        left = deadline - TO_TELL - clock.now()
        if left < 1:
            late = "the rule of %s was not asked: time was up (%d s)" % (rule.table, seconds)
            return RuleSeen(rule.table, UNKNOWN, late)
        tables.limit(min(asked.data_timeout, left))
        return rule_seen(tables, rule)

    gateway = PostgresqlGateway(target, asked.data_timeout, asked.connect_timeout)
    try:
        migrations, took, rules = gateway.examine(read)
    except DatabaseRefused as refused:
        found = diagnose(target, refused)
        code = found.result["code"]
        if code in NO_WAY:
            raise RollbackError("asked from this machine: %s" % found.message.rstrip(".")) from None
        return DatabaseSeen(False, address, code, found.message)
    return DatabaseSeen(True, address, seconds=round(took, 3), migrations=migrations, rules=rules)
