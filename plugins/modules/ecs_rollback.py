#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_rollback
version_added: 0.1.0
short_description: Bring ECS services to given task definitions, and prove that they run them
description:
  - Deploys each service to an explicit task definition, side by side, and waits until B(that) deployment has succeeded.
    A service that merely is steady proves nothing, since it also is after ECS's circuit breaker has rolled it back.
  - A service that runs its target already is deployed again only when a secret that its tasks read at their start has changed since.
  - The desired count is left alone, and no task definition is deregistered.
options:
  cluster:
    description: Name or ARN of the ECS cluster.
    type: str
    required: true
  targets:
    description: The task definition (C(family:revision) or ARN) of each service, as M(spymeo.rollback.ecs_release_info) chooses them.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.run
  - spymeo.rollback.rollback.wait
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.ecs_release_info
"""

EXAMPLES = r"""
- name: Bring the application back
  spymeo.rollback.ecs_rollback:
    cluster: spymeo-production
    targets:
      spymeo-app: spymeo-app:41
    run_id: rb-20261122-031500
    wait_timeout: 900
"""

RETURN = r"""
before:
  description: The task definition of each service before.
  returned: success
  type: dict
after:
  description: The task definition of each service now; in check mode, what it would be.
  returned: success
  type: dict
plan:
  description: What is done for each service, one sentence each.
  returned: success
  type: list
  elements: str
reason:
  description: Why something was deployed, or why nothing was.
  returned: success
  type: str
seconds:
  description: How long the deployments took, in seconds.
  returned: success
  type: float
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import next_step, short
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.rollout import Rollout
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.gateway import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import Clock


def decide(gateway, secrets, targets):
    """(service, target, step) of each service, in the order of their names."""
    decided = []
    for service in gateway.services(sorted(targets)):
        target = gateway.task_definition(targets[service.name])
        decided.append((service, target, next_step(service, target, secrets.newest_change(target.secret_arns))))
    return decided


def main():
    module = RollbackModule(
        dict(
            cluster=dict(type="str", required=True),
            targets=dict(type="dict", required=True),
            run_id=dict(type="str", required=True),
            wait=dict(type="bool", default=True),
            wait_timeout=dict(type="int", default=3600),
        )
    )
    with module.telling():
        gateway = EcsGateway(module.aws("ecs"), module.params["cluster"])
        decided = decide(gateway, SecretsGateway(module.aws("secretsmanager")), module.params["targets"])
        clock = Clock()
        started = clock.now()
        if not module.check_mode:
            rollout = Rollout(gateway, decided, clock)
            rollout.start()
            if module.params["wait"]:
                rollout.wait(module.params["wait_timeout"])
        module.finish(
            changed=any(step.verb == "deploy" for _service, _target, step in decided),
            before={service.name: short(service.task_definition) for service, _target, _step in decided},
            after={service.name: short(target.arn) for service, target, _step in decided},
            plan=["%s: %s %s" % (service.name, step.verb, short(target.arn)) for service, target, step in decided],
            reason="; ".join(step.reason for _service, _target, step in decided),
            seconds=round(clock.now() - started, 1),
        )


if __name__ == "__main__":
    main()
