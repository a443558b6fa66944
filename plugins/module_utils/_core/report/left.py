# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier runs have left, for playbooks that only look, or speak of the hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Report, first_line, under
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.runs import later, unfinished_run

_GIVE_UP = "This gives it up, and begins nothing; services at 0 tasks and settings of a fast deployment are put back:"
_UNKNOWN = "whether a fast deployment has left settings on the services is not known: %s"


@dataclass(frozen=True)
class LeftSeen:
    """``run``: what rollback_run has told. ``settings``: what ecs_finish has told in check mode, empty where it was not asked. ``finish`` and ``give_up`` are
    commands."""

    run: Result
    settings: Result = field(default_factory=dict)
    finish: str = ""
    give_up: str = ""


def left(seen: LeftSeen) -> Report:
    """The Report of it; without lines where nothing is left."""
    run, unknown = seen.run["unfinished_run"], seen.settings.get("msg")
    at_work = seen.run["at_work"]
    lines = unfinished_run(run, "", _GIVE_UP, seen.give_up) or under("RUNS", [at_work] if at_work else [])
    lines += later([*seen.run["unfinished"], *(seen.settings.get("plan") or [])], seen.finish)
    unread = under("NOTE", [_UNKNOWN % first_line(unknown)] if unknown else [])
    if not (lines or unread):
        return Report("left", ())
    return Report("left", (*lines, *under("NOTE", seen.settings.get("notes") or []), *unread))
