# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_result import (
    created,
    describe_probe,
    judged_migrations,
    refuse_migrations,
    unfit_migrations,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ClassifiedMigration,
    Effect,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
    DatabaseContents,
    DatabaseLogin,
)

PLACE = DatabaseLogin("db.rds", 5432, "spymeo", "spymeo", "public")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no table tells when a row was created"),
        ([("Payment", 0)], "no row was created since then"),
        ([("Payment", 3), ("Log", 0)], "3 rows of Payment were created since then"),
        ([("A", 1), ("B", 2)], "1 row of A and 2 rows of B were created since then"),
        ([("A", None)], "no row was created since then; A took too long to be counted"),
    ],
)
def test_what_would_be_lost_is_told_in_numbers(rows, words):
    assert created(rows) == words


def test_a_table_that_was_not_counted_is_named_and_the_others_are_summed():
    seen = DatabaseContents("18.1", None, (("A", 4), ("B", None)))
    words = "db.rds, port 5432, database spymeo, user spymeo answers with 2 tables in schema public, 4 rows and "
    words += "no record of Prisma's (neither _prisma_migrations nor prisma_contract.ledger)"
    assert describe_probe(PLACE, seen, []) == words + "; B took too long to be counted"
    assert describe_probe(PLACE, DatabaseContents("18.1", (), (("A", 4),)), ["A"]).endswith(
        "0 migrations; read whole: A"
    )


DROPS, ADDS = Migration("2_drop_name", True, False), Migration("3_add_name", True, False)


@pytest.mark.parametrize(
    ("known", "later", "unfit"),
    [
        (None, (), []),
        (None, (ADDS,), []),
        (None, (ADDS, DROPS), ["2_drop_name"]),
        (["2_drop_name", "3_add_name"], (), []),
        (["2_drop_name"], (), ["3_add_name"]),  # a list proves more than a name
        ([], (ADDS, DROPS), ["2_drop_name", "3_add_name"]),
    ],
)
def test_a_list_tells_what_a_release_does_not_know_and_without_one_a_name_tells_what_was_taken_away(
    known, later, unfit
):
    assert unfit_migrations(known, later, (DROPS, ADDS)) == unfit


def read(kind, name="2_drop_name", **effect):
    return replace(DROPS, name=name, classified=ClassifiedMigration(name, (Effect(kind, "it does so", **effect),)))


@pytest.mark.parametrize("known", [None, []])
def test_what_a_checkpoint_has_read_decides_and_no_name(known):
    for kind, unfit in (("additive", []), ("takes_away", ["2_drop_name"]), ("unknown", ["2_drop_name"])):
        migration = read(kind)
        judged = judged_migrations(known, (migration,), (migration,))
        assert judged["accepted_migrations"] == unfit
        assert [item["name"] for item in judged["additive_migrations"]] == ([] if unfit else ["2_drop_name"])
        assert judged["later_migrations"] == []
    adds = read("takes_away", "3_add_name")
    assert unfit_migrations(known, (adds,), (adds,)) == ["3_add_name"]


def test_data_that_were_changed_are_unknown_to_a_list_and_take_nothing_away():
    changed = read("changes_data", "3_fill")
    assert judged_migrations([], (), (changed,))["accepted_migrations"] == ["3_fill"]
    assert judged_migrations(None, (changed,), (changed,))["later_migrations"] == ["3_fill"]


def test_what_is_known_is_not_spoken_of_and_conditions_are():
    adds = read("additive", beware="as long as nobody looks")
    assert judged_migrations(["2_drop_name"], (), (adds,))["additive_migrations"] == []
    assert judged_migrations([], (), (adds,))["additive_migrations"] == [
        {"name": "2_drop_name", "beware": ["as long as nobody looks"]}
    ]


def test_a_refusal_names_what_was_taken_away():
    with pytest.raises(RollbackError, match=r"2_drop_name \(it does so\)"):
        refuse_migrations(PLACE, "it", ["2_drop_name"], (read("takes_away"),))
