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
  - Brings each service to an explicit task definition, side by side, and waits until B(that) deployment has succeeded.
    A service that merely is steady proves nothing, since it also is after ECS's circuit breaker has rolled it back.
  - Where a deployment is still under way and rolling it back leads to the target, it is stopped with rollback, the fastest way back.
    Else the target is deployed.
  - A target that fails is no last state, unless O(on_failure=stay). The service goes back to what served before.
  - A target that is C(INACTIVE) is registered again with its content, because ECS deploys no inactive one. A target whose image tag means
    another image today is registered again with the image's recorded digest. The copy bears the tag C(spymeo:rollback-origin) and counts as
    the release that it is a copy of.
  - A service that runs its target already is deployed again only when a secret or parameter that its tasks read at their start has changed
    since.
  - It fails as soon as failure is certain, with events, reasons, exit codes and the last log lines of dead tasks.
    One service that fails does not keep the others from going on.
  - The desired count is left alone, and no task definition is deregistered. A service that M(spymeo.rollback.ecs_fence) has brought to 0 tasks gets
    them back with the deployment, and its autoscaling afterwards.
options:
  cluster:
    description: Name or ARN of the ECS cluster.
    type: str
    required: true
  targets:
    description: The task definition (C(family:revision) or ARN) of each service, as M(spymeo.rollback.ecs_release_info) chooses them.
    type: dict
    required: true
  service_revisions:
    description:
      - The ARN of the service revision that is to come back, of a service in O(targets), as M(spymeo.rollback.ecs_release_info) chooses it.
      - Its images come back by their digests, and with it the configuration that it had, where that differs from what runs. That is network, load
        balancers, service registries, platform version, capacity provider strategy, Service Connect, volumes, and VPC Lattice.
      - Without one, it is the one with which the task definition has last succeeded, if AWS has a record of it.
    type: dict
    default: {}
  on_failure:
    description:
      - What becomes of a service whose target fails.
      - V(back) brings it back to what served before, which ECS does within seconds where the deployment is still under way. The task fails all the same.
      - V(stay) leaves it as it is. It has to be this where the database was moved already, because what ran before must never meet the restored one.
    type: str
    choices: [back, stay]
    default: back
  on_failure_reason:
    description: Why it has to stay, for people.
    type: str
    default: ""
  next:
    description: The release that comes next, of a service in O(targets), as RV(spymeo.rollback.ecs_release_info#module:next) gives it. A failure tells it.
    type: dict
  deployment:
    description:
      - V(as_configured) deploys as the services and their target groups are configured.
      - V(fast) sets them for this deployment only, and puts back what they had. A service with the strategy C(ROLLING) gets the deployment circuit
        breaker and early success (C(earlySuccessCriteria) with 100 percent and C(DEFERRED)), so that ECS waits for no draining, and room for all
        new tasks at once (at least 200 percent), with no minimum where none of its tasks is well, else with 100 percent, so that no task goes
        before a new one is well. Where tasks run on instances of one's own and some are well, its percentages stay. Target groups get a health
        check every 5 seconds, of which two in a row count, and drain for 10 seconds. Whoever had longer to answer keeps it, by more checks that
        may fail, and by the grace period.
      - What was set before is written first, in tags of the service that begin with C(spymeo:rollback-fast), so that whoever comes next puts it back
        where this task dies. That is each later M(spymeo.rollback.ecs_rollback) with O(wait), and M(spymeo.rollback.ecs_finish).
      - What somebody else has set meanwhile stays. What AWS does not allow or know is left as it is configured, and the deployment is made all the same.
      - Without O(wait) it is V(as_configured).
    type: str
    choices: [as_configured, fast]
    default: as_configured
  as_is:
    description:
      - Services of which the very task definition of O(targets) is deployed, with the version of a secret that a run has pinned in it, as an undo needs it.
      - Of all others a pin of that kind is taken back. Without O(database) they read whichever version is current again.
    type: list
    elements: str
    default: []
  coming:
    description:
      - In check mode, versions of secrets that become current before the real deployment; their ids by the secrets' names or ARNs. What is deployed instead
        of a task definition that pins another version is reported as it will be then. Without check mode what is current counts.
    type: dict
    default: {}
  deploys_anyway:
    description:
      - Whether, in check mode, RV(settings) are those of a deployment also for a service that runs its target already, because a database will have
        moved by then.
    type: bool
    default: false
  database:
    description: A database that has moved, where task definitions have its address in themselves. Copies of them that have the new one are deployed.
    type: dict
    suboptions:
      host:
        description: The new host.
        type: str
        required: true
      port:
        description: The new port.
        type: int
        required: true
      version_id:
        description: The version of the secret that has the new address.
        type: str
        required: true
      entries:
        description: What is to be rewritten, as RV(spymeo.rollback.database_references_info#module:rewritten) gives it.
        type: dict
        required: true
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
  - module: spymeo.rollback.ecs_release_info
  - module: spymeo.rollback.ecs_fence
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
  description: What each service ran, with image, digest, environment and secret references of each container. Values that may be secret are fingerprints.
  returned: success
  type: dict
after:
  description: The same for what each service runs now; in check mode, for what it would run.
  returned: success
  type: dict
plan:
  description: What is done for each service, one line each.
  returned: success
  type: list
  elements: str
reason:
  description: Why something was deployed, or why nothing was.
  returned: success
  type: str
services:
  description: What has become of each service.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The service.
      type: str
    before:
      description: The task definition that it ran, as C(family:revision).
      type: str
    after:
      description: The task definition that it runs now.
      type: str
    image:
      description: The images of the target.
      type: list
      elements: str
    step:
      description: How it was done, V(nothing), V(join), V(stop), V(deploy) or V(register).
      type: str
    fence:
      description: What becomes of a service that a run has brought to 0 tasks, one sentence; empty where none has.
      type: str
    reason:
      description: Why.
      type: str
    changes:
      description: What else of the service changes with it, such as its security groups, one line each.
      type: list
      elements: str
    pins:
      description: With O(database), what its containers read from O(database.version_id) by its id, and so until another task definition is deployed.
      type: list
      elements: str
    origin:
      description: The task definition that stands for the release, of which what is deployed may be a copy.
      type: str
    same_release:
      description:
        - Whether what ran before is of the same release as the target. Then RV(services[].before) and RV(services[].after) differ only where one of them
          is a copy, as one that pins a version of a secret.
      type: bool
    origin_gone:
      description: Whether that was deleted, so that nothing can be deployed of it.
      type: bool
    outcome:
      description:
        - V(serves), V(as before), V(under way) without O(wait), or V(not started) in check mode.
        - Of a target that has failed, V(failed) with what has become of the service.
      type: str
    seconds:
      description: How long it took.
      type: float
seconds:
  description: How long all of them took.
  returned: success
  type: float
settings:
  description:
    - With O(deployment=fast), what is set for this deployment only, and what it was and will be again; one line for the service and for each of its
      target groups.
  returned: success
  type: list
  elements: str
broken:
  description:
    - What somebody else has done to services that stood at 0 tasks, until this task has deployed them, one sentence each. A count that was set by then
      stays.
  returned: success
  type: list
  elements: str
notes:
  description: Of that, what was not done, and what was not put back since somebody else has set it meanwhile, one sentence each.
  returned: success
  type: list
  elements: str
unfinished:
  description: What a fast deployment has set and what is not put back yet, one sentence each. M(spymeo.rollback.ecs_finish) does.
  returned: success, and when a target has failed
  type: list
  elements: str
served_at:
  description:
    - When all traffic was on healthy tasks of the targets, ISO 8601 in UTC, by this machine's clock. Empty in check mode, and without O(wait).
    - With the strategy C(ROLLING) that is when all of them are healthy targets and no task of anything else is, be ECS done or not. Where load balancers
      cannot be asked, and with other strategies, it is when ECS calls the deployment a success.
  returned: success
  type: str
failed_services:
  description: The services whose targets have failed.
  returned: when a target has failed
  type: list
  elements: str
next_task_definition:
  description: What C(rollback_task_definition) is to be for the next run, so that it does not repeat the failure. A mapping of those services to names, or
    the name where there is one service only; empty where AWS's record has no other release.
  returned: when a target has failed
  type: raw
"""

from datetime import datetime, timedelta, timezone
from functools import lru_cache

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.autoscaling import ScalingGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecr import EcrGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.logs import LogsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url_rewrite import UrlMove
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fast_deployment import AS_CONFIGURED, FAST
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.changed_values import ValueChanges
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.deploy import Rollout
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.go_back import BACK, STAY, Failing
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.preflight import Clients
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

DATABASE = dict(
    host=dict(type="str", required=True),
    port=dict(type="int", required=True),
    version_id=dict(type="str", required=True),
    entries=dict(type="dict", required=True),
)


def planned_rollout(module: WritingModule) -> Rollout:
    """The Rollout that is asked for; it has looked and changed nothing."""
    ecs, cluster = module.aws("ecs"), module.params["cluster"]
    return Rollout(
        EcsGateway(ecs, cluster),
        ValueChanges(Clients(module.aws)),
        EcrGateway(module.aws("ecr")),
        LogsGateway(module.aws("logs")),
        lambda: ScalingGateway(module.aws("application-autoscaling"), cluster),
        lru_cache(maxsize=1)(lambda: ElbGateway(module.aws("elbv2"))),
        module.params["targets"],
        module.params["run_id"],
        Clock(),
        UrlMove(**module.params["database"]) if module.params["database"] else None,
        module.params["service_revisions"],
        Failing(module.params["on_failure"], module.params["on_failure_reason"], module.params["next"]),
        module.params["deployment"] == FAST and module.params["wait"],
        module.params["deploys_anyway"] and module.check_mode,
        module.params["as_is"],
        module.params["coming"] if module.check_mode else None,
    )


def main() -> None:
    module = WritingModule(
        dict(
            cluster=dict(type="str", required=True),
            targets=dict(type="dict", required=True),
            run_id=dict(type="str", required=True),
            service_revisions=dict(type="dict", default={}),
            on_failure=dict(type="str", choices=[BACK, STAY], default=BACK),
            on_failure_reason=dict(type="str", default=""),
            next=dict(type="dict"),
            database=dict(type="dict", options=DATABASE),
            deployment=dict(type="str", choices=[AS_CONFIGURED, FAST], default=AS_CONFIGURED),
            deploys_anyway=dict(type="bool", default=False),
            as_is=dict(type="list", elements="str", default=[]),
            coming=dict(type="dict", default={}, no_log=False),
            wait=dict(type="bool", default=True),
            wait_timeout=dict(type="int", default=3600),
        )
    )
    with module.telling():
        rollout = planned_rollout(module)
        if not module.check_mode:
            rollout.start()
            if module.params["wait"]:
                rollout.wait(module.params["wait_timeout"], teller("deployment"))
        told = rollout.to_result()
        served = module.params["wait"] and all(each["outcome"] in ("serves", "as before") for each in told["services"])
        since = datetime.now(timezone.utc) - timedelta(seconds=rollout.served_ago)
        served_at = show_time(since) if served and not module.check_mode else ""
        module.finish(changed=rollout.changes, served_at=served_at, **told)


if __name__ == "__main__":
    main()
