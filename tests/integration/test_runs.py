# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time, a store in S3, the hold for pipelines, and the way back from a rollback."""

from __future__ import annotations

import concurrent.futures
import json
import shlex
import subprocess

import pytest

from loopback_aws.lab import REGION
from spymeo_world import killing, world

from .conftest import CLIENTS, ROOT

BUCKET = "spymeo-rollback"
STORE = ["-e", f"rollback_store=s3://{BUCKET}/runs"]
GATE = f"PATH={shlex.quote(str(CLIENTS))}:$PATH sh {shlex.quote(str(ROOT))}/extensions/ci/deploy-gate s3://{BUCKET}/runs/lab/spymeo-lab/hold"
MOST = 140  # reads and writes of the store in two runs: three for each writing call, and the renewals of the lease


@pytest.fixture(scope="module")
def story(shared_production):
    """Two full rollbacks started at once on a store in S3; then a third one, and the undo of what they did, twice."""
    lab = shared_production
    lab.aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    lab.release()
    told = {"lab": lab, "before": killing.production(lab.state)}
    before = len(lab.calls())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        plays = [pool.submit(killing.play, lab.state, "rollback_full", *STORE) for _play in range(2)]
        told["both"] = sorted((play.result() for play in plays), key=lambda played: played[0])
    told["stored"] = [call for call in lab.calls()[before:] if call["service"] == "s3"]
    told["after"] = killing.production(lab.state)
    told["held"] = lab.run(["sh", "-c", GATE]).code, lab.play("hold", *STORE, "-e", "rollback_hold=check")
    told["undo"] = lab.play("undo", *STORE)
    told["undone"] = killing.production(lab.state)
    told["again"] = lab.play("undo", *STORE)
    told["free"] = lab.run(["sh", "-c", GATE]).code, lab.play("hold", *STORE, "-e", "rollback_hold=check")
    return told


def test_of_two_that_are_started_at_once_one_works_and_the_other_says_who(story):
    (code, output, _at), (refused, told, _none) = story["both"]
    assert code == 0, output
    assert refused != 0
    message = " ".join(told.split())
    assert "has begun since this run looked" in message or "is at work" in message
    assert "Nothing was changed" in message
    assert len(story["after"]["instances"]) == 2
    assert story["after"]["deployments"] == ["SUCCESSFUL"] * 3


def test_two_runs_read_and_write_the_store_no_more_often_than_their_calls_need(story):
    assert 10 < len(story["stored"]) <= MOST


def test_a_pipeline_meets_the_hold_while_the_rollback_stands(story):
    assert [story[when][0] for when in ("held", "free")] == [1, 0]
    assert [story[when][1].code for when in ("held", "free")] == [2, 0]
    assert "Do not deploy" in story["held"][1].output


def test_the_undo_brings_back_what_was_there_before_the_rollback(story):
    assert story["undo"].code == 0, story["undo"].output
    for what in ("database", "app secret", "service"):
        assert story["undone"][what] == story["before"][what], what
        assert what == "app secret" or story["after"][what] != story["before"][what], what
    assert story["undo"].written.count("ecs UpdateService") == 1
    assert story["undone"]["instances"] == story["after"]["instances"]


def test_a_second_undo_changes_nothing(story):
    again = story["again"]
    written = [call for call in again.written if not call.startswith("s3 ")]
    assert (again.code, written, again.recap["changed"]) == (0, [], 0), again.output


def test_the_record_tells_a_person_what_was_done_without_aws(story):
    objects = story["lab"].aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="runs/lab/spymeo-lab/")["Contents"]
    texts = {
        item["Key"]: story["lab"].aws("s3").get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode()
        for item in objects
    }
    records = [json.loads(text) for key, text in texts.items() if "/runs/rb-" in key]
    rollback, undo = sorted(
        (item for item in records if item["outcome"] == "complete"), key=lambda item: item["undoes"]
    )
    assert undo["undoes"] == rollback["run_id"]
    assert any(line.startswith("PLAN") for line in rollback["plan"])
    assert any(line.startswith("DONE") for line in rollback["report"])
    journal = [json.loads(text) for key, text in texts.items() if f"/journal/{rollback['run_id']}/" in key]
    assert {entry["outcome"] for entry in journal} == {"ok"}
    secrets = (world.DB_PASSWORD, world.PAYMENT_KEY, world.SESSION_SECRET, world.ADMIN_PASSWORD)
    assert [value for value in secrets for text in texts.values() if value in text] == []


def test_a_bucket_that_is_not_there_stops_a_run_before_anything_has_changed(story):
    played = story["lab"].play("rollback_full", "-e", "rollback_store=s3://spymeo-nowhere/runs")
    assert played.code != 0
    assert "there is no such bucket" in played.output
    assert played.written == []


def test_a_lock_that_was_cut_stops_a_run_before_anything_has_changed(story, tmp_path):
    place = tmp_path / "lab/spymeo-lab"
    place.mkdir(parents=True)
    (place / "lock").write_text('{"run_id": "rb-')
    played = story["lab"].play("rollback_code", "-e", f"rollback_store={tmp_path}")
    assert played.code != 0
    assert "lab/spymeo-lab/lock in the store" in " ".join(played.output.split())
    assert played.written == []
    assert subprocess.run(["cat", place / "lock"], capture_output=True, text=True).stdout == '{"run_id": "rb-'
