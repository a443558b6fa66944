# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that a constraint or a unique index comes or goes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import (
    columns_in,
    may_fail,
    nodes,
    passes_without_a_value,
    unproven,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    KnownTable,
    Node,
    Schema,
    UniqueIndex,
    names_of,
    qualified,
    schema_of,
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
_KEYS = ("CONSTR_UNIQUE", "CONSTR_PRIMARY")


def of_column(constraint: Node, column: str) -> Node:
    """A constraint that is written at a column, as one of the table."""
    key = "fk_attrs" if constraint["contype"] == "CONSTR_FOREIGN" else "keys"
    return constraint if constraint.get(key) else {**constraint, key: [{"String": {"sval": column}}]}


def added_constraint(constraint: Node, table: str, schema: Schema) -> Effect:
    """ADD CONSTRAINT, also of a table or a column that is being made."""
    over, proven = _columns_of(constraint), _let_through(constraint, table, schema)
    conditions = [*referring(constraint, table, schema), *_by_default(constraint, over, table, schema)]
    _remember(constraint, table, over, schema)
    if proven:
        return Effect(ADDITIVE, "%s gets a constraint (%s)" % (table, proven), table, beware="; ".join(conditions))
    kind = constraint["contype"]
    if kind not in _REFUSES:
        return Effect(UNKNOWN, "a constraint of %s is added that is not known here (%s)" % (table, kind), table)
    words = "%s: %s" % (table, _REFUSES[kind] % (", ".join(over) or "the table"))
    locks = "" if constraint.get("skip_validation") or constraint.get("indexname") else SCANS % table
    return Effect(TAKES_AWAY, words, table, over[0] if len(over) == 1 else "", locks)


def _let_through(constraint: Node, table: str, schema: Schema) -> str:
    """Why a constraint refuses nothing that code from before writes, as a clause; empty where that is not known."""
    over = _columns_of(constraint)
    if schema.is_new(table):
        return "the table is new"
    if schema.all_new(table, over) and _left_out_passes(constraint, table, over, schema):
        return "of what is new"
    return "it was so already" if _promised(constraint, table, over, schema) else ""


def _left_out_passes(constraint: Node, table: str, over: Sequence[str], schema: Schema) -> bool:
    """Whether a constraint over new columns alone lets every row in that leaves them out, as code from before does."""
    kind, found = constraint["contype"], [schema.column(table, name) for name in over]
    if kind == "CONSTR_UNIQUE":
        return never_repeats(table, over, schema) and not constraint.get("nulls_not_distinct")
    if kind == "CONSTR_CHECK":
        empty = all(column is not None and not column.required and not column.default for column in found)
        return empty and passes_without_a_value(constraint.get("raw_expr", {}))
    return bool(kind == "CONSTR_FOREIGN")


def _promised(constraint: Node, table: str, over: Sequence[str], schema: Schema) -> bool:
    """Whether a unique index that code from before lives with promises the same; a deferrable constraint serves no ON CONFLICT."""
    if constraint["contype"] not in _KEYS or constraint.get("deferrable"):
        return False
    index = schema.indexes.get(qualified(_schema_of(table), constraint.get("indexname", "")))
    columns = sorted(index.columns) if index and index.table == table else list(over)
    known = [schema.column(table, name) for name in columns]
    required = all(column is not None and column.required for column in known)
    return schema.unique_over(table, columns) and (constraint["contype"] == "CONSTR_UNIQUE" or required)


def never_repeats(table: str, over: Sequence[str], schema: Schema) -> bool:
    """Whether rows that leave new columns out are all different in them: one of them is null then, or gets another value for each row."""
    found = [schema.column(table, name) for name in over]
    return any(column and (column.varies or not (column.required or column.default)) for column in found)


def _remember(constraint: Node, table: str, over: Sequence[str], schema: Schema) -> None:
    kind, name = constraint["contype"], constraint.get("conname", "")
    if name:
        schema.note("constraint", "%s.%s" % (table, name))
        schema.constraints[table, name] = kind
    known = schema.table(table)
    for column in (known.columns.get(item) for item in over):
        if column:
            column.bound = True
            column.required = column.required or kind in ("CONSTR_PRIMARY", "CONSTR_NOTNULL")
    if kind in _KEYS and over:
        plain = frozenset() if constraint.get("nulls_not_distinct") or constraint.get("deferrable") else frozenset(over)
        index = qualified(_schema_of(table), name or "%s.%s" % (table, "+".join(over)))
        schema.indexes[index] = UniqueIndex(table, plain)
        schema.note("index", index)
    known.active = known.active or bool(unproven(constraint.get("raw_expr", {}), schema.functions))


def _schema_of(table: str) -> str:
    return table.rpartition(".")[0]


def _columns_of(constraint: Node) -> list[str]:
    """The columns that a constraint is over."""
    if constraint["contype"] == "CONSTR_CHECK":
        return columns_in(constraint.get("raw_expr", {}))
    if constraint["contype"] == "CONSTR_EXCLUSION":
        return [item["name"] for item in nodes(constraint["exclusions"], "IndexElem") if "name" in item]
    return names_of([*constraint.get("keys", ()), *constraint.get("fk_attrs", ())])


def referring(constraint: Node, table: str, schema: Schema) -> list[str]:
    """What a foreign key keeps code from before from doing, and what its deletions take along; how deletions go on is remembered."""
    if constraint["contype"] != "CONSTR_FOREIGN":
        return []
    other, own = table_name(constraint["pktable"]), schema.table(table)
    if other == table:
        return []
    upstream = schema.table(other)
    first = upstream.cascades if schema.is_new(other) else other
    if not own.new:
        upstream.referred = True
    if not first:
        return []
    deletes, updates = constraint.get("fk_del_action", "a"), constraint.get("fk_upd_action", "a")
    refuses = deletes in "ard" or (deletes == "n" and _required(constraint, own))
    found = (
        ["as long as code from before deletes no row of %s that rows of %s refer to" % (first, table)]
        if refuses
        else []
    )
    if updates in "ar" and first == other and not refuses:
        found.append("as long as code from before changes no key of %s that rows of %s refer to" % (first, table))
    if deletes == "c" and own.new:
        own.cascades = first
    elif deletes == "c":
        found.append("as long as rows of %s may go with the row of %s that they refer to" % (table, first))
    return found


def _required(constraint: Node, table: KnownTable) -> bool:
    found = [table.columns.get(name) for name in _columns_of(constraint)]
    return any(column is None or column.required for column in found)


def _by_default(constraint: Node, over: Sequence[str], table: str, schema: Schema) -> list[str]:
    """What the default of a new column has to be, so that a foreign key takes it."""
    given = [name for name in over for column in [schema.column(table, name)] if column and column.default]
    if schema.is_new(table) or constraint["contype"] != "CONSTR_FOREIGN" or not given:
        return []
    return ["as long as the default of %s is in %s" % (", ".join(given), table_name(constraint["pktable"]))]


def dropped_constraint(name: str, table: str, schema: Schema) -> Effect:
    """DROP CONSTRAINT."""
    words, key = "constraint %s of %s is dropped" % (name, table), (table, name)
    kind, new = schema.constraints.pop(key, ""), schema.has_new("constraint", "%s.%s" % key)
    schema.new.discard(("constraint", "%s.%s" % key))
    index = schema.indexes.pop(qualified(_schema_of(table), name), None)
    if schema.is_new(table) or new:
        return Effect(ADDITIVE, words, table)
    if kind in ("CONSTR_CHECK", "CONSTR_FOREIGN"):
        return Effect(ADDITIVE, words, table, beware="as long as no row of %s breaks what %s promised" % (table, name))
    if kind == "CONSTR_UNIQUE" and index and schema.unique_over(table, sorted(index.columns), False):
        return Effect(ADDITIVE, words, table)
    felt = "an upsert that needs it is refused, and what it promised holds no more"
    return Effect(TAKES_AWAY, "%s: %s" % (words, felt), table)


def created_index(node: Node, schema: Schema) -> Effect:
    """CREATE INDEX."""
    table = table_name(node["relation"])
    name = qualified(schema_of(node["relation"]), node.get("idxname", ""))
    if node.get("if_not_exists") and name in schema.indexes:
        return Effect(ADDITIVE, "index %s is there already" % name, table)
    unique, over = bool(node.get("unique")), [item["IndexElem"].get("name", "") for item in node["indexParams"]]
    whole = all(over) and not node.get("whereClause") and not node.get("nulls_not_distinct")
    fresh = schema.is_new(table) or (
        schema.all_new(table, over) and never_repeats(table, over, schema) and not node.get("nulls_not_distinct")
    )
    schema.indexes[name] = UniqueIndex(table, frozenset(over if whole else ())) if unique else None
    schema.note("index", name, not node.get("if_not_exists"))
    locks = (
        "" if node.get("concurrent") or schema.is_new(table) else "nobody can write %s while the index is built" % table
    )
    if unique:
        for column in (schema.column(table, item) for item in over):
            if column:
                column.bound = True
    if unique and not fresh and not schema.unique_over(table, over if whole else ()):
        named = ", ".join(filter(None, over)) or "an expression"
        words = "%s: rows that repeat a value of %s are refused" % (table, named)
        return Effect(TAKES_AWAY, words, table, over[0] if len(over) == 1 else "", locks)
    return Effect(ADDITIVE, "an index of %s is built" % table, table, locks=locks, beware=_indexed(node, table, schema))


def _indexed(node: Node, table: str, schema: Schema) -> str:
    """Under which condition an index takes every row that code from before writes."""
    given = [item["IndexElem"]["expr"] for item in node["indexParams"] if "expr" in item["IndexElem"]]
    from_here = [*given, node.get("whereClause", {})]
    if schema.is_new(table) or not any(map(may_fail, from_here)):
        return ""
    return "as long as what is indexed can be computed for every row that code from before writes"
