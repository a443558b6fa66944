# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two databases as they are compared: tables, and what a person says about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Protocol, Union

Row = tuple[Optional[str], ...]  # the values of a row as text; None for NULL
Broken = tuple[str, Union[str, tuple[str, str]], str]  # see Comparison


class Database(Protocol):
    """Where a database is, and as whom to log in: what a _postgresql Target has, which is a room of another service."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def user(self) -> str: ...

    @property
    def password(self) -> str: ...

    @property
    def database(self) -> str: ...

    @property
    def schema(self) -> str: ...

    @property
    def options(self) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True)
class Column:
    """A column; ``type`` is PostgreSQL's own spelling (format_type)."""

    name: str
    type: str
    not_null: bool


@dataclass(frozen=True)
class Table:
    """A table. ``key`` are the columns of its primary key, empty without one. ``checks`` are (columns, expression) of its CHECK
    constraints, ``parents`` the tables that its foreign keys name."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: tuple[tuple[tuple[str, ...], str], ...] = ()
    parents: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        """The Column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class TableRule:
    """What a person says of a table. ``renamed``: restored column → failed column; ``ignored``: restored columns that are not
    compared; ``corrupted_when``: a SQL condition on the failed table."""

    renamed: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    corrupted_when: str = ""


@dataclass(frozen=True)
class Comparison:
    """How a table is compared. ``columns`` are (restored, failed) names, those of ``key`` (restored names) first. ``broken`` are
    (kind, subject, words): a row of the failed table is broken by the first kind that holds, ``null`` (a column), ``type`` ((column,
    type)), ``check`` (an expression) or ``rule`` (a condition). ``left_out`` tells what is not compared, and why."""

    table: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    broken: tuple[Broken, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotCompared:
    """A table that cannot be compared."""

    table: str
    why: str


NEW, CHANGED, CORRUPTED, MISSING = "new", "changed", "corrupted", "missing"
STATES = (NEW, CHANGED, CORRUPTED)
"""Of rows of the failed database that are written down. ``missing`` ones are only in the restored one, and are counted."""
