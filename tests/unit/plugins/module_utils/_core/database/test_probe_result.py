# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_result import (
    created,
    describe_probe,
    unfit_migrations,
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
