#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rollback
version_added: 0.1.0
short_description: Make given versions of secrets current again
description:
  - Moves C(AWSCURRENT) to a version id that is named, so a second run changes nothing.
  - Each move is a compare-and-swap. If somebody else moves the label at the same time, their version stays and the module fails.
  - All secrets are checked before the first one is changed. Values are never read, and no version is deleted.
  - Running tasks keep what they read when they started. They get the change by the next deployment.
options:
  targets:
    description: The version id of each secret, by name or ARN, as RV(spymeo.rollback.secret_version_info#module:targets) gives it.
    type: dict
    required: true
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
  - module: spymeo.rollback.secret_version_info
"""

EXAMPLES = r"""
- name: Bring the secrets back
  spymeo.rollback.secret_rollback:
    targets:
      spymeo/production/session-secret: 5048a2cf-8c04-4b4f-b5a1-6ac1f0b7a9d1
    run_id: rb-20261122-031500
"""

RETURN = r"""
before:
  description: The version id that was current, by name of the secret.
  returned: success
  type: dict
after:
  description: The version id that is current now; in check mode, the one that would be.
  returned: success
  type: dict
plan:
  description: The moves, one for each secret that changes.
  returned: success
  type: list
  elements: str
reason:
  description: Why labels were moved, or why none was.
  returned: success
  type: str
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.decide import (
    current_of,
    plan_move,
    refuse_unusable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.gateway import SecretsGateway


def observe(gateway, targets):
    """The Secrets by the key that names them in ``targets``; all of them can be written."""
    secrets = {key: gateway.secret("secrets", key) for key in sorted(targets)}
    for secret in secrets.values():
        refuse_unusable("secrets", secret, gateway.region)
    return secrets


def apply(gateway, moves):
    """Make the moves one after the other; an error tells which were made before it."""
    made = []
    for move in moves:
        try:
            gateway.move_current(move)
        except RollbackError as error:
            raise RollbackError(error.message, ["before that: %s" % text for text in told(made)]) from error
        made.append(move)


def told(moves):
    """The moves for people, one sentence each."""
    return ["%s: %s → %s" % (move.name, move.source, move.target) for move in moves]


def main():
    module = WritingModule(dict(targets=dict(type="dict", required=True), run_id=dict(type="str", required=True)))
    targets = module.params["targets"]
    with module.telling():
        gateway = SecretsGateway(module.aws("secretsmanager"))
        secrets = observe(gateway, targets)
        moves = [move for move in (plan_move(secret, targets[key]) for key, secret in secrets.items()) if move]
        if not module.check_mode:
            apply(gateway, moves)
        module.finish(
            changed=bool(moves),
            before={secret.name: current_of(secret).id for secret in secrets.values()},
            after={secret.name: targets[key] for key, secret in secrets.items()},
            plan=told(moves),
            reason="run %s brings %d of %d secrets back" % (module.params["run_id"], len(moves), len(secrets))
            if moves
            else "every target is current",
        )


if __name__ == "__main__":
    main()
