#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_references_info
version_added: 0.1.0
short_description: Tell where an application names its database host, and what a new DATABASE_URL would leave behind
description:
  - Looks at everything that the containers of the given task definitions get, plain environment entries, secrets and SSM parameters, for a host.
  - What a changed secret does not reach, because the task definition itself has it, a plain URL in the environment or a pinned version of
    O(database_secret), is given as RV(rewritten), for M(spymeo.rollback.ecs_rollback) to deploy a copy that has the new address.
  - A service that gets the new address in none of these ways is a failure.
  - Every other place that names the host is a note, a read-only URL in a secret of its own, a parameter, a pinned version with another password. It
    stays as it is, and a person should know.
  - What the credentials may not read is reported as not checked, never as passed.
  - It makes no writing call. Values are read in memory only; none is returned, logged or shown.
options:
  targets:
    description: The task definition (C(family:revision) or ARN) of each service, as M(spymeo.rollback.ecs_release_info) chooses them.
    type: dict
    required: true
  database_secret:
    description: Name or ARN of the secret that holds DATABASE_URL.
    type: str
    required: true
  host:
    description: The failed database's host, which is looked for.
    type: str
    required: true
  current_host:
    description:
      - The host that DATABASE_URL names now, when a cutover has been made.
      - A task definition that itself names it already needs nothing any more.
    type: str
    default: ""
  run_id:
    description:
      - The id of the run. Where an earlier try of it has written the version of the secret that becomes current after its deployment, what has that
        address needs nothing any more.
    type: str
    default: ""
  key:
    description: The key of the URL, if the secret is a JSON object.
    type: str
    default: DATABASE_URL
  cluster:
    description: Name or ARN of the ECS cluster of O(targets), with which O(readers) tells them from services of the same name elsewhere.
    type: str
    default: default
  readers:
    description:
      - What else uses the database, which the run does not start again. ECS services of all clusters of the region, tasks that EventBridge or its
        Scheduler starts, and Lambda functions are looked at. V(ignore) does not look, V(refuse) makes what would stay on the failed database a
        failure, V(leave) a note.
    type: str
    choices: [ignore, refuse, leave]
    default: ignore
  fail_on_error:
    description: Whether the task fails when a check has failed. Its message names every failure with its cure.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
seealso:
  - module: spymeo.rollback.database_url
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Does the cutover reach the application, and what does it leave behind?
  spymeo.rollback.database_references_info:
    targets: "{{ release.targets }}"
    database_secret: spymeo/production/database-url
    host: spymeo-production-db.abcdefghijkl.eu-west-3.rds.amazonaws.com
  register: references
"""

RETURN = r"""
verdict:
  description: V(failed) when a check has failed, V(inconclusive) when none has but some could not be made, else V(passed).
  returned: always, unless the options are wrong
  type: str
findings:
  description: What was found. Failures come first, then what was not checked, then notes.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    check:
      description:
        - V(cutover) for a service, V(environment) for a plain entry, V(reference) for a secret or parameter, V(left_behind) for what is not started
          again.
      type: str
    subject:
      description: The service, or the name under which the container gets it.
      type: str
      sample: DATABASE_READ_URL
    verdict:
      description: V(passed), V(failed), V(noted) or V(inconclusive).
      type: str
    what:
      description: What was found.
      type: str
    cure:
      description: What to do about it. Empty where nothing is to be done.
      type: str
    services:
      description: The services that have it.
      type: list
      elements: str
entries:
  description:
    - By service, what a copy of its task definition that only the deployed release runs has to get otherwise. That is RV(rewritten), and what reads
      whichever version of the secret is current, with its ARN as C(secret).
  returned: always, unless the options are wrong
  type: dict
  sample: {"spymeo-app": [{"container": "app", "name": "DATABASE_URL", "secret": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:app-AbCdEf"}]}
rotates:
  description: When the secret is rotated next, and what that means for tasks that pin a version of it. Empty where it is not rotated.
  returned: always, unless the options are wrong
  type: str
rewritten:
  description: By service, the entries of its containers that only a copy of the task definition can change, each with C(container) and C(name).
  returned: always, unless the options are wrong
  type: dict
  sample: {"spymeo-app": [{"container": "app", "name": "DATABASE_URL"}]}
reason:
  description: How many checks came to what.
  returned: always, unless the options are wrong
  type: str
evidence:
  description: One line for each failure, with its cure.
  returned: always, unless the options are wrong
  type: list
  elements: str
"""

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.references import ReferencesGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.readers import findings_of_readers
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, read_url
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_references import (
    ReferenceObservation,
    entries,
    is_pinned,
    reference_findings,
    rewritten,
    unpinned,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import ValueFrom
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import Container
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import (
    in_order,
    preflight_result,
    summary,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import (
    is_pin_of_ours,
    pending_label,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.preflight import Clients
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.readers import others
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret

ROTATES = "secret %s rotates by %s, and tasks of this rollback would not read that: deploy the next release, or end the pin as the outcome says, before then"


def observe(module: RollbackModule) -> tuple[ReferenceObservation, datetime | None]:
    """Everything that the containers get (ReferenceObservation), and when the secret rotates next (None: it does not)."""
    clients = Clients(module.aws)
    gateway = ReferencesGateway(clients)
    secrets = SecretsGateway(clients("secretsmanager"))
    secret = secrets.secret("database_secret", module.params["database_secret"])
    containers = {
        service: tuple(Container.from_boto(item) for item in gateway.containers(definition))
        for service, definition in module.params["targets"].items()
    }
    ours = secret.names
    named = {text for items in containers.values() for item in items for _name, text in item.secrets}
    references = [ValueFrom.parse(text) for text in named]
    named |= {unpinned(item) for item in references if item.id in ours and is_pinned(item)}
    texts = sorted(named)
    seen = ReferenceObservation(
        host=module.params["host"],
        current_host=module.params["current_host"] or module.params["host"],
        database_secret=ours,
        containers=containers,
        values=dict(zip(texts, side_by_side(lambda text: read_reference(gateway, ValueFrom.parse(text)), texts))),
        pending_host=pending_host(secrets, secret, module.params["run_id"], module.params["key"]),
        arn=secret.arn,
        ours=frozenset(item.id for item in secret.versions if any(map(is_pin_of_ours, item.stages))),
    )
    return seen, secret.rotates


def pending_host(gateway: SecretsGateway, secret: Secret, run_id: str, key: str) -> str:
    """The host in the version that an earlier try of this run has written for its deployment; empty without one."""
    version = secret.staged(pending_label(run_id)) if run_id else None
    if version is None:
        return ""
    return DatabaseUrl.parse(read_url(gateway.value(secret, version.id).text, key)).host


def read_reference(gateway: ReferencesGateway, reference: ValueFrom) -> NotRead | str | None:
    """The text that a ValueFrom means, None, or a NotRead."""
    if reference.kind == "secret":
        return if_allowed("secretsmanager:GetSecretValue, kms:Decrypt", gateway.secret, reference)
    if reference.kind == "parameter":
        return if_allowed("ssm:GetParameters, kms:Decrypt", gateway.parameter, reference.id)
    return None


def left_behind(module: RollbackModule, seen: ReferenceObservation) -> list[Finding]:
    """The Findings of everything else that uses the database."""
    if module.params["readers"] == "ignore":
        return []
    readers = others(ReferencesGateway(Clients(module.aws)), module.params["cluster"], list(module.params["targets"]))
    return findings_of_readers(readers, seen.database_secret, seen.host, module.params["readers"] == "leave")


def main() -> None:
    module = RollbackModule(
        dict(
            targets=dict(type="dict", required=True),
            database_secret=dict(type="str", required=True, no_log=False),
            host=dict(type="str", required=True),
            current_host=dict(type="str", default=""),
            cluster=dict(type="str", default="default"),
            run_id=dict(type="str", default=""),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            readers=dict(type="str", choices=["ignore", "refuse", "leave"], default="ignore"),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    with module.telling():
        seen, rotates = observe(module)
        found = in_order([*reference_findings(seen), *left_behind(module, seen)])
        result = dict(
            preflight_result(found),
            changed=False,
            reason=summary(found),
            rewritten=rewritten(seen),
            entries=entries(seen),
            rotates=ROTATES % (module.params["database_secret"], show_time(rotates)) if rotates else "",
        )
        if result["evidence"] and module.params["fail_on_error"]:
            message = (
                "A new DATABASE_URL would not reach the application (%s). Nothing was changed. Fix all of this first:"
            )
            raise RollbackError(message % result["reason"], result["evidence"], result)
        module.exit_json(**result)


if __name__ == "__main__":
    main()
