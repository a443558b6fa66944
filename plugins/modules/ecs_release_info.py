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
      - The release to go back to, as C(family:revision), as ARN, or as image digest (C(sha256:...)). A digest means the task definition that was
        last deployed with this image.
      - A string holds for all services; a mapping from a service to a string holds for these services, and the module chooses for the others.
      - A bare number is refused, because it names no family, and because AWX and YAML turn text into numbers.
      - Empty or left out means that the module chooses.
    type: raw
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

- name: One release for each service
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app, spymeo-worker]
    task_definition:
      spymeo-app: spymeo-app:41
      spymeo-worker: sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
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
      description: Every release in the history, newest first.
      type: list
      elements: dict
      contains:
        task_definition:
          description: The task definition, as C(family:revision).
          type: str
        image:
          description: The images that it names.
          type: list
          elements: str
        digest:
          description: The digest of each image when it last served (else, when it was last deployed), as far as AWS recorded it.
          type: dict
        first_deployed:
          description: When it was first deployed, ISO 8601 in UTC.
          type: str
        outcome:
          description: The status of its last service deployment.
          type: str
        status:
          description: V(ACTIVE) or V(INACTIVE).
          type: str
        in_use:
          description: Whether the service runs it.
          type: bool
        verdict:
          description: V(running), V(served), V(never served) or V(rolled back from), which marks it as bad.
          type: str
        chosen:
          description: Whether it is the target.
          type: bool
"""

from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.decide import as_releases, choose_target, short
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.gateway import EcsGateway, side_by_side
from ansible_collections.spymeo.rollback.plugins.module_utils._ecs.targets import (
    deployed_with,
    is_digest,
    named_targets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule


def observe(gateway, service, named):
    """The choice for one service, told in JSON types, and the time when the first bad release began."""
    history = gateway.history(service.name)
    seen = [item.task_definition for item in history] + [item.brought_back for item in history if item.brought_back]
    definitions = gateway.task_definitions([*seen, service.task_definition])

    def known(name):
        return definitions.get(name) or gateway.task_definition(name)

    releases, past = as_releases(service, history, definitions)
    wanted = deployed_with(past, named, service.name) if named and is_digest(named) else named
    choice = choose_target(releases, past, known(wanted).release if wanted else None)
    target = service.task_definition if choice.target == releases.task_definition else choice.target
    began = choice.bad_since
    if choice.first_bad:
        began = min(began, known(choice.first_bad).registered_at)
    told = dict(
        name=service.name,
        running=service.task_definition,
        target=target,
        reason=choice.reason,
        image=list(known(target).images),
        candidates=[tell(item, past, definitions, choice, releases) for item in choice.candidates],
    )
    return told, began


def tell(candidate, history, definitions, choice, service):
    """One candidate in JSON types."""
    arn = candidate.task_definition
    deployed = [item for item in history if item.task_definition == arn]
    last = deployed[0] if deployed else None
    proven = next((item for item in deployed if item.status == "SUCCESSFUL"), last)
    definition = definitions.get(arn)
    return dict(
        task_definition=short(arn),
        image=list(definition.images) if definition else [],
        digest=dict(proven.digests) if proven else {},
        first_deployed=candidate.first_deployed.isoformat(),
        outcome=last.status if last else "",
        status=definition.status if definition else "",
        in_use=arn == service.task_definition,
        verdict=candidate.verdict,
        chosen=arn == choice.target,
    )


def main():
    module = RollbackModule(
        dict(
            cluster=dict(type="str", required=True),
            services=dict(type="list", elements="str", required=True),
            task_definition=dict(type="raw"),
        )
    )
    with module.telling():
        gateway = EcsGateway(module.aws("ecs"), module.params["cluster"])
        services = gateway.services(module.params["services"])
        named = named_targets(module.params["task_definition"], module.params["services"])
        observed = side_by_side(lambda service: observe(gateway, service, named.get(service.name)), services)
        times = [began for _told, began in observed if began]
        module.exit_json(
            changed=False,
            services=[told for told, _began in observed],
            targets={told["name"]: told["target"] for told, _began in observed},
            bad_since=min(times).isoformat() if times else "",
        )


if __name__ == "__main__":
    main()
