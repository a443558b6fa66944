# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a play, if all of it is played for at least one of them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: play_hosts
version_added: 0.1.0
short_description: The hosts of a play, if all of it is played for at least one of them
description:
  - Ansible ends with exit code 0 when no host, or no task, was selected. A rollback that did nothing must not look like one that worked, so each playbook
    of this collection asks this filter for its C(hosts), before its first task.
  - Fails when the inventory has no host, and with C(--tags), C(--skip-tags), C(--start-at-task) and C(--step), whichever way they were given.
  - Fails when a playbook that changes something would be played for several hosts, unless they were named by C(--limit), or O(several) says so.
  - Fails when C(--limit) names a host or a group that is not there.
  - What only lists or checks the playbook (C(--list-tasks), C(--syntax-check) and the like) is left alone.
options:
  _input:
    description: The variable C(groups).
    type: dict
    required: true
  writes:
    description: Whether the playbook changes something.
    type: bool
    default: false
  several:
    description: Whether several hosts are meant.
    type: bool
    default: false
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Roll back the code
  hosts: "{{ groups | spymeo.rollback.play_hosts(writes=true, several=rollback_several_hosts | default(false, true)) }}"
  tasks: []
"""

RETURN = r"""
_value:
  description: What the play's C(hosts) is to be, V(all).
  type: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.spymeo.rollback.plugins.plugin_utils._invocation import problem


def play_hosts(groups: Mapping[str, Sequence[str]], writes: bool = False, several: Any = False) -> str:
    """``all``.

    :raises AnsibleFilterError: a part of the play, or nobody, was selected.
    """
    complaint = problem(context.CLIARGS, groups, writes, boolean(several, strict=False))
    if complaint:
        raise AnsibleFilterError(complaint)
    return "all"


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """The filters of this file."""
        return {"play_hosts": play_hosts}
