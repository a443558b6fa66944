#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_http
version_added: 0.1.0
short_description: Go through HTTP scenarios as a user would, and tell whether the application passes
description:
  - Sends the requests of each scenario in their order and compares every answer with what is expected. Cookies are kept within a scenario.
    Scenarios run side by side.
  - The verdict is C(passed), C(failed) or C(inconclusive). An error of this machine while measuring (no name resolution, no trust in a certificate,
    no way through the network) is inconclusive, never passed. A refused or closed connection, an answer that does not come in time, and any
    other status than the expected one are the application's and make it failed.
  - A wrong scenario is refused, with every mistake in it, before the first request.
  - In check mode no request is sent.
options:
  base_url:
    description: The application's URL without a path, like C(https://app.spymeo.fr).
    type: str
    required: true
  scenarios:
    description:
      - A list of mappings with C(name) and C(steps).
      - A step has C(path), and may have C(name), C(method) (C(GET)), C(headers), a body as C(json) or C(form), C(expect), C(capture), C(times) and C(always).
      - C(expect) may have C(status), a number or a list (C(200)), C(json), a mapping from dotted paths to values, C(text) that the body contains,
        and C(max_seconds).
      - C(capture) maps names to dotted paths in the JSON of the answer. Later steps use them as C(${name}).
      - C(times) sends the step so many times in a row; each must pass.
      - C(always) is for cleaning up; such a step is sent also after a step before it has failed.
      - Redirects are not followed; a C(302) is an answer like any other.
    type: list
    elements: dict
    required: true
  variables:
    description:
      - What C(${name}) stands for in the steps, as text. Passwords belong here.
      - All values are masked wherever something is shown, so each has at least 4 characters.
    type: dict
    default: {}
  run_id:
    description: The id of the run. Steps use it as C(${run_id}), for example in the email of a test sign-up.
    type: str
  timeout:
    description: How long connecting may take, and how long an answer may take until it is complete, in seconds.
    type: int
    default: 10
  fail_on_error:
    description: Whether the task fails when the verdict is not C(passed).
    type: bool
    default: true
extends_documentation_fragment:
  - spymeo.rollback.rollback.attributes
attributes:
  check_mode:
    description: Reports the requests and sends none.
requirements:
  - requests
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.log_errors_info
"""

EXAMPLES = r"""
- name: Is the application well?
  spymeo.rollback.verify_http:
    base_url: https://app.spymeo.fr
    run_id: rb-20261122-031500
    variables:
      admin_email: "{{ vault_admin_email }}"
      admin_password: "{{ vault_admin_password }}"
    scenarios:
      - name: health
        steps:
          - path: /api/health
            times: 3
            expect: {json: {status: ok}, max_seconds: 2}
      - name: admin
        steps:
          - name: login
            method: POST
            path: /api/admin/login
            json: {email: "${admin_email}", password: "${admin_password}"}
          - name: dashboard
            path: /api/admin/dashboard
      - name: sign-up
        steps:
          - name: sign up
            method: POST
            path: /api/practitioners
            json: {email: "${run_id}@example.org", fullName: Test Rollback, city: Paris, password: "${run_id}"}
            expect: {status: 201}
            capture: {practitioner: id}
          - name: remove
            method: DELETE
            path: /api/practitioners/${practitioner}
            expect: {status: 204}
            always: true
"""

RETURN = r"""
verdict:
  description: C(passed), C(failed) or C(inconclusive), over all scenarios. In check mode it is C(inconclusive), because nothing was measured.
  returned: always, unless the options are wrong
  type: str
scenarios:
  description: What came of each scenario.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    name:
      description: The scenario.
      type: str
    verdict:
      description: C(passed), C(failed) or C(inconclusive).
      type: str
    steps:
      description: Each step with C(name), C(method), C(path), C(verdict) (null if it was left out), C(reason), C(status) and C(seconds).
      type: list
      elements: dict
evidence:
  description: One line for each step that did not pass.
  returned: always, unless the options are wrong
  type: list
  elements: str
before:
  description: Always empty.
  returned: always, unless the options are wrong
  type: dict
after:
  description: Always empty.
  returned: always, unless the options are wrong
  type: dict
plan:
  description: The requests, in the order of each scenario.
  returned: always, unless the options are wrong
  type: list
  elements: str
reason:
  description: The verdict in one sentence.
  returned: always, unless the options are wrong
  type: str
"""

import re

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._http.gateway import Session
from ansible_collections.spymeo.rollback.plugins.module_utils._http.run import go_through_all
from ansible_collections.spymeo.rollback.plugins.module_utils._http.scenario import check_variables, read_scenarios
from ansible_collections.spymeo.rollback.plugins.module_utils._telling import PlainModule
from ansible_collections.spymeo.rollback.plugins.module_utils._verdict import INCONCLUSIVE, PASSED, overall

BASE_URL = re.compile(r"https?://[^/\s@]+/?")


def read(params):
    """The Scenarios, and what ``${name}`` stands for."""
    if not BASE_URL.fullmatch(params["base_url"]):
        raise BadInput("base_url", params["base_url"], "it is not an http or https URL without user and path")
    check_variables(params["variables"])
    values = dict(params["variables"])
    if params["run_id"]:
        values["run_id"] = params["run_id"]
    return read_scenarios(params["scenarios"], values), values


def told(scenario, outcomes):
    """What came of a scenario, in JSON types."""
    steps = [
        dict(
            name=outcome.step.name,
            method=outcome.step.method,
            path=outcome.step.path,
            verdict=outcome.verdict,
            reason=outcome.reason,
            status=outcome.status,
            seconds=None if outcome.seconds is None else round(outcome.seconds, 3),
        )
        for outcome in outcomes
    ]
    return dict(name=scenario.name, verdict=overall(step["verdict"] for step in steps if step["verdict"]), steps=steps)


def evidence(results):
    """One line for each step that was sent and did not pass."""
    return [
        "%s, %s: %s: %s" % (result["name"], step["name"], step["verdict"], step["reason"])
        for result in results
        for step in result["steps"]
        if step["verdict"] not in (None, PASSED)
    ]


def main():
    module = PlainModule(
        dict(
            base_url=dict(type="str", required=True),
            scenarios=dict(type="list", elements="dict", required=True),
            variables=dict(type="dict", default={}, no_log=True),
            run_id=dict(type="str"),
            timeout=dict(type="int", default=10),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        scenarios, values = read(params)
        plan = [
            "%s: %s %s" % (scenario.name, step.method, step.path) for scenario in scenarios for step in scenario.steps
        ]
        common = dict(changed=False, before={}, after={}, plan=plan)
        if module.check_mode:
            module.finish(
                reason="check mode: no request was sent", verdict=INCONCLUSIVE, scenarios=[], evidence=[], **common
            )
        outcomes = go_through_all(
            scenarios, lambda: Session(params["base_url"], params["timeout"]), values, params["variables"].values()
        )
        results = [told(*pair) for pair in zip(scenarios, outcomes)]
        verdict = overall(result["verdict"] for result in results)
        reason = "%d of %d scenarios passed" % (sum(item["verdict"] == PASSED for item in results), len(results))
        common.update(reason=reason, verdict=verdict, scenarios=results, evidence=evidence(results))
        if verdict != PASSED and params["fail_on_error"]:
            message = "Verification of %s: %s; %s." % (params["base_url"], verdict, reason)
            raise RollbackError(message, common["evidence"], common)
        module.finish(**common)


if __name__ == "__main__":
    main()
