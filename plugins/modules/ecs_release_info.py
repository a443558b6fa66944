#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_release_info
version_added: 0.1.0
short_description: Tell which task definition each ECS service would go back to, and why
description:
  - Reads the deployment history of each service, which AWS keeps for 90 days, and chooses the task definition that a code rollback brings back.
  - A task definition that O(task_definition) names comes first.
  - Else a service that was brought back already, by whomever, stays where it is, so that running a rollback twice changes nothing.
  - Else it is the newest task definition older than the running one that has served (its deployment was C(SUCCESSFUL)) and was not rolled back from.
    It is never simply the previous revision, which may never have been deployed, or may be the bad build itself.
options:
  cluster:
    description: Name or ARN of the ECS cluster.
    type: str
    required: true
  services:
    description: The names of the services of one application.
    type: list
    elements: str
    required: true
  task_definition:
    description:
      - The task definition to go back to, as C(family:revision) or as ARN.
      - Empty or left out means that the module chooses.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Where would the application go back to?
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app]
  register: release

- name: Look at one revision in particular
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app]
    task_definition: spymeo-app:41
"""

RETURN = r"""
targets:
  description: The chosen task definition ARN of each service, as M(spymeo.rollback.ecs_rollback) takes it.
  returned: success
  type: dict
  sample: {"spymeo-app": "arn:aws:ecs:eu-west-3:123456789012:task-definition/spymeo-app:41"}
bad_since:
  description:
    - When the first bad release began, ISO 8601 in UTC. The registration of its task definition counts, not only its deployment, because
      pipelines migrate and rotate between the two.
    - Empty when no release came after the targets.
  returned: success
  type: str
  sample: "2026-11-22T03:11:05.120000+00:00"
services:
  description: What is known about each service.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The service.
      type: str
    running:
      description: The task definition of its primary deployment.
      type: str
    target:
      description: The task definition that it would go back to.
      type: str
    reason:
      description: Why this one.
      type: str
    image:
      description: The images of the target.
      type: list
      elements: str
    candidates:
      description: Every task definition in the history, newest first, with C(first_deployed) and C(verdict).
      type: list
      elements: dict
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import choose_target
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule


def observe(gateway, service, wanted):
    """The choice for one service, told in JSON types, and the time when the first bad release began."""
    choice = choose_target(service, gateway.history(service.name), wanted)
    target = gateway.task_definition(choice.target)
    began = choice.bad_since
    if choice.first_bad:
        began = min(began, gateway.task_definition(choice.first_bad).registered_at)
    told = dict(
        name=service.name,
        running=service.task_definition,
        target=choice.target,
        reason=choice.reason,
        image=list(target.images),
        candidates=[
            dict(
                task_definition=item.task_definition,
                first_deployed=item.first_deployed.isoformat(),
                verdict=item.verdict,
            )
            for item in choice.candidates
        ],
    )
    return told, began


def main():
    module = RollbackModule(
        dict(
            cluster=dict(type="str", required=True),
            services=dict(type="list", elements="str", required=True),
            task_definition=dict(type="str"),
        )
    )
    with module.telling():
        gateway = EcsGateway(module.aws("ecs"), module.params["cluster"])
        services = gateway.services(module.params["services"])
        named = module.params["task_definition"]
        wanted = gateway.task_definition(named).arn if named else None
        observed = [observe(gateway, service, wanted) for service in services]
        times = [began for _told, began in observed if began]
        module.exit_json(
            changed=False,
            services=[told for told, _began in observed],
            targets={told["name"]: told["target"] for told, _began in observed},
            bad_since=min(times).isoformat() if times else "",
        )


if __name__ == "__main__":
    main()
