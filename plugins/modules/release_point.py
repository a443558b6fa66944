#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_point
version_added: 0.1.0
short_description: Record what runs before a deployment, so that a rollback knows where to go back to
description:
  - Writes one record to the store, with task definitions, image digests, the snapshot of the database, its migrations, versions of secrets and of parameters.
  - The current version of each secret gets the staging label C(spymeo-release-) and O(point_id), because AWS prunes versions without a label. A version
    that has such a label already gets no second one.
  - A secret has 20 labels at most. When they are used up, the oldest label of a release point is taken away, which is reported; the version stays until AWS
    prunes it. Where none of the labels is of a release point, nothing is done, and the labels are listed.
  - Parameters get no label, because Parameter Store refuses to write when the oldest of a parameter's 100 versions has one. Their version numbers
    are recorded.
  - A second time with the same O(point_id) changes nothing. While deployments are held back (after a rollback), it is refused.
  - Values of secrets are not read.
options:
  point_id:
    description: The id of the release point.
    type: str
    required: true
  release:
    description: The release that is about to be deployed, for people.
    type: str
    default: ""
  store:
    description: Where runs are remembered, as M(spymeo.rollback.rollback_run) takes it.
    type: str
    required: true
  environment:
    description: The environment, such as C(production).
    type: str
    required: true
  application:
    description: The application.
    type: str
    required: true
  services:
    description: What runs, as RV(spymeo.rollback.ecs_release_info#module:services) tells it with O(spymeo.rollback.ecs_release_info#module:choose=running).
    type: list
    elements: dict
    required: true
  database:
    description: The database, with C(db_instance), C(snapshot), and C(migrations), a list of names, or null where they could not be read.
    type: dict
    required: true
  secrets:
    description: Names or ARNs of the secrets, the one that holds the database URL among them.
    type: list
    elements: str
    required: true
  parameters:
    description: Names or ARNs of parameters of SSM's Parameter Store.
    type: list
    elements: str
    default: []
  coming:
    description:
      - What the migrations of the release that is about to be deployed do, as RV(spymeo.rollback.migrations_info#module:coming) tells it. Without it, that is
        not known.
    type: list
    elements: dict
  signed:
    description: Who accepts that this release has a slower way back than is asked for, and why.
    type: str
    default: ""
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.run
  - spymeo.rollback.rollback.writing
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.ecs_release_info
"""

EXAMPLES = r"""
- name: Remember what runs now
  spymeo.rollback.release_point:
    point_id: cp-20261122-024500
    run_id: rb-20261122-024500
    release: 2.0.0
    store: s3://spymeo-rollback/runs
    environment: production
    application: spymeo
    services: "{{ running.services }}"
    database:
      db_instance: spymeo-production-db
      snapshot: spymeo-production-db-cp-20261122-024500
      migrations: "{{ probe.migrations | map(attribute='name') }}"
    secrets: [spymeo/production/app, spymeo/production/database-url]
"""

RETURN = r"""
record:
  description: The release point as it is in the store; in check mode, as it would be.
  returned: success
  type: dict
  sample:
    id: cp-20261122-024500
    created: "2026-11-22T02:45:00+00:00"
    release: 2.0.0
    services:
      spymeo-app:
        task_definition: arn:aws:ecs:eu-west-3:123456789012:task-definition/spymeo-app:41
        release: arn:aws:ecs:eu-west-3:123456789012:task-definition/spymeo-app:41
        digest: {}
    database: {db_instance: spymeo-production-db, snapshot: spymeo-production-db-cp-20261122-024500, migrations: [20250110090000_init]}
    secrets: {}
    parameters: {}
    coming: [{name: 20250310140000_add_phone, kind: additive, effects: []}]
    signed: ""
before:
  description: The release point when it was there already; else empty.
  returned: success
  type: dict
after:
  description: The same as RV(record).
  returned: success
  type: dict
plan:
  description: What is written, one line each.
  returned: success
  type: list
  elements: str
reason:
  description: Why something was written, or why nothing was.
  returned: success
  type: str
"""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import ParametersGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run import hold
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.labels import describe_labelling, plan_label
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import refuse_unusable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.open_store import open_store
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.release_points import (
    LABEL,
    label_of,
    remember,
    remembered,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.parameters import Parameter
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.labels import Labelling


def refuse_held(memory: RunRepository) -> None:
    """Stop while deployments are held back.

    :raises RollbackError: they are.
    """
    held = hold.describe_hold((memory.read("hold") or (None,))[0])
    if held:
        cure = "Nothing was changed. A deployment now would meet the rollback; when it may go on, release the hold (playbooks/hold.yml)."
        raise RollbackError("%s. %s" % (held, cure))


def labellings(gateway: SecretsGateway, secret_ids: Sequence[str], label: str) -> list[Labelling]:
    """The Labelling of each secret, each secret once."""
    found = {secret.arn: secret for secret in (gateway.secret("secrets", secret_id) for secret_id in secret_ids)}
    for secret in found.values():
        refuse_unusable("secrets", secret, gateway.region)
    return [plan_label(secret, label, LABEL) for secret in found.values()]


def record_of(params: dict[str, Any], steps: Sequence[Labelling], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The record, in JSON types."""
    return dict(
        id=params["point_id"],
        created=show_time(datetime.now(timezone.utc)),
        release=params["release"],
        services={
            item["name"]: dict(task_definition=item["target"], release=item["release"], digest=item["digest"])
            for item in params["services"]
        },
        database=params["database"],
        secrets={step.arn: step.version.id for step in steps},
        parameters={item.name: item.current.id for item in parameters},
        coming=params["coming"],
        signed=params["signed"],
    )


def apply(gateway: SecretsGateway, steps: Sequence[Labelling]) -> None:
    """Put the labels."""
    for step in steps:
        if step.dropped and step.loser:
            gateway.drop_label(step, step.dropped, step.loser)
        if step.new:
            gateway.put_label(step.arn, step.label, step.version.id)


def observe(module: WritingModule) -> tuple[list[Labelling], list[Parameter]]:
    """The Labelling of each secret, and each Parameter."""
    params = module.params
    steps = labellings(SecretsGateway(module.aws("secretsmanager")), params["secrets"], label_of(params["point_id"]))
    if not params["parameters"]:
        return steps, []
    numbers = ParametersGateway(module.aws("ssm"))
    return steps, [numbers.parameter(name) for name in params["parameters"]]


def main() -> None:
    texts = {name: dict(type="str", required=True) for name in ("point_id", "store", "environment", "application")}
    module = WritingModule(
        dict(
            texts,
            run_id=dict(type="str", required=True),
            release=dict(type="str", default=""),
            services=dict(type="list", elements="dict", required=True),
            database=dict(type="dict", required=True),
            secrets=dict(type="list", elements="str", required=True, no_log=False),
            parameters=dict(type="list", elements="str", default=[]),
            coming=dict(type="list", elements="dict"),
            signed=dict(type="str", default=""),
        )
    )
    params = module.params
    with module.telling():
        store = open_store(params["store"], lambda: module.aws("s3"))
        memory = RunRepository(store, params["environment"], params["application"])
        there = remembered(memory, params["point_id"])
        steps: list[Labelling] = []
        if there is None:
            refuse_held(memory)
            steps, parameters = observe(module)
            record = record_of(params, steps, parameters)
        else:
            record = there
        if not module.check_mode:
            apply(SecretsGateway(module.aws("secretsmanager")), steps)
            remember(memory, record)
        module.finish(
            changed=there is None,
            before=there or {},
            after=record,
            plan=[line for step in steps for line in describe_labelling(step)],
            reason="%s is there already" % params["point_id"] if there else "what runs now is recorded",
            record=record,
        )


if __name__ == "__main__":
    main()
