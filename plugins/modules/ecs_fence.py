#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_fence
version_added: 0.1.0
short_description: Bring ECS services to 0 tasks while their database is rolled back, and back to what they had
description:
  - While nothing runs, nothing is written to the failed database, and no task of the bad release can start on the restored one.
  - What a service had, its desired count and what was suspended of its autoscaling, is written as the tag C(spymeo:rollback-fence) on the service before
    anything is changed. A run that dies anywhere leaves it there, and whoever comes next can give it back.
  - Autoscaling is suspended first, because it would bring tasks back.
  - M(spymeo.rollback.ecs_rollback) lifts the fence with its deployment. O(state=absent) lifts it without one, which starts again what ran before.
  - With O(state=absent) the services have their tasks back when those serve. Where they keep ending, or are not there in time, it is a failure; the
    desired count stays, and so does the tag.
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
  state:
    description: V(present) brings them to 0 tasks, V(absent) gives back what they had.
    type: str
    choices: [present, absent]
    default: present
  unless_serving:
    description:
      - Leave the services as they are when something of them serves by now, though nothing did when it was decided.
      - One that was brought to 0 tasks already stays there.
    type: bool
    default: false
  stood:
    description:
      - RV(stood) of an earlier task of the same play. What wants tasks again, or has started some, since then, was not left to stand by somebody else.
        RV(broken) tells it, and the services are brought to 0 again.
    type: dict
    default: {}
  planned:
    description:
      - The desired count of each service when the run looked. RV(recounted) tells which had another one when they were to be brought to 0.
    type: dict
    default: {}
  against:
    description: Why nothing may be given back by O(state=absent), one sentence each. It is a failure then, in check mode, too.
    type: list
    elements: str
    default: []
  ways:
    description:
      - What RV(ways) gives where the tasks of O(state=absent) do not come up, or where something is O(against) that, each with C(words) and C(command).
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.run
  - spymeo.rollback.rollback.writing
  - spymeo.rollback.rollback.wait
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.ecs_rollback
"""

EXAMPLES = r"""
- name: Keep the bad release from writing
  spymeo.rollback.ecs_fence:
    cluster: spymeo-production
    services: [spymeo-app]
    run_id: rb-20261122-031500

- name: Give up the rollback, and start again what ran before it
  spymeo.rollback.ecs_fence:
    cluster: spymeo-production
    services: [spymeo-app]
    run_id: rb-20261122-031500
    state: absent
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
  description: The desired count of each service.
  returned: success
  type: dict
  sample: {"spymeo-app": 2}
after:
  description: The same afterwards; in check mode, what it would be.
  returned: success
  type: dict
  sample: {"spymeo-app": 0}
plan:
  description: What is done, one line a service.
  returned: success
  type: list
  elements: str
told:
  description:
    - With O(state=absent), what becomes of each service, one sentence each, also of those that stay as they are. A command stands below its sentence,
      indented.
  returned: success
  type: list
  elements: str
reason:
  description: Why something was done, or why nothing was.
  returned: success
  type: str
remembered:
  description: How many tasks each service is to get back.
  returned: success, unless they were left as they are because something serves
  type: dict
  sample: {"spymeo-app": 2}
broken:
  description:
    - What somebody else has done to services that stood at 0 tasks, one sentence each. They are brought to 0 again, and get back the count that was set
      last.
  returned: success
  type: list
  elements: str
recounted:
  description: What is told of services that had another desired count than O(planned), one sentence each. They get back what they had at the fence.
  returned: success
  type: list
  elements: str
stood:
  description: The time of ECS's newest event of each service when it was seen at 0 tasks, ISO 8601 in UTC; empty where there is none.
  returned: success
  type: dict
ways:
  description: O(ways).
  returned: when O(state=absent) has failed
  type: list
  elements: dict
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.autoscaling import ScalingGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fence import FENCE, LIFT, recounted
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    AUTO,
    NO_FENCE,
    choose_fence,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.fence import Fencing
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import observe_services
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.tasks_back import TasksBack
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service

WHY = {
    FENCE: ("nothing may write to the database while it is rolled back", "they stand at 0 tasks already"),
    LIFT: ("they get back what they had", "they bear no mark of a run, so there is nothing to give back"),
}
OPTIONS = dict(
    cluster=dict(type="str", required=True),
    services=dict(type="list", elements="str", required=True),
    unless_serving=dict(type="bool", default=False),
    stood=dict(type="dict", default={}),
    planned=dict(type="dict", default={}),
    against=dict(type="list", elements="str", default=[]),
    ways=dict(type="list", elements="dict", default=[]),
    state=dict(type="str", choices=["present", "absent"], default="present"),
    run_id=dict(type="str", required=True),
    wait=dict(type="bool", default=True),
    wait_timeout=dict(type="int", default=3600),
)
SERVES = "something serves by now, so they are left as they are"


def serves(module: WritingModule, ecs: EcsGateway, services: Sequence[Service]) -> bool:
    """Whether something of services that none of our runs has brought to 0 tasks serves anybody."""
    if any(service.fence for service in services):
        return False
    looks = observe_services(ecs, [service.name for service in services], ElbGateway(module.aws("elbv2")))
    return choose_fence(AUTO, looks)[0] == NO_FENCE


def as_counts(given: Mapping[str, Any]) -> dict[str, int]:
    """Desired counts, which a template may have made texts of."""
    return {name: int(count) for name, count in given.items()}


def times(stood: Mapping[str, str]) -> dict[str, datetime | None]:
    """When each service was last seen at 0 tasks, None where there is no event of it yet."""
    return {name: parse_time("stood", text) for name, text in stood.items()}


def seen(fencing: Fencing) -> dict[str, Any]:
    """What was seen of fences that stood, in JSON types."""
    return dict(
        broken=fencing.broken,
        stood={name: at.isoformat() if at else "" for name, at in fencing.stood.items()},
    )


def fencing_of(module: WritingModule, ecs: EcsGateway, verb: str, clock: Clock) -> Fencing:
    """The Fencing that is asked for; it has looked and changed nothing.

    :raises RollbackError: nothing may be given back.
    """
    params, proof = module.params, None
    if verb == LIFT and params["against"]:
        raise RollbackError("The services get nothing back:", params["against"])
    scaling = ScalingGateway(module.aws("application-autoscaling"), params["cluster"])
    if verb == LIFT and params["wait"]:
        elb, logs = ElbGateway(module.aws("elbv2")), LogsGateway(module.aws("logs"))
        proof = TasksBack(ecs, elb, logs, datetime.now(timezone.utc), clock)
    return Fencing(ecs, scaling, verb, params["services"], params["run_id"], clock, times(params["stood"]), proof)


@contextlib.contextmanager
def with_ways(ways: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """What to do next where something fails."""
    try:
        yield
    except RollbackError as error:
        if ways:
            error.result.setdefault("ways", list(ways))
        raise


def main() -> None:
    module = WritingModule(OPTIONS)
    params, clock = module.params, Clock()
    verb, started = FENCE if params["state"] == "present" else LIFT, clock.now()
    with module.telling(), with_ways(params["ways"]):
        ecs = EcsGateway(module.aws("ecs"), params["cluster"])
        fencing = fencing_of(module, ecs, verb, clock)
        before = {service.name: service.desired for service in fencing.services}
        counts = {service.name: service.wanted for service in fencing.services}
        if params["unless_serving"] and serves(module, ecs, fencing.services):
            module.finish(False, before, before, SERVES, told=[], recounted=[], **seen(fencing), seconds=0.0)
        plan, told = fencing.plan(), fencing.plan_lines() if verb == LIFT else []
        if not module.check_mode:
            fencing.go(params["wait_timeout"], teller("fence"), params["wait"])
        remembered = {service.name: service.wanted for service in fencing.services}
        module.finish(
            changed=bool(plan) if module.check_mode else fencing.changed,
            before=before,
            after=dict.fromkeys(before, 0) if verb == FENCE else remembered,
            plan=plan,
            told=told,
            reason=WHY[verb][0 if plan else 1],
            remembered=remembered,
            recounted=recounted(as_counts(params["planned"]), counts) if verb == FENCE else [],
            **seen(fencing),
            seconds=round(clock.now() - started, 1),
        )


if __name__ == "__main__":
    main()
