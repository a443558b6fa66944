# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs, as lines: the run at hand, what earlier ones have left, and how long it may take. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, under, utc
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import minutes


def unfinished_run(run: Mapping[str, Any], so: str, *further: str) -> list[Line]:
    """That a run was not finished, and what goes on with it (list of Line); nothing where there is none.

    :param run: dict(id, kind, command), as ``way_on.to_go_on_with`` tells it, or empty.
    :param so: what follows from that, as it goes on after "was not finished".
    :param further: what else there is to be said.
    """
    if not run:
        return []
    told = "run %s (%s) was not finished%s. " % (run["id"], run["kind"], so)
    if not run["command"]:
        return [Line("RUNS", told + "Its own playbook and -e rollback_run_id=%s go on with it." % run["id"], further)]
    return [Line("RUNS", told + "This goes on with it:", (run["command"], *further))]


def half_of_it(run: Mapping[str, Any]) -> list[Line]:
    """The same, for who only looks (list of Line)."""
    return unfinished_run(run, ", so what is there may be half of it")


def later(texts: Iterable[str], finish: str) -> list[Line]:
    """What earlier runs have left to be finished, and the command that does (list of Line)."""
    lines = under("LATER", texts)
    return [*lines, Line("", "this finishes it:", (finish,))] if lines else []


def expected_times(parts: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """How long the parts of the run took lately (list of Line)."""
    if not parts:
        return []
    times = ", ".join("%s about %s" % (part, minutes(took["seconds"])) for part, took in parts.items())
    runs = max(took["runs"] for took in parts.values())
    return [Line("EXPECT", "%s (minutes:seconds; the median of up to %d runs)" % (times, runs))]


def undone(runs: Sequence[Mapping[str, Any]]) -> list[Line]:
    """That the last rollback was taken back (list of Line).

    :param runs: as ``durations.ended_rollbacks`` tells them, newest first.
    """
    if not runs or not runs[0]["undone_by"]:
        return []
    last = runs[0]
    words = "run %s (%s) was the last rollback, and run %s has undone it on %s: find out why before another one does the same"
    return [Line("BEWARE", words % (last["run_id"], last["kind"], last["undone_by"], utc(last["undone"].rstrip("Z"))))]
