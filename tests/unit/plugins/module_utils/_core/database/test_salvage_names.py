# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of tables as names of files, and how psql loads those."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.salvage_names import (
    load_command,
    load_script,
    parents_first,
    stems,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin


@pytest.mark.parametrize(
    ("table", "stem"),
    [
        ("Practitioner", "Practitioner"),
        ("audit_log-2", "audit_log-2"),
        ("../escaped", "%2E%2E%2Fescaped"),
        ("a/b", "a%2Fb"),
        ("", "%"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("CON", "%43ON"),
        ("lpt1", "%6Cpt1"),
        ("console", "console"),
        ("a%2Fb", "a%252Fb"),
        ("évil\nDONE", "%C3%A9vil%0ADONE"),
        ("a~b", "a%7Eb"),
    ],
)
def test_a_name_is_quoted(table, stem):
    assert stems([table]) == {table: stem}


def test_names_that_file_systems_may_take_for_one_are_told_apart():
    found = stems(["Person", "person", "PERSON", "Log"])
    assert found["Log"] == "Log"
    assert len({stem.lower() for stem in found.values()}) == 4
    assert found["Person"].startswith("Person~")


def test_a_long_name_is_cut_and_stays_one_of_its_own():
    one, two = stems(["é" * 200 + "1", "é" * 200 + "2"]).values()
    assert one != two
    assert len(one) < 200


def test_parents_come_first_and_circles_come_to_an_end():
    parents = {"a": ["b"], "b": ["c", "b"], "c": [], "x": ["y"], "y": ["x"], "z": ["a", "elsewhere"]}
    order = parents_first(parents)
    assert sorted(order) == sorted(parents)
    assert order.index("c") < order.index("b") < order.index("a") < order.index("z")


def test_the_script_loads_everything_or_nothing():
    loads = [("Person", ["id", 'a"b'], "/rows/it's/Person.new.csv"), ("evil\nDONE", ["id"], "/rows/x.csv")]
    lines = load_script("public", loads, "psql -f x").splitlines()
    assert lines[2:] == [
        "--   psql -f x",
        "\\set ON_ERROR_STOP on",
        "BEGIN;",
        '\\copy "public"."Person" ("id", "a""b") FROM \'/rows/it\'\'s/Person.new.csv\' WITH (FORMAT csv, HEADER true)',
        "-- left out, because its names cannot be written in one line: evil DONE",
        "COMMIT;",
    ]


def test_the_command_can_be_pasted():
    target = DatabaseLogin("db.example", 5433, "app", "spy; meo", "public", password="hunter2")
    assert load_command(target, "/my rows/x") == "psql -h db.example -p 5433 -U app -d 'spy; meo' -f '/my rows/x'"
