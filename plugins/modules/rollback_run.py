#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_run
version_added: 0.1.0
short_description: Check what the inventory says, give the run its id, and see whether it may begin
description:
  - Looks at the C(rollback_*) variables that a playbook needs and reports every mistake at once, before the first call to AWS.
  - Gives the run an id. Everything that the run creates is named after it, so a run that died is resumed by giving the id again.
  - Looks who works on the application, and whether an earlier run was not finished. It writes nothing; M(spymeo.rollback.rollback_begin) takes the lock.
options:
  variables:
    description: The variables as the inventory, the survey or the command line gave them, by name. A variable that is not set is left out or empty.
    type: dict
    required: true
  needed:
    description: The names of the variables that this playbook uses.
    type: list
    elements: str
    required: true
  alone:
    description:
      - Whether this playbook must be the only one that works on the application. While another one does, or when a run was not finished, it is refused;
        a run that is named to be resumed and looks alive is waited for until its lease has ended.
      - In check mode that is only told.
    type: bool
    default: false
  abandon:
    description:
      - The unfinished run that is given up, or V(*) for a playbook that may follow any. The default is what C(rollback_abandon) says in O(variables).
    type: str
    default: ""
  kind:
    description: The name of the playbook, for which expected durations are looked up.
    type: str
    default: ""
  checks:
    description:
      - The checks with which the playbook will end, as M(spymeo.rollback.verify_application) takes them. Mistakes in them are told now, and not once
        production has been changed.
    type: dict
    suboptions:
      scenarios:
        description: HTTP scenarios.
        type: list
        elements: dict
        default: []
      lines:
        description: Where in which file each part of them was written, as P(spymeo.rollback.lines#filter) tells it.
        type: dict
        default: {}
      variables:
        description: What they refer to, as text.
        type: dict
        default: {}
      secrets:
        description: Names (the keys) of what they refer to and Secrets Manager holds.
        type: dict
        default: {}
      noise:
        description: Errors in the logs that are known.
        type: list
        elements: dict
        default: []
      e2e:
        description: The end-to-end tests, if there are any.
        type: dict
        suboptions:
          command:
            description: What is run. Without it there are no such tests.
            type: str
          runs_on:
            description: Where they run.
            type: str
            choices: [controller, task]
            default: controller
          chdir:
            description: The directory in which they run on this machine.
            type: path
          timeout:
            description: How long they may take, in seconds.
            type: int
            default: 900
          secret_environment:
            description: Their environment variables that are masked.
            type: dict
            default: {}
extends_documentation_fragment:
  - spymeo.rollback.rollback.memory
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rollback_begin
  - module: spymeo.rollback.rollback_end
"""

EXAMPLES = r"""
- name: Begin a run
  spymeo.rollback.rollback_run:
    variables:
      rollback_cluster: "{{ rollback_cluster | default('') }}"
      rollback_run_id: "{{ rollback_run_id | default('') }}"
    needed: [rollback_cluster, rollback_run_id]
    environment: production
    application: spymeo
    alone: true
  register: run
"""

RETURN = r"""
run_id:
  description: The id that was given, or a new one made of the time.
  returned: success
  type: str
  sample: rb-20261122-031500
resumed:
  description: Whether the id was given.
  returned: success
  type: bool
alone:
  description: Whether the run is to take the lock next, so that nothing of it is there before that.
  returned: success
  type: bool
etag:
  description: What M(spymeo.rollback.rollback_begin) compares the lock with, so that a plan holds only if nobody has worked since.
  returned: success
  type: str
notes:
  description: What is to be told with the plan, one sentence each; who works, whose lock is taken over, whether deployments are held back.
  returned: success
  type: list
  elements: str
undoable:
  description: The newest run that has changed something; it can be undone. Empty when there is none.
  returned: success
  type: str
expected:
  description: How long the parts of a run took lately, by part, as the median in C(seconds) of so many C(runs).
  returned: success
  type: dict
  sample: {"restore": {"seconds": 312.0, "runs": 3}}
release_points:
  description: The newest release points, newest first, as M(spymeo.rollback.release_point) has written them.
  returned: success
  type: list
  elements: dict
"""

import os
import time
from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._e2e.decide import problems as problems_of_tests
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._http.scenario import check_variables, read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.noise import read_noise
from ansible_collections.spymeo.rollback.plugins.module_utils._memory_module import MemoryModule
from ansible_collections.spymeo.rollback.plugins.module_utils._progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._run.history import expected
from ansible_collections.spymeo.rollback.plugins.module_utils._run.hold import told
from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import new_run_id
from ansible_collections.spymeo.rollback.plugins.module_utils._run.inputs import OF_RUNS, problems
from ansible_collections.spymeo.rollback.plugins.module_utils._run.plays import glance, look
from ansible_collections.spymeo.rollback.plugins.module_utils._run.points import known
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.credentials import check_secrets
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import Clock

E2E = dict(
    command=dict(type="str"),
    runs_on=dict(type="str", choices=["controller", "task"], default="controller"),
    chdir=dict(type="path"),
    timeout=dict(type="int", default=900),
    secret_environment=dict(type="dict", default={}, no_log=True),
)
CHECKS = dict(
    scenarios=dict(type="list", elements="dict", default=[]),
    lines=dict(type="dict", default={}),
    variables=dict(type="dict", default={}, no_log=True),
    secrets=dict(type="dict", default={}, no_log=False),
    noise=dict(type="list", elements="dict", default=[]),
    e2e=dict(type="dict", options=E2E),
)


def problems_of_checks(checks, today):
    """Every mistake (list of str) in the option ``checks``, which may be None."""
    if checks is None:
        return []
    tests = checks["e2e"] or {}
    names = {*checks["variables"], *checks["secrets"], "run_id"}
    found = []
    for refuse in (
        lambda: check_variables(checks["variables"]),
        lambda: check_secrets(checks["secrets"]),
        lambda: read_scenarios(checks["scenarios"], names, checks["lines"]),
        lambda: read_noise(checks["noise"], today),
    ):
        try:
            refuse()
        except RollbackError as error:
            found += error.evidence
    return found + (problems_of_tests(tests, os.path.isdir) if tests.get("command") else [])


def see(module, memory, run_id, abandon):
    """What the store tells: (Seen, notes)."""
    if module.params["alone"] and not module.check_mode:
        seen = look(memory, run_id, abandon, time.time, Clock(), teller("lease"))
        notes = ["the lock is taken over: %s" % seen.found] if seen.found else []
    else:
        seen, note = glance(memory, run_id, abandon, time.time())
        notes = [note] if note else []
    held = told((memory.read("hold") or (None,))[0])
    return seen, notes + ([held] if held else [])


def main():
    module = MemoryModule(
        dict(
            variables=dict(type="dict", required=True),
            needed=dict(type="list", elements="str", required=True),
            alone=dict(type="bool", default=False),
            abandon=dict(type="str", default=""),
            kind=dict(type="str", default=""),
            checks=dict(type="dict", options=CHECKS),
        )
    )
    variables = module.params["variables"]
    with module.telling():
        needed = module.params["needed"] + [name for name in OF_RUNS if name not in module.params["needed"]]
        now = datetime.now(timezone.utc)
        found = problems(variables, needed) + problems_of_checks(module.params["checks"], now.date())
        if found:
            raise RollbackError("Nothing was changed: the inventory cannot be used.", found)
        given, memory = variables.get("rollback_run_id") or "", module.memory()
        abandon = module.params["abandon"] or variables.get("rollback_abandon") or ""
        seen, notes = see(module, memory, given, abandon)
        history = (memory.read("history") or (dict(runs=[]),))[0]
        module.exit_json(
            changed=False,
            run_id=given or new_run_id(now),
            resumed=bool(given),
            alone=module.params["alone"] and not module.check_mode,
            etag=seen.etag,
            notes=notes,
            undoable=seen.undoable,
            expected=expected(history["runs"], module.params["kind"]),
            release_points=known(memory),
        )


if __name__ == "__main__":
    main()
