# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module of this collection in a fork of its worker, where that comes to the same as a Python of its own.

Ansible starts a new Python for each module, which imports boto3 and compiles our sources out of a zip before it does
anything: about a second of CPU (measured). A fork has both from ansible-playbook's own process. The module stays a process
of its own, with an end of its own; only its start is another. Wherever the module would not run on this machine, with this
Python, as this user, Ansible's own way is taken.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn, TextIO

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash
from ansible_collections.spymeo.rollback.plugins.module_utils._core.absence import said
from ansible_collections.spymeo.rollback.plugins.module_utils._core.redact import without_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._core.unforeseen import DETAILED, NEXT
from ansible_collections.spymeo.rollback.plugins.plugin_utils import _ansible_core
from ansible_collections.spymeo.rollback.plugins.plugin_utils._bytecode import kept_bytecode

OURS = "ansible_collections.spymeo.rollback"
PLUGINS = OURS + ".plugins."
MODULES = PLUGINS + "modules."
SERVICES = ("ecs", "ecr", "rds", "secretsmanager", "logs")  # that most modules have clients of


def _read_ahead() -> None:
    """Import, in the process of ansible-playbook, what each worker needs for its first template, and nearly every module of ours."""
    importlib.import_module("ansible.plugins.filter.core")
    importlib.import_module(PLUGINS + "module_utils._core.report.kinds")  # plan and outcome are made in workers
    try:
        importlib.import_module(PLUGINS + "module_utils._ansible.module").read_descriptions(*SERVICES)
    except ImportError as error:  # without amazon.aws, or with one that breaks, the module itself tells what is wrong
        if str(error.name).startswith(OURS):
            raise


with kept_bytecode(OURS):
    _read_ahead()
gc.freeze()  # or each worker's collector walks through all that was imported, and copies its pages: 0.4 s of CPU a play (measured)


class ForkedModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """An action for all modules of this collection."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module of the task. Like Ansible's ``normal``, but for the process."""
        result = super().run(tmp, task_vars)
        if self._is_this_python(task_vars):
            return dict(merge_hash(result, self._run_forked(task_vars)))
        answer: dict[str, Any] = merge_hash(
            result, self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
        )
        if not self._task.async_val:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return answer

    def _is_this_python(self, task_vars: Mapping[str, Any]) -> bool:
        """Whether the module would run here, with this Python, as this user, in this environment, and be waited for."""
        interpreter = self._templar.template(task_vars.get("ansible_python_interpreter"))
        return bool(
            _ansible_core.runs_modules_itself()
            and self._connection.transport == "local"
            and interpreter == sys.executable
            and self._connection.become is None
            and not (self._task.async_val or self._task.delegate_to or any(self._task.environment))
            and not constants.DEFAULT_KEEP_REMOTE_FILES  # somebody wants to see the module's files
        )

    def _run_forked(self, task_vars: Mapping[str, Any]) -> Any:
        _ansible_core.complete_arguments(self, self._task.action, self._task.args, task_vars)
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            child = os.fork()
            if not child:
                _become_module(self._task.action, self._task.args, self._loader.get_basedir(), output, errors)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            output.seek(0)
            errors.seek(0)
            told: dict[str, Any] = dict(rc=code, stdout=output.read(), stderr=errors.read())
        if not answered(told["stdout"]):
            return died(self._task.action, code, told["stderr"], self._display.verbosity)
        told.update(stdout_lines=told["stdout"].splitlines(), stderr_lines=told["stderr"].splitlines())
        return _ansible_core.result_of(self, told)


def answered(output: str) -> bool:
    """Whether a module has written all of its answer, a JSON object; libraries may have written before and behind it."""
    start = 0 if output.startswith("{") else output.find("\n{") + 1
    try:
        return isinstance(json.JSONDecoder().raw_decode(output, start)[0], dict)
    except (ValueError, RecursionError):
        return False


def died(action: str, code: int, errors: str, verbosity: int) -> dict[str, Any]:
    """The result of a module that has ended without an answer: in one sentence, how, and the last that it said.

    :param code: its exit code; below 0 the signal that ended it.
    :param errors: what it wrote to its standard error. At -vvv all of it is shown, without secrets.
    """
    how = "was ended by %s" % _signal_name(-code) if code < 0 else "ended with exit code %d" % code
    lines = [line for line in errors.splitlines() if line.strip()]
    last = " (%s)" % said(lines[-1]) if lines else ""
    msg = "%s %s and gave no answer%s. %s" % (action.rpartition(".")[2], how, last, NEXT)
    shown = dict(traceback=[without_secrets(line) for line in lines]) if verbosity >= DETAILED else {}
    return dict(shown, failed=True, msg=msg)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def _become_module(action: str, arguments: dict[str, Any], directory: str, output: TextIO, errors: TextIO) -> NoReturn:
    """What the child does: run the module, write its answer, and end without returning to the worker's code."""
    code = 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # the worker's handlers end the worker
    try:
        os.chdir(directory)  # where Ansible starts a module on a local connection
        sys.stdout, sys.stderr = output, errors
        with kept_bytecode(OURS), _ansible_core.given(arguments):
            importlib.import_module(MODULES + action.rpartition(".")[2]).main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is, it is reported, and the child ends here
        traceback.print_exc(file=errors)
    finally:
        with contextlib.suppress(OSError):
            output.flush()
            errors.flush()
        os._exit(code)
