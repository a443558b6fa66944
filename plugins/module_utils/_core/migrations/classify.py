# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What migrations do to code from before them: whether it could run on with the schema that they leave. Pure.

A migration is a list of statements as PostgreSQL's own parser reads them (libpg_query's JSON of a RawStmt's ``stmt``). Those that code from
before knows are replayed first, so that what is new is known, and what a column or an index was. What is in no table here is not known, and
never additive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations import data
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.alter_table import alter_table
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.columns import column_of, constraints_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.constraints import (
    added_constraint,
    of_column,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import unproven
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.objects import (
    OBJECTS,
    drop,
    rename,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    KnownTable,
    Node,
    Schema,
    table_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    CHANGES_DATA,
    TAKES_AWAY,
    UNKNOWN,
    ClassifiedMigration,
    Effect,
)

Statement = Mapping[str, Any]  # {kind of node: node}


@dataclass(frozen=True)
class GivenMigration:
    """A migration as its file has it: ``statements`` are nodes of the parse tree; ``checksums`` as ClassifiedMigration has them."""

    name: str
    statements: Sequence[Statement]
    checksums: tuple[str, ...] = ()


def classify(known: Iterable[GivenMigration], coming: Iterable[GivenMigration]) -> list[ClassifiedMigration]:
    """The ClassifiedMigrations of what comes, in its order.

    :param known: the migrations that code from before knows, in their order.
    """
    schema = Schema()
    for migration in known:
        list(_effects(migration, schema))
    schema.arriving = True
    return [
        ClassifiedMigration(
            foreign(item.name), tuple(effect.shown for effect in _effects(item, schema)), item.checksums
        )
        for item in coming
    ]


def _effects(migration: GivenMigration, schema: Schema) -> Iterator[Effect]:
    for statement in migration.statements:
        yield from effects_of(statement, schema)


def effects_of(statement: Statement, schema: Schema) -> Iterator[Effect]:
    """The Effects of a statement; the Schema is then as it leaves it."""
    ((kind, node),) = statement.items()
    if kind in _STATEMENTS:
        found = list(_STATEMENTS[kind](node, schema))
    elif kind in OBJECTS:
        found = [OBJECTS[kind](node, schema)]
    elif kind in _NOTHING:
        found = [Effect(ADDITIVE, _NOTHING[kind])]
    else:
        found = [Effect(UNKNOWN, "what %s does is not known here" % kind.removesuffix("Stmt"))]
        schema.opaque = True
    if kind in data.WRITES:
        found += [effect for part in ("withClause", "selectStmt") for effect in data.inner(node.get(part, {}), schema)]
    yield from found


_NOTHING = {
    "VariableShowStmt": "a setting is shown",
    "CommentStmt": "a comment",
    "CheckPointStmt": "a checkpoint",
}
_HARMLESS = frozenset(
    ("TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT", "TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE")
)


def _transaction(node: Node, schema: Schema) -> Iterator[Effect]:
    if node["kind"] in _HARMLESS:
        yield Effect(ADDITIVE, "a transaction begins or ends")
        return
    schema.take_back()
    yield Effect(UNKNOWN, "a transaction is taken back, or one that nobody has read here ends")


def _create_table(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["relation"])
    if node.get("if_not_exists") and table in schema.tables:
        yield Effect(ADDITIVE, "table %s is there already" % table, table)
        return
    parents = [table_name(item["RangeVar"]) for item in node.get("inhRelations", ())]
    old = any(not schema.is_new(parent) for parent in parents)
    # Where it is there, nothing is made; what is put into a partition is in its table.
    schema.tables[table] = KnownTable(schema.arriving and not node.get("if_not_exists") and not old, True)
    bewares = list(_elements(node.get("tableElts", ()), table, schema))
    if old and "partbound" in node:
        schema.table(parents[0]).active = True
    words = "table %s is created" % table
    if parents and "partbound" not in node:
        yield Effect(UNKNOWN, "%s, and inherits: its rows are seen in another table" % words, table)
    else:
        yield Effect(ADDITIVE, words, table, beware="; ".join(dict.fromkeys(filter(None, bewares))))


def _elements(items: Sequence[Node], table: str, schema: Schema) -> Iterator[str]:
    """Takes down the columns and constraints of a table that is created, and tells under which conditions code from before does not notice them."""
    made, later = schema.tables[table], []
    for item in items:
        if "ColumnDef" in item:
            definition = item["ColumnDef"]
            made.columns[definition["colname"]] = column_of(definition, made.new, schema)
            given = constraints_of(definition)
            later += [of_column(one, definition["colname"]) for one in given if one["contype"] in _TAKEN_DOWN]
            own = schema.functions
            made.active = made.active or any(set(unproven(one.get("raw_expr", {}), own)) - {"nextval"} for one in given)
    later += [item["Constraint"] for item in items if "Constraint" in item]
    for constraint in later:
        yield added_constraint(constraint, table, schema).beware


_TAKEN_DOWN = ("CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_CHECK", "CONSTR_FOREIGN")


def _create_table_as(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["into"]["rel"])
    new = schema.arriving and not node.get("if_not_exists")
    if node.get("objtype") == "OBJECT_MATVIEW":
        schema.note("view", table, new)
        yield Effect(ADDITIVE, "materialized view %s is created" % table)
    else:
        schema.tables[table] = KnownTable(new and table not in schema.tables)
        yield Effect(ADDITIVE, "table %s is created out of rows" % table, table)
    yield from data.select(node["query"], schema)


def _set(node: Node, _schema: Schema) -> Iterator[Effect]:
    values = [item.get("A_Const", {}).get("sval", {}).get("sval", "") for item in node.get("args", ())]
    yield data.setting(str(node.get("name", "")), values)


def _create_trigger(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["relation"])
    schema.table(table).active = True
    words = "trigger %s is put on %s" % (node["trigname"], table)
    if schema.is_new(table):
        yield Effect(ADDITIVE, words, table)
    else:
        yield Effect(UNKNOWN, "%s: what it does to what code from before writes is not known here" % words, table)


def _create_rule(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["relation"])
    schema.table(table).active = True
    yield Effect(UNKNOWN, "rule %s changes what is done to %s" % (node["rulename"], table), table)


def _alter_sequence(node: Node, schema: Schema) -> Iterator[Effect]:
    options, name = {item["DefElem"]["defname"] for item in node.get("options", ())}, table_name(node["sequence"])
    if schema.has_new("sequence", name) or options <= {"owned_by", "cache"}:
        yield Effect(ADDITIVE, "sequence %s is changed" % name)
    elif "restart" in options:
        yield Effect(CHANGES_DATA, "sequence %s begins anew" % name)
    else:
        yield Effect(UNKNOWN, "sequence %s counts otherwise" % name)


def _refreshed(node: Node, schema: Schema) -> Iterator[Effect]:
    name = table_name(node["relation"])
    if schema.has_new("view", name):
        yield Effect(ADDITIVE, "the new materialized view %s is filled" % name)
    elif node.get("skipData"):
        yield Effect(TAKES_AWAY, "materialized view %s is emptied, and cannot be read" % name)
    else:
        yield Effect(CHANGES_DATA, "materialized view %s is filled anew" % name, locks="who reads it waits")


def _maintained(node: Node, _schema: Schema) -> Iterator[Effect]:
    options = {item["DefElem"]["defname"] for item in (*node.get("options", ()), *node.get("params", ()))}
    locks = "nobody can read or write it meanwhile" if "full" in options else ""
    yield Effect(ADDITIVE, "tables are maintained", locks=locks)


def _locking(words: str, locks: str) -> Callable[[Node, Schema], Iterator[Effect]]:
    def effects(_node: Node, _schema: Schema) -> Iterator[Effect]:
        yield Effect(ADDITIVE, words, locks=locks)

    return effects


_STATEMENTS: dict[str, Callable[[Node, Schema], Iterator[Effect]]] = {
    "AlterTableStmt": alter_table,
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "CreateTrigStmt": _create_trigger,
    "RuleStmt": _create_rule,
    "AlterSeqStmt": _alter_sequence,
    "DropStmt": drop,
    "RenameStmt": rename,
    "SelectStmt": data.select,
    **data.WRITES,
    "TruncateStmt": data.truncate,
    "CopyStmt": data.copy,
    "ExplainStmt": data.explained,
    "VariableSetStmt": _set,
    "TransactionStmt": _transaction,
    "VacuumStmt": _maintained,
    "ReindexStmt": _locking("indexes are built anew", "nobody can write the table while its indexes are built"),
    "ClusterStmt": _locking("a table is put in order", "nobody can read or write it meanwhile"),
    "LockStmt": _locking("a table is locked", "whoever needs it waits until the transaction is over"),
    "RefreshMatViewStmt": _refreshed,
}
