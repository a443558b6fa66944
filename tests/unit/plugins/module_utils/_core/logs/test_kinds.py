# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which errors are the same, and whether they have become more frequent."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import entries
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.kinds import (
    AS_BEFORE,
    DOUBTED,
    MANY,
    MOST_KINDS,
    NEW,
    Collection,
    compared,
    fingerprint,
    is_new,
    prisma_codes,
    telling,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event, Stream
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LETTERS = str.maketrans("0123456789", "abcdefghij")
STREAM = Stream("app", "/ecs/app", "ecs/web/t1", NOON)
PRISMA = """\
PrismaClientKnownRequestError: 
Invalid `prisma.practitioner.create()` invocation:


The column `fullName` does not exist in the current database.
    at $n.handleRequestError (/app/node_modules/@prisma/client/runtime/library.js:121:7315) {
  code: 'P2022',
  clientVersion: '6.16.2',
  meta: { column: 'fullName' }
}"""  # noqa: W291 - as Prisma writes it


def collected(*texts):
    collection = Collection()
    for number, text in enumerate(texts, 1):
        collection.add(STREAM, Event(f"e{number}", number, ""), text.splitlines())
    return collection.groups


def test_errors_that_differ_in_numbers_ids_and_quoted_texts_are_one_kind():
    groups = collected(
        "TypeError: user 12 of 'Ada' at 10.0.0.1:8080",
        "TypeError: user 7 of 'Bob' at 10.0.0.22:8081",
        "RangeError: user 7",
    )
    assert [(group.fingerprint, group.count, group.first) for group in groups] == [
        ("TypeError: user <n> of <text> at <n>:<n>", 2, 1),
        ("RangeError: user <n>", 1, 3),
    ]
    assert groups[0].example == "TypeError: user 12 of 'Ada' at 10.0.0.1:8080"


def test_prisma_errors_of_other_codes_and_columns_are_other_kinds():
    groups = collected(PRISMA, PRISMA, PRISMA.replace("fullName", "city"), PRISMA.replace("P2022", "P2021"))
    assert [group.count for group in groups] == [2, 1, 1]
    assert {group.codes for group in groups} == {("P2022",), ("P2021",)}


def test_json_records_are_one_kind_by_level_message_and_code():
    assert (
        fingerprint(['{"level":"error","time":1,"msg":"failed for 12","code":"P2022"}'])
        == "error: failed for <n>: P2022"
    )
    assert fingerprint(['{"level":50,"err":{"message":"no","code":"E1"}}']) == "<n>: E1: no"
    assert fingerprint(['["error", 1]']) == "[<text>, <n>]"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "TypeError: Cannot read properties of undefined (reading 'id')",
            "TypeError: Cannot read properties of undefined (reading 'total')",
        ),
        ("Error: Cannot find module 'lodash'", "Error: Cannot find module './dist/main'"),
        ('ERROR:  relation "sessions_old" does not exist', 'ERROR:  relation "users" does not exist'),
        (
            '{"level":"error","msg":"failed","error":"dial tcp: i/o timeout"}',
            '{"level":"error","msg":"failed","error":"column x does not exist"}',
        ),
        (
            '{"level":"error","msg":"x","stack":"TypeError: a\\n at f"}',
            '{"level":"error","msg":"x","stack":"RangeError: b\\n at g"}',
        ),
        (
            '{"@l":"Error","@mt":"unhandled","@x":"System.NullReferenceException: x"}',
            '{"@l":"Error","@mt":"unhandled","@x":"Npgsql.PostgresException: y"}',
        ),
        (
            'level=error msg="request failed" err="timeout"',
            'level=error msg="request failed" err="column x does not exist"',
        ),
        ("HTTP 500 from /pay", "HTTP 404 from /pay"),
        ("ERROR: 'fullName' is no column", "ERROR: 'city' is no column"),
        ("ERROR the 'city' field is gone", "ERROR the 'name' field is gone"),
        ('ERROR job "send-mail" failed', 'ERROR job "book-payment" failed'),
        ('ERROR request failed: "card declined"', 'ERROR request failed: "relation pay does not exist"'),
        (
            'E1122 03:00:01.123 1 pay.go:12] "Request failed" err="card declined"',
            'E1122 03:00:01.123 1 pay.go:12] "Request failed" err="column x does not exist"',
        ),
        ("ERROR: db error 42703", "ERROR: db error 23505"),
        ("ERROR: db error P2021", "ERROR: db error P2024"),
        ("ERROR: code 'P2021'", "ERROR: code 'P2024'"),
        ('{"level":"error","msg":"x","meta":{"code":"P2021"}}', '{"level":"error","msg":"x","meta":{"code":"P2024"}}'),
        (
            '[2026-11-22 03:00:01] production.ERROR: SQLSTATE[42S22]: x {"exception":"a"}',
            '[2026-11-22 03:00:01] production.ERROR: SQLSTATE[HY000]: x {"exception":"a"}',
        ),
        (
            '{"level":"error","msg":"failed","cause":"card declined"}',
            '{"level":"error","msg":"failed","cause":"db down"}',
        ),
        (
            '{"level":"error","msg":"job failed","queue":"mail"}',
            '{"level":"error","msg":"job failed","queue":"payments"}',
        ),
        (
            '{"level":"error","msg":"finished call","grpc.method":"Search","grpc.code":"Internal"}',
            '{"level":"error","msg":"finished call","grpc.method":"Pay","grpc.code":"Internal"}',
        ),
        ('{"level":"error","msg":"failed","status":404}', '{"level":"error","msg":"failed","status":500}'),
        ("Error: SQLSTATE[42P01]", "Error: SQLSTATE[23505]"),
        (
            '1.2.3.4 - - [22/Nov/2026:03:00:01 +0000] "GET /pay HTTP/1.1" 500 1',
            '1.2.3.4 - - [22/Nov/2026:03:00:01 +0000] "POST /pay HTTP/1.1" 500 1',
        ),
    ],
)
def test_different_errors_are_different_kinds(one, other):
    assert fingerprint([one]) != fingerprint([other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "[Nest] 1  - 11/22/2026, 3:00:01 AM   ERROR [X] boom",
            "[Nest] 17  - 11/22/2026, 13:00:01 PM   ERROR [X] boom",
        ),
        ("Nov 22 03:00:01 ip-10-0-0-1 app[1]: ERROR boom", "Dec  1 03:00:01 ip-10-0-0-9 app[2]: ERROR boom"),
        ("[Sun Nov 22 03:00:01 2026] [error] x", "[Mon Nov 23 03:00:01 2026] [error] x"),
        ("[22-Nov-2026 03:00:01] ERROR: x", "[01-Dec-2026 03:00:01] ERROR: x"),
        ("ERROR [req-a1b2c3] boom", "ERROR [req-d4e5f6] boom"),
        ("ERROR user usr_8fKq2 not found", "ERROR user usr_9xLm3 not found"),
        ("2026-11-22T03:00:01.000Z 3f2b9c1e ERROR boom", "2026-11-22T03:00:02.000Z 4a2c8d1f ERROR boom"),
        ("E1122 03:00:01.1 1 x.go:1] boom", "E1201 04:00:01.1 7 x.go:1] boom"),
        ("ERROR trace=01ARZ3NDEKTSV4RRFFQ69G5FAV boom", "ERROR trace=01BX5ZZKBKACTAV9WEVGEMMVRZ boom"),
        ("Error in 12ms", "Error in 3.5s"),
        ("ERROR: column 'city' does not exist", 'ERROR: column "city" does not exist'),
        ("ERROR: column `city` does not exist", "ERROR: column city does not exist"),
        ("ERROR: user 'marie' not found", "ERROR: user 'paul' not found"),
        ('ERROR comment "a b c" rejected', 'ERROR comment "d e" rejected'),
        ('ERROR job "send-mail-17" failed', 'ERROR job "send-mail-18" failed'),
        ("ERROR order 42703 failed", "ERROR order 23505 failed"),
        ('{"level":"error","msg":"job failed","queue":"q-17"}', '{"level":"error","msg":"job failed","queue":"q-18"}'),
        ('{"level":"error","msg":"x","user":"marie"}', '{"level":"error","msg":"x","user":"paul"}'),
        ('ERROR failed: "user 17 could not be saved"', 'ERROR failed: "user 18 could not be saved"'),
        ("ERROR mail to alice@example.org", "ERROR mail to bob@example.com"),
        (
            '1.2.3.4 - - [22/Nov/2026:03:00:01 +0000] "GET /pay/17?x=1 HTTP/1.1" 500 1',
            '5.6.7.8 - - [23/Nov/2026:03:00:01 +0000] "GET /pay/18 HTTP/1.1" 502 2',
        ),
        ('{"method":"GET","path":"/pay/17","status":500}', '{"method":"GET","path":"/pay/18","status":503}'),
    ],
)
def test_the_same_error_is_one_kind(one, other):
    assert fingerprint([one]) == fingerprint([other])


def test_a_name_with_a_number_is_no_id():
    assert (
        fingerprint(["Error: sha256 of TS2322 and E11000 with utf8"]) == "Error: sha256 of TS2322 and E11000 with utf8"
    )


@pytest.mark.parametrize(
    ("count", "seconds", "before", "comes_to"),
    [
        (4, 5, 1, DOUBTED),
        (3, 5, 1, DOUBTED),
        (2, 5, 1, AS_BEFORE),
        (5, 5, 1, NEW),
        (4, 3600, 4, AS_BEFORE),
        (1, 5, 0, NEW),
    ],
)
def test_what_came_faster_and_is_too_few_is_a_doubt(count, seconds, before, comes_to):
    assert compared(count, seconds, before, 3600) == comes_to


def test_two_collections_are_merged_to_what_one_would_have_been():
    both = Collection()
    for text in ("TypeError: 1", "RangeError: 1"):
        both.add(STREAM, Event("", 1, ""), [text])
    other = Collection()
    other.add(STREAM, Event("", 0, ""), ["TypeError: 2"])
    both.merge(other)
    assert [(group.fingerprint, group.count, group.first) for group in both.groups] == [
        ("TypeError: <n>", 2, 0),
        ("RangeError: <n>", 1, 1),
    ]


def test_codes_are_told_once_each_in_order():
    assert prisma_codes("prisma:error P2022 P1001 P2022 xP3009 P12") == ("P1001", "P2022")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('{"error":"Internal Server Error","code":"P2022"}', ("P2022",)),
        ('{\\"code\\":\\"P2022\\"}', ("P2022",)),
        ("code: 'P1001',", ("P1001",)),
        ("Error: P1012", ("P1012",)),
        ("Error code: P1001", ("P1001",)),
        ("P3009: migrate found failed migrations", ("P3009",)),
        ("Can't reach database server (P1001)", ("P1001",)),
        ('{"level":"error","msg":"payment for order P2022 declined"}', ()),
        ('{"error":"product P2021 is out of stock"}', ()),
        ("ERROR parking lot P1001 is full", ()),
    ],
)
def test_a_code_is_one_where_prisma_speaks_or_in_its_place(text, codes):
    assert prisma_codes(text) == codes


@pytest.mark.parametrize(
    "text",
    [
        "can't open postgresql://app:hunter2@db:5432/x",
        "redis://:hunter2@cache",
        "password=hunter2",
        '{"password": "hunter2"}',
        "Authorization: hunter2",
        "api_key='hunter2'",
    ],
)
def test_what_looks_like_a_secret_is_masked(text):
    assert "hunter2" not in without_secrets(text)
    assert "********" in without_secrets(text)
    assert "hunter2" not in collected("Error: " + text)[0].example
    assert "hunter2" not in collected("Error: " + text)[0].fingerprint


def test_what_wraps_a_line_makes_no_other_kind():
    (plain,) = entries([Event("1", 1, "TypeError: x of 12"), Event("2", 2, "    at f (a.js:1:2)")])
    wrapped = [
        json.dumps({"container_name": "app", "log": line}) for line in ("TypeError: x of 7", "    at f (a.js:9:2)")
    ]
    (inner,) = entries([Event(line, 1, line) for line in wrapped])
    assert fingerprint(plain[1]) == fingerprint(inner[1]) == "TypeError: x of <n>"


def test_a_log_full_of_kinds_is_kept_in_bounds_and_none_is_lost():
    collection = Collection()
    for number in range(MOST_KINDS + 50):
        collection.add(STREAM, Event("", number, ""), ["ERROR kind-" + str(number).translate(LETTERS)])
    groups = collection.groups
    assert len(groups) == MOST_KINDS + 1
    assert sum(group.count for group in groups) == MOST_KINDS + 50
    assert groups[0].fingerprint == MANY


def test_the_example_is_the_earliest_though_the_newest_are_read_first():
    collection = Collection()
    collection.add(STREAM, Event("", 5, ""), ["Error: 5"])
    collection.add(STREAM, Event("", 2, ""), ["Error: 2"])
    assert [(group.example, group.first, group.count) for group in collection.groups] == [("Error: 2", 2, 2)]


def test_frames_and_carets_tell_nothing():
    lines = [
        "/app/x.js:3",
        "  ^",
        "TypeError: x",
        "    at f (a.js:1:2)",
        '  File "x.py", line 1',
        "#0 /app/x.php(3): f()",
    ]
    assert telling(lines) == ["/app/x.js:3", "TypeError: x"]


@pytest.mark.parametrize(
    ("count", "seconds", "before", "seconds_before", "new"),
    [
        (1, 5, 0, 3600, True),
        (247, 5, 2, 3600, True),  # 2 an hour before, 247 in 5 s
        (1, 30, 2, 3600, False),
        (4, 30, 2, 3600, False),  # a burst of few is none
        (60, 3600, 58, 3600, False),
        (2, 60, 120, 3600, False),
        (20, 30, 60, 3600, True),
        (300, 3600, 100, 3600, True),
        (299, 3600, 100, 3600, False),  # not three times as frequent
        (6, 3600, 2, 3600, False),  # three times, and by chance
        (5, 0, 1, 0, False),
    ],
)
def test_a_kind_is_new_by_its_rate(count, seconds, before, seconds_before, new):
    assert is_new(count, seconds, before, seconds_before) is new


@given(st.integers(1, 500), st.integers(1, 500), st.floats(1, 7200), st.floats(1, 7200))
def test_more_of_a_kind_is_never_less_new(count, before, seconds, seconds_before):
    if is_new(count, seconds, before, seconds_before):
        assert is_new(count + 1, seconds, before, seconds_before)
        assert is_new(count, seconds, before - 1, seconds_before)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/api/v1/search", "/api/v1/pay", False),
        ("/api/public/search", "/api/public/pay", False),
        ("/v2/search?q=1", "/v2/pay", False),
        ("/rest/v1.2/search", "/rest/v1.2/pay", False),
        ("/api/v1/payments/17", "/api/v1/payments/18", True),
        ("/api/v1/payments/17/refund", "/api/v1/payments/18/lines", True),
        ("/payments/17/refund", "/payments/18/refund", True),
        ("/api/v1", "/api/v1/", True),
    ],
)
def test_a_request_is_of_the_kind_of_what_it_asks_for_and_not_of_the_version(one, other, same):
    kinds = [fingerprint(['"POST %s HTTP/1.1" 500 1' % path]) for path in (one, other)]
    assert (kinds[0] == kinds[1]) is same
