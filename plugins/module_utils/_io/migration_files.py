# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations as files, read by PostgreSQL's own parser (libpg_query, by pglast)."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

try:
    from pglast.parser import ParseError, parse_sql_json
except ImportError:
    HAS_PGLAST = False
else:
    HAS_PGLAST = True

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.classify import GivenMigration

LARGEST = 4 * 1024 * 1024  # bytes of a file; one with more is data, not a migration
NEEDS = "python3 -m pip install 'pglast>=7'"


def read_migrations(given: str) -> list[GivenMigration]:
    """The migrations, in the order of their names.

    :param given: a directory with Prisma's ``NAME/migration.sql``, one with files ``NAME.sql``, or such a file.
    :raises BadInput: there is nothing of that kind, or it cannot be read.
    :raises RollbackError: pglast is not there.
    """
    if not HAS_PGLAST:
        raise RollbackError("Migrations are read with pglast, which this Python does not have: %s" % NEEDS)
    try:
        files = _files(Path(given).expanduser(), given)
    except (
        OSError,
        RuntimeError,
    ) as error:  # a user that is not there, a name that is too long, a folder that may not be read
        raise BadInput("migrations", given, "it cannot be read (%s)" % error) from error
    return [_migration(name, file, given) for name, file in sorted(files.items())]


def _files(path: Path, given: str) -> dict[str, Path]:
    if path.is_file():
        return {path.parent.name if path.name == "migration.sql" else path.stem: path}
    if not path.is_dir():
        raise BadInput("migrations", given, "there is no such directory or file")
    folders = [item for item in path.iterdir() if item.is_dir() and not item.name.startswith(".")]
    found = {folder.name: folder / "migration.sql" for folder in folders}
    missing = sorted(name for name, file in found.items() if not file.exists())
    if found and len(missing) < len(found):
        if missing:  # Prisma refuses such a folder, too (P3015)
            raise BadInput("migrations", given, "there is no migration.sql in %s" % ", ".join(missing))
        return found
    loose = {file.stem: file for file in path.glob("*.sql")}
    if not loose:
        raise BadInput("migrations", given, "there is no NAME/migration.sql and no NAME.sql in it")
    return loose


def _migration(name: str, file: Path, given: str) -> GivenMigration:
    try:
        if not file.is_file():
            raise BadInput("migrations", given, "%s is no file" % file)
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("migrations", given, "%s cannot be read (%s)" % (file, type(error).__name__)) from error
    if len(raw) > LARGEST:
        raise BadInput("migrations", given, "%s has more than %d MiB" % (file, LARGEST // 1024 // 1024))
    if "\0" in text:  # the parser would stop there, and take the rest for nothing
        raise BadInput("migrations", given, "%s has a zero byte in it" % file)
    unix = raw.replace(b"\r\n", b"\n")
    forms = dict.fromkeys((raw, unix, unix.replace(b"\n", b"\r\n")))
    return GivenMigration(name, _parsed(text, file, given), tuple(sha256(form).hexdigest() for form in forms))


def _parsed(text: str, file: Path, given: str) -> list[dict[str, Any]]:
    try:
        tree = json.loads(parse_sql_json(text))
    except ParseError as error:
        at = text.count("\n", 0, error.args[1] if len(error.args) > 1 else 0) + 1
        problem = "line %d of %s is no SQL of PostgreSQL's: %s" % (at, file, error.args[0])
        raise BadInput("migrations", given, problem) from error
    except RecursionError:
        raise BadInput("migrations", given, "%s has an expression that is too deep to be read" % file) from None
    return [item["stmt"] for item in tree.get("stmts", ()) if item.get("stmt")]
