# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from string import printable
from urllib.parse import quote, unquote

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import (
    DatabaseUrl,
    read_url,
    replace_url,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from hypothesis import assume, example, given
from hypothesis import strategies as st

OLD, NEW = (
    "spymeo-production-db.abc.eu-west-3.rds.amazonaws.com",
    "spymeo-production-db-rb-1.abc.eu-west-3.rds.amazonaws.com",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
HOSTS = st.sampled_from([OLD, "db", "10.0.0.7", "::1", "2001:db8::7", "db_1.internal"])
OPTIONS = st.sampled_from(
    [
        "",
        "?schema=public",
        "?schema=public&connection_limit=5&pool_timeout=0&sslmode=require",
        "?application_name=me%40x",
        "?a=%2F#f",
    ]
)


def written(host):
    return f"[{host}]" if ":" in host else host


@given(TEXT, TEXT, HOSTS, st.none() | st.integers(1, 65535), TEXT, OPTIONS, HOSTS, st.integers(1, 65535))
@example("u", printable, OLD, 5432, "app", "?schema=public", NEW, 5433)
def test_replaces_host_and_port_and_keeps_every_other_byte(
    user, password, host, port, database, options, new_host, new_port
):
    before = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@"
    after = f"/{quote(database, safe='')}{options}"
    url = DatabaseUrl.parse(before + written(host) + (f":{port}" if port else "") + after)
    assert (url.host, url.port, url.user, url.password, url.database) == (host, port or 5432, user, password, database)
    moved = url.at(new_host, new_port)
    shown = f":{new_port}" if port or new_port != 5432 else ""
    assert moved.text == before + written(new_host) + shown + after
    assert DatabaseUrl.parse(moved.text) == moved
    assert url.at(None, None).text == url.text


@given(st.text(st.sampled_from("@/?#:&=,[]%a1 "), min_size=1, max_size=12))
def test_a_password_that_is_not_percent_encoded_is_kept_or_refused_but_never_takes_the_place_of_the_host(password):
    text = f"postgresql://app:{password}@old:5432/spymeo?schema=public"
    try:
        moved = DatabaseUrl.parse(text).at("new", 5433).text
    except RollbackError:
        moved = None
    assert moved in (None, f"postgresql://app:{password}@new:5433/spymeo?schema=public")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mysql://u:pw@h/db", "does not begin with postgresql"),
        ("prisma://accelerate.prisma-data.net/?api_key=pw", "does not begin with postgresql"),
        ("postgresql://u:pw@h1:5432,h2:5432/db", "several hosts"),
        ("postgresql://u:pw@h1,h2/db", "several hosts"),
        ("postgresql://u:pw@/db?host=/run/postgresql", "in an option"),
        ("postgresql://u:pw@h/db?schema=a&port=1", "in an option"),
        ("postgresql://u:pw@/db", "no host and port"),
        ("postgresql://u:pw@h:99999/db", "no host and port"),
        ("postgresql://u:pw@h:0/db", "no host and port"),
        ("postgresql://u:pw@%2Frun%2Fpostgresql/db", "no host and port"),
        ("postgresql://u:pw@ho st/db", "no host and port"),
        ("postgresql://u:p@w/x@h:5432/db", "not percent-encoded"),
        ("postgresql://u:12/pw@h:5432/db", "not percent-encoded"),
        ("postgresql://u:12#pw@h:5432/db", "not percent-encoded"),
        ("postgresql://u:p@w?x@h:5432/db", "not percent-encoded"),
        ("postgresql://u:p@w/x?y=pw@h:5432/db", "not percent-encoded"),
    ],
)
def test_refuses_what_it_cannot_read_with_certainty_and_shows_no_part_of_it(text, words):
    with pytest.raises(RollbackError, match=words) as refused:
        DatabaseUrl.parse(text)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "port"),
    [("h/x", 1), ("a,b", 1), ("u@h", 1), ("h:5432", 1), ("-h", 1), ("h", 65536), ("h", -1), ("h?x=1", 1)],
)
def test_refuses_a_new_address_that_is_none(host, port):
    with pytest.raises(RollbackError, match=r"The option (host|port) is"):
        DatabaseUrl.parse("postgresql://u@old/db").at(host, port)


def test_the_url_and_its_password_show_in_no_repr():
    assert "hunter2" not in repr(DatabaseUrl.parse("postgresql://u:hunter2@h:1/db?sslpassword=hunter2"))


def test_options_are_decoded_in_their_order():
    url = DatabaseUrl.parse("postgresql://u@h/db?schema=a%20b&sslmode=require&x=#frag")
    assert url.options == (("schema", "a b"), ("sslmode", "require"), ("x", ""))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


@given(
    st.dictionaries(TEXT, JSON, max_size=4),
    TEXT,
    st.sampled_from([None, 2]),
    st.booleans(),
    st.sampled_from(["", " ", "\n\t"]),
)
def test_every_other_byte_of_a_json_secret_stays(others, url, indent, ascii_only, space):
    assume("DATABASE_URL" not in others)

    def text(value):
        return (
            space
            + json.dumps({**others, "DATABASE_URL": value, "z": [1.50]}, indent=indent, ensure_ascii=ascii_only)
            + space
        )

    assert read_url(text(url), "DATABASE_URL") == url
    marker = "f6b0c8a2"
    replaced = replace_url(text(url), "DATABASE_URL", marker)
    assert replaced == text(marker)


def test_numbers_that_python_writes_otherwise_stay_as_they_are():
    text = '{"pi": 3.1400, "big": 1e3, "DATABASE_URL": "old", "escaped": "\\u00e9\\/"}'
    assert replace_url(text, "DATABASE_URL", "new") == text.replace('"old"', '"new"')


def test_of_a_key_given_twice_the_last_counts_as_for_the_application():
    assert replace_url('{"k":"a","k":"b"}', "k", "c") == '{"k":"a","k":"c"}'


@pytest.mark.parametrize("text", ["postgresql://u:p@h/db", "", "[1]", '"text"', "12"])
def test_a_secret_that_is_no_json_object_is_the_url_itself(text):
    assert read_url(text, "DATABASE_URL") == text
    assert replace_url(text, "DATABASE_URL", "new") == "new"


def test_a_missing_key_is_told_with_the_keys_there_are_and_no_value():
    with pytest.raises(RollbackError, match="without the key DATABASE_URL; its keys are: URL, other") as refused:
        read_url('{"URL": "hidden", "other": 1}', "DATABASE_URL")
    assert "hidden" not in str(refused.value)


def test_a_value_that_is_no_text_is_refused():
    with pytest.raises(RollbackError, match="is not text"):
        read_url('{"DATABASE_URL": {"host": "h"}}', "DATABASE_URL")


def test_decoding_is_what_a_client_does():
    assert DatabaseUrl.parse("postgres://a%40b:c%2Fd@h/e%20f").password == unquote("c%2Fd")
