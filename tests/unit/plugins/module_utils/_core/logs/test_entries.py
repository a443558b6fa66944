# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: E501, RUF001 - marks as Next.js writes them, lines as others write them
"""Which lines tell an error, which belong together, and how many could be read."""

from __future__ import annotations

import itertools
import json
import random
import re

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign_lines
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs import sounds, text
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Entries, Rules, compiled
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.record import lines_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.logs import Event
from hypothesis import given
from hypothesis import strategies as st

import log_lines

GIVEN, OWN = log_lines.given(), log_lines.own()
ERROR, THROWN = "error", "thrown"


def events(lines):
    return [Event(str(number), 1000 + number, foreign_lines(line)) for number, line in enumerate(lines)]


def read(lines, rules=Rules()):  # noqa: B008 - it is frozen
    """(errors as lists of lines, Understood)."""
    found = Entries(rules)
    errors = [lines for event in events(lines) for _first, lines in found.take(event)]
    errors += [lines for _first, lines in found.end()]
    return errors, found.understood


def found(lines, rules=Rules()):  # noqa: B008
    return read(lines.splitlines(), rules)[0]


def is_error(line):
    return any(kind in (ERROR, THROWN) for kind, _text in lines_of(line))


@pytest.mark.parametrize(("name", "lines", "wanted"), [*GIVEN, *OWN], ids=[case[0] for case in [*GIVEN, *OWN]])
def test_a_line_is_an_error_or_none_in_the_format_of_its_library(name, lines, wanted):
    errors, _understood = read(lines)
    assert bool(errors) is wanted, lines


def test_there_are_enough_of_them():
    assert len(OWN) >= 150
    assert sum(not wanted for _name, _lines, wanted in OWN) >= 100


def test_what_others_wrote_to_break_the_reader_is_read():
    """98 of 100 errors, 99 of 100 that are none; an error that is not seen is at least no good news, but for three of two hundred."""
    cases = log_lines.others()
    judged = [(name, wanted, *read(lines)) for name, lines, wanted in cases]
    missed = [(name, understood) for name, wanted, errors, understood in judged if wanted and not errors]
    false = [name for name, wanted, errors, _understood in judged if not wanted and errors]
    wanted = sum(wanted for _name, wanted, *_rest in judged)
    assert len(missed) <= 0.03 * wanted, [name for name, _understood in missed]
    assert len(false) <= 0.01 * (len(cases) - wanted), false
    assert sum(not understood.doubtful and understood.read == 0 for _name, understood in missed) <= 0.015 * wanted
    assert (wanted >= 450, len(cases) - wanted >= 300) == (True, True)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_stands_before_a_line_changes_nothing(wanted):
    lines = [before + line for before in log_lines.PREFIXES for line in log_lines.BEHIND[wanted]]
    assert [line for line in lines if bool(read([line])[0]) is not wanted] == []


@pytest.mark.parametrize("wrap", ["firelens", "twice", "string", "cri"])
def test_what_wraps_a_line_changes_nothing(wrap):
    """Each of the lines, as FireLens, a second router, an escape more and containerd hand it on."""
    wrappers = {
        "firelens": lambda line: json.dumps(
            {"container_id": "a", "container_name": "app", "log": line, "source": "stderr"}
        ),
        "twice": lambda line: json.dumps({"log": json.dumps({"log": line})}),
        "string": json.dumps,
        "cri": lambda line: "2026-11-22T03:00:01.123456789Z stdout F " + line,
    }
    cases = [
        case
        for case in [*GIVEN, *OWN]
        if wrap in ("firelens", "twice") or (len(case[1]) == 1 and "\n" not in case[1][0])
    ]
    cases = [case for case in cases if wrap == "firelens" or not case[1][0].startswith("<")]
    wrong = [
        name for name, lines, wanted in cases if bool(read([wrappers[wrap](line) for line in lines])[0]) is not wanted
    ]
    assert len(wrong) <= len(cases) * 0.02, wrong


def test_the_innocent_stay_so_one_after_another_in_any_order():
    innocent = [lines for _name, lines, wanted in [*GIVEN, *OWN] if not wanted]
    for seed in range(20):
        random.Random(seed).shuffle(innocent)
        assert read(list(itertools.chain(*innocent)))[0] == []


def test_each_error_is_found_between_the_innocent():
    innocent = [
        lines for _name, lines, wanted in OWN if not wanted and not lines[0].startswith('{"level":"info","msg":"xxx')
    ]
    for number, (name, lines, wanted) in enumerate([*GIVEN, *OWN]):
        if wanted:
            before, after = innocent[number % len(innocent)], innocent[(number + 7) % len(innocent)]
            assert read([*before, *lines, *after])[0], (name, before)


def test_lines_that_nobody_understands_are_counted_with_an_example():
    _errors, understood = read(["EEK one", "EEK two", '{"level":"info","msg":"x"}', "GET /x 200 3 ms", "", "  goes on"])
    assert (understood.read, understood.unknown, understood.access) == (1, 2, 1)
    assert (understood.is_unclear, understood.example) == (True, "EEK one")


def test_the_example_is_of_the_form_that_most_lines_have_however_many_forms_there_are():
    rare = ["%04d rare" % number for number in range(500)]
    assert read(["EEK"] * 9 + rare)[1].example == "EEK"
    understood = read(rare + ["EEK %d" % (number % 3) for number in range(60)])[1]
    assert (understood.example, len(understood.forms) <= 100) == ("EEK 0", True)


@pytest.mark.parametrize(
    ("lines", "unclear"),
    [
        (['{"level":"info"}'], False),
        (['{"level":"info"}', "EEK"], False),
        (['{"level":"info"}', "EEK", "EEK"], True),
        (["GET /x 200"], False),
        (["GET /x 200", "EEK"], True),
        (["> app@1 start", ""], True),  # nothing that says how things are
        ([], True),
    ],
)
def test_few_lines_that_could_be_read_are_unclear(lines, unclear):
    assert read(lines)[1].is_unclear is unclear


def test_a_team_says_what_an_error_is_in_what_nobody_understands_and_which_lines_are_none():
    lines = ["EEK disk", "hello", "Error: known", '{"level":"info"}']
    errors, understood = read(lines, Rules.of(["^EEK"]))
    assert errors == [["EEK disk"], ["Error: known"]]
    assert (understood.unknown, understood.is_unclear) == (0, False)
    errors, understood = read(lines, Rules.of([], ["^EEK", "^hello", "known"]))
    assert (errors, understood.ignored, understood.unknown, understood.is_unclear) == ([], 3, 0, False)


def test_refuses_a_pattern_that_is_none():
    with pytest.raises(
        RollbackError,
        match=r"The option ignore \(variable verify_log_ignore\) has '\(', which is no regular expression",
    ):
        compiled("ignore", ["ok", "("])


PRISMA = """\
PrismaClientKnownRequestError: 
Invalid `prisma.practitioner.create()` invocation:


The column `fullName` does not exist in the current database.
    at $n.handleRequestError (/app/node_modules/@prisma/client/runtime/library.js:121:7315) {
  code: 'P2022',
  clientVersion: '6.16.2',
  meta: { column: 'fullName' }
}"""  # noqa: W291 - as Prisma writes it
INFO = '{"level":"info","msg":"POST /api/practitioners 500"}'


def test_the_lines_of_a_prisma_error_are_one_error():
    assert found(f"{INFO}\n{PRISMA}\n{INFO}\n{PRISMA}\nplain\n") == [PRISMA.splitlines()] * 2


def test_an_error_that_announced_more_ends_where_another_record_begins():
    assert found(f"PrismaClientInitializationError:\nCan't reach it\n{INFO}\n") == [
        ["PrismaClientInitializationError:", "Can't reach it"]
    ]


def test_a_stack_belongs_to_its_error_and_the_next_line_does_not():
    assert found("TypeError: x\n    at f (a.js:1:2)\nlistening\n") == [["TypeError: x", "    at f (a.js:1:2)"]]


def test_an_error_does_not_take_the_whole_log():
    assert len(found("Error:\n" + "x\n" * 100)[0]) == 25


@given(st.lists(st.sampled_from(["Error: a", "Error:", "  at b", "", "plain", "}", INFO, '{"level":"error"}', "{"])))
def test_every_line_that_is_an_error_is_in_exactly_one_entry(lines):
    in_entries = [line for entry in read(lines)[0] for line in entry if is_error(line)]
    assert in_entries == [line for line in lines if is_error(line)]


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["Traceback (most recent call last):", '  File "x.py", line 1', "KeyError: 'id'", "hello", "ValueError: y"], 2),
        (["Traceback (most recent call last):", '  File "x.py"', "A: 1", "During handling of the above exception, another exception occurred:", "",
          "Traceback (most recent call last):", '  File "x.py"', "B: 2"], 1),
        (["node:internal/x:1", "      throw err;", "      ^", "", "Error: x", "    at f", "", "Node.js v20"], 1),
        (["panic: x", "", "goroutine 1 [running]:", "main.main()", "\t/app/main.go:1", "exit status 2"], 1),
        (["java.lang.A: x", "java.lang.AError: x", "\tat f", "Caused by: java.io.BException: y", "\t... 3 more"], 1),
        (["[Nest] 1  - 11/22/2026, 3:00:01 AM   ERROR [X] boom", "Error: boom", "    at f"], 1),
        (['{"level":"error"}', "TypeError: x"], 2),
        (["ERROR a", "ERROR b"], 2),
        ([" ⨯ Error: a", "    at f", " ⨯ Error: b", "    at f"], 2),
        (["PHP Fatal error:  Uncaught x", "Stack trace:", "#0 x", "#1 {main}", "  thrown in x"], 1),
    ],
)  # fmt: skip
def test_the_lines_of_an_error_are_one(lines, count):
    assert len(read(lines)[0]) == count


def test_a_record_in_pieces_is_one_whole():
    record = json.dumps({"msg": "x" * 90, "error": None, "level": "error"})
    for size in range(5, 100, 7):
        pieces = [record[start : start + size] for start in range(0, len(record), size)]
        assert len(read([*pieces, "hello"])[0]) == 1, pieces


def test_a_record_that_never_ends_hides_no_other():
    assert read(['{"msg":"cut', "TypeError: x", "ERROR y"])[0] == [["TypeError: x"], ["ERROR y"]]
    assert len(read(['{"msg":"cut', '{"level":"error"}'])[0]) == 1
    lines = ['{"msg":"cut', *["hello"] * 300, "ERROR y"]
    assert read(lines)[0] == [["ERROR y"]]


CUT = '{"level":"info","time":1,"msg":"' + "x" * 400


@pytest.mark.parametrize(
    "lines",
    [
        ["Error: connect ECONNREFUSED 10.0.0.1:5432", "    at f (node:net:1) {", "  errno: -111,", "}"],
        ["TypeError: x", "    at f (/a.js:1:1)"],
        ["[2026-11-22 03:00:01] [ERROR] boom", "}"],
        ["PrismaClientKnownRequestError: ", "Invalid `prisma.user.findMany()` invocation:", "", "  code: 'P2022'", "}"],
        ['{"level":"error","msg":"boom"}'],
        ["panic: x", "", "goroutine 1 [running]:"],
    ],
)
def test_a_record_that_was_cut_takes_no_error_that_follows(lines):
    assert len(read([CUT, *lines])[0]) == 1
    assert len(read([CUT, CUT, *lines, '{"level":"info"}'])[0]) == 1


@pytest.mark.parametrize(
    "other", ["2026-11-22 03:00:01 ERROR boom", "TypeError: x is undefined", '{"level":"error","msg":"x"}']
)
@pytest.mark.parametrize(
    "record", [["{", "  level: 'info',", "  msg: 'x'", "}"], ["{", '  "level": "info",', '  "msg": "x"', "}"]]
)
def test_what_another_thread_writes_between_the_lines_of_a_record_is_none_of_it(record, other):
    errors, _understood = read([*record[:2], other, *record[2:]])
    assert errors == [[other]]


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ('10.0.0.1 - - [22/Nov/2026:03:00:01 +0000] "GET /pay HTTP/1.1" 500 17 "-" "x"', True),
        ('10.0.0.1 - - [22/Nov/2026:03:00:01 +0000] "GET /500 HTTP/1.1" 200 503 "-" "x"', False),
        ("POST /pay 503 3.1 ms - 17", True),
        ("POST /pay 404 503 ms - 17", False),
        ('INFO:     10.0.0.1:1 - "POST /pay HTTP/1.1" 500 Internal Server Error', True),
        ("I, [2026-11-22T03:00:01.123456 #1]  INFO -- : Completed 500 Internal Server Error in 3ms", True),
        ('[GIN] 2026/11/22 - 03:00:01 | 502 |  1.2ms | 10.0.0.1 | GET      "/pay"', True),
        ("03:00:01.123 request_id=F1 [info] Sent 503 in 3ms", True),
        ("method=GET path=/ controller=Home status=500 duration=3.1", True),
        ('{"method":"GET","path":"/x","status":500}', True),
        ('{"request":"GET / HTTP/1.1","status":"502"}', True),
        (
            '{"level":30,"req":{"method":"GET"},"res":{"statusCode":500},"responseTime":3,"msg":"request completed"}',
            True,
        ),
        ('{"level":"info","msg":"the provider answers, retrying","url":"https://x","status":503}', False),
        ('{"level":"info","method":"GET","path":"/","status":200,"duration":500}', False),
        ("processed 500 rows in 503 ms", False),
        # morgan's tiny and short, Nest's middleware, koa, and what their loggers put them into
        ("POST /pay 502 34 - 12.3 ms", True),
        ("GET /500 200 502 - 503.1 ms", False),
        ("GET / 500 - - 1.234 ms", True),
        ("2026-11-22 03:00:01 GET / 500 34 - 1.2 ms", True),
        ("10.0.1.5 - - POST /pay HTTP/1.1 502 34 - 12.3 ms", True),
        ("::ffff:10.0.1.5 - POST /pay HTTP/1.1 500 34 - 12.3 ms", True),
        ("::ffff:10.0.1.5 - POST /pay HTTP/1.1 204 500 - 512.3 ms", False),
        ("[Nest] 1  - 11/22/2026, 3:00:01 AM     LOG [HTTP] POST /pay 500 34 - curl/8 10.0.1.5", True),
        ("[Nest] 1  - 11/22/2026, 3:00:01 AM     LOG [HTTP] POST /pay 500 undefined - curl/8 10.0.1.5", True),
        ("[Nest] 1  - 11/22/2026, 3:00:01 AM     LOG [HTTP] POST /pay 201 500 - curl/8 10.0.1.5", False),
        ("  --> POST /pay 500 12ms 34b", True),
        ("info: POST /pay 500 34 - 12.3 ms", True),
        ('{"message":"POST /pay 500 34 - 12.3 ms"}', True),
        ('{"level":"http","message":"POST /pay 500 34 - 12.3 ms"}', True),
        ('{"level":"info","message":"POST /pay 500 34 - 12.3 ms\\n"}', True),
        ('{"level":"info","msg":"[HTTP] POST /pay 503 - - 12.3 ms"}', True),
        ('{"level":30,"msg":"POST /pay 500 in 12 ms"}', True),
        ('{"level":"info","message":"POST /pay 200 500 - 512.3 ms"}', False),
        ('{"level":"warn","message":"POST /v1/charges 503 - it is tried again"}', False),
        ('{"level":"info","message":"HTTP POST /pay","meta":{"req":{"method":"POST","url":"/pay"},"res":{"statusCode":500},"responseTime":12}}', True),
        ('{"level":"info","message":"HTTP POST /pay","meta":{"req":{"method":"POST","url":"/pay"},"res":{"statusCode":200},"responseTime":512}}', False),
        ('{"message":"x","metadata":{"level":"info","method":"POST","path":"/pay","status":500,"duration":3}}', True),
        ('{"level":"info","msg":"x","http":{"method":"POST","path":"/pay","status_code":502},"duration":3}', True),
        # what the application has asked somebody else, and tries again
        ('{"level":"info","method":"GET","url":"https://p/x","status":503,"duration_ms":12}', False),
        ('{"method":"GET","url":"https://p/x","status":503,"duration_ms":12}', False),
        ('{"level":"info","msg":"x","req":{"method":"GET","url":"https://p/x"},"res":{"statusCode":503},"responseTime":3}', False),
        ('{"level":"info","msg":"x","meta":{"req":{"url":"http://p:80/x"},"res":{"statusCode":503},"responseTime":3}}', False),
        ("level=info method=GET url=https://p/x status=503 duration=12", False),
        ('DEBUG:urllib3.connectionpool:https://p:443 "GET /x HTTP/1.1" 503 34', False),
        ('{"level":"info","message":"GET https://p/x 503 34 - 12.3 ms"}', False),
        ('"GET https://p:443/x HTTP/1.1" 503 34', True),  # a proxy, and HTTP/2
        ('{"severity":"INFO","httpRequest":{"requestMethod":"GET","requestUrl":"https://p/x","status":500},"latency":"0.1s"}', True),
    ],
)  # fmt: skip
def test_a_request_that_was_answered_with_5xx_is_an_error_whatever_level_all_requests_have(line, is_one):
    assert bool(read([line])[0]) is is_one


@pytest.mark.parametrize(
    "line",
    [
        "Verbindung wurde abgelehnt",
        "the card was rejected by the bank",
        "соединение: не удалось",
        "数据库连接失败",
        "something went wrong",
        "Database is down",
    ],
)
def test_a_line_without_a_level_that_sounds_like_an_error_keeps_a_log_from_being_clear(line):
    _errors, understood = read(['{"level":"info"}'] * 20 + [line])
    assert [example for _count, example in understood.doubtful.values()] == [line]


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "payment-failed queue is ready",
        "loaded error.log",
        "ErrorsModule is up",
        "log level 'error'",
        "no failed jobs",
        "error rate of today",
    ],
)
def test_a_name_and_what_tells_of_none_sound_like_no_error(line):
    assert read([line])[1].doubtful == {}


def test_what_is_innocent_sounds_like_no_error():
    doubtful = [name for name, lines, wanted in [*GIVEN, *OWN] if not wanted and read(lines)[1].doubtful]
    assert doubtful == []
    others = [bool(read(lines)[1].doubtful) for _name, lines, wanted in log_lines.others() if not wanted]
    assert sum(others) <= 0.01 * len(others)


def test_every_word_that_sounds_is_let_through():
    words = {word.strip() for word in re.findall(r"[a-z' ]{4,}", sounds._SOUNDS.pattern)}
    lines = [line for word in words for line in (word + " x", "it " + word + " x")]
    assert [
        line for line in lines if sounds._SOUNDS.search(line) and not (text._has_a_word(line) or sounds.may_sound(line))
    ] == []


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"metadata": {"level": "error"}, "message": "x"}, True),
        ({"fields": {"level": "error"}, "message": "x"}, True),
        ({"attributes": {"severityText": "ERROR"}, "body": "x"}, True),
        ({"severityNumber": 17, "body": "x"}, True),
        ({"severityNumber": 9, "body": "x"}, False),
        ({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": 9}, {"severityText": "ERROR"}]}]}]}, True),
        ({"log": {"level": "error"}, "message": "x"}, True),
        ({"log.level": "error"}, True),
        ({"L": "ERROR", "M": "boom"}, True),
        ({"level": "info", "metadata": {"level": "error"}}, False),
        ({"PRIORITY": "3", "MESSAGE": "boom"}, True),
        ({"event": "ticket", "priority": "critical"}, False),
        ({"trace": "0af7651916cd43dd8448eb211c80319c", "msg": "signed up"}, False),
        ({"trace": "TypeError: x\n    at f (/a.js:1:1)", "msg": "x"}, True),
        ({"stack": "production", "msg": "started"}, False),
        ({"error": "none", "msg": "done"}, False),
        ({"error": False, "msg": "done"}, False),
        ({"error": "", "msg": "done"}, False),
        ({"error": None, "exception": "null", "msg": "done"}, False),
        ({"error": {"count": 0}, "msg": "x"}, False),
        ({"error": {"message": "x"}}, True),
        ({"type": "error_page_viewed"}, False),
        ({"level": "non-error"}, False),
        ({"method": "GET", "url": "/", "status": 404, "error": "Not Found"}, False),
    ],
)
def test_a_level_is_where_loggers_put_it_and_an_error_is_what_looks_like_one(record, wanted):
    assert bool(read([json.dumps(record)])[0]) is wanted


def test_what_a_stack_follows_was_thrown_whatever_it_is_called():
    errors, understood = read(
        ["NoSuchKey: The specified key is not there.", "    at de_NoSuchKeyRes (/app/x.js:1:1)", "hello"]
    )
    assert errors == [["NoSuchKey: The specified key is not there.", "    at de_NoSuchKeyRes (/app/x.js:1:1)"]]
    assert (understood.read, understood.unknown) == (1, 1)
    assert read(["Trace: here", "    at f (/app/x.js:1:1)"])[0] == []


@given(st.text(max_size=400))
def test_any_text_can_be_read(line):
    assert all(kind and isinstance(part, str) for kind, part in lines_of(foreign_lines(line)))


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "{",
        '{"a":',
        "(",
        "a.",
        "x ",
        "ERROR",
        "Error: ",
        "12:00 ",
        "[x] ",
        "- ",
        "A::",
        "\\",
        '"',
        "a=",
        "at ",
        "a: ",
        "a=1 ",
        "Aa",
        "[a]",
        "a[1]: ",
        "a.b:1: ",
        "W 3: ",
        "| 500 |",
        '"GET /x',
        ' "GET /x" 500',
        "GET /x 500",
        " 1/1/1/1/1 500 1",
        "a_",
        "failed ",
        "to suppress this ",
        "error occurred ",
        "no error ",
        "\U0001f534 ",
        "a | INFO | ",
        "(1,",
        "x.py:1: ",
    ],
)
def test_no_line_takes_long(unit):
    import time

    line = unit * (200_000 // len(unit))
    began = time.process_time()
    lines_of(line)
    lines_of("2026-11-22 03:00:01 " + line)
    assert time.process_time() - began < 0.5


def test_the_words_that_are_looked_for_first_hide_no_form(monkeypatch):
    """Each line has the same meaning without the short cut."""
    lines = [line for _name, lines, _wanted in [*GIVEN, *OWN] for event in lines for line in event.split("\n")]
    with_it = [text.of_text(line) for line in lines]
    monkeypatch.setattr(text, "_has_a_word", lambda _line: True)
    assert [text.of_text(line) for line in lines] == with_it


def test_each_word_of_a_form_is_looked_for_first():
    """The literal words in the expressions, as lines of their own."""
    forms = {*re.findall(r"[A-Za-z][A-Za-z' `]{3,40}", text._AT_HEAD.pattern + text._ANYWHERE.pattern)}
    told = [line for form in forms for line in (form, form + ": x", "x: " + form)]
    told = [line for line in told if text._AT_HEAD.match(line) or text._ANYWHERE.search(line)]
    assert len(told) > 100
    assert [line for line in told if not text._has_a_word(line)] == []


# What people write who have no logger: sentences that sound like errors, and sentences that do not.
SOUNDING = (
    "could not book payment 4711", "payment 4711 could not be booked", "impossible de joindre la base", "Verbindung fehlgeschlagen", "DATABASE_URL must be set",
    "the queue is down", "License key expired", "lost connection to the broker", "giving up after 3 attempts",
)  # fmt: skip
PLAIN = (
    "payment 4711 booked",
    "listening on port 3000",
    "cache warmed in 12 ms",
    "0 errors",
    "no payment failed",
    "user marie came back",
)
WRAPS = {
    "message": lambda text: json.dumps({"ts": 1, "msg": text}),
    "a member with a name of one's own": lambda text: json.dumps({"ts": 1, "texte": text}),
    "a member of a member": lambda text: json.dumps({"ts": 1, "fields": {"message": text}}),
    "what went on": lambda text: json.dumps({"ts": 1, "op": "pay", "detail": text}),
    "a level that is called otherwise and says nothing": lambda text: json.dumps({"rang": "7", "msg": text}),
    "in a string": lambda text: json.dumps(json.dumps({"ts": 1, "msg": text})),
    "logfmt": lambda text: f'ts=1 op=pay msg="{text}"',
    "logfmt with a name of one's own": lambda text: f'at=pay ts=1 texte="{text}"',
    "glued to a record": lambda text: f"2026-11-22T03:00:01.000Z INFO served 1\n{text}",
    "glued to a record in JSON": lambda text: json.dumps({"level": "info", "msg": "served"}) + "\n" + text,
    "behind a record in JSON": lambda text: json.dumps({"level": "info", "msg": "served"}) + json.dumps({"ts": 1, "msg": text}),
    "inspected": lambda text: "{ op: 'pay', message: '%s' }" % text,
}  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_doubt_is_one_in_whatever_it_is_wrapped(wrap):
    for line in SOUNDING:
        errors, understood = read([WRAPS[wrap](line)])
        assert errors or understood.doubtful, (wrap, line)
    for line in PLAIN:
        errors, understood = read([WRAPS[wrap](line)])
        assert (errors, understood.doubtful) == ([], {}), (wrap, line)


@pytest.mark.parametrize(
    ("record", "doubt"),
    [
        ({"status": "failed", "job": "pay"}, True),
        ({"outcome": "failure", "job": "pay"}, True),
        ({"success": False, "job": "pay", "reason": "connection refused"}, True),
        ({"op": "pay", "result": {"error": "boom"}}, True),
        ({"op": "pay", "errors": [{"message": "boom"}]}, True),
        ({"t": 1, "rank": "CRITICAL", "txt": "lost"}, True),
        ({"status": "done", "job": "failed"}, False),
        ({"success": True, "errors": []}, False),
        ({"ts": 1, "msg": "mail sent", "subject": "Your payment failed"}, False),
        ({"ts": 1, "q": "fatal error", "took": 3}, False),
        ({"ts": 1, "msg": "indexed", "title": "Error: the movie", "name": "Fatal"}, False),
        ({"kind": "error", "id": 4, "title": "page template", "saved": True}, False),
        ({"type": "exception", "date": "2026-12-25", "shop": "closed"}, False),
        ({"_aws": {"CloudWatchMetrics": []}, "Level": "error", "Count": 0}, False),
        ({"ts": 1, "msg": "sold", "stock_level": "critical"}, False),
    ],
)
def test_a_record_without_a_level_is_doubted_by_what_it_says_of_how_it_went(record, doubt):
    errors, understood = read([json.dumps(record)])
    assert (bool(errors), bool(understood.doubtful)) == (False, doubt)


@pytest.mark.parametrize(
    "name",
    ["levelStr", "sev", "log_severity", "logging_level", "logging.googleapis.com/severity", "loglvl", "LOG-LEVEL"],
)
def test_a_level_has_many_names(name):
    assert is_error(json.dumps({"ts": 1, name: "ERROR", "message": "x"}))
    assert read([json.dumps({"ts": 1, name: "INFO", "message": "x"})])[1].read == 1


def test_records_without_anything_between_them_are_read_for_themselves():
    info, error = json.dumps({"level": "info", "msg": "}{"}), json.dumps({"level": "error", "msg": "lost"})
    for line in (info + error, error + info, f"{info} {error}", info + info + error + "\n"):
        assert read([line])[0] == [[error]]
    assert read([info + info])[1].read == 2


# Streams in which several programs write, or several formats.
MIXTURES = [
    ('nginx and Node', True, ['10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 50, "time": 1, "msg": "lost"}', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"']),
    ('glued Nest', True, ['[Nest] 1  - 11/22/2026, 3:00:01 AM     LOG [App] up\nTypeError: x is not a function\n    at f (/app/a.js:1:2)']),
    ('pretty stack between access lines', True, ['10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', 'Error: boom', '    at f (/app/a.js:1:2)', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '    at g (/app/b.js:1:2)']),
    ('two JSON on a line', True, ['{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}{"level": 50, "time": 1, "msg": "lost"}']),
    ('console.log and pino', True, ['starting up', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', 'could not reach the cache', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}']),
    ('python traceback among info', True, ['INFO:root:a', 'Traceback (most recent call last):', '  File "/x.py", line 1, in f', "KeyError: 'id'", 'INFO:root:b']),
    ('java stack with levels', True, ['2026-11-22 03:00:01.000  INFO 1 --- [main] a.B : x', '2026-11-22 03:00:01.000 ERROR 1 --- [main] a.B : y', 'java.lang.IllegalStateException: z', '\tat a.B.c(B.java:1)', 'Caused by: java.io.IOException: w', '\t... 3 more']),
    ('unknown levels and pairs', True, ['ts=1 op=a msg="ok"', 'ts=2 op=b result=failure', 'ts=3 op=a msg="ok"']),
    ('firelens and plain', True, ['{"log": "served 1", "container_name": "app", "source": "stdout"}', '{"log": "TypeError: a", "container_name": "app", "source": "stderr"}']),
    ('morgan and errors', True, ['GET /a 200 3.1 ms - 12', 'POST /pay 500 3.1 ms - 12', 'GET /a 200 3.1 ms - 12']),
    ('restart of the process', True, ['2026-11-22T03:00:01.000Z INFO served 1', 'Killed', '2026-11-22T03:00:02.000Z INFO served 2']),
    ('nginx and pino', False, ['10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}']),
    ('banner, plain and pino', False, ['  ___  ', 'starting api 1.2.3', 'listening on 3000', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}', '{"level": 30, "time": 1, "msg": "request completed", "res": {"statusCode": 200}}']),
    ('migrations and requests', False, ['3 migrations found in prisma/migrations', 'Applying migration `20261122_add_failure`', 'All migrations have been successfully applied.', '10.0.1.5 - - [22/Nov/2026:03:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"']),
    ('Spring start', False, ['2026-11-22 03:00:01.000  INFO 1 --- [main] a.B : Starting', '  .   ____          _', '2026-11-22 03:00:01.000  WARN 1 --- [main] a.C : deprecated error path']),
    ('python warnings', False, ['/app/x.py:3: DeprecationWarning: x', '  y = z', 'INFO:root:a']),
    ('Rails requests', False, ['I, [2026-11-22T03:00:01.1 #1]  INFO -- : Started GET "/errors" for 10.0.1.5', 'I, [2026-11-22T03:00:01.1 #1]  INFO -- : Completed 200 OK in 5ms']),
    ('JSON without levels', False, ['{"ts": 1, "msg": "a", "took": 500}', '{"ts": 2, "msg": "payment 1 booked", "status": "done"}']),
    ('pairs without levels', False, ['ts=1 op=a status=done took=500', 'ts=2 op=b result=success errors=0']),
    ('Next start', False, ['   ▲ Next.js 15.1.0', ' ✓ Starting...', ' ✓ Ready in 500ms', ' GET /error 200 in 500ms']),
    (
        "settings behind what announces them",
        False,
        ["2026-11-22 03:00:01 INFO configuration:\n  error_page: /500\n  on_error: retry"],
    ),
    ("an error behind what announces it", True, ["2026-11-22 03:00:01 INFO it ended with:\n  error: boom"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "lines"), MIXTURES, ids=[name for name, _wanted, _lines in MIXTURES])
def test_a_mixture_is_read_line_by_line(name, wanted, lines):
    errors, understood = read(lines)
    assert bool(errors or understood.doubtful) is wanted
