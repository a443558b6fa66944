# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``migrate``: what ``prisma migrate deploy`` does to the database, and what it prints (Prisma 5.22)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from spymeo_app import logs
from spymeo_app.config import database_from, release_from
from spymeo_app.database import Connection, connect, failure_of
from spymeo_app.database_url import DatabaseUrl
from spymeo_app.prisma_errors import Stage, diagnose

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
ADVISORY_LOCK = 72707369
_LOCK_TIMEOUT_MS = 10_000

_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"              VARCHAR(64) NOT NULL,
    "finished_at"           TIMESTAMPTZ,
    "migration_name"        VARCHAR(255) NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        TIMESTAMPTZ,
    "started_at"            TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"   INTEGER NOT NULL DEFAULT 0
)
"""
_READ = """
SELECT "migration_name", "started_at" AT TIME ZONE 'UTC' AS "started_at", "finished_at", "rolled_back_at", "logs"
FROM "_prisma_migrations" ORDER BY "started_at"
"""
_RESOLVE = "Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve"


class MigrateError(Exception):
    """Prisma would print ``Error: `` and this message, and exit with status 1."""


@dataclass(frozen=True)
class Applied:
    """A row of ``_prisma_migrations``."""

    name: str
    started_at: str
    finished: bool
    rolled_back: bool
    logs: str = ""

    @property
    def failed(self) -> bool:
        """Neither finished nor marked as rolled back: it stands in the way of every later migration."""
        return not self.finished and not self.rolled_back


def migrate(environ: Mapping[str, str], folder: Path = MIGRATIONS) -> int:
    """Bring the database to this release; migrations that only the database knows are left alone, without a word.

    Returns the exit status. Raises SettingError.
    """
    names, database = release_from(environ).migrations, database_from(environ)
    logs.write(
        "Prisma schema loaded from prisma/schema.prisma\n"
        f'Datasource "db": PostgreSQL database "{database.database}", schema "{database.schema}" at "{database.server}"\n\n'
        f"{len(names)} migrations found in prisma/migrations\n"
    )
    try:
        done = _deploy(names, database, folder)
    except MigrateError as error:
        logs.write(f"Error: {error}")
        return 1
    logs.write(_summary(done))
    return 0


def pending(names: Iterable[str], applied: Iterable[Applied]) -> list[str]:
    """Which of a release's migrations are still to be applied, in order. Raises MigrateError (P3009) after a failed one."""
    applied = list(applied)
    failed = [row for row in applied if row.failed]
    if failed:
        told = "\n".join(
            f"The `{row.name}` migration started at {row.started_at} UTC failed"
            + (f" with the following logs:\n{row.logs}" if row.logs else "")
            for row in failed
        )
        raise MigrateError(
            "P3009\n\nmigrate found failed migrations in the target database, "
            f"new migrations will not be applied. {_RESOLVE}\n{told}\n"
        )
    present = {row.name for row in applied if row.finished and not row.rolled_back}
    return [name for name in sorted(names) if name not in present]


def _deploy(names: Iterable[str], database: DatabaseUrl, folder: Path) -> list[str]:
    try:
        connection = connect(database)
    except psycopg.Error as error:
        found = diagnose(failure_of(error, Stage.CONNECTING), database)
        raise MigrateError(f"{found.code}: {found.message}") from error
    with connection:
        _lock(connection, database)
        connection.execute(_CREATE_TABLE)
        to_do = pending(names, _applied(connection))
        for name in to_do:
            logs.write(f"Applying migration `{name}`")
            _apply(connection, name, (folder / name / "migration.sql").read_bytes())
        return to_do


def _lock(connection: Connection, database: DatabaseUrl) -> None:
    """The lock ends with the connection."""
    connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
    except psycopg.errors.LockNotAvailable as error:
        raise MigrateError(
            f"P1002\n\nThe database server at `{database.server}` was reached but timed out.\n\nPlease try again.\n\n"
            f"Please make sure your database server is running at `{database.server}`.\n\n"
            f"Context: Timed out trying to acquire a postgres advisory lock (SELECT pg_advisory_lock({ADVISORY_LOCK})). "
            f"Timeout: {_LOCK_TIMEOUT_MS}ms. See https://pris.ly/d/migrate-advisory-locking for details."
        ) from error
    connection.execute("RESET lock_timeout")


def _applied(connection: Connection) -> list[Applied]:
    return [
        Applied(
            name=row["migration_name"],
            started_at=str(row["started_at"]),
            finished=row["finished_at"] is not None,
            rolled_back=row["rolled_back_at"] is not None,
            logs=row["logs"] or "",
        )
        for row in connection.execute(_READ)
    ]


def _apply(connection: Connection, name: str, script: bytes) -> None:
    """Run one script. PostgreSQL runs the statements of one query string in one transaction: all of them or none."""
    identity = str(uuid.uuid4())
    connection.execute(
        'INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name") VALUES (%s, %s, %s)',
        (identity, hashlib.sha256(script).hexdigest(), name),
    )
    try:
        connection.execute(script)
    except psycopg.Error as error:
        text = (
            f"A migration failed to apply. New migrations cannot be applied before the error is recovered from. {_RESOLVE}\n\n"
            f"Migration name: {name}\n\nDatabase error code: {error.sqlstate}\n\n"
            f"Database error:\nERROR: {error.diag.message_primary}\n"
        )
        connection.execute('UPDATE "_prisma_migrations" SET "logs" = %s WHERE "id" = %s', (text, identity))
        raise MigrateError(f"P3018\n\n{text}") from error
    connection.execute(
        'UPDATE "_prisma_migrations" SET "finished_at" = now(), "applied_steps_count" = "applied_steps_count" + 1 '
        'WHERE "id" = %s',
        (identity,),
    )


def _summary(done: list[str]) -> str:
    if not done:
        return "\nNo pending migrations to apply."
    folders = "".join(f"  └─ {name}/\n    └─ migration.sql\n" for name in done)
    return (
        "\nThe following migration(s) have been applied:\n\nmigrations/\n"
        f"{folders}      \nAll migrations have been successfully applied."
    )
