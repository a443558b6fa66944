# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a schema by replaying its migrations: which tables, columns, indexes and types there are, and which of them are new. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Node = Mapping[str, Any]  # a node of PostgreSQL's parse tree in JSON, as libpg_query gives it


@dataclass
class KnownColumn:
    """``new``: whether code from before does not know it. ``required``: NOT NULL; ``default``: whether something is put in where an INSERT leaves it out.
    ``type`` is the type's name with its modifiers, empty where it is not known. ``varies``: whether that default is another one for each row."""

    new: bool
    required: bool = False
    default: bool = False
    type: str = ""
    varies: bool = False


@dataclass
class KnownTable:
    """A table that some migration has made. ``triggers``: whether writes to it start one."""

    new: bool
    columns: dict[str, KnownColumn] = field(default_factory=dict)
    triggers: bool = False


@dataclass
class Schema:
    """What the migrations so far have made. ``arriving``: whether what is made now is new to code from before.

    A table that no migration has made is there all the same, as far as anybody knows, so it counts as old.
    """

    arriving: bool = False
    tables: dict[str, KnownTable] = field(default_factory=dict)
    unique: dict[str, bool] = field(default_factory=dict)
    """Index → whether it is unique."""
    constraints: dict[str, str] = field(default_factory=dict)
    """``table.constraint`` → its kind, such as CONSTR_CHECK."""
    required_types: set[str] = field(default_factory=set)
    """Domains that take no null."""
    new: set[str] = field(default_factory=set)
    """What else is new: types, views, functions, sequences, constraints, indexes, as ``kind:name``."""

    def is_new(self, table: str) -> bool:
        """Whether code from before does not know a table."""
        known = self.tables.get(table)
        return known is not None and known.new

    def column(self, table: str, name: str) -> KnownColumn | None:
        """What is known of a column."""
        known = self.tables.get(table)
        return known.columns.get(name) if known else None

    def all_new(self, table: str, columns: Sequence[str]) -> bool:
        """Whether a table is new, or all of these columns of it are."""
        found = [self.column(table, name) for name in columns]
        return self.is_new(table) or bool(found and all(item is not None and item.new for item in found))

    def add(self, kind: str, name: str) -> None:
        """Note that something other than a table was made."""
        if self.arriving:
            self.new.add("%s:%s" % (kind, name))

    def has_new(self, kind: str, name: str) -> bool:
        """Whether something other than a table is new."""
        return "%s:%s" % (kind, name) in self.new


def table_name(relation: Node) -> str:
    """The name of a RangeVar; the schema stands before it unless it is public. A temporary table is in none of these."""
    schema = "pg_temp" if relation.get("relpersistence") == "t" else relation.get("schemaname", "public")
    name = str(relation["relname"])
    return name if schema == "public" else "%s.%s" % (schema, name)


def names_of(items: Sequence[Node]) -> list[str]:
    """Names out of a list of String."""
    return [item["String"]["sval"] for item in items]


def dotted(items: Sequence[Node]) -> str:
    """A name in parts (list of String), as ``table_name`` writes it."""
    parts = [item["String"]["sval"] for item in items if "String" in item]
    return ".".join(parts[1:] if parts[:1] == ["public"] and len(parts) > 1 else parts)


def type_name(node: Node) -> str:
    """The name of a TypeName with its modifiers, as ``varchar(20)``; arrays end in ``[]``."""
    names = [item["String"]["sval"] for item in node.get("names", ())]
    modifiers = [str(item.get("A_Const", {}).get("ival", {}).get("ival", "?")) for item in node.get("typmods", ())]
    ends = "(%s)" % ",".join(modifiers) if modifiers else ""
    return "%s%s%s" % (names[-1] if names else "", ends, "[]" * len(node.get("arrayBounds", ())))
