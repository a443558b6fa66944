# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of ``rollback_aws`` a module takes, and what is wrong with the rest."""

from __future__ import annotations

DOCUMENTATION = r"""
name: connection
version_added: 0.1.0
short_description: What of rollback_aws a module takes, and what is wrong with the rest
description:
  - Leaves the connection options of amazon.aws that have the right form. Modules would refuse the others in words of their own, at each task again.
options:
  _input:
    description: The variable C(rollback_aws).
    type: raw
    required: true
  problems:
    description: Whether the mistakes are wanted instead. Values are never reported.
    type: bool
    default: false
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ rollback_aws | spymeo.rollback.connection(problems=true) }}"
"""

RETURN = r"""
_value:
  description: A mapping of options, or a list of sentences.
  type: raw
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.spymeo.rollback.plugins.plugin_utils import _connection


def connection(given: Any, problems: bool = False) -> dict[str, Any] | list[str]:
    """The options (dict), or what is wrong (list of str)."""
    return _connection.connection_problems(given) if problems else _connection.usable(given)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any] | list[str]]]:
        """The filters of this file."""
        return {"connection": connection}
