# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the commands of an ALTER TABLE do to code from before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations import columns
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import nodes
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    Node,
    Schema,
    table_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    TAKES_AWAY,
    UNKNOWN,
    Effect,
)

# They change how a table is stored or planned, and nothing that code can see.
_STORAGE = frozenset(
    (
        "AT_SetStorage", "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_SetRelOptions", "AT_ResetRelOptions", "AT_ReplicaIdentity",
        "AT_ClusterOn", "AT_DropCluster", "AT_SetCompression", "AT_ValidateConstraint", "AT_SetTableSpace", "AT_AlterConstraint",
    )
)  # fmt: skip
_COLUMNS: dict[str, Callable[[Node, str, Schema], Effect]] = {
    "AT_AddColumn": columns.added,
    "AT_DropColumn": columns.dropped,
    "AT_ColumnDefault": columns.default_changed,
    "AT_SetNotNull": columns.made_required,
    "AT_DropNotNull": columns.made_optional,
    "AT_AlterColumnType": columns.retyped,
    "AT_AddIdentity": columns.identity_changed,
    "AT_SetIdentity": columns.identity_changed,
    "AT_DropIdentity": columns.identity_changed,
}
_REFUSES = {
    "CONSTR_UNIQUE": "rows that repeat a value of %s are refused",
    "CONSTR_PRIMARY": "rows that repeat a value of %s, or have none, are refused",
    "CONSTR_EXCLUSION": "rows that overlap in %s are refused",
    "CONSTR_FOREIGN": "rows whose %s is in no row of the other table are refused",
    "CONSTR_CHECK": "rows that do not pass the new check of %s are refused",
    "CONSTR_NOTNULL": "rows without %s are refused",
}
_RESTRICTS = frozenset("ar")  # NO ACTION and RESTRICT


def alter_table(node: Node, schema: Schema) -> Iterator[Effect]:
    """An Effect for each command."""
    table = table_name(node["relation"])
    for item in node["cmds"]:
        command = item["AlterTableCmd"]
        yield (
            _of_command(command, table, schema)
            if node.get("objtype") in ("OBJECT_TABLE", "OBJECT_INDEX")
            else _other(command, table, schema)
        )


def _of_command(command: Node, table: str, schema: Schema) -> Effect:
    kind = command["subtype"]
    if kind in _COLUMNS:
        return _COLUMNS[kind](command, table, schema)
    if kind == "AT_AddConstraint":
        return added_constraint(command["def"]["Constraint"], table, schema)
    if kind == "AT_DropConstraint":
        return _dropped_constraint(command["name"], table, schema)
    if kind in _STORAGE:
        locks = columns.REWRITES % table if kind == "AT_SetTableSpace" else ""
        return Effect(ADDITIVE, "how %s is stored or checked changes" % table, table, locks=locks)
    return _other(command, table, schema)


def _other(command: Node, table: str, schema: Schema) -> Effect:
    if schema.is_new(table):
        return Effect(ADDITIVE, "the new table %s is changed" % table, table)
    words = "%s is changed in a way of which it is not known here what code from before would notice (%s)"
    return Effect(UNKNOWN, words % (table, command["subtype"].removeprefix("AT_")), table)


def added_constraint(constraint: Node, table: str, schema: Schema) -> Effect:
    """ADD CONSTRAINT, also of a table that is being created."""
    kind, name = constraint["contype"], constraint.get("conname", "")
    schema.add("constraint", "%s.%s" % (table, name))
    schema.constraints["%s.%s" % (table, name)] = kind
    if kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY") and name:
        schema.unique[name] = True
    over = _columns_of(constraint)
    if schema.all_new(table, over):
        return Effect(
            ADDITIVE, "a constraint of what is new in %s" % table, table, beware=_restricted(constraint, table, schema)
        )
    index = constraint.get("indexname", "")
    if schema.unique.get(index) and not schema.has_new("index", index):
        return Effect(ADDITIVE, "the unique index %s becomes a constraint of %s" % (index, table), table)
    if kind not in _REFUSES:
        return Effect(UNKNOWN, "a constraint of %s is added that is not known here (%s)" % (table, kind), table)
    words = "%s: %s" % (table, _REFUSES[kind] % (", ".join(over) or "the table"))
    locks = "" if constraint.get("skip_validation") or index else columns.SCANS % table
    return Effect(TAKES_AWAY, words, table, over[0] if len(over) == 1 else "", locks)


def _columns_of(constraint: Node) -> list[str]:
    """The columns that a constraint is over."""
    keys = [*constraint.get("keys", ()), *constraint.get("fk_attrs", ())]
    if keys:
        return columns.names_of(keys)
    if constraint["contype"] == "CONSTR_EXCLUSION":
        return [item["name"] for item in nodes(constraint["exclusions"], "IndexElem") if "name" in item]
    found = [node["fields"][-1] for node in nodes(constraint.get("raw_expr", {}), "ColumnRef")]
    return list(dict.fromkeys(item["String"]["sval"] for item in found if "String" in item))


def _restricted(constraint: Node, table: str, schema: Schema) -> str:
    """What a foreign key of something new keeps code from before from doing; empty where nothing."""
    if constraint["contype"] != "CONSTR_FOREIGN" or constraint.get("fk_del_action", "a") not in _RESTRICTS:
        return ""
    other = table_name(constraint["pktable"])
    return (
        ""
        if other == table or schema.is_new(other)
        else "as long as code from before deletes no row of %s that rows of %s refer to" % (other, table)
    )


def _dropped_constraint(name: str, table: str, schema: Schema) -> Effect:
    words, whole = "constraint %s of %s is dropped" % (name, table), "%s.%s" % (table, name)
    if schema.is_new(table) or schema.has_new("constraint", whole):
        return Effect(ADDITIVE, words, table)
    if schema.constraints.get(whole) in ("CONSTR_CHECK", "CONSTR_FOREIGN"):
        return Effect(ADDITIVE, words, table, beware="as long as no row of %s breaks what %s promised" % (table, name))
    return Effect(
        TAKES_AWAY, "%s: an upsert that needs it is refused, and what it promised holds no more" % words, table
    )
