#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_lineage_info
version_added: 0.1.0
short_description: Tell which data of an application are in which DB instance
description:
  - Reads DB instances, their snapshots and what runs have written on them, and tells which instance is in service, and which others hold something
    that was written in service and is not in it.
options:
  db_instance:
    description: The DB instance of the application, or any that a rollback has restored in its place.
    type: str
    required: true
  database_secret:
    description:
      - Name or ARN of the secret that holds DATABASE_URL, which tells which instance is in service.
    type: str
    required: true
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  host:
    description:
      - The host of the database that is in service, as RV(spymeo.rollback.ecs_release_info#module:data.host) tells it. What tasks have read need not be
        what the secret names now.
      - Left out, it is the one that the secret names.
    type: str
  port:
    description: Its port, likewise.
    type: int
  needed_db_instance:
    description: A DB instance that has to answer. Its status is reported, and what is to be done where it cannot. Left out, none is looked at.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rds_rollback_info
"""

EXAMPLES = r"""
- name: Where is what users have written?
  spymeo.rollback.rds_lineage_info:
    db_instance: spymeo-production-db
    database_secret: spymeo/production/database-url
"""

RETURN = r"""
db_instance:
  description: The DB instance that is in service.
  returned: success
  type: str
host:
  description: Its host; O(host), where that is given.
  returned: success
  type: str
port:
  description: Its port, likewise.
  returned: success
  type: int
status:
  description: RDS's status of it.
  returned: success
  type: str
  sample: available
kept:
  description: The instances that hold something else, the newest first.
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
      description: Always false.
      type: bool
    never_served:
      description: As RV(spymeo.rollback.rds_rollback_info#module:kept[].never_served); always false.
      type: bool
    told:
      description: It with the times, for people.
      type: str
unfinished:
  description: What the rollback that has restored O(needed_db_instance) has left to be finished of it, one sentence each.
  returned: success
  type: list
  elements: str
unfinished_run:
  description: That rollback; empty where nothing is left.
  returned: success
  type: str
needed:
  description: Why O(needed_db_instance) does not answer, with the command that cures it; empty when nothing stands against it.
  returned: success
  type: str
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import holder_result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import cannot_answer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import made_by
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.database import where_the_data_are
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.finish import still_left

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance


def unfinished(gateway: RdsGateway, needed: DbInstance | None, by_name: Mapping[str, DbInstance]) -> dict[str, Any]:
    """RV(unfinished) and RV(unfinished_run)."""
    left = still_left(gateway, needed, by_name)
    return dict(unfinished=left, unfinished_run=made_by(needed).run_id if needed and left else "")


def main() -> None:
    module = RollbackModule(
        dict(
            db_instance=dict(type="str", required=True),
            database_secret=dict(type="str", required=True, no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            host=dict(type="str"),
            port=dict(type="int"),
            needed_db_instance=dict(type="str"),
        )
    )
    params = module.params
    with module.telling():
        url = SecretsGateway(module.aws("secretsmanager")).database_url(params["database_secret"], params["key"])
        url = url.at(params["host"], params["port"])
        gateway = RdsGateway(module.aws("rds"))
        tree, current, found = where_the_data_are(gateway, params["db_instance"], url.host)
        needed = params["needed_db_instance"]
        module.exit_json(
            changed=False,
            db_instance=current.name,
            host=url.host,
            port=url.port,
            status=current.status,
            kept=[holder_result(holder) for holder in found],
            **unfinished(gateway, tree.by_name.get(needed or ""), tree.by_name),
            needed=cannot_answer(needed, tree.by_name.get(needed)) if needed else "",
        )


if __name__ == "__main__":
    main()
