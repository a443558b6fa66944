# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory knows of tables, as ``rollback_data_rules`` gives it, and what asking the database about it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, DatabaseRefused
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

WHOLE, CORRUPTED, SCHEMA, LOST, UNKNOWN = "whole", "corrupted", "schema", "lost", "unknown"
_WORST = (LOST, CORRUPTED, SCHEMA, UNKNOWN, WHOLE)
MOST_CORRUPTED = 1000  # rows that are counted
_LACKS = ("42703", "42P01")  # SQLSTATE undefined_column, undefined_table
_FORMS = {
    "columns": "a list of columns",
    "corrupted_when": "an SQL condition",
    "at_most": "a number of rows above 0",
    "at_least": "a number of rows above 0",
}


@dataclass(frozen=True)
class DataRule:
    """What must hold for a table while the application is well.

    ``columns`` are there; ``at_most`` so many rows fulfil the SQL condition ``corrupted_when``; it has ``at_least`` so many rows.
    """

    table: str
    columns: tuple[str, ...] = ()
    corrupted_when: str = ""
    at_most: int = 0
    at_least: int = 0


@dataclass(frozen=True)
class RuleSeen:
    """What a rule of the inventory about a table came to: whole, corrupted, schema, lost or unknown."""

    table: str
    verdict: str
    words: str


class Questioned(Protocol):
    """Who is asked about tables."""

    def columns(self, table: str) -> set[str]:
        """The columns of a table, empty when it is not there."""

    def count(self, table: str, condition: str, most: int) -> int:
        """How many rows fulfil an SQL condition, counted up to ``most``.

        :raises DatabaseRefused: the server does not take the condition.
        """


def read_rules(option: Mapping[str, Any] | None) -> tuple[DataRule, ...]:
    """The DataRules in JSON types (dict: table → members).

    :raises BadInput: a member is not known, or not of the right form.
    """
    rules = []
    for table, told in (option or {}).items():
        members = told if isinstance(told, dict) else {"": told}
        for member, value in members.items():
            if member not in _FORMS or not _right(member, value):
                problem = "%s of table %s is not %s" % (member or "the rule", table, _FORMS.get(member, "known"))
                raise BadInput("data_rules", table, problem, "There are %s." % ", ".join(_FORMS))
        rules.append(DataRule(table, **{**members, "columns": tuple(members.get("columns", ()))}))
    return tuple(rules)


def _right(member: str, value: Any) -> bool:
    if member == "columns":
        return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
    if member in ("at_least", "at_most"):
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    return isinstance(value, str) and bool(value.strip())


def questions(rule: DataRule) -> list[tuple[str, int]]:
    """What rows of a DataRule's table have to be counted: (SQL condition, up to how many)."""
    least = [("true", rule.at_least)] if rule.at_least else []
    return least + ([(rule.corrupted_when, max(MOST_CORRUPTED, rule.at_most + 1))] if rule.corrupted_when else [])


def rule_seen(tables: Questioned, rule: DataRule) -> RuleSeen:
    """The RuleSeen of a DataRule. What could be asked counts, also where something else of the rule could not."""
    there = tables.columns(rule.table)
    lacking = sorted(set(rule.columns) - there)
    if not there:
        return RuleSeen(rule.table, SCHEMA, "there is no table %s" % rule.table)
    if lacking:
        return RuleSeen(rule.table, SCHEMA, "%s has no column %s" % (rule.table, ", ".join(lacking)))
    found = [_asked(ask, tables, rule) for ask in (_lost, _corrupted)]
    whole = RuleSeen(rule.table, WHOLE, "%s is as its rule wants it" % rule.table)
    return min(filter(None, found), key=lambda seen: _WORST.index(seen.verdict), default=whole)


def _asked(
    ask: Callable[[Questioned, DataRule], RuleSeen | None], tables: Questioned, rule: DataRule
) -> RuleSeen | None:
    try:
        return ask(tables, rule)
    except DatabaseRefused as refused:
        return _rule_refused(rule, refused)


def _lost(tables: Questioned, rule: DataRule) -> RuleSeen | None:
    count = tables.count(rule.table, "true", rule.at_least) if rule.at_least else 0
    if count >= rule.at_least:
        return None
    return RuleSeen(
        rule.table, LOST, "%s has %s, and had at least %d" % (rule.table, many(count, "row"), rule.at_least)
    )


def _corrupted(tables: Questioned, rule: DataRule) -> RuleSeen | None:
    """One row too many is enough to know; how many there are is told where that can be counted in time, too."""
    enough = rule.at_most + 1
    if not rule.corrupted_when or tables.count(rule.table, rule.corrupted_when, enough) < enough:
        return None
    most = max(MOST_CORRUPTED, enough)
    try:
        broken = tables.count(rule.table, rule.corrupted_when, most)
    except DatabaseRefused:
        broken = most = enough
    told = "%s or more" % many(broken, "row") if broken == most else many(broken, "row")
    return RuleSeen(rule.table, CORRUPTED, "%s of %s where %s" % (told, rule.table, rule.corrupted_when))


def _rule_refused(rule: DataRule, refused: DatabaseRefused) -> RuleSeen:
    said = foreign(refused.message.splitlines()[0]) if refused.message else "no reason given"
    if refused.sqlstate in _LACKS:
        return RuleSeen(rule.table, SCHEMA, "%s: %s" % (rule.table, said))
    return RuleSeen(rule.table, UNKNOWN, "the rule of %s could not be asked: %s" % (rule.table, said))
