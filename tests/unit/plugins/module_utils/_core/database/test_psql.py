# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.psql import (
    command,
    is_complete,
    move_command,
    read_psql,
    refuse_unmoved,
    sequences_in,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import SequenceMove, sequence_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.warm import STREAMS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
TARGET = DatabaseLogin("db.rds", 5432, "spymeo", "spymeo", "public", (("sslmode", "require"),), "hunter2")
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


def lines(*answers):
    return [json.dumps(answer) for answer in answers]


WHOLE = lines(
    {"server_version": "18.1"},
    {"tables": ["Payment", "Practitioner", "_prisma_migrations"]},
    {"migration": "1_init", "started": "2026-11-22T03:00:00+00:00", "finished": True, "rolled_back": False},
    {"table": "Payment", "rows": 12},
    {"table": "Practitioner", "rows": 4200},
    {"table": "_prisma_migrations", "rows": 1},
    {"warmed": "Payment"},
    {"complete": True},
)


def test_reads_version_migrations_rows_and_what_was_warmed():
    seen, warmed = read_psql(WHOLE)
    assert seen.server_version == "18.1"
    assert seen.migrations == (Migration("1_init", AT, True, False),)
    assert seen.rows == (("Payment", 12), ("Practitioner", 4200), ("_prisma_migrations", 1))
    assert warmed == ["Payment"]


def test_a_database_without_prismas_table_has_unknown_migrations():
    seen, _warmed = read_psql(lines({"server_version": "18.1"}, {"tables": []}, {"complete": True}))
    assert (seen.migrations, seen.rows) == (None, ())


def test_a_table_whose_count_took_too_long_is_not_counted_and_nothing_else_is_lost():
    too_long = "psql:<stdin>:9: ERROR:  57014: canceling statement due to statement timeout"
    seen, _warmed = read_psql([*WHOLE[:4], too_long, *WHOLE[5:]])
    assert seen.rows == (("Payment", 12), ("Practitioner", None), ("_prisma_migrations", 1))


@pytest.mark.parametrize(
    ("said", "sqlstate"),
    [
        (["psql: error: connection to server failed: FATAL:  password authentication failed"], None),
        (["psql: error: connection to server failed: Connection refused"], None),
        ([WHOLE[0], "psql:<stdin>:5: ERROR:  42501: permission denied for table Payment"], "42501"),
        ([*WHOLE, "ERROR:  58030: could not read block 7"], "58030"),
    ],
)
def test_what_the_server_said_is_refused_with_its_sqlstate(said, sqlstate):
    with pytest.raises(DatabaseRefused) as refused:
        read_psql(said)
    assert refused.value.sqlstate == sqlstate
    assert said[-1] in refused.value.message


@pytest.mark.parametrize("said", [[], WHOLE[:-1]])
def test_output_without_an_end_is_an_error_and_never_half_an_answer(said):
    assert not is_complete(said)
    with pytest.raises(RollbackError, match="ended before psql's output did"):
        read_psql(said)


def test_an_image_without_psql_is_named():
    with pytest.raises(RollbackError, match="rollback_db_probe_image"):
        read_psql(["sh: 1: psql: not found"])


def test_the_end_is_recognised():
    assert is_complete(WHOLE)
    assert not is_complete(["not { json", "psql: error: connection refused"])


def given_to_psql(script, url, directory, status=0, failed=""):
    """What psql gets when sh runs the script with DATABASE_URL, each time that it is called: [(its last argument, its standard input)]; and
    what sh prints itself."""
    psql = directory / "psql"
    psql.write_text(
        f'#!/bin/sh\nfor last; do :; done\nfile=$(mktemp {directory}/given.XXXXXX)\nprintf "%s\\n" "$last" > "$file"\ncat >> "$file"\nexit {status}\n'
    )
    psql.chmod(0o755)
    environment = {"PATH": f"{directory}:/usr/bin:/bin", "DATABASE_URL": url, "FAILED_DATABASE_URL": failed}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    files = sorted(directory.glob("given.*"), key=lambda path: "warmed" in path.read_text())
    return [path.read_text().partition("\n")[::2] for path in files], done.stdout


def test_sh_gives_psql_the_url_with_options_that_libpq_knows(tmp_path):
    url = "postgresql://spymeo:p%3Fa%2Fb@db.rds:5432/spymeo?schema=public&connection_limit=5&sslmode=require"
    [(address, sql)], said = given_to_psql(command(TARGET, 30, []), url, tmp_path)
    assert is_complete(said.splitlines())
    before = "postgresql://spymeo:p%3Fa%2Fb@db.rds:5432/spymeo"
    assert address == before + "?application_name=spymeo.rollback&connect_timeout=30&sslmode=require"
    assert "SET LOCAL statement_timeout = 30000;" in sql
    assert "READ ONLY" in sql


def test_tables_are_read_in_several_streams_beside_each_other_each_with_its_own_part(tmp_path):
    [(_address, asked), *streams], said = given_to_psql(
        command(TARGET, 30, ["Payment", "Log"]), "postgresql://h/d", tmp_path
    )
    assert "warmed" not in asked
    assert len(streams) == STREAMS
    assert {address for address, _sql in streams} == {_address}
    parts = sorted(re.search(r"blocks \* (\d+) / (\d+)", sql).groups() for _address, sql in streams)
    assert parts == [(str(part), str(STREAMS)) for part in range(STREAMS)]
    assert all("ARRAY[E'Payment', E'Log']" in sql and "READ ONLY" in sql for _address, sql in streams)
    assert is_complete(said.splitlines())


def test_a_database_that_does_not_answer_is_not_read_ahead_and_has_no_end(tmp_path):
    calls, said = given_to_psql(command(TARGET, 30, ["Payment"]), "postgresql://h/d", tmp_path, status=2)
    assert (len(calls), said) == (1, "")


def test_what_several_streams_have_read_is_told_once():
    assert read_psql([*WHOLE, *lines({"warmed": "Payment"}, {"warmed": "Log"})])[1] == ["Payment", "Log"]


def test_nothing_secret_is_in_the_command():
    assert "hunter2" not in command(TARGET, 30, [], sequences=True)
    assert "hunter2" not in move_command(TARGET, 30, [MOVE])


ROW = [16400, "public", "Payment_id_seq", 1, 1, 2**31 - 1, False, ['public."Payment".id'], 1, True, True, True, 1830]
SEQUENCE = sequence_of(ROW, (1830, True))
MOVE = SequenceMove(SEQUENCE, 11_830, 1830, 10_000, 10_000)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], {}),
        ([{"of": "failed", "sequences": 0}], {"failed": ()}),
        (
            [{"of": "restored", "sequence": ROW, "value": [1830, True]}, {"of": "restored", "sequences": 1}],
            {"restored": (SEQUENCE,)},
        ),
        ([{"of": "restored", "sequence": ROW, "value": [1830, True]}, {"of": "restored", "sequences": 2}], {}),
        ([{"of": "restored", "sequence": ROW, "value": [1830, True]}], {}),
        (
            [{"of": "failed", "sequence": ROW, "value": None}, {"of": "failed", "sequences": 1}],
            {"failed": (sequence_of(ROW, None),)},
        ),
    ],
    ids=["nothing", "a database without one", "all", "one was lost", "no end", "one that cannot be read itself"],
)
def test_sequences_are_those_of_a_database_that_has_told_all_of_them(answers, expected):
    assert sequences_in([*WHOLE[:-1], *lines(*answers), "psql: error: something", WHOLE[-1]]) == expected


def test_both_databases_are_asked_for_their_sequences_each_at_its_url_and_last_of_all(tmp_path):
    calls, said = given_to_psql(
        command(TARGET, 30, ["Payment"], sequences=True),
        "postgresql://new/d",
        tmp_path,
        failed="postgresql://old/d?x=1",
    )
    asked = {sql.count("E'failed'") > 0: address for address, sql in calls if "pg_sequence" in sql}
    options = "?application_name=spymeo.rollback&connect_timeout=30&sslmode=require"
    assert asked == {False: "postgresql://new/d" + options, True: "postgresql://old/d" + options}
    assert is_complete(said.splitlines())


def test_moves_are_made_in_their_order_and_what_a_name_holds_stays_in_it(tmp_path):
    named = replace(SEQUENCE, name='x"; DROP TABLE y; --', increment=-1)
    moves = [
        MOVE,
        replace(MOVE, sequence=named, to=-7),
        replace(MOVE, sequence=replace(SEQUENCE, sets=False), steps=44),
    ]
    [(_address, sql)], _said = given_to_psql(move_command(TARGET, 30, moves), "postgresql://h/d", tmp_path)
    made = [line.rstrip(";") for line in sql.splitlines() if "16400" in line]
    assert made == [
        'SELECT setval(16400::regclass, 11830) FROM "public"."Payment_id_seq" WHERE last_value < 11830',
        'SELECT setval(16400::regclass, -7) FROM "public"."x""; DROP TABLE y; --" WHERE last_value > -7',
        "SELECT count(nextval(16400::regclass)) FROM generate_series(1, 44)",
    ]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (["psql:<stdin>:4: ERROR:  42501: permission denied for sequence x", *WHOLE[-1:]], DatabaseRefused),
        (["psql: error: connection refused"], DatabaseRefused),
        ([], RollbackError),
    ],
)
def test_moves_that_were_not_all_made_are_an_error(said, error):
    with pytest.raises(error):
        refuse_unmoved(said)
    refuse_unmoved(["11830", *WHOLE[-1:]])


@given(TEXT, st.lists(TEXT, max_size=2))
def test_names_with_any_character_stay_inside_their_literals(schema, tables):
    target = DatabaseLogin("h", 1, "u", "d", schema)
    with tempfile.TemporaryDirectory() as directory:
        given_psql, _said = given_to_psql(command(target, 30, tables), "", pathlib.Path(directory))
    shown = "".join(sql for _address, sql in given_psql)
    for name in (schema, *tables):
        assert "E'%s'" % name.replace("\\", "\\\\").replace("'", "''") in shown
