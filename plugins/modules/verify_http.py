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
    description: The application's URL, like C(https://app.spymeo.fr). A path in it comes before the path of each step.
    type: str
    required: true
  scenarios:
    description:
      - A list of mappings with C(name) and C(steps).
      - A step has C(path), and may have C(name), C(method) (C(GET)), C(headers), a body as C(json) or C(form), C(expect), C(capture), C(times), C(always)
        and C(unless).
      - C(expect) may have C(status), a number or a list (C(200)), C(json), a mapping from dotted paths to values, C(text) that the body contains,
        C(max_seconds), and C(login_page).
      - Where C(expect) has neither C(json) nor C(text), a page to log in at is not what is expected, although it comes with C(200), that is a web page with a
        form to log in with (a field for the password that one has, an e-mail address or a code alone), a title that says nothing else, a sentence that
        one must log in, or one that sends there by a form, a script or a refresh. A page that only scripts fill says nothing. It is where
        the name or the path of the step is about logging in or signing up, or the name of the scenario
        for its first step; and C({"login_page":true}) says so, C({"login_page":false}) the opposite.
      - C(capture) maps names to where their values are, a dotted path in the JSON of the answer, or a mapping from one of C(json), C(html), C(header)
        and C(cookie) to what is taken there, like C({"html":"csrf_token"}). Later steps use them as C(${name}).
      - Out of C(html) it is the value of the first C(<input>), or the content of the first C(<meta>), of that name, where CSRF tokens are; a C(cookie)
        is one that this answer has set.
      - What can be captured is captured also out of an answer that fails, so that a step with C(always) can clean up.
      - C(times) sends the step so many times in a row; each must pass.
      - C(always) is for cleaning up; such a step is sent also after a step before it has failed. Of a C(DELETE) whose answer was lost it is found out
        whether it was done, by a second one.
      - C(unless) names a variable that an earlier step captures, and this one, too. The step is sent only where that has captured nothing, to look for
        what it may have made although its answer was lost; it may find nothing.
      - Redirects are not followed; a C(302) is an answer like any other.
    type: list
    elements: dict
    required: true
  lines:
    description:
      - Where in which file each part of O(scenarios) was written, as P(spymeo.rollback.lines#filter) tells it. Mistakes are reported with it.
    type: dict
    default: {}
  variables:
    description:
      - What C(${name}) stands for in the steps, as text. Passwords belong here.
      - All values are masked wherever something is shown, so each has at least 4 characters.
    type: dict
    default: {}
  run_id:
    description:
      - The id of the run. Steps use it as C(${run_id}), for example in the email of a test sign-up.
      - C(${unique}) is a text that no other run of a scenario has.
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
            json: {email: "${run_id}-${unique}@example.org", fullName: Test Rollback, city: Paris, password: "${run_id}"}
            expect: {status: 201}
            capture: {practitioner: id}
          - name: look for it where the answer was lost
            method: POST
            path: /api/practitioners/login
            json: {email: "${run_id}-${unique}@example.org", password: "${run_id}"}
            expect: {status: [200, 401]}
            capture: {practitioner: id}
            unless: practitioner
            always: true
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
    left_behind:
      description: What it may have left in the application's data, one line for each request that made it. Empty when all of that is seen to be removed.
      type: list
      elements: str
left_behind:
  description: The same of all scenarios.
  returned: when requests were sent
  type: list
  elements: str
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

from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.result import PlainModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import INCONCLUSIVE, PASSED, overall
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.scenario_result import (
    evidence,
    leftovers,
    requests_of,
    scenario_results,
    scenarios_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.scenario import go_through_all
from ansible_collections.spymeo.rollback.plugins.module_utils._io.http import ScenarioSession


def main() -> None:
    module = PlainModule(
        dict(
            base_url=dict(type="str", required=True),
            scenarios=dict(type="list", elements="dict", required=True),
            lines=dict(type="dict", default={}),
            variables=dict(type="dict", default={}, no_log=True),
            run_id=dict(type="str"),
            timeout=dict(type="int", default=10),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        scenarios, values = scenarios_of(params)
        common: dict[str, Any] = dict(changed=False, before={}, after={}, plan=requests_of(scenarios))
        if module.check_mode:
            module.finish(
                reason="check mode: no request was sent", verdict=INCONCLUSIVE, scenarios=[], evidence=[], **common
            )
        outcomes = go_through_all(
            scenarios,
            lambda: ScenarioSession(params["base_url"], params["timeout"]),
            values,
            params["variables"].values(),
        )
        results = scenario_results(scenarios, outcomes)
        verdict = overall(result["verdict"] for result in results)
        reason = "%d of %s passed" % (
            sum(item["verdict"] == PASSED for item in results),
            many(len(results), "scenario"),
        )
        common.update(reason=reason, verdict=verdict, scenarios=results, evidence=evidence(results))
        common.update(left_behind=leftovers(results))
        if verdict != PASSED and params["fail_on_error"]:
            message = "Verification of %s: %s; %s." % (params["base_url"], verdict, reason)
            raise RollbackError(message, common["evidence"], common)
        module.finish(**common)


if __name__ == "__main__":
    main()
