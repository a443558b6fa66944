# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around the sequences; tests/integration/ moves real ones."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import Sequence
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf"
NOW, THEN = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"
OPTIONS = {
    "database_secret": "db-url",
    "failed_host": "old.rds",
    "failed_port": 5432,
    "host": "new.rds",
    "port": 5433,
    "run_id": "rb-1",
}


@pytest.fixture
def database_secret(aws):
    """Announces that the secret of the database URL will be read, in these versions."""

    def announce(*versions):
        for version in versions or (NOW,):
            described = {"ARN": ARN, "Name": "db-url", "CreatedDate": NOON, "LastChangedDate": NOON}
            entry = {"VersionId": NOW, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
            url = f"postgresql://spymeo:{version[0]}unter2@db.rds:5432/spymeo"
            aws.answer("secretsmanager", "describe_secret", described)
            aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})
            answer = {"VersionId": version, "SecretString": url}
            aws.answer("secretsmanager", "get_secret_value", answer)

    return announce


class Servers:
    """Two databases; what cannot be asked is a DatabaseRefused."""

    def __init__(self):
        self.given = {"old.rds": 1874, "new.rds": 1830}
        self.refuses, self.asked = None, []

    def gateway(self, target, timeout):
        servers = self

        class Gateway:
            def sequences(self):
                servers.asked.append((target.host, target.port, target.password))
                given = servers.given[target.host]
                if isinstance(given, DatabaseRefused):
                    raise given
                return (Sequence(16400, "public", "Payment_id_seq", 1, 1, 2**31 - 1, False, given=given),)

            def move(self, moves):
                if servers.refuses:
                    raise servers.refuses
                for move in moves:
                    servers.given[target.host] = move.to

        return Gateway()


@pytest.fixture
def servers(monkeypatch):
    found = Servers()
    module = importlib.import_module("ansible_collections.spymeo.rollback.plugins.modules.database_sequences")
    monkeypatch.setattr(module, "PostgresqlGateway", found.gateway)
    return found


def test_moves_once_and_that_is_one_call_of_the_run(servers, database_secret, run_module):
    database_secret()
    first = run_module("database_sequences", **OPTIONS)
    assert servers.asked == [("old.rds", 5432, "aunter2"), ("new.rds", 5433, "aunter2")]
    assert (first["changed"], servers.given["new.rds"]) == (True, 11_874)
    assert (first["before"], first["after"]) == ({"public.Payment_id_seq": 1830}, {"public.Payment_id_seq": 11_874})
    of = {"host": "new.rds", "sequences": "1 sequence"}
    assert first["calls"] == [{"service": "postgresql", "operation": "setval", "of": of, "outcome": "ok"}]
    database_secret()
    second = run_module("database_sequences", **OPTIONS)
    assert (second["changed"], second["calls"], second["reason"]) == (False, [], "1 was ahead already")


def test_check_mode_tells_the_same_and_writes_nothing(servers, database_secret, run_module):
    database_secret()
    told = run_module("database_sequences", check_mode=True, **OPTIONS)
    assert (told["changed"], told["after"]) == (True, {"public.Payment_id_seq": 11_874})
    assert (servers.given["new.rds"], told["calls"]) == (1830, [])


def test_an_undo_logs_in_with_the_version_that_comes_back(servers, database_secret, run_module):
    database_secret(NOW, THEN)
    run_module("database_sequences", versions={"db-url": THEN}, **OPTIONS)
    assert [password for _host, _port, password in servers.asked] == ["aunter2", "bunter2"]


@pytest.mark.parametrize("host", ["old.rds", "new.rds"])
def test_a_database_that_does_not_answer_is_told_and_is_no_failure(servers, database_secret, run_module, host):
    database_secret()
    servers.given[host] = DatabaseRefused("28P01", 'password authentication failed, and not for "aunter2"')
    told = run_module("database_sequences", **OPTIONS)
    assert (told.get("failed", False), told["changed"], told["reason"]) == (False, False, "nothing was moved")
    (finding,) = told["findings"]
    assert (finding["subject"], finding["verdict"]) == (host, "noted")
    assert "P1000" in finding["what"]
    assert "aunter2" not in str(told)


def test_a_move_that_breaks_is_told_and_nobody_knows_what_was_made(servers, database_secret, run_module):
    database_secret()
    servers.refuses = DatabaseRefused("57014", "canceling statement due to statement timeout")
    told = run_module("database_sequences", **OPTIONS)
    assert not told.get("failed", False)
    assert [call["outcome"] for call in told["calls"]] == ["unknown"]
    assert told["reason"] == "it is not known whether every sequence was moved"
    assert "not every sequence may have been moved" in told["findings"][0]["what"]
