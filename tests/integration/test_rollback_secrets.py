# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_secrets.yml: secrets and a parameter go bad under code that stays; check, apply, apply again. Ends are asked of AWS."""

from __future__ import annotations

import json

import pytest

from loopback_aws.interruption import AFTER
from spymeo_world import killing, world
from spymeo_world.accidents import UNFIT

from .test_data_in_service import given

PARAMETER = "/spymeo/production/mail-password"
MAIL_THEN, MAIL_NOW = "mail-of-the-old-provider", "mail-of-nobody"
API_THEN, API_NOW = "sms-key-that-works", "sms-key-that-does-not"
BAD_PAYMENT_KEY = "sk_lab_of_another_account"


def text_of(production, secret: str, **which) -> str:
    return production.aws("secretsmanager").get_secret_value(SecretId=secret, **which)["SecretString"]


def put(production, secret: str, text: str, **more) -> str:
    return production.aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=text, **more)["VersionId"]


def versions(production, secret: str) -> list[dict]:
    listed = production.aws("secretsmanager").list_secret_version_ids(SecretId=secret, IncludeDeprecated=True)
    return listed["Versions"]


def parameter(production) -> dict:
    return production.aws("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]


def deploy(production, change) -> None:
    """Register what runs with ``change`` made to its container, deploy it, and wait until it serves."""
    ecs = production.aws("ecs")
    definition = ecs.describe_task_definition(taskDefinition=production.service()["taskDefinition"])["taskDefinition"]
    definition = {key: value for key, value in definition.items() if key not in UNFIT}
    change(definition["containerDefinitions"][0])
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, taskDefinition=arn)
    production.until(lambda: serves(production.service(), arn))


def serves(service: dict, arn: str) -> bool:
    primary = service["deployments"][0]
    return primary["taskDefinition"] == arn and primary["rolloutState"] == "COMPLETED"


def takes_more_secrets(container: dict) -> None:
    """DATABASE_URL and a key of the same JSON secret, and a parameter."""
    url = next(item for item in container["secrets"] if item["name"] == "DATABASE_URL")
    secret = url["valueFrom"]
    url["valueFrom"] = f"{secret}:DATABASE_URL::"
    container["secrets"] += [
        {"name": "SMS_API_KEY", "valueFrom": f"{secret}:SMS_API_KEY::"},
        {"name": "MAIL_PASSWORD", "valueFrom": PARAMETER},
    ]


def database_json(url: str, api_key: str) -> str:
    return '{ "DATABASE_URL": %s,\n  "SMS_API_KEY": %s }' % (json.dumps(url), json.dumps(api_key))


def go_bad(production) -> None:
    """Three values change under the running release: two wrongly, and beside them one that has to stay."""
    put(production, world.DATABASE_SECRET, database_json(production.database_url(), API_THEN))
    production.aws("ssm").put_parameter(Name=PARAMETER, Value=MAIL_THEN, Type="SecureString", Description="for mail")
    deploy(production, takes_more_secrets)
    url = json.loads(text_of(production, world.DATABASE_SECRET))["DATABASE_URL"]
    put(production, world.DATABASE_SECRET, database_json(url.replace("limit=5", "limit=6"), API_NOW))
    production.aws("ssm").put_parameter(Name=PARAMETER, Value=MAIL_NOW, Type="SecureString", Overwrite=True)
    app = json.loads(text_of(production, world.APP_SECRET))
    put(
        production, world.APP_SECRET, json.dumps({**app, "PAYMENT_API_KEY": BAD_PAYMENT_KEY, "FEATURE": "on"}, indent=1)
    )


OPTIONS = {
    "rollback_secrets": [world.APP_SECRET, world.DATABASE_SECRET],
    "rollback_parameters": [PARAMETER],
    "rollback_secret_keys": {world.APP_SECRET: ["PAYMENT_API_KEY"]},
}


@pytest.fixture(scope="module")
def story(shared_production):
    """What went bad, a check, the rollback, and a second rollback, each looked at by its own test below."""
    production = shared_production
    go_bad(production)
    told = {"production": production, "running": production.service()["taskDefinition"]}
    told["url"] = json.loads(text_of(production, world.DATABASE_SECRET))["DATABASE_URL"]
    told["count"] = {name: len(versions(production, name)) for name in OPTIONS["rollback_secrets"]}
    more = ("-e", json.dumps(OPTIONS))
    told["check"] = production.play("rollback_secrets", "--check", "--diff", *more)
    told["first"] = production.play("rollback_secrets", "--diff", *more)
    told["second"] = production.play("rollback_secrets", *more)
    return told


def test_a_check_writes_nothing_and_names_what_would_go_back(story):
    check = story["check"]
    assert (check.code, check.written) == (0, []), check.output
    assert f"SECRETS   {world.APP_SECRET}: keys PAYMENT_API_KEY back to the version of " in check.output
    assert f"SECRETS   {world.DATABASE_SECRET}: keys SMS_API_KEY back to the version of " in check.output
    assert "DATABASE_URL stays as it is now" in check.output
    assert f"SECRETS   {PARAMETER}: back to the version of " in check.output
    assert "spymeo-app: stays on spymeo-app:2" in check.output


def test_the_keys_that_were_named_are_back_and_every_other_byte_stays(story):
    assert story["first"].code == 0, story["first"].output
    text = text_of(story["production"], world.APP_SECRET)
    assert json.loads(text) == {
        "SESSION_SECRET": world.SESSION_SECRET,
        "PAYMENT_API_KEY": world.PAYMENT_KEY,
        "FEATURE": "on",
    }
    assert text.startswith('{\n "SESSION_SECRET": ')


def test_of_the_database_secret_all_but_the_url_is_back(story):
    text = text_of(story["production"], world.DATABASE_SECRET)
    assert text == database_json(story["url"], API_THEN)
    assert "limit=6" in text


def test_the_parameter_has_its_old_value_as_a_new_version_with_its_settings(story):
    found = parameter(story["production"])
    assert (found["Value"], found["Version"], found["Type"]) == (MAIL_THEN, 3, "SecureString")
    (described,) = story["production"].aws("ssm").describe_parameters()["Parameters"]
    assert described["Description"] == "for mail"


def test_tasks_get_the_change_by_one_deployment_of_the_code_that_ran(story):
    assert story["first"].written.count("ecs UpdateService") == 1
    assert story["first"].written[-1] == "ecs UpdateService"
    service = story["production"].service()
    assert service["taskDefinition"] == story["running"]
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"


def test_every_earlier_version_is_still_there_and_no_label_of_ours_is_left(story):
    for name, count in story["count"].items():
        found = versions(story["production"], name)
        assert len(found) == count + 1
        assert {label for item in found for label in item.get("VersionStages", [])} == {"AWSCURRENT", "AWSPREVIOUS"}


def test_a_second_run_swaps_nothing_back(story):
    assert story["second"].code == 0, story["second"].output
    assert story["second"].written == []
    assert story["second"].recap["changed"] == 0
    assert "there was nothing to change" in story["second"].output


def test_values_are_read_only_where_they_have_to_be(story):
    """A secret that comes back as a whole is moved by its label."""
    production = story["production"]
    name = production.aws("secretsmanager").create_secret(Name="plain", SecretString="then")["Name"]
    then = versions(production, name)[0]["VersionId"]
    put(production, name, "now")
    more = {"rollback_secrets": [name], "rollback_secret_versions": {name: then}}
    played = production.play("rollback_secrets", "-e", json.dumps(more))
    assert played.code == 0, played.output
    moved = [call for call in played.calls if call["operation"] == "UpdateSecretVersionStage"]
    assert [call["parameters"] for call in moved] == [
        ["MoveToVersionId", "RemoveFromVersionId", "SecretId", "VersionStage"]
    ]
    assert "secretsmanager PutSecretValue" not in played.written
    assert text_of(production, name) == "then"


def test_a_run_that_died_before_it_had_started_the_tasks_again_is_what_triage_speaks_of(story):
    """Its secret is right again, and the running tasks have the wrong value still: no release is the cause."""
    production = story["production"]
    then = text_of(production, world.APP_SECRET)
    right = next(
        item for item in versions(production, world.APP_SECRET) if "AWSCURRENT" in item.get("VersionStages", [])
    )
    put(production, world.APP_SECRET, json.dumps({**json.loads(then), "PAYMENT_API_KEY": BAD_PAYMENT_KEY}))
    deploy(production, lambda container: container["environment"].append({"name": "ROTATED", "value": "yes"}))
    before = triage(production)
    assert before[0].startswith("===== UNCERTAIN"), before
    assert "playbooks/rollback_secrets.yml" in before[1]
    options = {
        "rollback_secrets": [world.APP_SECRET],
        "rollback_secret_versions": {world.APP_SECRET: right["VersionId"]},
    }
    more = ("-e", json.dumps(options), *given(rollback_run_id="run-secrets"))
    died = killing.play(production.state, "rollback_secrets", *more, when=AFTER, operation="UpdateSecretVersionStage")
    assert (died[0], died[2]) == (-9, ["UpdateSecretVersionStage"]), died[1]
    assert text_of(production, world.APP_SECRET) == then
    said = triage(production)
    assert said[0].startswith("===== UNCERTAIN"), said
    assert "leaning to FULL" not in said[0]
    assert "-e rollback_run_id=run-secrets" in said[1]
    assert any("a wrong value of %s looks like this" % world.APP_SECRET in line for line in said), said
    code, output, _at = killing.play(production.state, "rollback_secrets", *more)
    assert code == 0, output
    assert triage(production)[0].startswith("===== NONE"), output


def triage(production) -> list[str]:
    """The lines of a recommendation, the first of which names it."""
    found = json.loads("[%s]" % production.play("triage").output.partition('"msg": [')[2].partition("\n    ]")[0])
    return [str(line) for line in found]
