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
    To restore the same snapshot once more, copy it to another name and name the copy.
  - What cannot work is refused here, before anything changes. A missing snapshot, one that is not available or of another engine, an Aurora cluster,
    a name that somebody else has taken, and a DATABASE_URL that leads elsewhere.
options:
  db_instance:
    description: The DB instance of the application.
    type: str
    required: true
  snapshot:
    description: The snapshot to go back to.
    type: str
    required: true
  current_host:
    description:
      - The host in the application's DATABASE_URL now.
      - Left out or empty, the application is taken to use O(db_instance).
    type: str
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
    current_host: spymeo-production-db.abcdefghijkl.eu-west-3.rds.amazonaws.com
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
  description: The name of the snapshot to take before, for M(spymeo.rollback.rds_snapshot). When it is done, the one that was taken.
  returned: success
  type: str
snapshot:
  description: The snapshot to go back to.
  returned: success
  type: dict
  contains:
    name:
      description: The name.
      type: str
    arn:
      description: The ARN.
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
lost:
  description: What the rollback throws away, which is everything written since the snapshot.
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
findings:
  description: What no restore brings over, or what a person should know before, one sentence each.
  returned: success
  type: list
  elements: str
"""

from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.decide import decide_rollback
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.gateway import RdsGateway


def observe(gateway, options):
    """The snapshot, and where the rollback to it stands."""
    name = options["db_instance"]
    snapshot = gateway.snapshot(options["snapshot"])
    rollback = decide_rollback(
        db_instance=name,
        snapshot_name=options["snapshot"],
        current_host=options["current_host"] or None,
        run_id=options["run_id"],
        instances=gateway.instances(),
        snapshot=snapshot,
        snapshots=gateway.snapshots_of(name) if snapshot is None else (),
        now=datetime.now(timezone.utc),
    )
    return snapshot, rollback


def told(instance):
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


def main():
    module = RollbackModule(
        dict(
            db_instance=dict(type="str", required=True),
            snapshot=dict(type="str", required=True),
            current_host=dict(type="str"),
            run_id=dict(type="str", required=True),
        )
    )
    with module.telling():
        snapshot, rollback = observe(RdsGateway(module.aws("rds")), module.params)
        lost = rollback.lost
        module.exit_json(
            changed=False,
            state=rollback.state,
            reason=rollback.reason,
            db_instance=rollback.replaced,
            restored_instance=told(rollback.restored),
            new_db_instance=rollback.new_db_instance,
            safety_snapshot=rollback.safety_snapshot,
            snapshot=dict(
                name=snapshot.name,
                arn=snapshot.arn,
                created=show_time(lost.since),
                engine=snapshot.engine,
                engine_version=snapshot.engine_version,
            ),
            lost=dict(since=show_time(lost.since), seconds=lost.seconds, how_known=lost.how_known),
            findings=list(rollback.findings),
        )


if __name__ == "__main__":
    main()
