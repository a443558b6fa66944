# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What psql is told to read, and what its output says. Pure: no AWS, no database, no Ansible."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.catalogue import (
    DRAW,
    LEDGER_NAME,
    LEDGER_ROWS,
    LEDGER_STATE,
    SEQUENCES,
    SET,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import SequenceMove, sequence_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.warm import (
    PARTS,
    RANGES_ONLY,
    READ,
    STREAMS,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import (
    DataRule,
    questions,
    rule_seen,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import (
    MIGRATIONS_TABLE,
    Migration,
    record,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
    DatabaseContents,
    DatabaseLogin,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database import sequences

_COMPLETE = {"complete": True}
TOO_LONG = "57014"  # SQLSTATE query_canceled: the statement timeout
_NO_PSQL = re.compile(r"psql: .*not found")
_ERROR = re.compile(r"(?:ERROR|FATAL|PANIC): +(?P<sqlstate>[0-9A-Z]{5}): ")

# \gexec runs each row of an answer as a statement of its own. Names come from the catalogue and are quoted by the server.
_TABLES = """FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
_SCRIPT = r"""\set ON_ERROR_STOP on
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = {milliseconds};
SET LOCAL timezone = 'UTC';
SELECT json_build_object('server_version', current_setting('server_version'));
SELECT json_build_object('tables', coalesce(json_agg(c.relname ORDER BY c.relname), '[]')) {tables};
SELECT format('SELECT json_build_object(''migration'', migration_name, ''started'', started_at, ''finished'', finished_at IS NOT NULL, '
'''rolled_back'', rolled_back_at IS NOT NULL) FROM %I.%I ORDER BY started_at, migration_name', n.nspname, c.relname) {tables} AND c.relname = {migrations}
\gexec
SELECT json_build_object('ledger', ({ledger_state}));
SELECT $$SELECT json_build_object('migration', {ledger_name}, 'started', created_at, 'finished', true, 'rolled_back', false) FROM {ledger_rows}$$
WHERE ({ledger_state}) = 'read'
\gexec
\set ON_ERROR_STOP off
\set ON_ERROR_ROLLBACK on
SELECT format('SELECT json_build_object(''table'', %L, ''rows'', count(*)) FROM %I.%I', c.relname, n.nspname, c.relname) {tables}
ORDER BY c.relname
\gexec
{rules}"""
# One stream of several, beside each other.
_WARM = r"""\set ON_ERROR_STOP on
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
{ranges_only};
SELECT format('SELECT json_build_object(''warmed'', %L) FROM ({read}) read', w.name, w.nspname, w.relname,
'(' || w.first || ',0)', '(' || w.after || ',0)') FROM ({parts}) w
\gexec
"""
# Each sequence as a line of its own, and then how many there are: a log may lose some.
_SEQUENCES = r"""\set ON_ERROR_STOP on
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = {milliseconds};
WITH found(oid, nspname, relname, increment, minimum, maximum, cycles, columns, start, selects, updates, uses, last) AS ({sequences})
SELECT format('SELECT json_build_object(''of'', %L, ''sequence'', %L::json, ''value'', %s)%s', {whose}, json_build_array(oid, nspname, relname,
increment, minimum, maximum, cycles, columns, start, selects, updates, uses, last),
CASE WHEN selects THEN 'json_build_array(last_value, is_called)' ELSE 'NULL' END, CASE WHEN selects THEN format(' FROM %I.%I', nspname, relname) END)
FROM found UNION ALL SELECT format('SELECT json_build_object(''of'', %L, ''sequences'', %s)', {whose}, count(*)) FROM found
\gexec
"""
_MOVES = r"""\set ON_ERROR_STOP on
SET statement_timeout = {milliseconds};
{moves};
SELECT json_build_object('complete', true);
"""
RESTORED, FAILED = "restored", "failed"
_READ = READ.format(table="%I.%I", first="%L", after="%L")
_COLUMNS = r"""SELECT json_build_object('columns_of', {table}, 'columns', coalesce(json_agg(a.attname), '[]')) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = {schema} AND c.relname = {table} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped;
"""
# The condition is somebody's SQL: as a literal, psql looks for no commands and variables of its own in it. What the server answers is reported
# with the question's number, because stderr has no order beside stdout.
_QUESTION = r"""SELECT {question}
\gexec
SELECT json_build_object('refused', {number}, 'sqlstate', :'SQLSTATE', 'said', :'LAST_ERROR_MESSAGE') WHERE :'ERROR'::boolean;
"""


def command(
    target: DatabaseLogin, timeout: int, warm: Collection[str], rules: Sequence[DataRule] = (), sequences: bool = False
) -> str:
    """What ``sh -c`` is given so that psql reads a database. The URL is taken from DATABASE_URL, and nothing secret is in the text.

    :param target: DatabaseLogin; its options replace those of the URL, some of which only Prisma understands.
    :param timeout: seconds that opening the connection, and each statement but warming, may take.
    :param warm: names of tables (list of str) that are read whole, in this order, in STREAMS at once.
    :param rules: DataRules that are asked.
    :param sequences: whether the sequences of this database and of the one of FAILED_DATABASE_URL are read, last of all.
    """
    script = _SCRIPT.format(
        milliseconds=timeout * 1000,
        tables=_TABLES.format(schema=_literal(target.schema)),
        migrations=_literal(MIGRATIONS_TABLE),
        ledger_state=LEDGER_STATE,
        ledger_name=LEDGER_NAME,
        ledger_rows=LEDGER_ROWS,
        rules=_asked(target.schema, rules),
    )
    streams = [_warm(target.schema, warm, part) for part in range(STREAMS)] if warm else []
    beside = "".join("printf %%s %s | ask & " % shlex.quote(stream) for stream in streams)
    last = _both(timeout) if sequences else ""
    end = "echo %s" % shlex.quote(json.dumps(_COMPLETE))
    return "%s; printf %%s %s | ask && { %swait; %s%s; }" % (
        _way(target, timeout),
        shlex.quote(script),
        beside,
        last,
        end,
    )


def move_command(target: DatabaseLogin, timeout: int, moves: Iterable[SequenceMove]) -> str:
    """What ``sh -c`` is given so that psql makes SequenceMoves in the database of DATABASE_URL, one after the other."""
    script = _MOVES.format(milliseconds=timeout * 1000, moves=";\n".join(map(_move, moves)))
    return "%s; printf %%s %s | ask" % (_way(target, timeout), shlex.quote(script))


def _way(target: DatabaseLogin, timeout: int) -> str:
    """Shell that defines ``ask``, which gives its standard input to psql at the URL of DATABASE_URL."""
    options = {"application_name": "spymeo.rollback", "connect_timeout": str(timeout), **dict(target.options)}
    query = "&".join("%s=%s" % (name, quote(value, safe="")) for name, value in options.items())
    # ${…%%\?*} is the URL up to its question mark. The application does not see a newline that an editor has left in it.
    call = 'psql --no-psqlrc --tuples-only --no-align --quiet --set VERBOSITY=verbose "${url%%\\?*}"'
    return "%s; ask() { %s%s; }" % (_url("DATABASE_URL"), call, shlex.quote("?" + query))


def _url(variable: str) -> str:
    return "url=$(printf %%s \"$%s\" | tr -d '\\001-\\037' | sed 's/^ *//; s/ *$//')" % variable


def _both(timeout: int) -> str:
    """Shell that reads the sequences of both databases; one that does not answer is missing in the output, and no error."""
    parts = dict(sequences=SEQUENCES, milliseconds=timeout * 1000)
    scripts = [_SEQUENCES.format(whose=_literal(whose), **parts) for whose in (RESTORED, FAILED)]
    restored, failed = ("printf %%s %s | ask 2>/dev/null; " % shlex.quote(script) for script in scripts)
    return "%s%s; %s" % (restored, _url("FAILED_DATABASE_URL"), failed)


def _move(move: SequenceMove) -> str:
    sequence = move.sequence
    return (SET if sequence.sets else DRAW).format(
        oid=sequence.oid,
        to=move.to,
        steps=move.steps,
        before=sequence.before,
        sequence="%s.%s" % (_identifier(sequence.schema), _identifier(sequence.name)),
    )


def _warm(schema: str, tables: Iterable[str], part: int) -> str:
    """What psql is told of one stream's part."""
    names = "ARRAY[%s]" % ", ".join(_literal(name) for name in tables)
    parts = PARTS.format(schema=_literal(schema), tables=names, part=part, streams=STREAMS)
    return _WARM.format(ranges_only=RANGES_ONLY, read=_READ, parts=parts)


def _asked(schema: str, rules: Sequence[DataRule]) -> str:
    """The part of the script that asks DataRules. A question's number is its place in _numbered."""
    columns = [_COLUMNS.format(schema=_literal(schema), table=_literal(rule.table)) for rule in rules]
    counts = []
    for number, (table, condition, most) in enumerate(_numbered(rules)):
        query = "SELECT json_build_object('answer', %d, 'rows', count(*)) FROM (SELECT 1 FROM %s.%s WHERE (%s) LIMIT %d) found"
        told = query % (number, _identifier(schema), _identifier(table), condition, most)
        counts.append(_QUESTION.format(question=_literal(told), number=number))
    return "".join(columns + counts)


def _numbered(rules: Iterable[DataRule]) -> list[tuple[str, str, int]]:
    """(table, SQL condition, up to how many rows) of each question that DataRules come to."""
    return [(rule.table, condition, most) for rule in rules for condition, most in questions(rule)]


def _identifier(name: str) -> str:
    return '"%s"' % name.replace('"', '""')


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return "E'%s'" % escaped


def is_complete(lines: Iterable[str]) -> bool:
    """Whether psql has come to the end of its script."""
    return any(line.startswith("{") and json.loads(line) == _COMPLETE for line in lines)


def read_psql(lines: Iterable[str], rules: Sequence[DataRule] = ()) -> tuple[DatabaseContents, list[str]]:
    """The DatabaseContents and the names of the warmed tables, out of the lines of psql's output.

    :param rules: the DataRules that were asked.
    :raises DatabaseRefused: psql, libpq or the server said why it cannot be read. The message may hold the password.
    :raises RollbackError: the output does not come to its end, and nothing in it says why.
    """
    told: list[str] = []
    said: list[str] = []
    for line in lines:
        (told if line.startswith("{") else said).append(line)
    answers = [json.loads(line) for line in told]
    expected = [answer["said"] for answer in answers if "refused" in answer]
    said = [line for line in said if not any(text in line for text in expected)]
    _refuse(said)
    if _COMPLETE not in answers:
        _refuse(said, or_else=True)
        raise RollbackError("The probe's task ended before psql's output did, and gave no reason.", told[-3:])
    rows = {answer["table"]: answer["rows"] for answer in answers if "table" in answer}
    tables = next(answer["tables"] for answer in answers if "tables" in answer)
    migrations = tuple(_migration(answer) for answer in answers if "migration" in answer)
    state = next((answer["ledger"] for answer in answers if "ledger" in answer), "none")
    there = MIGRATIONS_TABLE in tables
    known, unread = record(migrations if there else None, () if there else migrations, state)
    counted = _Counted(answers, rules)
    seen = DatabaseContents(
        server_version=next(answer["server_version"] for answer in answers if "server_version" in answer),
        migrations=known,
        unread=unread,
        rows=tuple((table, rows.get(table)) for table in tables),
        rules=tuple(rule_seen(counted, rule) for rule in rules),
    )
    return seen, list(dict.fromkeys(answer["warmed"] for answer in answers if "warmed" in answer))


def _migration(answer: dict[str, Any]) -> Migration:
    started = datetime.fromisoformat(answer["started"])
    return Migration(answer["migration"], started, answer["finished"], answer["rolled_back"])


def sequences_in(lines: Iterable[str]) -> dict[str, tuple[sequences.Sequence, ...]]:
    """The Sequences of each database (RESTORED, FAILED) that has told all of its own, out of the lines of psql's output."""
    answers = [json.loads(line) for line in lines if line.startswith("{")]
    found: dict[str, tuple[sequences.Sequence, ...]] = {}
    for whose in (RESTORED, FAILED):
        told = [answer for answer in answers if answer.get("of") == whose]
        read = [sequence_of(answer["sequence"], answer["value"]) for answer in told if "sequence" in answer]
        if [answer["sequences"] for answer in told if "sequences" in answer] == [len(read)]:
            found[whose] = tuple(read)
    return found


def refuse_unmoved(lines: Sequence[str]) -> None:
    """
    :raises DatabaseRefused: psql has not made all SequenceMoves; what was said may hold the password.
    :raises RollbackError: it has not come to its end, and nothing says why.
    """
    said = [line for line in lines if not line.startswith("{")]
    _refuse(said, or_else=not is_complete(lines))
    if not is_complete(lines):
        raise RollbackError("The task ended before psql's output did, and gave no reason.", lines[-3:])


class _Counted:
    """What psql has answered about the tables of DataRules, asked as _postgresql.gateway.Tables is."""

    def __init__(self, answers: Collection[dict[str, Any]], rules: Iterable[DataRule]) -> None:
        self._columns = {item["columns_of"]: set(item["columns"]) for item in answers if "columns_of" in item}
        self._numbers = {question: number for number, question in enumerate(_numbered(rules))}
        self._rows: dict[int, int] = {item["answer"]: item["rows"] for item in answers if "answer" in item}
        self._refused = {item["refused"]: item for item in answers if "refused" in item}

    def columns(self, table: str) -> set[str]:
        """The columns of a table (set of str)."""
        return self._columns[table]

    def count(self, table: str, condition: str, most: int) -> int:
        """How many rows were counted, up to ``most``, which may be less than what was asked for.

        :raises DatabaseRefused: the server did not take the condition.
        """
        number = next(
            place for asked, place in self._numbers.items() if asked[:2] == (table, condition) and asked[2] >= most
        )
        if number in self._rows:
            return min(self._rows[number], most)
        refused = self._refused.get(number, {})
        raise DatabaseRefused(refused.get("sqlstate"), refused.get("said", "psql gave no answer"))


def _refuse(said: Iterable[str], or_else: bool = False) -> None:
    """Raise DatabaseRefused for the first error that is not a count which took too long; ``or_else`` for whatever was said."""
    for line in said:
        if _NO_PSQL.search(line):
            raise RollbackError(
                "The image of rollback_db_probe_image has no psql. Name one that has sh and psql.", [line]
            )
        found = _ERROR.search(line)
        if found and found["sqlstate"] != TOO_LONG:
            raise DatabaseRefused(found["sqlstate"], line)
    if or_else and said:
        raise DatabaseRefused(None, " ".join(said))
