#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_retire
version_added: 0.1.0
short_description: Mark a DB instance that another one has taken the place of, and stop it if asked
description:
  - Tags the instance with C(spymeo:rollback-replaced-by) and the name of the one that is in service now, and both with
    C(spymeo:rollback-served), which tells since and until when each was in service. From it is known later which data are where.
  - After an undo it is the other way round. The restored instance is marked, and the mark of the one that is back becomes empty.
  - Stops it only with O(stop=true). It is never deleted, and its data stay. RDS starts a stopped instance again by itself after seven days.
  - Where RDS cannot stop it now, that is reported and is no failure, because the application does not use it any more.
options:
  db_instance:
    description: The DB instance that was in service.
    type: str
    required: true
  replaced_by:
    description:
      - The DB instance that was restored in its place, by M(spymeo.rollback.rds_restore); after an undo, the one that serves again.
    type: str
    required: true
  stop:
    description: Whether to stop it.
    type: bool
    default: false
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
- name: The failed database costs no more than its storage until somebody has looked at it
  spymeo.rollback.rds_retire:
    db_instance: spymeo-production-db
    replaced_by: spymeo-production-db-rb-20261122-031500
    stop: true
    run_id: rb-20261122-031500
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
  description: The name, the C(status) and the tag C(replaced_by) that the instance had.
  returned: success
  type: dict
after:
  description: The same, as they are now; in check mode, as they would be.
  returned: success
  type: dict
plan:
  description: What is done.
  returned: success
  type: list
  elements: str
storage:
  description: How much of the storage of O(replaced_by) RDS has loaded, one sentence. Empty where it says nothing of it.
  returned: success
  type: str
reason:
  description: What became of the instance, and what was asked for and could not be done.
  returned: success
  type: str
"""

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import WritingModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Tree
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.retire import retire
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_REPLACED_BY

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.retire import Retirement
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance


def apply(gateway: RdsGateway, old: DbInstance, new: DbInstance, retirement: Retirement) -> str:
    """Do what was decided. Returns why the instance runs on although it was to be stopped, or nothing."""
    for instance, tags in ((new, retirement.new), (old, retirement.old)):
        if tags:
            gateway.tag(instance.arn, tags)
    refused = gateway.stop(old.name) if retirement.stop else None
    return "RDS says: %s" % refused if refused else retirement.kept_running


def there(tree: Tree, module: WritingModule, option: str) -> DbInstance:
    """The DbInstance that an option names.

    :raises BadInput: there is none.
    """
    found = tree.by_name.get(module.params[option])
    if found is None:
        raise BadInput(option, module.params[option], "there is no such DB instance")
    return found


def describe_retirement(old: DbInstance, new: DbInstance, stopped: bool, kept_running: str) -> str:
    """What became of it, in one sentence."""
    if kept_running:
        what = "it runs on, because %s; stop it later with: aws rds stop-db-instance --db-instance-identifier %s"
        return what % (kept_running, old.name)
    if stopped:
        return "%s is stopped; RDS starts it again by itself after seven days" % old.name
    return "%s runs on, and %s has taken its place" % (old.name, new.name)


def main() -> None:
    module = WritingModule(
        dict(
            db_instance=dict(type="str", required=True),
            replaced_by=dict(type="str", required=True),
            stop=dict(type="bool", default=False),
            run_id=dict(type="str", required=True),
        )
    )
    with module.telling():
        gateway = RdsGateway(module.aws("rds"))
        tree = Tree(gateway.instances(), ())
        old, new = there(tree, module, "db_instance"), there(tree, module, "replaced_by")
        now, family = datetime.now(timezone.utc), tree.family_of(old.name)
        retirement = retire(old, new, module.params["stop"], family, now)
        kept_running = retirement.kept_running if module.check_mode else apply(gateway, old, new, retirement)
        stopped = module.params["stop"] and not kept_running
        before = dict(name=old.name, status=old.status, replaced_by=old.tags.get(TAG_REPLACED_BY, ""))
        status = "stopping" if stopped and retirement.stop else old.status
        module.finish(
            changed=bool(retirement.old or retirement.new) or (retirement.stop and stopped),
            before=before,
            after=dict(before, replaced_by=new.name, status=status),
            plan=["%s: %s" % (old.name, step) for step in retirement.steps],
            storage=new.storage_line,
            reason=describe_retirement(old, new, stopped, kept_running),
        )


if __name__ == "__main__":
    main()
