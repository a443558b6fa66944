# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a comparison of the failed database with the one in service has found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, Report, under
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.runs import half_of_it

_LOAD = "a person decides: look at the rows, take out of the file below what shall stay out, then load what is left, all of it or nothing:"
_FORMULAS = "the files are for psql; a spreadsheet runs values that begin with = + - or @ as formulas"


@dataclass(frozen=True)
class SalvageSeen:
    """``found``: what database_salvage has told. ``unfinished_run``: of rollback_run, or empty."""

    found: Result
    unfinished_run: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False


def salvage(seen: SalvageSeen) -> Report:
    """The Report of it."""
    found = seen.found
    others = (_other(other) for other in found["others"])
    skipped = [table for table in found["tables"] if not table["compared"]]
    lines = [
        Line("SALVAGE", "%s against the database of now: %s" % (found["failed_db_instance"], found["reason"])),
        *under("BEWARE", [found["beware"]] if found["beware"] else []),
        *half_of_it(seen.unfinished_run),
        *(_table(table) for table in found["tables"] if table["compared"]),
        *under("BEWARE", ("%s was not compared: %s" % (table["name"], table["left_out"][0]) for table in skipped)),
        _next(seen),
        *under("ALSO", others),
        Line("BEWARE", _FORMULAS),
    ]
    return Report("salvage", tuple(lines))


def _table(table: Mapping[str, Any]) -> Line:
    numbers = "%(new)s new, %(changed)s changed, %(corrupted)s corrupted, %(missing)s missing" % table
    files = ["%s: %s" % pair for pair in table["files"].items()]
    left_out = ["not compared: %s" % text for text in table["left_out"]]
    return Line("TABLE", "%-24s %s" % (table["name"], numbers), (*files, *left_out))


def _next(seen: SalvageSeen) -> Line:
    if seen.found["load"]:
        return Line("NEXT", _LOAD, (seen.found["load"],))
    written = "without --check, the rows are written down"
    return Line("NEXT", written if seen.check else "there are no new rows to load back")


def _other(other: Mapping[str, Any]) -> str:
    """Another instance that holds rows, and how it is compared where it is there."""
    there = other["status"] and not other["never_served"]
    named = ": -e rollback_failed_db_instance=%s" % other["db_instance"] if there else ""
    return "%s%s" % (other["told"], named)
