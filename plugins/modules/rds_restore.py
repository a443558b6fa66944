#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_restore
version_added: 0.1.0
short_description: Restore a snapshot or a point in time to a new DB instance that has every setting of the one it replaces
description:
  - Restores a snapshot, or a point in time, to a B(new) DB instance. The instance that it replaces is never changed.
  - RDS gives a restored instance the default security group, parameter group and option group, one zone and no deletion protection, unless told otherwise.
    This module passes every setting of O(db_instance) that the restore takes, and reboots only for the parameter group.
  - RDS backs a restored instance up at once, for hours, and changes nothing meanwhile, while the endpoint answers. So the task ends when whatever users
    could feel is as it was. What nobody feels and no restore takes, such as windows, monitoring and storage autoscaling, is left to
    M(spymeo.rollback.rds_finish); RV(unfinished) tells it. Where something has to be changed before anybody may use the instance, such as the password of
    its master user, it is restored without backups, and they are turned on after that.
  - IAM roles (C(AssociatedRoles)) are given to it by AddRoleToDBInstance. A CA that RDS gives to no instance any more, and an older minor version than
    the one that came with the data, cannot be had again and are no difference.
  - Then both instances are compared setting by setting. A difference in another one fails the task.
    What RDS describes and this module does not know is reported in RV(not_compared).
  - A run that died anywhere goes on when the task runs again with the same O(run_id). An instance of that name that is not the run's is refused.
  - A failure that RDS cannot recover from ends the wait at once, with RDS's events.
options:
  db_instance:
    description: The DB instance that is replaced, and whose settings the new one gets.
    type: str
    required: true
  snapshot:
    description: The snapshot to restore, by its identifier.
    type: str
  point_in_time:
    description:
      - A time, ISO 8601 with a time zone. The data of O(source_db_instance) of this very moment are restored, out of its automated backups.
      - It comes before O(snapshot). One of both is needed.
    type: str
  source_db_instance:
    description:
      - The DB instance whose data of O(point_in_time) are restored, an ancestor of O(db_instance). The default is O(db_instance).
    type: str
  new_db_instance:
    description: The name of the new instance, as M(spymeo.rollback.rds_rollback_info) gives it.
    type: str
    required: true
  safety_snapshot:
    description:
      - The name of the snapshot that keeps what O(db_instance) holds, whoever takes it. M(spymeo.rollback.rds_finish) waits for it.
    type: str
  take_safety_snapshot:
    description:
      - Whether O(safety_snapshot) is taken while the restore runs, as M(spymeo.rollback.rds_snapshot) does it. It is begun and not awaited, because its
        content is fixed when it begins. While RDS is backing O(db_instance) up, none can be taken; then it is left to M(spymeo.rollback.rds_finish).
    type: bool
    default: true
  password_secret:
    description:
      - Name or ARN of the secret that holds DATABASE_URL. Its password becomes that of the master user of the new instance, which has the one of the day
        of its data. Without it the password stays.
      - M(spymeo.rollback.rds_rollback_info) tells whether that is needed.
    type: str
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
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
  - module: spymeo.rollback.rds_rollback_info
  - module: spymeo.rollback.rds_snapshot
  - module: spymeo.rollback.rds_finish
    description: Sets what nobody feels, and waits for the safety snapshot.
"""

EXAMPLES = r"""
- name: Restore the database as it was before the migration
  spymeo.rollback.rds_restore:
    db_instance: spymeo-production-db
    snapshot: spymeo-pre-migration-snapshot
    new_db_instance: spymeo-production-db-rb-20261122-031500
    safety_snapshot: spymeo-production-db-failed-migration-rb-20261122-031500
    run_id: rb-20261122-031500
    wait_timeout: 5400
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
  description: The new instance and its settings before; empty when it was not there.
  returned: success
  type: dict
after:
  description: The new instance and its settings now; in check mode, what they would be.
  returned: success
  type: dict
plan:
  description: What is done, one sentence a step, as far as it is known from the beginning.
  returned: success
  type: list
  elements: str
reason:
  description: Why something was done, or why nothing was.
  returned: success
  type: str
db_instance:
  description: The name of the new instance.
  returned: success
  type: str
endpoint:
  description: Where the new instance answers; empty until RDS tells it.
  returned: success
  type: dict
  contains:
    address:
      description: The host.
      type: str
    port:
      description: The port.
      type: int
carried:
  description: How many settings the replaced instance has that were carried over.
  returned: success
  type: int
differences:
  description: The settings that the new instance has otherwise than the one that it replaces.
  returned: when the restore is done, also when it fails because of them
  type: list
  elements: dict
  contains:
    setting:
      description: The setting.
      type: str
    before:
      description: Its value on the instance that is replaced.
      type: raw
    after:
      description: Its value on the new instance.
      type: raw
unfinished:
  description: The settings that the new instance does not have yet, and that M(spymeo.rollback.rds_finish) sets; in check mode, those that it will set.
  returned: success
  type: list
  elements: str
not_compared:
  description: What RDS describes and this module does not know, so that nobody can say whether it is equal.
  returned: success
  type: list
  elements: str
safety_snapshot:
  description: The safety snapshot, as RV(spymeo.rollback.rds_snapshot#module:snapshot); empty without O(safety_snapshot).
  returned: success
  type: dict
findings:
  description: What no restore brings over, such as read replicas, one sentence each.
  returned: success
  type: list
  elements: str
seconds:
  description: How long this task took, in seconds.
  returned: success
  type: float
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.result import as_text
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.next_step import (
    Busy,
    Create,
    Done,
    Refuse,
    RestoreSpecification,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import (
    givable,
    left_to_modify,
    not_brought_over,
    not_compared,
    settings_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl, read_url
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import PointInTime
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_SAFETY
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.finish import whole
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.master_password import give
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.restore import Restoration, tell
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.snapshot import Snapshotting
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.snapshot import shown as shown_snapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.next_step import Step
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import Difference
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance


def point_in_time(gateway: RdsGateway, replaced: DbInstance, name: str | None, moment: datetime) -> PointInTime:
    """The PointInTime of the instance of that name, else of the one that is replaced.

    :raises BadInput: there is no such instance.
    """
    then = gateway.instance(name) if name else replaced
    if then is None:
        raise BadInput("source_db_instance", name, "there is no such DB instance")
    return PointInTime.of(then, moment)


def as_it_can_be(gateway: RdsGateway, replaced: DbInstance, new: DbInstance | None, now: datetime) -> DbInstance:
    """The DbInstance that settings come from: ``replaced`` as it is to be, without its CA where no instance can be given that any more.

    :param new: DbInstance that has been restored already, or None.
    """
    if replaced.unfinished:
        replaced = whole(replaced, {item.name: item for item in gateway.instances()})
    authority = "CACertificateIdentifier"
    wanted = replaced.description.get(authority)
    if wanted is None or (new and new.description.get(authority) == wanted):
        return replaced
    authorities = if_allowed("rds:DescribeCertificates", gateway.authorities)
    return givable(replaced, None if isinstance(authorities, NotRead) else authorities, now)


def begin(gateway: RdsGateway, options: dict[str, Any], clock: Clock) -> Restoration:
    """The Restoration that is asked for; it has looked once and changed nothing.

    :raises RollbackError: it will never be done.
    """
    replaced, now = gateway.source(options["db_instance"]), datetime.now(timezone.utc)
    moment = parse_time("point_in_time", options["point_in_time"])
    named = gateway.snapshot(options["snapshot"]) if options["snapshot"] and not moment else None
    snapshot = point_in_time(gateway, replaced, options["source_db_instance"], moment) if moment else named
    if snapshot is None:
        raise BadInput("snapshot", options["snapshot"], "there is no such snapshot")
    accepts = gateway.accepts(snapshot.operation), gateway.accepts("ModifyDBInstance")
    gives_password = bool(options["password_secret"])
    wanted = RestoreSpecification(
        options["new_db_instance"], options["run_id"], *accepts, gives_password, options["safety_snapshot"] or ""
    )
    restoration = Restoration(gateway, replaced, snapshot, wanted, clock)
    restoration.observe()
    restoration.source = as_it_can_be(gateway, replaced, restoration.instance, now)
    step = restoration.decide()
    if isinstance(step, Refuse):
        raise restoration.failed(step.reason)
    return restoration


def foresee(
    restoration: Restoration, safety: Snapshotting | None, step: Step
) -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """What would be there after it, as ``apply`` tells it."""
    changed, after = not isinstance(step, (Done, Busy)), shown(restoration.instance)
    if isinstance(step, Done):
        refuse_differences(restoration.instance, step.differences)
    else:
        after = dict(after, db_instance=restoration.wanted.name, settings=settings_of(restoration.source))
    return changed or bool(safety and safety.takes), after, safety.foreseen() if safety else {}


def apply(
    module: WritingModule, restoration: Restoration, safety: Snapshotting | None
) -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """Begin the restore and then the safety snapshot (a Snapshotting or None). If asked to, wait for the restore; else take the one step that is next.

    The restore comes first, since RDS may restore no point in time of an instance whose snapshot it is taking.

    :return: whether something changed, and the instance and the safety snapshot as they are now.
    """
    restoration.begin()
    if safety:
        tags = {TAG_SAFETY: restoration.source.resource_id}
        keep(module, restoration, lambda: safety.take(tags))
    if module.params["wait"]:
        await_restore(module, restoration)
    else:
        restoration.step()
    if safety:
        keep(module, restoration, safety.begin)
    refuse_differences(restoration.instance, restoration.differences)
    changed = restoration.changed or bool(safety and safety.changed)
    if module.params["password_secret"] and module.params["wait"]:
        changed = give_password(module, restoration.wanted.name) or changed
    if module.params["wait"]:
        restoration.begin_finishing(again=bool(module.params["password_secret"]))
    changed = restoration.changed or changed
    return changed, shown(restoration.instance), shown_snapshot(safety.snapshot) if safety else {}


def give_password(module: WritingModule, name: str) -> bool:
    """Give the instance the password that is in the secret now. Whether it was set."""
    params, secrets = module.params, SecretsGateway(module.aws("secretsmanager"))
    value = secrets.current_value(secrets.secret("password_secret", params["password_secret"]))
    url = DatabaseUrl.parse(read_url(value.text, params["key"]))
    rds, telling = RdsGateway(module.aws("rds")), teller("restore")
    return give(rds, name, url.password, value.version_id, params["wait_timeout"], Clock(), telling)


def await_restore(module: WritingModule, restoration: Restoration) -> None:
    """Wait until the new instance can be used."""
    telling = teller("restore")
    restoration.wait(module.params["wait_timeout"], telling)
    telling.over()


def keep(module: WritingModule, restoration: Restoration, step: Callable[[], object]) -> None:
    """Take a ``step()`` of the safety snapshot. Whatever stops it, the message says what has become of the restore."""
    problem = module.measuring(step)[1]
    if problem:
        raise RollbackError(
            "%s DB instance %s has been asked for meanwhile and stays; nothing uses it yet, and a run with the same run id joins it."
            % (problem, restoration.wanted.name)
        )


def refuse_differences(instance: DbInstance | None, differences: Sequence[Difference]) -> None:
    """Fail when the restored ``instance`` is not set as the one that it replaces."""
    if instance is None or not differences:
        return
    raise RollbackError(
        "DB instance %s is restored and keeps running, but %d of its settings are not those of the instance that it replaces. "
        "Nothing uses it yet. Set them by hand, then run again with the same run id."
        % (instance.name, len(differences)),
        [str(difference) for difference in differences],
        dict(
            db_instance=instance.name,
            differences=[dict(setting=item.setting, before=item.before, after=item.after) for item in differences],
            diff=dict(
                before=as_text({item.setting: item.before for item in differences}),
                after=as_text({item.setting: item.after for item in differences}),
            ),
        ),
    )


def shown(instance: DbInstance | None) -> dict[str, Any]:
    """A DbInstance or None, in JSON types."""
    if instance is None:
        return {}
    return dict(
        db_instance=instance.name,
        status=instance.status,
        endpoint=dict(address=instance.host, port=instance.port) if instance.host else {},
        settings=settings_of(instance),
    )


def why(step: Step, wanted: RestoreSpecification, safety: Snapshotting | None) -> str:
    """One sentence for the result."""
    if isinstance(step, Done) and safety and safety.takes:
        return "DB instance %s is restored already, and there is no snapshot %s yet" % (wanted.name, safety.name)
    if isinstance(step, Create):
        return "there is no DB instance %s yet" % wanted.name
    if isinstance(step, Done):
        return "DB instance %s is restored already, and set as the one that it replaces" % wanted.name
    return "run %s has begun to restore DB instance %s, and goes on" % (wanted.run_id, wanted.name)


def left(restoration: Restoration, step: Step) -> list[str]:
    """Names of the settings (list of str) that are left to be set later, as far as it is known."""
    if isinstance(step, Create) and not restoration.changed:
        return left_to_modify(restoration.source, step.request)
    return sorted(difference.setting for difference in restoration.left)


def safety_of(gateway: RdsGateway, source: DbInstance, options: dict[str, Any]) -> Snapshotting | None:
    """The Snapshotting of the safety snapshot, None where none is wanted."""
    name = options["safety_snapshot"] if options["take_safety_snapshot"] else None
    return Snapshotting(gateway, source, name, options["run_id"]) if name else None


OPTIONS = dict(
    db_instance=dict(type="str", required=True),
    snapshot=dict(type="str"),
    point_in_time=dict(type="str"),
    source_db_instance=dict(type="str"),
    new_db_instance=dict(type="str", required=True),
    safety_snapshot=dict(type="str"),
    take_safety_snapshot=dict(type="bool", default=True),
    password_secret=dict(type="str", no_log=False),
    key=dict(type="str", default="DATABASE_URL", no_log=False),
    run_id=dict(type="str", required=True),
    wait=dict(type="bool", default=True),
    wait_timeout=dict(type="int", default=3600),
)


def main() -> None:
    module = WritingModule(OPTIONS)
    options, clock = module.params, Clock()
    started = clock.now()
    with module.telling():
        gateway = RdsGateway(module.aws("rds"))
        restoration = begin(gateway, options, clock)
        source, wanted = restoration.source, restoration.wanted
        step, before, safety = restoration.decide(), shown(restoration.instance), safety_of(gateway, source, options)
        if module.check_mode:
            changed, after, kept = foresee(restoration, safety, step)
        else:
            changed, after, kept = apply(module, restoration, safety)
        module.finish(
            changed=changed,
            before=before,
            after=after,
            plan=tell(step, source, wanted) + (safety.plan if safety else []),
            reason=why(step, wanted, safety),
            db_instance=wanted.name,
            endpoint=after.get("endpoint", {}),
            carried=len(settings_of(source)),
            differences=[],
            unfinished=left(restoration, step),
            not_compared=not_compared(restoration.instance or source),
            safety_snapshot=kept,
            findings=not_brought_over(source),
            seconds=round(clock.now() - started, 1),
        )


if __name__ == "__main__":
    main()
