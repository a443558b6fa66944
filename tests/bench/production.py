# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A production that a run of the bench has to itself: broken quickly, rolled back at AWS's pace, and asked whether it is back."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from bench import measure
from bench.sets import Durations
from spymeo_world import cli, world
from spymeo_world.accidents import Pipeline

BIN = pathlib.Path(sys.executable).parent
CLIENTS = measure.ROOT / ".venv-clients/bin"
COLLECTIONS = measure.ROOT / ".cache/bench"
GOOD = "1.0.0"  # the release that is to come back
STEADY_WITHIN = 240  # seconds
LONGEST = 3600  # seconds that a run may take
_numbers = itertools.count(1)


class Failed(Exception):
    """A run did not end where it should."""


class Production:
    """A lab that is up."""

    def __init__(self, state: dict, scratch: pathlib.Path):
        self.state, self.scratch = state, scratch
        self.ecs, self.rds, self.secretsmanager = (self._client(name) for name in ("ecs", "rds", "secretsmanager"))
        self._good_secret = self._secret(world.APP_SECRET)

    def _client(self, name: str):
        return world.client(name, self.state["endpoint_url"])

    def _secret(self, name: str) -> str:
        return self.secretsmanager.get_secret_value(SecretId=name)["SecretString"]

    def fail(self, accident: str) -> None:
        """Deploy release 2.0.0 with this accident."""
        push = lambda release, defect: cli.control(self.state, "push", release=release, defect=defect)  # noqa: E731
        Pipeline(self.state).deploy(accident, push, lambda text: None)

    def pace(self, durations: Durations) -> None:
        """From now on AWS takes this long."""
        cli.control(self.state, "durations", **durations.lab)

    def run(self, command: list[str], **environment: str) -> measure.Run:
        """Run a command as from a shell in which `lab env` was evaluated, and which knows what is to be rolled back."""
        known = self.known()
        base = {
            **cli.environment(self.state),
            **known,
            "BENCH": json.dumps(known),
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.scratch),
            "ANSIBLE_COLLECTIONS_PATH": f"{measure.ROOT}/collections:{COLLECTIONS}",
        }
        return measure.run(command, base | environment, self.state["endpoint_url"], self.scratch, LONGEST)

    def known(self) -> dict[str, str]:
        """What the rivals are told; nobody tells it to ours, whose inventory names services, instance, snapshot and secrets."""
        return {
            "AWS": str(CLIENTS / "aws"),
            "AWS_ENDPOINT_URL": self.state["endpoint_url"],
            "RUN": "by-hand",
            "CLUSTER": world.CLUSTER,
            "SERVICE": world.SERVICE,
            "TASK_DEFINITION": f"{world.FAMILY}:1",
            "DB_INSTANCE": world.DB_INSTANCE,
            "SNAPSHOT": world.SNAPSHOT,
            "DATABASE_SECRET": world.DATABASE_SECRET,
            "APP_SECRET": world.APP_SECRET,
            "HEALTH_URL": self.state["health_url"],
        }

    def prove_code(self, services: list[str]) -> None:
        """The good release serves, and ECS is at rest.

        :raises Failed: it does not.
        """
        deadline = time.monotonic() + STEADY_WITHIN
        for name in services:
            while (image := self._image_at_rest(name)).rpartition(":")[2] != GOOD:
                if time.monotonic() > deadline:
                    raise Failed(f"{name} runs {image or 'a deployment'} {STEADY_WITHIN} s after the rollback")
                time.sleep(0.2)  # some are content with tasks that run, before ECS is
        if world.SERVICE in services and not (answer := world.health(self.state["health_url"])).startswith("200 "):
            raise Failed(f"{self.state['health_url']} answers {answer}")

    def prove_database(self, failed: str, secret: str) -> None:
        """The secret's URL names another instance than the failed one, which answers, in the same security groups.

        :raises Failed: it does not.
        """
        found = {each["DBInstanceIdentifier"]: each for each in self.rds.describe_db_instances()["DBInstances"]}
        old, url = found.pop(failed), self._secret(secret)
        used = [each for each in found.values() if f"@{each['Endpoint']['Address']}:" in url]
        if len(used) != 1 or used[0]["DBInstanceStatus"] not in ("available", "backing-up"):
            raise Failed(f"{secret} does not name a restored instance")
        if used[0]["VpcSecurityGroups"] != old["VpcSecurityGroups"]:
            raise Failed(f"{used[0]['DBInstanceIdentifier']} has not the security groups of {failed}")

    def prove_full(self) -> None:
        """Code, database and secret are back.

        :raises Failed: one of them is not.
        """
        self.prove_code([world.SERVICE])
        self.prove_database(world.DB_INSTANCE, world.DATABASE_SECRET)
        if self._secret(world.APP_SECRET) != self._good_secret:
            raise Failed(f"{world.APP_SECRET} is not what it was")

    def _image_at_rest(self, service: str) -> str:
        found = self.ecs.describe_services(cluster=world.CLUSTER, services=[service])["services"][0]
        if [each["rolloutState"] for each in found["deployments"]] != ["COMPLETED"]:
            return ""
        definition = self.ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
        return definition["containerDefinitions"][0]["image"].partition("@")[0]

    def deployment_seconds(self, services: list[str]) -> float:
        """From the creation of the first to the end of the last of the newest deployment of each service."""
        newest = [
            self.ecs.list_service_deployments(cluster=world.CLUSTER, service=name)["serviceDeployments"][0]
            for name in services
        ]
        if {item["status"] for item in newest} != {"SUCCESSFUL"}:
            raise Failed(f"deployments ended {[item['status'] for item in newest]}")
        return (max(item["finishedAt"] for item in newest) - min(item["createdAt"] for item in newest)).total_seconds()


@contextlib.contextmanager
def production(*options: str) -> Iterator[Production]:
    """A lab of its own, started with these options of `lab up`, and gone at the end."""
    name = f"bench-{os.getpid()}-{next(_numbers)}"
    _lab("up", "--name", name, "--owner", str(os.getpid()), *options)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            yield Production(cli.running(name), pathlib.Path(scratch))
    finally:
        _lab("down", "--name", name, check=False)  # one that is slow to go says so and goes; the run is measured


def _lab(*arguments: str, check: bool = True) -> None:
    subprocess.run([str(measure.ROOT / "lab/lab"), *arguments], check=check, stdout=subprocess.DEVNULL)
