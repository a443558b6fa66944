# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person is told when ansible-playbook is ended by a signal: which run was under way, and how to go on with it. Pure.

A run is known from the results of the modules that begin and end it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.spymeo.rollback.plugins.plugin_utils._waits import plain

AWX = ("JOB_ID", "AWX_ISOLATED_DATA_DIR")  # in the environment of a job
LEASE = 60  # seconds, where the result does not tell
_LOOKED, _TOOK, _ENDED = "rollback_run", "rollback_begin", "rollback_end"
_FENCING = {"ecs_fence": True, "ecs_rollback": False}  # what a fence brings to 0, the deployment brings back


@dataclass(frozen=True)
class Run:
    """A run of a host that has not ended. ``lease``: how long its lock holds without being renewed (seconds); 0: it has none yet.
    ``fenced``: whether it has brought the services to 0 tasks. ``by_id``: whether its id goes on with it; the same command does otherwise."""

    run_id: str
    lease: int = 0
    fenced: bool = False
    by_id: bool = True


def heard(runs: Mapping[str, Run], host: str, action: str, result: Mapping[str, Any]) -> Mapping[str, Run]:
    """The runs (host → Run) after a task of that action has ended well with that result (dict)."""
    module = action.rpartition(".")[2]
    if module == _LOOKED and result.get("alone") is True and isinstance(result.get("run_id"), str):
        return {**runs, host: Run(plain(result["run_id"]), by_id=result.get("by_id") is not False)}
    if module == _TOOK and isinstance(result.get("run"), dict) and result["run"]:
        run_id = plain(str(result.get("record")).rpartition("/")[2])
        known = runs.get(host, Run(run_id))
        return {**runs, host: replace(known, run_id=run_id, lease=result["run"].get("lease") or LEASE)}
    if module in _FENCING and host in runs and runs[host].lease:
        return {**runs, host: replace(runs[host], fenced=_FENCING[module])}
    if module == _ENDED:
        return {name: run for name, run in runs.items() if name != host}
    return runs


def stopped(
    signal_name: str,
    runs: Mapping[str, Run],
    task: str,
    command: Callable[[str | None, str | None], str],
    environment: Mapping[str, str],
) -> list[str]:
    """The lines (list of str) for a person; none where no run was under way.

    :param signal_name: such as SIGTERM.
    :param runs: host → Run.
    :param task: name of the task that was under way, empty when none was.
    :param command: callable: the id of a run, or None for one that takes none, and its host or None where it is the only one → the command
        that goes on with it.
    :param environment: of the process; in AWX nobody can paste a command.
    """
    lines = []
    for host, run in sorted(runs.items()):
        during = " during the task '%s'" % plain(task) if task else ""
        lines.append("STOPPED   by %s%s: run %s of %s has not ended." % (signal_name, during, run.run_id, host))
        if not run.lease:
            lines.append("          It had not taken its lock, so it has changed nothing. Start again as before.")
            continue
        lines.append(
            "          AWS may go on with what was asked for. The lock of the run is free once its lease has ended, within %d s."
            % run.lease
        )
        if run.fenced:
            lines.append(
                "          The services stand at 0 tasks (rollback_fence): nobody is served until the run goes on, so go on at once."
            )
        lines.append(
            "NEXT      %s"
            % _next(run.run_id if run.by_id else None, None if len(runs) == 1 else host, command, environment)
        )
    return lines


def _next(
    run_id: str | None,
    host: str | None,
    command: Callable[[str | None, str | None], str],
    environment: Mapping[str, str],
) -> str:
    if any(environment.get(name) for name in AWX):
        return "Launch the job template again%s" % (
            " with the extra variable rollback_run_id: %s" % run_id if run_id else ""
        )
    return command(run_id, host)
