# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that a column is added or changed. Pure. What locks how long: PostgreSQL's documentation of ALTER TABLE, "Notes"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.constraints import (
    SCANS,
    never_repeats,
    restricted,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import (
    columns_in,
    differs_by_row,
    is_null,
    may_fail,
    passes_without_a_value,
    unproven,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    KnownColumn,
    KnownTable,
    Node,
    Schema,
    type_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    TAKES_AWAY,
    UNKNOWN,
    Effect,
)

REWRITES = "nobody can read or write %s while it is rewritten"
_SERIAL = frozenset(("serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"))
_FILLS = frozenset(("CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"))
_LENGTH = re.compile(r"varchar(?:\((\d+)\))?\Z")


def constraints_of(definition: Node) -> dict[str, Node]:
    """Kind → constraint of a ColumnDef. DEFAULT NULL is none."""
    found = {item["Constraint"]["contype"]: item["Constraint"] for item in definition.get("constraints", ())}
    if "CONSTR_DEFAULT" in found and is_null(found["CONSTR_DEFAULT"].get("raw_expr", {})):
        del found["CONSTR_DEFAULT"]
    return found


def column_of(definition: Node, new: bool, schema: Schema) -> KnownColumn:
    """The KnownColumn that a ColumnDef makes."""
    kinds, kind = constraints_of(definition), type_name(definition["typeName"])
    numbered = kind in _SERIAL or "CONSTR_IDENTITY" in kinds
    required = numbered or bool({"CONSTR_NOTNULL", "CONSTR_PRIMARY"} & set(kinds)) or kind in schema.required_types
    varies = numbered or ("CONSTR_DEFAULT" in kinds and differs_by_row(kinds["CONSTR_DEFAULT"]))
    return KnownColumn(new, required, numbered or bool(_FILLS & set(kinds)), kind, varies)


def added(command: Node, table: str, schema: Schema) -> Effect:
    """ADD COLUMN."""
    definition = command["def"]["ColumnDef"]
    name, kinds = definition["colname"], constraints_of(definition)
    if command.get("missing_ok") and schema.column(table, name):
        return Effect(ADDITIVE, "column %s of %s is there already" % (name, table), table, name)
    column = column_of(definition, schema.arriving and not command.get("missing_ok"), schema)  # there, it is not added
    schema.tables.setdefault(table, KnownTable(False)).columns[name] = column
    if schema.is_new(table):
        return Effect(ADDITIVE, "column %s is added to the new table %s" % (name, table), table, name)
    refused = _refused(column, kinds, table, name, schema)
    if refused:
        return Effect(TAKES_AWAY, "column %s is added to %s, %s" % (name, table, refused), table, name)
    rewritten = column.varies or "CONSTR_GENERATED" in kinds
    locks = REWRITES % table if rewritten else ""
    return Effect(
        ADDITIVE, "column %s is added to %s" % (name, table), table, name, locks, _beware(kinds, table, schema)
    )


def _refused(column: KnownColumn, kinds: Mapping[str, Node], table: str, name: str, schema: Schema) -> str:
    """Why what code from before inserts without a new column is refused; empty where it is not."""
    if column.required and not column.default:
        return "NOT NULL and without a default: what code from before inserts is refused"
    if {"CONSTR_UNIQUE", "CONSTR_PRIMARY"} & set(kinds) and not never_repeats(table, [name], schema):
        return "unique and with one default for all: code from before can insert one row at most"
    check = kinds.get("CONSTR_CHECK", {}).get("raw_expr")
    empty = not column.required and not column.default
    if check and not (empty and columns_in(check) == [name] and passes_without_a_value(check)):
        return "with a check of which it is not known that what code from before inserts passes it"
    if unproven(kinds.get("CONSTR_DEFAULT", {})):
        return "with a default of which it is not known here what it does (%s)" % unproven(kinds["CONSTR_DEFAULT"])[0]
    return ""


def _beware(kinds: Mapping[str, Node], table: str, schema: Schema) -> str:
    found = [restricted(kinds["CONSTR_FOREIGN"], table, schema)] if "CONSTR_FOREIGN" in kinds else []
    if may_fail(kinds.get("CONSTR_GENERATED", {})):
        found.append("as long as it can be computed for every row that code from before writes")
    return "; ".join(filter(None, found))


def dropped(command: Node, table: str, schema: Schema) -> Effect:
    """DROP COLUMN."""
    name = command["name"]
    return _of_old(schema, table, name, "column %s of %s is dropped" % (name, table))


def default_changed(command: Node, table: str, schema: Schema) -> Effect:
    """SET DEFAULT and DROP DEFAULT; SET DEFAULT NULL is the latter."""
    name, column = command["name"], schema.column(table, command["name"])
    given = "def" in command and not is_null(command["def"])
    words = "column %s of %s gets %s default" % (name, table, "another" if given else "no")
    fresh = schema.is_new(table) or (column is not None and column.new)
    if column:
        column.default, column.varies = given, given and differs_by_row(command["def"])
    if given and unproven(command["def"]) and not schema.is_new(table):
        return Effect(
            UNKNOWN, "%s, and what %s does is not known here" % (words, unproven(command["def"])[0]), table, name
        )
    if given:
        beware = (
            ""
            if fresh
            else "as long as another value of %s is right in rows that code from before inserts without it" % name
        )
        return Effect(ADDITIVE, words, table, name, beware=beware)
    if schema.is_new(table) or (column and not column.required):
        return Effect(ADDITIVE, words, table, name)
    return Effect(TAKES_AWAY, "%s: what code from before inserts without it is refused" % words, table, name)


def made_required(command: Node, table: str, schema: Schema) -> Effect:
    """SET NOT NULL."""
    name, column = command["name"], schema.column(table, command["name"])
    if column:
        column.required = True
    locks = "" if schema.is_new(table) else SCANS % table
    if schema.is_new(table) or (column and column.new and column.default):
        return Effect(ADDITIVE, "column %s of %s becomes NOT NULL" % (name, table), table, name, locks)
    words = "column %s of %s becomes NOT NULL: what code from before writes without it is refused" % (name, table)
    return Effect(TAKES_AWAY, words, table, name, locks)


def made_optional(command: Node, table: str, schema: Schema) -> Effect:
    """DROP NOT NULL."""
    name, column = command["name"], schema.column(table, command["name"])
    if column:
        column.required = False
    known = schema.is_new(table) or (column and column.new)
    beware = (
        "" if known else "as long as no row of %s has null in %s, which code from before may not read" % (table, name)
    )
    return Effect(ADDITIVE, "column %s of %s may be null" % (name, table), table, name, beware=beware)


def retyped(command: Node, table: str, schema: Schema) -> Effect:
    """ALTER COLUMN TYPE: additive only where the type from before is known, and every value of the new one is one of it in all but length."""
    name, column = command["name"], schema.column(table, command["name"])
    before, after = column.type if column else "", type_name(command["def"]["ColumnDef"]["typeName"])
    if column:
        column.type = after
    words = "column %s of %s changes its type to %s" % (name, table, after)
    if column and before and "raw_default" not in command["def"]["ColumnDef"] and _longer(before, after):
        beware = "as long as no value in it is longer than %s" % before if after != before else ""
        return Effect(ADDITIVE, words, table, name, beware="" if schema.is_new(table) or column.new else beware)
    return _of_old(schema, table, name, words, REWRITES % table)


def _longer(before: str, after: str) -> bool:
    """Whether a type of text becomes one that takes as much or more."""
    old, new = _LENGTH.match(before), _LENGTH.match(after)
    if before == after or (old and after == "text"):
        return True
    if not (old and new):
        return False
    return new[1] is None or (old[1] is not None and int(new[1]) >= int(old[1]))


def identity_changed(command: Node, table: str, schema: Schema) -> Effect:
    """ADD GENERATED … AS IDENTITY, and its DROP and SET."""
    name, verb = command["name"], command["subtype"]
    words = "column %s of %s is numbered otherwise" % (name, table)
    by_default = command.get("def", {}).get("Constraint", {}).get("generated_when") == "d"
    if verb == "AT_AddIdentity" and by_default:
        return Effect(ADDITIVE, "column %s of %s is numbered where nothing is given" % (name, table), table, name)
    return _of_old(schema, table, name, words)


def _of_old(schema: Schema, table: str, name: str, words: str, locks: str = "") -> Effect:
    """Additive where the column is new to code from before, else it takes it away."""
    column = schema.column(table, name)
    fresh = schema.is_new(table) or (column is not None and column.new)
    return Effect(ADDITIVE if fresh else TAKES_AWAY, words, table, name, "" if schema.is_new(table) else locks)
