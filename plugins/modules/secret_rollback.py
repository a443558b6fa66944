#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rollback
version_added: 0.1.0
short_description: Make given versions of secrets and parameters current again
description:
  - Moves C(AWSCURRENT) of each secret to a version id that is named, so a second run changes nothing. Such a secret's value is not read.
  - Where only some keys of a JSON secret go back, or a backup comes back, a new version is written and becomes current. Every byte that does not go
    back stays. A second try of the same run writes no second version.
  - Each move is a compare-and-swap. If somebody else moves the label at the same time, their version stays and the module fails.
  - A parameter has no label that moves. The old value is written again, as the newest version, unless the parameter has that value already.
  - All are checked before the first one is changed. No version is deleted, and no value is returned, logged or shown.
  - Running tasks keep what they read when they started. They get the change by the next deployment.
options:
  targets:
    description:
      - What each secret goes back to, by name or ARN, as RV(spymeo.rollback.secret_version_info#module:targets) gives it.
      - A version id means that the version comes back as a whole.
      - A mapping has C(version_id), and may have C(only) (the JSON keys that alone go back), C(keep) (those that stay) and C(backup) (the ARN of
        the secret that has the version, in place of the secret itself).
    type: dict
    required: true
  parameters:
    description: The number of a version for each parameter, as RV(spymeo.rollback.secret_version_info#module:parameter_targets) gives it.
    type: dict
    default: {}
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
      spymeo/production/app:
        version_id: 77a1c7f0-0b7c-4c2e-9d0b-1f3f1f0d8a52
        only: [PAYMENT_API_KEY]
    parameters:
      /spymeo/production/log-level: "7"
    run_id: rb-20261122-031500
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
before:
  description: The version that was current, by name of the secret or parameter.
  returned: success
  type: dict
after:
  description: The version that is current now; in check mode, the one that would be.
  returned: success
  type: dict
plan:
  description: What was changed, a line for each secret or parameter that changes.
  returned: success
  type: list
  elements: str
reason:
  description: Why something was changed, or why nothing was.
  returned: success
  type: str
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import ParametersGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.secrets import SecretRestoration, describe_step


def main() -> None:
    module = WritingModule(
        dict(
            targets=dict(type="dict", required=True),
            parameters=dict(type="dict", default={}),
            run_id=dict(type="str", required=True),
        )
    )
    targets, numbers, run_id = (module.params[name] for name in ("targets", "parameters", "run_id"))
    with module.telling():
        secrets = SecretsGateway(module.aws("secretsmanager"))
        restoration = SecretRestoration(secrets, lambda: ParametersGateway(module.aws("ssm")), targets, numbers, run_id)
        steps = restoration.steps
        if not module.check_mode:
            restoration.apply()
        module.finish(
            changed=bool(steps),
            before=restoration.before,
            after=restoration.after,
            plan=[describe_step(step) for step in steps],
            reason="run %s brings %d of %d secrets and parameters back" % (run_id, len(steps), len(restoration.before))
            if steps
            else "every target is current",
        )


if __name__ == "__main__":
    main()
