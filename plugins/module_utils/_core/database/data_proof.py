# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the data of a restored database are those that are wanted: what is known of them beforehand, beside what is there. Pure.

A database that answers proves nothing. What is known comes from the inventory's rules, from the release point, and from the failed database.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import differences
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import MIGRATIONS_TABLE
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
        DatabaseContents,
        DatabaseLogin,
    )

FEWEST = 0.5  # of the rows that were there: so many may have been deleted in a day's work before anybody has to look
# The options of the modules that look at data (doc fragment "data").
DATA = dict(
    expected=dict(type="dict"),
    data_rules=dict(type="dict", default={}),
    despite_data=dict(type="list", elements="str", default=[]),
)
_RULE_OF = "rule of "
_EVERYTHING = "true"
_OF_RULE = {"whole": PASSED, "unknown": INCONCLUSIVE}


@dataclass(frozen=True)
class Counterpart:
    """A table of the failed database: its ``rows``, and how many of them were ``created`` since the time of the data. None where not counted."""

    rows: int | None = None
    created: int | None = None

    @property
    def before(self) -> int | None:
        """How many of its rows were there at the time of the data already, None where that is not known."""
        return None if self.rows is None or self.created is None else max(self.rows - self.created, 0)


@dataclass(frozen=True)
class Expected:
    """What is known of the data beforehand.

    ``migrations`` are the names that have to be applied, no more and no less; None where that is not known. ``rows``: table → rows that the
    release point counted. ``failed``: table → Counterpart, in the failed database. ``later`` says that the failed database has migrations
    that the data do not have, so that it may have tables which they lack.
    """

    migrations: tuple[str, ...] | None = None
    rows: dict[str, int | None] = field(default_factory=dict)
    failed: dict[str, Counterpart] = field(default_factory=dict)
    later: bool = False

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Expected:
        """From what ``to_json`` gives; an empty dict is nothing known."""
        names = told.get("migrations")
        failed = {table: Counterpart(item["rows"], item["created"]) for table, item in told.get("failed", {}).items()}
        return cls(
            None if names is None else tuple(names), dict(told.get("rows", {})), failed, told.get("later", False)
        )

    def to_json(self) -> dict[str, Any]:
        """In JSON types."""
        failed = {table: dict(rows=item.rows, created=item.created) for table, item in self.failed.items()}
        migrations = None if self.migrations is None else list(self.migrations)
        return dict(migrations=migrations, rows=self.rows, failed=failed, later=self.later)


def seen_before(expected: Expected, seen: DatabaseContents) -> Expected:
    """The Expected of a later look at the same database, an DatabaseContents of which was proven: nobody has migrated or emptied it since."""
    applied = None if seen.migrations is None else tuple(item.name for item in seen.migrations if item.applied)
    return Expected(applied if expected.migrations is None else expected.migrations, dict(seen.rows))


def prove(expected: Expected, seen: DatabaseContents, despite: Collection[str] = ()) -> list[Finding]:
    """The Findings of an DatabaseContents beside what was Expected.

    :param despite: what the operator says to be right all the same: names of tables, ``migrations``, ``tables``; ``true`` is everything.
    """
    found = [*_tables(expected, seen), *_rows(expected, seen), *_migrations(expected, seen), *_rules(seen)]
    if seen.rows and not (seen.rules or expected.rows or expected.failed):
        what = "nothing tells what they should be like: there is neither a rule of the inventory, nor a release point, nor a failed database to compare with"
        found.append(_data(INCONCLUSIVE, "tables and rows", what))
    everything = _EVERYTHING in map(str.lower, despite)
    return [finding.unless(everything or _named(finding) in despite) for finding in found]


def all_the_same(found: Iterable[Finding]) -> str:
    """For people, the option that has what is wrong among the Findings taken for right, and nothing else."""
    names = list(dict.fromkeys(_named(finding) for finding in found if finding.verdict == FAILED))
    plain = all(re.fullmatch(r"\w+", name) for name in names)
    option = "rollback_despite_data=" + ",".join(names) if plain else json.dumps(dict(rollback_despite_data=names))
    return "Where that is right all the same: -e %s." % shlex.quote(option)


def _named(finding: Finding) -> str:
    """The name by which an operator means it: the table that it is about."""
    return finding.subject.removeprefix(_RULE_OF)


def refuse(found: Collection[Finding], place: DatabaseLogin) -> None:
    """Stop when the data are not those that are wanted.

    :param place: DatabaseLogin, for people.
    :raises RollbackError: a Finding has failed; the evidence names each.
    """
    wrong = [finding for finding in found if finding.verdict == FAILED]
    if wrong:
        text = (
            "The data of %s are not those that are wanted. "
            "Choose others (rollback_snapshot, rollback_snapshot_before, rollback_point_in_time). %s"
        )
        lines = ["%s %s: %s" % (finding.check, finding.subject, finding.what) for finding in wrong]
        raise RollbackError(text % (place.place, all_the_same(found)), lines, dict(connected=True))


def proven(params: Mapping[str, Any], place: DatabaseLogin, seen: DatabaseContents) -> dict[str, Any]:
    """The result (dict) of a module with the options DATA, for an DatabaseContents of a DatabaseLogin.

    :raises RollbackError: the data are not those that are wanted.
    """
    wanted = Expected.from_json(params["expected"] or {})
    asked = params["expected"] is not None or params["data_rules"]
    found = prove(wanted, seen, params["despite_data"]) if asked else []
    refuse(found, place)
    told = [
        dict(check=item.check, subject=item.subject, verdict=item.verdict, what=item.what, cure=item.cure)
        for item in found
    ]
    return dict(findings=told, expected_later=seen_before(wanted, seen).to_json())


def _data(verdict: str, subject: str, what: str) -> Finding:
    finding = Finding("data", subject, verdict, what)
    return replace(finding, cure=all_the_same([finding])) if verdict == FAILED else finding


def _tables(expected: Expected, seen: DatabaseContents) -> Iterator[Finding]:
    there = {table for table, _rows in seen.rows}
    if not there:
        yield _data(FAILED, "tables", "there is not one")
        return
    for table in sorted(set(expected.rows) - there):
        yield _data(FAILED, table, "the table is not there, and the release point had it")
    for table in sorted(set(expected.failed) - there - set(expected.rows)):
        if expected.later:
            yield _data(
                NOTED, table, "the table is not there; a later migration may have made it in the failed database"
            )
        else:
            yield _data(FAILED, table, "the table is not there, and the failed database has it")


def _rows(expected: Expected, seen: DatabaseContents) -> Iterator[Finding]:
    for table, count in seen.rows:
        if table == MIGRATIONS_TABLE:
            continue
        there, told = _at_least(table, expected)
        if count is None:
            yield _data(INCONCLUSIVE, table, "counting its rows took too long")
        elif there is None:
            yield from _undated(table, count, expected.failed.get(table))
        elif count < there * FEWEST or (there and not count):
            yield _data(FAILED, table, "it has %d rows, and %s" % (count, told % there))
        else:
            yield _data(PASSED, table, "it has %d rows, and %s" % (count, told % there))


def _at_least(table: str, expected: Expected) -> tuple[int | None, str]:
    """(how many rows there were at the time of the data, None where nobody knows; in words)."""
    recorded = expected.rows.get(table)
    if recorded is not None:
        return recorded, "had %d before"
    failed = expected.failed.get(table)
    return (failed.before if failed else None), "%d rows of the failed database are older than the data"


def _undated(table: str, count: int, failed: Counterpart | None) -> Iterator[Finding]:
    """Nothing tells when the rows of the failed database were created: a table that has much less is for a person to look at."""
    if failed and failed.rows and count < failed.rows * FEWEST:
        what = "it has %d rows; the failed database has %d, of which nothing tells when they were created"
        yield _data(NOTED, table, what % (count, failed.rows))


def _migrations(expected: Expected, seen: DatabaseContents) -> Iterator[Finding]:
    if expected.migrations is not None:
        found = differences(expected.migrations, seen.migrations)
        known = "as expected: %d" % len(expected.migrations)
    else:
        failed = [item.name for item in seen.migrations or () if item.failed]
        found = ["%s failed half-way (Prisma calls that P3009)" % name for name in failed]
        known = "none failed half-way; nothing tells which ones there should be"
    yield from [_data(FAILED, "migrations", what) for what in found]
    if not found:
        yield _data(PASSED, "migrations", known)


def _rules(seen: DatabaseContents) -> Iterator[Finding]:
    for rule in seen.rules:
        yield _data(_OF_RULE.get(rule.verdict, FAILED), _RULE_OF + rule.table, rule.words)
