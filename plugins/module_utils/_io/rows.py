# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that reads rows for salvage. One read-only transaction of one moment, rows in batches, so that memory does not grow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

try:
    import psycopg
    from psycopg import sql
except ImportError:
    HAS_PSYCOPG = False  # SalvageGateway tells the person which library to install
else:
    HAS_PSYCOPG = True

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import Broken, Column, Row, Table

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import Comparison, Database

BATCH = 2000  # rows that are in memory at a time

_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname, a.attnum
"""
_CONSTRAINTS = """
    SELECT c.relname, o.contype::text, f.relname, ARRAY(
        SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number ORDER BY k.place
    ), pg_get_expr(o.conbin, o.conrelid)
    FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class f ON f.oid = o.confrelid AND f.relnamespace = c.relnamespace
    WHERE n.nspname = %s AND o.contype IN ('p', 'c', 'f') ORDER BY c.relname, o.conname
"""


class SalvageGateway:
    """Reads one database.

    :param timeout: seconds that opening the connection, and each batch of rows, may take.
    :raises RollbackError: psycopg is not installed.
    """

    _connection: psycopg.Connection[Any]  # in ``one_moment``

    def __init__(self, target: Database, timeout: int) -> None:
        if not HAS_PSYCOPG:
            raise RollbackError(missing_required_lib("psycopg[binary]>=3", reason="to read the databases"))
        self._target, self._timeout = target, timeout

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[SalvageGateway]:
        """Inside, everything that is read is of one moment.

        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        target = self._target
        options: dict[str, Any] = {"application_name": "spymeo.rollback salvage", **dict(target.options)}
        with (
            refusing(),
            contextlib.closing(
                psycopg.connect(
                    host=target.host,
                    port=target.port,
                    user=target.user,
                    password=target.password,
                    dbname=target.database,
                    connect_timeout=self._timeout,
                    **options,
                )
            ) as connection,
        ):
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(self._timeout * 1000),))
            self._connection = connection
            yield self

    def tables(self) -> dict[str, Table]:
        """The Tables of the schema, by name."""
        columns: dict[str, list[Column]] = {}
        keys: dict[str, tuple[str, ...]] = {}
        checks: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        parents: dict[str, list[str | None]] = {}
        schema = (self._target.schema,)
        with refusing():
            for table, name, kind, not_null in self._connection.execute(_COLUMNS, schema).fetchall():
                columns.setdefault(table, []).append(Column(name, kind, not_null))
            for table, kind, parent, names, expression in self._connection.execute(_CONSTRAINTS, schema).fetchall():
                if kind == "p":
                    keys[table] = tuple(names)
                elif kind == "f":
                    parents.setdefault(table, []).append(parent)
                else:
                    checks.setdefault(table, []).append((tuple(names), expression))
        return {
            name: Table(
                name,
                tuple(found),
                keys.get(name, ()),
                tuple(checks.get(name, ())),
                tuple(parent for parent in parents.get(name, ()) if parent),
            )
            for name, found in columns.items()
        }

    def failed_rows(self, comparison: Comparison) -> Iterator[tuple[Row, str | None]]:
        """(values, why) of each row of the failed table, as ``row_diff.merge`` takes them."""
        names = [name for _restored, name in comparison.columns]
        for row in self._rows(comparison, names, [_why(item) for item in comparison.broken]):
            yield row[:-1], row[-1] or None

    def restored_rows(self, comparison: Comparison) -> Iterator[Row]:
        """Values of each row of the restored table."""
        return (row[:-1] for row in self._rows(comparison, [name for name, _failed in comparison.columns], []))

    def _rows(self, comparison: Comparison, names: Sequence[str], reasons: Sequence[sql.Composable]) -> Iterator[Row]:
        key = names[: len(comparison.key)]
        query = sql.SQL("SELECT {}, {} FROM {} ORDER BY {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
            sql.SQL("COALESCE({}, NULL)").format(sql.SQL(", ").join(reasons)) if reasons else sql.SQL("NULL"),
            sql.Identifier(self._target.schema, comparison.table),
            # The same order in both databases, whatever their collations: that of the bytes, which is Python's as well.
            sql.SQL(", ").join(sql.SQL('{}::text COLLATE "C"').format(sql.Identifier(name)) for name in key),
        )
        with refusing(), self._connection.cursor("salvage_%d" % id(comparison)) as cursor:
            cursor.itersize = BATCH
            cursor.execute(query)
            yield from cursor


def _why(broken: Broken) -> sql.Composed:
    """SQL that gives the words when a row is broken in this way, else NULL."""
    kind, subject, words = broken
    condition: sql.Composable
    if isinstance(subject, tuple):
        condition = sql.SQL("NOT pg_input_is_valid({}::text, {})").format(
            sql.Identifier(subject[0]), sql.Literal(subject[1])
        )
    elif kind == "null":
        condition = sql.SQL("{} IS NULL").format(sql.Identifier(subject))
    elif kind == "check":
        condition = sql.SQL("NOT (%s)" % subject)
    else:
        condition = sql.SQL("(%s)" % subject)
    return sql.SQL("CASE WHEN {} THEN {} END").format(condition, sql.Literal(words))


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """What PostgreSQL says becomes a DatabaseRefused, without the cause, which may quote connection options."""
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseRefused(error.sqlstate, str(error)) from None
