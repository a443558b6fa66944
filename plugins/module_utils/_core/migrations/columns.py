# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that a column is added or changed. Pure. What locks how long: PostgreSQL's documentation of ALTER TABLE, "Notes"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import differs_by_row
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
    Effect,
)

REWRITES = "nobody can read or write %s while it is rewritten"
SCANS = "nobody can read or write %s while it is checked"
_SERIAL = frozenset(("serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"))
_FILLS = frozenset(("CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"))
_LENGTH = re.compile(r"varchar(?:\((\d+)\))?\Z")


def constraints_of(definition: Node) -> dict[str, Node]:
    """Kind → constraint of a ColumnDef."""
    return {item["Constraint"]["contype"]: item["Constraint"] for item in definition.get("constraints", ())}


def column_of(definition: Node, new: bool) -> KnownColumn:
    """The KnownColumn that a ColumnDef makes."""
    kinds, kind = constraints_of(definition), type_name(definition["typeName"])
    required = bool({"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"} & set(kinds)) or kind in _SERIAL
    return KnownColumn(new, required, bool(_FILLS & set(kinds)) or kind in _SERIAL, kind)


def added(command: Node, table: str, schema: Schema) -> Effect:
    """ADD COLUMN."""
    definition = command["def"]["ColumnDef"]
    name, kinds = definition["colname"], constraints_of(definition)
    if command.get("missing_ok") and schema.column(table, name):
        return Effect(ADDITIVE, "column %s of %s is there already" % (name, table), table, name)
    column = column_of(
        definition, schema.arriving and not command.get("missing_ok")
    )  # where it is there, nothing is added
    schema.tables.setdefault(table, KnownTable(False)).columns[name] = column
    if schema.is_new(table):
        return Effect(ADDITIVE, "column %s is added to the new table %s" % (name, table), table, name)
    if column.required and not column.default:
        words = "column %s is added to %s, NOT NULL and without a default: what code from before inserts is refused" % (
            name,
            table,
        )
        return Effect(TAKES_AWAY, words, table, name)
    alike = "CONSTR_DEFAULT" in kinds and not differs_by_row(kinds["CONSTR_DEFAULT"])
    if {"CONSTR_UNIQUE", "CONSTR_PRIMARY"} & set(kinds) and alike:
        words = (
            "column %s is added to %s, unique and with one default for all: code from before can insert one row at most"
            % (name, table)
        )
        return Effect(TAKES_AWAY, words, table, name)
    numbered = column.type in _SERIAL or bool({"CONSTR_IDENTITY", "CONSTR_GENERATED"} & set(kinds))
    rewritten = numbered or ("CONSTR_DEFAULT" in kinds and not alike)
    return Effect(
        ADDITIVE, "column %s is added to %s" % (name, table), table, name, REWRITES % table if rewritten else ""
    )


def dropped(command: Node, table: str, schema: Schema) -> Effect:
    """DROP COLUMN."""
    name = command["name"]
    return _of_old(schema, table, name, "column %s of %s is dropped" % (name, table))


def default_changed(command: Node, table: str, schema: Schema) -> Effect:
    """SET DEFAULT and DROP DEFAULT."""
    name, column = command["name"], schema.column(table, command["name"])
    words = "column %s of %s gets %s default" % (name, table, "another" if "def" in command else "no")
    if column:
        column.default = "def" in command
    if "def" in command or schema.is_new(table) or (column and not column.required):
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


def names_of(items: Sequence[Node]) -> list[str]:
    """Names out of a list of String."""
    return [item["String"]["sval"] for item in items]
