# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations, as lines: what the database has had that a release does not know. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, first_line
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published, Result

_LATER = "migrations: the database has %s, which came after this release; by its name it takes nothing away"
_TAKEN = "migrations: %s has %s, which by its name takes something away, and the code that stays came before it;"
_TAKEN_THEN = "an undo brings the two together again, and is refused without -e rollback_despite_migrations=true"


def migrations_of_plan(seen: Published) -> list[Line]:
    """What the plan says of them (list of Line)."""
    additive = [_additive(item) for item in seen.migrations.get("additive_migrations") or []]
    later = [Line("BEWARE", _LATER % name) for name in seen.migrations.get("later_migrations") or []]
    taken = [
        Line("BEWARE", _TAKEN % (seen.database["db_instance"], name), (_TAKEN_THEN,))
        for name in seen.database.get("taken_away") or []
    ]
    return [*additive, *later, *taken, *accepted(seen.migrations, "this release", "the release")]


def _additive(item: Result) -> Line:
    return Line("BEWARE" if item["beware"] else "NOTE", _ADDITIVE % item["name"], tuple(item["beware"]))


_ADDITIVE = "migrations: the database has %s, which came after this release; its statements were read: it only adds, and this release can run with it"


def accepted(migrations: Result, it: str, who: str) -> list[Line]:
    """What an operator has answered for, and what could not be asked (list of Line).

    :param it: what may not know a migration, in the sentence of one migration; ``who``: in the sentence of all.
    """
    lines = [
        Line(
            "BEWARE",
            "migrations: the database has %s, which %s does not know:" % (name, it),
            ("its code may fail on that schema; it is let through by rollback_despite_migrations",),
        )
        for name in migrations.get("accepted_migrations") or []
    ]
    if "msg" not in migrations:
        return lines
    unchecked = "not checked: whether %s knows every migration of the database: %s"
    return [*lines, Line("BEWARE", unchecked % (who, first_line(migrations["msg"])))]
