#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_snapshot
version_added: 0.1.0
short_description: Take a snapshot of a DB instance, once
description:
  - Takes a snapshot that keeps what a DB instance holds now, such as before a release.
  - A snapshot of that name that this run has taken is joined, never taken twice. One that somebody else has taken is refused.
  - With O(wait=false) the snapshot is started; the same task again, with O(wait=true), waits for it.
  - The stock waiters are not used, since they take a missing snapshot for a finished one.
options:
  db_instance:
    description: The DB instance to take a snapshot of.
    type: str
    required: true
  current_host:
    description:
      - The host in the application's DATABASE_URL now. The snapshot is of the DB instance that has it, O(db_instance) or one that a rollback has
        restored in its place.
      - Left out, it is of O(db_instance).
    type: str
  snapshot:
    description: The name of the snapshot to take.
    type: str
    required: true
  later:
    description:
      - Whether a DB instance that takes no snapshot now, since RDS is backing it up, is no failure with O(wait=false); then RV(snapshot) is empty, and
        M(spymeo.rollback.rds_finish) takes it later.
    type: bool
    default: false
  tags:
    description: Tags of the snapshot, besides the tag of the run.
    type: dict
    default: {}
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
  - module: spymeo.rollback.rds_restore
    description: Takes the safety snapshot of a rollback while it restores.
"""

EXAMPLES = r"""
- name: Start the snapshot from before the migration
  spymeo.rollback.rds_snapshot:
    db_instance: spymeo-production-db
    snapshot: spymeo-production-db-cp-20261122-031500
    run_id: rb-20261122-031500
    wait: false

- name: Wait for it
  spymeo.rollback.rds_snapshot:
    db_instance: spymeo-production-db
    snapshot: spymeo-production-db-cp-20261122-031500
    run_id: rb-20261122-031500
    wait_timeout: 1800
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
  description: The snapshot before; empty when there was none.
  returned: success
  type: dict
after:
  description: The snapshot now; in check mode, what it would be.
  returned: success
  type: dict
plan:
  description: What is done, one sentence a step.
  returned: success
  type: list
  elements: str
reason:
  description: Why the snapshot was taken, or why it was not.
  returned: success
  type: str
snapshot:
  description: The snapshot. In check mode only its name is known.
  returned: success
  type: dict
  contains:
    name:
      description: The name.
      type: str
    arn:
      description: The ARN.
      type: str
    db_instance:
      description: The DB instance that it is of.
      type: str
    status:
      description: RDS's status.
      type: str
      sample: available
    percent:
      description: How much of it has been transferred.
      type: int
    created:
      description: When it was taken, ISO 8601 in UTC; empty until RDS tells it.
      type: str
seconds:
  description: How long this task took, in seconds.
  returned: success
  type: float
"""

from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import in_service
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.snapshot import Snapshotting, shown
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance


def source_of(gateway: RdsGateway, options: dict[str, Any]) -> DbInstance:
    """The DbInstance to take a snapshot of."""
    named = gateway.source(options["db_instance"])
    if not options["current_host"]:
        return named
    return in_service(named, options["current_host"], {item.name: item for item in gateway.instances()})


def apply(snapshotting: Snapshotting, options: dict[str, Any]) -> None:
    """Take the snapshot, and wait for it if asked to."""
    snapshotting.take(options["tags"], options["wait"] or options["later"])
    if options["wait"]:
        snapshotting.wait(options["wait_timeout"], teller("snapshot"))
    else:
        snapshotting.observe()


def main() -> None:
    module = WritingModule(
        dict(
            db_instance=dict(type="str", required=True),
            current_host=dict(type="str"),
            snapshot=dict(type="str", required=True),
            later=dict(type="bool", default=False),
            tags=dict(type="dict", default={}),
            run_id=dict(type="str", required=True),
            wait=dict(type="bool", default=True),
            wait_timeout=dict(type="int", default=3600),
        )
    )
    options, clock = module.params, Clock()
    started = clock.now()
    with module.telling():
        gateway = RdsGateway(module.aws("rds"))
        snapshotting = Snapshotting(gateway, source_of(gateway, options), options["snapshot"], options["run_id"])
        take, before = snapshotting.takes, shown(snapshotting.snapshot)
        if not module.check_mode:
            apply(snapshotting, options)
        after = snapshotting.foreseen() if module.check_mode else shown(snapshotting.snapshot)
        module.finish(
            changed=take if module.check_mode else snapshotting.changed,
            before=before,
            after=after,
            plan=snapshotting.plan,
            reason="there is no snapshot %s yet" % options["snapshot"] if take else "this run has taken it already",
            snapshot=after,
            seconds=round(clock.now() - started, 1),
        )


if __name__ == "__main__":
    main()
