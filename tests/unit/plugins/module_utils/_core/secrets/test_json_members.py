# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.json_members import (
    differing,
    exchange,
    keys,
    members,
)
from hypothesis import given
from hypothesis import strategies as st

OBJECTS = st.dictionaries(st.text(max_size=4), st.one_of(st.text(), st.floats(allow_nan=False), st.none()), max_size=5)
INDENTS = st.sampled_from([None, 0, 2, "\t"])


@pytest.mark.parametrize("text", ["postgresql://u@h/d", "[1]", '"text"', "3", "", "{"])
def test_what_is_no_json_object_has_no_members(text):
    assert members(text) is None


@pytest.mark.parametrize(
    ("text", "other", "wanted", "expected"),
    [
        ('{"a": 1.0,  "b":"x"}', '{"a": 2e3}', ["a"], '{"a": 2e3,  "b":"x"}'),
        ('{"a": "\\u00e9"}', '{"b": "\\u00e8"}', ["b"], '{"a": "\\u00e9", "b": "\\u00e8"}'),
        ("{ }", '{"b": [1, 2]}', ["b"], '{"b": [1, 2] }'),
        ('{"a": 1, "b": 2, "c": 3}', "{}", ["a"], '{"b": 2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "{}", ["b"], '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2 }', "{}", ["b"], '{"a": 1 }'),
        ('{ "a": 1 }', "{}", ["a"], "{  }"),
        ('{"a": 1, "b": 2, "a": 3}', "{}", ["a"], '{"b": 2}'),
        ('{"a": 1, "a": 3}', '{"a": 4}', ["a"], '{"a": 1, "a": 4}'),
        ('{"a": 1}', '{"b": 2}', [], '{"a": 1}'),
    ],
)
def test_exchanges_members_and_no_other_byte(text, other, wanted, expected):
    assert exchange(text, other, wanted) == expected


@given(OBJECTS, OBJECTS, st.data(), INDENTS, INDENTS)
def test_a_parser_sees_exactly_the_exchange_and_a_second_one_changes_nothing(one, other, data, left, right):
    text, source = json.dumps(one, indent=left), json.dumps(other, indent=right, ensure_ascii=False)
    wanted = data.draw(st.lists(st.sampled_from(sorted({*one, *other}) or [""]), unique=True))
    expected = {key: value for key, value in one.items() if key not in wanted}
    expected |= {key: other[key] for key in wanted if key in other}
    exchanged = exchange(text, source, wanted)
    assert json.loads(exchanged) == expected
    assert exchange(exchanged, source, wanted) == exchanged
    assert not set(wanted) & set(differing(exchanged, source))


def test_tells_which_keys_differ_and_shows_no_value():
    assert differing('{"a": 1, "b": 2, "c": 3}', '{"a": 1, "b": 4, "d": 5}') == ["b", "c", "d"]
    assert keys('{"a": 1, "b": 2, "a": 3}') == ["a", "b"]
    assert "hunter2" not in repr(members('{"a": "hunter2"}'))
