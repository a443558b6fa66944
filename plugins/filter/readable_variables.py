# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which variables of the inventory are looked at."""

from __future__ import annotations

DOCUMENTATION = r"""
name: readable_variables
version_added: 0.1.0
short_description: Of names, those of the inventory's variables that are no secret
description:
  - Leaves what this collection knows as a variable of an inventory, and what is no secret.
options:
  _input:
    description: Names of variables.
    type: list
    elements: str
    required: true
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Show what the inventory says
  ansible.builtin.debug:
    msg: "{{ query('ansible.builtin.varnames', '^rollback_') | spymeo.rollback.readable_variables }}"
"""

RETURN = r"""
_value:
  description: Names of variables.
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import readable


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Any:
        """The filters of this file."""
        return {"readable_variables": readable}
