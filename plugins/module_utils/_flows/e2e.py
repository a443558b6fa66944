# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the application's end-to-end tests, on this machine or as a one-off task on the application's network."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.one_off_task import exit_code
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.one_off_task import (
    one_off_task_status as judge_task,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.e2e import e2e_verdict
from ansible_collections.spymeo.rollback.plugins.module_utils._io.process import run
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import Progress, teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import late_is_fine, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs_tasks import OneOffGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.command_output import Output

LOGS_LATE = 15  # seconds between a task's end and its last line in CloudWatch Logs
PURPOSE, CURE = "the end-to-end tests", "Allow it, or set rollback_e2e_runs_on to controller."


def output_path(directory: str, run_id: str) -> str:
    """The file that keeps what the tests of a run print."""
    return os.path.join(os.path.expanduser(directory), "%s-e2e.log" % run_id)


def on_controller(options: Mapping[str, Any], environment: Mapping[str, str], output: Output) -> dict[str, Any]:
    """The result of tests that run on this machine, in JSON types.

    :param options: the option ``e2e`` of a module.
    :param environment: name → value that they get besides what this process has.
    """
    progress, limit = Progress(), options["timeout"]

    def tell(elapsed: float) -> None:
        progress.tell("end-to-end tests", elapsed, limit, "they run, %d s at most" % limit, elapsed)

    code, seconds = run(options["command"], environment, options["chdir"], limit, output, tell)
    return _result(code, seconds, limit, output)


def as_task(
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    output: Output,
    gateway: OneOffGateway,
    container: Container,
    definition: str,
    placement: Mapping[str, Any],
    run_id: str,
) -> dict[str, Any]:
    """The result of tests that run as a task, in JSON types.

    :param gateway: OneOffGateway.
    :param container: Container of the task definition in which they run.
    :param definition: ARN of the task definition.
    :param placement: where the application's tasks run.
    :raises RollbackError: it could not be run, or what it wrote cannot be read.
    """
    if not (container.log_group and container.log_prefix):
        raise RollbackError(
            "Container %s of %s does not log to CloudWatch Logs with a stream prefix, so what the tests print could not be read. %s"
            % (container.name, definition, CURE)
        )
    variables = [{"name": name, "value": value} for name, value in sorted(environment.items())]
    override = dict(name=container.name, command=["sh", "-c", options["command"]], environment=variables)
    started = time.monotonic()
    task = gateway.start(definition, placement, run_id, {"containerOverrides": [override]})
    code = _await(gateway, task, container.name, options["timeout"])
    seconds = time.monotonic() - started
    stream = "%s/%s/%s" % (container.log_prefix, container.name, task.rpartition("/")[2])
    for line in _written(gateway, container.log_group, stream):
        output.add(line)
    return dict(_result(code, seconds, options["timeout"], output), task=task)


def _await(gateway: OneOffGateway, task: str, name: str, limit: float) -> int | None:
    """The exit code, or None when the task had to be ended."""
    try:
        wait_for(
            "The task %s, which runs the end-to-end tests," % task,
            lambda: judge_task(gateway.task(task), name),
            limit,
            tell=teller("end-to-end tests"),
        )
    except TimedOut as late:
        if late.absent:  # whether the tests are done, nobody knows
            raise
        gateway.stop(task, "the end-to-end tests were not done after %d s" % limit)
        return None
    return exit_code(gateway.task(task), name)


def _written(gateway: OneOffGateway, group: str, stream: str) -> list[str]:
    """The lines of a task that has ended, once two looks find the same; CloudWatch Logs may get the last ones late."""
    looks: list[list[str]] = []

    def look() -> Ready | Pending:
        looks.append(gateway.lines(group, stream))
        return Ready() if looks[-2:-1] == looks[-1:] else Pending(0, 1, "it has %d lines" % len(looks[-1]))

    with late_is_fine():  # then what is there is what there is
        wait_for("Reading what the end-to-end tests wrote", look, LOGS_LATE)
    return looks[-1]


def _result(code: int | None, seconds: float, limit: float, output: Output) -> dict[str, Any]:
    verdict, reason = e2e_verdict(code, seconds, limit)
    tail = output.close()
    evidence = (
        [] if verdict == "passed" else ["their whole output is in %s" % output.path, *("| " + line for line in tail)]
    )
    return dict(
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        exit_code=code,
        seconds=round(seconds, 1),
        output=output.path,
        tail=tail,
    )
