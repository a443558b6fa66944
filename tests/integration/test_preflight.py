# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Preflight on a broken production: everything that would keep the old release from starting, in one message, nothing changed."""

from __future__ import annotations

import json

import pytest

from spymeo_world import world


@pytest.fixture(scope="module", name="broken")
def _broken(shared_production):
    """Release 2 crashes; release 1 is the target."""
    shared_production.accident("crash-loop")
    return shared_production


@pytest.fixture
def without_image(broken):
    """The target's image is gone, as a lifecycle rule makes it; another build has its repository still."""
    ecr, image = broken.aws("ecr"), {"imageTag": "1.0.0"}
    kept = ecr.batch_get_image(repositoryName=world.REPOSITORY, imageIds=[image])["images"][0]
    ecr.batch_delete_image(repositoryName=world.REPOSITORY, imageIds=[image])
    yield f"image {world.image_of('1.0.0', broken.aws('sts').get_caller_identity()['Account'])}"
    ecr.put_image(repositoryName=world.REPOSITORY, imageManifest=kept["imageManifest"], imageTag="1.0.0")


@pytest.fixture
def without_log_group(broken):
    """Somebody tidied the log group away."""
    logs = broken.aws("logs")
    logs.delete_log_group(logGroupName=world.LOG_GROUP)
    yield f"log_group {world.LOG_GROUP}: it is not there, so no task can start. Create it"
    logs.create_log_group(logGroupName=world.LOG_GROUP)


@pytest.fixture
def without_key(broken):
    """The secret was written again without a key that release 1 reads."""
    secrets = broken.aws("secretsmanager")
    before = secrets.get_secret_value(SecretId=world.APP_SECRET)
    secrets.put_secret_value(SecretId=world.APP_SECRET, SecretString=json.dumps({"SESSION_SECRET": "s3ss10n"}))
    yield "its JSON has no key PAYMENT_API_KEY. Bring back a version that has it"
    now = secrets.get_secret_value(SecretId=world.APP_SECRET)["VersionId"]
    secrets.update_secret_version_stage(
        SecretId=world.APP_SECRET,
        VersionStage="AWSCURRENT",
        MoveToVersionId=before["VersionId"],
        RemoveFromVersionId=now,
    )


@pytest.fixture
def without_role(broken):
    """The execution role was deleted."""
    iam = broken.aws("iam")
    role = iam.get_role(RoleName=world.EXECUTION_ROLE)["Role"]
    iam.delete_role(RoleName=world.EXECUTION_ROLE)
    yield f"execution_role {world.EXECUTION_ROLE}: there is no such role, so no task can start"
    trust = json.dumps(role["AssumeRolePolicyDocument"])
    iam.create_role(RoleName=world.EXECUTION_ROLE, AssumeRolePolicyDocument=trust)


def stopped(played):
    """A run that preflight ended: it says so, and has written nothing."""
    return played.code != 0 and not played.written and "Nothing was changed." in played.output


@pytest.mark.parametrize("missing", ["without_image", "without_log_group", "without_role"])
def test_one_thing_that_is_gone_stops_the_rollback_before_it_changes_anything(missing, broken, request):
    finding = request.getfixturevalue(missing)
    before = broken.service()["deployments"][0]["id"]
    played = broken.play("rollback_code")
    assert stopped(played), played.output
    assert finding in played.output
    message = played.output[played.output.index("Fix all of this first:") :].splitlines()
    assert len({line.strip() for line in message if line.strip().startswith("- ")}) == 1
    assert broken.service()["deployments"][0]["id"] == before


def test_everything_that_is_gone_is_named_in_one_message(
    broken, without_image, without_log_group, without_key, without_role
):
    played = broken.play("rollback_code", "--check", "--diff")
    assert stopped(played), played.output
    message = played.output[played.output.index("Fix all of this first:") :]
    for finding in (without_image, without_log_group, without_key, without_role):
        assert finding in message
    assert "s3ss10n" not in played.output


def test_what_rollback_full_brings_back_itself_does_not_stop_it(broken, without_key):
    played = broken.play(
        "rollback_full", "--check", "--diff", "-e", json.dumps({"rollback_secrets": [world.APP_SECRET]})
    )
    assert (played.code, played.written) == (0, []), played.output
    assert "BEWARE    secret" in played.output
    assert "this run brings back an earlier one" in played.output


def test_a_healthy_target_passes_and_the_plan_shows_the_notes(broken):
    played = broken.play("rollback_code", "--check", "--diff")
    assert (played.code, played.written) == (0, []), played.output
    assert "BEWARE    deployment spymeo-app: a deployment of spymeo-app:2 is under way" in played.output
    assert "not checked" not in played.output


def test_the_module_tells_every_check_that_it_made(broken, tmp_path):
    options = {"cluster": world.CLUSTER, "services": [world.SERVICE]}
    command = ["ansible", "localhost", "-m", "spymeo.rollback.ecs_release_info", "-a", json.dumps(options)]
    done = broken.run([*command, "--tree", str(tmp_path)])
    result = json.loads((tmp_path / "localhost").read_text())
    assert (done.written, result["verdict"]) == ([], "passed")
    checks = {item["check"] for item in result["findings"] if item["verdict"] == "passed"}
    assert checks >= {"service", "image", "execution_role", "log_group", "secret", "task_definition", "desired_count"}
    assert world.PAYMENT_KEY not in json.dumps(result)


@pytest.fixture
def without_room(broken):
    """The account may have no further DB instance."""
    broken.control("rds_quota", name="DBInstances", most=1)
    yield "quota DBInstances: 1 of 1 are used, and 1 more needed"
    broken.control("rds_quota", name="DBInstances", most=40)


@pytest.mark.parametrize("options", [[], ["--check", "--diff"]])
def test_what_keeps_code_and_database_from_going_back_is_told_at_once(
    broken, without_image, without_log_group, without_room, options
):
    played = broken.play("rollback_full", *options)
    assert stopped(played), played.output
    told = " ".join(played.output.split())
    assert [finding for finding in (without_image, without_log_group, without_room) if finding not in told] == []
