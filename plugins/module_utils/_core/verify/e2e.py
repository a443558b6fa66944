# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What end-to-end tests come to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED

CONTROLLER, TASK = "controller", "task"  # where they run
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # exit codes of sh: it is the machine that lacks something, not the application
SIGNALLED = 128  # sh adds the number of the signal


def e2e_verdict(code: int | None, seconds: float, limit: float) -> tuple[str, str]:
    """(verdict, reason) of a command that has ended.

    :param code: its exit code; negative for a signal; None when it was ended because ``limit`` (seconds) was reached.
    :param seconds: how long it ran.
    """
    if code is None:
        return INCONCLUSIVE, "they were not done after %d s and were ended; rollback_e2e_timeout is the limit" % limit
    if code == 0:
        return PASSED, "they passed in %d s" % seconds
    if code in (NOT_EXECUTABLE, NOT_FOUND):
        return INCONCLUSIVE, "the command of rollback_e2e_command cannot be run (exit code %d)" % code
    if code < 0 or code > SIGNALLED:
        return INCONCLUSIVE, "they were ended by signal %d" % (-code if code < 0 else code - SIGNALLED)
    return FAILED, "they failed with exit code %d after %d s" % (code, seconds)


def e2e_problems(options: Mapping[str, Any], is_directory: Callable[[str], bool]) -> list[str]:
    """Every mistake (list of str) in what an operator says about end-to-end tests.

    :param options: dict with ``runs_on``, ``chdir`` and ``secret_environment``.
    :param is_directory: callable that tells whether there is a directory of this name on this machine.
    """
    if options["runs_on"] == TASK and options["secret_environment"]:
        return [
            "rollback_e2e_secret_environment: ECS would show what a task is given in DescribeTasks, and CloudTrail would keep it. "
            "Name a task definition that gets these secrets from Secrets Manager in rollback_e2e_task_definition."
        ]
    if options["runs_on"] == CONTROLLER and options["chdir"] and not is_directory(options["chdir"]):
        return ["rollback_e2e_chdir is '%s': there is no such directory on this machine." % options["chdir"]]
    return []
