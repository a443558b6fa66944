#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_rollback_info
version_added: 0.1.0
short_description: Tell where a database rollback starts from, what it makes and what it loses
description:
  - Reads DB instances and snapshots, and tells whether a database rollback is still to be done, has been begun by this run, or is done.
  - It is done when the application uses an instance that was restored from this very snapshot, by whichever run. So running a rollback twice changes nothing.
    Where the database is asked, it must also still hold what was restored. O(again) restores it once more.
  - "The data come from a snapshot that is named, from the newest snapshot of a time or earlier, or from a point in time."
  - What cannot work is refused here, before anything changes, all of it at once and each with its cure. The source can be restored and is of
    this engine, the names are free or this run's, the quotas have room for instance, storage and snapshot, the class is offered, the subnet group
    is there, the KMS key is enabled. Read replicas and RDS Proxies that stay behind are notes.
  - "Which data are where is read off the tree of instances: what each began with, and when it was in service. Tags that a snapshot or an instance has
    inherited decide nothing. So C(lost) begins at the last moment at which what serves and what is restored were one, and RV(kept) names every instance
    that holds something else."
  - What the restored instance could not be made equal in is reported here, too, as another KMS key, a newer minor version, a CA that is given no more.
  - An Aurora cluster and a DATABASE_URL that leads elsewhere are refused, too.
  - What the credentials may not read is reported as not checked, never as passed.
options:
  db_instance:
    description: The DB instance of the application.
    type: str
    required: true
  snapshot:
    description: The snapshot to go back to, by its identifier.
    type: str
  snapshot_before:
    description:
      - A time, ISO 8601 with a time zone. The newest available snapshot with data of this time or earlier is taken, automated ones included, of the
        instance that is in service and of those that its data have come from, as far as they have. The safety snapshots of rollbacks and their copies
        are left out, because they hold the harm; those of release points are not.
      - It comes before O(snapshot).
    type: str
  point_in_time:
    description:
      - A time, ISO 8601 with a time zone. The data are those of this very moment, out of the automated backups of the instance that was in service then.
        That is the one that is in service now, or one that its data have come from.
      - It comes before O(snapshot), and cannot be given together with O(snapshot_before).
    type: str
  again:
    description:
      - Whether to restore although the application uses an instance already that another run has restored from the very same data, because its data are
        bad again. Once this run has done so, it is done.
    type: bool
    default: false
  take_safety_snapshot:
    description:
      - Whether the instance that is replaced gets a safety snapshot. Without it, what it holds is in that instance alone. It is for an instance of which
        RDS takes none, as one that is C(failed) or C(storage-full).
    type: bool
    default: true
  despite_lineage:
    description: Whether to take a snapshot of O(snapshot) also where the data in service have not come from it.
    type: bool
    default: false
  fail_on_error:
    description:
      - Whether the task fails when a check has failed. Its message names every failure with its cure.
      - Without it, what is not there (instance, snapshot, secret) is reported in RV(evidence), too, so that it can be told together with what else is wrong.
    type: bool
    default: true
  database_secret:
    description:
      - Name or ARN of the secret that holds DATABASE_URL, which tells where the application's database is now.
      - Left out, the application is taken to use O(db_instance).
    type: str
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  count_rows:
    description:
      - Whether the database is asked from this machine. The rows are counted that were created since the time of the data, in each table that has
        a column C(createdAt) or C(created_at), as Prisma's schemas have. What was changed or deleted since, M(spymeo.rollback.database_salvage)
        finds afterwards. Its tables and migrations tell what the data are like.
      - A database that is available and that this machine cannot reach is a failure, because the restored one could not be proven either.
        Any other reason not to answer is none, because a rollback may be needed for that very reason.
      - When it is done, the database is asked whether it still holds what was restored.
    type: bool
    default: false
  count_timeout:
    description: How long opening the connection, and all counts together, may take, in seconds.
    type: int
    default: 5
  sequences:
    description: Whether to tell what M(spymeo.rollback.database_sequences) will come to, as far as the database that is in use tells it.
    type: bool
    default: false
  warm:
    description: Tables that will be read whole, as M(spymeo.rollback.database_probe_info) does it.
    type: list
    elements: str
    default: []
  release:
    description:
      - The release that is to run on the data. With it they are compared. A release that did not serve at their time, data that are younger than what
        is rolled back from, and migrations that one of the two has and the other has not, are failures. So is code that stays and has brought a
        migration which the data lack, because it would apply it again.
    type: dict
    suboptions:
      services:
        description: RV(spymeo.rollback.ecs_release_info#module:services).
        type: list
        elements: dict
        required: true
      bad_since:
        description: RV(spymeo.rollback.ecs_release_info#module:bad_since).
        type: str
        default: ''
      release_point:
        description: RV(spymeo.rollback.ecs_release_info#module:release_point).
        type: dict
        default: {}
  data_rules:
    description: What holds for tables, as M(spymeo.rollback.database_probe_info) takes it. It is asked of a database that was restored already.
    type: dict
    default: {}
  despite_data:
    description:
      - What is only reported, because it is right all the same, where a database that was restored already does not hold what was restored any more, as
        M(spymeo.rollback.database_probe_info) takes it.
    type: list
    elements: str
    default: []
  despite_moment:
    description: Whether data of another moment than the release, the bad one's included, and another password are only reported.
    type: bool
    default: false
  despite_migrations:
    description: Whether migrations that the release and the data have not in common are only reported.
    type: bool
    default: false
  cluster:
    description:
      - Name or ARN of the ECS cluster of O(services). Their deployments tell of an instance that a run has made ready and not cut over to whether
        anything can have read it. Without it, it is taken for one that was in service.
    type: str
  services:
    description: The services that read the database.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.run
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rds_snapshot
  - module: spymeo.rollback.rds_restore
"""

EXAMPLES = r"""
- name: Where would the database go back to?
  spymeo.rollback.rds_rollback_info:
    db_instance: spymeo-production-db
    snapshot: spymeo-pre-migration-snapshot
    database_secret: spymeo/production/database-url
    run_id: rb-20261122-031500
  register: database
"""

RETURN = r"""
state:
  description:
    - V(restore) when nothing has been restored yet, V(resume) when this run has begun, V(done) when the application uses the restored instance.
  returned: success
  type: str
reason:
  description: How that is known.
  returned: success
  type: str
db_instance:
  description:
    - The DB instance that is replaced, which is the one that the application uses now. It may itself be the result of an older rollback.
    - When it is done, the one that was replaced.
  returned: success
  type: str
failed_host:
  description: The host of RV(db_instance); empty when that instance is there no longer.
  returned: success
  type: str
failed_port:
  description: Its port; 0 where there is none.
  returned: success
  type: int
failed_status:
  description: RDS's status of RV(db_instance); empty when it is there no longer.
  returned: success
  type: str
restored_instance:
  description: The instance that this rollback has made already; empty when there is none.
  returned: success
  type: dict
  contains:
    name:
      description: The name.
      type: str
    host:
      description: The host; empty until RDS tells it.
      type: str
    port:
      description: The port; 0 until RDS tells it.
      type: int
    unfinished:
      description: What is left to be finished of it, one sentence each; only where it serves already.
      type: list
      elements: str
    status:
      description: RDS's status.
      type: str
    run_id:
      description: The run that made it.
      type: str
new_db_instance:
  description: The name of the instance that is made, for M(spymeo.rollback.rds_restore). When it is done, the one that was made.
  returned: success
  type: str
safety_snapshot:
  description:
    - The name of the snapshot to take meanwhile, for O(spymeo.rollback.rds_restore#module:safety_snapshot). When it is done, the one that was taken.
      Empty without O(take_safety_snapshot).
  returned: success
  type: str
safety:
  description: RV(safety_snapshot) as it is, as RV(spymeo.rollback.rds_snapshot#module:snapshot); empty where nobody has asked for it yet.
  returned: success
  type: dict
source:
  description: What the data come from.
  returned: success
  type: dict
  contains:
    told:
      description: It, for people.
      type: str
    snapshot:
      description: The snapshot, for M(spymeo.rollback.rds_restore); empty for a point in time.
      type: str
    point_in_time:
      description: The time, ISO 8601 in UTC; empty for a snapshot.
      type: str
    db_instance:
      description: The DB instance that the data are of, for O(spymeo.rollback.rds_restore#module:source_db_instance).
      type: str
    arn:
      description: The ARN of the snapshot; for a point in time, that of the instance with the time.
      type: str
    created:
      description: The time of its data, ISO 8601 in UTC.
      type: str
    engine:
      description: The engine.
      type: str
    engine_version:
      description: The version of the engine.
      type: str
kept:
  description: Where what was written in service is, as far as it will not be in the restored instance; the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    db_instance:
      description: The DB instance.
      type: str
    status:
      description: RDS's status of it; empty when it is gone.
      type: str
    snapshots:
      description: Snapshots that hold it, too.
      type: list
      elements: str
    serves:
      description: Whether it is the one that is in service now.
      type: bool
    never_served:
      description:
        - Whether it was never in service, because the run that has restored it ended before it deployed what reads it. Then it holds nothing that was
          written in service, and is named all the same.
      type: bool
    told:
      description: It with the times, for people.
      type: str
lost:
  description: What the rollback throws away, which is everything written since the last moment at which what serves and what is restored were one.
  returned: success
  type: dict
  contains:
    since:
      description: The beginning, ISO 8601 in UTC.
      type: str
    seconds:
      description: How much time that is.
      type: float
    how_known:
      description: Between which times that is.
      type: str
    rows:
      description: How many rows of each table were created since then, null where counting took longer than O(count_timeout).
      type: dict
      sample: {"Practitioner": 12, "Payment": 3}
    counted:
      description: The numbers in words, or why there are none; empty without O(count_rows).
      type: str
      sample: 3 rows of Payment and 12 rows of Practitioner were created since then
url:
  description: Where DATABASE_URL leads now. Empty without O(database_secret).
  returned: success
  type: dict
  contains:
    host:
      description: The host.
      type: str
    port:
      description: The port.
      type: int
    version_id:
      description: The version of the secret.
      type: str
expected:
  description: What the data are like, as far as it is known, for O(spymeo.rollback.database_probe_info#module:expected).
  returned: success
  type: dict
ids:
  description: How far sequences will be moved, in one sentence. Empty without O(sequences), and where the database is not asked.
  returned: success
  type: str
taken_away:
  description:
    - Migrations of the database in use that have taken something away, by their names, and that came after the code which stays. An undo brings the two
      together again, so it is refused without C(rollback_despite_migrations). Empty where the database is not asked.
  returned: success
  type: list
  elements: str
warm:
  description: The tables of O(warm), those first that are read most in the database that is in use, where it is asked.
  returned: success
  type: list
  elements: str
give_password:
  description: Whether the restored instance is given the password that is in the secret now, because the data have an older one of the master user.
  returned: success
  type: bool
resources:
  description: The ARNs of RV(db_instance) and O(db_instance), as M(spymeo.rollback.rollback_begin) takes it.
  returned: success
  type: list
  elements: str
verdict:
  description: V(failed) when a check has failed, V(inconclusive) when none has but some could not be made, else V(passed).
  returned: success
  type: str
checks:
  description: How many checks came to what.
  returned: success
  type: str
evidence:
  description: One line for each failure, with its cure.
  returned: success
  type: list
  elements: str
findings:
  description: What each check came to. Failures come first, then what was not checked, then notes.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description:
        - V(source), V(name), V(safety_snapshot), V(lineage), V(earliest), V(encryption), V(version), V(certificate), V(parameter_group), V(role),
          V(quota), V(class), V(subnet_group), V(key), V(proxy), V(left_behind), V(moment), V(migrations), V(password), V(database), V(data) or V(ids).
      type: str
    subject:
      description: What was looked at.
      type: str
    verdict:
      description: V(passed), V(failed), V(noted) or V(inconclusive).
      type: str
    what:
      description: What was found.
      type: str
    cure:
      description: What to do about it. Empty where nothing is to be done.
      type: str
    services:
      description: Always empty.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.changed_password import (
    password_finding,
    version_at,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import holder_result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.moment import PlannedData, how_again
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.preflight import database_findings
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_result import created
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.select_source import RestoreSelector
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, read_url
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.warm import in_order as in_warm_order
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import read_rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import PointInTime
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import in_order, summary
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.findings import (
    preflight_result as findings_told,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import refuse_unusable
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time, show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.database import (
    observe,
    runs_deployed,
    where_it_stands,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.finish import still_left
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.moment import (
    Known,
    ask,
    expected,
    fits,
    ids,
    other_port,
    reached,
    still_good,
    taken_away,
    touched,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.snapshot import shown

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import Expected
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import Rollback
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.moment import DatabaseAnswer

RELEASE = dict(
    services=dict(type="list", elements="dict", required=True),
    bad_since=dict(type="str", default=""),
    release_point=dict(type="dict", default={}),
)


def wanted(options: dict[str, Any]) -> RestoreSelector:
    """What the data are to come from."""
    before = parse_time("snapshot_before", options["snapshot_before"])
    moment = parse_time("point_in_time", options["point_in_time"])
    if not (options["snapshot"] or before or moment):
        cure = "Set rollback_snapshot, rollback_snapshot_before or rollback_point_in_time; checkpoint.yml before a deployment makes a release point."
        problem = "nothing says where the data are to come from, and no release point is older than what runs"
        raise BadInput("snapshot", "", problem, cure)
    return RestoreSelector(options["snapshot"] or "", before, moment, options["again"], options["take_safety_snapshot"])


def url_now(module: RollbackModule) -> tuple[DatabaseUrl | None, Secret | None, str]:
    """(DatabaseUrl, its Secret, the id of the version that it is in), or (None, None, "") where no secret is named."""
    name = module.params["database_secret"]
    if not name:
        return None, None, ""
    secrets = SecretsGateway(module.aws("secretsmanager"))
    secret = secrets.secret("database_secret", name)
    # It is written at the cutover, which would be late to find out.
    refuse_unusable("database_secret", secret, secrets.region)
    value = secrets.current_value(secret)
    return DatabaseUrl.parse(read_url(value.text, module.params["key"])), secret, value.version_id


def url_then(module: RollbackModule, secret: Secret, current: str, at: datetime) -> DatabaseUrl | None:
    """The DatabaseUrl that applications read at a time, None where no version tells it."""
    version = version_at(secret, at)
    if version is None or version.id == current:
        return None
    value = SecretsGateway(module.aws("secretsmanager")).value(secret, version.id)
    try:
        return DatabaseUrl.parse(read_url(value.text, module.params["key"]))
    except RollbackError:  # another kind of value was in it then
        return None


def of_password(
    module: RollbackModule, rollback: Rollback, url: DatabaseUrl, secret: Secret, version_id: str
) -> tuple[list[Finding], bool]:
    """(Findings, whether the restored instance is given the password of now)."""
    at = rollback.data_from
    version = secret.version(version_id)  # None: it was written just now, after they were listed
    if version and version.created <= at:
        return [], False
    then = url_then(module, secret, version_id, at)
    finding, gives = password_finding(url, then, rollback.current.description, module.params["despite_moment"])
    return [finding], gives


def gather(
    module: RollbackModule, gateway: RdsGateway, rollback: Rollback, url: DatabaseUrl | None, earliest: NotRead | None
) -> tuple[list[Finding], DatabaseAnswer | None, Expected, list[str]]:
    """What the databases, the release and RDS tell, side by side: (Findings, DatabaseAnswer of the database in use, Expected, what ``taken_away`` tells).

    :param earliest: as ``where_it_stands`` gives it.
    """
    params, known = module.params, Known.of(module.params["release"])
    rules, done = read_rules(params["data_rules"]), rollback.state == "done"
    one_until, now = rollback.lost.since, datetime.now(timezone.utc)
    with ThreadPoolExecutor(2) as beside:
        asking = failed = None
        if params["count_rows"] and url:
            # At the instance's own address: the cutover replaces that of the URL, whatever is wrong with it.
            there = url.at(rollback.current.host, rollback.current.port)
            asking = beside.submit(ask, there, params["count_timeout"], rules if done else (), one_until, not done)
        if asking and url and done and rollback.failed and rollback.failed.status == "available":
            there = url.at(rollback.failed.host, rollback.failed.port)
            failed = beside.submit(ask, there, params["count_timeout"], (), one_until)
        more = dict(earliest=earliest, despite_lineage=params["despite_lineage"])
        found = database_findings(observe(gateway, module.aws, rollback, params["run_id"], now, **more))
        asked = asking.result() if asking else None
        reference = failed.result() if failed else None if done else asked
    if rollback.against:  # what has no common past cannot be compared
        reference = None
    seen = reference.seen if reference else None
    by_moment = isinstance(rollback.source, PointInTime)
    migrations, restored_before = seen.migrations if seen else None, bool(rollback.current.run_id)
    data = PlannedData(rollback.data_from, one_until, rollback.source.label, migrations, by_moment, restored_before)
    wanted = expected(reference, data, known, rollback.source.name)
    # What another run has moved, the undo of this one leaves where it is.
    moves = not done or rollback.current.run_id == params["run_id"]
    lost = taken_away(known.services if known else (), migrations, now) if moves else []
    if done:
        again = how_again(rollback.current.run_id, params["run_id"])
        restored = rollback.current.created or rollback.data_from
        served = rollback.current.served
        found += touched(asked, known, restored, served, now, params["despite_moment"], again)
        return in_order([*found, *still_good(asked, wanted, params["despite_data"], again)]), asked, wanted, lost
    found += fits(data, known, now, params["despite_moment"], params["despite_migrations"])
    found += [*other_port(url, rollback.current), *reached(asked, rollback.current)] if asked and url else []
    return found, asked, wanted, lost


def counted(rollback: Rollback, asked: DatabaseAnswer | None) -> tuple[dict[str, int | None], str]:
    """(rows by table, in words): what was created since the time of the data in the database that the application uses."""
    if asked is None or rollback.state == "done":
        return {}, ""
    if asked.error:
        return {}, "what was created since then could not be counted: %s" % asked.error.message
    rows = asked.seen.created if asked.seen else {}
    return dict(rows), created(rows)


def instance_result(instance: DbInstance | None) -> dict[str, Any]:
    """A DbInstance or None, in JSON types."""
    if instance is None:
        return {}
    return dict(
        name=instance.name,
        host=instance.host or "",
        port=instance.port or 0,
        status=instance.status,
        run_id=instance.run_id,
    )


def rollback_result(
    rollback: Rollback, found: Sequence[Finding], rows: tuple[Mapping[str, int | None], str]
) -> dict[str, Any]:
    """A Rollback, its Findings and what was counted in JSON types."""
    source, lost = rollback.source, rollback.lost
    by_time = isinstance(source, PointInTime)
    return dict(
        state=rollback.state,
        reason=rollback.reason,
        db_instance=rollback.replaced,
        resource_id=rollback.failed.resource_id if rollback.failed else "",
        failed_host=(rollback.failed.host or "") if rollback.failed else "",
        failed_port=(rollback.failed.port or 0) if rollback.failed else 0,
        failed_status=rollback.failed.status if rollback.failed else "",
        restored_instance=instance_result(rollback.restored),
        new_db_instance=rollback.new_db_instance,
        safety_snapshot=rollback.safety_snapshot,
        safety=shown(rollback.safety),
        source=dict(
            told=source.label,
            snapshot="" if by_time else source.name,
            point_in_time=source.name if by_time else "",
            db_instance=source.instance,
            arn=source.arn,
            created=show_time(rollback.data_from),
            engine=source.engine,
            engine_version=source.engine_version,
        ),
        kept=[holder_result(holder) for holder in rollback.kept],
        lost=dict(
            since=show_time(lost.since),
            seconds=lost.seconds,
            how_known=lost.how_known,
            rows=rows[0],
            counted=rows[1],
        ),
        **findings_told(found),
        checks=summary(found),
    )


def with_left(gateway: RdsGateway, rollback: Rollback, result: dict[str, Any]) -> dict[str, Any]:
    """The result with what is left to be finished of the instance that serves already; what is still to be restored tells that itself."""
    restored = rollback.restored
    if rollback.state != "done" or restored is None or not restored.unfinished:
        return result
    left = still_left(gateway, restored, {item.name: item for item in gateway.instances()})
    return dict(result, restored_instance=dict(result["restored_instance"], unfinished=left))


def deployed(module: RollbackModule, since: datetime) -> frozenset[str] | None:
    """As ``runs_deployed``."""
    cluster, services = module.params["cluster"], module.params["services"]
    return runs_deployed(EcsGateway(module.aws("ecs"), cluster), services, since) if cluster else None


def planned(module: RollbackModule) -> dict[str, Any]:
    """The result."""
    params = module.params
    gateway, asked = RdsGateway(module.aws("rds")), wanted(params)
    url, secret, version_id = url_now(module)
    host = url.host if url else None
    rollback, earliest = where_it_stands(
        gateway, params["db_instance"], asked, host, params["run_id"], lambda since: deployed(module, since)
    )
    found, answered, of_data, lost = gather(module, gateway, rollback, url, earliest)
    gives, told_ids = False, ""
    if params["sequences"] and rollback.state != "done":
        told_ids, of_ids = ids(answered, rollback.current)
        found = in_order([*found, *of_ids])
    if url and secret and rollback.state != "done":
        of_secret, gives = of_password(module, rollback, url, secret, version_id)
        found = in_order([*found, *of_secret])
    result = with_left(gateway, rollback, rollback_result(rollback, found, counted(rollback, answered)))
    arn = rollback.current.arn
    resources = sorted({arn, "%s:%s" % (arn.rpartition(":")[0], params["db_instance"])})
    place = dict(host=url.host, port=url.port, version_id=version_id) if url else {}
    return dict(
        result,
        resources=resources,
        url=place,
        expected=of_data.to_json(),
        give_password=gives,
        ids=told_ids,
        taken_away=lost,
        warm=in_warm_order(module.params["warm"], answered.hottest if answered else ()),
    )


def refused(error: RollbackError, module: RollbackModule) -> dict[str, Any]:
    """The result where nothing can be planned: what is wrong, to be reported with what else is, in JSON types.

    The first mistake ends a plan; the names that were not looked up by then are looked up here.
    """
    found = {about(item): item for item in reversed([error, *complaints(module)])}
    evidence = [text for item in reversed(found.values()) for text in (item.message, *item.evidence)]
    name = module.params["db_instance"]
    return dict(
        state="refused", reason=error.message, db_instance=name, resource_id="", failed_host="", new_db_instance="", safety_snapshot="", safety={},
        failed_port=0, failed_status="",
        restored_instance={}, source={}, kept=[], lost={}, url={}, findings=[], verdict=FAILED, checks="", evidence=evidence, resources=[],
        expected={}, give_password=False, ids="", taken_away=[], warm=[],
    )  # fmt: skip


def about(error: RollbackError) -> str:
    """What a RollbackError is about: the option, where it names one."""
    return error.option if isinstance(error, BadInput) else error.message


def complaints(module: RollbackModule) -> list[RollbackError]:
    """The RollbackErrors that looking up each name raises."""
    found = []
    looks: tuple[Callable[[RollbackModule], object], ...] = (url_now, instance_there, snapshot_there)
    for look_up in looks:
        try:
            look_up(module)
        except RollbackError as error:
            found.append(error)
    return found


def instance_there(module: RollbackModule) -> None:
    """
    :raises BadInput: there is no instance of the name.
    """
    RdsGateway(module.aws("rds")).source(module.params["db_instance"])


def snapshot_there(module: RollbackModule) -> None:
    """
    :raises BadInput: there is no snapshot of the name.
    """
    name = module.params["snapshot"]
    if name and RdsGateway(module.aws("rds")).snapshot(name) is None:
        raise BadInput("snapshot", name, "there is no such snapshot")


def main() -> None:
    module = RollbackModule(
        dict(
            db_instance=dict(type="str", required=True),
            snapshot=dict(type="str"),
            snapshot_before=dict(type="str"),
            point_in_time=dict(type="str"),
            database_secret=dict(type="str", no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            again=dict(type="bool", default=False),
            take_safety_snapshot=dict(type="bool", default=True),
            despite_lineage=dict(type="bool", default=False),
            count_rows=dict(type="bool", default=False),
            count_timeout=dict(type="int", default=5),
            sequences=dict(type="bool", default=False),
            warm=dict(type="list", elements="str", default=[]),
            release=dict(type="dict", options=RELEASE),
            data_rules=dict(type="dict", default={}),
            despite_data=dict(type="list", elements="str", default=[]),
            despite_moment=dict(type="bool", default=False),
            despite_migrations=dict(type="bool", default=False),
            cluster=dict(type="str"),
            services=dict(type="list", elements="str", default=[]),
            run_id=dict(type="str", required=True),
            fail_on_error=dict(type="bool", default=True),
        )
    )
    params = module.params
    with module.telling():
        try:
            result = planned(module)
        except RollbackError as error:
            if params["fail_on_error"]:
                raise
            result = refused(error, module)
        if result["evidence"] and params["fail_on_error"]:
            message = "The restore would fail (%s). Nothing was changed. Fix all of this first:" % result["checks"]
            raise RollbackError(message, result["evidence"], dict(result, changed=False))
        module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
