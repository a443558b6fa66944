#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: log_errors_info
version_added: 0.1.0
short_description: Look for errors in what the running tasks of ECS services have logged
description:
  - Reads the log streams of the tasks that are running now (C(prefix/container/task-id), or what FireLens writes to CloudWatch Logs), the newest lines
    first, and nothing of tasks that are gone unless O(include_stopped=true).
  - A line is an error by its level, in the names and spellings of the usual loggers, also in JSON within JSON, or without one by the form that
    languages, runtimes and tools give to their errors. What talks about errors is none.
  - Errors that differ only in numbers, ids and quoted texts are one kind, told with its count, its Prisma codes and an example.
  - Errors of before the accident (O(baseline_until)) and known noise (O(noise)) are told apart and do not count.
  - A log without a line proves nothing, and neither does one that nobody understands. The verdict is C(passed) only when every essential container has
    logged, most of its lines have a level that could be read, and none of them is an error. It is C(inconclusive) when one has logged nothing, when
    its lines cannot be read or understood, or when a service has no running task.
  - What looks like a password is masked in examples.
options:
  log_groups:
    description: The names of the CloudWatch Logs groups.
    type: list
    elements: str
    required: true
  cluster:
    description: Name or ARN of the ECS cluster.
    type: str
    required: true
  services:
    description: The names of the ECS services.
    type: list
    elements: str
    required: true
  since:
    description: Nothing before this time counts, ISO 8601 with a time zone. Without it each task counts from its start.
    type: str
  include_stopped:
    description: Whether tasks of the deployment of now that have stopped count, too. They need not have logged anything.
    type: bool
    default: false
  noise:
    description:
      - Errors that are known and do not count, a list of mappings with C(pattern) (a regular expression that is looked for in the error and the
        lines that belong to it), C(reason), and C(until), the last day (C(2026-12-31), UTC) on which they do not count. All three are required.
      - Noise that has expired counts again, and RV(evidence) says so.
    type: list
    elements: dict
    default: []
  baseline_until:
    description:
      - When the accident began, ISO 8601 with a time zone. Kinds of errors that the same containers logged in the O(baseline_minutes) before it are old
        and do not count, unless they have become more frequent than chance allows. Without it every error is new.
    type: str
  baseline_minutes:
    description: How much of the time before the accident is looked at, in minutes.
    type: int
    default: 60
  patterns:
    description:
      - Regular expressions (Python). A line that matches any of them is an error, besides those that are known here by their level, or by the form
        that languages, runtimes and tools give to their errors.
      - Where there are any, a line that none of them matches is understood, because they say what an error looks like in what could not be read.
    type: list
    elements: str
  ignore:
    description: Regular expressions. A line that matches any of them is no error, whatever it looks like, and needs no level.
    type: list
    elements: str
  log_elsewhere:
    description:
      - Services, or C(service/container), whose logs are not in CloudWatch Logs, because FireLens or another driver hands them on or there are none. They
        need not be read. An essential container that is not named here and cannot be read makes the verdict C(inconclusive).
    type: list
    elements: str
    default: []
  max_examples:
    description: How many kinds of errors are reported with an example, the most frequent first. The others are reported without.
    type: int
    default: 10
  wait_timeout:
    description: How long to wait until every task has logged a line, in seconds. Lines can be found only some time after they were written.
    type: int
    default: 30
  window:
    description:
      - Of a task that is older, the last so many minutes are read; of one that was silent meanwhile, its last lines before. Not where O(since) is given.
    type: int
    default: 60
  read_timeout:
    description: How long reading may take, in seconds. The newest lines are read first, and RV(reason) tells how far it came.
    type: int
    default: 120
  fail_on_error:
    description: Whether the task fails when the verdict is not C(passed).
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.verify_http
"""

EXAMPLES = r"""
- name: Do the new tasks log errors?
  spymeo.rollback.log_errors_info:
    cluster: spymeo-production
    services: [spymeo-app]
    log_groups: [/ecs/spymeo-app]
"""

RETURN = r"""
verdict:
  description: C(passed), C(failed) or C(inconclusive).
  returned: always, unless the options are wrong
  type: str
errors:
  description: The kinds of errors that count, the most frequent first.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    fingerprint:
      description: What the errors of this kind have in common.
      type: str
    count:
      description: How many there are.
      type: int
    first:
      description: When the first of them was logged, ISO 8601 in UTC.
      type: str
    service:
      description: The service that logged the first.
      type: str
    stream:
      description: The log stream of the first.
      type: str
    example:
      description: The first of them, with the lines that belong to it. Empty beyond O(max_examples).
      type: str
    codes:
      description: Prisma's codes in the first.
      type: list
      elements: str
    before:
      description: How many of them there were before, where they count because they have become more frequent.
      type: int
old_errors:
  description: The same of errors that there were before O(baseline_until), and C(before), how many there were in that time. They do not count.
  returned: always, unless the options are wrong
  type: list
  elements: dict
noise:
  description: The entries of O(noise) that have matched, each with C(pattern), C(reason), C(until), C(count) and C(expired).
  returned: always, unless the options are wrong
  type: list
  elements: dict
lines:
  description: How many lines were read.
  returned: always, unless the options are wrong
  type: int
codes:
  description: How many errors there are of each Prisma code.
  returned: always, unless the options are wrong
  type: dict
  sample: {"P2022": 12}
streams:
  description: The names of the streams that were read.
  returned: always, unless the options are wrong
  type: list
  elements: str
silent:
  description: The names of those without a line.
  returned: always, unless the options are wrong
  type: list
  elements: str
unread:
  description: The essential containers whose lines cannot be read, each with C(service), C(container), C(why) and C(declared) (O(log_elsewhere)).
  returned: always, unless the options are wrong
  type: list
  elements: dict
unclear:
  description:
    - The essential containers of whose lines most have no level that could be read, or some of these sound like errors by their words, each with
      C(service), C(container), C(lines), C(unknown) (how many of them), and an C(example).
  returned: always, unless the options are wrong
  type: list
  elements: dict
evidence:
  description: One line for each kind of error.
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
  description: Always empty.
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
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.log_check import LogCheck
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import observe_services


def main() -> None:
    module = RollbackModule(
        dict(
            log_groups=dict(type="list", elements="str", required=True),
            cluster=dict(type="str", required=True),
            services=dict(type="list", elements="str", required=True),
            since=dict(type="str"),
            include_stopped=dict(type="bool", default=False),
            noise=dict(type="list", elements="dict", default=[]),
            baseline_until=dict(type="str"),
            baseline_minutes=dict(type="int", default=60),
            patterns=dict(type="list", elements="str"),
            ignore=dict(type="list", elements="str"),
            log_elsewhere=dict(type="list", elements="str", default=[]),
            max_examples=dict(type="int", default=10),
            wait_timeout=dict(type="int", default=30),
            window=dict(type="int", default=60),
            read_timeout=dict(type="int", default=120),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        check = LogCheck.of(params, datetime.now(timezone.utc))
        ecs, logs = EcsGateway(module.aws("ecs"), params["cluster"]), LogsGateway(module.aws("logs"))
        logs.refuse_missing_groups(params["log_groups"])
        looks = observe_services(ecs, params["services"])
        result: dict[str, Any] = dict(changed=False, before={}, after={}, plan=[])
        result.update(check.run(ecs, logs, looks, parse_time("since", params["since"])))
        if result["verdict"] != PASSED and params["fail_on_error"]:
            message = "The logs of %s: %s; %s." % (", ".join(params["services"]), result["verdict"], result["reason"])
            raise RollbackError(message, result["evidence"], result)
        module.finish(**result)


if __name__ == "__main__":
    main()
