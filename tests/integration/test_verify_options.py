# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a team can tell verify.yml: known noise, the time before, end-to-end tests, secrets; and what it says when it cannot be used.

One lab serves all tests. Errors are written into the log of a task that runs, as the task itself would write them.
"""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import sys
import time

import pytest

from spymeo_world import world

ROOT_INVENTORY = "inventories/lab"
NOISE = {
    "pattern": "calendar feed",
    "reason": "the partner's feed is down at night, ticket 1234",
    "until": "2999-12-31",
}
LINES = 10_000
_ids = itertools.count(1)


@pytest.fixture(name="production")
def _production(shared_production):
    return shared_production


@pytest.fixture
def log(production):
    """Write lines into the log of a task that runs, and stop them from counting in the next test: it gets other tasks."""
    ecs = production.aws("ecs")

    def write(*messages: str, ago: float = 0.0) -> None:
        now = int((time.time() - ago) * 1000)
        events = [{"timestamp": now, "message": message} for message in messages]
        name = next(
            item["logStreamName"]
            for item in production.aws("logs").describe_log_streams(logGroupName=world.LOG_GROUP)["logStreams"]
            if item["logStreamName"].rpartition("/")[2] in running()
        )
        production.aws("logs").put_log_events(logGroupName=world.LOG_GROUP, logStreamName=name, logEvents=events)
        time.sleep(0.5)  # the lab's log_ingestion

    def running() -> set[str]:
        arns = ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
        return {arn.rpartition("/")[2] for arn in arns}

    yield write
    before = running()
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, forceNewDeployment=True)
    production.until(
        lambda: not before & running() and production.service()["deployments"][0]["rolloutState"] == "COMPLETED", 120
    )


def verify(production, *arguments, **variables):
    return production.play("verify", *arguments, "-e", json.dumps(variables))


def test_known_noise_passes_until_its_last_day_and_then_fails_and_says_so(production, log):
    log("ERROR calendar feed answered 503", "ERROR calendar feed answered 502")
    noisy = verify(production, verify_log_noise=[NOISE])
    assert noisy.code == 0, noisy.output
    assert "NOISE     2 times: calendar feed (the partner's feed is down at night, ticket 1234" in noisy.output
    expired = verify(production, verify_log_noise=[{**NOISE, "until": "2026-01-31"}])
    assert expired.code != 0
    assert "9 of 10 checks passed; failed: logs" in expired.output
    assert "2 of these were known noise" in expired.output


def test_errors_that_there_were_before_the_accident_are_told_apart_from_new_ones(production, log):
    log("ERROR newsletter 17 was not sent", ago=600)
    log("ERROR newsletter 18 was not sent")
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 300))
    old = verify(production, rollback_bad_since=since)
    assert old.code == 0, old.output
    assert "OLD       1 times, 1 before: ERROR newsletter <n> was not sent" in old.output
    log("ERROR invoice 3 was not sent")
    new = verify(production, rollback_bad_since=since)
    assert new.code != 0
    assert "logs, failed: 1 time: ERROR invoice <n> was not sent" in new.output


def test_ten_thousand_lines_are_read_to_the_end(production, log):
    log(*('{"level":"info","msg":"request %d"}' % number for number in range(LINES - 1)), "ERROR the very last line")
    played = verify(production)
    assert played.code != 0
    assert "logs, failed: 1 time: ERROR the very last line" in played.output


SECRET = {"rollback_e2e_secret_environment": {"TOKEN": "s3cret-token"}}


@pytest.mark.parametrize(
    ("runs_on", "more", "token"), [("controller", SECRET, "********"), ("task", {}, "")], ids=["controller", "task"]
)
def test_end_to_end_tests_count_and_their_output_is_kept(production, tmp_path, runs_on, more, token):
    command = 'echo "$WORD $TOKEN from $BASE_URL"; exit 3'
    where = {"rollback_e2e_runs_on": runs_on, "rollback_e2e_directory": str(tmp_path)}
    word = {"rollback_e2e_environment": {"WORD": "hello"}}
    played = verify(production, rollback_e2e_command=command, rollback_run_id="rb-e2e-1", **where, **word, **more)
    assert played.code != 0
    assert "9 of 10 checks passed; failed: end-to-end tests" in played.output
    assert played.written == (["ecs RunTask"] if runs_on == "task" else [])
    assert (tmp_path / "rb-e2e-1-e2e.log").read_text() == f"hello {token} from {production.state['base_url']}\n"
    assert "s3cret-token" not in played.output


def test_secrets_that_a_task_would_show_are_refused_before_anything_is_asked(production):
    played = verify(production, rollback_e2e_command="true", rollback_e2e_runs_on="task", **SECRET)
    assert played.code != 0
    assert played.calls == []
    assert "CloudTrail would keep it" in " ".join(played.output.split())


def test_a_task_that_takes_too_long_is_ended_and_nobody_knows(production, tmp_path):
    where = {"rollback_e2e_runs_on": "task", "rollback_e2e_directory": str(tmp_path), "rollback_e2e_timeout": 3}
    command = shlex.join([sys.executable, "-c", "import time; time.sleep(600)"])
    played = verify(production, rollback_e2e_command=command, **where)
    assert played.code != 0
    assert "10 of 11 checks passed; inconclusive: end-to-end tests" in played.output
    assert played.written == ["ecs RunTask", "ecs StopTask"]


def test_credentials_come_from_a_secret_and_show_nowhere(production):
    name = f"spymeo/production/verification-{next(_ids)}"
    value = json.dumps({"password": world.ADMIN_PASSWORD})
    production.aws("secretsmanager").create_secret(Name=name, SecretString=value)
    variables = {"verify_variables": {"admin_email": "admin@spymeo.fr"}}
    named = {"admin_password": {"secret": name, "key": "password"}}
    played = verify(production, "-vvv", verify_secrets=named, **variables)
    assert played.code == 0, played.output
    assert world.ADMIN_PASSWORD not in played.output
    read = [call["operation"] for call in played.calls if call["service"] == "secretsmanager"]
    assert read == ["GetSecretValue"]


def inventory(tmp_path, old: str, new: str):
    """A copy of the lab's inventory whose scenarios have `new` in place of `old`; gives its directory and the line of `new`."""
    shutil.copytree(ROOT_INVENTORY, tmp_path / "inventory", symlinks=False)
    file = tmp_path / "inventory/group_vars/all/scenarios.yml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    line = text[: text.index(old)].count("\n") + 1
    return tmp_path / "inventory", f"{file}:{line}"


@pytest.mark.parametrize("playbook", ["verify", "rollback_code"])
def test_a_wrong_scenario_is_refused_with_its_line_before_anything_is_asked(production, tmp_path, playbook):
    there, line = inventory(tmp_path, "path: /api/admin/dashboard", "path: api/admin/dashboard")
    played = production.play(playbook, "-i", str(there))
    assert played.code != 0
    assert played.calls == []
    told = " ".join(played.output.split())
    assert f"{line}: scenario 2 (administration), step 2 (open the dashboard with that session), key path" in told
    assert "which does not begin with a slash" in told


def test_what_cannot_be_measured_is_neither_passed_nor_failed(production):
    played = verify(production, rollback_base_url="http://nobody.invalid")
    assert played.code != 0
    assert "inconclusive: health, database, administration, practitioner sign-up, payment" in played.output
    assert "this machine cannot resolve the name of the host" in played.output
    assert "Fix what kept the checks from measuring" in played.output


def test_check_mode_asks_nothing(production):
    played = verify(production, "--check")
    assert played.code == 0, played.output
    assert played.calls == []
