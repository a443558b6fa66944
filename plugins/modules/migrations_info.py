#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migrations_info
version_added: 0.1.0
short_description: Tell what migrations do to the code that runs now, before they are applied
description:
  - Reads migrations with PostgreSQL's own parser, on the control node, and says of each statement whether it is C(additive), C(changes_data), C(takes_away)
    something that the code of now may need, or is C(unknown), which counts as taking away.
  - Migrations that the database has already (O(known)) are replayed first, so that a column or an index which the same release brings and drops again takes
    nothing away, and a type is known for what it was.
  - Nothing is believed by a name. A block (C(DO)), a function of one's own, and whatever is in no table of this module is C(unknown).
  - From that follows the way back of the release - its code alone where all is additive, else the data with it.
options:
  migrations:
    description:
      - A directory with Prisma's C(NAME/migration.sql), one with files C(NAME.sql), or such a file, on the machine where the module runs.
    type: path
    required: true
  known:
    description:
      - The names of the migrations that the database has. Without it, each of O(migrations) may come.
    type: list
    elements: str
  required_way_back:
    description:
      - The slowest way back that is accepted. V(code) fails where the code alone cannot come back, V(snapshot) accepts that the data come back with it.
    type: str
    choices: [code, snapshot]
    default: snapshot
  signed:
    description: Who accepts a slower one all the same, and why.
    type: str
    default: ""
extends_documentation_fragment:
  - spymeo.rollback.rollback.attributes
requirements:
  - pglast >= 7
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.release_point
"""

EXAMPLES = r"""
- name: What would the migrations of this release do to the code that runs?
  spymeo.rollback.migrations_info:
    migrations: prisma/migrations
    known: "{{ probe.migrations | map(attribute='name') }}"
    required_way_back: code
"""

RETURN = r"""
coming:
  description: The migrations that the database does not have yet, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    kind:
      description: The worst that a statement of it is, V(takes_away), V(unknown), V(changes_data) or V(additive).
      type: str
    effects:
      description:
        - What each statement does, with C(kind), C(words), C(table), C(column), C(locks), who waits meanwhile, and C(beware), under which condition code from
          before would notice something additive.
      type: list
      elements: dict
way_back:
  description: The way back, C(way), V(code) or V(snapshot), with C(why), C(beware) and C(locks).
  returned: success
  type: dict
  sample: {way: code, why: what it migrates is additive (20261201_add_phone), beware: [], locks: []}
signed:
  description: Who has accepted it.
  returned: success
  type: str
reason:
  description: The same in one sentence.
  returned: success
  type: str
"""

from dataclasses import asdict

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.result import PlainModule
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.coming import coming_of, kept_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.way_back import (
    CODE,
    WayBack,
    falls_short,
    way_back,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.migration_files import read_migrations


def described(found: WayBack) -> str:
    """A WayBack in one sentence."""
    how = "its code alone can come back" if found.way == CODE else "the data have to come back with its code"
    return "%s: %s" % (how, found.why)


def refuse_without_way_back(found: WayBack, required: str) -> None:
    """Stop where the way back is slower than what is required.

    :raises RollbackError: it is.
    """
    if not falls_short(found, required):
        return
    text = (
        "The release that is about to be deployed has no way back as fast as rollback_require (%s) asks for: %s. Split the migration, so "
        "that what is taken away goes with a later release; or have somebody sign for it: -e 'rollback_signed=NAME: WHY'."
    )
    raise RollbackError(text % (required, described(found)))


def main() -> None:
    module = PlainModule(
        dict(
            migrations=dict(type="path", required=True),
            known=dict(type="list", elements="str"),
            required_way_back=dict(type="str", choices=["code", "snapshot"], default="snapshot"),
            signed=dict(type="str", default=""),
        )
    )
    params = module.params
    with module.telling():
        coming = coming_of(read_migrations(params["migrations"]), params["known"])
        found = way_back(coming)
        if not params["signed"]:
            refuse_without_way_back(found, params["required_way_back"])
        module.finish(
            changed=False,
            before={},
            after={},
            reason=described(found),
            coming=kept_of(coming),
            way_back=asdict(found),
            signed=params["signed"],
        )


if __name__ == "__main__":
    main()
