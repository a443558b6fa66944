# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""More services and applications beside SPYMEO's own: their tasks are light, all else is real, and one run brings all of them back."""

from __future__ import annotations

import json

from spymeo_world import fleet, world


def revisions(production, names: list[str]) -> set[str]:
    """The revision numbers that these services run, or run a copy of, once they are at rest."""
    fleet.await_steady(production.aws("ecs"), names)
    found = production.aws("ecs").describe_services(cluster=world.CLUSTER, services=names)["services"]
    return {production.origin(each["taskDefinition"]).rpartition(":")[2] for each in found}


def test_one_run_brings_the_code_of_all_services_back(production_with_fleet):
    production = production_with_fleet
    services = production.state["fleet"]["services"]
    assert len(services) == 3
    fleet.break_all(production.state["endpoint_url"], services)
    assert revisions(production, services) == {"2"}
    played = production.play("rollback_code", "-e", json.dumps({"rollback_services": services, "verify_scenarios": []}))
    assert played.code == 0, played.output
    assert played.written == ["ecs UpdateService"] * 3
    assert revisions(production, services) == {"1"}


def test_an_application_has_a_database_of_its_own_which_comes_back_with_its_code(production_with_fleet):
    production = production_with_fleet
    (application,) = production.state["fleet"]["applications"]
    before = production.instances()
    secret = production.aws("secretsmanager").get_secret_value(SecretId=application["database_secret"])["SecretString"]
    assert f"@{before[application['db_instance']]['Endpoint']['Address']}:" in secret
    fleet.break_all(production.state["endpoint_url"], [application["name"]])
    variables = {
        "rollback_services": [application["name"]],
        "rollback_db_instance": application["db_instance"],
        "rollback_snapshot": application["snapshot"],
        "rollback_database_secret": application["database_secret"],
        "rollback_secrets": [],
        "verify_scenarios": [],
    }
    played = production.play("rollback_full", "-e", json.dumps(variables))
    assert played.code == 0, played.output
    assert revisions(production, [application["name"]]) == {"1"}
    (restored,) = production.instances().keys() - before.keys()
    assert restored.startswith(application["db_instance"])
    secret = production.aws("secretsmanager").get_secret_value(SecretId=application["database_secret"])["SecretString"]
    assert f"@{production.instances()[restored]['Endpoint']['Address']}:" in secret
