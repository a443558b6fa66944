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
  - Reads the log streams of the tasks that are running now (C(prefix/container/task-id)), each from its start, and nothing of tasks that are gone.
  - Errors that differ only in numbers, ids and quoted texts are one kind, told with its count, its Prisma codes and an example.
  - A log without a line proves nothing. The verdict is C(passed) only when every task has logged at least one line and none of them is an error.
    It is C(inconclusive) when a task has logged nothing, or when a service has no running task.
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
  patterns:
    description:
      - Regular expressions (Python). A line that matches any of them is an error.
      - Without them those are lines of the levels error, fatal and critical, exceptions, what Prisma's client throws, Prisma's codes
        and whatever is uncaught or unhandled.
    type: list
    elements: str
  max_examples:
    description: How many kinds of errors are told with an example, the most frequent first. The others are told without.
    type: int
    default: 10
  wait_timeout:
    description: How long to wait until every task has logged a line, in seconds. Lines can be found only some time after they were written.
    type: int
    default: 30
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
  description: The kinds of errors, the most frequent first.
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

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError, TimedOut
from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import parse_time, show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.decide import (
    ERROR_PATTERNS,
    Collection,
    compiled,
    entries,
    judge,
    streams_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.gateway import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._logs.ready import all_have_logged
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._verdict import PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import wait_for


def find_streams(gateway, params):
    """The Streams of the tasks that run now."""
    since = parse_time("since", params["since"])
    gateway.refuse_missing_groups(params["log_groups"])
    logs_of, found = {}, []
    for service in params["services"]:
        tasks = gateway.running_tasks(service)
        for arn in {task.task_definition for task in tasks} - set(logs_of):
            logs_of[arn] = gateway.container_logs(arn)
        found += streams_of(tasks, logs_of, params["log_groups"], since)
    return found


def wait_for_lines(gateway, streams, timeout):
    """The Streams that have no line at the deadline."""
    silent = list(streams)

    def look():
        silent[:] = [stream for stream in silent if not gateway.has_logged(stream)]
        return all_have_logged(streams, silent)

    try:
        wait_for("The first line of every task", look, timeout)
    except TimedOut:
        return silent  # which the verdict tells
    return []


def find_errors(gateway, streams, is_error):
    """The ErrorGroups in the streams."""
    collection = Collection()
    for stream in streams:
        for first, lines in entries(gateway.events(stream), is_error):
            collection.add(stream, first, lines)
    return collection.groups


def told(groups, max_examples):
    """The errors in JSON types."""
    return [
        dict(
            fingerprint=group.fingerprint,
            count=group.count,
            first=show_time(datetime.fromtimestamp(group.first / 1000, timezone.utc)),
            service=group.service,
            stream=group.stream,
            example=group.example if place < max_examples else "",
            codes=list(group.codes),
        )
        for place, group in enumerate(groups)
    ]


def count_codes(groups):
    """Prisma code → number of errors."""
    codes = sorted({code for group in groups for code in group.codes})
    return {code: sum(group.count for group in groups if code in group.codes) for code in codes}


def main():
    module = RollbackModule(
        dict(
            log_groups=dict(type="list", elements="str", required=True),
            cluster=dict(type="str", required=True),
            services=dict(type="list", elements="str", required=True),
            since=dict(type="str"),
            patterns=dict(type="list", elements="str"),
            max_examples=dict(type="int", default=10),
            wait_timeout=dict(type="int", default=30),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        is_error = compiled(params["patterns"] or ERROR_PATTERNS)
        gateway = LogsGateway(module.aws("ecs"), module.aws("logs"), params["cluster"])
        streams = find_streams(gateway, params)
        silent = wait_for_lines(gateway, streams, params["wait_timeout"])
        groups = find_errors(gateway, streams, is_error)
        verdict, reason = judge(params["services"], streams, silent, groups)
        result = dict(changed=False, before={}, after={}, plan=[], reason=reason, verdict=verdict)
        result.update(errors=told(groups, params["max_examples"]), codes=count_codes(groups))
        result.update(streams=[stream.name for stream in streams], silent=[stream.name for stream in silent])
        result["evidence"] = [
            "%d times: %s" % (group.count, group.fingerprint) for group in groups[: params["max_examples"]]
        ]
        if verdict != PASSED and params["fail_on_error"]:
            message = "The logs of %s: %s; %s." % (", ".join(params["services"]), verdict, reason)
            raise RollbackError(message, result["evidence"], result)
        module.finish(**result)


if __name__ == "__main__":
    main()
