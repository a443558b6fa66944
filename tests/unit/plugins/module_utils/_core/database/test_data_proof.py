# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import (
    Counterpart,
    Expected,
    all_the_same,
    prove,
    refuse,
    seen_before,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import RuleSeen
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
    DatabaseContents,
    DatabaseLogin,
)
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
TARGET = DatabaseLogin("db.rds", 5432, "spymeo", "spymeo", "public", password="hunter2")
FIRST = (Migration("1_init", AT), Migration("2_payments", AT))
ROWS = (("Payment", 1000), ("Practitioner", 3000), ("_prisma_migrations", 2))


def seen(rows=ROWS, migrations=FIRST, rules=()):
    return DatabaseContents("16.4", migrations, rows, rules)


def red(expected, observation):
    return [(item.subject, item.what) for item in prove(expected, observation) if item.verdict == "failed"]


@pytest.mark.parametrize(
    ("expected", "observation", "what"),
    [
        (Expected(), seen(rows=()), ("tables", "there is not one")),
        (Expected(rows={"Payment": 1000}), seen(rows=ROWS[1:]), ("Payment", "release point had it")),
        (
            Expected(failed={"Payment": Counterpart(1000, 0)}),
            seen(rows=ROWS[1:]),
            ("Payment", "failed database has it"),
        ),
        (
            Expected(rows={"Payment": 1000}),
            seen(rows=(("Payment", 0),)),
            ("Payment", "it has 0 rows, and had 1000 before"),
        ),
        (Expected(rows={"Payment": 1}), seen(rows=(("Payment", 0),)), ("Payment", "it has 0 rows, and had 1 before")),
        (Expected(rows={"Payment": 1000}), seen(rows=(("Payment", 499),)), ("Payment", "it has 499 rows")),
        (
            Expected(failed={"Payment": Counterpart(1200, 200)}),
            seen(rows=(("Payment", 3),)),
            ("Payment", "1000 rows of the failed database are older"),
        ),
        (Expected(("1_init",)), seen(), ("migrations", "2_payments is applied and was not expected")),
        (Expected(("1_init", "2_payments", "3_x")), seen(), ("migrations", "3_x is not applied")),
        (Expected(("1_init",)), seen(migrations=None), ("migrations", "prisma_contract.ledger) is not there")),
        (Expected(), seen(migrations=(Migration("1", AT, finished=False),)), ("migrations", "P3009")),
        (
            Expected(),
            seen(rules=(RuleSeen("Payment", "corrupted", "12 rows of Payment"),)),
            ("rule of Payment", "12 rows"),
        ),
        (Expected(), seen(rules=(RuleSeen("Payment", "lost", "Payment has 1 row"),)), ("rule of Payment", "1 row")),
    ],
)
def test_what_is_not_as_it_was_is_red_and_refused(expected, observation, what):
    ((subject, said),) = red(expected, observation)
    assert subject == what[0]
    assert what[1] in said
    with pytest.raises(RollbackError) as refused:
        refuse(prove(expected, observation), TARGET)
    assert said in refused.value.evidence[0]
    assert "rollback_despite_data" in refused.value.message
    refuse(prove(expected, observation, despite=["True"]), TARGET)
    name = subject.removeprefix("rule of ")
    assert "-e rollback_despite_data=%s." % name in refused.value.message
    refuse(prove(expected, observation, despite=[name]), TARGET)
    with pytest.raises(RollbackError):
        refuse(prove(expected, observation, despite=["another"]), TARGET)


def test_what_is_right_all_the_same_is_named_one_by_one():
    expected = Expected(failed={"payment backup": Counterpart(1, 1), "copy": Counterpart(1, 1)}, rows={"Payment": 1000})
    observation = seen(rows=(("Payment", 3),))
    found = prove(expected, observation, despite=["copy"])
    assert {item.subject: item.verdict for item in found if item.subject != "migrations"} == {
        "copy": "noted",
        "payment backup": "failed",
        "Payment": "failed",
    }
    assert all_the_same(found) == (
        """Where that is right all the same: -e '{"rollback_despite_data": ["payment backup", "Payment"]}'."""
    )


@pytest.mark.parametrize(
    ("expected", "observation"),
    [
        (Expected(), seen()),
        (Expected(rows={"Payment": 1000, "Practitioner": 3001}), seen()),
        (Expected(failed={"Payment": Counterpart(1200, 250), "Practitioner": Counterpart(0, 0)}), seen()),
        (Expected(failed={"New": Counterpart(9, 9)}, later=True), seen()),
        (Expected(failed={"Payment": Counterpart(9, None)}), seen(rows=(("Payment", 0),))),
        (Expected(("1_init", "2_payments")), seen()),
        (Expected(), seen(rules=(RuleSeen("Payment", "unknown", "could not be asked"),))),
        (Expected(rows={"Payment": 1000}), seen(rows=(("Payment", None),))),
    ],
)
def test_what_may_be_is_not_refused(expected, observation):
    assert red(expected, observation) == []


def test_what_nothing_tells_is_said():
    told = {
        item.subject: item.verdict
        for item in prove(Expected(failed={"Payment": Counterpart(9, None)}), seen(rows=(("Payment", 0),)))
    }
    assert told["Payment"] == "noted"
    told = {
        item.subject: item.verdict
        for item in prove(Expected(failed={"Payment": Counterpart(100_000, None)}), seen(rows=(("Payment", 3),)))
    }
    assert told["Payment"] == "noted"
    assert {item.subject: item.verdict for item in prove(Expected(), seen())}["tables and rows"] == "inconclusive"
    told = {item.subject: item.verdict for item in prove(Expected(), seen(rows=(("Payment", None),)))}
    assert told["Payment"] == "inconclusive"


@given(
    st.dictionaries(st.text(min_size=1), st.none() | st.integers(0, 10**9)),
    st.none() | st.lists(st.text(), max_size=3),
    st.booleans(),
)
def test_what_is_expected_survives_the_way_from_one_module_to_another(rows, names, later):
    failed = {table: Counterpart(count, count) for table, count in rows.items()}
    expected = Expected(None if names is None else tuple(names), rows, failed, later)
    assert Expected.from_json(expected.to_json()) == expected


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**9), min_size=1))
def test_a_later_look_at_what_was_proven_is_green_as_long_as_nothing_happens(rows):
    observation = seen(rows=tuple(rows.items()))
    assert red(seen_before(Expected(), observation), observation) == []


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**9), min_size=1), st.data())
def test_an_emptied_or_missing_table_is_never_green(rows, data):
    table = data.draw(st.sampled_from(sorted(rows)))
    emptied = tuple((name, 0 if name == table else count) for name, count in rows.items())
    without = tuple((name, count) for name, count in rows.items() if name != table)
    assert red(Expected(rows=rows), seen(rows=emptied))
    assert red(Expected(rows=rows), seen(rows=without))
