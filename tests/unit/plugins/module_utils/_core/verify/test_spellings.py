# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No spelling of a secret shows, whichever library has written it."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.expect import MASK, mask, without
from hypothesis import given
from hypothesis import strategies as st

SECRET = "it's/a+b&Qz9=kV7x"


def lower(encoded):
    return re.sub(r"%[\dA-F]{2}|\\u[\dA-F]{4}", lambda found: found[0].lower(), encoded)


def in_dotnet(value):
    return "".join(
        char if char.isalnum() and char.isascii() else char * 2 if char == "\\" else in_utf_16(char) for char in value
    )


def in_utf_16(char):
    units = char.encode("utf-16-be").hex().upper()
    return "".join("\\u" + units[start : start + 4] for start in range(0, len(units), 4))


ENCODINGS = {
    "itself": str,
    "PHP's JSON": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON of .NET": in_dotnet,
    "the same in small letters": lambda value: lower(in_dotnet(value)),
    "Go's JSON": lambda value: (
        json.dumps(value, ensure_ascii=False)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c")
    ),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value))[3:-3],
    "PHP's JSON in JSON": lambda value: json.dumps(json.dumps(value)[1:-1].replace("/", "\\/"))[1:-1],
    "HTML of Python": html.escape,
    "HTML of Go, Jinja and Rails": lambda value: html.escape(value).replace("&#x27;", "&#39;").replace("+", "&#43;"),
    "HTML of PHP": lambda value: html.escape(value).replace("&#x27;", "&#039;"),
    "HTML in HTML": lambda value: html.escape(html.escape(value)),
    "HTML in JSON": lambda value: json.dumps(html.escape(value))[1:-1],
    "JSON in HTML": lambda value: html.escape(json.dumps(value)[1:-1]),
    "a URL": lambda value: quote(value, safe=""),
    "a URL in small letters": lambda value: lower(quote(value, safe="")),
    "a path": quote,
    "a form": quote_plus,
    "encodeURIComponent": lambda value: quote(value, safe="!'()*"),
    "encodeURI": lambda value: quote(value, safe="!'()*;,/?:@&=+$#"),
    "a URL in a URL": lambda value: quote(quote(value, safe=""), safe=""),
    "a form in a URL in small letters": lambda value: lower(quote(lower(quote(value, safe="")), safe="")),
}
LONG_ENOUGH = {
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "URL-safe base64": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "URL-safe base64 without padding": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 in a URL": lambda value: quote(base64.b64encode(value.encode()).decode(), safe=""),
    "base64 in JSON": lambda value: (
        base64.b64encode(value.encode()).decode().replace("/", "\\/").replace("+", "\\u002B")
    ),
}
EVERY = {**ENCODINGS, **LONG_ENOUGH}


@pytest.mark.parametrize("name", EVERY)
def test_a_secret_does_not_show(name):
    assert without("got [%s] bad" % EVERY[name](SECRET), [SECRET]) == "got [%s] bad" % MASK


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.sampled_from(sorted(EVERY)))
def test_no_secret_shows_however_it_is_encoded(text, name):
    secret = "Zq9" + text + "kV7"
    assert without("[%s]" % EVERY[name](secret), [secret]) == "[%s]" % MASK


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).flatmap(
        lambda text: st.tuples(
            st.just(text), st.lists(st.sampled_from(sorted(ENCODINGS)), min_size=len(text), max_size=len(text))
        )
    )
)
def test_each_character_may_be_written_in_a_way_of_its_own(case):
    text, names = case
    written = "Zq9" + "".join(ENCODINGS[name](char) for name, char in zip(names, text, strict=True)) + "kV7"
    assert without(written, ["Zq9" + text + "kV7"]) == MASK


@given(st.text(max_size=200))
def test_what_is_no_secret_stays(text):
    assert "Zq9" in text or without(text, ["Zq9/kV7"]) == text


def test_the_longer_of_two_secrets_is_masked_whole():
    assert mask("a=Zq9/kV7x b=Zq9 c", ["Zq9", "Zq9/kV7x", ""]) == f"a={MASK} b={MASK} c"


def test_base64_of_what_is_short_is_a_word_of_anybody():
    assert without("YWI is a word", ["ab"]) == "YWI is a word"


@pytest.mark.parametrize("character", ["\\", "&", "%", '"', "'", " ", "+", "é", "&amp;", "%25", '\\"'])
def test_it_is_quick_where_a_text_almost_holds_a_secret(character):
    secret, began = character * 40 + "x", time.monotonic()
    for name in ENCODINGS:
        text = ENCODINGS[name](character * 300)
        assert without(text + " y", [secret]) == text + " y"
        assert without(ENCODINGS[name](secret), [secret]).endswith(MASK)
    assert time.monotonic() - began < 10


def test_a_value_in_hexadecimal_is_masked():
    assert without(f"x{SECRET.encode().hex()}y {SECRET.encode().hex().upper()}", [SECRET]) == f"x{MASK}y {MASK}"
