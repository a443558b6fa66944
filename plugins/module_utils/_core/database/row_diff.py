# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows of the failed database the restored one lacks or has otherwise, and which of them are broken. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import (
    CHANGED,
    CORRUPTED,
    MISSING,
    NEW,
    Comparison,
    NotCompared,
    TableRule,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import Broken, Row, Table

_MIGRATIONS = "_prisma_migrations"
_NO_ROWS_OF_USERS = "it is Prisma's own record; a row that is loaded back would say that a migration is applied which the schema does not have"
_WITHOUT = "Fix the rule, or compare without any: -e '{\"rollback_salvage_rules\": {}}'."
_TURNED = "the rule was written for the other direction, as before an undo: it is read the other way round, without its condition (corrupted_when)"
_MEMBERS = {"renamed": dict, "ignored": list, "corrupted_when": str}


def read_rules(option: Mapping[str, Any] | None) -> dict[str, TableRule]:
    """The TableRules by table, from JSON types.

    :raises BadInput: something in it is not known, so that a slip of the pen does not make rows whole.
    """
    rules: dict[str, TableRule] = {}
    for table, told in (option or {}).items():
        if not isinstance(told, dict):
            raise BadInput("salvage_rules", table, "it is not a mapping", "It has %s." % ", ".join(_MEMBERS))
        for member, value in told.items():
            if member not in _MEMBERS or not isinstance(value, _MEMBERS[member]):
                problem = "%s is not known, or not of the right type" % member
                raise BadInput("salvage_rules", table, problem, "There are %s." % ", ".join(_MEMBERS))
        rules[table] = TableRule(
            told.get("renamed", {}), tuple(told.get("ignored", ())), told.get("corrupted_when", "")
        )
    return rules


def plan(
    failed: Mapping[str, Table], restored: Mapping[str, Table], rules: Mapping[str, TableRule]
) -> list[Comparison | NotCompared]:
    """How each table of the restored database is compared, a Comparison or a NotCompared, by name.

    :param failed: Tables of the failed database, by name; so is ``restored``.
    :param rules: TableRules by table.
    :raises BadInput: a rule names a table or a column that is not there.
    """
    turned = {name for name, rule in rules.items() if _is_turned_round(failed.get(name), restored.get(name), rule)}
    rules = {name: _turned_round(rule, restored[name]) if name in turned else rule for name, rule in rules.items()}
    for table, rule in rules.items():
        _refuse_what_is_not_there(failed, restored, table, rule)
    compared = [
        _table(failed.get(name), table, rules.get(name, TableRule())) for name, table in sorted(restored.items())
    ]
    compared = [_marked_turned(item) if item.table in turned else item for item in compared]
    only_failed = sorted(set(failed) - set(restored))
    return compared + [NotCompared(name, "the restored database has no such table") for name in only_failed]


def _is_turned_round(failed: Table | None, restored: Table | None, rule: TableRule) -> bool:
    """Whether a rule was written for the other direction, as after an undo: what it calls restored is out of service now. Then each renaming fits
    the other way round, and not as it is written."""
    if failed is None or restored is None or not rule.renamed:
        return False
    as_written = any(restored.column(new) and failed.column(old) for new, old in rule.renamed.items())
    return not as_written and all(failed.column(new) and restored.column(old) for new, old in rule.renamed.items())


def _turned_round(rule: TableRule, restored: Table) -> TableRule:
    """The same TableRule, seen from the other database. Its condition is on the columns of a table that is not asked now, and on harm that is not in
    what is; what it ignores has the other names."""
    renamed = {old: new for new, old in rule.renamed.items()}
    ignored = (rule.renamed.get(name, name) for name in rule.ignored)
    return TableRule(renamed, tuple(name for name in ignored if restored.column(name)), "")


def _marked_turned(item: Comparison | NotCompared) -> Comparison | NotCompared:
    if isinstance(item, NotCompared):
        return item
    return replace(item, left_out=(*item.left_out, _TURNED))


def _refuse_what_is_not_there(
    failed: Mapping[str, Table], restored: Mapping[str, Table], name: str, rule: TableRule
) -> None:
    if name not in restored:
        problem = "the database in service has no such table"
        raise BadInput("salvage_rules", name, problem, "It has %s. %s" % (_names(restored), _WITHOUT))
    for new, old in rule.renamed.items():
        if restored[name].column(new) is None or name not in failed or failed[name].column(old) is None:
            problem = "renamed says %s: %s, and one of them is not there" % (new, old)
            there = _names(column.name for column in restored[name].columns)
            other = _names(column.name for column in failed[name].columns) if name in failed else "no such table"
            cure = "In service its columns are %s; in the one that it is compared with, %s. %s" % (
                there,
                other,
                _WITHOUT,
            )
            raise BadInput("salvage_rules", name, problem, cure)
    for column in rule.ignored:
        if restored[name].column(column) is None:
            problem = "ignored names %s, which is not there" % column
            there = _names(item.name for item in restored[name].columns)
            raise BadInput("salvage_rules", name, problem, "In service its columns are %s. %s" % (there, _WITHOUT))


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _table(failed: Table | None, restored: Table, rule: TableRule) -> Comparison | NotCompared:
    if restored.name == _MIGRATIONS:
        return NotCompared(restored.name, _NO_ROWS_OF_USERS)
    if failed is None:
        return NotCompared(restored.name, "the failed database has no such table")
    if not restored.key:
        return NotCompared(restored.name, "it has no primary key, so no row can be told from another")
    pairs, left_out = [], []
    for column in restored.columns:
        name = rule.renamed.get(column.name, column.name)
        if column.name in rule.ignored and column.name not in restored.key:
            left_out.append("%s: a rule says so" % column.name)
        elif failed.column(name) is None:
            left_out.append(
                "%s: the failed table has no such column; a rule can tell its new name (renamed)" % column.name
            )
        else:
            pairs.append((column.name, name))
    names = dict(pairs)
    if not set(restored.key) <= set(names):
        return NotCompared(restored.name, "the failed table lacks a column of its primary key")
    known = {name for _restored, name in pairs}
    extra = [item.name for item in failed.columns if item.name not in known and restored.column(item.name) is None]
    left_out += ["%s: the restored table has no such column" % name for name in extra]
    columns = [(name, names[name]) for name in restored.key]
    columns += [pair for pair in pairs if pair[0] not in restored.key]
    return Comparison(
        restored.name, tuple(columns), restored.key, _broken(failed, restored, names, rule), tuple(left_out)
    )


def _broken(failed: Table, restored: Table, names: Mapping[str, str], rule: TableRule) -> tuple[Broken, ...]:
    found: list[Broken] = []
    for column in restored.columns:
        here = failed.column(names.get(column.name, ""))
        if here is None:
            continue
        if column.not_null and not here.not_null:
            found.append(("null", here.name, "%s is empty" % column.name))
        if column.type != here.type:
            found.append(("type", (here.name, column.type), "%s is no %s" % (column.name, column.type)))
    for columns, expression in restored.checks:
        if all(names.get(name) == name for name in columns):
            found.append(("check", expression, "it violates CHECK (%s)" % expression))
    if rule.corrupted_when:
        found.append(("rule", rule.corrupted_when, "a rule says so"))
    return tuple(found)


def merge(
    failed: Iterable[tuple[Row, str | None]], restored: Iterable[Row], width: int
) -> Iterator[tuple[str, Row, str | None]]:
    """The rows of two tables that differ, in the order of their keys.

    :param failed: iterable of (values, why): values (texts, None for NULL) with the ``width`` columns of the key first, and why the
        row is broken, or None. In ascending order of the key, compared as text.
    :param restored: iterable of values, in the same order.
    :return: iterable of (state, values, why); equal rows are left out. ``values`` of a ``missing`` row are the restored ones.
    """
    of_failed, of_restored = iter(failed), iter(restored)
    ours, theirs = next(of_failed, None), next(of_restored, None)
    while True:
        if ours and (not theirs or ours[0][:width] < theirs[:width]):
            values, why = ours
            yield (CORRUPTED if why else NEW), values, why
            ours = next(of_failed, None)
        elif theirs and (not ours or theirs[:width] < ours[0][:width]):
            yield MISSING, theirs, None
            theirs = next(of_restored, None)
        elif ours and theirs:
            values, why = ours
            if values != theirs:
                yield (CORRUPTED if why else CHANGED), values, why
            ours, theirs = next(of_failed, None), next(of_restored, None)
        else:
            return


def as_csv(values: Iterable[str | None]) -> str:
    """A line of CSV as PostgreSQL's COPY reads it: a text is quoted, NULL is nothing at all."""
    return ",".join("" if value is None else '"%s"' % value.replace('"', '""') for value in values) + "\n"
