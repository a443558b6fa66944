# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules of the database rollback, each called alone by pytest-ansible; what they say is compared with what AWS says.

test_modules_alone.py runs this file in a process of its own. One lab, in the order of the tests.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from urllib.parse import quote

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.psql import command, read_psql
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.sequences import ahead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway

from spymeo_world import world

RUN = "rb-20261125-041500"
NEW, SAFETY = f"{world.DB_INSTANCE}-{RUN}", f"{world.DB_INSTANCE}-failed-migration-{RUN}"
OLD = {"db_instance": world.DB_INSTANCE, "run_id": RUN}
URL = {"database_secret": world.DATABASE_SECRET}


@pytest.fixture(scope="module", name="broken")
def _broken(shared_production):
    shared_production.url_before = shared_production.database_url()
    shared_production.accident("bad-migration")
    return shared_production


@pytest.fixture
def task(call_module, broken):
    """Run one module; gives its result (dict) and the writing calls that it made."""
    return lambda module, **options: call_module(broken, module, **options)


def test_where_it_stands_is_told_with_what_would_be_lost(task):
    result, written = task("rds_rollback_info", snapshot=world.SNAPSHOT, **OLD)
    assert (result["state"], result["new_db_instance"], result["safety_snapshot"]) == ("restore", NEW, SAFETY)
    assert (result["verdict"], result["evidence"], written) == ("passed", [], [])
    assert result["lost"]["seconds"] > 0


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        ("rds_rollback_info", {"snapshot": "no-such-snapshot"}, "The snapshots of spymeo-production-db there are: "),
        ("rds_rollback_info", {"db_instance": "no-such-db", "snapshot": world.SNAPSHOT}, "spymeo-production-db"),
        ("rds_snapshot", {"db_instance": "no-such-db", "snapshot": SAFETY}, "there is no such DB instance"),
        ("rds_restore", {"snapshot": "no-such-snapshot", "new_db_instance": NEW}, "there is no such"),
        ("rds_retire", {"replaced_by": NEW}, "there is no such DB instance"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(task, module, options, words):
    result, written = task(module, **{**OLD, **options})
    assert (result["failed"], written) == (True, [])
    assert words in result["msg"]


def test_the_safety_snapshot_is_taken_once_and_joined_afterwards(broken, task):
    first, written = task("rds_snapshot", snapshot=SAFETY, wait=False, **OLD)
    assert (first["changed"], written) == (True, ["CreateDBSnapshot"])
    second, written = task("rds_snapshot", snapshot=SAFETY, **OLD)
    assert (second["changed"], written, second["snapshot"]["percent"]) == (False, [], 100)
    answer = broken.aws("rds").describe_db_snapshots(DBSnapshotIdentifier=SAFETY)["DBSnapshots"][0]
    assert {"Key": "spymeo:rollback-run", "Value": RUN} in answer["TagList"]


def test_a_restored_instance_has_every_setting_of_the_old_one(broken, task):
    options = {**OLD, "snapshot": world.SNAPSHOT, "new_db_instance": NEW}
    first, written = task("rds_restore", **options)
    assert first["changed"], first
    assert written[0] == "RestoreDBInstanceFromDBSnapshot"
    instances = broken.instances()
    for key in (
        "DBInstanceClass",
        "MultiAZ",
        "StorageType",
        "DeletionProtection",
        "VpcSecurityGroups",
    ):
        assert instances[NEW][key] == instances[world.DB_INSTANCE][key], key
    assert first["endpoint"]["address"] == instances[NEW]["Endpoint"]["Address"]
    second, written = task("rds_restore", **options)
    assert (second["changed"], written) == (False, [])
    assert "MaxAllocatedStorage" in second["unfinished"]


def test_what_nobody_feels_is_finished_later_and_once(broken, task):
    broken.control("rds_backed_up", db_instance=NEW)
    options = {"db_instance": world.DB_INSTANCE, "run_id": RUN, "of_run": RUN}
    first, written = task("rds_finish", **options)
    assert (first["unfinished"], written) == ([], ["ModifyDBInstance", "AddTagsToResource"])
    instances = broken.instances()
    assert instances[NEW]["MaxAllocatedStorage"] == instances[world.DB_INSTANCE]["MaxAllocatedStorage"]
    second, written = task("rds_finish", **options)
    assert (second["changed"], written) == (False, [])
    refused, written = task("rds_finish", **{**options, "of_run": "rb-typo"})
    assert (refused["failed"], written) == (True, [])


def test_a_name_that_a_stranger_has_is_refused(task):
    stranger = {"db_instance": NEW, "snapshot": world.SNAPSHOT, "new_db_instance": world.DB_INSTANCE, "run_id": RUN}
    result, written = task("rds_restore", **stranger)
    assert (result["failed"], written) == (True, [])
    assert "is not this run's" in result["msg"]


VISITS = """
    CREATE TABLE "Visit" ("id" bigint, "note" text) PARTITION BY RANGE ("id");
    CREATE TABLE "Visit_old" PARTITION OF "Visit" FOR VALUES FROM (0) TO (9000);
    CREATE TABLE "Visit_new" PARTITION OF "Visit" FOR VALUES FROM (9000) TO (100000);
    CREATE TABLE "Visit_none" PARTITION OF "Visit" FOR VALUES FROM (100000) TO (200000);
    INSERT INTO "Visit" SELECT n, repeat('x', 200) FROM generate_series(1, 20000) AS n;
    CREATE TABLE "Empty" ("id" bigint);
"""
# Blocks of a table, and how many readings of blocks there were so far.
READINGS = """
    SELECT relname, pg_relation_size(relid) / 8192, heap_blks_read + heap_blks_hit FROM pg_statio_user_tables
    WHERE relname IN ('Visit_old', 'Visit_new', 'Practitioner')
"""


def test_what_is_read_ahead_is_read_whole_and_each_block_once(broken, task):
    with world.connect(broken.state["endpoint_url"], NEW) as connection:
        connection.execute(VISITS)
    before = readings(broken)
    endpoint = broken.instances()[NEW]["Endpoint"]
    address = {"host": endpoint["Address"], "port": endpoint["Port"]}
    warm = ["Visit", "Gone", "Practitioner", "Empty"]
    probed, written = task("database_probe_info", warm=warm, **address, **URL)
    assert (probed["connected"], written) == (True, []), probed
    assert probed["warmed"] == ["Visit", "Practitioner", "Empty"]
    assert set(before) == {"Visit_old", "Visit_new", "Practitioner"}
    for name, (blocks, so_far) in readings(broken).items():
        since = so_far - before[name][1]
        assert 10 < blocks * 2 <= since <= blocks * 2 + 10, (
            name,
            blocks,
            since,
        )  # once to be counted, once to be read ahead


def readings(production) -> dict[str, tuple[int, int]]:
    """Table → (blocks, readings) of the restored instance, when all statistics have arrived."""
    with world.connect(production.state["endpoint_url"], NEW) as connection:
        return {name: (blocks, read) for name, blocks, read in connection.execute(READINGS).fetchall()}


CLERK = """
    CREATE ROLE clerk LOGIN PASSWORD 'clerk';
    GRANT USAGE ON SEQUENCE "Payment_id_seq" TO clerk;
    CREATE SEQUENCE hidden;
"""


def test_sequences_go_ahead_once_whatever_our_role_may(broken, task):
    state = broken.state
    for name in (world.DB_INSTANCE, NEW):
        with world.connect(state["endpoint_url"], name) as connection:
            connection.execute(CLERK)
    places = [broken.instances()[name]["Endpoint"] for name in (world.DB_INSTANCE, NEW)]
    failed, restored = (
        DatabaseLogin(item["Address"], item["Port"], "clerk", world.DB_NAME, "public", (), "clerk") for item in places
    )
    steps = ahead(PostgresqlGateway(restored, 5).sequences(), PostgresqlGateway(failed, 5).sequences())
    told = {step.sequence.label: step for step in steps}
    assert "may not read it" in told["public.hidden"].why
    drawn = told["public.Payment_id_seq"]
    assert (drawn.sequence.sets, drawn.margin) == (False, 10_000)
    PostgresqlGateway(restored, 5).move([drawn])

    options = {
        "failed_host": failed.host,
        "failed_port": failed.port,
        "host": restored.host,
        "port": restored.port,
        "run_id": RUN,
    }
    first, written = task("database_sequences", **options, **URL)
    assert (first["changed"], first["after"], first["findings"], written) == (
        True,
        {"public.hidden": 10_000},
        [],
        [],
    ), first
    assert [call["operation"] for call in first["calls"]] == ["setval"]
    second, _written = task("database_sequences", **options, **URL)
    assert (second["changed"], second["calls"], second["reason"]) == (False, [], "2 were ahead already")
    with world.connect(state["endpoint_url"], NEW) as connection:
        assert connection.execute('SELECT last_value FROM "Payment_id_seq"').fetchone() == (drawn.to,)
    away, _written = task("database_sequences", **{**options, "failed_port": 1}, **URL)
    assert (away["changed"], away["reason"]) == (False, "nothing was moved")
    assert "P1001" in away["findings"][0]["what"]


# As Prisma 8.0.0-rc.8 has made it: pg_dump of a database of its own, without indexes.
PRISMA_8 = """
    CREATE SCHEMA prisma_contract;
    CREATE TABLE prisma_contract.contract (core_hash text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), contract_json jsonb NOT NULL);
    CREATE TABLE prisma_contract.ledger (
        id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), space text NOT NULL, migration_name text NOT NULL,
        migration_hash text NOT NULL, origin_core_hash text, origin_profile_hash text, destination_core_hash text NOT NULL,
        destination_profile_hash text, operations jsonb NOT NULL
    );
    CREATE TABLE prisma_contract.marker (
        space text PRIMARY KEY DEFAULT 'app', core_hash text NOT NULL, profile_hash text NOT NULL, contract_json jsonb, canonical_version int,
        updated_at timestamptz NOT NULL DEFAULT now(), app_tag text, meta jsonb NOT NULL DEFAULT '{}', invariants text[] NOT NULL DEFAULT '{}'
    );
    INSERT INTO prisma_contract.ledger (space, migration_name, migration_hash, destination_core_hash, operations)
    VALUES ('app', '20261122T0300_drop_phone', 'm1', 'h1', '[]'), ('pgvector', '0001_init', 'm2', 'h2', '[]');
    INSERT INTO prisma_contract.marker VALUES ('app', 'h1', 'p1');
"""


def test_migrations_of_prisma_8_are_known_beside_the_earlier_ones_whichever_way_one_asks(broken, task):
    place = broken.instances()[NEW]["Endpoint"]
    owner = DatabaseLogin(
        place["Address"], place["Port"], world.DB_USER, world.DB_NAME, "public", (), world.DB_PASSWORD
    )
    clerk = replace(owner, user="clerk", password="clerk")

    def asked(target):
        """The names of the migrations, and why they are not known: by the driver, and by psql."""
        seen = PostgresqlGateway(target, 5).observe()
        url = f"postgresql://{target.user}:{quote(target.password, safe='')}@{target.host}:{target.port}/{target.database}"
        environment = {"PATH": f"{world.programs()}:/usr/bin:/bin", "DATABASE_URL": url}
        done = subprocess.run(
            ["sh", "-c", command(target, 5, [])], env=environment, capture_output=True, text=True, check=False
        )
        told, _warmed = read_psql([*done.stderr.splitlines(), *done.stdout.splitlines()])
        # A one-off task has no use for Prisma's checksums: what a checkpoint has read is compared from the control node.
        known = None if seen.migrations is None else tuple(replace(item, checksum="") for item in seen.migrations)
        assert (told.migrations, told.unread) == (known, seen.unread)
        return [item.name for item in seen.migrations] if seen.migrations is not None else None, seen.unread

    before = asked(owner)
    with world.connect(broken.state["endpoint_url"], NEW) as connection:
        connection.execute(PRISMA_8)
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk")
    assert asked(owner) == ([*before[0], "20261122T0300_drop_phone", "pgvector/0001_init"], "")
    names, why = asked(clerk)
    assert (names, "GRANT USAGE ON SCHEMA prisma_contract" in why) == (None, True)
    with world.connect(broken.state["endpoint_url"], NEW) as connection:
        connection.execute("ALTER TABLE prisma_contract.ledger DROP COLUMN space")
    assert asked(owner)[0] is None
    probed, _written = task("database_probe_info", host=owner.host, port=owner.port, **URL)
    assert "has other columns than its release candidates give it" in probed["reason"]
    with world.connect(broken.state["endpoint_url"], NEW) as connection:
        connection.execute("DROP SCHEMA prisma_contract CASCADE")


def test_the_url_moves_to_what_the_probe_has_seen(broken, task):
    endpoint = broken.instances()[NEW]["Endpoint"]
    address = {"host": endpoint["Address"], "port": endpoint["Port"]}
    moved, written = task("database_url", run_id=RUN, **address, **URL)
    assert (moved["changed"], written) == (True, ["PutSecretValue"])
    assert broken.database_url() == broken.url_before.replace(moved["before"]["host"], address["host"])
    again, written = task("database_url", run_id=RUN, **address, **URL)
    assert (again["changed"], written) == (False, [])


def test_then_it_is_done_and_the_failed_instance_is_marked_once(broken, task):
    done, written = task("rds_rollback_info", snapshot=world.SNAPSHOT, **URL, **OLD)
    assert done["url"]["host"] == broken.instances()[NEW]["Endpoint"]["Address"]
    assert (done["state"], done["db_instance"], written) == ("done", world.DB_INSTANCE, [])
    marked, written = task("rds_retire", replaced_by=NEW, **OLD)
    assert (marked["changed"], written) == (True, ["AddTagsToResource", "AddTagsToResource"])
    instances = broken.instances()
    served = {name: _tag(instances[name], "spymeo:rollback-served") for name in (world.DB_INSTANCE, NEW)}
    assert all(text.startswith(instances[name]["DbiResourceId"]) for name, text in served.items())
    assert _tag(instances[world.DB_INSTANCE], "spymeo:rollback-replaced-by") == NEW
    again, written = task("rds_retire", replaced_by=NEW, **OLD)
    assert (again["changed"], written) == (False, [])


def _tag(instance: dict, key: str) -> str:
    return next(tag["Value"] for tag in instance["TagList"] if tag["Key"] == key)


def test_what_an_undo_does_is_marked_the_other_way_round_and_the_url_marks_both_by_itself(broken, task):
    endpoint = broken.instances()[world.DB_INSTANCE]["Endpoint"]
    address = {"host": endpoint["Address"], "port": endpoint["Port"], "run_id": RUN}
    both = {"db_instance": NEW, "new_db_instance": world.DB_INSTANCE}
    moved, written = task("database_url", **address, **both, **URL)
    assert (moved["unmarked"], written) == ("", ["AddTagsToResource", "PutSecretValue", "AddTagsToResource"])
    instances = broken.instances()
    assert _tag(instances[world.DB_INSTANCE], "spymeo:rollback-replaced-by") == ""
    assert _tag(instances[NEW], "spymeo:rollback-replaced-by") == world.DB_INSTANCE
    again, written = task("rds_retire", db_instance=NEW, replaced_by=world.DB_INSTANCE, run_id=RUN)
    assert (again["changed"], written) == (False, [])
    told, written = task("rds_lineage_info", db_instance=world.DB_INSTANCE, needed_db_instance=NEW, **URL)
    assert (told["db_instance"], told["needed"], written) == (world.DB_INSTANCE, "", [])
    assert [holder["db_instance"] for holder in told["kept"]] == [NEW]
