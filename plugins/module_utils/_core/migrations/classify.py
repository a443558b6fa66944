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

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations import data
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.alter_table import alter_table
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.columns import column_of, constraints_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.constraints import (
    added_constraint,
    never_repeats,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import may_fail
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
    return [ClassifiedMigration(item.name, tuple(_effects(item, schema)), item.checksums) for item in coming]


def _effects(migration: GivenMigration, schema: Schema) -> Iterator[Effect]:
    for statement in migration.statements:
        yield from effects_of(statement, schema)


def effects_of(statement: Statement, schema: Schema) -> Iterator[Effect]:
    """The Effects of a statement; the Schema is then as it leaves it."""
    ((kind, node),) = statement.items()
    if kind in _STATEMENTS:
        yield from _STATEMENTS[kind](node, schema)
    elif kind in OBJECTS:
        yield OBJECTS[kind](node, schema)
    elif kind in _NOTHING:
        yield Effect(ADDITIVE, _NOTHING[kind])
    else:
        yield Effect(UNKNOWN, "what %s does is not known here" % kind.removesuffix("Stmt"))
    if kind in data.WRITES:
        yield from (
            effect for part in ("withClause", "selectStmt") for effect in data.inner(node.get(part, {}), schema)
        )


_NOTHING = {
    "TransactionStmt": "a transaction begins or ends",
    "VariableShowStmt": "a setting is shown",
    "CommentStmt": "a comment",
    "CheckPointStmt": "a checkpoint",
    "DiscardStmt": "what this session keeps is forgotten",
    "SecLabelStmt": "a label",
}


def _create_table(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["relation"])
    if node.get("if_not_exists") and table in schema.tables:
        yield Effect(ADDITIVE, "table %s is there already" % table, table)
        return
    made = KnownTable(schema.arriving and not node.get("if_not_exists"))  # where it is there, nothing is made
    schema.tables[table] = made
    given: list[Node] = []
    for item in node.get("tableElts", ()):
        if "ColumnDef" in item:
            definition = item["ColumnDef"]
            made.columns[definition["colname"]] = column_of(definition, made.new, schema)
            given += [item for item in constraints_of(definition).values() if item["contype"] == "CONSTR_FOREIGN"]
            for constraint in constraints_of(definition).values():
                if constraint["contype"] in ("CONSTR_UNIQUE", "CONSTR_PRIMARY") and "conname" in constraint:
                    schema.unique[constraint["conname"]] = True
    given += [item["Constraint"] for item in node.get("tableElts", ()) if "Constraint" in item]
    bewares = [added_constraint(constraint, table, schema).beware for constraint in given]
    words = "table %s is created" % table
    if node.get("inhRelations") and "partbound" not in node:
        yield Effect(UNKNOWN, "%s, and inherits: its rows are seen in another table" % words, table)
    else:
        yield Effect(ADDITIVE, words, table, beware="; ".join(filter(None, bewares)))


def _create_table_as(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["into"]["rel"])
    schema.tables[table] = KnownTable(schema.arriving)
    yield Effect(ADDITIVE, "table %s is created out of rows" % table, table)
    yield from data.select(node["query"], schema)


def _create_index(node: Node, schema: Schema) -> Iterator[Effect]:
    table, name = table_name(node["relation"]), node.get("idxname", "")
    unique = bool(node.get("unique"))
    schema.unique[name] = unique
    schema.add("index", name)
    over = [item["IndexElem"].get("name", "") for item in node["indexParams"]]
    locks = (
        "" if node.get("concurrent") or schema.is_new(table) else "nobody can write %s while the index is built" % table
    )
    expressions = [item["IndexElem"]["expr"] for item in node["indexParams"] if "expr" in item["IndexElem"]]
    fresh = schema.is_new(table) or (schema.all_new(table, over) and never_repeats(table, over, schema))
    if unique and not (fresh and not (node.get("nulls_not_distinct") and not schema.is_new(table))):
        words = "%s: rows that repeat a value of %s are refused" % (
            table,
            ", ".join(filter(None, over)) or "an expression",
        )
        yield Effect(TAKES_AWAY, words, table, over[0] if len(over) == 1 else "", locks)
    else:
        hard = not schema.is_new(table) and any(may_fail(item) for item in [*expressions, node.get("whereClause", {})])
        beware = "as long as what is indexed can be computed for every row that code from before writes" if hard else ""
        yield Effect(ADDITIVE, "an index of %s is built" % table, table, locks=locks, beware=beware)


def _set(node: Node, _schema: Schema) -> Iterator[Effect]:
    values = [item.get("A_Const", {}).get("sval", {}).get("sval", "") for item in node.get("args", ())]
    yield data.setting(str(node.get("name", "")), values)


def _create_trigger(node: Node, schema: Schema) -> Iterator[Effect]:
    table = table_name(node["relation"])
    schema.tables.setdefault(table, KnownTable(False)).triggers = True
    words = "trigger %s is put on %s" % (node["trigname"], table)
    if schema.is_new(table):
        yield Effect(ADDITIVE, words, table)
    else:
        yield Effect(UNKNOWN, "%s: what it does to what code from before writes is not known here" % words, table)


def _alter_sequence(node: Node, _schema: Schema) -> Iterator[Effect]:
    options = {item["DefElem"]["defname"] for item in node.get("options", ())}
    name = table_name(node["sequence"])
    if "restart" in options:
        yield Effect(CHANGES_DATA, "sequence %s begins anew" % name)
    elif options <= {"owned_by", "as", "cache", "maxvalue"}:
        yield Effect(ADDITIVE, "sequence %s gets other bounds or another owner" % name)
    else:
        yield Effect(UNKNOWN, "sequence %s counts otherwise" % name)


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
    "IndexStmt": _create_index,
    "CreateTrigStmt": _create_trigger,
    "AlterSeqStmt": _alter_sequence,
    "DropStmt": drop,
    "RenameStmt": rename,
    "SelectStmt": data.select,
    **data.WRITES,
    "TruncateStmt": data.truncate,
    "CopyStmt": data.copy,
    "ExplainStmt": data.explained,
    "VariableSetStmt": _set,
    "VacuumStmt": _maintained,
    "ReindexStmt": _locking("indexes are built anew", "nobody can write the table while its indexes are built"),
    "ClusterStmt": _locking("a table is put in order", "nobody can read or write it meanwhile"),
    "LockStmt": _locking("a table is locked", "whoever needs it waits until the transaction is over"),
    "RefreshMatViewStmt": _locking("a materialized view is filled", "who reads it waits"),
}
