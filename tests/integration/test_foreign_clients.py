# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clients that nobody here wrote work on the lab: the AWS CLI's waiters, modules of amazon.aws, fabfuel's ecs-deploy."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from spymeo_world import world

from .conftest import CLIENTS

WAIT_TIMEOUT = 120  # seconds; the CLI looks every 15 s (ECS) or 30 s (RDS)
RESTORED, SECOND_SNAPSHOT = "restored-by-hand", "taken-by-hand"

PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  module_defaults:
    group/amazon.aws.aws:
      endpoint_url: "{{ lookup('ansible.builtin.env', 'AWS_ENDPOINT_URL') }}"
      region: eu-west-3
  tasks:
    - amazon.aws.rds_instance_info:
        db_instance_identifier: spymeo-production-db
      register: instance
    - amazon.aws.rds_instance_snapshot:
        db_instance_identifier: spymeo-production-db
        db_snapshot_identifier: taken-by-amazon-aws
        tags: {taken-by: amazon.aws}
        wait: true
      register: snapshot
    - amazon.aws.rds_instance_snapshot:
        db_instance_identifier: spymeo-production-db
        db_snapshot_identifier: taken-by-amazon-aws
        tags: {taken-by: amazon.aws}
        purge_tags: false  # the instance's tags were copied to its snapshot
      register: again
    - ansible.builtin.copy:
        content: "{{ {'instance': instance, 'snapshot': snapshot, 'again': again} | to_json }}"
        dest: "{{ told }}"
        mode: "0600"
"""


@pytest.fixture(scope="module")
def clients():
    """The programs of .venv-clients."""
    assert (CLIENTS / "aws").exists(), "the foreign clients are not installed: make .venv-clients"
    return CLIENTS


@pytest.fixture(scope="module")
def waited(shared_production, clients):
    """What AWS answered when it was asked for three things, and what the CLI's waiters for them ended with, all run at once."""
    production = shared_production
    rds, ecs = production.aws("rds"), production.aws("ecs")
    production.control("durations", backing_up=0.5)
    restored = rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=RESTORED, DBSnapshotIdentifier=world.SNAPSHOT
    )
    taken = rds.create_db_snapshot(DBInstanceIdentifier=world.DB_INSTANCE, DBSnapshotIdentifier=SECOND_SNAPSHOT)
    updated = ecs.update_service(cluster=world.CLUSTER, service=world.SERVICE, forceNewDeployment=True)
    answered = {
        "service": updated["service"]["deployments"][0]["rolloutState"],
        "instance": restored["DBInstance"]["DBInstanceStatus"],
        "snapshot": taken["DBSnapshot"]["Status"],
    }
    commands = {
        "services-stable": ["ecs", "wait", "services-stable", "--cluster", world.CLUSTER, "--services", world.SERVICE],
        "db-instance-available": ["rds", "wait", "db-instance-available", "--db-instance-identifier", RESTORED],
        "db-snapshot-available": ["rds", "wait", "db-snapshot-available", "--db-snapshot-identifier", SECOND_SNAPSHOT],
    }
    endpoint = ["--endpoint-url", production.state["endpoint_url"]]
    started = {
        name: subprocess.Popen(
            [str(clients / "aws"), *endpoint, *command], env=production.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for name, command in commands.items()
    }  # fmt: skip
    ended = {
        name: (process.communicate(timeout=WAIT_TIMEOUT)[0], process.returncode) for name, process in started.items()
    }
    return answered, ended


def completed(production) -> bool:
    """Whether the service settles on one COMPLETED deployment."""
    deadline = time.monotonic() + WAIT_TIMEOUT
    while [item["rolloutState"] for item in production.service()["deployments"]] != ["COMPLETED"]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_what_the_waiters_wait_for_was_not_there_when_it_was_asked_for(waited):
    assert waited[0] == {"service": "IN_PROGRESS", "instance": "creating", "snapshot": "creating"}


@pytest.mark.parametrize("waiter", ["services-stable", "db-instance-available", "db-snapshot-available"])
def test_a_waiter_of_the_aws_cli_ends_with_success(waited, waiter):
    assert waited[1][waiter] == ("", 0)


def test_what_the_waiters_waited_for_is_there(shared_production, waited):
    rds = shared_production.aws("rds")
    assert completed(shared_production)
    assert shared_production.instances()[RESTORED]["DBInstanceStatus"] == "available"
    assert rds.describe_db_snapshots(DBSnapshotIdentifier=SECOND_SNAPSHOT)["DBSnapshots"][0]["Status"] == "available"


def test_modules_of_amazon_aws_read_an_instance_and_take_a_snapshot_once(shared_production, waited, tmp_path):
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    told = tmp_path / "told.json"
    played = shared_production.run(
        ["ansible-playbook", str(tmp_path / "play.yml"), "-i", "localhost,", "-e", f"told={told}"]
    )
    assert played.code == 0, played.output
    answers = json.loads(told.read_text())
    (instance,) = answers["instance"]["instances"]
    assert (instance["db_instance_status"], instance["multi_az"], instance["deletion_protection"]) == (
        "available",
        True,
        True,
    )
    assert instance["tags"] == {"application": "spymeo", "environment": "production"}
    assert answers["snapshot"]["changed"] is True
    assert (answers["snapshot"]["status"], answers["snapshot"]["tags"]["taken-by"]) == ("available", "amazon.aws")
    assert answers["again"]["changed"] is False
    assert played.written == ["rds CreateDBSnapshot"]


def test_ecs_deploy_deploys_and_deregisters_the_revision_it_leaves(shared_production, waited, clients):
    production, ecs = shared_production, shared_production.aws("ecs")
    left = production.service()["taskDefinition"]
    deploy = [
        str(clients / "ecs"),
        "deploy",
        world.CLUSTER,
        world.SERVICE,
        "--timeout",
        "60",
        "-e",
        world.CONTAINER,
        "BANNER",
        "hello",
    ]
    played = production.run(deploy)
    assert played.code == 0, played.output
    assert played.written == ["ecs RegisterTaskDefinition", "ecs UpdateService", "ecs DeregisterTaskDefinition"]
    assert completed(production)  # ecs-deploy itself is content with tasks that run
    service = production.service()
    assert int(service["taskDefinition"].rpartition(":")[2]) == int(left.rpartition(":")[2]) + 1
    arns = ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
    tasks = ecs.describe_tasks(cluster=world.CLUSTER, tasks=arns)["tasks"]
    assert [task["taskDefinitionArn"] for task in tasks] == [service["taskDefinition"]] * world.TASKS
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert {"name": "BANNER", "value": "hello"} in definition["containerDefinitions"][0]["environment"]
    assert ecs.describe_task_definition(taskDefinition=left)["taskDefinition"]["status"] == "INACTIVE"
