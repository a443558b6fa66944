# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What PostgreSQL says, in Prisma's codes and words."""

from __future__ import annotations

import pytest

from spymeo_app.database_url import DatabaseUrl
from spymeo_app.prisma_errors import Diagnosis, Failure, PrismaError, Stage, diagnose, pool_timeout, render

DATABASE = DatabaseUrl.parse("postgresql://app:S3cret@db.internal:5432/spymeo")
KNOWN, INITIALIZATION, UNKNOWN = (
    f"PrismaClient{kind}Error" for kind in ("KnownRequest", "Initialization", "UnknownRequest")
)


def querying(sqlstate, message="", **said):
    return Failure(Stage.QUERYING, message, sqlstate, **said)


def connecting(message, sqlstate=None):
    return Failure(Stage.CONNECTING, f'connection to server at "10.0.0.1", port 5432 failed: {message}', sqlstate)


@pytest.mark.parametrize(
    ("failure", "kind", "code", "message"),
    [
        (
            querying("42703", 'column "fullName" of relation "Practitioner" does not exist'),
            KNOWN, "P2022", "The column `fullName` does not exist in the current database.",
        ),
        (
            querying("42703", "column Practitioner.fullName does not exist"),
            KNOWN, "P2022", "The column `Practitioner.fullName` does not exist in the current database.",
        ),
        (
            querying("42P01", 'relation "Practitioner" does not exist'),
            KNOWN, "P2021", "The table `public.Practitioner` does not exist in the current database.",
        ),
        (
            querying("23505", "duplicate key", detail="Key (email)=(a@b.fr) already exists."),
            KNOWN, "P2002", "Unique constraint failed on the fields: (`email`)",
        ),
        (
            querying("23505", "duplicate key", detail='Key ("fullName", city)=(A, B) already exists.'),
            KNOWN, "P2002", "Unique constraint failed on the fields: (`fullName`,`city`)",
        ),
        (
            querying("23503", "violates foreign key", constraint="Payment_practitionerId_fkey"),
            KNOWN, "P2003", "Foreign key constraint violated: `Payment_practitionerId_fkey (index)`",
        ),
        (
            querying("23502", 'null value in column "city" of relation "Practitioner" violates not-null constraint'),
            KNOWN, "P2011", "Null constraint violation on the fields: (`city`)",
        ),
        (querying("22001"), KNOWN, "P2000", "The provided value for the column is too long"),
        (querying("40001"), KNOWN, "P2034", "Transaction failed due to a write conflict or a deadlock"),
        (querying("53300", "sorry, too many clients already"), KNOWN, "P2037", "opened: sorry, too many clients already"),
        (querying("57P01", "terminating connection"), KNOWN, "P1017", "Server has closed the connection."),
        (Failure(Stage.LOST, "consuming input failed"), KNOWN, "P1017", "Server has closed the connection."),
        (querying("XX000", "internal"), UNKNOWN, None, 'PostgresError { code: "XX000", message: "internal"'),
        (
            connecting("Connection refused"),
            INITIALIZATION, "P1001", "Can't reach database server at `db.internal:5432`\n\nPlease make sure",
        ),
        (connecting("timeout expired"), INITIALIZATION, "P1001", "Can't reach database server"),
        (
            connecting('FATAL:  password authentication failed for user "app"'),
            INITIALIZATION, "P1000", "Authentication failed against database server at `db.internal`",
        ),
        (connecting("", "28P01"), INITIALIZATION, "P1000", "credentials for `app` are not valid"),
        (
            connecting('FATAL:  database "spymeo" does not exist'),
            INITIALIZATION, "P1003", "Database `spymeo` does not exist on the database server at `db.internal:5432`.",
        ),
        (connecting("FATAL:  no pg_hba.conf entry for host"), INITIALIZATION, "P1010", "User `app` was denied access"),
        (connecting("server does not support SSL"), INITIALIZATION, "P1011", "Error opening a TLS connection"),
        (connecting("FATAL:  sorry, too many clients already"), KNOWN, "P2037", "Too many database connections opened"),
    ],
)  # fmt: skip
def test_tells_each_failure_as_prisma_does(failure, kind, code, message):
    found = diagnose(failure, DATABASE)
    assert (found.kind, found.code) == (kind, code)
    assert message in found.message
    assert "S3cret" not in found.message


def test_prints_a_known_request_error_as_node_does():
    found = diagnose(querying("42703", 'column "fullName" of relation "Practitioner" does not exist'), DATABASE)
    lines = render(PrismaError("prisma.practitioner.create()", found)).splitlines()
    assert lines[:5] == [
        "PrismaClientKnownRequestError: ",
        "Invalid `prisma.practitioner.create()` invocation:",
        "",
        "",
        "The column `fullName` does not exist in the current database.",
    ]
    assert lines[-4:] == ["  code: 'P2022',", "  clientVersion: '5.22.0',", "  meta: { column: 'fullName' }", "}"]


def test_prints_an_initialization_error_with_its_error_code():
    text = render(PrismaError("prisma.$queryRaw()", diagnose(connecting("Connection refused"), DATABASE)))
    assert text.startswith(
        "PrismaClientInitializationError: \nInvalid `prisma.$queryRaw()` invocation:\n\n\nCan't reach"
    )
    assert text.endswith("{\n  clientVersion: '5.22.0',\n  errorCode: 'P1001'\n}")


def test_prints_an_unknown_error_without_a_code():
    text = render(PrismaError("prisma.admin.findUnique()", diagnose(querying("XX000", "internal"), DATABASE)))
    assert text.startswith("PrismaClientUnknownRequestError: ")
    assert "code: '" not in text
    assert text.endswith("{\n  clientVersion: '5.22.0'\n}")


def test_says_how_large_the_exhausted_pool_is():
    found = pool_timeout(DATABASE)
    assert isinstance(found, Diagnosis)
    assert found.code == "P2024"
    assert found.message.endswith("(Current connection pool timeout: 10, connection limit: 5)")
