#!/usr/bin/python

# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_probe_info
version_added: 0.1.0
short_description: Log in to a database through the URL that the application will get, and tell what is in it
description:
  - Takes the PostgreSQL URL out of a secret, puts O(host) and O(port) in the place of its own, logs in from this machine, and reads
    the version of the server, Prisma's migrations and the number of rows of each table.
  - An instance that RDS calls C(available) may still refuse the application. Run this before any application is pointed at it.
  - Options of the URL that only Prisma understands are left out as Prisma would. Certificate files that the URL names are in the application's
    image, so the probe does not use them.
  - It reads in one read-only transaction. When it fails, it names the Prisma code that the application would show. The password is never reported.
options:
  database_secret:
    description: Name or ARN of the secret that holds the URL.
    type: str
    required: true
  key:
    description: The key of the URL, if the secret is a JSON object. A secret that is no JSON object is taken as the URL itself.
    type: str
    default: DATABASE_URL
  versions:
    description:
      - Version ids by name or ARN of secrets, as M(spymeo.rollback.rollback_undo_info) gives them. Where O(database_secret) is among them, the URL is
        taken out of that version, because its password is the one that counts once the version is current again.
      - Without it, and where the secret is not among them, the current version is taken.
    type: dict
    default: {}
  host:
    description: The host to log in to. Without it the one in the URL.
    type: str
  port:
    description: The port to log in to. Without it the one in the URL.
    type: int
  timeout:
    description: How long opening the connection, and each statement, may take, in seconds.
    type: int
    default: 30
  warm:
    description:
      - Tables to read whole after the probe, by four connections at once, however long that takes. A restored instance loads each block from
        S3 at its first reading, which the first users would wait for. Tables that are not there are left out.
    type: list
    elements: str
    default: []
  db_instance:
    description:
      - The DB instance that is asked. While O(warm) is read, it is told how much of its storage RDS has loaded (C(StorageOperationPercentProgress)),
        where RDS says that.
    type: str
  expect_migrations:
    description:
      - The names of the migrations that the database must have, all of them applied and no other.
      - Without it the migrations are only reported.
    type: list
    elements: str
  known_migrations:
    description:
      - The names of the migrations that a release knows, as a release point has recorded them. A database that has another one, finished or not, is refused.
      - One that is missing is not, because the release brings it itself.
    type: list
    elements: str
  releases:
    description:
      - The releases that are to run on this database, as M(spymeo.rollback.ecs_release_info) tells them
        (RV(spymeo.rollback.ecs_release_info#module:services)).
        A migration that was started in their later life, or after it, came with another release. Where it takes something away, as far as its name
        tells (rename, drop, delete, remove, truncate, merge, split), the database is refused; else it is reported in RV(later_migrations).
      - It is for where there is no list for O(known_migrations).
    type: list
    elements: dict
    default: []
  release_points:
    description:
      - The records of release points, as M(spymeo.rollback.rollback_run) gives them. A migration that a checkpoint has read before it was applied, and that was
        applied as it was read (Prisma's checksum), is judged by its statements. One that is additive is in RV(additive_migrations) and refused by nothing.
    type: list
    elements: dict
    default: []
  despite_migrations:
    description: Whether a migration for which the database would be refused is reported in RV(accepted_migrations), because the code can work with it.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
  - spymeo.rollback.rollback.data
requirements:
  - psycopg >= 3
author:
  - SPYMEO (@spymeo)
seealso:
  - module: spymeo.rollback.database_url
"""

EXAMPLES = r"""
- name: Would the application be able to use the restored instance?
  spymeo.rollback.database_probe_info:
    database_secret: spymeo/production/database-url
    host: spymeo-production-db-rb-20261122-031500.abcdefghijkl.eu-west-3.rds.amazonaws.com
    port: 5432
  register: probe
"""

RETURN = r"""
connected:
  description: Whether the login and every reading succeeded. When it is C(false) the module has failed.
  returned: always
  type: bool
code:
  description: The Prisma code of the failure, or else the SQLSTATE.
  returned: when the database cannot be used
  type: str
  sample: P1000
before:
  description: The address that was probed, as C(host), C(port), C(database), C(user) and C(schema).
  returned: success
  type: dict
after:
  description: The same as RV(before), because nothing is changed.
  returned: success
  type: dict
plan:
  description: Always empty.
  returned: success
  type: list
  elements: str
reason:
  description: What was found, in one sentence.
  returned: success
  type: str
server_version:
  description: The version of the server.
  returned: success
  type: str
  sample: "16.4"
migrations_known:
  description: Whether Prisma's record is known, the table C(_prisma_migrations) or, of Prisma 8, C(prisma_contract.ledger).
  returned: success
  type: bool
migrations:
  description: Prisma's migrations in the order in which they were started.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the migration.
      type: str
    finished:
      description: Whether it came to its end.
      type: bool
    rolled_back:
      description: Whether it was marked as rolled back.
      type: bool
unknown_migrations:
  description: What the database has and O(known_migrations) has not.
  returned: when that is why the module has failed
  type: list
  elements: str
later_migrations:
  description: The migrations that came after a release of O(releases), and take nothing away from it, by their names.
  returned: success
  type: list
  elements: str
additive_migrations:
  description:
    - Migrations that the releases do not know and can run on with, by their statements, with C(name), and C(beware), under which conditions.
  returned: success
  type: list
  elements: dict
accepted_migrations:
  description: The migrations for which the database would be refused without O(despite_migrations).
  returned: success
  type: list
  elements: str
rows:
  description: The exact number of rows of each table of the schema, null where counting took longer than O(timeout).
  returned: success
  type: dict
  sample: {"Practitioner": 4200, "Payment": 1830}
findings:
  description: What each check of the data came to, where O(expected) or O(data_rules) is given.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description: Always V(data).
      type: str
    subject:
      description: A table, V(tables), V(migrations), or C(rule of) a table.
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
expected_later:
  description: The O(expected) of a later look at the same database, so that nobody has migrated or emptied it in between.
  returned: success
  type: dict
warmed:
  description: The tables of O(warm) that were read.
  returned: success
  type: list
  elements: str
seconds:
  description: How long login and readings took, in seconds.
  returned: success
  type: float
"""

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_proof import DATA, proven
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe_result import (
    describe_probe,
    found,
    judged_migrations,
    refuse_migrations,
    refuse_other_migrations,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.coming import classes_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import read_rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.moment import (
    later_migrations,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import teller
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import DataRule
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
        DatabaseContents,
        DatabaseLogin,
    )

ASK_RDS = 15  # seconds between two looks at the instance


def target(module: RollbackModule) -> DatabaseLogin:
    """Where the application will log in."""
    secrets = SecretsGateway(module.aws("secretsmanager"))
    url = secrets.database_url(module.params["database_secret"], module.params["key"], module.params["versions"])
    return target_of(url.at(module.params["host"], module.params["port"]))


def probe(
    module: RollbackModule, place: DatabaseLogin, rules: tuple[DataRule, ...]
) -> tuple[DatabaseContents, list[str]]:
    """What is in the database, and the tables that were read whole."""
    with diagnosing(place):
        gateway = PostgresqlGateway(place, module.params["timeout"])
        return gateway.observe(rules), gateway.warm(module.params["warm"], Warming(module).tell)


class Warming:
    """Tells how far reading ahead has come, and how far RDS has."""

    def __init__(self, module: RollbackModule) -> None:
        self._module, self._telling, self._clock = module, teller("warm"), Clock()
        self._since, self._storage = self._clock.now(), ""
        self._asked: float | None = None

    def tell(self, done: int, total: int) -> None:
        """Tell that ``done`` of ``total`` blocks are read."""
        elapsed = self._clock.now() - self._since
        detail = "%d of %d MiB are read%s" % (done >> 7, total >> 7, self._loaded(elapsed))
        self._telling(Pending(done, total, detail), elapsed)

    def _loaded(self, elapsed: float) -> str:
        name = self._module.params["db_instance"]
        if name and (self._asked is None or elapsed - self._asked >= ASK_RDS):
            self._asked = elapsed
            found = self._module.measuring(lambda: RdsGateway(self._module.aws("rds")).instance(name))[0]
            self._storage = "; " + found.storage_line if found and found.storage_line else ""
        return self._storage


def main() -> None:
    module = RollbackModule(
        dict(
            database_secret=dict(type="str", required=True, no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            versions=dict(type="dict", default={}),
            host=dict(type="str"),
            port=dict(type="int"),
            timeout=dict(type="int", default=30),
            warm=dict(type="list", elements="str", default=[]),
            db_instance=dict(type="str"),
            expect_migrations=dict(type="list", elements="str"),
            known_migrations=dict(type="list", elements="str"),
            releases=dict(type="list", elements="dict", default=[]),
            release_points=dict(type="list", elements="dict", default=[]),
            despite_migrations=dict(type="bool", default=False),
            **DATA,
        )
    )
    with module.telling():
        place, clock = target(module), Clock()
        started = clock.now()
        rules = read_rules(module.params["data_rules"])
        seen, warmed = probe(module, place, rules)
        seen = replace(seen, migrations=classes_of(seen.migrations, module.params["release_points"]))
        refuse_other_migrations(module.params["expect_migrations"], place, seen.migrations)
        later = later_migrations(module.params["releases"], seen.migrations, datetime.now(timezone.utc))
        judged = judged_migrations(module.params["known_migrations"], later, seen.migrations)
        unfit = judged["accepted_migrations"]
        if unfit and not module.params["despite_migrations"]:
            refuse_migrations(place, "the release to come back", unfit, seen.migrations)
        module.finish(
            changed=False,
            reason=describe_probe(place, seen, warmed),
            seconds=round(clock.now() - started, 3),
            **judged,
            **found(place, seen, warmed),
            **proven(module.params, place, seen),
        )


if __name__ == "__main__":
    main()
