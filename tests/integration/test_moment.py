# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Release and data of a plan belong to one moment, and the data are proven before anybody is pointed at them and afterwards.

Every end state is asked of AWS and of PostgreSQL.
"""

from __future__ import annotations

import json
import pathlib
import re
import urllib.parse

import psycopg
import pytest

import spymeo_app.seed
from spymeo_world import world

from .conftest import one_line

BAD = "20250310140000_rename_full_name_to_display_name"
RUN = "rb-moment"
RESTORED = f"{world.DB_INSTANCE}-{RUN}"


def given(**variables) -> list[str]:
    return ["-e", json.dumps(variables)]


def ask(production, db_instance: str, query: str):
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else None


def migrations(production, db_instance: str) -> list[str]:
    return [
        row[0]
        for row in ask(production, db_instance, 'SELECT migration_name FROM "_prisma_migrations" ORDER BY started_at')
    ]


def fingerprint(production, db_instance: str) -> str:
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        return spymeo_app.seed.fingerprint(connection)


def snapshot(production, name: str, db_instance: str = world.DB_INSTANCE) -> str:
    rds = production.aws("rds")
    rds.create_db_snapshot(DBInstanceIdentifier=db_instance, DBSnapshotIdentifier=name)
    ready = lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"] == "available"  # noqa: E731
    production.until(ready)
    return name


def untouched(production, played, restored: bool = False) -> str:
    """The output, as one line, of a run that pointed nobody at other data; ``restored``: nor made an instance."""
    assert played.code != 0, played.output
    assert "ecs UpdateService" not in played.written
    assert "secretsmanager PutSecretValue" not in played.written
    assert played.written == [] or restored, played.written
    assert production.service()["taskDefinition"].endswith("spymeo-app:2")
    return one_line(played.output)


def test_option_2_is_refused_where_the_code_that_stays_would_migrate_again_and_full_is_named(production):
    whole = fingerprint(production, world.DB_INSTANCE)
    production.accident("bad-migration", at_start=True)
    said = untouched(production, production.play("rollback_database"))
    assert f"spymeo-app:2 knows {BAD}, which the data" in said
    assert "it stays, and would apply it again to what has just been restored" in said
    assert "rollback_full.yml" in said

    played = production.play("rollback_full", *given(rollback_run_id=RUN))
    assert played.code == 0, played.output
    assert "CHECK     passed: data" in played.output
    assert BAD not in migrations(production, RESTORED)
    assert fingerprint(production, RESTORED) == whole


def test_so_it_is_where_the_release_that_stays_crashes_and_has_never_served(production):
    production.accident("full", at_start=True)
    said = one_line(production.play("rollback_database", "--check").output)
    assert f"spymeo-app:2 knows {BAD}, which the data" in said


def test_option_2_all_the_same_is_found_out_by_the_checks(production):
    """The operator says that the release does not migrate; it does, and the run does not end well."""
    production.accident("bad-migration", at_start=True)
    played = production.play("rollback_database", *given(rollback_run_id=RUN, rollback_despite_migrations=True))
    assert played.code != 0, played.output
    assert BAD in migrations(production, RESTORED)
    assert f"migrations: {BAD} is applied and was not expected" in one_line(played.output)


@pytest.fixture(scope="module")
def migrated(shared_production):
    """Release 2 has migrated. There are snapshots of before, of after, and one that is empty."""
    rds = shared_production.aws("rds")
    with world.connect(shared_production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute("ALTER SCHEMA public RENAME TO kept")
        connection.execute("CREATE SCHEMA public")
        connection.commit()
        snapshot(shared_production, "empty")
        connection.execute("DROP SCHEMA public")
        connection.execute("ALTER SCHEMA kept RENAME TO public")
        connection.commit()
    with world.connect(shared_production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute('CREATE TABLE kept AS TABLE "Payment"')
        connection.execute('DELETE FROM "Payment"')
        connection.commit()
        snapshot(shared_production, "without-payments")
        connection.execute('INSERT INTO "Payment" SELECT * FROM kept')
        connection.execute("DROP TABLE kept")
        connection.commit()
    shared_production.accident("bad-migration")
    snapshot(shared_production, "taken-after")
    assert rds.describe_db_snapshots(DBSnapshotIdentifier="empty")["DBSnapshots"]
    return shared_production


@pytest.fixture
def story(migrated):
    migrated.forget_runs()
    return migrated


def test_a_snapshot_from_after_the_harm_is_refused_in_the_plan(story):
    said = untouched(story, story.play("rollback_full", *given(rollback_snapshot="taken-after")))
    assert "moment snapshot taken-after: its data are of" in said
    assert "the harm is in them" in said
    assert f"{BAD} was applied after spymeo-app:1 had come, and is in the data" in said
    assert "-e rollback_snapshot_before=" in said


def test_so_it_is_where_the_code_stays_once_somebody_says_when_the_harm_began(story):
    """Without that, the release that stays may be the good one; its data are told, and proven before the cutover."""
    told = story.play("rollback_database", "--check", *given(rollback_snapshot="taken-after"))
    assert (told.code, told.written) == (0, []), told.output
    assert "BEWARE    moment spymeo-app: spymeo-app:2 has served since" in told.output
    said = untouched(story, story.play("rollback_database", *given(rollback_snapshot="taken-after")), restored=True)
    assert "rule of Practitioner" in said
    story.forget_runs()
    began = story.service()["deployments"][0]["createdAt"].isoformat()
    said = untouched(
        story, story.play("rollback_database", *given(rollback_snapshot="taken-after", rollback_bad_since=began))
    )
    assert "the harm is in them" in said


def test_insisting_on_it_meets_the_rules_of_the_inventory_before_the_cutover(story):
    before = story.database_url()
    insisting = {"rollback_despite_moment": True, "rollback_despite_migrations": True}
    played = story.play("rollback_full", *given(rollback_snapshot="taken-after", **insisting))
    said = untouched(story, played, restored=True)
    assert "rule of Practitioner" in said
    assert "-e rollback_despite_data=Practitioner" in said
    assert story.database_url() == before


@pytest.mark.parametrize(
    ("name", "what"),
    [("empty", "data tables: there is not one"), ("without-payments", "data Payment: it has 0 rows, and")],
)
def test_data_that_are_not_there_are_never_cut_over_to(story, name, what):
    before = story.database_url()
    played = story.play("rollback_full", *given(rollback_snapshot=name))
    assert what in untouched(story, played, restored=True)
    assert story.database_url() == before


def test_code_alone_is_refused_where_a_later_release_has_migrated_and_no_release_point_tells_it(story):
    """All that is wrong is told at once: that, and a log group which is not there."""
    said = untouched(story, story.play("rollback_code", *given(rollback_log_groups=["/ecs/gone"])))
    assert "/ecs/gone" in said
    assert f"has migrations that the release to come back does not know: {BAD}" in said
    assert "rollback_full.yml" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url + "\n",
        lambda url: url.replace("?", "?sslmode=no-verify&") if "?" in url else url + "?sslmode=no-verify",
        lambda url: (
            url.replace("?", "?sslmode=verify-full&sslrootcert=/app/ca.pem&")
            if "?" in url
            else url + "?sslmode=verify-full"
        ),
    ],
)
def test_a_url_that_the_application_understands_is_understood(story, change):
    """As the plan asks the failed database, so the restored one is asked before the cutover."""
    secrets, before = story.aws("secretsmanager"), story.database_url()
    secrets.put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=change(before))
    played = story.play("rollback_full", "--check")
    secrets.put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=before)
    assert played.code == 0, played.output
    assert "P10" not in played.output


def test_data_that_were_destroyed_after_a_rollback_are_not_called_done(production):
    production.accident("bad-migration")
    assert production.play("rollback_full", *given(rollback_run_id=RUN)).code == 0
    with world.connect(production.state["endpoint_url"], RESTORED) as connection:
        connection.execute("""UPDATE "Practitioner" SET city = 'Lyon', "fullName" = split_part("fullName", ' ', 1)""")
        connection.execute('DELETE FROM "Payment"')
        connection.commit()
    for playbook in ("rollback_database", "rollback_full"):
        played = production.play(playbook)
        assert (played.code != 0, played.written) == (True, []), played.output
        said = one_line(played.output)
        assert "data rule of Practitioner" in said
        assert "data Payment: it has 0 rows" in said
        assert "-e rollback_database_again=true" in said
    triage = one_line(production.play("triage").output)
    assert re.search(r"rollback_\w+\.yml'? [^=]*-e rollback_database_again=true", triage), triage


def test_a_table_that_somebody_made_by_hand_is_named_as_such_and_all_else_stays_proven(production):
    snapshot(production, "an-hour-ago")
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute('CREATE TABLE payment_backup AS TABLE "Payment"')
        connection.commit()
    before = production.database_url()
    named = {"rollback_snapshot": "an-hour-ago", "rollback_run_id": RUN}
    played = production.play("rollback_database", *given(**named))
    assert played.code != 0, played.output
    said = one_line(played.output)
    assert "data payment_backup: the table is not there, and the failed database has it" in said
    assert "Where that is right all the same: -e rollback_despite_data=payment_backup." in said
    assert production.database_url() == before

    played = production.play("rollback_database", *given(**named), "-e", "rollback_despite_data=payment_backup")
    assert played.code == 0, played.output
    assert "rds RestoreDBInstanceFromDBSnapshot" not in played.written
    assert production.instances()[RESTORED]["Endpoint"]["Address"] in production.database_url()


def test_a_second_bad_release_has_had_its_hands_on_the_data_that_were_restored(production):
    """The inventory names the snapshot of the first night, and no rule of it sees what was done in the second one."""
    production.accident("bad-migration")
    assert production.play("rollback_full", *given(rollback_run_id=RUN)).code == 0
    again = production.play("rollback_full", *given(rollback_served_at_least=1))
    assert (again.code, again.written) == (0, []), again.output
    production.accident("payments-broken")
    with world.connect(production.state["endpoint_url"], RESTORED) as connection:
        connection.execute('UPDATE "Payment" SET "amountCents" = "amountCents" * 100')
        connection.commit()
    played = production.play("rollback_full", *given(rollback_served_at_least=1))
    assert (played.code != 0, played.written) == (True, []), played.output
    said = one_line(played.output)
    assert re.search(r"what is rolled back from \(%s:\d+\) began at" % world.SERVICE, said)
    assert "after the data had been restored: what it has done is in them" in said
    assert "-e rollback_database_again=true" in said
    cured = production.play(
        "rollback_full", "--check", *given(rollback_served_at_least=1, rollback_database_again=True)
    )
    assert cured.code == 0, cured.output


NEW_PASSWORD = "changed-since-then"
IN_URL = f"{world.DB_USER}:{urllib.parse.quote(world.DB_PASSWORD, safe='')}@"


def logs_in(production, db_instance: str, password: str) -> bool:
    endpoint = production.instances()[db_instance]["Endpoint"]
    try:
        psycopg.connect(
            host=endpoint["Address"], port=endpoint["Port"], user=world.DB_USER, password=password, dbname=world.DB_NAME
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_password_that_changed_since_the_data_is_given_to_the_restored_instance_and_shown_nowhere(production):
    rds, before = production.aws("rds"), production.database_url()
    production.accident("bad-migration")
    rds.modify_db_instance(
        DBInstanceIdentifier=world.DB_INSTANCE, MasterUserPassword=NEW_PASSWORD, ApplyImmediately=True
    )
    production.until(lambda: logs_in(production, world.DB_INSTANCE, NEW_PASSWORD))
    changed = before.replace(IN_URL, f"{world.DB_USER}:{NEW_PASSWORD}@")
    production.aws("secretsmanager").put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=changed)
    checked = production.play("rollback_full", "--check")
    assert (checked.code, checked.written) == (0, []), checked.output
    assert "BEWARE    password user" in checked.output
    assert "the instance is given the one of now" in one_line(checked.output)

    played = production.play(
        "rollback_full", "-vvv", *given(rollback_run_id=RUN, rollback_store=f"{production.state['directory']}/store")
    )
    assert played.code == 0, played.output[-3000:]
    assert logs_in(production, RESTORED, NEW_PASSWORD)
    assert not logs_in(production, RESTORED, world.DB_PASSWORD)
    again = production.play(
        "rollback_full", *given(rollback_run_id=RUN, rollback_store=f"{production.state['directory']}/store")
    )
    assert (again.code, again.written) == (0, []), again.output
    kept = "".join(
        path.read_text() for path in pathlib.Path(production.state["directory"], "store").rglob("*") if path.is_file()
    )
    assert kept
    assert NEW_PASSWORD not in played.output + again.output + checked.output + kept


def test_a_password_of_somebody_who_is_not_the_master_user_is_refused_before_anything_is_restored(production):
    """Nobody but a person who logs in could give it: the restore would be for nothing."""
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'first-password'")
        connection.commit()
    secrets, before = production.aws("secretsmanager"), production.database_url()
    own = before.replace(IN_URL, "app:first-password@")
    secrets.put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=own)
    snapshot(production, "with-app")
    secrets.put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=own.replace("first", "second"))
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute("ALTER ROLE app PASSWORD 'second-password'")
        connection.commit()
    played = production.play("rollback_database", *given(rollback_snapshot="with-app"))
    assert (played.code != 0, played.written) == (True, []), played.output
    said = one_line(played.output)
    assert "password user app: the secret got another password after the time of the data" in said
    assert "first-password" not in played.output
    assert "second-password" not in played.output


def test_whoever_stays_on_the_failed_database_is_told_by_name_and_the_run_is_not_done(production):
    """A worker that nobody has listed keeps its connection, and what it writes is in no other database."""
    production.accident("bad-migration")
    with world.connect(production.state["endpoint_url"], world.DB_INSTANCE) as worker:
        worker.execute("SET application_name = 'spymeo-worker'")
        worker.commit()
        played = production.play("rollback_full", *given(rollback_run_id=RUN, verify_wait_timeout=3))
    assert played.code != 0, played.output
    said = one_line(played.output)
    assert f"1 session is open on {world.DB_INSTANCE}, which is out of service" in said
    assert f"role {world.DB_USER} (spymeo-worker) from 127." in said
    assert "salvage.yml" in said
    again = production.play("rollback_full", *given(rollback_run_id=RUN))
    assert again.code == 0, again.output
    assert f"CHECK     passed: failed database (nobody is connected to {world.DB_INSTANCE} any more)" in again.output
