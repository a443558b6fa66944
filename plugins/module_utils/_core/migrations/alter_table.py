# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the commands of an ALTER TABLE do to code from before. Pure."""

from __future__ import annotations

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
        "AT_SetStorage", "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_SetRelOptions", "AT_ResetRelOptions", "AT_ReplicaIdentity",
        "AT_ClusterOn", "AT_DropCluster", "AT_SetCompression", "AT_ValidateConstraint", "AT_SetTableSpace",
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
        return dropped_constraint(command["name"], table, schema)
    if kind == "AT_ReplicaIdentity" and command["def"]["ReplicaIdentityStmt"]["identity_type"] == "n":
        return _other(command, table, schema)  # where the table is published, every UPDATE and DELETE of it is refused
    if kind in _STORAGE:
        locks = columns.REWRITES % table if kind == "AT_SetTableSpace" else ""
        return Effect(ADDITIVE, "how %s is stored or checked changes" % table, table, locks=locks)
    return _other(command, table, schema)


def _other(command: Node, table: str, schema: Schema) -> Effect:
    if schema.is_new(table):
        return Effect(ADDITIVE, "the new table %s is changed" % table, table)
    words = "%s is changed in a way of which it is not known here what code from before would notice (%s)"
    return Effect(UNKNOWN, words % (table, command["subtype"].removeprefix("AT_")), table)
