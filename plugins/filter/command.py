# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command to be run next, as it can be pasted."""

from __future__ import annotations

DOCUMENTATION = r"""
name: command
version_added: 0.1.0
short_description: The command to be run next, as it can be pasted
description:
  - Gives the command with which ansible-playbook was started, or the one for another playbook of this collection in the same form (a path, or its name in
    the collection), with the same inventory, limit, switches (C(--check) among them), vault options and variables.
  - Values of variables that may be secret are not repeated. In their place stands a variable of the shell, like C(${admin_password:?}), and the shell refuses
    the command until that is set.
options:
  _input:
    description:
      - A playbook of this collection, such as V(undo). Empty means what was typed.
      - Or what is to be done next, as M(spymeo.rollback.rollback_triage_info) tells it.
    type: raw
    required: true
  variables:
    description: Variables to be set besides.
    type: dict
    default: {}
  look:
    description: Whether to look only, with C(--check --diff), whatever was typed.
    type: bool
    default: false
  act:
    description: Whether the command is to act, without C(--check), also where only a look was typed.
    type: bool
    default: false
  without:
    description: Names of variables that are left out.
    type: list
    elements: str
    default: []
  limit:
    description: The host, where the inventory has several and none was named.
    type: str
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Say how to go on
  ansible.builtin.debug:
    msg: "{{ '' | spymeo.rollback.command(variables={'rollback_run_id': 'rb-20261122-031500'}) }}"
"""

RETURN = r"""
_value:
  description: The command.
  type: str
"""

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible import context
from ansible_collections.spymeo.rollback.plugins.plugin_utils._command import command


def command_line(
    playbook: str | Mapping[str, Any],
    variables: Mapping[str, Any] | None = None,
    limit: str | None = None,
    look: bool = False,
    without: Iterable[str] = (),
    act: bool = False,
) -> str:
    """The command (str).

    :param playbook: its name, or what rollback_triage_info tells to do next: dict(playbook, variables, look_first, command).
    """
    if isinstance(playbook, Mapping):
        return str(playbook["command"]) or command_line(
            posixpath.splitext(playbook["playbook"])[0], playbook["variables"], limit, playbook["look_first"]
        )
    cwd, typed = os.getcwd(), os.environ.get("PWD", "")
    if os.path.isabs(typed) and os.path.exists(typed) and os.path.samefile(cwd, typed):
        cwd = typed  # the path that was typed, where a link leads elsewhere
    cliargs = {**context.CLIARGS, "check": True, "diff": True} if look else context.CLIARGS
    cliargs = {**cliargs, "check": False} if act else cliargs
    return command(cliargs, cwd, playbook or None, (variables or {}).items(), limit or None, without)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """The filters of this file."""
        return {"command": command_line}
