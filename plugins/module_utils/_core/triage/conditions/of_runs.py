# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was tried before. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_answers,
    of_database,
    of_deployments,
    of_tasks,
    of_users,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import Words, ago, listed

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
        RunSeen,
    )

TRIED = timedelta(hours=24)
_ENDS = ("complete", "unverified")


def _runs(evidence: Evidence) -> list[RunSeen]:
    """The runs of the last day that were not undone and after which no release was deployed, newest first."""
    newest = max(of_tasks.times_of_fresh(evidence), default=None)
    late = [run for run in evidence.runs if evidence.at - run.at <= TRIED and not run.undone]
    return [run for run in late if not (newest and newest > run.at)]


def _run_with(evidence: Evidence, part: str) -> RunSeen | None:
    """The newest of them that has done this and came to its end, or None."""
    return next((run for run in _runs(evidence) if part in run.parts and run.outcome in _ENDS), None)


def _tried(evidence: Evidence, run: RunSeen | None) -> Words | None:
    return dict(run=run.id, kind=run.kind, ago=ago(evidence, run.at)) if run else None


def data_taken_back(evidence: Evidence) -> Words | None:
    """The data were taken back lately, and they are harmed."""
    return _tried(evidence, _run_with(evidence, "restore")) if of_database.data_harmed(evidence) is not None else None


def code_taken_back(evidence: Evidence) -> Words | None:
    """The code was taken back lately, and something is wrong all the same."""
    wrong = (
        of_users.felt(evidence) is not None
        or of_database.data_harmed(evidence) is not None
        or of_answers.broken_steps(evidence)
    )
    return (
        _tried(evidence, _run_with(evidence, "deployment")) if of_deployments.brought_back(evidence) and wrong else None
    )


def tried(evidence: Evidence) -> Words | None:
    """The newest run that deployed or restored something within a day, whatever it came to, and no release came after it."""
    done = next((run for run in _runs(evidence) if {"deployment", "restore"} & set(run.parts)), None)
    return _tried(evidence, done)


def _undone(evidence: Evidence, part: str) -> Words | None:
    """The newest rollback of the last day that has done this and was undone, and nothing was deployed since, or None."""
    newest = max(of_tasks.times_of_fresh(evidence), default=None)
    for run in evidence.runs:
        if not run.undone or evidence.at - run.undone > TRIED or part not in run.parts:
            continue
        if not newest or newest <= run.undone:
            return dict(run=run.id, kind=run.kind, ago=ago(evidence, run.undone), by=run.undone_by)
    return None


def run_failed(evidence: Evidence) -> Words | None:
    """The newest rollback of the last day changed something and failed."""
    newest = next(iter(_runs(evidence)), None)
    return _tried(evidence, newest) if newest and newest.outcome == "failed" and newest.parts else None


def code_undone(evidence: Evidence) -> Words | None:
    """The code was taken back lately, and that was undone."""
    return None if of_deployments.brought_back(evidence) else _undone(evidence, "deployment")


def data_undone(evidence: Evidence) -> Words | None:
    """The data were taken back lately, and that was undone, and they are harmed."""
    return _undone(evidence, "restore") if of_database.data_harmed(evidence) is not None else None


def came_or_unknown(evidence: Evidence) -> str:
    """The names of the migrations that came since the release before served, what is not known of them, or empty."""
    if of_database.came_since(evidence) is None:
        return "whether a migration came since the release before served is not known"
    came = of_database.unproven_came(evidence)
    return "%s came since the release before served; that it only adds is not proven" % came["names"] if came else ""


def unfinished(evidence: Evidence) -> Words | None:
    """A run was not finished."""
    run = evidence.unfinished
    return dict(run=run.id, kind=run.kind) if run else None


def apart(evidence: Evidence) -> Words | None:
    """Whatever is deployed would read another database than what runs, so that plans refuse it."""
    return dict(told=evidence.apart.words) if evidence.apart else None


def at_work(evidence: Evidence) -> Words | None:
    """A run works on the application now."""
    return dict(told=evidence.at_work) if evidence.at_work else None


def does_not_come_up(evidence: Evidence) -> str:
    """Why what runs does not come up, for people; empty where it does, or where its services are to run nothing."""
    looped, ended, failed = (
        of_tasks.crash_loop(evidence),
        of_tasks.tasks_end(evidence),
        of_tasks.deployment_failed(evidence),
    )
    seen = looped or ended
    if seen and not of_deployments.fenced(evidence):
        return "%(count)s tasks of %(release)s ended, and %(running)s of %(desired)s run" % seen
    return "ECS has given up deploying %(release)s to %(service)s" % failed if failed else ""


def same_release(evidence: Evidence) -> Words | None:
    """Something is known against the release that a rollback would bring back."""
    found = [
        (service, text)
        for service in of_tasks.services_in(evidence)
        if not service.brought_back
        for text in service.against
    ]
    return dict(release=found[0][0].before, why=listed(text for _service, text in found)) if found else None
