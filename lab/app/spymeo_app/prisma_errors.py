# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's failures in Prisma's codes and words (Prisma 5.22; its query engine's and schema engine's error tables)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from spymeo_app.database_url import DatabaseUrl

CLIENT_VERSION = "5.22.0"


class Stage(Enum):
    """When a failure happened."""

    CONNECTING = "connecting"
    QUERYING = "querying"
    LOST = "lost"  # the connection was open and is gone


@dataclass(frozen=True)
class Failure:
    """What PostgreSQL or libpq said. libpq gives no SQLSTATE for a connection that it could not open."""

    stage: Stage
    message: str
    sqlstate: str | None = None
    detail: str = ""
    constraint: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """A failure as Prisma tells it. ``code`` is None where Prisma has no code for it."""

    kind: str
    code: str | None
    message: str
    meta: dict[str, str] = field(default_factory=dict)


class PrismaError(Exception):
    """A database operation failed. ``invocation`` is the call, such as ``prisma.practitioner.create()``."""

    def __init__(self, invocation: str, diagnosis: Diagnosis) -> None:
        super().__init__(f"{invocation}: {diagnosis.code}: {diagnosis.message}")
        self.invocation = invocation
        self.diagnosis = diagnosis

    @property
    def code(self) -> str | None:
        """Prisma's code, such as P2022."""
        return self.diagnosis.code


_CODE_OF_SQLSTATE = {
    "22001": "P2000",
    "23502": "P2011",
    "23503": "P2003",
    "23505": "P2002",
    "28000": "P1010",
    "28P01": "P1000",
    "3D000": "P1003",
    "40001": "P2034",
    "40P01": "P2034",
    "42703": "P2022",
    "42P01": "P2021",
    "53300": "P2037",
    "57P01": "P1017",
    "57P02": "P1017",
    "57P03": "P1001",
}
_CODE_OF_CONNECT_MESSAGE = (
    (re.compile(r"password authentication failed|no password supplied"), "P1000"),
    (re.compile(r'database ".*" does not exist'), "P1003"),
    (re.compile(r"no pg_hba\.conf entry|permission denied for database"), "P1010"),
    (re.compile(r"too many clients|remaining connection slots|too many connections"), "P2037"),
    (re.compile(r"SSL|certificate"), "P1011"),
)
_CONNECTION_CODES = frozenset({"P1000", "P1001", "P1003", "P1010", "P1011"})


def diagnose(failure: Failure, database: DatabaseUrl) -> Diagnosis:
    """Prisma's account of a failure in this database."""
    code = _code(failure)
    if code is None:
        return Diagnosis("PrismaClientUnknownRequestError", None, _unknown(failure))
    kind = "PrismaClientInitializationError" if code in _CONNECTION_CODES else "PrismaClientKnownRequestError"
    message, meta = _MESSAGES[code](failure, database)
    return Diagnosis(kind, code, message, meta)


def _code(failure: Failure) -> str | None:
    if failure.sqlstate in _CODE_OF_SQLSTATE:
        return _CODE_OF_SQLSTATE[failure.sqlstate]
    if failure.stage is Stage.LOST:
        return "P1017"
    if failure.stage is Stage.CONNECTING:
        return next((code for said, code in _CODE_OF_CONNECT_MESSAGE if said.search(failure.message)), "P1001")
    return None


def pool_timeout(database: DatabaseUrl) -> Diagnosis:
    """No connection of the pool became free in time."""
    limits = (
        f"(Current connection pool timeout: {database.pool_timeout}, connection limit: {database.connection_limit})"
    )
    message = (
        "Timed out fetching a new connection from the connection pool. "
        f"More info: http://pris.ly/d/connection-pool {limits}"
    )
    return Diagnosis("PrismaClientKnownRequestError", "P2024", message)


def render(error: PrismaError) -> str:
    """The lines that Node prints for such an error."""
    found = error.diagnosis
    fields = [f"clientVersion: '{CLIENT_VERSION}'"]
    if found.kind == "PrismaClientInitializationError":
        fields.append(f"errorCode: '{found.code}'")
    elif found.code:
        meta = ", ".join(f"{name}: '{value}'" for name, value in found.meta.items())
        fields = [f"code: '{found.code}'", *fields, f"meta: {{ {meta} }}" if meta else "meta: {}"]
    library = "/app/node_modules/@prisma/client/runtime/library.js"
    return (
        f"{found.kind}: \nInvalid `{error.invocation}` invocation:\n\n\n{found.message}\n"
        f"    at $n.handleRequestError ({library}:121:7315)\n"
        f"    at $n.handleAndLogRequestError ({library}:121:6623)\n"
        f"    at $n.request ({library}:121:6307) {{\n  " + ",\n  ".join(fields) + "\n}"
    )


_Message = tuple[str, dict[str, str]]


def _authentication_failed(_failure: Failure, database: DatabaseUrl) -> _Message:
    return (
        f"Authentication failed against database server at `{database.host}`, "
        f"the provided database credentials for `{database.user}` are not valid.\n\n"
        f"Please make sure to provide valid database credentials for the database server at `{database.host}`."
    ), {}


def _unreachable(_failure: Failure, database: DatabaseUrl) -> _Message:
    return (
        f"Can't reach database server at `{database.server}`\n\n"
        f"Please make sure your database server is running at `{database.server}`."
    ), {}


def _column_missing(failure: Failure, _database: DatabaseUrl) -> _Message:
    column = _word_after("column", failure.message)
    return f"The column `{column}` does not exist in the current database.", {"column": column}


def _table_missing(failure: Failure, database: DatabaseUrl) -> _Message:
    table = f"{database.schema}.{_word_after('relation', failure.message)}"
    return f"The table `{table}` does not exist in the current database.", {"table": table}


def _unique(failure: Failure, _database: DatabaseUrl) -> _Message:
    fields = ",".join(f"`{name}`" for name in _key_columns(failure.detail))
    return f"Unique constraint failed on the fields: ({fields})", {"target": fields.replace("`", "")}


def _null(failure: Failure, _database: DatabaseUrl) -> _Message:
    column = _word_after("column", failure.message)
    return f"Null constraint violation on the fields: (`{column}`)", {"constraint": column}


def _foreign_key(failure: Failure, _database: DatabaseUrl) -> _Message:
    name = f"{failure.constraint} (index)"
    return f"Foreign key constraint violated: `{name}`", {"field_name": name}


def _fixed(text: str) -> Callable[[Failure, DatabaseUrl], _Message]:
    return lambda failure, database: (
        text.format(
            database=database.database,
            server=database.server,
            user=database.user,
            said=failure.message.strip(),
        ),
        {},
    )


_MESSAGES: dict[str, Callable[[Failure, DatabaseUrl], _Message]] = {
    "P1000": _authentication_failed,
    "P1001": _unreachable,
    "P1003": _fixed("Database `{database}` does not exist on the database server at `{server}`."),
    "P1010": _fixed("User `{user}` was denied access on the database `{database}`"),
    "P1011": _fixed("Error opening a TLS connection: {said}"),
    "P1017": _fixed("Server has closed the connection."),
    "P2000": _fixed("The provided value for the column is too long for the column's type. Column: (not available)"),
    "P2002": _unique,
    "P2003": _foreign_key,
    "P2011": _null,
    "P2021": _table_missing,
    "P2022": _column_missing,
    "P2034": _fixed("Transaction failed due to a write conflict or a deadlock. Please retry your transaction"),
    "P2037": _fixed("Too many database connections opened: {said}"),
}


def _unknown(failure: Failure) -> str:
    return (
        "Error occurred during query execution:\n"
        f'PostgresError {{ code: "{failure.sqlstate}", message: "{failure.message}", severity: "ERROR" }}'
    )


def _word_after(noun: str, message: str) -> str:
    """The name in PostgreSQL's ``column "fullName" of relation …`` or ``column Practitioner.fullName does not exist``."""
    found = re.search(rf"{noun} (\S+)", message)
    return found[1].replace('"', "") if found else "(not available)"


def _key_columns(detail: str) -> list[str]:
    """The columns in PostgreSQL's ``Key (email)=(…) already exists.``"""
    found = re.match(r"Key \((.+?)\)=", detail)
    return [name.strip(' "') for name in found[1].split(",")] if found else ["(not available)"]
