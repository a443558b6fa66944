#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_version_info
version_added: 0.1.0
short_description: Tell which version of each secret would come back, and why
description:
  - Reads the versions of secrets, deprecated ones included, and chooses for each the newest one created before the bad release began.
  - The label C(AWSPREVIOUS) is not asked, because it swaps places with C(AWSCURRENT) at every move.
  - Values are never read.
  - It fails, and names the candidates, when no version is old enough or the choice is not certain. It also fails while a rotation is under way,
    for a replica, which is read-only, and for a secret that is scheduled for deletion.
options:
  secrets:
    description: Names or ARNs of the secrets. The list may be empty.
    type: list
    elements: str
    required: true
  before:
    description:
      - When the bad release began, ISO 8601 with a time zone, as RV(spymeo.rollback.ecs_release_info#module:bad_since) tells it.
      - Empty means that no bad release is known. Then every secret stays at its current version.
    type: str
    required: true
  database_secret:
    description:
      - Name or ARN of the secret that holds the database URL.
      - It is left out where O(secrets) names it too, because an old URL must never come back over the new endpoint of the database.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.secret_rollback
"""

EXAMPLES = r"""
- name: Which versions would come back?
  spymeo.rollback.secret_version_info:
    secrets: [spymeo/production/payment-api-key, spymeo/production/session-secret]
    database_secret: spymeo/production/database-url
    before: "{{ release.bad_since }}"
  register: secrets
"""

RETURN = r"""
targets:
  description: The chosen version id of each secret, by name, as M(spymeo.rollback.secret_rollback) takes it.
  returned: success
  type: dict
  sample: {"spymeo/production/session-secret": "5048a2cf-8c04-4b4f-b5a1-6ac1f0b7a9d1"}
before:
  description: The version id that is current now, by name of the secret.
  returned: success
  type: dict
after:
  description: The same as RV(before), because nothing is changed.
  returned: success
  type: dict
plan:
  description: What a rollback would do, one sentence for each secret that would change.
  returned: success
  type: list
  elements: str
reason:
  description: Why the secrets would change or stay.
  returned: success
  type: str
secrets:
  description: What is known about each secret.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the secret.
      type: str
    arn:
      description: Its ARN.
      type: str
    current:
      description: The version id that bears C(AWSCURRENT).
      type: str
    chosen:
      description: The version id that would come back. Null where the secret is left out.
      type: str
    reason:
      description: Why this one.
      type: str
    versions:
      description: All versions, newest first, with C(id), C(stages) (a list) and C(created) (ISO 8601).
      type: list
      elements: dict
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import parse_time, show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.decide import (
    Choice,
    choose_version,
    current_of,
    refuse_unusable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.gateway import SecretsGateway

LEFT_OUT = Choice(None, "it holds the database URL, which follows the database and never goes back by itself")


def choose(gateway, secret_id, database_arn, before):
    """What would come back for one secret, in JSON types."""
    secret = gateway.secret("secrets", secret_id)
    if secret.arn != database_arn:
        refuse_unusable("secrets", secret, gateway.region)
    choice = LEFT_OUT if secret.arn == database_arn else choose_version(secret, before)
    return dict(
        name=secret.name,
        arn=secret.arn,
        current=current_of(secret).id,
        chosen=choice.target,
        reason=choice.reason,
        versions=[
            dict(id=item.id, stages=list(item.stages), created=show_time(item.created)) for item in secret.versions
        ],
    )


def moves(item):
    """Whether another version than the current one would come back."""
    return item["chosen"] not in (None, item["current"])


def main():
    module = RollbackModule(
        dict(
            secrets=dict(type="list", elements="str", required=True, no_log=False),
            before=dict(type="str", required=True),
            database_secret=dict(type="str", no_log=False),
        )
    )
    with module.telling():
        before = parse_time("before", module.params["before"])
        gateway = SecretsGateway(module.aws("secretsmanager"))
        database_secret = module.params["database_secret"]
        database_arn = gateway.secret("database_secret", database_secret).arn if database_secret else None
        chosen = [choose(gateway, secret_id, database_arn, before) for secret_id in module.params["secrets"]]
        current = {item["name"]: item["current"] for item in chosen}
        module.finish(
            changed=False,
            before=current,
            after=current,
            plan=["%s: %s → %s" % (item["name"], item["current"], item["chosen"]) for item in chosen if moves(item)],
            reason="; ".join("%s: %s" % (item["name"], item["reason"]) for item in chosen) or "no secrets are named",
            secrets=chosen,
            targets={item["name"]: item["chosen"] for item in chosen if item["chosen"]},
        )


if __name__ == "__main__":
    main()
