# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules that look after the secrets, the database and the application, each alone, on a broken production."""

from __future__ import annotations

import json

import pytest

from spymeo_world import world

from .held import with_run

RUN = "rb-20261122-031500"
URL = {"database_secret": world.DATABASE_SECRET}
LOGS = {"cluster": world.CLUSTER, "services": [world.SERVICE], "log_groups": ["/ecs/spymeo-app"]}
SIGN_UP = {
    "name": "sign-up",
    "steps": [
        {
            "method": "POST",
            "path": "/api/practitioners",
            "json": {"email": "${run_id}@example.org", "fullName": "Ada", "city": "Paris", "password": "${password}"},
            "expect": {"status": 201},
        }
    ],
}


@pytest.fixture(scope="module", name="broken")
def _broken(shared_production):
    shared_production.accident("bad-migration")
    return shared_production


@pytest.fixture
def run(broken, tmp_path):
    """Run one module; gives its result (dict) and the writing calls that it made."""

    def task(module, **options):
        given = with_run(tmp_path / "held", module, options)
        command = ["ansible", "localhost", "-m", module, "-a", json.dumps(given)]
        done = broken.run([*command, "--tree", str(tmp_path)])
        return json.loads((tmp_path / "localhost").read_text()), done.written

    return task


def test_a_failing_sign_up_fails_verification_and_leaves_its_prisma_code_in_the_logs(broken, run):
    base_url, variables = broken.state["base_url"], {"password": "Correct-Horse-1"}
    result, written = run(
        "spymeo.rollback.verify_http", base_url=base_url, scenarios=[SIGN_UP], variables=variables, run_id=RUN
    )
    assert (result["verdict"], written) == ("failed", [])
    assert "status 500 instead of 201" in result["evidence"][0]
    assert "Correct-Horse" not in str(result)
    result, written = run("spymeo.rollback.log_errors_info", **LOGS)
    assert (result["verdict"], written) == ("failed", [])
    assert list(result["codes"]) == ["P2022"]
    assert "fullName" in result["errors"][0]["example"]


def test_the_probe_tells_migrations_and_rows_of_the_database_in_use(run):
    result, written = run("spymeo.rollback.database_probe_info", **URL)
    assert (result["connected"], written) == (True, [])
    assert result["migrations"][-1]["name"].endswith("_rename_full_name_to_display_name")
    assert result["rows"]["Practitioner"] > 1000


def test_the_probe_says_p1001_where_nobody_answers(run):
    result, written = run("spymeo.rollback.database_probe_info", host="127.0.0.1", port=1, timeout=2, **URL)
    assert (result["code"], written) == ("P1001", [])


def test_the_url_moves_once_and_back_and_its_password_stays(broken, run):
    before = broken.database_url()
    there = run("spymeo.rollback.database_url", **URL)[0]["after"]
    moved, written = run("spymeo.rollback.database_url", host="new.example.org", run_id=RUN, **URL)
    assert (moved["changed"], written) == (True, ["secretsmanager PutSecretValue"])
    assert broken.database_url() == before.replace(there["host"], "new.example.org")
    again, written = run("spymeo.rollback.database_url", host="new.example.org", run_id=RUN, **URL)
    assert (again["changed"], written) == (False, [])
    back = {world.DATABASE_SECRET: moved["previous_version_id"]}
    returned, written = run("spymeo.rollback.secret_rollback", targets=back, run_id=RUN)
    assert (returned["changed"], written) == (True, ["secretsmanager UpdateSecretVersionStage"])
    assert broken.database_url() == before
    assert run("spymeo.rollback.secret_rollback", targets=back, run_id=RUN)[0]["changed"] is False


def test_versions_are_told_without_values(broken, run):
    result, written = run(
        "spymeo.rollback.secret_version_info", secrets=[world.DATABASE_SECRET], before="2999-01-01T00:00:00Z"
    )
    assert written == []
    assert result["secrets"][0]["versions"]
    assert broken.database_url() not in str(result)
