# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An undo after the night went on: the password was rotated, and somebody new works on the restored instance."""

from __future__ import annotations

import urllib.parse

import psycopg
import pytest

from spymeo_world import world

from .conftest import one_line
from .test_left_behind import WORKER, given, register, start_service, worker

ROTATED = "rotated-after-the-rollback"


def rotate(production) -> None:
    """Give the master user of the restored instance another password, there and in the secret."""
    rds, secrets = production.aws("rds"), production.aws("secretsmanager")
    rds.modify_db_instance(DBInstanceIdentifier=production.restored, MasterUserPassword=ROTATED, ApplyImmediately=True)
    url = production.database_url().replace(urllib.parse.quote(world.DB_PASSWORD, safe=""), ROTATED)
    assert ROTATED in url
    secrets.put_secret_value(SecretId=world.DATABASE_SECRET, SecretString=url)
    production.until(lambda: production.instances()[production.restored]["DBInstanceStatus"] == "available")


@pytest.fixture(scope="module")
def story(shared_production):
    """A good release was rolled back, the password rotated, and a worker came that reads the secret: it runs on the restored instance."""
    lab = shared_production
    lab.control("durations", backing_up=0.5)  # nobody gives a password to an instance that is backing-up
    lab.release()
    lab.before = lab.database_url()
    done = lab.play("rollback_full")
    assert done.code == 0, done.output
    (lab.restored,) = set(lab.instances()) - {world.DB_INSTANCE}
    with world.connect(lab.state["endpoint_url"], lab.restored) as connection:
        connection.execute("SELECT setval('\"Payment_id_seq\"', 50000)")  # what was paid since the rollback
    rotate(lab)
    start_service(lab, register(lab, WORKER))
    return lab


def test_who_works_on_the_restored_instance_stops_the_undo(story):
    for arguments in ([], ["--check"]):
        played = story.play("undo", *arguments)
        assert (played.code != 0, played.written) == (True, []), played.output
        said = one_line(played.output)
        assert f"left behind service {WORKER} ({world.CLUSTER}): it reads rollback_database_secret" in said
        assert f"its tasks would stay on {story.restored}" in said
        assert "-e rollback_readers=include" in said
        assert "P1000" not in said


def test_one_that_is_left_is_told(story):
    played = story.play("undo", "--check", *given(rollback_readers="leave"))
    assert (played.code, played.written) == (0, []), played.output
    assert f"BEWARE    left behind service {WORKER}" in played.output
    assert story.restored in played.output


def test_one_that_stays_is_found_by_the_verification_and_by_a_second_undo(story):
    place = story.instances()[story.restored]["Endpoint"]
    with psycopg.connect(
        host=place["Address"], port=place["Port"], user=world.DB_USER, password=ROTATED, dbname=world.DB_NAME,
        application_name="somebody-new",
    ):  # fmt: skip
        undone, again = (story.play("undo", *given(rollback_readers="leave", verify_wait_timeout=3)) for _undo in "12")
    assert again.written == [], again.output
    assert f"IDS       sequences of {world.DB_INSTANCE} go beyond those of {story.restored}" in undone.output
    assert f"IDS       1 sequence went beyond those of {story.restored}, by 10,000 values or more" in undone.output
    with world.connect(story.state["endpoint_url"], world.DB_INSTANCE) as connection:
        assert connection.execute('SELECT last_value FROM "Payment_id_seq"').fetchone()[0] >= 60_000
    for played in (undone, again):
        assert (played.code, story.database_url()) == (2, story.before), played.output
        said = one_line(played.output)
        assert f"1 session is open on {story.restored}, which is out of service" in said
        assert "somebody-new" in said
        assert "The undo is complete. It is not verified" in said
        assert ROTATED not in played.output
        assert urllib.parse.quote(world.DB_PASSWORD, safe="") not in played.output


def test_one_that_is_included_is_started_again_with_its_own_code(story):
    before = worker(story)["taskDefinition"]
    played = story.play("undo", *given(rollback_readers="include"))
    assert played.code == 0, played.output
    assert worker(story)["taskDefinition"] == before
    assert "CHECK     passed: failed database" in played.output
    assert story.database_url() == story.before
    again = story.play("undo", *given(rollback_readers="include"))
    assert (again.code, again.written) == (0, []), again.output
