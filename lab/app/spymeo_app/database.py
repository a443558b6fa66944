# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections to the database: a pool that opens them when they are first needed, as Prisma's does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from spymeo_app import logs, prisma_errors
from spymeo_app.database_url import DatabaseUrl
from spymeo_app.prisma_errors import Failure, PrismaError, Stage

Connection = psycopg.Connection[DictRow]


def connect(database: DatabaseUrl) -> Connection:
    """A new connection that commits each statement. Raises psycopg.OperationalError."""
    arguments: dict[str, Any] = database.connect_arguments()
    return psycopg.connect(**arguments, autocommit=True, row_factory=dict_row)


def failure_of(error: psycopg.Error, stage: Stage) -> Failure:
    """What a psycopg error says, without psycopg."""
    return Failure(
        stage=stage,
        message=error.diag.message_primary or str(error),
        sqlstate=error.sqlstate,
        detail=error.diag.message_detail or "",
        constraint=error.diag.constraint_name or "",
    )


class Pool:
    """At most ``connection_limit`` connections, lent one operation at a time. Safe to use from many threads."""

    def __init__(self, database: DatabaseUrl) -> None:
        self._database = database
        self._slots = threading.BoundedSemaphore(database.connection_limit)
        self._idle: deque[Connection] = deque()
        logs.write(f"prisma:info Starting a postgresql pool with {database.connection_limit} connections.")

    @contextmanager
    def operation(self, invocation: str) -> Iterator[Connection]:
        """Lend a connection for one call of Prisma's, such as ``prisma.practitioner.create()``.

        Raises PrismaError for whatever fails in PostgreSQL, and P2024 when no connection is free in time.
        """
        if not self._slots.acquire(timeout=self._database.pool_timeout):
            raise PrismaError(invocation, prisma_errors.pool_timeout(self._database))
        try:
            connection = self._take(invocation)
            try:
                yield connection
            except psycopg.Error as error:
                stage = Stage.LOST if connection.closed else Stage.QUERYING
                raise self._told_as_prisma(error, stage, invocation) from error
            finally:
                self._give_back(connection)
        finally:
            self._slots.release()

    def _take(self, invocation: str) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open(invocation)

    def _open(self, invocation: str) -> Connection:
        try:
            return connect(self._database)
        except psycopg.Error as error:
            raise self._told_as_prisma(error, Stage.CONNECTING, invocation) from error

    def _give_back(self, connection: Connection) -> None:
        if not connection.closed:
            self._idle.append(connection)
            return
        # One lost connection usually means that the server went away: the idle ones are as dead.
        dead, self._idle = self._idle, deque()
        for other in dead:
            other.close()

    def _told_as_prisma(self, error: psycopg.Error, stage: Stage, invocation: str) -> PrismaError:
        return PrismaError(invocation, prisma_errors.diagnose(failure_of(error, stage), self._database))
