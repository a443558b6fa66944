# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a large production has beside SPYMEO's application: more services, more applications.

Their tasks are light stand-ins: an image whose process says that it is ready and sleeps, behind no load balancer. So two
cores carry hundreds of them. Databases, secrets and everything that ECS does with them are as real as the others.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import world

if TYPE_CHECKING:
    from loopback_aws.lab import Lab

REPOSITORY = "light"
RELEASES = ("1.0.0", "2.0.0")
STEADY_TIMEOUT = 180  # seconds


def push(lab: Lab) -> None:
    """Push both releases of the stand-in."""
    for release in RELEASES:
        config = {"Env": [f"APP_RELEASE={release}"], "Cmd": ["sh", "-c", "echo INFO ready; exec sleep 1000000"]}
        lab.ecr.push(REPOSITORY, release, config)


def start(endpoint_url: str, services: int, applications: int) -> dict[str, Any]:
    """So many more services and applications, all on release 1.0.0 of the stand-in; returns when they run.

    Returns what lab.json tells of them: `services` (names), and `applications` with `name` (of the service), `db_instance`,
    `snapshot` and `database_secret`.
    """
    names = [f"spymeo-worker-{number:03}" for number in range(1, services + 1)]
    built = _applications(endpoint_url, applications)
    secrets = {each["name"]: each.pop("secret_arn") for each in built}
    ecs = world.client("ecs", endpoint_url)
    model = ecs.describe_services(cluster=world.CLUSTER, services=[world.SERVICE])["services"][0]
    for name in [*names, *secrets]:
        _service(ecs, model, name, secrets.get(name))
    await_steady(ecs, [*names, *secrets])
    return {"services": names, "applications": built}


def _service(ecs: Any, model: dict[str, Any], name: str, secret: str | None) -> None:
    """A service with both releases registered; it runs the first. `secret`: the ARN that DATABASE_URL comes from."""
    definition = ecs.describe_task_definition(taskDefinition=model["taskDefinition"])["taskDefinition"]
    original = definition["containerDefinitions"][0]
    registry = original["image"].partition("/")[0]
    container = {"name": original["name"], "essential": True, "logConfiguration": original["logConfiguration"]}
    if secret:
        container["secrets"] = [{"name": "DATABASE_URL", "valueFrom": secret}]
    kept = {
        key: definition[key] for key in ("requiresCompatibilities", "networkMode", "cpu", "memory", "executionRoleArn")
    }
    for release in RELEASES:
        image = f"{registry}/{REPOSITORY}:{release}"
        ecs.register_task_definition(family=name, containerDefinitions=[{**container, "image": image}], **kept)
    ecs.create_service(
        cluster=world.CLUSTER, serviceName=name, taskDefinition=f"{name}:1", desiredCount=1, launchType="FARGATE",
        networkConfiguration=model["networkConfiguration"],
        deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100},
    )  # fmt: skip


def _applications(endpoint_url: str, count: int) -> list[dict[str, Any]]:
    """Databases restored from SPYMEO's snapshot with its instance's settings, a snapshot and a secret of each."""
    rds, secretsmanager = world.client("rds", endpoint_url), world.client("secretsmanager", endpoint_url)
    built = [
        {
            "name": f"shop-{number:02}",
            "db_instance": f"shop-{number:02}-db",
            "snapshot": f"shop-{number:02}-before",
            "database_secret": f"shop-{number:02}/database-url",
        }
        for number in range(1, count + 1)
    ]
    for each in built:
        _restore(rds, each["db_instance"])
    for each in built:
        waiter = rds.get_waiter("db_instance_available")
        waiter.wait(DBInstanceIdentifier=each["db_instance"], WaiterConfig=world.OFTEN)
        rds.create_db_snapshot(DBInstanceIdentifier=each["db_instance"], DBSnapshotIdentifier=each["snapshot"])
    for each in built:
        waiter = rds.get_waiter("db_snapshot_available")
        waiter.wait(DBSnapshotIdentifier=each["snapshot"], WaiterConfig=world.OFTEN)
    for each in built:
        instance = rds.describe_db_instances(DBInstanceIdentifier=each["db_instance"])["DBInstances"][0]
        url = world.database_url(instance["Endpoint"]["Address"], instance["Endpoint"]["Port"])
        each["secret_arn"] = secretsmanager.create_secret(Name=each["database_secret"], SecretString=url)["ARN"]
    return built


def _restore(rds: Any, name: str) -> None:
    old = rds.describe_db_instances(DBInstanceIdentifier=world.DB_INSTANCE)["DBInstances"][0]
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=name,
        DBSnapshotIdentifier=world.SNAPSHOT,
        DBSubnetGroupName=old["DBSubnetGroup"]["DBSubnetGroupName"],
        DBParameterGroupName=old["DBParameterGroups"][0]["DBParameterGroupName"],
        VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in old["VpcSecurityGroups"]],
        DeletionProtection=True,
    )


def break_all(endpoint_url: str, names: list[str]) -> None:
    """Deploy release 2.0.0 of these services, and wait until it runs."""
    ecs = world.client("ecs", endpoint_url)
    for name in names:
        ecs.update_service(cluster=world.CLUSTER, service=name, taskDefinition=f"{name}:2")
    await_steady(ecs, names)


def await_steady(ecs: Any, names: list[str]) -> None:
    """Wait until services are at rest.

    :raises RuntimeError: one of them is not in time.
    """
    deadline, waiting = time.monotonic() + STEADY_TIMEOUT, list(names)
    while waiting:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{', '.join(waiting)} not steady after {STEADY_TIMEOUT} s")
        found = ecs.describe_services(cluster=world.CLUSTER, services=waiting[:10])["services"]
        done = [each["serviceName"] for each in found if _at_rest(each)]
        waiting = [name for name in waiting if name not in done]
        if not done:
            time.sleep(0.1)


def _at_rest(service: dict[str, Any]) -> bool:
    states = [each["rolloutState"] for each in service["deployments"]]
    return states == ["COMPLETED"] and service["runningCount"] == service["desiredCount"]
