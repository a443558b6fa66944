#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_undo_info
version_added: 0.1.0
short_description: Tell what was there before a run, from its record
description:
  - Reads the record that M(spymeo.rollback.rollback_begin) has written. AWS is not asked.
  - A run that did not come to its end can be undone, too; what it has not changed is current still.
options:
  undo_run:
    description: The run to undo. The default is the newest one that has changed something and is no undo itself.
    type: str
    default: ""
extends_documentation_fragment:
  - spymeo.rollback.rollback.memory
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.rollback_begin
"""

EXAMPLES = r"""
- name: Read what was there before the last rollback
  spymeo.rollback.rollback_undo_info:
    environment: production
    application: spymeo
  register: undo
"""

RETURN = r"""
run_id:
  description: The run to undo.
  returned: success
  type: str
told:
  description: What that run was, for people.
  returned: success
  type: str
began:
  description: When that run began, ISO 8601 in UTC.
  returned: success
  type: str
services:
  description: The task definition of each service, as M(spymeo.rollback.ecs_rollback) takes it.
  returned: success
  type: dict
secrets:
  description: The version id of each secret, DATABASE_URL's included, as M(spymeo.rollback.secret_rollback) takes it.
  returned: success
  type: dict
parameters:
  description: The number of the version of each parameter, as M(spymeo.rollback.secret_rollback) takes it.
  returned: success
  type: dict
database:
  description: Where the database was. Empty when the run left it alone.
  returned: success
  type: dict
  contains:
    db_instance:
      description: The DB instance.
      type: str
    host:
      description: Its host.
      type: str
    port:
      description: Its port.
      type: int
known:
  description: What the runs of the store know of what comes back, as clauses of which it is the subject; a person should know it before.
  returned: success
  type: list
  elements: str
  sample: ["it is what run rb-20261122-031500 (Roll back the code) has rolled back from"]
left:
  description:
    - What was there before the newest undo of the same run, if that one has begun already and took the database elsewhere. So a second undo, and one that
      goes on, know which DB instance is out of service. Empty without one.
  returned: success
  type: dict
  contains:
    database:
      description: As RV(database).
      type: dict
    secrets:
      description: As RV(secrets).
      type: dict
"""

import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import MemoryModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outlook import (
    known_of_what_comes_back,
    stands,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import undoable

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

FORM = "%Y-%m-%d %H:%M:%S UTC"  # of times in a record
LOOKED_AT = 10  # records, from the newest


def choose(memory: RunRepository, named: str) -> str:
    """The id of the run to undo.

    :raises RollbackError: none has changed anything.
    """
    lock, _etag = memory.lock() or (None, None)
    run_id = named or (undoable(lock) if lock else "")
    if not run_id:
        raise RollbackError(
            "There is no run to undo: the store %s knows of none that has changed this application. Nothing was changed. "
            "If it ran with another rollback_store, set that." % memory.store
        )
    return run_id


def before(memory: RunRepository, run_id: str) -> dict[str, Any]:
    """The record of a run.

    :raises BadInput: there is none, or it does not say what was there before.
    """
    found = memory.run(run_id)
    if found is None:
        known = ", ".join(memory.runs()[-10:]) or "none"
        raise BadInput(
            "undo_run", run_id, "the store %s has no such run" % memory.store, "The newest it has: %s." % known
        )
    record, _etag = found
    if not {"services", "secrets", "database"} <= set(record.get("before", {})) or not record["before"]["services"]:
        raise BadInput("undo_run", run_id, "its record does not say what was there before", "Name another run.")
    return record


def how_it_stands(memory: RunRepository, record: dict[str, Any]) -> str:
    """What has become of a run, as what a sentence says of it; by the lock, where that is the run's."""
    lock, _etag = memory.lock() or (None, None)
    return stands(record, lock.uncovered if lock else None, time.time())


def newest(memory: RunRepository) -> list[dict[str, Any]]:
    """The newest records, the newest first."""
    return [found[0] for found in map(memory.run, reversed(memory.runs()[-LOOKED_AT:])) if found]


def left_by(records: Iterable[dict[str, Any]], run_id: str, place: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The database and the secrets (dict) that an earlier undo of a run has left, {} when none is remembered.

    :param records: newest first.
    :param place: where the database was before the run that is undone; an undo that has found it there has left nothing.
    """
    for record in records:
        there = record.get("before") or {}
        host = there.get("database", {}).get("host")
        if record.get("undoes") == run_id and host and host != place.get("host"):
            return dict(database=there["database"], secrets=there["secrets"])
    return {}


def main() -> None:
    module = MemoryModule(dict(undo_run=dict(type="str", default="")))
    with module.telling():
        memory = module.memory()
        run_id = choose(memory, module.params["undo_run"])
        record = before(memory, run_id)
        there, records = record["before"], newest(memory)
        module.exit_json(
            changed=False,
            run_id=run_id,
            told="run %s (%s) of %s, since %s, which %s"
            % (run_id, record["kind"], record["who"], record["began"], how_it_stands(memory, record)),
            began=datetime.strptime(record["began"], FORM).replace(tzinfo=timezone.utc).isoformat(),
            services=there["services"],
            secrets=there["secrets"],
            parameters=there.get("parameters", {}),
            database=there["database"],
            known=known_of_what_comes_back(record, records),
            left=left_by(records, run_id, there["database"]) if there["database"].get("host") else {},
        )


if __name__ == "__main__":
    main()
