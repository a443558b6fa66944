#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_end
version_added: 0.1.0
short_description: Write down what a run has come to, and leave its lock to whoever comes next
description:
  - Writes the outcome to the record of the run, its durations to the history, and releases the lock.
  - A run that has failed is to be resumed, or given up; until then no other run begins. A run that has made no writing call has touched nothing, and
    stands in nobody's way.
  - The deploy hold stays when the run has changed something, and is lifted when it has not, or when the run has undone another one.
  - A run that dies never comes here. Its lock is free when its lease has ended.
options:
  run_id:
    description: The id of the run.
    type: str
    required: true
  fencing:
    description: The number of the play, RV(spymeo.rollback.rollback_begin#module:run).
    type: int
    required: true
  outcome:
    description:
      - V(complete), V(unverified) when everything was done and a check after it has not passed, or V(failed).
    type: str
    choices: [failed, unverified, complete]
    required: true
  report:
    description: What is told to people about the outcome.
    type: list
    elements: str
    default: []
  seconds:
    description: How long the parts of the run took, by part, in seconds. Parts that are null were not done.
    type: dict
    default: {}
extends_documentation_fragment:
  - spymeo.rollback.rollback.memory
attributes:
  check_mode:
    description: Writes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare; nothing in production is changed.
    support: full
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rollback_begin
"""

EXAMPLES = r"""
- name: Release the lock
  spymeo.rollback.rollback_end:
    environment: production
    application: spymeo
    run_id: "{{ run.run_id }}"
    fencing: "{{ begun.run.fencing }}"
    outcome: complete
    seconds: {deployment: 95.2}
"""

RETURN = r"""
outcome:
  description: What the run has come to; V(untouched) when it has made no writing call.
  returned: success
  type: str
hold:
  description: The hold that stands, for people. Empty when none does.
  returned: success
  type: str
"""

import time

from ansible_collections.spymeo.rollback.plugins.module_utils._memory_module import MemoryModule
from ansible_collections.spymeo.rollback.plugins.module_utils._run.hold import told
from ansible_collections.spymeo.rollback.plugins.module_utils._run.plays import end
from ansible_collections.spymeo.rollback.plugins.module_utils._run.state import OUTCOMES


def main():
    module = MemoryModule(
        dict(
            run_id=dict(type="str", required=True),
            fencing=dict(type="int", required=True),
            outcome=dict(type="str", required=True, choices=list(OUTCOMES)),
            report=dict(type="list", elements="str", default=[]),
            seconds=dict(type="dict", default={}),
        )
    )
    params = module.params
    with module.telling():
        memory, outcome = module.memory(), params["outcome"]
        if not module.check_mode:
            seconds = {part: float(value) for part, value in params["seconds"].items() if value is not None}
            ended = dict(outcome=outcome, lines=params["report"], seconds=seconds)
            outcome = end(memory, params["run_id"], params["fencing"], ended, time.time())
        hold = told((memory.read("hold") or (None,))[0])
        module.exit_json(changed=False, outcome=outcome, hold=hold or "")


if __name__ == "__main__":
    main()
