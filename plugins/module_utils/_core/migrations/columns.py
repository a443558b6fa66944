# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that a column is added or changed. Pure. What locks how long: PostgreSQL's documentation of ALTER TABLE, "Notes"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.constraints import (
    SCANS,
    added_constraint,
    of_column,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import (
    differs_by_row,
    fills,
    is_null,
    never_the_same,
    unproven,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    KnownColumn,
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
_BUILT_IN = _SERIAL | frozenset(
    re.findall(
        r"\w+",
        """bool int2 int4 int8 float4 float8 numeric money text varchar bpchar char name bytea date time timetz timestamp timestamptz interval
        uuid json jsonb jsonpath xml inet cidr macaddr macaddr8 bit varbit point line lseg box path polygon circle tsvector tsquery oid
        int4range int8range numrange tsrange tstzrange daterange citext hstore vector geometry geography ltree""",
    )
)
_LENGTH = re.compile(r"varchar(?:\((\d+)\))?\Z")
_BASE = re.compile(r"\(.*\)|\[\]")


def constraints_of(definition: Node) -> list[Node]:
    """The constraints of a ColumnDef. DEFAULT NULL is none."""
    found = [item["Constraint"] for item in definition.get("constraints", ())]
    return [item for item in found if item["contype"] != "CONSTR_DEFAULT" or not is_null(item.get("raw_expr", {}))]


def _of_kind(constraints: Sequence[Node], kind: str) -> Node:
    return next((item for item in constraints if item["contype"] == kind), {})


def column_of(definition: Node, new: bool, schema: Schema) -> KnownColumn:
    """The KnownColumn that a ColumnDef makes."""
    constraints, kind = constraints_of(definition), type_name(definition.get("typeName", {}))
    kinds, given = (
        {item["contype"] for item in constraints},
        _of_kind(constraints, "CONSTR_DEFAULT").get("raw_expr", {}),
    )
    numbered = kind in _SERIAL or "CONSTR_IDENTITY" in kinds
    required = numbered or bool({"CONSTR_NOTNULL", "CONSTR_PRIMARY"} & kinds) or kind in schema.strict
    return KnownColumn(new, required, numbered or fills(given), kind, numbered or never_the_same(given))


def added(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """ADD COLUMN, with what is written at it."""
    definition = command["def"]["ColumnDef"]
    name, constraints = definition["colname"], constraints_of(definition)
    if schema.column(table, name):
        yield Effect(ADDITIVE, "column %s of %s is there already" % (name, table), table, name)
        return
    column = column_of(definition, schema.arriving and not command.get("missing_ok"), schema)  # there, it is not added
    schema.table(table).columns[name] = column
    given = _of_kind(constraints, "CONSTR_DEFAULT").get("raw_expr", {})
    schema.table(table).active = schema.table(table).active or bool(unproven(given, (*schema.functions, "nextval")))
    yield _added(column, constraints, table, name, schema)
    for constraint in constraints:
        if constraint["contype"] in ("CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_CHECK", "CONSTR_FOREIGN"):
            yield added_constraint(of_column(constraint, name), table, schema)


def _added(column: KnownColumn, constraints: Sequence[Node], table: str, name: str, schema: Schema) -> Effect:
    words = "column %s is added to %s" % (name, table)
    if schema.is_new(table):
        return Effect(ADDITIVE, words, table, name)
    given, generated = _of_kind(constraints, "CONSTR_DEFAULT"), _of_kind(constraints, "CONSTR_GENERATED")
    if column.required and not (column.default or generated):
        felt = "a default of which it is not known that it fills it" if given else "without a default"
        return Effect(
            TAKES_AWAY, "%s, NOT NULL and %s: what code from before inserts is refused" % (words, felt), table, name
        )
    called = [item for item in unproven(given, schema.functions) if item != "nextval"]
    if called:
        return Effect(
            UNKNOWN, "%s, and what its default calls (%s) is not known here" % (words, called[0]), table, name
        )
    rewritten = bool(generated) or column.varies or differs_by_row(given)
    beware = _conditions(column, bool(generated), schema)
    return Effect(ADDITIVE, words, table, name, REWRITES % table if rewritten else "", beware)


def _conditions(column: KnownColumn, generated: bool, schema: Schema) -> str:
    base = _BASE.sub("", column.type)
    found = []
    if generated:
        found.append(
            "as long as it can be computed for every row that code from before writes%s"
            % (", and is not null" if column.required else "")
        )
    if base in _SERIAL:
        found.append("as long as the role of code from before may use its sequence")
    if base not in _BUILT_IN and base not in schema.enums:
        found.append(
            "as long as its type %s takes %s (that is not known here)"
            % (base, "its default" if column.default else "null")
        )
    return "; ".join(found)


def dropped(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """DROP COLUMN."""
    name = command["name"]
    yield _of_old(schema, table, name, "column %s of %s is dropped" % (name, table))
    schema.table(table).columns.pop(name, None)


def default_changed(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """SET DEFAULT and DROP DEFAULT; SET DEFAULT NULL is the latter."""
    name, column, given = command["name"], schema.column(table, command["name"]), command.get("def", {})
    set_to = bool(given) and not is_null(given)
    had, fresh = column is None or column.default, schema.is_new(table) or (column is not None and column.new)
    words = "column %s of %s gets %s default" % (name, table, "another" if set_to else "no")
    bound = column is not None and column.bound and column.new and not schema.is_new(table)
    if column:
        column.default, column.varies = set_to and fills(given), set_to and never_the_same(given)
    called = unproven(given, schema.functions) if set_to else []
    if set_to and not schema.is_new(table) and (set(called) - {"nextval"} or (called and had and not fresh)):
        yield Effect(UNKNOWN, "%s, and what %s does is not known here" % (words, called[0]), table, name)
    elif set_to and bound and not never_the_same(given):
        felt = "of which it is not known whether its constraints take it for each row that code from before inserts"
        yield Effect(TAKES_AWAY, "%s, %s" % (words, felt), table, name)
    elif set_to:
        beware = (
            ""
            if fresh
            else "as long as another value of %s is right in rows that code from before inserts without it" % name
        )
        yield Effect(ADDITIVE, words, table, name, beware=beware)
    elif schema.is_new(table) or (column and not column.required):
        beware = (
            "as long as rows that code from before inserts without %s may have null in it" % name
            if had and not fresh
            else ""
        )
        yield Effect(ADDITIVE, words, table, name, beware=beware)
    else:
        yield Effect(TAKES_AWAY, "%s: what code from before inserts without it is refused" % words, table, name)


def made_required(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """SET NOT NULL."""
    name, column = command["name"], schema.column(table, command["name"])
    promised = column is not None and column.required
    if column:
        column.required = True
    locks = "" if schema.is_new(table) else SCANS % table
    if schema.is_new(table) or promised or (column and column.new and column.default):
        yield Effect(ADDITIVE, "column %s of %s becomes NOT NULL" % (name, table), table, name, locks)
        return
    words = "column %s of %s becomes NOT NULL: what code from before writes without it is refused" % (name, table)
    yield Effect(TAKES_AWAY, words, table, name, locks)


def made_optional(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """DROP NOT NULL."""
    name, column = command["name"], schema.column(table, command["name"])
    if column:
        column.required = False
    known = schema.is_new(table) or (column and column.new)
    beware = (
        "" if known else "as long as no row of %s has null in %s, which code from before may not read" % (table, name)
    )
    yield Effect(ADDITIVE, "column %s of %s may be null" % (name, table), table, name, beware=beware)


def retyped(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """ALTER COLUMN TYPE: additive only where the type from before is known, and every value of the new one is one of it in all but length."""
    name, column, definition = command["name"], schema.column(table, command["name"]), command["def"]["ColumnDef"]
    before, after = column.type if column else "", type_name(definition["typeName"])
    if column:
        column.type = after
    words = "column %s of %s changes its type to %s" % (name, table, after)
    using = definition.get("raw_default", {})
    if unproven(using, schema.functions):
        yield Effect(UNKNOWN, "%s, by a function that is not known here" % words, table, name)
    elif column and before and not using and "collClause" not in definition and _longer(before, after):
        beware = "as long as no value in it is longer than %s" % before if after != before else ""
        yield Effect(ADDITIVE, words, table, name, beware="" if schema.is_new(table) or column.new else beware)
    elif column and column.new and not schema.is_new(table) and _BASE.sub("", after) not in (_BUILT_IN | schema.enums):
        beware = "as long as its type %s takes null (that is not known here)" % after
        yield Effect(ADDITIVE, words, table, name, REWRITES % table, beware)
    else:
        yield _of_old(schema, table, name, words, REWRITES % table)


def _longer(before: str, after: str) -> bool:
    """Whether a type of text becomes one that takes as much or more."""
    old, new = _LENGTH.match(before), _LENGTH.match(after)
    if (before == after and "?" not in after) or (old and after == "text"):
        return True
    if not (old and new):
        return False
    return new[1] is None or (old[1] is not None and int(new[1]) >= int(old[1]))


def identity_changed(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    """ADD GENERATED … AS IDENTITY, and its DROP and SET."""
    name, verb, column = command["name"], command["subtype"], schema.column(table, command["name"])
    words = "column %s of %s is numbered otherwise" % (name, table)
    by_default = command.get("def", {}).get("Constraint", {}).get("generated_when") == "d"
    if verb == "AT_DropIdentity" and column:
        column.default = column.varies = False
    if schema.is_new(table) or (verb == "AT_AddIdentity" and by_default):
        yield Effect(ADDITIVE, words, table, name)
    else:
        yield Effect(TAKES_AWAY, "%s: what code from before inserts may be refused" % words, table, name)


def _of_old(schema: Schema, table: str, name: str, words: str, locks: str = "") -> Effect:
    """Additive where the column is new to code from before, else it takes it away."""
    column = schema.column(table, name)
    fresh = schema.is_new(table) or (column is not None and column.new)
    return Effect(ADDITIVE if fresh else TAKES_AWAY, words, table, name, "" if schema.is_new(table) else locks)
