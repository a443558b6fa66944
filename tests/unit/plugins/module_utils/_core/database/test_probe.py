# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import (
    MEANING,
    diagnose,
    differences,
    target_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
TARGET = DatabaseLogin("db.rds", 5432, "spymeo", "spymeo", "public", password="hunter2")


def test_follows_the_url_and_leaves_out_what_only_prisma_understands():
    text = "postgresql://me:a%2Fb@h:1/db?schema=app&connection_limit=5&pool_timeout=0&pgbouncer=true&sslmode=require&sslcert=ca.pem"
    target = target_of(DatabaseUrl.parse(text))
    assert (target.user, target.password, target.database, target.schema) == ("me", "a/b", "db", "app")
    assert target.options == (("sslmode", "require"),)
    assert "a/b" not in repr(target)


def test_the_schema_is_public_unless_the_url_names_another():
    assert target_of(DatabaseUrl.parse("postgresql://me:pw@h/db")).schema == "public"


@pytest.mark.parametrize("text", ["postgresql://h/db", "postgresql://me:pw@h/", "postgresql://me:pw@h"])
def test_refuses_a_url_that_nobody_can_log_in_with(text):
    with pytest.raises(RollbackError, match="P1013"):
        target_of(DatabaseUrl.parse(text))


@pytest.mark.parametrize(
    ("sqlstate", "message", "code"),
    [
        (None, 'connection failed: FATAL:  password authentication failed for user "spymeo"', "P1000"),
        (None, "connection failed: fe_sendauth: no password supplied", "P1000"),
        (None, 'connection failed: FATAL:  database "spymeo" does not exist', "P1003"),
        (None, 'FATAL: no pg_hba.conf entry for host "10.0.0.1", user "spymeo", database "spymeo", SSL off', "P1010"),
        (None, "FATAL:  sorry, too many clients already", "P2037"),
        (None, "server does not support SSL, but SSL was required", "P1011"),
        (None, "server closed the connection unexpectedly", "P1017"),
        (None, 'connection is bad: invalid sslmode value: "bogus"', "P1013"),
        (None, "connection refused", "P1001"),
        (None, "connection timeout expired", "P1001"),
        (None, "could not translate host name", "P1001"),
        ("57014", "canceling statement due to statement timeout", "P1008"),
        ("42501", "permission denied for table Admin", "P1010"),
        ("58030", "could not read block", "58030"),
    ],
)
def test_names_the_prisma_code_the_place_and_what_was_said_but_not_the_password(sqlstate, message, code):
    error = diagnose(TARGET, DatabaseRefused(sqlstate, message + ", hunter2"))
    assert code in error.message
    assert MEANING.get(code, "SQLSTATE") in error.message
    assert "db.rds, port 5432, database spymeo, user spymeo" in error.message
    assert error.result["code"] == code
    assert error.result["connected"] is False
    assert message.split()[-1] in error.evidence[0]
    assert "hunter2" not in str((error.message, error.evidence, error.result))


DONE, FAILED, UNDONE = (
    Migration("1_init", AT, True, False),
    Migration("2_bad", AT, False, False),
    Migration("2_bad", AT, False, True),
)


@pytest.mark.parametrize(
    ("expected", "migrations", "words"),
    [
        (["1_init"], (DONE,), []),
        ([], (), []),
        (["1_init"], (DONE, UNDONE), []),
        (["1_init"], (DONE, FAILED), ["2_bad failed half-way (Prisma calls that P3009)"]),
        (["1_init", "2_bad"], (DONE, UNDONE), ["2_bad is not applied"]),
        ([], (DONE,), ["1_init is applied and was not expected"]),
        (
            [],
            None,
            [
                "Prisma's record (_prisma_migrations; of Prisma 8, prisma_contract.ledger) is not there, or could not be read"
            ],
        ),
    ],
)
def test_tells_every_difference_from_the_expected_migrations(expected, migrations, words):
    assert differences(expected, migrations) == words
