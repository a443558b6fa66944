# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that a constraint or a unique index comes or goes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import (
    columns_in,
    nodes,
    passes_without_a_value,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    Node,
    Schema,
    names_of,
    table_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    TAKES_AWAY,
    UNKNOWN,
    Effect,
)

SCANS = "nobody can read or write %s while it is checked"
_REFUSES = {
    "CONSTR_UNIQUE": "rows that repeat a value of %s are refused",
    "CONSTR_PRIMARY": "rows that repeat a value of %s, or have none, are refused",
    "CONSTR_EXCLUSION": "rows that overlap in %s are refused",
    "CONSTR_FOREIGN": "rows whose %s is in no row of the other table are refused",
    "CONSTR_CHECK": "rows that do not pass the new check of %s are refused",
    "CONSTR_NOTNULL": "rows without %s are refused",
}
_RESTRICTS = frozenset("ar")  # NO ACTION and RESTRICT


def added_constraint(constraint: Node, table: str, schema: Schema) -> Effect:
    """ADD CONSTRAINT, also of a table that is being created."""
    kind, name = constraint["contype"], constraint.get("conname", "")
    schema.add("constraint", "%s.%s" % (table, name))
    schema.constraints["%s.%s" % (table, name)] = kind
    if kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY") and name:
        schema.unique[name] = True
    over, index = _columns_of(constraint), constraint.get("indexname", "")
    if schema.is_new(table) or (schema.all_new(table, over) and _left_out_passes(constraint, table, over, schema)):
        beware = "; ".join(
            filter(None, [restricted(constraint, table, schema), _by_default(constraint, over, table, schema)])
        )
        return Effect(ADDITIVE, "a constraint of what is new in %s" % table, table, beware=beware)
    if kind == "CONSTR_UNIQUE" and schema.unique.get(index) and not schema.has_new("index", index):
        return Effect(ADDITIVE, "the unique index %s becomes a constraint of %s" % (index, table), table)
    if kind not in _REFUSES:
        return Effect(UNKNOWN, "a constraint of %s is added that is not known here (%s)" % (table, kind), table)
    words = "%s: %s" % (table, _REFUSES[kind] % (", ".join(over) or "the table"))
    locks = "" if constraint.get("skip_validation") or index else SCANS % table
    return Effect(TAKES_AWAY, words, table, over[0] if len(over) == 1 else "", locks)


def _left_out_passes(constraint: Node, table: str, over: Sequence[str], schema: Schema) -> bool:
    """Whether a constraint over new columns alone lets every row in that leaves them out, as code from before does."""
    kind, found = constraint["contype"], [schema.column(table, name) for name in over]
    empty = all(column is not None and not column.required and not column.default for column in found)
    if kind == "CONSTR_UNIQUE":
        return never_repeats(table, over, schema) and not constraint.get("nulls_not_distinct")
    if kind == "CONSTR_CHECK":
        return empty and passes_without_a_value(constraint.get("raw_expr", {}))
    return bool(kind == "CONSTR_FOREIGN")


def never_repeats(table: str, over: Sequence[str], schema: Schema) -> bool:
    """Whether rows that leave new columns out are all different in them: one of them is null then, or gets another value for each row."""
    found = [schema.column(table, name) for name in over]
    return any(column and (column.varies or not (column.required or column.default)) for column in found)


def _columns_of(constraint: Node) -> list[str]:
    """The columns that a constraint is over."""
    keys = [*constraint.get("keys", ()), *constraint.get("fk_attrs", ())]
    if keys:
        return names_of(keys)
    if constraint["contype"] == "CONSTR_EXCLUSION":
        return [item["name"] for item in nodes(constraint["exclusions"], "IndexElem") if "name" in item]
    return columns_in(constraint.get("raw_expr", {}))


def restricted(constraint: Node, table: str, schema: Schema) -> str:
    """What a foreign key of something new keeps code from before from doing; empty where nothing."""
    if constraint["contype"] != "CONSTR_FOREIGN" or constraint.get("fk_del_action", "a") not in _RESTRICTS:
        return ""
    other = table_name(constraint["pktable"])
    if other == table or schema.is_new(other):
        return ""
    return "as long as code from before deletes no row of %s that rows of %s refer to" % (other, table)


def _by_default(constraint: Node, over: Sequence[str], table: str, schema: Schema) -> str:
    """What the default of a new column has to be, so that a foreign key takes it; empty where nothing."""
    given = [name for name in over for column in [schema.column(table, name)] if column and column.default]
    if schema.is_new(table) or constraint["contype"] != "CONSTR_FOREIGN" or not given:
        return ""
    return "as long as the default of %s is in %s" % (", ".join(given), table_name(constraint["pktable"]))


def dropped_constraint(name: str, table: str, schema: Schema) -> Effect:
    """DROP CONSTRAINT."""
    words, whole = "constraint %s of %s is dropped" % (name, table), "%s.%s" % (table, name)
    if schema.is_new(table) or schema.has_new("constraint", whole):
        return Effect(ADDITIVE, words, table)
    if schema.constraints.get(whole) in ("CONSTR_CHECK", "CONSTR_FOREIGN"):
        return Effect(ADDITIVE, words, table, beware="as long as no row of %s breaks what %s promised" % (table, name))
    felt = "an upsert that needs it is refused, and what it promised holds no more"
    return Effect(TAKES_AWAY, "%s: %s" % (words, felt), table)
