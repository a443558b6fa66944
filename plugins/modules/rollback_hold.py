#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_hold
version_added: 0.1.0
short_description: Show, set and release the deploy hold of an application
description:
  - While a hold stands, whoever deploys is to keep out. A rollback sets one when it begins, and it stands until a person releases it, or the rollback
    is undone.
  - Several holds may stand, each for a reason of its own. Deployments are held back as long as one does.
  - AWS knows nothing of it. A pipeline respects it by asking first, with O(state=check).
options:
  state:
    description:
      - V(check) fails unless it is written down that nobody holds deployments back. Where nothing was ever written down, somebody may ask in the wrong place.
      - V(show) tells what is known, V(set) and V(release) change it.
    type: str
    choices: [show, check, set, release]
    default: check
  reason:
    description:
      - Why deployments are held back, for whoever meets the hold. Needed with O(state=set).
      - With O(state=release), the reason of the hold that is to end, or the id of its run. Needed where a person's hold stands beside another one.
    type: str
    default: ""
  who:
    description: Who sets or releases it. The default is the user and the machine of this process.
    type: str
extends_documentation_fragment:
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.memory
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: Let deployments go on
  spymeo.rollback.rollback_hold:
    environment: production
    application: spymeo
    state: release
"""

RETURN = r"""
before:
  description: The hold before; empty when none has ever stood.
  returned: success
  type: dict
after:
  description: The hold now; in check mode, what it would be.
  returned: success
  type: dict
plan:
  description: What is done, one sentence a step.
  returned: success
  type: list
  elements: str
reason:
  description: Who holds deployments back, since when and why; or that nobody does.
  returned: success
  type: str
standing:
  description: Whether a hold stands now; in check mode, whether one would.
  returned: success
  type: bool
"""

import time
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.run_module import MemoryModule, whoever
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import (
    changed,
    describe_hold,
    each_with_its_release,
    followed,
    standing,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import clock_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import ABSENT, Conflict, as_json
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_claims import namesakes

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository


def refuse(memory: RunRepository, hold: dict[str, Any]) -> None:
    """Stop a deployment, unless it is written down that nobody holds it back.

    :raises RollbackError: somebody does, or nobody knows.
    """
    several = each_with_its_release(hold)
    if several[1:]:
        raise RollbackError(
            "Do not deploy: several hold deployments back. playbooks/hold.yml ends each, with what is said beside it:",
            several,
        )
    if standing(hold):
        raise RollbackError(
            "Do not deploy: %s. playbooks/hold.yml with rollback_hold=release ends that." % describe_hold(hold)
        )
    if not hold:
        raise RollbackError(
            "Do not deploy: nobody knows whether deployments are held back. Nothing was ever written down as %s in the store %s: "
            "rollback_store, rollback_environment or the name of the host is another one than that of rollbacks, or no checkpoint was made yet. "
            "If the names are right, make one: playbooks/checkpoint.yml." % (memory.key("hold"), memory.store)
        )


def write(
    memory: RunRepository, before: dict[str, Any], after: dict[str, Any], etag: str, who: str, since: str
) -> None:
    """Write the hold, also under the other names that the same resources have in the store.

    :raises RollbackError: somebody else has changed it just now.
    """
    try:
        memory.store.put(memory.key("hold"), as_json(after), etag)
        for other in map(memory.beside, namesakes(memory)):
            there, its_etag = other.read("hold") or (None, ABSENT)
            then = followed(there, before, after, who, since)
            if then is not None and then != there:
                other.store.put(other.key("hold"), as_json(then), its_etag)
    except Conflict as error:
        raise RollbackError("Somebody else has changed the hold just now (%s). Look again." % error.key) from error


def main() -> None:
    module = MemoryModule(
        dict(
            state=dict(type="str", choices=["show", "check", "set", "release"], default="check"),
            reason=dict(type="str", default=""),
            who=dict(type="str"),
        )
    )
    params = module.params
    with module.telling():
        memory = module.memory()
        before, etag = memory.read("hold") or ({}, ABSENT)
        if params["state"] == "check":
            refuse(memory, before)
        by = (params["who"] or whoever(), clock_of(time.time()))
        after = changed(before, params["state"], *by, params["reason"])
        if after is not None and after != before and not module.check_mode:
            write(memory, before, after, etag, *by)
        module.finish(
            changed=after != before,
            before=before,
            after=after,
            plan=["%s the deploy hold" % params["state"]] if after != before else [],
            reason=describe_hold(after)
            or ("nobody holds deployments back" if after else "nothing was ever written down here"),
            standing=standing(after),
        )


if __name__ == "__main__":
    main()
