#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_probe_task
version_added: 0.1.0
short_description: Log in to a database from a one-off ECS task on the application's network, and tell what is in it
description:
  - Asks what M(spymeo.rollback.database_probe_info) asks, where this machine has no way to the database. The task runs C(psql) in the subnets and
    security groups of the first service of O(targets), and gets its URL from Secrets Manager as the application does, out of the version O(version_id).
  - It registers a task definition of a family of its own, named after the application's with C(-rollback-probe) behind, and runs it once. Its
    answer is read from the log group of the application.
  - It reads in one read-only transaction, and writes nothing but sequences, with O(failed_version_id) only.
  - When it fails, it names the Prisma code that the application would show. The password is never reported, and
    is in no task definition.
  - In check mode it looks whether such a task can be made, and starts none.
options:
  cluster:
    description: The ECS cluster.
    type: str
    required: true
  targets:
    description:
      - The task definition (C(family:revision) or ARN) of each service, as M(spymeo.rollback.ecs_release_info) chooses them. The first service lends
        its network, and its task definition the execution role and the log group.
    type: dict
    required: true
  image:
    description: An image that has C(sh) and C(psql). The tasks must be able to pull it.
    type: str
    default: public.ecr.aws/docker/library/postgres:17-alpine
  database_secret:
    description: Name or ARN of the secret that holds the URL.
    type: str
    required: true
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  version_id:
    description: The version of the secret whose URL is tried, as M(spymeo.rollback.database_url) gives it. Without it the current one.
    type: str
  failed_version_id:
    description:
      - The version of the secret whose URL leads to the failed database. With it, and once the data are proven, the sequences of the database go beyond those
        of the failed one, as M(spymeo.rollback.database_sequences) does it. The same task reads both, after O(warm), and another one moves them.
      - What comes of it is RV(sequences). It is no failure where that does not succeed.
    type: str
  timeout:
    description: How long opening the connection, and each statement, may take, in seconds.
    type: int
    default: 30
  warm:
    description:
      - Tables to read whole after the probe. A restored instance loads each block from S3 at its first reading, which the first users would wait
        for. Tables that are not there are left out.
    type: list
    elements: str
    default: []
  wait_timeout:
    description: How long the task may take from its start to its end, in seconds.
    type: int
    default: 900
  run_id:
    description: The id of the run that this task belongs to, as M(spymeo.rollback.rollback_run) gives it.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.data
  - spymeo.rollback.rollback.writing
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.database_probe_info
  - module: spymeo.rollback.database_url
"""

EXAMPLES = r"""
- name: Would the application be able to use the restored instance?
  spymeo.rollback.database_probe_task:
    cluster: spymeo-production
    targets: {spymeo-app: "spymeo-app:41"}
    database_secret: spymeo/production/database-url
    version_id: "{{ pending.version_id }}"
    run_id: rb-20261122-031500
  register: probe
"""

RETURN = r"""
calls:
  description:
    - The calls of this task that change something, in their order. Each has C(service), C(operation), the names C(of) what it is
      about, and its outcome, which is V(ok), the code with which AWS refused it, V(unknown) when no answer came, or V(not sent).
    - It is reported in a failure, too, so that what was done is known even when the store is not there any more.
  returned: always
  type: list
  elements: dict
  sample: [{"service": "ecs", "operation": "UpdateService", "of": {"cluster": "production", "service": "app"}, "outcome": "ok"}]
sequences:
  description: What M(spymeo.rollback.database_sequences) returns. Empty without O(failed_version_id), and in check mode.
  returned: success
  type: dict
task:
  description: The ARN of the task. Empty in check mode.
  returned: success
  type: str
before:
  description: The address that was probed, as C(host), C(port), C(database), C(user) and C(schema).
  returned: success
  type: dict
after:
  description: The same as RV(before), because the database is not changed.
  returned: success
  type: dict
plan:
  description: What is started, in words.
  returned: success
  type: list
  elements: str
reason:
  description: What was found, in one sentence.
  returned: success
  type: str
connected:
  description: Whether the login and every reading succeeded. When it is C(false) the module has failed.
  returned: unless in check mode
  type: bool
code:
  description: The Prisma code of the failure, or else the SQLSTATE.
  returned: when the database cannot be used
  type: str
  sample: P1000
server_version:
  description: The version of the server.
  returned: success, unless in check mode
  type: str
  sample: "16.4"
migrations_known:
  description: Whether Prisma's record is known, the table C(_prisma_migrations) or, of Prisma 8, C(prisma_contract.ledger).
  returned: success, unless in check mode
  type: bool
migrations:
  description: Prisma's migrations in the order in which they were started, each with C(name), C(finished) and C(rolled_back).
  returned: success, unless in check mode
  type: list
  elements: dict
rows:
  description: The exact number of rows of each table of the schema, null where counting took longer than O(timeout).
  returned: success, unless in check mode
  type: dict
  sample: {"Practitioner": 4200, "Payment": 1830}
findings:
  description: What each check of the data came to, where O(expected) or O(data_rules) is given.
  returned: success, unless in check mode
  type: list
  elements: dict
  contains:
    check:
      description: Always V(data).
      type: str
    subject:
      description: A table, V(tables), V(migrations), or C(rule of) a table.
      type: str
    verdict:
      description: V(passed), V(failed), V(noted) or V(inconclusive).
      type: str
    what:
      description: What was found.
      type: str
    cure:
      description: What to do about it. Empty where nothing is to be done.
      type: str
expected_later:
  description: The O(expected) of a later look at the same database, so that nobody has migrated or emptied it in between.
  returned: success, unless in check mode
  type: dict
warmed:
  description: The tables of O(warm) that were read.
  returned: success, unless in check mode
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs_tasks import OneOffGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import DATA, proven
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.one_off_task import one_off_task_status
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_result import describe_probe, found
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_task import (
    CONTAINER,
    definition,
    stream_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.psql import (
    FAILED,
    RESTORED,
    command,
    is_complete,
    move_command,
    read_psql,
    refuse_unmoved,
    sequences_in,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import (
    NOT_ASKED,
    NOT_MOVED,
    UNSURE,
    SequenceMove,
    ahead,
    came_to,
    finding,
    result,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, is_json, read_url
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import read_rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
        DatabaseContents,
        DatabaseLogin,
    )

PURPOSE = "the probe of the database"
CURE = "Allow it, or set rollback_db_probe to direct."
AT_ONCE = 200  # moves of a task, whose definition may have 64 KiB (Amazon ECS service quotas, "Task definition size")
LOGS_LATE = 15  # seconds between a task's end and its last line in CloudWatch Logs


def url_to_try(module: WritingModule) -> tuple[DatabaseUrl, str]:
    """The DatabaseUrl, and the valueFrom that gives it to a container."""
    secrets, key, version_id = (
        SecretsGateway(module.aws("secretsmanager")),
        module.params["key"],
        module.params["version_id"],
    )
    secret = secrets.secret("database_secret", module.params["database_secret"])
    value = secrets.value(secret, version_id) if version_id else secrets.current_value(secret)
    value_from = "%s:%s::%s" % (secret.arn, key if is_json(value.text) else "", value.version_id)
    return DatabaseUrl.parse(read_url(value.text, key)), value_from


def output(gateway: OneOffGateway, group: str, task: str, url: DatabaseUrl) -> list[str]:
    """The lines of a task that has ended, without the password; CloudWatch Logs may get the last ones late."""
    looks: list[list[str]] = [[]]

    def look() -> Ready | Pending:
        looks.append([url.masked(line) for line in gateway.lines(group, stream_of(task))])
        ended = looks[-1] and (is_complete(looks[-1]) or looks[-1] == looks[-2])
        return Ready() if ended else Pending(0, 1, "it has %d lines" % len(looks[-1]))

    wait_for("Reading what task %s wrote to log group %s" % (task, group), look, LOGS_LATE)
    return looks[-1]


def run(
    module: WritingModule, gateway: OneOffGateway, content: dict[str, Any], placement: dict[str, Any], url: DatabaseUrl
) -> tuple[str, list[str]]:
    """Run a task to its end: its ARN, and its lines."""
    run_id, group = (
        module.params["run_id"],
        content["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"],
    )
    task = gateway.start(gateway.registered(content, run_id), placement, run_id)
    wait_for(
        "The task %s, which probes the database," % task,
        lambda: one_off_task_status(gateway.task(task), CONTAINER),
        module.params["wait_timeout"],
        evidence=lambda: [url.masked(line) for line in gateway.lines(group, stream_of(task))],
        tell=teller("probe"),
    )
    return task, output(gateway, group, task, url)


def go_ahead(
    lines: list[str], place: DatabaseLogin, make: Callable[[list[SequenceMove]], str | None]
) -> dict[str, Any]:
    """What ``database_sequences`` would return, once the SequenceMoves are made that psql's output (lines) of both databases leads to.

    :param make: makes some SequenceMoves in a task; it gives why not, or None.
    """
    read_there = sequences_in(lines)
    lacking = [whose for whose in (FAILED, RESTORED) if whose not in read_there]
    if lacking:
        problem = "the task's psql could not read the sequences of the %s database" % lacking[0]
        return result([], "nothing was moved", [finding("the %s database" % lacking[0], NOT_ASKED % problem)])
    steps = ahead(read_there[RESTORED], read_there[FAILED])
    words, noted = came_to(steps)
    moves = [step for step in steps if isinstance(step, SequenceMove)]
    tried = [make(moves[first : first + AT_ONCE]) for first in range(0, len(moves), AT_ONCE)]
    problems = [finding(place.host, NOT_MOVED % problem) for problem in tried if problem]
    return result(steps, UNSURE if problems else words, noted + problems)


class Probe:
    """The probe's task of one module call: what it is made of, and where it runs."""

    def __init__(self, module: WritingModule) -> None:
        params = module.params
        self._module = module
        self._gateway = OneOffGateway(module.aws("ecs"), module.aws("logs"), params["cluster"], PURPOSE, CURE)
        self.service, target = next(iter(params["targets"].items()))
        (self._url, self._value_from), self._placement = url_to_try(module), self._gateway.placement(self.service)
        self.place, self._rules = target_of(self._url), read_rules(params["data_rules"])
        self._application, failed = self._gateway.application(target), params["failed_version_id"]
        script = command(self.place, params["timeout"], params["warm"], self._rules, bool(failed))
        # The same secret and key, of another version.
        self._content = self._of(script, "%s:%s" % (self._value_from.rpartition(":")[0], failed) if failed else "")

    def _of(self, script: str, failed_from: str = "") -> dict[str, Any]:
        return definition(self._application, self._module.params["image"], script, self._value_from, failed_from)

    @property
    def plan(self) -> list[str]:
        """In words."""
        return ["a task of %s on the network of %s, which runs psql" % (self._content["family"], self.service)]

    def ask(self) -> tuple[str, list[str], DatabaseContents, list[str]]:
        """(the ARN of the task, its lines, the DatabaseContents, the tables that were read whole)."""
        task, lines = run(self._module, self._gateway, self._content, self._placement, self._url)
        with diagnosing(self.place):
            return task, lines, *read_psql(lines, self._rules)

    def move(self, moves: list[SequenceMove]) -> str | None:
        """Have another task make SequenceMoves. Why it did not, or None."""
        content = self._of(move_command(self.place, self._module.params["timeout"], moves))

        def make() -> None:
            with diagnosing(self.place):
                refuse_unmoved(run(self._module, self._gateway, content, self._placement, self._url)[1])

        return self._module.measuring(make)[1]


OPTIONS = dict(
    cluster=dict(type="str", required=True),
    targets=dict(type="dict", required=True),
    image=dict(type="str", default="public.ecr.aws/docker/library/postgres:17-alpine"),
    database_secret=dict(type="str", required=True, no_log=False),
    key=dict(type="str", default="DATABASE_URL", no_log=False),
    version_id=dict(type="str"),
    failed_version_id=dict(type="str"),
    timeout=dict(type="int", default=30),
    warm=dict(type="list", elements="str", default=[]),
    wait_timeout=dict(type="int", default=900),
    run_id=dict(type="str", required=True),
    **DATA,
)


def main() -> None:
    module = WritingModule(OPTIONS)
    with module.telling():
        if not module.params["targets"]:
            raise BadInput(
                "targets", {}, "no service lends its network to the probe", "Set rollback_db_probe to direct."
            )
        probe = Probe(module)
        if module.check_mode:
            reason = "the probe's task can be made"
            module.finish(changed=True, before={}, after={}, plan=probe.plan, reason=reason, task="", sequences={})
        task, lines, seen, warmed = probe.ask()
        proof = proven(module.params, probe.place, seen)
        ids = go_ahead(lines, probe.place, probe.move) if module.params["failed_version_id"] else {}
        module.finish(
            changed=True,
            plan=probe.plan,
            reason=describe_probe(probe.place, seen, warmed),
            task=task,
            sequences=ids,
            **found(probe.place, seen, warmed),
            **proof,
        )


if __name__ == "__main__":
    main()
