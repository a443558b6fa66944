# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where in which file each part of a variable was written."""

from __future__ import annotations

DOCUMENTATION = r"""
name: lines
version_added: 0.1.0
short_description: Where in which file each part of a variable was written
description:
  - Ansible remembers file and line of what it reads from YAML, and modules do not get them. With this filter they can be handed over, so that a module
    can name the line of a mistake.
  - What was not read from a file, such as extra variables and what AWX gives, is left out.
options:
  _input:
    description: A list or mapping.
    type: raw
    required: true
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Check scenarios
  spymeo.rollback.rollback_run:
    variables: {}
    needed: []
    scenarios: "{{ verify_scenarios }}"
    scenario_lines: "{{ verify_scenarios | spymeo.rollback.lines }}"
"""

RETURN = r"""
_value:
  description: A mapping from dotted paths (numbers are places in lists, from 0) to C(file:line). Files below the current directory are relative to it.
  type: dict
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.plugin_utils._ansible_core import place_of

DEEPEST = 5  # parts of a path: 0.steps.1.expect.status


def lines(value: Any) -> dict[str, str]:
    """Dotted path → ``file:line`` of every part of ``value`` that was read from a file."""
    found: dict[str, str] = {}
    _go_through(value, (), found)
    return found


def _go_through(value: Any, path: Sequence[str], found: dict[str, str]) -> None:
    if path:
        _note(value, path, found)
    if len(path) == DEEPEST:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            _go_through(item, (*path, str(key)), found)
            _note(key, (*path, str(key)), found)  # the line of a key, where a value of several lines begins later
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _go_through(item, (*path, str(place)), found)


def _note(value: Any, path: Sequence[str], found: dict[str, str]) -> None:
    place = place_of(value)
    if place:
        file, line = place
        below = os.path.relpath(file)
        found[".".join(path)] = "%s:%d" % (file if below.startswith("..") else below, line)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[[Any], dict[str, str]]]:
        """The filters of this file."""
        return {"lines": lines}
