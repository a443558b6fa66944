# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import html
import time

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.capture import take
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.login_page import asks_to_log_in
from hypothesis import given
from hypothesis import strategies as st

PAGE = """
<!doctype html><html><head>
<meta name="csrf-token" content="a&amp;b/c=="><meta charset="utf-8">
<!-- <input name="_csrf" value="commented out"> -->
<script>const field = '<input name="_csrf" value="in a script">'</script>
</head><body><form><input type="hidden" name="_csrf" value="first"/><INPUT NAME='_csrf' VALUE='second'>
<input name="empty" value=""><input name="none"><p name="p" value="x"></form></body>
"""
HEADERS = (("Location", "/admin"), ("X-CSRF-Token", "from-header"))
WHOLE = Answer(200, PAGE, 0.1, HEADERS, (("XSRF-TOKEN", "from-cookie"),))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ({"html": "csrf-token"}, "a&b/c=="),
        ({"html": "_csrf"}, "first"),
        ({"html": "empty"}, ""),
        ({"header": "x-csrf-token"}, "from-header"),
        ({"header": "Location"}, "/admin"),
        ({"cookie": "XSRF-TOKEN"}, "from-cookie"),
    ],
)
def test_takes_tokens_out_of_fields_headers_and_cookies(where, value):
    assert take({"token": where}, WHOLE) == ({"token": value}, [])


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ({"html": "none"}, "the HTML has no <input> or <meta> named none to capture"),
        ({"html": "p"}, "the HTML has no <input> or <meta> named p to capture"),
        ({"header": "ETag"}, "there is no header ETag to capture"),
        ({"cookie": "xsrf-token"}, "no cookie xsrf-token was set to capture"),
        ("user.id", "the JSON has no user.id to capture"),
        ({"json": "user.id"}, "the JSON has no user.id to capture"),
    ],
)
def test_says_what_is_not_there(where, complaint):
    assert take({"token": where}, WHOLE) == ({}, [complaint])


def test_what_is_there_is_taken_although_something_else_is_not():
    answer = Answer(200, '{"user": {"id": 7}}', 0.1)
    assert take({"id": {"json": "user.id"}, "etag": {"header": "ETag"}}, answer)[0] == {"id": 7}


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=40))
def test_a_value_comes_out_of_html_as_it_was_put_in(value):
    page = f'<form><input name="t" value="{html.escape(value)}"></form>'
    assert take({"t": {"html": "t"}}, Answer(200, page, 0.1))[0] == {"t": value}


@pytest.mark.parametrize(
    ("page", "value"),
    [
        ("<input name=t value=v>", "v"),
        ("<input\tname = 't'\n value = \"a>b\" / >", "a>b"),
        ("<input value=v name=t", None),
        ('<input name="t" value="v', None),
        ("<!--> <input name=t value=v>", "v"),
        ("<!-- x <input name=t value=v>", None),
        ("<SCRIPT>a</scripty> <input name=t value=w></SCRIPT ><input name=t value=v>", "v"),
        ("<script> <input name=t value=v>", None),
        ("<textarea><input name=t value=w></textarea><input name=t value=v>", "v"),
        ("a < b <input name=t value=v>", "v"),
        ("</input name=t value=w><input name=t value=v>", "v"),
        ("<inputs name=t value=w><input name=t value=v>", "v"),
        ("<input name=t name=u value=v value=w>", "v"),
        ("<input =a name=t value==v>", "=v"),
        ("<input name=t value=&#%s;>" % ("9" * 5000), "&#%s;" % ("9" * 5000)),
    ],
)
def test_tags_are_read_as_browsers_read_them(page, value):
    assert take({"t": {"html": "t"}}, Answer(200, page, 0.1))[0] == ({} if value is None else {"t": value})


@pytest.mark.parametrize(
    "part",
    ["<a", "<a ", "<a =", "=/", "<!--", "<!", "<script>", "</script", "<a x='", '<a x="', "<a x=y", " ", "x ", "x=", "/", "&#", "<input ",
     "<title>", "</title>", "<input type=password>", "&amp", "<div>"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "<input ", "<script>", "<input a='"])
def test_no_page_takes_long(before, part):
    page = before + part * (500_000 // len(part))
    began = time.process_time()
    take({"t": {"html": "t"}}, Answer(200, page, 0.1))
    asks_to_log_in(page)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"a":' * 200_000, '[{"a":' * 100_000 + "1" + "}]" * 100_000, '{"a":%s}' % ("9" * 900_000), '"%s"' % ("\\u0041" * 150_000),
     "[%s{}]" % ("{}," * 300_000)],
    ids=["lists", "objects", "both, closed", "a number", "escapes", "many"],
)  # fmt: skip
def test_json_that_nobody_can_read_is_no_json(text):
    began = time.process_time()
    assert take({"id": "a.b"}, Answer(200, text, 0.1)) == ({}, ["the JSON has no a.b to capture"])
    assert time.process_time() - began < 2
