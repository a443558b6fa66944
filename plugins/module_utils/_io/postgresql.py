# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that talks to a PostgreSQL server."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import DataRule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin

try:
    import psycopg
    from psycopg import sql
except ImportError:
    HAS_PSYCOPG = False  # PostgresqlGateway tells the person which library to install
else:
    HAS_PSYCOPG = True

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.catalogue import (
    DRAW,
    GIVEN,
    LEDGER_NAME,
    LEDGER_ROWS,
    LEDGER_STATE,
    SELECTS,
    SEQUENCES,
    SET,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import sequence_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.warm import (
    HOTTEST,
    PARTS,
    RANGES_ONLY,
    READ,
    STREAMS,
    pieces,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import rule_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import (
    LEDGER_READ,
    MIGRATIONS_TABLE,
    Migration,
    record,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
    DatabaseContents,
    DatabaseSession,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import Sequence, SequenceMove

T = TypeVar("T")
Row = tuple[Any, ...]

# Ordinary and partitioned tables; the rows of a partition are counted with its parent.
_TABLES = """
    SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname
"""
_MIGRATIONS = "SELECT migration_name, started_at, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, {} FROM {} ORDER BY started_at, migration_name"
_LEDGER = "SELECT %s, created_at FROM %s" % (LEDGER_NAME, LEDGER_ROWS)
_COLUMNS = """
    SELECT a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
# Columns that Prisma's schemas fill with the time of a row's creation (@default(now())): a timestamp without a zone is in UTC there.
_CREATED = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = %s AND column_name IN ('createdAt', 'created_at') AND data_type LIKE 'timestamp%%' ORDER BY table_name, column_name
"""
_SINCE = "SELECT count(*) FROM {} WHERE {} >= %s"

# Who is connected to this database, besides us and RDS's own agents. Of other roles a role without pg_read_all_stats sees no more than that they are
# there, and what they call themselves (pgstatfuncs.c, pg_stat_get_activity): their kind is null, and they count all the same.
_SESSIONS = """
    SELECT usename, coalesce(application_name, ''), coalesce(host(client_addr), ''), backend_start FROM pg_catalog.pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'
    AND usename <> 'rdsadmin' ORDER BY backend_start
"""
_WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_catalog.pg_stat_user_tables"


class PostgresqlGateway:
    """Reads one database, in a read-only transaction; ``move`` alone writes.

    :param timeout: seconds that each statement may take.
    :param connect_timeout: seconds that opening the connection may take; None: as long as a statement.
    :raises RollbackError: psycopg is not installed.
    """

    def __init__(self, target: DatabaseLogin, timeout: int, connect_timeout: int | None = None) -> None:
        if not HAS_PSYCOPG:
            raise RollbackError(missing_required_lib("psycopg[binary]>=3", reason="to ask the database"))
        self._target = target
        self._timeout = timeout
        self._connect_timeout = connect_timeout or timeout

    def observe(
        self, rules: Iterable[DataRule] = (), since: datetime | None = None, budget: float | None = None
    ) -> DatabaseContents:
        """The DatabaseContents of one moment.

        :param rules: DataRules that are asked.
        :param since: aware datetime; the rows that were created then or later are counted, too. None: they are not.
        :param budget: seconds that all counting may take together; None: each count has the time limit to itself.
        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            tables = Tables(connection, self._target.schema, time.monotonic() + budget if budget else None)
            migrations, unread = tables.record()
            return DatabaseContents(
                server_version=_only(connection.execute("SHOW server_version")),
                migrations=migrations,
                unread=unread,
                rows=tuple((name, tables.rows(name)) for name in tables.names()),
                rules=tuple(rule_seen(tables, rule) for rule in rules),
                created=tuple(tables.created_since(since)) if since else (),
            )

    def warm(self, tables: Collection[str], tell: Callable[[int, int], object] | None = None) -> list[str]:
        """Read tables (list of str) whole, in their order and in STREAMS at once, however long it takes: a restored volume loads each block at its
        first reading. Those there are.

        Source: RDS user guide, "Restoring to a DB instance" (lazy loading).

        :param tell: called with how many blocks of how many are read, one call at a time.
        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        if not tables:
            return []
        with self._telling():
            streams = self._parts(tables)
            reading = _Reading(sum(part[4] - part[3] for parts in streams for part in parts), tell)
            with ThreadPoolExecutor(STREAMS) as pool:
                for done in [pool.submit(self._read, parts, reading) for parts in streams]:
                    done.result()
        there = {part[0] for parts in streams for part in parts}
        return [table for table in tables if table in there]

    def _parts(self, tables: Collection[str]) -> list[list[Row]]:
        """The rows of PARTS of each stream."""
        given = dict(tables=tables, schema=self._target.schema, streams=STREAMS)
        with self._connection() as connection:
            queries = [sql.SQL(PARTS).format(**_literals(part=part, **given)) for part in range(STREAMS)]
            return [connection.execute(query).fetchall() for query in queries]

    def _read(self, parts: Iterable[Row], reading: _Reading) -> None:
        """Read one stream's parts."""
        with self._connection() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute(RANGES_ONLY)
            for _table, schema, name, *blocks in parts:
                for first, after in pieces(*blocks):
                    block = _literals(first="(%d,0)" % first, after="(%d,0)" % after)
                    connection.execute(sql.SQL(READ).format(table=sql.Identifier(schema, name), **block))
                    reading.went_on(after - first)

    def hottest(self) -> tuple[str, ...]:
        """The names of the tables of the schema, those first that are read most.

        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            query = sql.SQL(HOTTEST).format(schema=sql.Literal(self._target.schema))
            return tuple(name for (name,) in connection.execute(query).fetchall())

    def sessions(self) -> tuple[tuple[DatabaseSession, ...], int]:
        """(the DatabaseSessions of others in this database, how many rows of its tables were inserted, updated or deleted so far).

        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            found = tuple(DatabaseSession(*row) for row in connection.execute(_SESSIONS).fetchall())
            return found, _only(connection.execute(_WRITTEN))

    def examine(self, read: Callable[[Tables], T]) -> T:
        """What ``read(tables)`` gives, where ``tables`` is a Tables of one moment.

        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            return read(Tables(connection, self._target.schema))

    def sequences(self) -> tuple[Sequence, ...]:
        """The Sequences of all schemas, in the order of their names.

        :raises DatabaseRefused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            return _sequences(connection)

    def move(self, moves: Iterable[SequenceMove]) -> None:
        """Make SequenceMoves, one after the other; one that has gone as far meanwhile stays where it is.

        :raises DatabaseRefused: as ``sequences``.
        """
        with self._telling(), self._connection(writes=True) as connection:
            for move in moves:
                sequence = move.sequence
                values = dict(oid=sequence.oid, to=move.to, steps=move.steps)
                query = sql.SQL(SET if sequence.sets else DRAW).format(
                    sequence=sql.Identifier(sequence.schema, sequence.name),
                    before=sql.SQL(sequence.before),
                    **_literals(**values),
                )
                connection.execute(query)
                connection.commit()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise DatabaseRefused(error.sqlstate, str(error)) from None  # the cause may quote connection options

    def _connection(self, writes: bool = False) -> psycopg.Connection[Row]:
        target = self._target
        options: dict[str, Any] = {"application_name": "spymeo.rollback", **dict(target.options)}
        connection = psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.password,
            dbname=target.database,
            connect_timeout=self._connect_timeout,
            **options,
        )
        connection.read_only = not writes
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # all counts are of one moment
        milliseconds = str(self._timeout * 1000)
        connection.execute("SELECT set_config('statement_timeout', %s, %s)", (milliseconds, not writes))
        return connection


def _sequences(connection: psycopg.Connection[Row]) -> tuple[Sequence, ...]:
    """The Sequences of all schemas."""
    rows = connection.execute(SEQUENCES).fetchall()
    asked = [
        sql.SQL(GIVEN).format(oid=sql.Literal(row[0]), sequence=sql.Identifier(row[1], row[2]))
        for row in rows
        if row[SELECTS]
    ]
    answers = connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall() if asked else []
    values = {oid: (value, called) for oid, value, called in answers}
    return tuple(sequence_of(row, values.get(row[0])) for row in rows)


def _only(cursor: psycopg.Cursor[Row]) -> Any:
    """The only column of the only row of an answer."""
    ((value,),) = cursor.fetchall()
    return value


def _literals(**values: Any) -> dict[str, sql.Literal]:
    return {name: sql.Literal(value) for name, value in values.items()}


class _Reading:
    """How far several streams have come together."""

    def __init__(self, total: int, tell: Callable[[int, int], object] | None) -> None:
        self._total, self._tell = total, tell
        self._done, self._turn = 0, threading.Lock()

    def went_on(self, blocks: int) -> None:
        """A stream has read so many more."""
        with self._turn:
            self._done += blocks
            if self._tell:
                self._tell(self._done, self._total)


class Tables:
    """The tables of a schema, in one read-only transaction.

    :param deadline: the time of ``time.monotonic`` after which nothing is counted any more; None for no such time.
    """

    def __init__(self, connection: psycopg.Connection[Row], schema: str, deadline: float | None = None) -> None:
        self._connection, self._schema, self._deadline = connection, schema, deadline

    def limit(self, seconds: float) -> None:
        """Let each statement from now on take so long."""
        self._connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(round(seconds * 1000)),))

    def names(self) -> list[str]:
        """The names of all of them."""
        return [name for (name,) in self._connection.execute(_TABLES, (self._schema,)).fetchall()]

    def migrations(self) -> tuple[Migration, ...] | None:
        """Prisma's Migrations, None where they are not known."""
        return self.record()[0]

    def record(self) -> tuple[tuple[Migration, ...] | None, str]:
        """As ``migrations.record``."""
        state: str = _only(self._connection.execute(LEDGER_STATE))
        found = self._connection.execute(_LEDGER).fetchall() if state == LEDGER_READ else []
        ledger = [Migration(name, applied) for name, applied in found]
        columns = self.columns(MIGRATIONS_TABLE)
        if not columns:
            return record(None, ledger, state)
        checksum = sql.Identifier("checksum") if "checksum" in columns else sql.Literal("")
        query = sql.SQL(_MIGRATIONS).format(checksum, self._identifier(MIGRATIONS_TABLE))
        rows = self._connection.execute(query).fetchall()
        return record(tuple(Migration(*row) for row in rows), ledger, state)

    def columns(self, table: str) -> set[str]:
        """The columns of a table (set of str), empty when it is not there."""
        return {name for (name,) in self._connection.execute(_COLUMNS, (self._schema, table)).fetchall()}

    def rows(self, table: str) -> int | None:
        """How many rows a table has, None where counting takes too long."""
        return self._counted("SELECT count(*) FROM {}", table)

    def created_since(self, moment: datetime) -> list[tuple[str, int | None]]:
        """(table, how many rows were created at ``moment`` or later) of each table that tells it; None where counting takes too long."""
        self._connection.execute("SET LOCAL timezone = 'UTC'")
        columns: dict[str, str] = dict(self._connection.execute(_CREATED, (self._schema,)).fetchall())
        return [(table, self._counted(_SINCE, table, column, moment)) for table, column in columns.items()]

    def _counted(self, query: str, table: str, column: str | None = None, *values: Any) -> int | None:
        """A table that is slow to count is no sign against the database."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            return None
        names = [self._identifier(table)] + ([sql.Identifier(column)] if column else [])
        try:
            with self._connection.transaction():  # a savepoint, so that the others are counted all the same
                count: int = _only(self._connection.execute(sql.SQL(query).format(*names), values))
                return count
        except psycopg.errors.QueryCanceled:
            return None

    def count(self, table: str, condition: str, most: int) -> int:
        """How many rows fulfil an SQL condition, counted up to ``most``.

        :raises DatabaseRefused: the server does not take the condition, or takes longer than the time limit.
        """
        query = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ({}) LIMIT {}) found").format(
            self._identifier(table), sql.SQL(condition), sql.Literal(most)
        )
        try:
            with self._connection.transaction():  # a savepoint, so that the next question can be asked
                count: int = _only(self._connection.execute(query))
                return count
        except psycopg.Error as error:
            raise DatabaseRefused(error.sqlstate, str(error)) from None

    def _identifier(self, table: str) -> sql.Identifier:
        return sql.Identifier(self._schema, table)
