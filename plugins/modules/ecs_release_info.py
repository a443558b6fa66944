#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_release_info
version_added: 0.1.0
short_description: Tell which task definition each ECS service would go back to, why, and whether it could start
description:
  - Reads the deployment history of each service, which AWS keeps for 90 days, and chooses the service revision that a code rollback brings back. That
    is a task definition, what the tags of its images meant, and where its tasks stood (network, load balancers, platform, capacity).
  - A release that O(task_definition) names comes first, then what the release point that O(release_point) names has recorded.
  - Else a service that was brought back already, by whomever, stays where it is, so that running a rollback twice changes nothing.
  - Else it is what the newest of O(release_points) that is older than what runs has recorded.
  - Else it is the newest that ran before, whose images are not those of what runs, which has served (its deployment was C(SUCCESSFUL)) for at least
    O(served_at_least), and which was not rolled back from, or was deployed again since and served. A release is what its images are, so two task
    definitions with the same digests are one release, and a moved tag is another one. It is never simply the previous revision.
  - Then it looks at everything that a deployment of the chosen ones needs, and reports all that is wrong at once, each with its cure.
    Otherwise a missing image shows only after minutes of failing tasks.
  - "The image is in ECR and can be pulled: an archived one cannot, and a lifecycle rule may have deleted it. Where the tag means another image
    today than when it was deployed, the one of then has to be there, because M(spymeo.rollback.ecs_rollback) deploys that one."
  - The execution role, the task role and the log groups exist.
  - "Each secret that the containers name can be read, down to version, stage and JSON key. No rotation of it is under way.
    Parameters of SSM exist."
  - The service is C(ACTIVE), its deployment controller is C(ECS), it wants at least one task, and its deployment strategy lets the deployment
    end within O(wait_timeout).
  - A deployment of somebody else that is under way is a note, because the rollback stops or replaces it. So is a target that is C(INACTIVE),
    because M(spymeo.rollback.ecs_rollback) registers it again, and what a service lacks that runs its target already.
  - What the credentials may not read is reported as not checked, never as passed.
  - It makes no writing call. To find a JSON key it reads the secret's value, in memory only; no value is returned, logged or shown.
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
      - The release to go back to, as C(family:revision), as ARN of a task definition or of a service revision, as image digest (C(sha256:...)), or as
        image tag (C(1.4.2)). What means more than one release is refused, with each of them and the name that means it alone.
      - A string holds for all services; a mapping from a service to a string holds for these services, and the module chooses for the others.
      - A bare number is refused, because it names no family, and because AWX and YAML turn text into numbers.
      - Empty or left out means that the module chooses.
    type: raw
  choose:
    description:
      - V(previous) chooses as said above.
      - V(running) chooses what each service runs, to look whether it could be started again, as when its database alone goes back.
        O(task_definition) must be left out then.
    type: str
    choices: [previous, running]
    default: previous
  release_points:
    description:
      - The release points of the application, newest first, as M(spymeo.rollback.rollback_run) gives them.
      - The newest one that is older than what runs tells the task definitions to go back to, after O(task_definition), and before what is chosen from the
        deployment history. One that has recorded a release that was rolled back from is left out.
    type: list
    elements: dict
    default: []
  release_point:
    description:
      - The id of the release point to go back to, in place of the newest one that is older than what runs.
      - V(none) goes back without one.
    type: str
  readers_of:
    description:
      - Name or ARN of a secret. The other services of the cluster that read it are started again with those of O(services); their code stays.
    type: str
  restored_secrets:
    description:
      - Names or ARNs of secrets of which the same run brings back another version before it deploys.
      - What their current version lacks is a note then, not a failure.
    type: list
    elements: str
    default: []
  wait_timeout:
    description:
      - How long the deployment may take, in seconds, as M(spymeo.rollback.ecs_rollback) is given it.
      - A service whose own deployment strategy (blue/green, linear, canary) bakes longer than that is a failure.
    type: int
    default: 3600
  served_at_least:
    description:
      - For how many seconds a release has to have served to be gone back to without being named, where another one did serve as long. One that served
        for moments only has proven nothing, and may be the first of two bad ones.
      - Where none served as long, it is the newest one that has served at all. Either way it is reported.
    type: int
    default: 300
  proof:
    description:
      - What the checks after the rollback need, to find out now whether they can be made. The health check is asked once.
    type: dict
    suboptions:
      base_url:
        description: The application's public URL, or V(none) where it has no HTTP.
        type: str
        required: true
      health_path:
        description: The path of its health check.
        type: str
        required: true
      log_groups:
        description: The log groups that will be read.
        type: list
        elements: str
        default: []
      secrets:
        description: The secrets that the checks will read, each with C(secret) and perhaps C(key).
        type: dict
        default: {}
      despite_unreachable:
        description: Whether a public URL that cannot be reached is a note and not a failure.
        type: bool
        default: false
  fence:
    description:
      - Whether the services are to be brought to 0 tasks before a database that moves is deployed with them. V(auto) looks whether anything of them serves
        anybody. Where nothing does, it costs nobody anything. RV(fence) tells what is to be done.
    type: str
    choices: [auto, none, scale_to_zero]
    default: none
  database_secret:
    description:
      - Name or ARN of the secret that holds DATABASE_URL. With it, it is found out which database the running tasks have read, which need not be the one
        that AWSCURRENT names. Where they differ a deployment would bring the application other data, so it is a failure, unless O(run_id) itself has
        pinned what they read. RV(data) tells it.
    type: str
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  run_id:
    description: The run that asks.
    type: str
    default: ''
  before:
    description: What an undo would bring back, from the record of the run that it undoes. RV(back) tells whether that can be, and what it reads. It needs
      O(database_secret).
    type: dict
    suboptions:
      services:
        description: RV(spymeo.rollback.rollback_undo_info#module:services).
        type: dict
        required: true
      secrets:
        description: RV(spymeo.rollback.rollback_undo_info#module:secrets).
        type: dict
        default: {}
      database:
        description: RV(spymeo.rollback.rollback_undo_info#module:database).
        type: dict
        default: {}
      began:
        description: RV(spymeo.rollback.rollback_undo_info#module:began).
        type: str
        default: ''
  fail_on_error:
    description:
      - Whether the task fails when a check has failed. Its message names every failure with its cure.
      - Without it, what is not there (cluster, service, release) is reported in RV(evidence), too, so that it can be told together with what else is wrong.
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
  - module: spymeo.rollback.ecs_rollback
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Where would the application go back to? Fails with everything that would keep it from starting.
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app]
  register: release

- name: Look at one revision in particular, and go on whatever it lacks
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app]
    task_definition: spymeo-app:41
    fail_on_error: false
  register: release

- name: Say what could not be checked
  ansible.builtin.debug:
    msg: "{{ release.findings | selectattr('verdict', 'equalto', 'inconclusive') | map(attribute='subject') }}"

- name: One release for each service
  spymeo.rollback.ecs_release_info:
    cluster: spymeo-production
    services: [spymeo-app, spymeo-worker]
    task_definition:
      spymeo-app: spymeo-app:41
      spymeo-worker: sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
"""

RETURN = r"""
fence:
  description: Whether the services are to be brought to 0 tasks before the deployment. C(value) is V(none) or V(scale_to_zero), C(why) the reason.
  returned: when one was chosen for each service
  type: dict
  sample: {"value": "none", "why": "something serves"}
data:
  description:
    - Which database is in service, that is, what the running tasks have read. Where none runs it is what the next one would read.
    - Empty without O(database_secret), and where it could not be found out; then there is a finding V(data) that says why.
  returned: when one was chosen for each service
  type: dict
  contains:
    host:
      description: Its host. Where tasks read several, it is the one that AWSCURRENT names, if any task has read that.
      type: str
    port:
      description: Its port.
      type: int
    version_id:
      description: The version of the secret that they have read; empty where the URL stands in a task definition.
      type: str
    current:
      description: C(host), C(port) and C(version_id) of AWSCURRENT.
      type: dict
    apart:
      description: Whether some task has read another database than AWSCURRENT names.
      type: bool
    several:
      description: Whether tasks read more than one database.
      type: bool
    told:
      description: What stands against a deployment, for people; empty when nothing does.
      type: str
    reads:
      description:
        - What the tasks of each service read. Each has C(service), C(task_definition), C(version_id), C(host), C(port), C(pinned) (whether the task definition
          names the version), C(run_id) (that has pinned it), C(tasks) (how many) and C(why) (that it is not known).
      type: list
      elements: dict
back:
  description: What O(before) would come to. Empty without it, and where it could not be found out.
  returned: when one was chosen for each service
  type: dict
  contains:
    reads:
      description: What the services would read, as RV(data.reads).
      type: list
      elements: dict
    against:
      description: Why one of them would not start, or would not come back as it was, one sentence each.
      type: list
      elements: str
    as_is:
      description: The services that keep the version that a run has pinned, for O(spymeo.rollback.ecs_rollback#module:as_is).
      type: list
      elements: str
    apart:
      description: What is to be known where AWSCURRENT will name another database than they read; empty where it does not.
      type: str
    releases:
      description: For O(spymeo.rollback.database_probe_info#module:releases).
      type: list
      elements: dict
targets:
  description: The chosen task definition ARN of each service, as M(spymeo.rollback.ecs_rollback) takes it.
  returned: when one was chosen for each service
  type: dict
  sample: {"spymeo-app": "arn:aws:ecs:eu-west-3:123456789012:task-definition/spymeo-app:41"}
service_revisions:
  description: The ARN of the service revision that comes back, of each service where AWS has a record of it, as M(spymeo.rollback.ecs_rollback) takes it.
  returned: when one was chosen for each service
  type: dict
next:
  description: Of each service, the release that comes next, as an entry of RV(services[].next); a service without one is left out.
  returned: when one was chosen for each service
  type: dict
bad_since:
  description:
    - When the first bad release began, ISO 8601 in UTC. The registration of its task definition counts, not only its deployment, because
      pipelines migrate and rotate between the two.
    - Empty when no release came after the targets.
  returned: when one was chosen for each service
  type: str
  sample: "2026-11-22T03:11:05.120000+00:00"
release_point:
  description: The release point that is gone back to, as its record in the store. Empty when there is none.
  returned: when the services could be read
  type: dict
release_point_reason:
  description: Why that one, or why none.
  returned: when the services could be read
  type: str
release_points:
  description: Of each release point its C(id), and as C(verdict) why it is not used; empty for the one that is.
  returned: when the services could be read
  type: list
  elements: dict
counts:
  description: The desired count of each service, or what it had before a run has brought it to 0.
  returned: success
  type: dict
  sample: {"spymeo-app": 2}
resources:
  description: The ARNs of the services, as M(spymeo.rollback.rollback_begin) takes them.
  returned: when the services could be read
  type: list
  elements: str
now:
  description: How the application answers now, for people. Empty without O(proof).
  returned: always
  type: str
  sample: "https://app.spymeo.fr/api/health answers 503 in 0.1 s"
running_since:
  description:
    - With O(choose=running), when the release that runs began, ISO 8601 in UTC. The registration of its task definition counts here, too.
    - Empty else.
  returned: when one was chosen for each service
  type: str
services:
  description: What is known about each service.
  returned: when one was chosen for each service
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
    release:
      description: The task definition that the target is a copy of; the target itself when it is no copy.
      type: str
    image:
      description: The images of the target.
      type: list
      elements: str
    release_name:
      description: The tags of the target's images.
      type: str
      sample: 1.4.2
    service_revision:
      description: The ARN of the service revision that comes back; empty where AWS has no record of it, or nothing was proven with it.
      type: str
    digest:
      description: The digest of each image of the target, as far as AWS recorded it.
      type: dict
    served:
      description: When the release of the target served, as pairs of times in ISO 8601, oldest first. The last time is empty while it does.
      type: list
      elements: list
      sample: [["2026-11-01T03:11:05.120000+00:00", "2026-11-22T03:11:05.120000+00:00"]]
    bad_since:
      description: When the first release after the target was deployed, ISO 8601 in UTC; empty when none was.
      type: str
    bad:
      description:
        - Each time since then that anything but the target ran, oldest first, as task definition and two times in ISO 8601; the second is empty while
          it does.
      type: list
      elements: list
      sample: [["spymeo-app:42", "2026-11-22T03:11:05.120000+00:00", ""]]
    began:
      description: The same, or when its task definition was registered, where that came after the target had served.
      type: str
    stays:
      description: Whether the service runs the target already, with its images and its configuration.
      type: bool
    restarted:
      description: Whether its code stays as it is, and it is only started again.
      type: bool
    since:
      description: When such code came, whether it has ever served or not, ISO 8601 in UTC; else empty.
      type: str
    reads:
      description:
        - What the secrets and parameters may be called, ARN or name, of which the target reads whatever is current. When one of them changes, the service
          is started again.
      type: list
      elements: str
    changes:
      description: What else of the service changes with it, such as its security groups, one line each.
      type: list
      elements: str
    notes:
      description: What a person has to know of this choice, one sentence each. They are notes among RV(findings), too.
      type: list
      elements: str
    next:
      description: The releases that come next, best first, each with the keys of RV(services[].candidates) from C(option) on.
      type: list
      elements: dict
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
        release_name:
          description: The tags of its images.
          type: str
        digest:
          description: The digest of each image when it last served (else, when it was last deployed), as far as AWS recorded it.
          type: dict
        served:
          description: As RV(services[].served).
          type: list
          elements: list
        seconds:
          description: How long it served.
          type: float
        against:
          description: What is known against it.
          type: list
          elements: str
        option:
          description: The value of O(task_definition) that picks it.
          type: str
        told:
          description: All that for people, on one line.
          type: str
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
          description:
            - V(running), V(served), V(moments) when it served no longer than that, V(failed) when it served once and did not come up the last time,
              V(never served), V(rolled back from), V(same image) as what runs, or V(deleted).
          type: str
        chosen:
          description: Whether it is the target.
          type: bool
verdict:
  description:
    - V(failed) when a check has failed.
    - V(inconclusive) when none has, but some could not be made.
    - V(passed) else; there may be notes.
  returned: when one was chosen for each service
  type: str
  sample: failed
findings:
  description: What each check of each thing came to. Failures come first, then what was not checked, then notes.
  returned: when one was chosen for each service
  type: list
  elements: dict
  contains:
    check:
      description:
        - V(release), V(service), V(deployment_controller), V(desired_count), V(deployment), V(bake_time), V(lifecycle_hook), V(task_definition), V(image),
          V(execution_role),
          V(task_role), V(log_group), V(secret), V(rotation), V(parameter), V(environment_file) or V(data).
      type: str
      sample: image
    subject:
      description: What was looked at. Of a secret, also the JSON key, stage and version that are asked for.
      type: str
      sample: 123456789012.dkr.ecr.eu-west-3.amazonaws.com/spymeo-app:1.4.2
    verdict:
      description:
        - V(passed), V(failed), V(noted) or V(inconclusive).
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
  returned: when one was chosen for each service
  type: str
  sample: of 12 checks, 1 failed, 11 passed
evidence:
  description: One line for each failure, with its cure.
  returned: when one was chosen for each service
  type: list
  elements: str
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.references import ReferencesGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import (
    against_undo,
    keeps_pin,
    still_apart,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import finding as data_finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.before_a_run import ran_before
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.candidates import option_text
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fast_deployment import memories
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import in_order, summary
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import (
    preflight_result as findings_told,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.preflight import (
    ANOTHER_TARGET,
    release_findings,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import (
    read_release_points,
    select_release_point,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    AUTO,
    NO_FENCE,
    SCALE_TO_ZERO,
    choose_fence,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.target_option import named_targets
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.data_in_service import (
    Urls,
    data_in_service,
    in_service_result,
    read_in_json,
    reads_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.preflight import Clients, observe, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.proof_foreseen import proof_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.readers import readers_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.releases import (
    choose_release,
    named_release,
    points_of,
    stay,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import arn_of_service
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_record import MOMENTS, read_service_records
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.services import observe_services as look_at_tasks
from ansible_collections.spymeo.rollback.plugins.module_utils._io.concurrency import pool_of_calls, side_by_side

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_points import (
        ReleasePointSelection,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.release_selection import (
        ReleaseSelection,
    )
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_record import ServiceRecord
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.proof_foreseen import Proof

DataRead = tuple[dict[str, Any], dict[str, Any], list[Finding]]  # RV(data), RV(back), Findings
BEFORE = dict(
    services=dict(type="dict", required=True),
    secrets=dict(type="dict", default={}, no_log=False),
    database=dict(type="dict", default={}),
    began=dict(type="str", default=""),
)
NOT_KNOWN = "which database the running tasks have read could not be found out: %s"
PROOF = dict(
    base_url=dict(type="str", required=True),
    health_path=dict(type="str", required=True),
    log_groups=dict(type="list", elements="str", default=[]),
    secrets=dict(type="dict", default={}, no_log=False),
    despite_unreachable=dict(type="bool", default=False),
)


def releases_of(
    gateway: EcsGateway, services: Sequence[Service], readers: Sequence[Service], params: dict[str, Any]
) -> tuple[list[ReleaseSelection], ReleasePointSelection]:
    """The ReleaseSelection of each service, and the ReleasePointSelection. ``readers`` are Services that are only started again."""
    given = named_targets(params["task_definition"], params["services"])
    if given and params["choose"] == "running":
        problem, cure = "the code is to stay as it is", "Leave it empty."
        raise BadInput("task_definition", params["task_definition"], problem, cure)
    records = read_service_records(gateway, services, given, params["served_at_least"])
    named = {item.service.name: named_release(gateway, item, given.get(item.service.name)) for item in records}
    wanted = params["release_point"] or ""
    points = read_release_points(params["release_points"], wanted)
    stays = params["choose"] == "running"
    also = [stay(gateway, item) for item in read_service_records(gateway, readers, {}, params["served_at_least"])]
    pasts = [item.as_past_of_definition if stays else item.as_past for item in records]
    selection = select_release_point(points, pasts, *points_of(records, named, wanted))
    if stays:
        return side_by_side(lambda item: stay(gateway, item), records) + also, selection

    def choose_one(item: ServiceRecord) -> ReleaseSelection:
        name = item.service.name
        return choose_release(gateway, item, named[name], selection.point, bool(wanted), given.get(name, ""))

    try:
        chosen = side_by_side(choose_one, records)
    except RollbackError as error:
        error.result.update(points_result(selection))
        raise
    return chosen + also, selection


def readers_in(module: RollbackModule, gateway: EcsGateway, params: dict[str, Any]) -> list[Service]:
    """The Services of the cluster that read the secret and are not among those that are asked about."""
    if not params["readers_of"]:
        return []
    clients = Clients(module.aws)
    secret = SecretsGateway(clients("secretsmanager")).secret("readers_of", params["readers_of"])
    names = readers_of(ReferencesGateway(clients), params["cluster"], secret.names, params["services"])
    return gateway.services(names)


def points_result(selection: ReleasePointSelection) -> dict[str, Any]:
    """The ReleasePointSelection in JSON types."""
    return dict(
        release_point=selection.point.record if selection.point else {},
        release_point_reason=selection.reason,
        release_points=[dict(id=name, verdict=why) for name, why in selection.verdicts.items()],
    )


def releases_result(
    releases: Sequence[ReleaseSelection], selection: ReleasePointSelection, found: Sequence[Finding], stays: bool
) -> dict[str, Any]:
    """The ReleaseSelections, the ReleasePointSelection and the Findings in JSON types."""
    times = [release.began for release in releases if release.began]
    since = [release.since for release in releases if release.since] if stays else []
    services = [release.to_result() for release in releases]
    return dict(
        services=services,
        targets={release.service.name: release.target.arn for release in releases},
        service_revisions={item["name"]: item["service_revision"] for item in services if item["service_revision"]},
        next={item["name"]: item["next"][0] for item in services if item["next"]},
        bad_since=min(times).isoformat() if times else "",
        running_since=min(since).isoformat() if since else "",
        **points_result(selection),
        **findings_told(found),
        reason=summary(found),
    )


def refused(error: RollbackError) -> dict[str, Any]:
    """The result where nothing can be chosen: what is wrong, to be reported with what else is, in JSON types."""
    nothing: dict[str, Any] = dict(
        fence={},
        data={},
        back={},
        counts={},
        services=[],
        targets={},
        service_revisions={},
        next={},
        resources=[],
        findings=[],
    )
    nothing.update(bad_since="", running_since="", release_point={})
    told = dict(release_point_reason=error.message, verdict=FAILED, reason=error.message, msg=error.message)
    return dict({**nothing, **told, **error.result}, evidence=[error.message, *error.evidence])


def noted(releases: Sequence[ReleaseSelection]) -> list[Finding]:
    """What is known against the releases that were chosen, as Findings."""
    return [
        Finding("release", release.service.name, NOTED, note, "", (release.service.name,))
        for release in releases
        for note in release.choice.notes
    ]


def with_settings_of_a_deployment(services: Sequence[Service]) -> list[Finding]:
    """Findings on services that still have what a run has set for its deployment alone."""
    found = []
    for service in services:
        runs = sorted({memory.run_id for memory in memories(service.fast, service.arn).values()})
        what = (
            "it still has what run %s has set for its deployment alone; it gets back what it had before, with this run"
            % ", ".join(runs)
        )
        found += [Finding("deployment", service.name, NOTED, what, "", (service.name,))] if runs else []
    return found


def with_next(finding: Finding, releases: Sequence[ReleaseSelection]) -> Finding:
    """A Finding whose cure names the release that would come next, where it says that another one is to be named."""
    following = [
        release.choice.next[0]
        for release in releases
        if release.service.name in finding.services and release.choice.next
    ]
    if ANOTHER_TARGET not in finding.cure or not following:
        return finding
    texts = dict.fromkeys(option_text(item) for item in following)
    return replace(finding, cure=finding.cure.replace(ANOTHER_TARGET, "go to the next one: %s" % "; ".join(texts)))


def resources_of(services: Sequence[Service], cluster: str) -> list[str]:
    """The ARNs of the services, as a run claims them."""
    return [arn_of_service(service.arn, cluster.rpartition("/")[2]) for service in services]


def of_data(module: RollbackModule, gateway: EcsGateway, services: Sequence[Service]) -> DataRead:
    """(RV(data), RV(back), Findings): what the running tasks have read, and what would be read after an undo."""
    if not module.params["database_secret"]:
        return {}, {}, []
    action = "ecs:ListTasks, DescribeTasks, secretsmanager:DescribeSecret, ListSecretVersionIds, GetSecretValue"
    try:
        seen: DataRead | NotRead = if_allowed(action, looked_at_data, module, gateway, services)
    except RollbackError as error:
        seen = NotRead(" ".join([NOT_KNOWN % error.message, *error.evidence]), "")
    if isinstance(seen, NotRead):
        names = tuple(service.name for service in services)
        return {}, {}, [Finding("data", ", ".join(names), INCONCLUSIVE, seen.why, seen.cure, names)]
    return seen


def looked_at_data(module: RollbackModule, gateway: EcsGateway, services: Sequence[Service]) -> DataRead:
    """The same.

    :raises RollbackError: it cannot be found out.
    """
    params, before = module.params, module.params["before"]
    secrets = SecretsGateway(module.aws("secretsmanager"))
    urls = Urls(secrets, secrets.secret("database_secret", params["database_secret"]), params["key"])
    database = before["database"] if before else {}
    place = (database["host"], database["port"]) if database.get("host") else None
    seen = data_in_service(gateway, urls, services, place)
    found = data_finding(seen, params["run_id"])
    back = brought_back(gateway, urls, services, before, place) if before else {}
    return in_service_result(seen, found), back, [found] if found else []


def brought_back(
    gateway: EcsGateway, urls: Urls, services: Sequence[Service], before: dict[str, Any], place: tuple[str, int] | None
) -> dict[str, Any]:
    """RV(back)."""
    names = urls.secret.names
    version_id = next((item for name, item in before["secrets"].items() if name in names), "")
    after, began = urls.current(version_id), parse_time("began", before["began"]) if before["began"] else None
    reads = reads_of(gateway, urls, before["services"], version_id)
    records = read_service_records(gateway, [item for item in services if item.name in before["services"]], {}, 0)
    return dict(
        reads=[read_in_json(read) for read in reads],
        against=against_undo(reads, place),
        as_is=sorted({read.service for read in reads if keeps_pin(read, after)}),
        apart=still_apart(reads, after),
        releases=[ran_before(item, before["services"][item.service.name], began) for item in records],
    )


def planned(module: RollbackModule) -> dict[str, Any]:
    """The result, without what the proof needs."""
    params = module.params
    gateway = EcsGateway(module.aws("ecs"), params["cluster"])
    services = gateway.services(params["services"])
    readers = readers_in(module, gateway, params)
    names = [service.name for service in services + readers]
    with pool_of_calls() as pool:
        reading = pool.submit(of_data, module, gateway, services + readers)
        auto = params["fence"] == AUTO
        looking = pool.submit(look_at_tasks, gateway, names, ElbGateway(module.aws("elbv2"))) if auto else None
        releases, selection = releases_of(gateway, services, readers, params)
        targets = {release.service.name: target_of(gateway, release) for release in releases}
        found = release_findings(observe(module.aws, targets, params["restored_secrets"], params["wait_timeout"]))
    found = [with_next(finding, releases) for finding in found] + noted(releases)
    found += with_settings_of_a_deployment(services)
    data, back, of_reading = reading.result()
    found = in_order(found + of_reading) if of_reading else found
    found.sort(key=lambda finding: finding.verdict == PASSED)
    looks = looking.result() if looking else []
    deployed = all(release.stays and release.is_copy and release.service.settled for release in releases)
    fence, why = choose_fence(params["fence"], looks, deployed)
    return dict(
        releases_result(releases, selection, found, params["choose"] == "running"),
        fence=dict(value=fence, why=why),
        data=data,
        back=back,
        counts={service.name: service.wanted for service in services + readers},
        resources=resources_of(services + readers, params["cluster"]),
    )


def with_proof(result: dict[str, Any], proof: Proof) -> dict[str, Any]:
    """The result with what the checks need, and how the application answers now."""
    known = {(item["check"], item["subject"]) for item in result["findings"] if item["verdict"] == FAILED}
    own = findings_told([finding for finding in proof.findings if (finding.check, finding.subject) not in known])
    verdict = FAILED if own["evidence"] else result["verdict"]
    joined = {key: own[key] + result[key] for key in ("findings", "evidence")}
    return {**result, **joined, "now": proof.now, "verdict": verdict}


def main() -> None:
    module = RollbackModule(
        dict(
            cluster=dict(type="str", required=True),
            services=dict(type="list", elements="str", required=True),
            task_definition=dict(type="raw"),
            choose=dict(type="str", choices=["previous", "running"], default="previous"),
            release_points=dict(type="list", elements="dict", default=[]),
            release_point=dict(type="str"),
            readers_of=dict(type="str", no_log=False),
            restored_secrets=dict(type="list", elements="str", default=[], no_log=False),
            wait_timeout=dict(type="int", default=3600),
            served_at_least=dict(type="int", default=MOMENTS),
            proof=dict(type="dict", options=PROOF),
            fence=dict(type="str", choices=[AUTO, NO_FENCE, SCALE_TO_ZERO], default=NO_FENCE),
            database_secret=dict(type="str", no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            run_id=dict(type="str", default=""),
            before=dict(type="dict", options=BEFORE),
            fail_on_error=dict(type="bool", default=True),
        ),
        required_by=dict(before="database_secret"),
    )
    params = module.params
    with module.telling(), ThreadPoolExecutor(1) as beside:
        proof = beside.submit(proof_of, params["proof"], Clients(module.aws))
        try:
            result = planned(module)
        except RollbackError as error:
            if params["fail_on_error"]:
                raise
            result = refused(error)
        result = with_proof(result, proof.result())
        if result["evidence"] and params["fail_on_error"]:
            message = "The rollback would fail (%s). Nothing was changed. Fix all of this first:" % result["reason"]
            raise RollbackError(message, result["evidence"], dict(result, changed=False))
        module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
