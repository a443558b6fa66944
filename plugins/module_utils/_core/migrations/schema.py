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
    """``new``: whether code from before does not know it. ``required``: NOT NULL; ``default``: whether something that is not null is surely put in where an
    INSERT leaves it out, ``varies``, whether that is surely another value for each row. ``type`` is the type's name with its modifiers, empty where it is
    not known. ``bound``: whether a constraint is over it."""

    new: bool
    required: bool = False
    default: bool = False
    type: str = ""
    varies: bool = False
    bound: bool = False


@dataclass
class KnownTable:
    """A table that some migration has made or changed. ``made``: whether one has made it, so that all of its columns are known. ``active``: whether writing
    to it starts something (triggers, rules, functions in defaults and checks). ``referred``: whether an old table refers to it. ``cascades``: the old table
    whose deletions go through to it, empty without one."""

    new: bool
    made: bool = False
    columns: dict[str, KnownColumn] = field(default_factory=dict)
    active: bool = False
    referred: bool = False
    cascades: str = ""


@dataclass
class UniqueIndex:
    """``columns`` is empty where it is of an expression, of some rows only, or takes several nulls for one."""

    table: str
    columns: frozenset[str] = frozenset()


@dataclass
class Schema:
    """What the migrations so far have made. ``arriving``: whether what is made now is new to code from before.

    A table that no migration has made is there all the same, as far as anybody knows, so it counts as old. ``opaque``: whether a migration has done what
    cannot be read, so that there may be triggers and rules of which nothing is known here.
    """

    arriving: bool = False
    opaque: bool = False
    tables: dict[str, KnownTable] = field(default_factory=dict)
    indexes: dict[str, UniqueIndex | None] = field(default_factory=dict)
    """Index → the UniqueIndex that it is, None where it is not unique."""
    constraints: dict[tuple[str, str], str] = field(default_factory=dict)
    """(table, constraint) → its kind, such as CONSTR_CHECK."""
    enums: set[str] = field(default_factory=set)
    strict: set[str] = field(default_factory=set)
    """Domains that may refuse null."""
    functions: set[str] = field(default_factory=set)
    """The names of functions that a migration has made, without a schema."""
    new: set[tuple[str, str]] = field(default_factory=set)
    """(kind, name) of what else is new: types, views, sequences, constraints, indexes."""
    active_views: set[str] = field(default_factory=set)

    def is_new(self, table: str) -> bool:
        """Whether code from before does not know a table."""
        known = self.tables.get(table)
        return known is not None and known.new

    def table(self, name: str) -> KnownTable:
        """What is known of a table; of one that nobody has made, that it is there."""
        return self.tables.setdefault(name, KnownTable(False))

    def column(self, table: str, name: str) -> KnownColumn | None:
        """What is known of a column."""
        known = self.tables.get(table)
        return known.columns.get(name) if known else None

    def all_new(self, table: str, columns: Sequence[str]) -> bool:
        """Whether a table is new, or all of these columns of it are."""
        found = [self.column(table, name) for name in columns]
        return self.is_new(table) or bool(found and all(item is not None and item.new for item in found))

    def note(self, kind: str, name: str, new: bool = True) -> None:
        """Note that something other than a table was made; what had its name is forgotten."""
        self.new.discard((kind, name))
        if self.arriving and new:
            self.new.add((kind, name))

    def has_new(self, kind: str, name: str) -> bool:
        """Whether something other than a table is new."""
        return (kind, name) in self.new

    def rename(self, kind: str, old: str, new_name: str) -> bool:
        """Note a new name; whether that thing is new."""
        known = self.has_new(kind, old)
        self.new.discard((kind, old))
        self.note(kind, new_name, known)
        return known

    def drop_table(self, name: str) -> None:
        """Forget a table, its constraints and its indexes."""
        self.tables.pop(name, None)
        self.constraints = {key: kind for key, kind in self.constraints.items() if key[0] != name}
        self.indexes = {key: index for key, index in self.indexes.items() if not (index and index.table == name)}

    def rename_table(self, old: str, new_name: str) -> None:
        """Move what is known of a table."""
        if old in self.tables:
            self.tables[new_name] = self.tables.pop(old)
        self.constraints = {
            (new_name if key[0] == old else key[0], key[1]): kind for key, kind in self.constraints.items()
        }
        for index in self.indexes.values():
            if index and index.table == old:
                index.table = new_name

    def unique_over(self, table: str, columns: Sequence[str], since_before: bool = True) -> bool:
        """Whether a unique index is over these very columns, and has been ``since_before``."""
        wanted = frozenset(columns)
        return bool(wanted) and any(
            index and index.table == table and index.columns == wanted
            for name, index in self.indexes.items()
            if not (since_before and self.has_new("index", name))
        )

    def take_back(self) -> None:
        """After a ROLLBACK nobody knows here what stands: nothing is new, and no type, index or constraint is known."""
        self.tables, self.indexes, self.constraints, self.new, self.opaque = {}, {}, {}, set(), True


def part(name: str) -> str:
    """A part of a name, quoted where it would be taken for two."""
    return '"%s"' % name if "." in name else name


def qualified(schema: str, name: str) -> str:
    """A name; the schema stands before it unless it is public."""
    return part(name) if schema in ("", "public") else "%s.%s" % (part(schema), part(name))


def table_name(relation: Node) -> str:
    """The name of a RangeVar. A temporary table is in a schema of its own."""
    schema = "pg_temp" if relation.get("relpersistence") == "t" else relation.get("schemaname", "")
    return qualified(schema, str(relation["relname"]))


def schema_of(relation: Node) -> str:
    """The schema of a RangeVar; empty where it names none."""
    return str(relation.get("schemaname", ""))


def names_of(items: Sequence[Node]) -> list[str]:
    """Names out of a list of String."""
    return [item["String"].get("sval", "") for item in items if "String" in item]


def dotted(items: Sequence[Node]) -> str:
    """A name in parts (list of String), as ``table_name`` writes it."""
    parts = names_of(items)
    return qualified(".".join(map(part, parts[:-1])), parts[-1]) if parts else ""


def type_name(node: Node) -> str:
    """The name of a TypeName with its modifiers, as ``varchar(20)``; arrays end in ``[]``. A modifier that is no number is a ``?``, which may be any."""
    parts = names_of(node.get("names", ()))
    name = qualified("" if parts[:-1] == ["pg_catalog"] else ".".join(parts[:-1]), parts[-1]) if parts else ""
    found = [item.get("A_Const", {}).get("ival") for item in node.get("typmods", ())]
    modifiers = ["?" if item is None else str(item.get("ival", 0)) for item in found]
    ends = "(%s)" % ",".join(modifiers) if modifiers else ""
    return "%s%s%s" % (name, ends, "[]" * len(node.get("arrayBounds", ())))
