# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read, made of what roles publish."""

from __future__ import annotations

DOCUMENTATION = r"""
name: report
version_added: 0.1.0
short_description: What people read, made of what roles publish
description:
  - Makes a plan, an outcome, a recommendation of the values that the roles of this collection publish. A line is a keyword, and a sentence.
options:
  _input:
    description: The values by name. Which ones a kind of report takes is the dataclass that it is made of, in C(module_utils/_core/report).
    type: dict
    required: true
  kind:
    description: What is wanted.
    type: str
    required: true
  form:
    description: V(text) are the lines as they are printed, V(json) a value for a program.
    type: str
    choices: [text, json]
    default: text
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: The plan
  ansible.builtin.debug:
    msg: "{{ published | spymeo.rollback.report('plan') }}"
  vars:
    published:
      host: "{{ inventory_hostname }}"
      run: "{{ run_plan }}"
      code: "{{ code_plan }}"
"""

RETURN = r"""
_value:
  description:
    - Of O(form=text), a list of lines.
    - Of O(form=json), a mapping of C(kind), C(lines) (C(keyword), C(text), and C(further), lines that belong to it) and C(ways) (C(words), C(command)).
  type: raw
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report


def report_of_values(values: Mapping[str, Any], kind: str, form: str = "text") -> list[str] | dict[str, Any]:
    """The lines (list of str), or the JSON (dict), of a report."""
    made = make_report(kind, values)
    return made.as_json() if form == "json" else made.text()


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., list[str] | dict[str, Any]]]:
        """The filters of this file."""
        return {"report": report_of_values}
