# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.http import Answer, Expect, NoAnswer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.expect import (
    MASK,
    QUOTED,
    answer_verdict,
    look_up,
    mask,
)
from hypothesis import given
from hypothesis import strategies as st

OK = Answer(200, '{"status": "ok", "n": 1, "list": [{"id": "x"}], "nothing": null}', 0.2)


@pytest.mark.parametrize(
    "expect",
    [
        Expect(),
        Expect(status=(201, 200)),
        Expect(json={"status": "ok", "list.0.id": "x", "nothing": None, "list.0": {"id": "x"}}),
        Expect(text='"status": "ok"'),
        Expect(max_seconds=0.2),
    ],
)
def test_passes_when_the_answer_is_the_expected_one(expect):
    assert answer_verdict(expect, {}, OK)[0] == "passed"


@pytest.mark.parametrize(
    ("expect", "capture", "answer", "words"),
    [
        (Expect(), {}, Answer(500, "boom", 0.1), "status 500 instead of 200; the body is: boom"),
        (Expect(status=(200, 204)), {}, Answer(302, "", 0.1), "status 302 instead of 200 or 204; the body is: empty"),
        (Expect(json={"status": "ok"}), {}, Answer(200, "<html>", 0.1), "the body is not JSON"),
        (Expect(json={"status": "down"}), {}, OK, 'status is "ok" instead of "down"'),
        (Expect(json={"n": True}), {}, OK, "n is 1 instead of true"),
        (Expect(json={"n": "1"}), {}, OK, 'n is 1 instead of "1"'),
        (Expect(json={"list.1": 1}), {}, OK, "the JSON has no list.1"),
        (Expect(json={"status.0": 1}), {}, OK, "the JSON has no status.0"),
        (Expect(), {"id": "user.id"}, OK, "the JSON has no user.id to capture"),
        (Expect(text="welcome"), {}, OK, "the body does not contain 'welcome'"),
        (Expect(max_seconds=0.1), {}, OK, "it took 0.2 s, more than 0.1 s"),
    ],
)
def test_fails_and_says_why_when_the_answer_is_another(expect, capture, answer, words):
    verdict, reason, captured = answer_verdict(expect, capture, answer)
    assert (verdict, captured) == ("failed", {})
    assert words in reason


HTML = (("Content-Type", "text/html; charset=utf-8"),)
LOGIN = "<form action=/login><input name=email><input type='PassWord' name=password></form>"


@pytest.mark.parametrize(
    "page",
    [
        LOGIN,
        "<title>Sign in · SPYMEO</title><input name=email>",
        "<title>Se connecter</title>",
        "<title>Connexion à SPYMEO</title>",
        "<title>Log in</title><div id=root></div>",
        "<head><TITLE\n>Login</TITLE>",
    ],
)
def test_a_page_to_log_in_at_is_not_what_was_asked_for(page):
    verdict, reason, _captured = answer_verdict(Expect(), {}, Answer(200, page, 0.1, HTML))
    assert verdict == "failed"
    assert "the body is a page to log in at (if that is right: expect: {login_page: true})" in reason
    assert (
        answer_verdict(Expect(max_seconds=2), {}, Answer(200, "\n " + page, 0.1))[0] == "failed"
    )  # without a Content-Type, too


@pytest.mark.parametrize(
    ("expect", "page", "headers"),
    [
        (Expect(login_page=True), LOGIN, HTML),
        (Expect(text="form"), LOGIN, HTML),
        (Expect(status=(401,)), LOGIN, HTML),
        (Expect(), LOGIN, (("content-type", "application/json"),)),
        (Expect(), "<title>Dashboard</title><a href=/login>Log in as somebody else</a>", HTML),
        (Expect(), "<title>Log in</title>" + LOGIN + "<input type=password>", HTML),  # a password is changed
        (Expect(), "<input type=password autocomplete=new-password>", HTML),
        (Expect(), "<!-- %s --><script>%s</script>" % (LOGIN, LOGIN), HTML),
        (Expect(), "<title>Blog in May</title>", HTML),
        (Expect(), "ok", ()),
        (Expect(), "", HTML),
    ],
)
def test_what_says_what_it_wants_or_is_another_page_passes(expect, page, headers):
    answer = Answer(401 if expect.status == (401,) else 200, page, 0.1, headers)
    assert answer_verdict(expect, {}, answer)[0] == "passed"


@pytest.mark.parametrize(("by_application", "verdict"), [(True, "failed"), (False, "inconclusive")])
def test_no_answer_is_never_passed(by_application, verdict):
    assert answer_verdict(Expect(), {}, NoAnswer(by_application, "why")) == (verdict, "why", {})


def test_captures_with_the_type_of_the_answer():
    assert answer_verdict(Expect(), {"id": "list.0.id", "number": "n"}, OK)[2] == {"id": "x", "number": 1}


def test_what_can_be_captured_is_captured_also_from_an_answer_that_fails():
    late = answer_verdict(Expect(status=(201,), max_seconds=0.1), {"number": "n", "no": "nothing.there"}, OK)
    assert (late[0], late[2]) == ("failed", {"number": 1})


def test_a_body_is_quoted_without_what_looks_like_a_secret():
    reason = answer_verdict(Expect(), {}, Answer(500, '{"accessToken": "abc123", "error": "no"}', 0.1))[1]
    assert "abc123" not in reason
    assert '"error": "no"' in reason


def test_a_null_is_found_and_not_missing():
    assert look_up({"a": None}, "a") == [None]
    assert look_up({"a": None}, "a.b") == []


ENCODINGS = [
    str,
    lambda value: quote(value, safe=""),
    quote_plus,
    html.escape,
    json.dumps,
    lambda value: json.dumps(value, ensure_ascii=False),
    lambda value: json.dumps({"said": json.dumps({"password": value})}),
]


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.sampled_from(ENCODINGS), st.integers(0, QUOTED))
def test_no_secret_shows_however_it_is_encoded_and_wherever_the_text_is_cut(text, encode, before):
    secret, padding = "Zq9" + text, "." * before
    masked = encode("AAAA").replace("AAAA", MASK)
    assert mask(padding + encode(secret), [secret]) == mask(padding + masked, [])


def test_quotes_one_line_of_what_a_person_reads():
    assert mask("a\n  b " + "x" * 500, []) == ("a b " + "x" * 500)[:QUOTED] + "…"
