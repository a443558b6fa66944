# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that something other than a table is made, renamed or dropped. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    Node,
    Schema,
    dotted,
    table_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    TAKES_AWAY,
    UNKNOWN,
    Effect,
)

_KINDS = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "view",
    "OBJECT_INDEX": "index",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "type",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "function",
    "OBJECT_EXTENSION": "extension",
    "OBJECT_TRIGGER": "trigger",
    "OBJECT_POLICY": "policy",
    "OBJECT_COLUMN": "column",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_ATTRIBUTE": "type",
}


def drop(node: Node, schema: Schema) -> Iterator[Effect]:
    """DROP: an Effect for each thing. With CASCADE, what depends on it goes, too, and is not known here."""
    kind = _KINDS.get(node["removeType"], "thing")
    for item in node["objects"]:
        name = _name(item)
        yield _dropped(kind, name, bool(node.get("behavior") == "DROP_CASCADE"), schema)


def _dropped(kind: str, name: str, cascade: bool, schema: Schema) -> Effect:
    words = "%s %s is dropped%s" % (kind, name, ", and what depends on it" if cascade else "")
    if kind == "table":
        new = schema.is_new(name)
        schema.tables.pop(name, None)
    else:
        new = schema.has_new(kind, name)
    table = name if kind == "table" else ""
    if new and not cascade:
        return Effect(ADDITIVE, words, table)
    if kind == "index" and schema.unique.get(name) is False:
        return Effect(ADDITIVE, words, beware="as long as it is fast enough without %s" % name)
    return Effect(TAKES_AWAY, words, table)


def _name(item: Node) -> str:
    if "List" in item:
        return dotted(item["List"]["items"])
    if "TypeName" in item:
        return dotted(item["TypeName"]["names"])
    if "ObjectWithArgs" in item:
        return dotted(item["ObjectWithArgs"]["objname"])
    return str(item["String"]["sval"]) if "String" in item else "of an unknown name"


def rename(node: Node, schema: Schema) -> Iterator[Effect]:
    """RENAME of anything."""
    kind, new_name = _KINDS.get(node["renameType"], "thing"), node["newname"]
    table = table_name(node["relation"]) if "relation" in node else ""
    old = node.get("subname") or table or _name(node.get("object", {}))
    if kind == "table":
        yield _renamed_table(table, new_name, schema)
    elif kind == "column":
        yield _renamed_column(table, old, new_name, schema)
    elif kind == "index":
        schema.unique[new_name] = schema.unique.pop(table, True)
        yield Effect(ADDITIVE, "index %s is renamed to %s" % (table, new_name))
    elif kind == "constraint":
        whole, fresh = "%s.%s" % (table, old), "%s.%s" % (table, new_name)
        if whole in schema.constraints:
            schema.constraints[fresh] = schema.constraints.pop(whole)
        beware = (
            ""
            if schema.is_new(table)
            else "as long as no statement of code from before names it (ON CONFLICT ON CONSTRAINT)"
        )
        yield Effect(ADDITIVE, "constraint %s of %s is renamed to %s" % (old, table, new_name), table, beware=beware)
    else:
        known = schema.has_new(kind, old)
        if known:
            schema.add(kind, new_name)
        yield Effect(ADDITIVE if known else TAKES_AWAY, "%s %s is renamed to %s" % (kind, old, new_name))


def _renamed_table(table: str, new_name: str, schema: Schema) -> Effect:
    new = schema.is_new(table)
    known = schema.tables.pop(table, None)
    if known:
        schema.tables[new_name] = known
    return Effect(ADDITIVE if new else TAKES_AWAY, "table %s is renamed to %s" % (table, new_name), table)


def _renamed_column(table: str, old: str, new_name: str, schema: Schema) -> Effect:
    column = schema.column(table, old)
    new = schema.is_new(table) or (column is not None and column.new)
    if column:
        columns = schema.tables[table].columns
        columns[new_name] = columns.pop(old)
    words = "column %s of %s is renamed to %s" % (old, table, new_name)
    return Effect(ADDITIVE if new else TAKES_AWAY, words, table, old)


def _made(kind: str, name: Callable[[Node], Sequence[Node]]) -> Callable[[Node, Schema], Effect]:
    def effect(node: Node, schema: Schema) -> Effect:
        called = dotted(name(node))
        if node.get("replace") and not schema.has_new(kind, called):
            return Effect(UNKNOWN, "%s %s is created, or replaced where it is there" % (kind, called))
        schema.add(kind, called)
        return Effect(ADDITIVE, "%s %s is created" % (kind, called))

    return effect


def _view(node: Node, schema: Schema) -> Effect:
    name = table_name(node["view"])
    if node.get("replace") and not schema.has_new("view", name):
        return Effect(UNKNOWN, "view %s is created, or replaced where it is there" % name)
    schema.add("view", name)
    return Effect(ADDITIVE, "view %s is created" % name)


def _enum(node: Node, schema: Schema) -> Effect:
    name = dotted(node["typeName"])
    if node.get("oldVal"):
        return Effect(TAKES_AWAY, "value %s of type %s is renamed to %s" % (node["oldVal"], name, node["newVal"]))
    beware = (
        ""
        if schema.has_new("type", name)
        else "as long as no row holds %s, which code from before may not read" % node["newVal"]
    )
    return Effect(ADDITIVE, "type %s gets the value %s" % (name, node["newVal"]), beware=beware)


def _domain(node: Node, schema: Schema) -> Effect:
    name = dotted(node["domainname"])
    kinds = {item["Constraint"]["contype"] for item in node.get("constraints", ())}
    if kinds - {"CONSTR_DEFAULT"}:
        schema.required_types.add(name.rpartition(".")[2])
    schema.add("type", name)
    return Effect(ADDITIVE, "type %s is created" % name)


def _publication(node: Node, _schema: Schema) -> Effect:
    beware = "as long as every table that it publishes has a primary key, without which updates and deletes are refused"
    return Effect(ADDITIVE, "publication %s is created" % node["pubname"], beware=beware)


def _sequence(node: Node, schema: Schema) -> Effect:
    name = table_name(node["sequence"])
    schema.add("sequence", name)
    return Effect(ADDITIVE, "sequence %s is created" % name)


def _grant(node: Node, _schema: Schema) -> Effect:
    given = bool(node.get("is_grant"))
    return Effect(ADDITIVE if given else TAKES_AWAY, "rights are %s" % ("given" if given else "taken away"))


def _policy(node: Node, schema: Schema) -> Effect:
    table = table_name(node["table"])
    words = "policy %s decides who sees which rows of %s" % (node.get("policy_name", ""), table)
    return Effect(ADDITIVE if schema.is_new(table) else TAKES_AWAY, words, table)


def _named(kind: str, member: str) -> Callable[[Node, Schema], Effect]:
    def effect(node: Node, schema: Schema) -> Effect:
        name = str(node.get(member, ""))
        schema.add(kind, name)
        return Effect(ADDITIVE, "%s %s is created" % (kind, name))

    return effect


OBJECTS: dict[str, Callable[[Node, Schema], Effect]] = {
    "CreateEnumStmt": _made("type", lambda node: node["typeName"]),
    "CompositeTypeStmt": lambda node, _schema: Effect(ADDITIVE, "type %s is created" % table_name(node["typevar"])),
    "CreateDomainStmt": _domain,
    "CreateRangeStmt": _made("type", lambda node: node["typeName"]),
    "CreateFunctionStmt": _made("function", lambda node: node["funcname"]),
    "CreateSeqStmt": _sequence,
    "CreateSchemaStmt": _named("schema", "schemaname"),
    "CreateExtensionStmt": _named("extension", "extname"),
    "CreateRoleStmt": _named("role", "role"),
    "CreatePublicationStmt": _publication,
    "CreateStatsStmt": lambda _node, _schema: Effect(ADDITIVE, "statistics for the planner are created"),
    "ViewStmt": _view,
    "AlterEnumStmt": _enum,
    "GrantStmt": _grant,
    "GrantRoleStmt": _grant,
    "CreatePolicyStmt": _policy,
}
"""Kind of statement → its one Effect."""
