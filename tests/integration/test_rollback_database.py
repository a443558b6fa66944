# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_database.yml: what is refused before anything changes, what ends without a cutover, and a restore that loses nothing.

One lab, in the order of the tests; every end state is asked of AWS and of PostgreSQL.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import subprocess

import pytest

import spymeo_app.seed
from spymeo_world import world
from spymeo_world.demo import Visitor

from .conftest import ROOT

RUN = "run-of-the-data"
NEW = f"{world.DB_INSTANCE}-{RUN}"
PLAYBOOK = "rollback_database"


@pytest.fixture
def broken(corrupted):
    """Each test begins without the runs of those before it."""
    corrupted.forget_runs()
    return corrupted


@pytest.fixture(scope="module")
def corrupted(shared_production):
    """The migration of release 2 has corrupted rows and renamed a column."""
    shared_production.whole = fingerprint(shared_production, world.DB_INSTANCE)
    shared_production.url_before = shared_production.database_url()
    shared_production.accident("bad-migration")
    shared_production.corrupted = fingerprint(shared_production, world.DB_INSTANCE)
    return shared_production


def fingerprint(production, db_instance: str) -> str:
    with world.connect(production.state["endpoint_url"], db_instance) as connection:
        return spymeo_app.seed.fingerprint(connection)


def variables(**given) -> list[str]:
    """Release 2 does not migrate at its start, and its code works with the schema from before its migration: somebody who knows that says so."""
    return ["-e", json.dumps({"rollback_despite_migrations": True, **given})]


def refused(played) -> str:
    """The output, as one line, of a run that has changed nothing."""
    assert played.code != 0, played.output
    assert played.written == []
    assert "Nothing was changed" in played.output
    return " ".join(played.output.split())


@contextlib.contextmanager
def no_room(production):
    production.control("rds_quota", name="DBInstances", most=1)
    yield {}
    production.control("rds_quota", name="DBInstances", most=40)


@contextlib.contextmanager
def the_plain_world(production):
    yield {}


def recorded(name, **kind):
    """A snapshot that is not as it should be."""

    @contextlib.contextmanager
    def prepare(production):
        production.control(
            "rds_snapshot", name=name, db_instance=world.DB_INSTANCE, created="2021-01-01T00:00:00+00:00", **kind
        )
        yield {"rollback_snapshot": name}

    return prepare


@contextlib.contextmanager
def a_name_that_is_taken(production):
    """Somebody else has an instance of the name that the run would give."""
    rds, name = production.aws("rds"), f"{world.DB_INSTANCE}-rb-taken"
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=world.SNAPSHOT)
    production.until(lambda: "Endpoint" in production.instances()[name])
    yield {"rollback_run_id": "rb-taken"}


LONG_AGO = "2020-01-01T00:00:00Z"
REFUSED = {
    "no room for another instance": (no_room, {}, ["quota DBInstances: 1 of 1 are used, and 1 more needed"]),
    "no snapshot is that old": (
        the_plain_world,
        {"rollback_snapshot_before": LONG_AGO},
        ["rollback_snapshot_before", "no available snapshot has data of that time", world.SNAPSHOT],
    ),
    "a time without a zone": (
        the_plain_world,
        {"rollback_snapshot_before": "2026-11-22T03:00:00"},
        ["rollback_snapshot_before is '2026-11-22T03:00:00'", "ISO 8601 with a zone"],
    ),
    "a point in time that RDS has not": (
        the_plain_world,
        {"rollback_point_in_time": LONG_AGO},
        ["2020-01-01T00:00:00+00:00 is asked for, and RDS can restore spymeo-production-db from"],
    ),
    "no such snapshot": (
        the_plain_world,
        {"rollback_snapshot": "spymeo-lost"},
        ["rollback_snapshot (option snapshot) is 'spymeo-lost': there is no such snapshot", world.SNAPSHOT],
    ),
    "a snapshot of another engine": (
        recorded("foreign", engine="mysql", engine_version="8.0.40"),
        {},
        ["source snapshot foreign: it is of engine mysql, but DB instance spymeo-production-db runs postgres"],
    ),
    "a snapshot that is still being taken": (
        recorded("endless", status="creating"),
        {},
        ["source snapshot endless: it is creating, and only an available one can be restored"],
    ),
    "a name that a stranger has": (
        a_name_that_is_taken,
        {},
        [
            f"the DB instance {world.DB_INSTANCE}-rb-taken, which this run would make, is there already and is not this run's"
        ],
    ),
    "a fence that there is not": (the_plain_world, {"rollback_fence": "electric"}, ["rollback_fence is 'electric'"]),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_is_refused_in_clear_words_and_nothing_has_changed(broken, mistake):
    prepare, given, words = REFUSED[mistake]
    with prepare(broken) as more:
        before = set(broken.instances())
        message = refused(broken.play(PLAYBOOK, *variables(**given, **more)))
    assert [word for word in words if word not in message] == []
    assert set(broken.instances()) == before


def test_a_check_shows_the_plan_and_writes_nothing(broken):
    played = broken.play(PLAYBOOK, "--check", "--diff", *variables())
    assert (played.code, played.written) == (0, []), played.output
    assert "CODE      spymeo-app: stays on spymeo-app:2 and is started again" in played.output
    assert f"from snapshot {world.SNAPSHOT}, data of" in played.output
    assert "FENCE     none, because something serves" in played.output
    assert "no row was created since then" in played.output


def test_the_plan_counts_what_would_be_left_behind(broken):
    statement = """
        INSERT INTO "Practitioner" ("id", "email", "displayName", "city", "passwordHash")
        SELECT 'late-' || n, 'late-' || n || '@spymeo.invalid', 'Someone', 'Nice', 'hash' FROM generate_series(1, 12) AS n
    """
    with world.connect(broken.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute(statement)
    played = broken.play(PLAYBOOK, "--check", *variables())
    with world.connect(broken.state["endpoint_url"], world.DB_INSTANCE) as connection:
        connection.execute("""DELETE FROM "Practitioner" WHERE "id" LIKE 'late-%'""")
    assert "12 rows of Practitioner were created since then; playbooks/salvage.yml finds them" in played.output


def test_a_restore_that_rds_gives_up_leaves_the_application_where_it_is(broken):
    broken.control("rds_next_restore", status="incompatible-network")
    played = broken.play(PLAYBOOK, *variables(rollback_run_id="rb-lost"))
    assert played.code != 0
    assert "is incompatible-network" in played.output
    assert "Some of the specified subnet IDs are invalid" in played.output  # RDS's event
    assert "secretsmanager PutSecretValue" not in played.written
    assert "ecs UpdateService" not in played.written
    assert broken.database_url() == broken.url_before


def test_a_run_killed_while_it_restores_goes_on_as_one_instance_and_loses_nothing(broken):
    before = set(broken.instances())
    broken.control("durations", restore=3.0)
    latest = datetime.datetime.now(datetime.UTC).isoformat()
    more = {"rollback_db_stop_failed": True, "rollback_lease": 2}
    given = variables(rollback_run_id=RUN, rollback_snapshot="", rollback_snapshot_before=latest, **more)
    command = ["ansible-playbook", f"playbooks/{PLAYBOOK}.yml", "-i", "inventories/lab", *given]
    since = len(broken.calls())
    playing = subprocess.Popen(
        command, env=broken.environment(), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL
    )
    restore = "RestoreDBInstanceFromDBSnapshot"
    broken.until(lambda: restore in [call["operation"] for call in broken.calls()[since:]], 240)
    os.killpg(playing.pid, signal.SIGKILL)
    playing.wait()

    played = broken.play(PLAYBOOK, *given)
    assert played.code == 0, played.output
    assert f"rds {restore}" not in played.written
    assert played.written.count("ecs UpdateService") == 1
    assert set(broken.instances()) - before == {NEW}
    assert broken.origin() == "spymeo-app:2"
    visitor = Visitor(broken.state["base_url"])
    assert visitor.ask("GET", world.HEALTH_PATH) == (200, {"status": "ok", "release": "2.0.0", "database": "ok"})
    answer = visitor.ask(
        "POST",
        "/api/practitioners",
        {"email": "new@spymeo.invalid", "fullName": "New", "city": "Lyon", "password": "secret-word"},
    )
    assert answer[0] == 201

    again = broken.play(PLAYBOOK, *given)
    assert (again.code, again.written, again.recap["changed"]) == (0, [], 0), again.output
    assert "DATABASE  stays" in again.output


def test_the_failed_instance_is_stopped_as_asked_and_started_again_it_has_its_data(broken):
    failed = broken.until(lambda: _is(broken, "stopped"))
    assert {"Key": "spymeo:rollback-replaced-by", "Value": NEW} in failed["TagList"]
    broken.aws("rds").start_db_instance(DBInstanceIdentifier=world.DB_INSTANCE)
    broken.until(lambda: _is(broken, "available"))
    assert fingerprint(broken, world.DB_INSTANCE) == broken.corrupted


def _is(production, status: str) -> dict | None:
    instance = production.instances()[world.DB_INSTANCE]
    return instance if instance["DBInstanceStatus"] == status else None


def test_nothing_was_deleted(broken):
    assert not [call for call in broken.calls() if call["operation"].startswith(("Delete", "Deregister", "Remove"))]
