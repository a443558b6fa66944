#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_finish
version_added: 0.1.0
short_description: Put back what a fast deployment has set for itself
description:
  - M(spymeo.rollback.ecs_rollback) with O(spymeo.rollback.ecs_rollback#module:deployment=fast) sets services and their target groups for its deployment, and
    puts back what they had. Where it died before, tags of the service that begin with C(spymeo:rollback-fast) tell it; this puts it back.
  - What somebody else has set meanwhile stays; RV(notes) tells it.
  - It starts no deployment. Services that bear no such tag are left alone, so a second time changes nothing.
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
  - module: spymeo.rollback.ecs_rollback
  - module: spymeo.rollback.rds_finish
"""

EXAMPLES = r"""
- name: Give the services back what a run that has died had set for its deployment
  spymeo.rollback.ecs_finish:
    cluster: spymeo-production
    services: [spymeo-app]
    run_id: rb-20261122-061500
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
  description: The services that bore such tags, with the texts of those.
  returned: success
  type: dict
after:
  description: The same now; in check mode, as it would be.
  returned: success
  type: dict
plan:
  description: What is put back, one sentence a service; empty when nothing is left of a fast deployment.
  returned: success
  type: list
  elements: str
reason:
  description: What has come of it, in one sentence.
  returned: success
  type: str
notes:
  description: What stays because somebody else has set it meanwhile, one sentence each.
  returned: success
  type: list
  elements: str
unfinished:
  description: What is still not put back, and why, one sentence a service.
  returned: success
  type: list
  elements: str
resources:
  description: The ARNs of the services that bore such tags, as M(spymeo.rollback.rollback_begin) takes it.
  returned: success
  type: list
  elements: str
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.fast_deployment import Hastening
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import arn_of_service
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service


def remembered(services: Sequence[Service]) -> dict[str, list[str]]:
    """The texts of the tags of those services that bear some, by name."""
    return {service.name: [text for _key, text in service.fast] for service in services if service.fast}


def why(before: Sequence[str], unfinished: Sequence[str]) -> str:
    """One sentence for the result."""
    if not before:
        return "nothing is left of a fast deployment"
    return "%d of %d services have back what they had" % (len(before) - len(unfinished), len(before))


def main() -> None:
    module = WritingModule(
        dict(
            cluster=dict(type="str", required=True),
            services=dict(type="list", elements="str", required=True),
            run_id=dict(type="str", required=True),
        )
    )
    params = module.params
    with module.telling():
        ecs = EcsGateway(module.aws("ecs"), params["cluster"])
        hastening = Hastening(
            ecs, lru_cache(maxsize=1)(lambda: ElbGateway(module.aws("elbv2"))), params["run_id"], Clock()
        )
        left = [service for service in ecs.services(params["services"]) if hastening.remembers(service)]
        plan = hastening.plan_back(left)
        if left and not module.check_mode:
            hastening.put_back([service.name for service in left])
        names = [service.name for service in left]
        module.finish(
            changed=bool(left) if module.check_mode else hastening.changed,
            before=remembered(left),
            after={} if module.check_mode or not left else remembered(ecs.services(names)),
            plan=plan,
            reason=why(names, hastening.unfinished),
            notes=hastening.notes,
            unfinished=hastening.unfinished,
            resources=[arn_of_service(service.arn, params["cluster"].rpartition("/")[2]) for service in left],
        )


if __name__ == "__main__":
    main()
