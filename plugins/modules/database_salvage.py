#!/usr/bin/python
# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_salvage
version_added: 0.1.0
short_description: Find the rows that the failed database has and the restored one lacks or has otherwise
description:
  - Compares two PostgreSQL databases table by table, by primary key, and writes the rows of the failed one down as CSV.
  - V(new) rows are not in the restored database, as what users wrote since the snapshot. V(changed) rows are there otherwise.
    V(corrupted) rows are new or changed, and broken. V(missing) ones are in the restored database alone, deleted since the snapshot; they are counted.
  - A row is broken when it does not fit the restored schema (an empty value where none may be, another type, a CHECK constraint), or when a rule says so.
  - The failed database is the one that an earlier rollback has replaced. It still runs, and user, password and database name are those of DATABASE_URL.
  - It only reads, in one read-only transaction in each database. Rows stream, so memory does not grow with the tables.
  - Rows are in the files alone, which only their owner can read. Results, output and diffs have numbers.
  - Files are for psql. A spreadsheet takes values that begin with C(=), C(+), C(-) or C(@) for formulas and runs them, so open none there.
  - Prisma's table C(_prisma_migrations) is not compared. To load its rows back would mark the bad migration as applied.
  - A table without a primary key is reported as not compared, never as equal.
options:
  database_secret:
    description: Name or ARN of the secret that holds DATABASE_URL, which names the restored database.
    type: str
    required: true
  key:
    description: The member of the secret that holds the URL, where it is a JSON object.
    type: str
    default: DATABASE_URL
  cluster:
    description: Name or ARN of the ECS cluster of O(services).
    type: str
    default: default
  services:
    description:
      - The names of the services of the application. With them the database in service is the one that their running tasks have read, which need not be
        the one that AWSCURRENT of the secret names. RV(beware) tells where the two differ.
    type: list
    elements: str
    default: []
  db_instance:
    description: The DB instance of the application, or any that a rollback has restored in its place. It tells which instances there are to choose from.
    type: str
  failed_db_instance:
    description:
      - The DB instance that was replaced. The default is the one that was in service last and holds something that the one in service has not. After a
        rollback that is the failed one, after an undo the one that the rollback had restored.
    type: str
  directory:
    description:
      - Where the files are written, and nowhere else. It is made when it is not there, for its owner alone; one that is there keeps its mode.
      - One that belongs to somebody else, or that others can write to, is refused, because they could exchange the rows before they are loaded.
        A sticky one, like a system's directory for temporary files, is taken.
      - Characters of table names other than letters, digits, C(_) and C(-) are percent-encoded in names of files.
    type: path
    required: true
  rules:
    description:
      - What a person knows of tables, a mapping from a table to RV(tables) members.
      - C(renamed) maps restored columns to the failed ones that hold their values, C(ignored) lists restored columns that are not compared.
      - C(corrupted_when) is a SQL condition. The failed database evaluates it on each row, with its own column names.
    type: dict
    default: {}
  timeout:
    description: How long opening a connection, and each batch of rows, may take, in seconds.
    type: int
    default: 300
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - spymeo.rollback.rollback.attributes
requirements:
  - psycopg >= 3
notes:
  - In check mode everything is compared and counted, and no file is written.
  - To see that a type fits, PostgreSQL 16 or later is needed where a migration has changed one.
author:
  - SPYMEO (@spymeo)
"""

EXAMPLES = r"""
- name: What have users written since the snapshot?
  spymeo.rollback.database_salvage:
    database_secret: spymeo/production/database-url
    failed_db_instance: spymeo-production-db
    directory: ~/salvage
    rules:
      Practitioner:
        renamed: {fullName: displayName}
        corrupted_when: "\"city\" = 'Lyon'"
"""

RETURN = r"""
tables:
  description: What was found in each table.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The table.
      type: str
    compared:
      description: Whether it could be compared.
      type: bool
    new:
      description: How many rows of the failed database the restored one lacks.
      type: int
    changed:
      description: How many it has otherwise.
      type: int
    corrupted:
      description: How many are new or otherwise, and broken.
      type: int
    missing:
      description: How many only the restored one has.
      type: int
    files:
      description: The files, by state; empty in check mode.
      type: dict
    left_out:
      description: What is not compared, and why.
      type: list
      elements: str
load:
  description:
    - The command that loads all new rows into the restored database, or none when one is refused. A person decides, and can take tables out of the
      file that it names. Empty when there are none, and in check mode.
  returned: success
  type: str
failed_db_instance:
  description: The DB instance that was compared.
  returned: success
  type: str
beware:
  description: What is to be known of the database in service, as where running tasks and AWSCURRENT lead elsewhere; empty when there is nothing.
  returned: success
  type: str
others:
  description: Further instances that hold something that is in neither, as RV(spymeo.rollback.rds_lineage_info#module:kept) tells them.
  returned: success
  type: list
  elements: dict
reason:
  description: The numbers in one sentence.
  returned: success
  type: str
before:
  description: Always empty.
  returned: success
  type: dict
after:
  description: The numbers of each table.
  returned: success
  type: dict
plan:
  description: What is compared.
  returned: success
  type: list
  elements: str
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._ansible.module import RollbackModule
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import holder_result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.in_service import finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import cannot_answer
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.row_diff import merge, plan, read_rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.salvage_names import (
    SCRIPT,
    load_command,
    load_script,
    parents_first,
    stems,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import (
    CHANGED,
    CORRUPTED,
    MISSING,
    NEW,
    NotCompared,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.data_in_service import Urls, data_in_service
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.database import runs_deployed, where_the_data_are
from ansible_collections.spymeo.rollback.plugins.module_utils._io.row_files import RowDirectory, TableFiles
from ansible_collections.spymeo.rollback.plugins.module_utils._io.rows import SalvageGateway

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.data_holders import Holder
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rows import Comparison

COUNTED = (NEW, CHANGED, CORRUPTED, MISSING)


def deployed(module: RollbackModule, since: datetime) -> frozenset[str] | None:
    """As ``runs_deployed``."""
    ecs = EcsGateway(module.aws("ecs"), module.params["cluster"])
    return runs_deployed(ecs, module.params["services"], since) if module.params["services"] else None


def targets(module: RollbackModule) -> tuple[DatabaseLogin, DatabaseLogin, str, Sequence[Holder], str]:
    """Where the failed and the restored database are, both with the credentials of the one in service; the name of the failed instance, the
    other Holders of what is not in the restored one, and what is to be known of what serves."""
    secrets, params = SecretsGateway(module.aws("secretsmanager")), module.params
    url, beware = url_in_service(module, secrets)
    gateway = RdsGateway(module.aws("rds"))
    name: str = params["failed_db_instance"]
    others: Sequence[Holder] = ()
    if not name:
        found = where_the_data_are(gateway, params["db_instance"], url.host, lambda since: deployed(module, since))
        name, others = chosen(*found[1:])
    failed = gateway.instance(name)
    if failed is None or not failed.host:
        raise BadInput("failed_db_instance", name, "there is no such DB instance, or it has no endpoint")
    if failed.host == url.host and failed.port == url.port:
        problem = "it is in service, so there is nothing to compare it with"
        raise BadInput("failed_db_instance", name, problem, "Name the instance that a rollback has replaced.")
    problem = cannot_answer(name, failed)
    if problem:
        raise RollbackError(problem)
    return target_of(url.at(failed.host, failed.port)), target_of(url), name, others, beware


def url_in_service(module: RollbackModule, secrets: SecretsGateway) -> tuple[DatabaseUrl, str]:
    """(the DatabaseUrl of the database in service, what is to be known of it, for people).

    :param secrets: SecretsGateway.
    """
    params = module.params
    if not params["services"]:
        return secrets.database_url(params["database_secret"], params["key"]), ""
    ecs = EcsGateway(module.aws("ecs"), params["cluster"])
    urls = Urls(secrets, secrets.secret("database_secret", params["database_secret"]), params["key"])
    seen = data_in_service(ecs, urls, ecs.services(params["services"]))
    found = finding(seen)
    return urls.of_what_serves(seen), found.what if found else ""


def chosen(current: DbInstance, holders: Sequence[Holder]) -> tuple[str, Sequence[Holder]]:
    """The name of the instance that was in service last before ``current`` (DbInstance), and the other Holders.

    :raises RollbackError: no instance holds anything that is not in it.
    """
    there = [holder for holder in holders if holder.status and not holder.never_served]
    if not there:
        gone = " ".join(holder.line for holder in holders)
        text = "No DB instance holds anything that %s, which is in service, has not. %s" % (current.name, gone)
        raise RollbackError(text.strip())
    return there[0].name, [holder for holder in holders if holder is not there[0]]


def salvage(
    failed: SalvageGateway, restored: SalvageGateway, comparison: Comparison, files: TableFiles | None = None
) -> tuple[Counter[str], bool, dict[str, str]]:
    """Compare one table. Counts by state, whether a file has changed, and the files. Without TableFiles none is written."""
    counts: Counter[str] = Counter()
    try:
        rows = merge(failed.failed_rows(comparison), restored.restored_rows(comparison), len(comparison.key))
        for state, values, why in rows:
            counts[state] += 1
            if files and state != MISSING:
                files.add(state, values, why)
    except BaseException:
        if files:
            files.abandon()
        raise
    changed, paths = files.finish() if files else (any(counts[state] for state in COUNTED if state != MISSING), {})
    return counts, changed, paths


def table_result(item: Comparison | NotCompared, counts: Mapping[str, int], paths: Mapping[str, str]) -> dict[str, Any]:
    """A table in JSON types."""
    if isinstance(item, NotCompared):
        return dict(name=item.table, compared=False, files={}, left_out=[item.why], **dict.fromkeys(COUNTED, 0))
    numbers = {state: counts[state] for state in COUNTED}
    return dict(name=item.table, compared=True, files=paths, left_out=list(item.left_out), **numbers)


def compare(
    module: RollbackModule, failed_at: DatabaseLogin, restored_at: DatabaseLogin, directory: RowDirectory | None
) -> tuple[list[dict[str, Any]], bool, str]:
    """(every table in JSON types, whether a file has changed, how the new rows are loaded). Without a RowDirectory no file is written."""
    tables: list[dict[str, Any]] = []
    changed, loads = False, {}
    with ExitStack() as stack:
        failed = stack.enter_context(SalvageGateway(failed_at, module.params["timeout"]).one_moment())
        restored = stack.enter_context(SalvageGateway(restored_at, module.params["timeout"]).one_moment())
        there = restored.tables()
        items = plan(failed.tables(), there, read_rules(module.params["rules"]))
        stem_of = stems(item.table for item in items if not isinstance(item, NotCompared))
        for item in items:
            if isinstance(item, NotCompared):
                tables.append(table_result(item, {}, {}))
                continue
            columns = [name for name, _failed in item.columns]
            files = TableFiles(directory, stem_of[item.table], columns) if directory else None
            counts, moved, paths = salvage(failed, restored, item, files)
            tables.append(table_result(item, counts, paths))
            changed = changed or moved
            if NEW in paths:
                loads[item.table] = (item.table, columns, paths[NEW])
        order = parents_first({name: table.parents for name, table in there.items()})
    if not loads or directory is None:
        return tables, changed, ""
    command = load_command(restored_at, directory.path_of(SCRIPT))
    script = load_script(restored_at.schema, [loads[name] for name in order if name in loads], command)
    return tables, directory.write(SCRIPT, script) or changed, command


def main() -> None:
    module = RollbackModule(
        dict(
            database_secret=dict(type="str", required=True, no_log=False),
            key=dict(type="str", default="DATABASE_URL", no_log=False),
            cluster=dict(type="str", default="default"),
            services=dict(type="list", elements="str", default=[]),
            db_instance=dict(type="str"),
            failed_db_instance=dict(type="str"),
            directory=dict(type="path", required=True),
            rules=dict(type="dict", default={}),
            timeout=dict(type="int", default=300),
        ),
        required_one_of=[("db_instance", "failed_db_instance")],
    )
    with module.telling():
        failed_at, restored_at, failed_name, others, beware = targets(module)
        directory = nullcontext() if module.check_mode else RowDirectory(module.params["directory"])
        with diagnosing(failed_at), directory as opened:
            tables, changed, load = compare(module, failed_at, restored_at, opened)
        sums = {state: sum(table[state] for table in tables) for state in COUNTED}
        module.finish(
            changed=changed,
            before={},
            after={table["name"]: {state: table[state] for state in COUNTED} for table in tables if table["compared"]},
            plan=["compare %s with %s" % (failed_at.host, restored_at.host)],
            reason=", ".join("%d %s" % (sums[state], state) for state in COUNTED),
            tables=tables,
            load=load,
            failed_db_instance=failed_name,
            beware=beware,
            others=[holder_result(holder) for holder in others],
        )


if __name__ == "__main__":
    main()
