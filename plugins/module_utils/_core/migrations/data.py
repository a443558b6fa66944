# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it does to code from before that a migration writes rows, or takes them away. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.expressions import nodes, unproven
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    KnownTable,
    Node,
    Schema,
    names_of,
    table_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    CHANGES_DATA,
    TAKES_AWAY,
    UNKNOWN,
    Effect,
)

_ROWS = "who writes the same rows of %s waits until its transaction is over"
_ELSEWHERE = (
    "search_path",
    "role",
    "session_authorization",
    "session_replication_role",
    "?",
)  # the last: an expression
_HERE = frozenset(("", "public", "$user", "pg_catalog"))  # with these, a name without a schema is one in public


def select(node: Node, schema: Schema) -> Iterator[Effect]:
    """A SELECT: nothing, but for what functions, views and the WITH of it do. SELECT INTO makes a table."""
    found = [*inner(node, schema), *_settings(node)]
    if "intoClause" in node:
        made = table_name(node["intoClause"]["rel"])
        schema.tables[made] = KnownTable(schema.arriving)
        found.append(Effect(ADDITIVE, "table %s is created out of rows" % made, made))
    for name in called(node, schema):
        if name == "setval":
            found.append(Effect(CHANGES_DATA, "a sequence is set"))
        elif name != "nextval":
            schema.opaque = True
            found.append(Effect(UNKNOWN, "what %s does is not known here" % name))
    yield from found or [Effect(ADDITIVE, "rows are read")]


def called(node: Node, schema: Schema) -> list[str]:
    """The functions of which it is not known that they change nothing, and the views that call such, in a statement."""
    views = [table_name(item) for item in nodes(node, "RangeVar")]
    return [*unproven(node, schema.functions), *(name for name in views if name in schema.active_views)]


def setting(name: str, values: Sequence[str]) -> Effect:
    """A setting of the session (SET, set_config)."""
    known = name.lower()
    if known in _ELSEWHERE and not (known == "search_path" and _HERE.issuperset(values)):
        return Effect(UNKNOWN, "%s is set, so that names and rights are other ones than they seem from here on" % known)
    return Effect(ADDITIVE, "a setting of this session")


def _settings(node: Node) -> Iterator[Effect]:
    for call in nodes(node, "FuncCall"):
        if names_of(call["funcname"])[-1] == "set_config":
            texts = [item.get("A_Const", {}).get("sval", {}).get("sval", "?") for item in call.get("args", ())]
            name, value = (*texts, "?", "?")[:2]
            yield setting(name, [part.strip(' "') for part in value.split(",")])


def inner(node: Node, schema: Schema) -> Iterator[Effect]:
    """The writing statements within a statement (WITH … AS (UPDATE …))."""
    for kind, effects in WRITES.items():
        for item in nodes(node, kind):
            yield from effects(item, schema)


def insert(node: Node, schema: Schema) -> Iterator[Effect]:
    """INSERT, and COPY … FROM."""
    table = table_name(node["relation"])
    yield _of_table(node, table, schema, CHANGES_DATA, "rows are put into %s" % table)


def update(node: Node, schema: Schema) -> Iterator[Effect]:
    """UPDATE: additive where all that it sets is new, by functions that change nothing, and nothing that is not known may set more."""
    table = table_name(node["relation"])
    names = list(dict.fromkeys(item["ResTarget"]["name"] for item in node["targetList"]))
    known = schema.tables.get(table)
    quiet = known is not None and known.made and not (known.active or schema.opaque or called(node, schema))
    if schema.all_new(table, names) and quiet and not (known and known.new and known.referred):
        locks = "" if schema.is_new(table) else _ROWS % table
        yield Effect(ADDITIVE, "what is new in %s is filled" % table, table, locks=locks)
        return
    words = "%s of %s %s another value" % (", ".join(names), table, "gets" if len(names) == 1 else "get")
    yield Effect(CHANGES_DATA, words, table, names[0] if len(names) == 1 else "", _ROWS % table)


def delete(node: Node, schema: Schema) -> Iterator[Effect]:
    """DELETE."""
    table = table_name(node["relation"])
    yield _of_table(node, table, schema, TAKES_AWAY, "rows of %s are deleted" % table)


def merge(node: Node, schema: Schema) -> Iterator[Effect]:
    """MERGE, which may also delete."""
    table = table_name(node["relation"])
    deletes = any(item.get("commandType") == "CMD_DELETE" for item in nodes(node, "MergeWhenClause"))
    kind = TAKES_AWAY if deletes else CHANGES_DATA
    yield _of_table(
        node, table, schema, kind, "rows of %s are merged%s" % (table, ", and some deleted" if deletes else "")
    )


def truncate(node: Node, schema: Schema) -> Iterator[Effect]:
    """TRUNCATE; with CASCADE, of whatever refers to it, too."""
    for item in node["relations"]:
        table = table_name(item["RangeVar"])
        yield _of_table(node, table, schema, TAKES_AWAY, "all rows of %s are deleted" % table)


def copy(node: Node, schema: Schema) -> Iterator[Effect]:
    """COPY: FROM puts rows in, TO reads; PROGRAM runs a command of the server's shell."""
    if node.get("is_program"):
        yield Effect(UNKNOWN, "what a program of the server does is not known here")
    elif node.get("is_from"):
        yield from insert(node, schema)
    else:
        yield from select(node.get("query", {}), schema)


def explained(node: Node, _schema: Schema) -> Iterator[Effect]:
    """EXPLAIN: with ANALYZE the statement is run."""
    options = {item["DefElem"]["defname"] for item in node.get("options", ())}
    if "analyze" in options:
        yield Effect(UNKNOWN, "a statement is explained, and run for that")
    else:
        yield Effect(ADDITIVE, "a plan is shown")


def _of_table(node: Node, table: str, schema: Schema, kind: str, words: str) -> Effect:
    """Additive in a new table, where nothing is called that may do more, and nothing old refers to it."""
    known = schema.tables.get(table)
    if not (known and known.new) or (known.referred and kind == TAKES_AWAY):
        return Effect(kind, words, table)
    others = called(node, schema)
    if others or known.active:
        return Effect(
            UNKNOWN, "%s, and what %s does is not known here" % (words, others[0] if others else "that starts"), table
        )
    return Effect(ADDITIVE, words, table)


WRITES = {"InsertStmt": insert, "UpdateStmt": update, "DeleteStmt": delete, "MergeStmt": merge}
