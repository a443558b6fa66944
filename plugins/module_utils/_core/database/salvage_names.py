# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the files of a salvage are called, and how psql loads them. Pure.

The names of tables are whatever somebody has created, and become names of files: so they are quoted, one to one.
"""

from __future__ import annotations

import collections
import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin

SCRIPT = "load-new-rows.psql"
_LONGEST = 150  # characters, of the 255 bytes that file systems take; states and endings come behind
_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com\d|lpt\d)\Z", re.IGNORECASE
)  # Windows opens those whatever their ending is


def stems(tables: Iterable[str]) -> dict[str, str]:
    """Table (str) → what its files begin with. No two are the same, also where file systems do not tell capital letters."""
    plain = {table: _stem(table) for table in tables}
    count = collections.Counter(stem.lower() for stem in plain.values())
    return {
        table: stem if count[stem.lower()] == 1 else "%s~%s" % (stem, _digest(table, 8))
        for table, stem in plain.items()
    }


def _stem(table: str) -> str:
    quoted = "".join(letter if _PLAIN.match(letter) else _quoted(letter) for letter in table) or "%"
    if _DEVICE.match(quoted):
        quoted = _quoted(quoted[0]) + quoted[1:]
    return quoted if len(quoted) <= _LONGEST else "%s~%s" % (quoted[:100], _digest(table, 32))


def _quoted(letter: str) -> str:
    return "".join("%%%02X" % byte for byte in letter.encode("utf-8", "surrogatepass"))


def _digest(table: str, length: int) -> str:
    return hashlib.sha256(table.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def parents_first(parents: Mapping[str, Iterable[str]]) -> list[str]:
    """Tables so that each comes after those that its foreign keys name; where they name each other in a circle, by name.

    :param parents: table → iterable of tables.
    """
    order: list[str] = []
    waiting = sorted(parents)
    while waiting:
        free = [table for table in waiting if not (set(parents[table]) & set(waiting) - {table})]
        order += free or waiting[:1]
        waiting = [table for table in waiting if table not in order]
    return order


def load_script(schema: str, loads: Iterable[tuple[str, Sequence[str], str]], command: str) -> str:
    """What psql runs to load new rows, all or none of them.

    :param loads: (table, columns, file) in the order in which they can be loaded.
    :param command: how a person runs it.
    """
    lines = [
        "-- Rows that the failed database has and the restored one lacks. Nothing runs this by itself: look at the rows, take out what",
        "-- shall stay out, then load all that is left, or, if anything is refused, nothing:",
        "--   " + foreign(command),
        "\\set ON_ERROR_STOP on",
        "BEGIN;",
        *(_copy(schema, *load) for load in loads),
        "COMMIT;",
    ]
    return "\n".join(lines) + "\n"


def _copy(schema: str, table: str, columns: Sequence[str], file: str) -> str:
    names = [_identifier(name) for name in (schema, table, *columns)]
    if not all(name.isprintable() for name in (*names, file)):
        return "-- left out, because its names cannot be written in one line: " + foreign(table)
    place = "%s.%s (%s)" % (names[0], names[1], ", ".join(names[2:]))
    return "\\copy %s FROM '%s' WITH (FORMAT csv, HEADER true)" % (place, file.replace("'", "''"))


def _identifier(name: str) -> str:
    return '"%s"' % name.replace('"', '""')


def load_command(target: DatabaseLogin, path: str) -> str:
    """The command that runs the script, as it can be pasted. It asks for the password.

    :param target: _postgresql DatabaseLogin of the restored database.
    """
    parts = ["psql", "-h", target.host, "-p", str(target.port), "-U", target.user, "-d", target.database, "-f", path]
    return " ".join(shlex.quote(part) for part in parts)
