# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only room that talks to a PostgreSQL server."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

try:
    import psycopg
    from psycopg import sql
except ImportError:
    psycopg = None  # PostgresqlGateway tells the person which library to install

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import Refused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.catalogue import (
    DRAW,
    GIVEN,
    LEDGER_NAME,
    LEDGER_ROWS,
    LEDGER_STATE,
    SELECTS,
    SEQUENCES,
    SET,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.migrations import (
    LEDGER_READ,
    MIGRATIONS_TABLE,
    Migration,
    record,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.rules import rule_seen
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.sequences import sequence_of
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.state import Observation, Session
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.warm import (
    HOTTEST,
    PARTS,
    RANGES_ONLY,
    READ,
    STREAMS,
    pieces,
)

# Ordinary and partitioned tables; the rows of a partition are counted with its parent.
_TABLES = """
    SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname
"""
_MIGRATIONS = "SELECT migration_name, started_at, finished_at IS NOT NULL, rolled_back_at IS NOT NULL FROM {} ORDER BY started_at, migration_name"
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

    :param target: Target.
    :param timeout: seconds that each statement may take.
    :param connect_timeout: seconds that opening the connection may take; None: as long as a statement.
    :raises RollbackError: psycopg is not installed.
    """

    def __init__(self, target, timeout, connect_timeout=None):
        if psycopg is None:
            raise RollbackError(missing_required_lib("psycopg[binary]>=3", reason="to ask the database"))
        self._target = target
        self._timeout = timeout
        self._connect_timeout = connect_timeout or timeout

    def observe(self, rules=(), since=None, budget=None):
        """The Observation of one moment.

        :param rules: DataRules that are asked.
        :param since: aware datetime; the rows that were created then or later are counted, too. None: they are not.
        :param budget: seconds that all counting may take together; None: each count has the time limit to itself.
        :raises Refused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            tables = Tables(connection, self._target.schema, time.monotonic() + budget if budget else None)
            migrations, unread = tables.record()
            return Observation(
                server_version=connection.execute("SHOW server_version").fetchone()[0],
                migrations=migrations,
                unread=unread,
                rows=tuple((name, tables.rows(name)) for name in tables.names()),
                rules=tuple(rule_seen(tables, rule) for rule in rules),
                created=tuple(tables.created_since(since)) if since else (),
            )

    def warm(self, tables, tell=None):
        """Read tables (list of str) whole, in their order and in STREAMS at once, however long it takes: a restored volume loads each block at its
        first reading. Those there are.

        Source: RDS user guide, "Restoring to a DB instance" (lazy loading).

        :param tell: called with how many blocks of how many are read, one call at a time.
        :raises Refused: it cannot be connected to, or not be read. The message may hold the password.
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

    def _parts(self, tables):
        """The rows of PARTS of each stream."""
        given = dict(tables=tables, schema=self._target.schema, streams=STREAMS)
        with self._connection() as connection:
            queries = [sql.SQL(PARTS).format(**_literals(part=part, **given)) for part in range(STREAMS)]
            return [connection.execute(query).fetchall() for query in queries]

    def _read(self, parts, reading):
        """Read one stream's parts."""
        with self._connection() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute(RANGES_ONLY)
            for _table, schema, name, *blocks in parts:
                for first, after in pieces(*blocks):
                    block = _literals(first="(%d,0)" % first, after="(%d,0)" % after)
                    connection.execute(sql.SQL(READ).format(table=sql.Identifier(schema, name), **block))
                    reading.went_on(after - first)

    def hottest(self):
        """The names of the tables of the schema, those first that are read most.

        :raises Refused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            query = sql.SQL(HOTTEST).format(schema=sql.Literal(self._target.schema))
            return tuple(name for (name,) in connection.execute(query).fetchall())

    def sessions(self):
        """(the Sessions of others in this database, how many rows of its tables were inserted, updated or deleted so far).

        :raises Refused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            found = tuple(Session(*row) for row in connection.execute(_SESSIONS).fetchall())
            return found, connection.execute(_WRITTEN).fetchone()[0]

    def examine(self, read):
        """What ``read(tables)`` gives, where ``tables`` is a Tables of one moment.

        :raises Refused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            return read(Tables(connection, self._target.schema))

    def sequences(self):
        """The Sequences of all schemas, in the order of their names.

        :raises Refused: it cannot be connected to, or not be read. The message may hold the password.
        """
        with self._telling(), self._connection() as connection:
            return _sequences(connection)

    def move(self, moves):
        """Make Moves, one after the other; one that has gone as far meanwhile stays where it is.

        :raises Refused: as ``sequences``.
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
    def _telling(self):
        try:
            yield
        except psycopg.Error as error:
            raise Refused(error.sqlstate, str(error)) from None  # the cause may quote connection options

    def _connection(self, writes=False):
        target = self._target
        options = {"application_name": "spymeo.rollback", **dict(target.options)}
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


def _sequences(connection):
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


def _literals(**values):
    return {name: sql.Literal(value) for name, value in values.items()}


class _Reading:
    """How far several streams have come together."""

    def __init__(self, total, tell):
        self._total, self._tell = total, tell
        self._done, self._turn = 0, threading.Lock()

    def went_on(self, blocks):
        """A stream has read so many more."""
        with self._turn:
            self._done += blocks
            if self._tell:
                self._tell(self._done, self._total)


class Tables:
    """The tables of a schema, in one read-only transaction.

    :param deadline: the time of ``time.monotonic`` after which nothing is counted any more; None for no such time.
    """

    def __init__(self, connection, schema, deadline=None):
        self._connection, self._schema, self._deadline = connection, schema, deadline

    def limit(self, seconds):
        """Let each statement from now on take so long."""
        self._connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(round(seconds * 1000)),))

    def names(self):
        """The names of all of them."""
        return [name for (name,) in self._connection.execute(_TABLES, (self._schema,)).fetchall()]

    def migrations(self):
        """Prisma's Migrations, None where they are not known."""
        return self.record()[0]

    def record(self):
        """As ``migrations.record``."""
        (state,) = self._connection.execute(LEDGER_STATE).fetchone()
        found = self._connection.execute(_LEDGER).fetchall() if state == LEDGER_READ else []
        ledger = [Migration(name, applied) for name, applied in found]
        if not self.columns(MIGRATIONS_TABLE):
            return record(None, ledger, state)
        rows = self._connection.execute(sql.SQL(_MIGRATIONS).format(self._identifier(MIGRATIONS_TABLE))).fetchall()
        return record(tuple(Migration(*row) for row in rows), ledger, state)

    def columns(self, table):
        """The columns of a table (set of str), empty when it is not there."""
        return {name for (name,) in self._connection.execute(_COLUMNS, (self._schema, table)).fetchall()}

    def rows(self, table):
        """How many rows a table has, None where counting takes too long."""
        return self._counted("SELECT count(*) FROM {}", table)

    def created_since(self, moment):
        """(table, how many rows were created at ``moment`` or later) of each table that tells it; None where counting takes too long."""
        self._connection.execute("SET LOCAL timezone = 'UTC'")
        columns = dict(self._connection.execute(_CREATED, (self._schema,)).fetchall())
        return [(table, self._counted(_SINCE, table, column, moment)) for table, column in columns.items()]

    def _counted(self, query, table, column=None, *values):
        """A table that is slow to count is no sign against the database."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            return None
        names = [self._identifier(table)] + ([sql.Identifier(column)] if column else [])
        try:
            with self._connection.transaction():  # a savepoint, so that the others are counted all the same
                return self._connection.execute(sql.SQL(query).format(*names), values).fetchone()[0]
        except psycopg.errors.QueryCanceled:
            return None

    def count(self, table, condition, most):
        """How many rows fulfil an SQL condition, counted up to ``most``.

        :raises Refused: the server does not take the condition, or takes longer than the time limit.
        """
        query = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ({}) LIMIT {}) found").format(
            self._identifier(table), sql.SQL(condition), sql.Literal(most)
        )
        try:
            with self._connection.transaction():  # a savepoint, so that the next question can be asked
                return self._connection.execute(query).fetchone()[0]
        except psycopg.Error as error:
            raise Refused(error.sqlstate, str(error)) from None

    def _identifier(self, table):
        return sql.Identifier(self._schema, table)
