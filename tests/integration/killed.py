# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs that are killed: how they are started, and what production comes to, as AWS tells it."""

from __future__ import annotations

import collections
import json
import pathlib
import re
import subprocess

from spymeo_lab import world

from .conftest import BIN, ROOT

LEASE = 2  # seconds; a dead run's lock is free after so long
PATIENCE = 240  # seconds for one play
RUN_ID = re.compile(r"-?rb-\d{8}-\d{6}|-?(kill|undo|run)-[a-z0-9-]+")
COMMAND = ["ansible-playbook", "-i", "inventories/lab"]


def start(production, playbook: str, *arguments: str) -> subprocess.Popen:
    """A play that may be killed; it is the head of everything that it starts."""
    return subprocess.Popen(
        [BIN / COMMAND[0], f"playbooks/{playbook}.yml", *COMMAND[1:], "-e", f"rollback_lease={LEASE}", *arguments],
        cwd=ROOT,
        env=production.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def play_until(production, when: str, playbook: str, *arguments: str, call: int = 1, operation: str = ""):
    """Play, and kill it at a writing call. Exit code (-9: killed), what was printed, and at which operations it was killed."""
    process = start(production, playbook, *arguments)
    production.control("interrupt", when=when, pid=process.pid, call=call, operation=operation)
    return ended(production, process)


def ended(production, process: subprocess.Popen) -> tuple[int, str, list[str]]:
    """Wait for a play. Exit code, what was printed, and at which operations it was interrupted."""
    output, _none = process.communicate(timeout=PATIENCE)
    return process.returncode, output, production.control("interrupted")["happened_at"]


def end_state(production) -> dict:
    """What production has come to, without the names and ids that differ from run to run."""
    ecs, rds = production.aws("ecs"), production.aws("rds")
    service = ecs.describe_services(cluster=world.CLUSTER, services=[world.SERVICE], include=["TAGS"])["services"][0]
    history = ecs.list_service_deployments(cluster=world.CLUSTER, service=world.SERVICE)["serviceDeployments"]
    instances = production.instances()
    hosts = {item["Endpoint"]["Address"]: plain(name) for name, item in instances.items() if "Endpoint" in item}
    snapshots = rds.describe_db_snapshots()["DBSnapshots"]
    return {
        "instances": sorted((plain(name), item["DBInstanceStatus"]) for name, item in instances.items()),
        "snapshots": sorted((plain(item["DBSnapshotIdentifier"]), item["Status"]) for item in snapshots),
        "database": next((name for host, name in hosts.items() if f"@{host}:" in production.database_url()), None),
        "secrets": {name: labels(production, name) for name in (world.DATABASE_SECRET, world.APP_SECRET)},
        "app secret": json.loads(
            production.aws("secretsmanager").get_secret_value(SecretId=world.APP_SECRET)["SecretString"]
        ),
        "service": {
            "task definition": service["taskDefinition"].rpartition("/")[2],
            "desired": service["desiredCount"],
            "tags": service.get("tags", []),
        },
        "deployments": [item["status"] for item in history],
        "task definitions": len(ecs.list_task_definitions()["taskDefinitionArns"]),
    }


def plain(name: str) -> str:
    """A name without the id of its run."""
    return RUN_ID.sub("-RUN", name)


def labels(production, secret: str) -> dict[str, int]:
    """How many versions a secret has, and how often each label is given."""
    listed = production.aws("secretsmanager").list_secret_version_ids(SecretId=secret, IncludeDeprecated=True)
    counted = collections.Counter(label for item in listed["Versions"] for label in item.get("VersionStages", []))
    return {"versions": len(listed["Versions"]), **{plain(label): number for label, number in counted.items()}}


def journal(production, run_id: str) -> list[tuple[str, str]]:
    """(operation, outcome) of each writing call of a run, as its journal has them."""
    folder = f"{production.state['directory']}/rollback-store/lab/spymeo-lab/journal/{run_id}"
    entries = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).iterdir())]
    return [(entry["operation"], entry["outcome"]) for entry in entries]
