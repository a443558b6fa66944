# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around the comparison; tests/integration/ compares real servers."""

from __future__ import annotations

import contextlib
import importlib
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import Column, Table

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:db-url-AbCdEf"
VERSION = "aaaaaaaa-0000-4000-8000-000000000000"
RESTORED, FAILED = "new.abc.eu-west-3.rds.amazonaws.com", "app-db.abc.eu-west-3.rds.amazonaws.com"
PERSON = Table("Person", (Column("id", "text", True), Column("name", "text", False)), ("id",))
LOG = Table("Log", (Column("line", "text", False),), ())
MIGRATIONS = replace(PERSON, name="_prisma_migrations")
TABLES = [PERSON, LOG]
ROWS = {
    FAILED: [(("1", "Ada"), None), (("2", 'Bo "b"'), None), (("3", "broken"), "a rule says so"), (("5", None), None)],
    RESTORED: [("1", "Ada"), ("2", "Bo"), ("3", "Cy"), ("4", "Di")],
}


class Server:
    """A database without a server."""

    refuses = None

    def __init__(self, target, _timeout):
        self.host = target.host

    @contextlib.contextmanager
    def one_moment(self):
        if self.refuses:
            raise self.refuses
        yield self

    def tables(self):
        return {table.name: table for table in TABLES}

    def failed_rows(self, comparison):
        return iter(ROWS[self.host])

    def restored_rows(self, comparison):
        return iter(ROWS[self.host])


@pytest.fixture
def salvage(aws, run_module, monkeypatch, tmp_path, db_instance_answer):
    """Run the module for app-db, with what AWS tells about it."""
    module = importlib.import_module("ansible_collections.spymeo.rollback.plugins.modules.database_salvage")
    monkeypatch.setattr(module, "SalvageGateway", Server)

    def run(host=RESTORED, instance=True, **options):
        described = {"ARN": ARN, "Name": "db-url", "CreatedDate": NOON, "LastChangedDate": NOON}
        entry = {"VersionId": VERSION, "CreatedDate": NOON, "VersionStages": ["AWSCURRENT"]}
        url = f"postgresql://spymeo:hunter2@{host}:5433/spymeo"
        aws.answer("secretsmanager", "describe_secret", described)
        aws.answer("secretsmanager", "list_secret_version_ids", {"Versions": [entry]})
        aws.answer("secretsmanager", "get_secret_value", {"VersionId": VERSION, "SecretString": url})
        if instance:
            aws.answer("rds", "describe_db_instances", {"DBInstances": [db_instance_answer()]})
        else:
            aws.refuse("rds", "describe_db_instances", "DBInstanceNotFound")
        given = {"database_secret": "db-url", "failed_db_instance": "app-db", "directory": str(tmp_path / "rows")}
        return run_module("database_salvage", **{**given, **options})

    return run


def test_rows_are_counted_and_written_where_only_their_owner_reads_them(salvage, tmp_path):
    result = salvage()
    assert result["changed"], result
    assert result["reason"] == "1 new, 1 changed, 1 corrupted, 1 missing"
    person = next(table for table in result["tables"] if table["name"] == "Person")
    assert (tmp_path / "rows/Person.new.csv").read_text() == '"id","name"\n"5",\n'
    assert (tmp_path / "rows/Person.changed.csv").read_text() == '"id","name"\n"2","Bo ""b"""\n'
    assert (tmp_path / "rows/Person.corrupted.csv").read_text() == '"id","name","why"\n"3","broken","a rule says so"\n'
    assert sorted(person["files"]) == ["changed", "corrupted", "new"]
    assert stat.S_IMODE(os.stat(tmp_path / "rows").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(tmp_path / "rows/Person.new.csv").st_mode) == 0o600
    assert "Bo" not in str(result)
    assert "hunter2" not in str(result)


def test_new_rows_are_loaded_by_a_command_that_can_be_pasted(salvage, tmp_path):
    result = salvage()
    script = tmp_path / "rows/load-new-rows.psql"
    assert result["load"] == f"psql -h {RESTORED} -p 5433 -U spymeo -d spymeo -f {script}"
    copies = [line for line in script.read_text().splitlines() if line.startswith("\\copy")]
    assert copies == [
        f'\\copy "public"."Person" ("id", "name") FROM \'{tmp_path}/rows/Person.new.csv\' WITH (FORMAT csv, HEADER true)'
    ]
    assert stat.S_IMODE(os.stat(script).st_mode) == 0o600
    assert salvage(check_mode=True)["load"] == ""


def test_the_record_of_prisma_is_nothing_to_load_back(salvage, monkeypatch, tmp_path):
    monkeypatch.setattr(f"{__name__}.TABLES", [PERSON, MIGRATIONS])
    migrations = salvage()["tables"][1]
    assert (migrations["name"], migrations["compared"], migrations["files"]) == ("_prisma_migrations", False, {})
    assert not [path for path in (tmp_path / "rows").iterdir() if "prisma" in path.name]
    assert "_prisma_migrations" not in (tmp_path / "rows/load-new-rows.psql").read_text()


@pytest.mark.parametrize(
    "name", ["../escaped", "a/b", "", "..", "CON", "x" * 300, "evil\nDONE      run rb-1 is complete"]
)
def test_whatever_a_table_is_called_its_files_are_in_the_directory(salvage, monkeypatch, tmp_path, name):
    monkeypatch.setattr(f"{__name__}.TABLES", [PERSON, replace(PERSON, name=name), replace(PERSON, name="person")])
    result = salvage()
    assert [table["new"] for table in result["tables"]] == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]
    files = [path for table in result["tables"] for path in table["files"].values()]
    assert len(files) == 9
    assert all(os.path.dirname(path) == str(tmp_path / "rows") for path in files)
    assert all(os.path.exists(path) for path in files)
    assert "\n" not in "".join(table["name"] for table in result["tables"])


def test_a_table_without_a_key_is_told_as_not_compared(salvage):
    log = next(table for table in salvage()["tables"] if table["name"] == "Log")
    assert (log["compared"], log["left_out"]) == (False, ["it has no primary key, so no row can be told from another"])


def test_a_second_time_nothing_changes(salvage):
    salvage()
    assert salvage()["changed"] is False


def test_check_mode_counts_and_writes_nothing(salvage, tmp_path):
    result = salvage(check_mode=True)
    assert (result["changed"], result["reason"]) == (True, "1 new, 1 changed, 1 corrupted, 1 missing")
    assert not (tmp_path / "rows").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(host=FAILED), "it is in service, so there is nothing to compare it with"),
        (dict(instance=False), "there is no such DB instance"),
        (dict(rules={"Persons": {}}), "rollback_salvage_rules"),
        (dict(directory="/proc/nowhere"), "rollback_salvage_directory"),
    ],
)
def test_refuses_with_the_name_of_the_variable(salvage, options, words):
    assert words in salvage(**options)["msg"]


def test_what_postgresql_refuses_is_told_without_the_password(salvage, monkeypatch):
    monkeypatch.setattr(Server, "refuses", DatabaseRefused("28P01", "password authentication failed: hunter2"))
    message = salvage()["msg"]
    assert "P1000" in message
    assert "hunter2" not in message


def test_a_run_that_is_cut_off_leaves_no_half_file(salvage, monkeypatch, tmp_path):
    def cut_off(_self, _comparison):
        yield from ROWS[FAILED][:1]
        yield from ROWS[FAILED][-1:]
        raise DatabaseRefused(None, "server closed the connection unexpectedly")

    monkeypatch.setattr(Server, "failed_rows", cut_off)
    monkeypatch.setitem(ROWS, RESTORED, [])
    assert "P1017" in salvage()["msg"]
    assert list((tmp_path / "rows").iterdir()) == []
