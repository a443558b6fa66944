# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around the probe; tests/integration/ asks a real server."""

from __future__ import annotations

import importlib
import socket
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseContents

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf"
VERSION = "aaaaaaaa-0000-4000-8000-000000000000"
AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
SEEN = DatabaseContents(
    "16.4", (Migration("1_init", AT, True, False),), (("Practitioner", 4200), ("_prisma_migrations", 1))
)


@pytest.fixture
def database_secret(aws):
    """Announces that the secret of the database URL will be read."""

    def announce(port=5432):
        described = {"ARN": ARN, "Name": "db-url", "CreatedDate": NOON, "LastChangedDate": NOON}
        entry = {"VersionId": VERSION, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
        url = f"postgresql://spymeo:hunter%2F2@127.0.0.1:{port}/spymeo"
        aws.answer("secretsmanager", "describe_secret", described)
        aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})
        aws.answer("secretsmanager", "get_secret_value", {"VersionId": VERSION, "SecretString": url})

    return announce


@pytest.fixture
def probed(monkeypatch):
    """What the server at the other end shows; gives the targets that were asked."""
    module = importlib.import_module("ansible_collections.spymeo.rollback.plugins.modules.database_probe_info")
    asked = []

    class Server:
        def __init__(self, target, timeout):
            asked.append((target, timeout))

        def observe(self, rules=()):
            return SEEN

        def warm(self, tables, tell):
            tell(3 << 7, 5 << 7)
            return [table for table in tables if table in dict(SEEN.rows)]

    monkeypatch.setattr(module, "PostgresqlGateway", Server)
    return asked


def test_asks_the_given_address_with_everything_else_of_the_url(database_secret, probed, run_module):
    database_secret()
    result = run_module("database_probe_info", database_secret="db-url", host="new.rds", port=5433, timeout=7)
    target, timeout = probed[0]
    assert (target.host, target.port, target.user, target.password, timeout) == (
        "new.rds",
        5433,
        "spymeo",
        "hunter/2",
        7,
    )
    assert result["connected"]
    assert result["rows"] == {"Practitioner": 4200, "_prisma_migrations": 1}
    assert result["migrations"] == [{"name": "1_init", "finished": True, "rolled_back": False}]
    assert "new.rds, port 5433" in result["reason"]
    assert "hunter" not in str(result)


OTHER = "bbbbbbbb-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("versions", "password"),
    [
        ({"db-url": OTHER}, "of then"),
        ({ARN: OTHER}, "of then"),
        ({ARN[:-7]: OTHER}, "of then"),
        ({"db-url-2": OTHER}, "of now"),
        ({ARN[:-8]: OTHER}, "of now"),
        ({}, "of now"),
    ],
)
def test_the_password_is_that_of_the_version_that_is_named_however_the_secret_is_called(
    aws, probed, run_module, versions, password
):
    described = {"ARN": ARN, "Name": "db-url", "CreatedDate": NOON, "LastChangedDate": NOON}
    entry = {"VersionId": VERSION, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
    aws.answer("secretsmanager", "describe_secret", described)
    aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})
    url = "postgresql://spymeo:%s@127.0.0.1:5432/spymeo"
    which = {"VersionId": OTHER} if password == "of then" else {"VersionStage": "AWSCURRENT"}
    answer = {"VersionId": which.get("VersionId", VERSION), "SecretString": url % password.replace(" ", "%20")}
    aws.answer("secretsmanager", "get_secret_value", answer, {"SecretId": ARN, **which})
    result = run_module("database_probe_info", database_secret="db-url", versions=versions)
    assert result["connected"], result
    assert probed[0][0].password == password
    assert password not in str(result)


def test_tells_which_tables_were_read_ahead(database_secret, probed, run_module):
    database_secret()
    result = run_module("database_probe_info", database_secret="db-url", warm=["Practitioner", "Gone"])
    assert result["warmed"] == ["Practitioner"]
    assert "read whole: Practitioner" in result["reason"]


def test_passes_when_the_migrations_are_the_expected_ones(database_secret, probed, run_module):
    database_secret()
    result = run_module("database_probe_info", database_secret="db-url", expect_migrations=["1_init"])
    assert result["connected"]
    assert len(probed) == 1


def test_fails_when_the_database_has_other_migrations_than_expected(database_secret, probed, run_module):
    database_secret()
    result = run_module("database_probe_info", database_secret="db-url", expect_migrations=["1_init", "2_phone"])
    assert result["failed"]
    assert result["evidence"] == ["2_phone is not applied"]
    assert len(probed) == 1


def test_names_the_prisma_code_and_the_place_when_nobody_answers(database_secret, run_module):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        port = closed.getsockname()[1]
        database_secret(port)
        result = run_module("database_probe_info", database_secret="db-url", timeout=3)
    assert "P1001" in result["msg"]
    assert f"127.0.0.1, port {port}, database spymeo, user spymeo" in result["msg"]
    assert (result["connected"], result["code"]) == (False, "P1001")
    assert "hunter" not in str(result)


def test_refuses_a_database_with_a_migration_that_the_release_does_not_know(database_secret, probed, run_module):
    database_secret()
    result = run_module("database_probe_info", database_secret="db-url", known_migrations=["0_other"])
    assert result["unknown_migrations"] == ["1_init"]
    assert "has migrations that the release to come back does not know: 1_init" in result["msg"]


def test_what_the_operator_answers_for_is_named_and_not_refused(database_secret, probed, run_module):
    database_secret()
    options = {"database_secret": "db-url", "known_migrations": ["0_other"]}
    result = run_module("database_probe_info", despite_migrations=True, **options)
    assert (result["connected"], result["accepted_migrations"], result["later_migrations"]) == (True, ["1_init"], [])
    assert "unknown_migrations" not in result
    database_secret()
    fits = run_module(
        "database_probe_info", database_secret="db-url", known_migrations=["1_init"], despite_migrations=True
    )
    assert fits["accepted_migrations"] == []


def test_a_migration_that_is_known_and_missing_is_no_reason_to_refuse(database_secret, probed, run_module):
    database_secret()
    result = run_module("database_probe_info", database_secret="db-url", known_migrations=["1_init", "2_later"])
    assert result["connected"]
