#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_application
version_added: 0.1.0
short_description: Prove that an application works, by all checks side by side
description:
  - Runs the checks that are asked for in one process, side by side. HTTP scenarios, as M(spymeo.rollback.verify_http) runs them; the tasks of the
    ECS services, and the health of these tasks as targets of their load balancers; the application's own end-to-end tests; and the logs, as
    M(spymeo.rollback.log_errors_info) reads them. The logs are read last, because they have what the other checks have provoked.
  - Each check is C(passed), C(failed) or C(inconclusive). Whatever keeps a check from measuring makes it inconclusive, never passed.
  - A wrong scenario or option is refused before the first request. In check mode nothing is sent, run or read.
options:
  run_id:
    description:
      - The id of the run. Scenarios use it as C(${run_id}). A new id is made without it.
    type: str
  http:
    description: HTTP scenarios.
    type: dict
    suboptions:
      base_url:
        description:
          - The application's URL, like C(https://app.spymeo.fr); a path in it comes before the path of each step.
          - V(none) says that the application has no HTTP. Then there are no scenarios.
        type: str
        required: true
      scenarios:
        description: As M(spymeo.rollback.verify_http) takes them.
        type: list
        elements: dict
        required: true
      lines:
        description: Where in which file each part of O(http.scenarios) was written, as P(spymeo.rollback.lines#filter) tells it.
        type: dict
        default: {}
      variables:
        description: What C(${name}) stands for in the steps, as text. They are masked wherever something is shown.
        type: dict
        default: {}
      secrets:
        description:
          - More of them, out of Secrets Manager, each a mapping with C(secret), name or ARN, and C(key) if the secret is a JSON object. Only secrets
            that are named here are read.
        type: dict
        default: {}
      timeout:
        description: How long connecting may take, and how long an answer may take until it is complete, in seconds.
        type: int
        default: 10
  tasks:
    description: The ECS services. They must not be scaled to 0, and all their tasks must run what they should and be healthy targets.
    type: dict
    suboptions:
      cluster:
        description: Name or ARN of the ECS cluster.
        type: str
        required: true
      services:
        description: The names of the services.
        type: list
        elements: str
        required: true
      targets:
        description: The task definition (C(family:revision) or ARN) that each service should run. Without it, what the service says itself.
        type: dict
        default: {}
      wait_timeout:
        description: How long to wait for tasks that are on their way, in seconds. What fails for certain is not awaited.
        type: int
        default: 30
  logs:
    description: The look into the logs of the services in O(tasks), with what M(spymeo.rollback.log_errors_info) takes.
    type: dict
    suboptions:
      log_groups:
        description: The names of the CloudWatch Logs groups. It may be empty where O(logs.log_elsewhere) names all services.
        type: list
        elements: str
        required: true
      include_stopped:
        description: Whether tasks of the deployment of now that have stopped count, too.
        type: bool
        default: true
      noise:
        description: Errors that are known, each with C(pattern), C(reason) and C(until).
        type: list
        elements: dict
        default: []
      baseline_until:
        description: When the accident began. Kinds of errors that were logged before, and as often, are old and do not count.
        type: str
      baseline_minutes:
        description: How much of the time before the accident is looked at, in minutes.
        type: int
        default: 60
      patterns:
        description: Regular expressions that tell an error, besides what is known as one.
        type: list
        elements: str
      ignore:
        description: Regular expressions of lines that are no errors and need no level.
        type: list
        elements: str
      log_elsewhere:
        description: Services, or C(service/container), whose logs are not in CloudWatch Logs.
        type: list
        elements: str
        default: []
      window:
        description: Of a task that is older, the last so many minutes are read.
        type: int
        default: 60
      read_timeout:
        description: How long reading may take, in seconds, the newest lines first.
        type: int
        default: 120
      max_examples:
        description: How many kinds of errors are reported with an example.
        type: int
        default: 10
      wait_timeout:
        description: How long to wait until every task has logged a line, in seconds.
        type: int
        default: 30
      settle:
        description:
          - How long to wait until what the other checks have provoked can be read, in seconds. It ends sooner with the first line that is younger than
            the last request. ECS's log driver hands lines over every 5 seconds.
        type: int
        default: 10
  database:
    description:
      - The data that the application uses, asked from this machine. They are to be what a rollback has wanted and proven before it pointed anybody at
        them, and nobody may have migrated or emptied them since.
    type: dict
    suboptions:
      database_secret:
        description: Name or ARN of the secret that holds DATABASE_URL.
        type: str
        required: true
      key:
        description: The key of the URL, if the secret is a JSON object.
        type: str
        default: DATABASE_URL
      timeout:
        description: How long opening the connection, each statement, and all counts together, may take, in seconds.
        type: int
        default: 30
      failed:
        description:
          - The database that was taken out of service. It is asked who is connected to it, until nobody is. Whoever is, by role, name and address, is a
            failed check, because what they write there is in no other database.
        type: dict
        suboptions:
          db_instance:
            description: The name of the DB instance.
            type: str
            required: true
          host:
            description: Its host.
            type: str
            required: true
          port:
            description: Its port.
            type: int
            required: true
          versions:
            description:
              - Version ids by name or ARN of secrets. Where O(database.database_secret) is among them, that version has the password with which it is
                asked; a database that was taken out of service may have another one than the database of now.
            type: dict
            default: {}
          wait_timeout:
            description: How long to wait until nobody is connected any more, in seconds. Tasks that are being replaced need some.
            type: int
            default: 30
      expected:
        description:
          - RV(spymeo.rollback.database_probe_info#module:expected_later).
          - Without it and without O(database.data_rules) the data are not looked at.
        type: dict
      data_rules:
        description: What holds for tables, as M(spymeo.rollback.database_probe_info) takes it.
        type: dict
        default: {}
      despite_data:
        description: What is right all the same, as M(spymeo.rollback.database_probe_info) takes it.
        type: list
        elements: str
        default: []
  e2e:
    description: The application's own end-to-end tests. They get C(BASE_URL) and C(ROLLBACK_RUN_ID) as environment variables.
    type: dict
    suboptions:
      command:
        description: What C(sh -c) runs, like C(npm run test:e2e). Exit code 0 is success.
        type: str
        required: true
      runs_on:
        description:
          - C(controller), this machine; or C(task), a one-off task in the cluster of O(tasks), in the subnets and security groups of the first service.
        type: str
        choices: [controller, task]
        default: controller
      chdir:
        description: The directory in which it runs on this machine. Without it, that of the playbook.
        type: path
      environment:
        description: More environment variables, as text. They may be shown.
        type: dict
        default: {}
      secret_environment:
        description:
          - Environment variables that are masked wherever something is shown, so each value has at least 4 characters. A task gets none, because ECS
            would show them to everybody who may describe it; O(e2e.task_definition) can have secrets of its own.
        type: dict
        default: {}
      task_definition:
        description: What the task is made of, C(family:revision) or ARN. Without it, what the first service runs.
        type: str
      container:
        description: The container of it that runs the command instead of its own. Without it, the first.
        type: str
      timeout:
        description: How long they may take, in seconds. Then the process group, or the task, is ended.
        type: int
        default: 900
      directory:
        description: Where their output is kept, in a file that only its owner can read.
        type: path
        default: ~/spymeo-rollback/verify
  watch:
    description:
      - The application is watched for a while, beginning when the scenarios have passed. Without it, all checks are one look.
      - A task that ends by itself meanwhile is a failed check, and so are more health requests than O(watch.failures) that fail. A watch ends as soon as
        that is certain, and when another check has failed; then it is reported only if it has failed, too.
      - Where a service has an Application Load Balancer, its users' traffic is compared with that of the hour before at the end, by what CloudWatch
        has. Minutes with fewer than 60 requests do not count. It is a failed check when 5xx or the 90th percentile of the time to the answer are
        surely larger (Mann-Whitney test, exact, 1 %) and larger by something that is felt (5xx twice as often and 1 % more of the requests; half as
        long again and 0.1 s longer). With fewer than 2 such minutes since then nothing can be said, and that is reported.
    type: dict
    suboptions:
      seconds:
        description: How long.
        type: float
        default: 30
      interval:
        description: How many seconds lie between two health requests. The tasks are looked at every 2 seconds.
        type: float
        default: 2
      failures:
        description: How many health requests may fail.
        type: int
        default: 1
      health:
        description: The health request, a step as M(spymeo.rollback.verify_http) takes it. Without it only the tasks are watched.
        type: dict
      metrics:
        description: Whether the load balancer's metrics are compared.
        type: bool
        default: true
      since:
        description: Since when all is as it is now, a time in ISO 8601 with its zone. Without it, since the newest task was started.
        type: str
  after:
    description: What was brought back just before, which decides what RV(next) says.
    type: str
    choices: [nothing, code, secrets, database]
    default: nothing
  following:
    description: The release that would be next, of each service, for people, with the option that picks it. RV(next) says it.
    type: list
    elements: str
    default: []
  fail_on_error:
    description: Whether the task fails when the verdict is not C(passed).
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
attributes:
  check_mode:
    description: Reports the requests, and sends, runs and reads nothing.
requirements:
  - requests
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.verify_http
  - module: spymeo.rollback.log_errors_info
"""

EXAMPLES = r"""
- name: Does the application work?
  spymeo.rollback.verify_application:
    http:
      base_url: https://app.spymeo.fr
      secrets:
        admin_password: {secret: spymeo/production/admin, key: password}
      scenarios:
        - name: health
          steps:
            - {path: /api/health, times: 3}
        - name: administration
          steps:
            - name: open the login page
              path: /admin/login
              capture: {csrf: {html: csrf_token}}
            - name: log in
              method: POST
              path: /admin/login
              form: {email: admin@spymeo.fr, password: "${admin_password}", csrf_token: "${csrf}"}
              expect: {status: 302}
            - name: open the dashboard
              path: /admin
              expect: {text: Dashboard, max_seconds: 2}
    tasks:
      cluster: spymeo-production
      services: [spymeo-app]
    logs:
      log_groups: [/ecs/spymeo-app]
      noise:
        - {pattern: "ECONNRESET.*analytics", reason: "the analytics provider hangs up, ticket 1234", until: 2026-12-31}
    e2e:
      command: npm run test:e2e
      chdir: ~/spymeo
      timeout: 600
"""

RETURN = r"""
verdict:
  description: C(passed), C(failed) or C(inconclusive), over all checks. In check mode it is C(inconclusive), because nothing was measured.
  returned: always, unless the options are wrong
  type: str
checks:
  description:
    - Each check with C(name), C(kind) (C(http), C(tasks), C(targets), C(logs), C(e2e), C(watch), C(traffic), C(left), C(data), C(deployment)),
      C(verdict), C(reason) and C(evidence).
  returned: always, unless the options are wrong
  type: list
  elements: dict
evidence:
  description: One line for each thing that did not pass, beginning with the name of its check.
  returned: always, unless the options are wrong
  type: list
  elements: str
report:
  description:
    - The same for people, shorter, what is up (C(UP)), what broke (C(BROKE)) or could not be measured (C(UNPROVEN)), and which checks have passed.
      Empty when all has passed.
  returned: when something was measured
  type: list
  elements: str
next:
  description: What to do now, a sentence each. Empty when all has passed.
  returned: always, unless the options are wrong
  type: list
  elements: str
http:
  description: What came of each scenario, as RV(spymeo.rollback.verify_http#module:scenarios).
  returned: when scenarios were sent
  type: list
  elements: dict
left_behind:
  description: What the scenarios may have left in the application's data, one line for each request that made it. Empty when all of that is seen to
    be removed.
  returned: when scenarios were sent
  type: list
  elements: str
logs:
  description: What M(spymeo.rollback.log_errors_info) returns.
  returned: when logs were read
  type: dict
e2e:
  description: The end-to-end tests with C(verdict), C(reason), C(exit_code) (null when they were ended), C(seconds), C(output), the file that has
    what they printed, C(tail), its last lines, and C(task), the ARN where they ran as a task.
  returned: when they ran
  type: dict
watch:
  description: What the watch has seen, C(seconds), C(requests), C(failed), how many of these failed, and C(ended), the tasks that have ended by themselves.
  returned: when it was watched
  type: dict
before:
  description: Always empty.
  returned: always, unless the options are wrong
  type: dict
after:
  description: Always empty.
  returned: always, unless the options are wrong
  type: dict
plan:
  description: The requests and commands.
  returned: always, unless the options are wrong
  type: list
  elements: str
reason:
  description: The verdict in one sentence.
  returned: always, unless the options are wrong
  type: str
"""

from datetime import datetime, timezone
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import DATA
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.checks import evidence_of, report_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.summary import next_steps, summary
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.verify_request import VerificationRequest

HTTP = dict(
    base_url=dict(type="str", required=True),
    scenarios=dict(type="list", elements="dict", required=True),
    lines=dict(type="dict", default={}),
    variables=dict(type="dict", default={}, no_log=True),
    secrets=dict(type="dict", default={}, no_log=False),
    timeout=dict(type="int", default=10),
)
TASKS = dict(
    cluster=dict(type="str", required=True),
    services=dict(type="list", elements="str", required=True),
    targets=dict(type="dict", default={}),
    wait_timeout=dict(type="int", default=30),
)
LOGS = dict(
    log_groups=dict(type="list", elements="str", required=True),
    include_stopped=dict(type="bool", default=True),
    noise=dict(type="list", elements="dict", default=[]),
    baseline_until=dict(type="str"),
    baseline_minutes=dict(type="int", default=60),
    patterns=dict(type="list", elements="str"),
    ignore=dict(type="list", elements="str"),
    log_elsewhere=dict(type="list", elements="str", default=[]),
    window=dict(type="int", default=60),
    read_timeout=dict(type="int", default=120),
    max_examples=dict(type="int", default=10),
    wait_timeout=dict(type="int", default=30),
    settle=dict(type="int", default=10),
)
E2E = dict(
    command=dict(type="str", required=True),
    runs_on=dict(type="str", choices=["controller", "task"], default="controller"),
    chdir=dict(type="path"),
    environment=dict(type="dict", default={}),
    secret_environment=dict(type="dict", default={}, no_log=True),
    task_definition=dict(type="str"),
    container=dict(type="str"),
    timeout=dict(type="int", default=900),
    directory=dict(type="path", default="~/spymeo-rollback/verify"),
)
WATCH = dict(
    seconds=dict(type="float", default=30),
    interval=dict(type="float", default=2),
    failures=dict(type="int", default=1),
    health=dict(type="dict"),
    metrics=dict(type="bool", default=True),
    since=dict(type="str"),
)
FAILED_DATABASE = dict(
    db_instance=dict(type="str", required=True),
    host=dict(type="str", required=True),
    port=dict(type="int", required=True),
    versions=dict(type="dict", default={}),
    wait_timeout=dict(type="int", default=30),
)
DATABASE = dict(
    database_secret=dict(type="str", required=True, no_log=False),
    key=dict(type="str", default="DATABASE_URL", no_log=False),
    timeout=dict(type="int", default=30),
    failed=dict(type="dict", options=FAILED_DATABASE),
    **DATA,
)


def main() -> None:
    module = RollbackModule(
        dict(
            run_id=dict(type="str"),
            http=dict(type="dict", options=HTTP),
            tasks=dict(type="dict", options=TASKS),
            logs=dict(type="dict", options=LOGS),
            e2e=dict(type="dict", options=E2E),
            database=dict(type="dict", options=DATABASE),
            watch=dict(type="dict", options=WATCH),
            after=dict(type="str", choices=["nothing", "code", "secrets", "database"], default="nothing"),
            following=dict(type="list", elements="str", default=[]),
            fail_on_error=dict(type="bool", default=True),
        ),
        required_one_of=[("http", "tasks", "e2e", "database")],
        required_by={"logs": "tasks"},
    )
    with module.telling():
        asked = VerificationRequest(module.params, datetime.now(timezone.utc))
        result: dict[str, Any] = dict(changed=False, before={}, after={}, plan=asked.plan)
        if module.check_mode:
            reason = "check mode: nothing was sent, run or read"
            module.finish(reason=reason, verdict=INCONCLUSIVE, checks=[], evidence=[], next=[], **result)
        checks, details = asked.run(module.aws, module.measuring)
        verdict, reason = summary(checks)
        evidence = evidence_of(checks)
        codes, following = details.get("logs", {}).get("codes", {}), "; ".join(module.params["following"])
        steps = next_steps(verdict, module.params["after"], codes, following)
        report = report_of(checks) if verdict != PASSED else []
        result.update(
            details, verdict=verdict, reason=reason, checks=checks, evidence=evidence, next=steps, report=report
        )
        if verdict != PASSED and module.params["fail_on_error"]:
            raise RollbackError(" ".join(["Verification: %s; %s." % (verdict, reason), *steps]), evidence, result)
        module.finish(**result)


if __name__ == "__main__":
    main()
