#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_preflight_info
version_added: 0.1.0
short_description: Tell everything that would keep ECS services from starting on given task definitions
description:
  - Looks at everything that a deployment of the targets needs, and reports all that is wrong at once, each with its cure.
    Otherwise a missing image shows only after minutes of failing tasks.
  - "The image is in ECR and can be pulled: an archived one cannot, and a lifecycle rule may have deleted it."
  - The task definition is there. An C(INACTIVE) one is a note, because M(spymeo.rollback.ecs_rollback) registers it again.
  - The execution role, the task role and the log groups exist.
  - "Each secret that the containers name can be read, down to version, stage and JSON key. No rotation of it is under way.
    Parameters of SSM exist."
  - The service is C(ACTIVE), its deployment controller is C(ECS), and it wants at least one task.
  - No deployment of somebody else is under way. Where there is one, it is a note, because the rollback stops or replaces it.
  - What the credentials may not read is reported as not checked, never as passed.
  - It makes no writing call. To find a JSON key it reads the secret's value, in memory only; no value is returned, logged or shown.
options:
  cluster:
    description: Name or ARN of the ECS cluster.
    type: str
    required: true
  targets:
    description: The task definition (C(family:revision) or ARN) of each service, as M(spymeo.rollback.ecs_release_info) chooses them.
    type: dict
    required: true
  recorded_digests:
    description:
      - The digest (C(sha256:...)) that each image reference meant when it was deployed.
      - Where a tag means another image today, the recorded one has to be in ECR, because M(spymeo.rollback.ecs_rollback) deploys that one.
    type: dict
    default: {}
  restored_secrets:
    description:
      - Names or ARNs of secrets of which the same run brings back another version before it deploys.
      - What their current version lacks is a note then, not a failure.
    type: list
    elements: str
    default: []
  fail_on_error:
    description: Whether the task fails when a check has failed. Its message names every failure with its cure.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
notes:
  - Images in other registries or regions, secrets and log groups in other regions, and environment files in S3 are reported as not checked.
seealso:
  - module: spymeo.rollback.ecs_release_info
  - module: spymeo.rollback.ecs_rollback
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Where would the application go back to?
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app, spymeo-worker]
  register: release

- name: Could it start there? Fails with everything that is in the way.
  spymeo.rollback.ecs_preflight_info:
    cluster: spymeo-production
    targets: "{{ release.targets }}"

- name: Look at one revision, and go on whatever it says
  spymeo.rollback.ecs_preflight_info:
    cluster: spymeo-production
    targets:
      spymeo-app: spymeo-app:41
    recorded_digests:
      123456789012.dkr.ecr.eu-west-3.amazonaws.com/spymeo-app:1.4.2: sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
    fail_on_error: false
  register: preflight

- name: Say what could not be checked
  ansible.builtin.debug:
    msg: "{{ preflight.findings | selectattr('verdict', 'equalto', 'not_checked') | map(attribute='subject') }}"
"""

RETURN = r"""
verdict:
  description:
    - V(failed) when a check has failed.
    - V(inconclusive) when none has, but some could not be made.
    - V(passed) else; there may be notes.
  returned: always, unless the options are wrong
  type: str
  sample: failed
findings:
  description: What each check of each thing came to. Failures come first, then what was not checked, then notes.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    check:
      description:
        - V(service), V(deployment_controller), V(desired_count), V(deployment), V(task_definition), V(image), V(execution_role), V(task_role),
          V(log_group), V(secret), V(rotation), V(parameter) or V(environment_file).
      type: str
      sample: image
    subject:
      description: What was looked at. Of a secret, also the JSON key, stage and version that are asked for.
      type: str
      sample: 123456789012.dkr.ecr.eu-west-3.amazonaws.com/spymeo-app:1.4.2
    verdict:
      description:
        - V(passed), V(failed), V(noted) or V(not_checked).
        - V(noted) does not keep the rollback from succeeding, and a person should know it.
      type: str
      sample: failed
    what:
      description: What was found.
      type: str
      sample: ECR has no such image
    cure:
      description: What to do about it. Empty where nothing is to be done.
      type: str
      sample: Push it again, or name another target in rollback_task_definition.
    services:
      description: The services that need it.
      type: list
      elements: str
      sample: [spymeo-app]
reason:
  description: How many checks came to what.
  returned: always, unless the options are wrong
  type: str
  sample: of 12 checks, 1 failed, 11 passed
evidence:
  description: One line for each failure, with its cure.
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
"""

from dataclasses import asdict

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.decide import findings, line, summary, verdict
from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.observe import observe
from ansible_collections.spymeo.rollback.plugins.module_utils._preflight.state import FAILED


def told(finding):
    """A Finding in JSON types."""
    return dict(asdict(finding), services=list(finding.services))


def main():
    module = RollbackModule(
        dict(
            cluster=dict(type="str", required=True),
            targets=dict(type="dict", required=True),
            recorded_digests=dict(type="dict", default={}),
            restored_secrets=dict(type="list", elements="str", default=[], no_log=False),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        asked = params["cluster"], params["targets"], params["recorded_digests"], params["restored_secrets"]
        found = findings(observe(module.aws, *asked))
        failures = [line(finding) for finding in found if finding.verdict == FAILED]
        result = dict(changed=False, before={}, after={}, plan=[], reason=summary(found), verdict=verdict(found))
        result.update(findings=[told(finding) for finding in found], evidence=failures)
        if failures and params["fail_on_error"]:
            message = "The rollback would fail (%s). Nothing was changed. Mend all of this first:" % summary(found)
            raise RollbackError(message, failures, result)
        module.finish(**result)


if __name__ == "__main__":
    main()
