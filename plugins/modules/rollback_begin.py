#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_begin
version_added: 0.1.0
short_description: Take the lock of an application, and write down what a run is going to do and what is there before it
description:
  - One run at a time works on an application in an environment, whatever tool or machine started it. This task takes the lock, if nobody has worked
    since M(spymeo.rollback.rollback_run) has looked; so the plan that was made in between still holds.
  - The lock has a lease, which every writing call of the run renews. When a run dies, its lock is free once the lease has ended.
  - Two names of one application exclude each other as well, because O(resources) are claimed in the store. Only one store is looked at.
  - The record of the run keeps its plan, and what was there before its first play. A play that resumes the run leaves both as they are.
  - From now on a deploy hold stands. What changes is in the store only, so RV(ignore:changed) is false.
options:
  run_id:
    description: The id of the run, as M(spymeo.rollback.rollback_run) gives it.
    type: str
    required: true
  etag:
    description: The lock as M(spymeo.rollback.rollback_run) has seen it.
    type: str
    required: true
  behind:
    description:
      - The play that held the lock then and gives way, as M(spymeo.rollback.rollback_run) tells it. It may have renewed its lease since, or have ended.
    type: int
    default: 0
  kind:
    description: The name of the playbook.
    type: str
    required: true
  who:
    description: Who runs it. The default is the user and the machine of this process.
    type: str
  purpose:
    description:
      - What the run is for. A rollback and an undo set the deploy hold. A checkpoint gives way to whatever else begins. Only a rollback can be undone.
    type: str
    choices: [rollback, undo, checkpoint, unfence, finish]
    default: rollback
  resources:
    description:
      - The ARNs of what the run works on. Runs that share one exclude each other, whatever they are called in whose inventory.
    type: list
    elements: str
    default: []
  undoes:
    description: The run that this one takes back.
    type: str
    default: ""
  abandon:
    description: The unfinished run that is given up; what it has done stays.
    type: str
    default: ""
  command:
    description: The command that was typed, without the ids of runs. With the id of this run, the run is gone on with by it.
    type: str
    default: ""
  plan:
    description: The plan, as it was shown.
    type: list
    elements: str
    default: []
  before:
    description:
      - What is there now, so that the run can be undone. C(services) maps services to task definitions, C(secrets) names of secrets to version ids.
    type: dict
    default: {}
  lease:
    description: How many seconds the lock holds without being renewed.
    type: int
    default: 60
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
  - module: spymeo.rollback.rollback_end
"""

EXAMPLES = r"""
- name: Take the lock
  spymeo.rollback.rollback_begin:
    environment: production
    application: spymeo
    run_id: "{{ run.run_id }}"
    etag: "{{ run.etag }}"
    kind: "{{ ansible_play_name }}"
    resources: [arn:aws:ecs:eu-west-3:123456789012:service/spymeo-production/spymeo-app]
    before:
      services: {spymeo-app: "spymeo-app:42"}
"""

RETURN = r"""
run:
  description: What modules of the action group C(writing) take as their option C(run). Empty in check mode.
  returned: success
  type: dict
before:
  description: Of a run that is gone on with, what was there before its first play, as O(before). Empty for a first play.
  returned: success
  type: dict
record:
  description: The key of the run's record in the store.
  returned: success
  type: str
"""

import time
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import MemoryModule, whoever
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import PURPOSES, ROLLBACK
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease_keeper import keep_alive
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_lock import begin

TOLD = (
    "run_id",
    "behind",
    "kind",
    "purpose",
    "resources",
    "undoes",
    "abandon",
    "command",
    "plan",
    "before",
)  # to the lock


def main() -> None:
    module = MemoryModule(
        dict(
            run_id=dict(type="str", required=True),
            etag=dict(type="str", required=True),
            behind=dict(type="int", default=0),
            kind=dict(type="str", required=True),
            who=dict(type="str"),
            purpose=dict(type="str", default=ROLLBACK, choices=list(PURPOSES)),
            resources=dict(type="list", elements="str", default=[]),
            undoes=dict(type="str", default=""),
            abandon=dict(type="str", default=""),
            command=dict(type="str", default=""),
            plan=dict(type="list", elements="str", default=[]),
            before=dict(type="dict", default={}),
            lease=dict(type="int", default=60),
        )
    )
    params = module.params
    with module.telling():
        memory = module.memory()
        run: dict[str, Any] = {}
        before: dict[str, Any] = {}
        if not module.check_mode:
            told = {name: params[name] for name in TOLD}
            lock, record = begin(
                memory, params["etag"], dict(told, who=params["who"] or whoever()), time.time(), params["lease"]
            )
            place = {name: params[name] for name in ("store", "environment", "application", "lease")}
            run = dict(place, fencing=lock.fencing)
            before = record["before"] if record["plays"][1:] else {}
            keep_alive(module.memory, lock.fencing, params["lease"])
        module.exit_json(changed=False, run=run, record=memory.key("runs", params["run_id"]), before=before)


if __name__ == "__main__":
    main()
