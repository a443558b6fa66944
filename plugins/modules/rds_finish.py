#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_finish
version_added: 0.1.0
short_description: Finish what the cutover to a restored DB instance has not waited for, and prove it
description:
  - Finishes the DB instances that M(spymeo.rollback.rds_restore) has restored. The settings that nobody feels and no restore takes, such as windows,
    monitoring and storage autoscaling, are set as the replaced instance has them, as soon as RDS lets them be set, and the safety snapshot is awaited.
  - The tag C(spymeo:rollback-unfinished), which a restore writes at once, says what is not finished. It becomes empty when all settings have been
    compared and are equal, and the snapshot is there. So nothing is forgotten, whoever dies, and whoever runs this again changes nothing.
  - Settings that the restore was cut over with are not set again. Where they differ by now, somebody has changed them; RV(since_changed) tells it.
  - An instance in whose place another one serves by now is left as it is.
options:
  db_instance:
    description: A DB instance. What runs have restored in its place, directly or one after the other, is finished.
    type: str
    required: true
  of_run:
    description: The run whose restored instance alone is meant. The default are all.
    type: str
    default: ""
  wait_settings:
    description:
      - Whether RDS is waited for until it lets the settings be set, which may take hours. Otherwise it is asked for what it lets be set now, and
        RV(unfinished) tells the rest.
      - The safety snapshot is always waited for, unless RDS takes none now.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for each of both, in seconds.
    type: int
    default: 3600
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
  - module: spymeo.rollback.rds_restore
"""

EXAMPLES = r"""
- name: Give the restored database every setting that its cutover has not waited for
  spymeo.rollback.rds_finish:
    db_instance: spymeo-production-db
    run_id: rb-20261122-061500
    wait_timeout: 14400
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
  description: For each instance, by its name, the settings that differed before, with their values.
  returned: success
  type: dict
after:
  description: The same now; in check mode, as it would be.
  returned: success
  type: dict
plan:
  description: What is done, one sentence a step; empty when nothing is left to be finished.
  returned: success
  type: list
  elements: str
reason:
  description: What has come of it, in one sentence.
  returned: success
  type: str
instances:
  description: The instances that were not finished before.
  returned: success
  type: list
  elements: dict
  contains:
    db_instance:
      description: The name.
      type: str
    run_id:
      description: The run that has restored it.
      type: str
    source:
      description: The instance that it was restored in the place of.
      type: str
    in_its_place:
      description: Whether it is in service in the place of that one, as a run has marked both. Before, that one may serve still.
      type: bool
    finished:
      description: Whether every setting was compared and is equal now, and the safety snapshot is there.
      type: bool
    unfinished:
      description: What is left, one sentence each.
      type: list
      elements: str
    safety_snapshot:
      description: The safety snapshot, as RV(spymeo.rollback.rds_snapshot#module:snapshot); empty where none is awaited.
      type: dict
unfinished:
  description: What is left of all of them, one sentence each.
  returned: success
  type: list
  elements: str
awaits_snapshot:
  description: Whether a safety snapshot is still to be taken. The instance that it is of is not to be stopped before.
  returned: success
  type: bool
since_changed:
  description: The settings that somebody has changed since an instance was cut over, one sentence each. They are left as they are.
  returned: success
  type: list
  elements: str
resources:
  description: The ARNs of the instances and of O(db_instance), as M(spymeo.rollback.rollback_begin) takes it.
  returned: success
  type: list
  elements: str
seconds:
  description: How long this task took, in seconds.
  returned: success
  type: float
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Tree
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.finish import Finishing, unfinished_of
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.snapshot import shown as shown_snapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance


def find_unfinished(gateway: RdsGateway, params: dict[str, Any], clock: Clock) -> tuple[list[Finishing], list[str]]:
    """(The Finishings of what is not finished, the ARNs of all of it)."""
    instances = gateway.instances()
    by_name = {instance.name: instance for instance in instances}
    named = by_name.get(params["db_instance"])
    if named is None:
        raise BadInput("db_instance", params["db_instance"], "there is no such DB instance")
    refuse_unknown(params["of_run"], named, instances)
    found = unfinished_of(named.name, instances, params["of_run"])
    accepts = gateway.accepts("ModifyDBInstance")
    return [Finishing(gateway, each, by_name, accepts, clock) for each in found], sorted(
        {named.arn, *(each.arn for each in found)}
    )


def refuse_unknown(run_id: str, named: DbInstance, instances: Sequence[DbInstance]) -> None:
    """
    :raises BadInput: no instance is there that a run of this id has restored in the place of one of the family of ``named``.
    """
    family = Tree(instances, ()).family_of(named.name)
    runs = sorted({each.run_id for each in instances if each.name in family and each.run_id})
    if run_id and run_id not in runs:
        cure = "These have: %s. Without rollback_run_id, whatever is not finished is." % (", ".join(runs) or "none")
        raise BadInput("run_id", run_id, "no DB instance is there that such a run has restored", cure)


def apply(finishing: Finishing, params: dict[str, Any]) -> None:
    """Ask for what can be set, wait for the snapshot, which others have begun long ago, and then for the settings if asked to."""
    finishing.begin()
    finishing.wait_snapshot(params["wait_timeout"], teller("snapshot"))
    if params["wait_settings"]:
        telling = teller("finish")
        finishing.wait(params["wait_timeout"], telling)
        telling.over()
    else:
        finishing.observe()
    finishing.seal()


def differing(finishings: Sequence[Finishing]) -> dict[str, dict[str, int]]:
    """The settings that are not equal yet, with their values, by instance."""
    return {each.name: {item.setting: item.after for item in each.differences} for each in finishings}


def finishing_result(finishing: Finishing, check: bool) -> dict[str, Any]:
    """A Finishing in JSON types; in a check, as it would be."""
    left = [] if check else finishing.left
    return dict(
        db_instance=finishing.name,
        run_id=finishing.run_id,
        source=finishing.source,
        in_its_place=finishing.in_its_place,
        finished=not left,
        unfinished=left,
        safety_snapshot=shown_snapshot(finishing.safety.snapshot) if finishing.safety else {},
    )


def why(instances: Sequence[dict[str, Any]]) -> str:
    """One sentence for the result."""
    if not instances:
        return "nothing is left to be finished"
    left = [each["db_instance"] for each in instances if not each["finished"]]
    done = [each["db_instance"] for each in instances if each["finished"]]
    texts = ["%s has every setting of the instance that it replaces" % ", ".join(done)] * bool(done)
    return "; ".join(texts + ["%s is not finished yet" % ", ".join(left)] * bool(left))


def main() -> None:
    module = WritingModule(
        dict(
            db_instance=dict(type="str", required=True),
            of_run=dict(type="str", default=""),
            wait_settings=dict(type="bool", default=True),
            run_id=dict(type="str", required=True),
            wait_timeout=dict(type="int", default=3600),
        )
    )
    params, clock = module.params, Clock()
    started = clock.now()
    with module.telling():
        finishings, resources = find_unfinished(RdsGateway(module.aws("rds")), params, clock)
        before, plan = differing(finishings), [line for each in finishings for line in each.plan]
        for each in [] if module.check_mode else finishings:
            apply(each, params)
        instances = [finishing_result(each, module.check_mode) for each in finishings]
        module.finish(
            changed=bool(plan) if module.check_mode else any(each.changed for each in finishings),
            before=before,
            after={name: {} for name in before} if module.check_mode else differing(finishings),
            plan=plan,
            reason=why(instances),
            instances=instances,
            unfinished=[line for each in instances for line in each["unfinished"]],
            awaits_snapshot=any(each.awaits_snapshot for each in finishings),
            since_changed=[
                "DB instance %s: %s" % (each.name, item) for each in finishings for item in each.since_changed
            ],
            resources=resources,
            seconds=round(clock.now() - started, 1),
        )


if __name__ == "__main__":
    main()
