# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rollback_database.yml where the task definition itself has DATABASE_URL: a copy of it gets the new address, in the one deployment."""

from __future__ import annotations

import json

import pytest

from spymeo_world import world
from spymeo_world.demo import Visitor

RUN = "run-of-the-cutover"
NEW = f"{world.DB_INSTANCE}-{RUN}"


def plain(secret):
    return {"environment": [{"name": "DATABASE_URL", "value": secret["SecretString"]}]}


def pinned(secret):
    return {"secrets": [{"name": "DATABASE_URL", "valueFrom": f"{secret['ARN']}:::{secret['VersionId']}"}]}


def carried(production, carry) -> str:
    """The ARN of a revision that has DATABASE_URL in this way; the service runs it."""
    ecs = production.aws("ecs")
    secret = production.aws("secretsmanager").get_secret_value(SecretId=world.DATABASE_SECRET)
    content = ecs.describe_task_definition(taskDefinition=production.service()["taskDefinition"])["taskDefinition"]
    container = content["containerDefinitions"][0]
    others = [entry for entry in container["secrets"] if entry["name"] != "DATABASE_URL"]
    given = carry(secret)
    container["secrets"] = others + given.get("secrets", [])
    container["environment"] = container["environment"] + given.get("environment", [])
    taken = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    registered = ecs.register_task_definition(**{key: value for key, value in content.items() if key in taken})
    arn = registered["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, taskDefinition=arn)
    production.until(lambda: [item["rolloutState"] for item in production.service()["deployments"]] == ["COMPLETED"])
    return arn


@pytest.mark.parametrize("carry", [plain, pinned])
def test_the_application_runs_on_the_restored_database_and_only_the_address_changed(production, carry):
    ecs, running = production.aws("ecs"), carried(production, carry)
    command = ["-e", json.dumps({"rollback_run_id": RUN})]
    checked = production.play("rollback_database", "--check", *command)
    assert (checked.code, checked.written) == (0, []), checked.output
    assert "CUTOVER   DATABASE_URL of spymeo-app:" in checked.output

    played = production.play("rollback_database", *command)
    assert played.code == 0, played.output
    assert played.written.count("ecs UpdateService") == 1
    assert world.DB_PASSWORD not in played.output
    answer = ecs.describe_task_definition(taskDefinition=production.service()["taskDefinition"], include=["TAGS"])
    assert {"key": "spymeo:rollback-origin", "value": running} in answer["tags"]
    container = answer["taskDefinition"]["containerDefinitions"][0]
    now = production.aws("secretsmanager").get_secret_value(SecretId=world.DATABASE_SECRET)
    assert f"@{production.instances()[NEW]['Endpoint']['Address']}:" in now["SecretString"]
    assert all(entry in container[key] for key, wanted in carry(now).items() for entry in wanted)
    health = Visitor(production.state["base_url"]).ask("GET", world.HEALTH_PATH)
    assert (health[0], health[1]["database"]) == (200, "ok")

    again = production.play("rollback_database", *command)
    assert (again.code, again.written, again.recap["changed"]) == (0, [], 0), again.output


def partial(secret):
    """As CDK's fromSecretNameV2 writes it: without the six characters that AWS adds."""
    return {"secrets": [{"name": "DATABASE_URL", "valueFrom": secret["ARN"][:-7]}]}


def test_a_partial_arn_is_the_secret_that_is_rewritten(production):
    running = carried(production, partial)
    played = production.play("rollback_database", "-e", json.dumps({"rollback_run_id": RUN}))
    assert played.code == 0, played.output
    assert production.origin() == running.rpartition("/")[2]
    assert f"@{production.instances()[NEW]['Endpoint']['Address']}:" in production.database_url()
