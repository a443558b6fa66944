# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which migrations come, what a release point keeps of them, and what a database's migrations are by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.classify import GivenMigration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.coming import (
    classes_of,
    coming_of,
    kept_of,
    read_kept,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.way_back import (
    WAYS,
    falls_short,
    way_back,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ClassifiedMigration,
    Effect,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from pglast.parser import parse_sql_json

AT = datetime(2026, 12, 1, tzinfo=UTC)


def given(name, text):
    return GivenMigration(name, [item["stmt"] for item in json.loads(parse_sql_json(text))["stmts"]], (name + "-sum",))


ALL = [
    given("1_init", 'CREATE TABLE "User" ("id" INT, "name" TEXT)'),
    given("2_add", 'ALTER TABLE "User" ADD COLUMN "phone" TEXT'),
    given("3_drop", 'ALTER TABLE "User" DROP COLUMN "phone"'),
]


def kinds(found):
    return {item.name: item.kind for item in found}


def test_what_the_database_has_does_not_come_and_is_what_the_rest_is_measured_by():
    assert kinds(coming_of(ALL, ["1_init"])) == {"2_add": "additive", "3_drop": "additive"}
    assert kinds(coming_of(ALL, ["1_init", "2_add"])) == {"3_drop": "takes_away"}
    assert coming_of(ALL, ["1_init", "2_add", "3_drop", "0_of_another_branch"]) == []


def test_where_nobody_knows_what_the_database_has_each_may_be_the_first_that_comes():
    assert kinds(coming_of(ALL, None)) == {"1_init": "additive", "2_add": "additive", "3_drop": "takes_away"}
    assert kinds(coming_of(ALL[2:], None)) == {"3_drop": "takes_away"}


def test_what_is_kept_is_read_as_it_was():
    coming = coming_of(ALL, ["1_init"])
    assert read_kept(json.loads(json.dumps(kept_of(coming)))) == coming


@pytest.mark.parametrize(
    "effects",
    [
        [{"kind": "harmless", "words": "x"}],
        [{"words": "x"}],
        ["x"],
        [None],
        [{"kind": "additive"}],
        [{"kind": None, "words": "x"}],
    ],
)
def test_what_cannot_be_read_is_not_known(effects):
    (found,) = read_kept([{"name": "1", "kind": "additive", "effects": effects}])
    assert found.kind == "unknown"


@pytest.mark.parametrize("effects", [[], None, {}, 5, [{"kind": "additive", "words": "x"}]])
def test_a_kind_that_its_effects_do_not_show_counts(effects):
    for kind, wanted in (("takes_away", "takes_away"), ("harmless", "unknown"), (None, "unknown")):
        (found,) = read_kept([{"name": "1", "kind": kind, "effects": effects}])
        assert found.kind == wanted


@pytest.mark.parametrize(
    "told", [["x"], [None], {"a": 1}, "x", 5, None, [{"checksums": [["s"], ""]}], [{"checksums": "abc"}]]
)
def test_hostile_records_prove_nothing(told):
    there = [Migration("m", AT, checksum=""), Migration("m", AT, checksum="a")]
    assert not any(item.additive for item in classes_of(there, [{"coming": told}, told]))


def test_what_another_version_has_added_is_left_alone():
    (found,) = read_kept(
        [
            {
                "name": "1",
                "kind": "additive",
                "effects": [{"kind": "additive", "words": "x", "colour": "blue"}],
                "checksums": None,
            }
        ]
    )
    assert (found.kind, found.checksums) == ("additive", ())


def test_a_migration_is_what_was_read_only_where_its_checksum_says_that_it_was_applied_so():
    records = [{"coming": kept_of(coming_of(ALL, ["1_init"]))}, {"coming": None}, {}]
    there = [
        Migration("2_add", AT, checksum="2_add-sum"),
        Migration("2_add", AT, checksum="other"),
        Migration("2_add", AT),
    ]
    found = classes_of(there, records)
    assert [item.additive for item in found] == [True, False, False]
    assert classes_of(None, records) is None


def test_of_several_readings_of_one_file_the_worst_counts():
    worse = kept_of(coming_of(ALL, ["1_init", "2_add"]))
    better = kept_of(coming_of(ALL, ["1_init"]))
    for records in ([{"coming": worse}, {"coming": better}], [{"coming": better}, {"coming": worse}]):
        (found,) = classes_of([Migration("3_drop", AT, checksum="3_drop-sum")], records)
        assert (found.takes_away, found.described) == (True, "3_drop (column phone of User is dropped)")


def of(*effects):
    return [ClassifiedMigration("m%d" % number, (effect,)) for number, effect in enumerate(effects)]


@pytest.mark.parametrize(
    ("coming", "way", "why"),
    [
        ([], "code", "it comes with no migration"),
        (of(Effect("additive", "a")), "code", "what it migrates is additive (m0)"),
        (of(Effect("additive", "a"), Effect("changes_data", "b")), "snapshot", "it changes data: b (m1)"),
        (of(Effect("unknown", "a"), Effect("takes_away", "b")), "snapshot", "it takes something away: b (m1)"),
        (
            of(Effect("changes_data", "a"), Effect("unknown", "b")),
            "snapshot",
            "is not known, so it counts as taking away: b (m1)",
        ),
        (of(*[Effect("takes_away", "x")] * 5), "snapshot", "x (m2); and 2 more"),
    ],
)
def test_the_way_back_is_the_code_alone_only_where_all_is_additive(coming, way, why):
    found = way_back(coming)
    assert found.way == way
    assert why in found.why
    assert [falls_short(found, required) for required in WAYS] == [way == "snapshot", False]


def test_conditions_and_who_waits_are_told_once():
    found = way_back(of(*[Effect("additive", "a", beware="if", locks="who")] * 2))
    assert (found.beware, found.locks) == (("if",), ("who",))
