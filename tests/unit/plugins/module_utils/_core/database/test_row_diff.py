# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is compared, how rows are told apart, and how they are written down."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.row_diff import (
    as_csv,
    merge,
    plan,
    read_rules,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import (
    Column,
    NotCompared,
    Table,
    TableRule,
)
from hypothesis import given
from hypothesis import strategies as st

ID, NAME, CITY = Column("id", "text", True), Column("name", "text", True), Column("city", "text", False)
RESTORED = Table("Person", (NAME, ID, CITY), ("id",), ((("city",), "city <> ''"),))


def compared(failed=RESTORED, restored=RESTORED, rule=None):
    rules = {"Person": rule} if rule else {}
    (found,) = plan({"Person": failed}, {"Person": restored}, rules)
    return found


def test_the_key_comes_first_and_everything_that_both_have_is_compared():
    found = compared()
    assert found.columns == (("id", "id"), ("name", "name"), ("city", "city"))
    assert (found.key, found.left_out) == (("id",), ())
    assert found.broken == (("check", "city <> ''", "it violates CHECK (city <> '')"),)


def test_a_renamed_column_is_compared_under_its_old_name_once_a_rule_tells_it():
    renamed = replace(RESTORED, columns=(ID, replace(NAME, name="label"), CITY))
    assert compared(renamed).left_out == (
        "name: the failed table has no such column; a rule can tell its new name (renamed)",
        "label: the restored table has no such column",
    )
    found = compared(renamed, rule=TableRule({"name": "label"}))
    assert (found.columns, found.left_out) == ((("id", "id"), ("name", "label"), ("city", "city")), ())


LABEL = replace(RESTORED, columns=(ID, replace(NAME, name="label"), CITY))


@pytest.mark.parametrize(
    "rule",
    [
        TableRule({"name": "label"}),
        TableRule({"name": "label"}, corrupted_when="\"label\" = ''"),  # on a column that is not in what is asked now
        TableRule({"name": "label"}, ignored=("city", "dropped")),
    ],
)
def test_after_an_undo_a_rule_is_read_the_other_way_round(rule):
    """What was restored is out of service now, and the migrated database serves."""
    found = compared(failed=RESTORED, restored=LABEL, rule=rule)
    assert ("label", "name") in found.columns
    assert "read the other way round" in found.left_out[-1]
    assert not [item for item in found.broken if item[0] == "rule"]
    as_written = compared(failed=LABEL, restored=RESTORED, rule=replace(rule, ignored=()))
    assert not [text for text in as_written.left_out if "other way round" in text]


def test_a_rule_that_fits_neither_way_says_which_columns_there_are():
    with pytest.raises(
        BadInput, match=r"In service its columns are city, id, label; .* city, id, name\..*rollback_salvage_rules"
    ):
        compared(failed=RESTORED, restored=LABEL, rule=TableRule({"name": "nick"}))


@pytest.mark.parametrize(
    ("changed", "kind"),
    [(replace(NAME, not_null=False), "null"), (replace(NAME, type="integer"), "type"), (NAME, None)],
)
def test_what_the_restored_schema_would_not_take_is_broken(changed, kind):
    found = compared(replace(RESTORED, columns=(ID, changed, CITY)))
    assert [item[0] for item in found.broken if item[0] != "check"] == [kind] * (kind is not None)


def test_a_rule_may_leave_a_column_out_and_say_what_is_broken():
    found = compared(rule=TableRule(ignored=("city",), corrupted_when="city = 'Lyon'"))
    assert found.left_out == ("city: a rule says so",)
    assert ("rule", "city = 'Lyon'", "a rule says so") in found.broken


@pytest.mark.parametrize(
    ("failed", "restored", "why"),
    [
        ({}, {"Person": RESTORED}, "the failed database has no such table"),
        ({"Person": RESTORED}, {}, "the restored database has no such table"),
        ({"Person": RESTORED}, {"Person": replace(RESTORED, key=())}, "it has no primary key"),
        ({"Person": replace(RESTORED, columns=(NAME,))}, {"Person": RESTORED}, "lacks a column of its primary key"),
    ],
)
def test_what_cannot_be_compared_is_told(failed, restored, why):
    (found,) = plan(failed, restored, {})
    assert isinstance(found, NotCompared)
    assert why in found.why


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"Person": []}, "it is not a mapping"),
        ({"Person": {"rename": {}}}, "rename is not known"),
        ({"Person": {"ignored": "city"}}, "ignored is not known, or not of the right type"),
        ({"Persons": {}}, "no such table"),
        ({"Person": {"renamed": {"name": "label"}}}, "one of them is not there"),
        ({"Person": {"ignored": ["town"]}}, "ignored names town"),
    ],
)
def test_a_slip_of_the_pen_in_a_rule_is_refused(option, words):
    with pytest.raises(BadInput, match=words) as refused:
        plan({"Person": RESTORED}, {"Person": RESTORED}, read_rules(option))
    assert refused.value.option == "salvage_rules"


TEXTS = st.none() | st.text(alphabet='ab",\n', max_size=3)
ROWS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.tuples(TEXTS, st.sampled_from([None, "bad"]))
)


@given(ROWS, ROWS)
def test_a_merge_finds_what_two_dictionaries_would(failed, restored):
    ours = [((*key, value), why) for key, (value, why) in sorted(failed.items())]
    theirs = [(*key, value) for key, (value, _why) in sorted(restored.items())]
    expected = []
    for key in sorted(set(failed) | set(restored)):
        if key not in failed:
            expected.append(("missing", (*key, restored[key][0]), None))
            continue
        value, why = failed[key]
        if key not in restored:
            expected.append(("corrupted" if why else "new", (*key, value), why))
        elif value != restored[key][0]:
            expected.append(("corrupted" if why else "changed", (*key, value), why))
    assert list(merge(ours, theirs, 2)) == expected


@given(st.lists(st.text(alphabet='ab",\n '), min_size=1))
def test_a_line_is_read_again_as_it_was(values):
    assert next(csv.reader(io.StringIO(as_csv(values), newline=""))) == values


def test_null_is_not_an_empty_text():
    assert as_csv(["a", None, ""]) == '"a",,""\n'
