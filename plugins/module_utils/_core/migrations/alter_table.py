# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the commands of an ALTER TABLE do to code from before. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations import columns
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.constraints import (
    added_constraint,
    dropped_constraint,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.schema import (
    Node,
    Schema,
    table_name,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    UNKNOWN,
    Effect,
)

# They change how a table is stored or planned, and nothing that code can see.
_STORAGE = frozenset(
    (
        "AT_SetStorage", "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_ReplicaIdentity", "AT_ClusterOn", "AT_DropCluster",
        "AT_SetCompression", "AT_ValidateConstraint", "AT_SetTableSpace",
    )
)  # fmt: skip
# CREATE TABLE, "Storage Parameters".
_PARAMETERS = re.compile(
    r"(fillfactor|toast_tuple_target|parallel_workers|log_autovacuum_min_duration|vacuum_\w+|autovacuum_\w+)\Z"
)
# Of a new table, whatever they change: nobody from before knows it.
_OF_NEW = re.compile(
    r"AT_((Enable|Disable|Force|NoForce)RowSecurity|ChangeOwner|SetLogged|SetUnLogged|(Enable|Disable)Trig\w*|AlterConstraint|(Re)?[Ss]et\w*RelOptions)\Z"
)
_COLUMNS: dict[str, Callable[[Node, str, Schema], Iterator[Effect]]] = {
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


def alter_table(node: Node, schema: Schema) -> Iterator[Effect]:
    """The Effects of each command. PostgreSQL drops first, whatever the order (tablecmds.c, AT_PASS_DROP), so a column may go and another of its name come."""
    table, commands = table_name(node["relation"]), [item["AlterTableCmd"] for item in node["cmds"]]
    known = node.get("objtype") in ("OBJECT_TABLE", "OBJECT_INDEX")
    for command in sorted(commands, key=lambda item: not item["subtype"].startswith("AT_Drop")):
        yield from _of_command(command, table, schema) if known else [_other(command, table, schema)]


def _of_command(command: Node, table: str, schema: Schema) -> Iterator[Effect]:
    kind = command["subtype"]
    if kind in _COLUMNS:
        yield from _COLUMNS[kind](command, table, schema)
    elif kind == "AT_AddConstraint":
        yield added_constraint(command["def"]["Constraint"], table, schema)
    elif kind == "AT_DropConstraint":
        yield dropped_constraint(command["name"], table, schema)
    elif _stored(command):
        locks = columns.REWRITES % table if kind == "AT_SetTableSpace" else ""
        yield Effect(ADDITIVE, "how %s is stored or checked changes" % table, table, locks=locks)
    else:
        yield _other(command, table, schema)


def _stored(command: Node) -> bool:
    kind = command["subtype"]
    if kind == "AT_ReplicaIdentity":  # without one, every UPDATE and DELETE of a table that is published is refused
        return bool(command["def"]["ReplicaIdentityStmt"]["identity_type"] != "n")
    if kind in ("AT_SetRelOptions", "AT_ResetRelOptions"):
        items = command.get("def", {}).get("List", {}).get("items", ())
        return bool(items) and all(_PARAMETERS.match(item["DefElem"]["defname"]) for item in items)
    return kind in _STORAGE


def _other(command: Node, table: str, schema: Schema) -> Effect:
    if schema.is_new(table) and _OF_NEW.match(command["subtype"]):
        return Effect(ADDITIVE, "the new table %s is changed" % table, table)
    words = "%s is changed in a way of which it is not known here what code from before would notice (%s)"
    return Effect(UNKNOWN, words % (table, command["subtype"].removeprefix("AT_")), table)
