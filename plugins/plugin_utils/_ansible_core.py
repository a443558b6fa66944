# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection uses of ansible-core that ansible-core does not promise to keep. Named here only, and looked for once.

Each has an ordinary way beside it: without the first, a module gets a Python of its own (``runs_modules_itself``); without the second,
mistakes in an inventory are reported without their lines (``place_of``).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from ansible.plugins.action import ActionBase

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:
    patch_module_args = None

try:
    from ansible.vars.clean import remove_internal_keys
except ImportError:  # since 2.21 a result removes its own
    remove_internal_keys = None

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

PROFILE = "legacy"  # how patch_module_args writes arguments, and so how the answer is to be read


def _takes(method: str, *parameters: str) -> bool:
    function = getattr(ActionBase, method, None)
    return callable(function) and tuple(inspect.signature(function).parameters)[: len(parameters)] == parameters


_WHOLE = (
    patch_module_args is not None
    and _takes("_update_module_args", "self", "module_name", "module_args", "task_vars")
    and _takes("_parse_returned_data", "self", "res", "profile")
)


def runs_modules_itself() -> bool:
    """Whether everything is there that a module needs which is run in a fork of its worker."""
    return _WHOLE


def complete_arguments(action: ActionBase, name: str, arguments: dict[str, Any], task_vars: Mapping[str, Any]) -> None:
    """Add to a module's arguments what Ansible itself says to every module, such as whether this is check mode."""
    action._update_module_args(name, arguments, task_vars)


def given(arguments: dict[str, Any]) -> AbstractContextManager[None]:
    """While it is open, a module that is made in this process finds these arguments."""
    context: AbstractContextManager[None] = patch_module_args(arguments)
    return context


def result_of(action: ActionBase, ended: Mapping[str, Any]) -> Any:
    """The result of a task, from how its module ended: dict(rc, stdout, stderr, stdout_lines, stderr_lines)."""
    answer = action._parse_returned_data(ended, PROFILE)
    if remove_internal_keys and isinstance(answer, dict):
        remove_internal_keys(answer)
        return answer
    answer.remove_internal_keys()
    return answer.as_result_dict(for_round_trip=True)


def place_of(value: Any) -> tuple[str, int] | None:
    """(path, line from 1) of the file that ``value`` was read from, or None where that is not known."""
    origin = Origin.get_tag(value) if Origin else None
    return (origin.path, origin.line_num) if origin and origin.path and origin.line_num else None
