# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks that are killed at a call to AWS, and what production comes to all the same."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

from loopback_aws.lifecycle import control

from . import cli, world

ROOT = pathlib.Path(__file__).parents[2]
LEASE = 2  # seconds; a dead run's lock is free after so long
PATIENCE = 300  # seconds for one play, on a machine that is busy with others
RUN_ID = re.compile(r"-?rb-[0-9]{8}-[0-9]{6}|-?kill-[a-z0-9-]+")


def start(state: dict[str, Any], playbook: str, *arguments: str) -> subprocess.Popen[str]:
    """A play on the lab, that may be killed."""
    binaries = pathlib.Path(sys.executable).parent
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "SPYMEO_"))}
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    command = [f"playbooks/{playbook}.yml", "-i", "inventories/lab", "-e", f"rollback_lease={LEASE}", *arguments]
    return subprocess.Popen(
        [binaries / "ansible-playbook", *command],
        cwd=ROOT,
        env={**kept, **cli.environment(state), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def play(
    state: dict[str, Any], playbook: str, *arguments: str, when: str = "", call: int = 1, operation: str = ""
) -> tuple[int, str, list[str]]:
    """Play to the end, or until it is killed at a writing call.

    Gives the exit code (-9: killed), what was printed, and at which operations an interruption came.
    """
    process = start(state, playbook, *arguments)
    if when:
        control(state, "interrupt", when=when, pid=process.pid, call=call, operation=operation)
    output, _none = process.communicate(timeout=PATIENCE)
    return process.returncode, output, control(state, "interrupted")["happened_at"]


def production(state: dict[str, Any]) -> dict[str, Any]:
    """What production is now, without the names and ids that differ from run to run."""
    ecs, rds, secrets = (world.client(name, state["endpoint_url"]) for name in ("ecs", "rds", "secretsmanager"))
    service = ecs.describe_services(cluster=world.CLUSTER, services=[world.SERVICE], include=["TAGS"])["services"][0]
    history = ecs.list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)["serviceDeployments"]
    instances = rds.describe_db_instances()["DBInstances"]
    snapshots = rds.describe_db_snapshots()["DBSnapshots"]
    url = secrets.get_secret_value(SecretId=world.DATABASE_SECRET)["SecretString"]
    value = secrets.get_secret_value(SecretId=world.APP_SECRET)["SecretString"]
    hosts = {item["Endpoint"]["Address"]: item["DBInstanceIdentifier"] for item in instances if "Endpoint" in item}
    return {
        "instances": sorted([plain(item["DBInstanceIdentifier"]), item["DBInstanceStatus"]] for item in instances),
        "snapshots": sorted([plain(item["DBSnapshotIdentifier"]), item["Status"]] for item in snapshots),
        "database": next((plain(name) for host, name in hosts.items() if f"@{host}:" in url), None),
        "app secret": json.loads(value),
        "versions": {name: versions(secrets, name) for name in (world.DATABASE_SECRET, world.APP_SECRET)},
        "service": [service["taskDefinition"].rpartition("/")[2], service["desiredCount"], service.get("tags", [])],
        "deployments": [item["status"] for item in history],
        "task definitions": len(ecs.list_task_definitions()["taskDefinitionArns"]),
    }


def plain(name: str) -> str:
    """A name without the id of its run."""
    return RUN_ID.sub("-RUN", name)


def versions(secrets: Any, name: str) -> dict[str, int]:
    """How many versions a secret has, and how often each label is given."""
    listed = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    labels = collections.Counter(plain(label) for item in listed for label in item.get("VersionStages", []))
    return {"all": len(listed), **labels}


def journal(state: dict[str, Any], run_id: str) -> list[tuple[str, str]]:
    """(operation, outcome) of each writing call of a run, as its journal has them."""
    folder = pathlib.Path(state["directory"]) / f"rollback-store/lab/spymeo-lab/journal/{run_id}"
    entries = [json.loads(path.read_text()) for path in sorted(folder.iterdir())]
    return [(entry["operation"], entry["outcome"]) for entry in entries]
