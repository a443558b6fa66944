# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch Logs filter patterns, by AWS's rules."""

from __future__ import annotations

import json

import pytest

from loopback_aws.services.logs.pattern import InvalidPattern, compile_pattern

PRISMA = 'PrismaClientKnownRequestError: code: "P2022", column does not exist'


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", PRISMA, True),
        ("P2022", PRISMA, True),
        ("p2022", PRISMA, False),  # case-sensitive
        ("P20", PRISMA, True),  # a term may be part of a word
        ("P2022 column", PRISMA, True),
        ("P2022 table", PRISMA, False),  # space is AND
        ("?P1001 ?P2022", PRISMA, True),
        ("?P1001 ?P2021", PRISMA, False),
        ("-P2022", PRISMA, False),
        ("-P1001", PRISMA, True),
        ("column -P1001", PRISMA, True),
        ("column -P2022", PRISMA, False),
        ("column ?P1001", PRISMA, True),  # "?" beside another term is ignored
        ('"does not exist"', PRISMA, True),
        ('"not does exist"', PRISMA, False),
        (r'"code: \"P2022\""', PRISMA, True),
        ('?"P1001" ?"P2022"', PRISMA, True),
        ('-"does not"', PRISMA, False),
        (r"%P20\d{2}%", PRISMA, True),
        ("%^P2022%", PRISMA, False),
        ("%P1001|P2022%", PRISMA, True),
        ("%p2022%", PRISMA, False),
    ],
)
def test_terms(pattern, message, expected):
    assert compile_pattern(pattern)(message) is expected


LINE = json.dumps(
    {
        "level": "error",
        "code": "P2022",
        "status": 500,
        "took": 1.5,
        "ok": False,
        "user": None,
        "meta": {"column": "rpps"},
        "tags": ["a", "b"],
    }
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.level = "error" }', True),
        ("{ $.level = error }", True),
        ('{ $.level = "Error" }', False),
        ('{ $.level != "error" }', False),
        ('{ $.level != "info" }', True),
        ('{ $.none != "info" }', False),
        ('{ $.code = "P20*" }', True),
        ('{ $.code = "*22" }', True),
        ('{ $.code = "P10*" }', False),
        ("{ $.status = 500 }", True),
        ("{ $.status = 5* }", True),
        ("{ $.status >= 500 }", True),
        ("{ $.status > 500 }", False),
        ("{ $.took < 1.6 }", True),
        ("{ $.level > 3 }", False),
        ('{ $.level = "error" && $.status = 200 }', False),
        ('{ $.level = "info" || $.status = 500 }', True),
        ('{ $.level = "info" && $.status = 500 || $.ok IS FALSE }', True),
        ('{ $.level = "info" && ($.status = 500 || $.ok IS FALSE) }', False),
        ('{ $.meta.column = "rpps" }', True),
        ('{ $.tags[1] = "b" }', True),
        ('{ $.tags[2] = "b" }', False),
        ("{ $.user IS NULL }", True),
        ("{ $.user NOT EXISTS }", False),
        ("{ $.none NOT EXISTS }", True),
        ("{ $.none IS NULL }", False),
        ("{ $.ok IS TRUE }", False),
        (r"{ $.code = %P20\d\d% }", True),
    ],
)
def test_json(pattern, expected):
    assert compile_pattern(pattern)(LINE) is expected


@pytest.mark.parametrize("message", ["level=error", "[1, 2]", "", '{"level": '])
def test_a_message_that_is_no_json_object_never_matches_a_json_pattern(message):
    assert not compile_pattern("{ $.level NOT EXISTS }")(message)


@pytest.mark.parametrize(
    "pattern",
    [
        "code:P2022",
        "P2022!",
        '"open',
        "[ip, user]",
        "%(P1|P2)%",
        "%something!%",
        "%a% %b% %c%",
        "{ $.a }",
        "{ a = 1 }",
        "{ $.a = 1",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a < b }",
        "{ $.a IS 3 }",
        "{ }",
    ],
)
def test_what_aws_refuses_is_refused(pattern):
    with pytest.raises(InvalidPattern):
        compile_pattern(pattern)
