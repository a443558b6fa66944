# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that something other than a table is made, renamed or dropped. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.constraints import created_index
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import unproven
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    Node,
    Schema,
    dotted,
    names_of,
    qualified,
    schema_of,
    table_name,
    type_name,
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
    "OBJECT_EXTENSION": "extension",
    "OBJECT_COLUMN": "column",
    "OBJECT_TABCONSTRAINT": "constraint",
}


def drop(node: Node, schema: Schema) -> Iterator[Effect]:
    """DROP: an Effect for each thing. With CASCADE, what depends on it goes, too, and is not known here."""
    kind = _KINDS.get(node["removeType"], "")
    for item in node["objects"]:
        yield _dropped(kind or "something", _name(item), node.get("behavior") == "DROP_CASCADE", schema)


def _dropped(kind: str, name: str, cascade: bool, schema: Schema) -> Effect:
    words = "%s %s is dropped%s" % (kind, name, ", and what depends on it" if cascade else "")
    new, table = schema.is_new(name) if kind == "table" else schema.has_new(kind, name), name if kind == "table" else ""
    schema.new.discard((kind, name))
    index = schema.indexes.get(name)
    known = kind == "index" and name in schema.indexes
    if kind == "table":
        schema.drop_table(name)
    if kind == "index":
        schema.indexes.pop(name, None)
    if new and not cascade:
        return Effect(ADDITIVE, words, table)
    if known and index is None:
        return Effect(ADDITIVE, words, beware="as long as it is fast enough without %s" % name)
    if known and index and schema.unique_over(index.table, sorted(index.columns), False):
        return Effect(ADDITIVE, words)
    return Effect(TAKES_AWAY, words, table)


def _name(item: Node) -> str:
    if "List" in item:
        return dotted(item["List"]["items"])
    if "TypeName" in item:
        return dotted(item["TypeName"]["names"])
    if "ObjectWithArgs" in item:
        return dotted(item["ObjectWithArgs"]["objname"])
    return str(item["String"].get("sval", "")) if "String" in item else "of an unknown name"


def rename(node: Node, schema: Schema) -> Iterator[Effect]:
    """RENAME of anything; it stays in its schema."""
    kind, table = _KINDS.get(node["renameType"], ""), table_name(node["relation"]) if "relation" in node else ""
    where = schema_of(node["relation"]) if "relation" in node else _name(node.get("object", {})).rpartition(".")[0]
    old, new_name = node.get("subname") or table or _name(node.get("object", {})), node.get("newname", "")
    if kind == "table":
        yield _renamed_table(table, qualified(where, new_name), schema)
    elif kind == "column":
        yield _renamed_column(table, old, new_name, schema)
    elif kind == "index":
        yield _renamed_index(table, qualified(where, new_name), schema)
    elif kind == "constraint":
        yield _renamed_constraint(table, old, new_name, schema)
    else:
        known = bool(kind) and schema.rename(kind, old, qualified(where, new_name))
        if kind == "type" and old in schema.enums:
            schema.enums.add(qualified(where, new_name))
        yield Effect(ADDITIVE if known else TAKES_AWAY, "%s %s is renamed to %s" % (kind or "something", old, new_name))


_NAMED = "as long as no statement of code from before names it (ON CONFLICT ON CONSTRAINT)"


def _renamed_table(table: str, new_name: str, schema: Schema) -> Effect:
    new = schema.is_new(table)
    schema.rename_table(table, new_name)
    return Effect(ADDITIVE if new else TAKES_AWAY, "table %s is renamed to %s" % (table, new_name), table)


def _renamed_column(table: str, old: str, new_name: str, schema: Schema) -> Effect:
    column = schema.column(table, old)
    new = schema.is_new(table) or (column is not None and column.new)
    if column:
        columns = schema.tables[table].columns
        columns[new_name] = columns.pop(old)
    for index in schema.indexes.values():
        if index and index.table == table and old in index.columns:
            index.columns = index.columns - {old} | {new_name}
    words = "column %s of %s is renamed to %s" % (old, table, new_name)
    return Effect(ADDITIVE if new else TAKES_AWAY, words, table, old)


def _renamed_index(old: str, new_name: str, schema: Schema) -> Effect:
    new = schema.rename("index", old, new_name)
    if old in schema.indexes:
        schema.indexes[new_name] = schema.indexes.pop(old)
    plain = new or schema.indexes.get(new_name, ()) is None
    return Effect(ADDITIVE, "index %s is renamed to %s" % (old, new_name), beware="" if plain else _NAMED)


def _renamed_constraint(table: str, old: str, new_name: str, schema: Schema) -> Effect:
    new = schema.rename("constraint", "%s.%s" % (table, old), "%s.%s" % (table, new_name))
    kind = schema.constraints.pop((table, old), "")
    if kind:
        schema.constraints[table, new_name] = kind
    words = "constraint %s of %s is renamed to %s" % (old, table, new_name)
    return Effect(ADDITIVE, words, table, beware="" if new or schema.is_new(table) else _NAMED)


def _made(kind: str, member: str) -> Callable[[Node, Schema], Effect]:
    def effect(node: Node, schema: Schema) -> Effect:
        called = dotted(node[member])
        schema.note(kind, called)
        return Effect(ADDITIVE, "%s %s is created" % (kind, called))

    return effect


def _new_enum(node: Node, schema: Schema) -> Effect:
    schema.enums.add(dotted(node["typeName"]))
    return _made("type", "typeName")(node, schema)


def _domain(node: Node, schema: Schema) -> Effect:
    name, base = dotted(node["domainname"]), type_name(node["typeName"])
    kinds = {item["Constraint"]["contype"] for item in node.get("constraints", ())}
    if kinds - {"CONSTR_DEFAULT"} or base in schema.strict:
        schema.strict.add(name)
    return _made("type", "domainname")(node, schema)


def _function(node: Node, schema: Schema) -> Effect:
    """A function is what its arguments are, too: which one is replaced, dropped or called by a name is not known here."""
    called, bare = dotted(node["funcname"]), names_of(node["funcname"])[-1]
    known = bare in schema.functions
    schema.functions.add(bare)
    if node.get("replace"):
        return Effect(UNKNOWN, "function %s is created, or replaced where it is there" % called)
    beware = "as long as code from before calls no function %s" % called if known else ""
    return Effect(ADDITIVE, "function %s is created" % called, beware=beware)


def _view(node: Node, schema: Schema) -> Effect:
    name = table_name(node["view"])
    if unproven(node.get("query", {}), schema.functions):
        schema.active_views.add(name)
    if node.get("replace") and not schema.has_new("view", name):
        return Effect(UNKNOWN, "view %s is created, or replaced where it is there" % name)
    schema.note("view", name)
    return Effect(ADDITIVE, "view %s is created" % name)


def _enum(node: Node, schema: Schema) -> Effect:
    name, value = dotted(node["typeName"]), node.get("newVal", "")
    if "oldVal" in node or not (node.get("newValIsAfter") or "newValNeighbor" in node):
        return Effect(TAKES_AWAY, "value %s of type %s is renamed to %s" % (node.get("oldVal", "''"), name, value))
    beware = (
        ""
        if schema.has_new("type", name)
        else "as long as no row holds %s, which code from before may not read" % (value or "''")
    )
    return Effect(ADDITIVE, "type %s gets the value %s" % (name, value or "''"), beware=beware)


def _sequence(node: Node, schema: Schema) -> Effect:
    name = table_name(node["sequence"])
    schema.note("sequence", name, not node.get("if_not_exists"))
    return Effect(ADDITIVE, "sequence %s is created" % name)


def _grant(node: Node, _schema: Schema) -> Effect:
    given = bool(node.get("is_grant"))
    return Effect(ADDITIVE if given else TAKES_AWAY, "rights are %s" % ("given" if given else "taken away"))


def _policy(node: Node, schema: Schema) -> Effect:
    table = table_name(node["table"])
    words = "policy %s decides who sees which rows of %s" % (node.get("policy_name", ""), table)
    return Effect(ADDITIVE if schema.is_new(table) else TAKES_AWAY, words, table)


def _publication(node: Node, _schema: Schema) -> Effect:
    beware = "as long as every table that it publishes has a primary key, without which updates and deletes are refused"
    return Effect(ADDITIVE, "publication %s is created" % node["pubname"], beware=beware)


def _named(kind: str, member: str) -> Callable[[Node, Schema], Effect]:
    def effect(node: Node, schema: Schema) -> Effect:
        name = str(node.get(member, ""))
        schema.note(kind, name, not node.get("if_not_exists"))
        return Effect(ADDITIVE, "%s %s is created" % (kind, name))

    return effect


OBJECTS: dict[str, Callable[[Node, Schema], Effect]] = {
    "CreateEnumStmt": _new_enum,
    "IndexStmt": created_index,
    "CompositeTypeStmt": lambda node, _schema: Effect(ADDITIVE, "type %s is created" % table_name(node["typevar"])),
    "CreateDomainStmt": _domain,
    "CreateRangeStmt": _made("type", "typeName"),
    "CreateFunctionStmt": _function,
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
