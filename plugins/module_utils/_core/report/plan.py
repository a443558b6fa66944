# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what is going to be done, why, and what it costs. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report import runs
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.code import code_of_plan, release_point
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.database import database_of_plan
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, Report, lines_read, under
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.migrations import migrations_of_plan
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.secrets import secrets_of_plan

KEPT = Line("KEPT", "nothing is deleted: no instance, no snapshot, no secret version, no task definition")
_SHOWN = 3  # services in the first line


def plan(seen: Published) -> Report:
    """The Report of what a rollback is going to do."""
    lines = [
        _opening(seen),
        *now_answers(seen.code.get("now")),
        *lines_read(seen.run.get("lines") or []),
        *runs.later(seen.run.get("unfinished") or [], seen.commands.get("finish", "")),
        *runs.expected_times(seen.run.get("expected") or {}),
        *runs.undone(seen.run.get("runs") or []),
        *release_point(seen),
        *migrations_of_plan(seen),
        *code_of_plan(seen),
        *database_of_plan(seen),
        *secrets_of_plan(seen),
        KEPT,
    ]
    return Report("plan", tuple(lines))


def now_answers(told: str | None) -> list[Line]:
    """What answers now (list of Line)."""
    return under("NOW", [told] if told else [])


def _opening(seen: Published) -> Line:
    more = ", …" if len(seen.services) > _SHOWN else ""
    # arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME
    arn = ("".join(seen.code["resources"][:1]) + ":::::").split(":")
    services = ", ".join(seen.services[:_SHOWN]) + more
    words = "run %s on %s (%s): %s in account %s, %s"
    return Line("PLAN", words % (seen.run["run_id"], seen.host, seen.environment, services, arn[4], arn[3]))
