# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, DatabaseRefused
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import (
    DataRule,
    read_rules,
    rule_seen,
)


class Tables:
    """A table Practitioner with columns, ``rows`` rows, and ``broken`` ones."""

    def __init__(self, rows=3000, broken=0, refused=None):
        self._rows, self._broken, self._refused = rows, broken, refused

    def columns(self, table):
        return {"id", "fullName", "city"} if table == "Practitioner" else set()

    def count(self, table, condition, most):
        if self._refused:
            raise self._refused
        return min(most, self._rows if condition == "true" else self._broken)


def ask(tables, **members):
    (rule,) = read_rules({"Practitioner": members})
    seen = rule_seen(tables, rule)
    return seen.verdict, seen.words


def test_a_rule_may_say_all_or_nothing():
    assert read_rules(None) == ()
    told = {"columns": ["city"], "corrupted_when": "\"city\" = ''", "at_most": 3, "at_least": 10}
    assert read_rules({"Practitioner": told}) == (DataRule("Practitioner", ("city",), "\"city\" = ''", 3, 10),)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"corupted_when": "x"}, "corupted_when of table Practitioner is not known"),
        ({"corrupted_when": ""}, "corrupted_when of table Practitioner is not an SQL condition"),
        ({"at_least": 0}, "at_least of table Practitioner is not a number of rows above 0"),
        ({"at_most": True}, "at_most of table Practitioner is not a number of rows above 0"),
        ({"columns": "city"}, "columns of table Practitioner is not a list of columns"),
        ("city = ''", "the rule of table Practitioner is not known"),
    ],
)
def test_a_mistake_is_told(told, words):
    with pytest.raises(BadInput) as error:
        read_rules({"Practitioner": told})
    assert words in error.value.message


def test_whole_where_everything_holds():
    assert ask(Tables(), columns=["city"], corrupted_when="x", at_least=3000)[0] == "whole"
    assert ask(Tables(broken=3), corrupted_when="x", at_most=3)[0] == "whole"


def test_rows_that_fulfil_the_condition_are_corrupted():
    assert ask(Tables(broken=4), corrupted_when="x", at_most=3) == ("corrupted", "4 rows of Practitioner where x")
    assert ask(Tables(broken=3000), corrupted_when="x") == ("corrupted", "1000 rows or more of Practitioner where x")


def test_fewer_rows_are_lost():
    assert ask(Tables(rows=12), at_least=1000) == ("lost", "Practitioner has 12 rows, and had at least 1000")


def test_another_schema_is_told_however_it_shows():
    assert ask(Tables(), columns=["city", "zip"]) == ("schema", "Practitioner has no column zip")
    (rule,) = read_rules({"Payment": {"at_least": 1}})
    assert rule_seen(Tables(), rule).words == "there is no table Payment"
    refused = DatabaseRefused("42703", 'column "town" does not exist\nLINE 1: …')
    assert ask(Tables(refused=refused), corrupted_when="town = ''") == (
        "schema",
        'Practitioner: column "town" does not exist',
    )


def test_what_cannot_be_asked_is_unknown():
    verdict, words = ask(
        Tables(refused=DatabaseRefused("57014", "canceling statement due to statement timeout")), corrupted_when="x"
    )
    assert verdict == "unknown"
    assert "statement timeout" in words


class Slow(Tables):
    """Of which no more than ``enough`` rows that fulfil a condition can be found in time."""

    def __init__(self, enough, **rows):
        super().__init__(**rows)
        self._enough = enough

    def count(self, table, condition, most):
        if condition != "true" and most > self._enough:
            raise DatabaseRefused("57014", "canceling statement due to statement timeout")
        return super().count(table, condition, most)


def test_the_first_row_too_many_is_enough_to_know():
    assert ask(Slow(1, broken=7), corrupted_when="x") == ("corrupted", "1 row or more of Practitioner where x")
    assert ask(Slow(3, broken=7), corrupted_when="x", at_most=2) == (
        "corrupted",
        "3 rows or more of Practitioner where x",
    )
    assert ask(Slow(2, broken=7), corrupted_when="x", at_most=2)[0] == "unknown"


def test_what_could_be_asked_counts_where_something_else_could_not():
    assert ask(Slow(0, rows=12), corrupted_when="x", at_least=1000)[0] == "lost"
    assert ask(Slow(0, rows=1200), corrupted_when="x", at_least=1000)[0] == "unknown"
