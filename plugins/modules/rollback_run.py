#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_run
version_added: 0.1.0
short_description: Check what the inventory says and give the run its id
description:
  - Looks at the C(rollback_*) variables that a playbook needs and reports every mistake at once, before the first call to AWS.
  - Gives the run an id. Everything that the run creates is named after it, so a run that died is resumed by giving the id again.
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
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Begin a run
  spymeo.rollback.rollback_run:
    variables:
      rollback_cluster: "{{ rollback_cluster | default('') }}"
      rollback_run_id: "{{ rollback_run_id | default('') }}"
    needed: [rollback_cluster, rollback_run_id]
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
"""

import os
from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._e2e.decide import problems as problems_of_tests
from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._http.scenario import check_variables, read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.noise import read_noise
from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import new_run_id
from ansible_collections.spymeo.rollback.plugins.module_utils._run.inputs import problems
from ansible_collections.spymeo.rollback.plugins.module_utils._telling import PlainModule
from ansible_collections.spymeo.rollback.plugins.module_utils._verification.credentials import check_secrets

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


def main():
    module = PlainModule(
        dict(
            variables=dict(type="dict", required=True),
            needed=dict(type="list", elements="str", required=True),
            checks=dict(type="dict", options=CHECKS),
        )
    )
    with module.telling():
        now = datetime.now(timezone.utc)
        found = problems(module.params["variables"], module.params["needed"])
        found += problems_of_checks(module.params["checks"], now.date())
        if found:
            raise RollbackError("Nothing was changed: the inventory cannot be used.", found)
        given = module.params["variables"].get("rollback_run_id")
        module.exit_json(changed=False, run_id=given or new_run_id(now), resumed=bool(given))


if __name__ == "__main__":
    main()
