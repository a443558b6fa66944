# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input: one clear sentence that names the variable and its value, a non-zero exit, and nothing changed."""

from __future__ import annotations

import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]

WRONG = {
    "a variable that is missing": ({"rollback_cluster": ""}, ["rollback_cluster is not set"]),
    "several mistakes at once": (
        {"rollback_region": "", "rollback_base_url": "app.spymeo.fr"},
        ["rollback_region is not set", "rollback_base_url is 'app.spymeo.fr'"],
    ),
    "a number where AWX lost the type": (
        {"rollback_task_definition": 41},
        ["rollback_task_definition is 41", "family:revision"],
    ),
    "text where a list belongs": ({"rollback_services": "spymeo-app"}, ["rollback_services is 'spymeo-app'", "a list"]),
    "a cluster that is not there": (
        {"rollback_cluster": "spymeo-prod"},
        ["rollback_cluster", "'spymeo-prod'", "spymeo-production"],
    ),
    "a service that is not there": (
        {"rollback_services": ["spymeo-web"]},
        ["rollback_services", "'spymeo-web'", "spymeo-app"],
    ),
    "a task definition that is not there": (
        {"rollback_task_definition": "spymeo-app:99"},
        ["rollback_task_definition", "'spymeo-app:99'"],
    ),
    "an instance that is not there": ({"rollback_db_instance": "spymeo-db"}, ["rollback_db_instance", "'spymeo-db'"]),
    "a snapshot that is not there": (
        {"rollback_snapshot": "spymeo-pre-migration"},
        ["rollback_snapshot", "'spymeo-pre-migration'", "spymeo-pre-migration-snapshot"],
    ),
    "a database secret that is not there": (
        {"rollback_database_secret": "spymeo/db"},
        ["rollback_database_secret", "'spymeo/db'"],
    ),
    "a secret that is not there": ({"rollback_secrets": ["spymeo/app"]}, ["rollback_secrets", "'spymeo/app'"]),
    "an endpoint where nobody answers": (
        {"rollback_aws": {"endpoint_url": "http://127.0.0.1:9", "access_key": "x", "secret_key": "y-secret-y"}},
        ["cannot be reached", "rollback_aws.endpoint_url"],
    ),
    "a run id that cannot name an instance": ({"rollback_run_id": "RB_1"}, ["rollback_run_id is 'RB_1'"]),
}


@pytest.fixture(scope="module")
def broken(shared_production):
    """One production in the full accident for all the mistakes: none of them changes it."""
    shared_production.accident("full")
    return shared_production


@pytest.mark.parametrize("mistake", WRONG)
def test_is_refused_in_clear_words_and_nothing_has_changed(broken, mistake):
    variables, words = WRONG[mistake]
    played = broken.play("rollback_full", "-e", json.dumps(variables))
    assert played.code != 0
    message = " ".join(played.output.split())
    assert [word for word in words if word not in message] == []
    assert played.written == []
    assert "Traceback" not in played.output


def test_credentials_that_aws_does_not_know(broken):
    aws = {"endpoint_url": broken.state["endpoint_url"], "access_key": "AKIAUNKNOWN", "secret_key": "wrong-secret-key"}
    played = broken.play("rollback_full", "-e", json.dumps({"rollback_aws": aws}))
    assert played.code != 0
    assert "AWS does not accept the credentials" in played.output
    assert played.written == []


def test_no_credentials_at_all(broken):
    nothing = {"rollback_aws": {"endpoint_url": broken.state["endpoint_url"]}}
    hidden = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": "/nonexistent",
    }
    played = broken.play(
        "rollback_full", "-e", json.dumps(nothing), ANSIBLE_HOME="/tmp", ANSIBLE_LOCAL_TEMP="/tmp", **hidden
    )
    assert played.code != 0
    assert "There are no complete AWS credentials" in played.output
    assert played.written == []


def test_a_second_playbook_of_one_command_takes_nothing_over_from_the_first(broken):
    """Results of the first are there still: the second would report them as its own."""
    playbook = str(ROOT / "playbooks/unfence.yml")
    played = broken.run(["ansible-playbook", playbook, playbook, "-i", str(ROOT / "inventories/lab")], ROOT)

    _before, first, second = played.output.split("PLAY [Give the services back what they had]")
    assert (played.code, "failed=0" in first) == (2, True), played.output
    assert "this very command has played another playbook that changes something" in second
    assert "no call that changes anything was made" in second
    assert "FAILED    at: Check the inventory" in second
    assert [word for word in ("DONE  ", "ENDED  ", "WELL  ") if word in second] == []
