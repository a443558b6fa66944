# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is measured: each case breaks the code of a production, brings it back, and makes sure that it is back."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import sys
import time
from collections.abc import Callable

from bench import measure
from bench.table import Row
from spymeo_lab import cli, world
from spymeo_lab.accidents import Pipeline

BIN = pathlib.Path(sys.executable).parent
CLIENTS = measure.ROOT / ".venv-clients/bin"
STEADY_WITHIN = 120  # seconds


class Failed(Exception):
    """A run did not end where it should."""


class Bench:
    """A production, and what people do with it."""

    def __init__(self, state: dict, scratch: pathlib.Path):
        self.state, self.scratch = state, scratch
        self.ecs = world.client("ecs", state["endpoint_url"])

    def push(self, release: str, defect: str) -> dict:
        """Push an image."""
        return cli.control(self.state, "push", release=release, defect=defect)

    def run(self, command: list[str]) -> measure.Run:
        """Run a command as from a shell in which `lab env` was evaluated."""
        environment = {**cli.environment(self.state), "PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(self.scratch)}
        return measure.run(command, environment, self.state["endpoint_url"], self.scratch)

    def play(self, **variables) -> measure.Run:
        """rollback_code.yml."""
        command = [
            "ansible-playbook",
            "playbooks/rollback_code.yml",
            "-i",
            "inventories/lab",
            "-e",
            json.dumps(variables),
        ]
        return self.run([str(BIN / command[0]), *command[1:]])

    def running(self, service: str) -> str:
        """family:revision of a service that is at rest, else empty."""
        found = self.ecs.describe_services(cluster=world.CLUSTER, services=[service])["services"][0]
        first, *others = found["deployments"]
        at_rest = not others and first["rolloutState"] == "COMPLETED" and first["runningCount"] == found["desiredCount"]
        return found["taskDefinition"].rpartition("/")[2] if at_rest else ""

    def wait_for(self, service: str, revision: str) -> None:
        """Until a service is at rest on a revision.

        :raises Failed: it is not in time.
        """
        deadline = time.monotonic() + STEADY_WITHIN
        while self.running(service) != revision:
            if time.monotonic() > deadline:
                raise Failed(f"{service} is not on {revision} after {STEADY_WITHIN} s")
            time.sleep(0.2)

    def deployment_seconds(self, services: list[str]) -> float:
        """From the creation of the first to the end of the last of the newest deployment of each service."""
        newest = [
            self.ecs.list_service_deployments(cluster=world.CLUSTER, service=name)["serviceDeployments"][0]
            for name in services
        ]
        if {item["status"] for item in newest} != {"SUCCESSFUL"}:
            raise Failed(f"deployments ended {[item['status'] for item in newest]}")
        return (max(item["finishedAt"] for item in newest) - min(item["createdAt"] for item in newest)).total_seconds()


def one_service(bench: Bench) -> Callable[[], tuple[measure.Run, float]]:
    """rollback_code.yml for spymeo-app."""

    def measured():
        _break(bench)
        run = bench.play()
        return _proven(bench, run, [world.SERVICE])

    return measured


def ecs_deploy(bench: Bench) -> Callable[[], tuple[measure.Run, float]]:
    """fabfuel's ecs-deploy to the old revision, which it is told; it neither chooses nor verifies."""

    def measured():
        _break(bench)
        command = [str(CLIENTS / "ecs"), "deploy", world.CLUSTER, world.SERVICE, "--task", f"{world.FAMILY}:1"]
        run = bench.run([*command, "--no-deregister", "--timeout", "120"])
        if run.code:
            raise Failed(run.output)
        deadline = time.monotonic() + STEADY_WITHIN
        while not bench.running(world.SERVICE) and time.monotonic() < deadline:
            time.sleep(0.2)  # it is content with tasks that run, before ECS is
        return run, bench.deployment_seconds([world.SERVICE])

    return measured


def many_services(bench: Bench, count: int) -> Callable[[], tuple[measure.Run, float]]:
    """rollback_code.yml for an application of many services; all but one are light stand-ins without a load balancer."""
    workers = [f"spymeo-worker-{number}" for number in range(1, count)]
    for name in workers:
        _make_worker(bench, name)
    _side_by_side(lambda name: bench.wait_for(name, f"{name}:1"), workers)

    def measured():
        _break(bench)
        for name in workers:
            bench.ecs.update_service(cluster=world.CLUSTER, service=name, taskDefinition=f"{name}:2")
        _side_by_side(lambda name: bench.wait_for(name, f"{name}:2"), workers)
        services = [world.SERVICE, *workers]
        run = bench.play(rollback_services=services, rollback_task_definition={name: f"{name}:1" for name in services})
        return _proven(bench, run, services)

    return measured


def repeat(
    case: str, budget: float | None, times: int, measured: Callable[[], tuple[measure.Run, float]]
) -> tuple[Row, measure.Run]:
    """Several runs of one case, and the last of them."""
    found = [measured() for _ in range(times)]
    runs = [run for run, _seconds in found]
    row = Row(
        case, budget, [run.wall for run in runs], [seconds for _run, seconds in found], [run.cpu for run in runs],
        [run.memory for run in runs], [run.calls for run in runs], [len(run.written) for run in runs], [run.processes for run in runs],
    )  # fmt: skip
    return row, runs[-1]


def _break(bench: Bench) -> None:
    """Deploy a release that cannot log anybody in."""
    Pipeline(bench.state).deploy("login-broken", bench.push, lambda text: None)


def _proven(bench: Bench, run: measure.Run, services: list[str]) -> tuple[measure.Run, float]:
    if run.code or set(run.written) != {"UpdateService"} or len(run.written) != len(services):
        raise Failed(run.output)
    for name in services:
        if bench.running(name) != f"{name}:1":
            raise Failed(f"{name} is not on {name}:1\n{run.output}")
    return run, bench.deployment_seconds(services)


def _make_worker(bench: Bench, name: str) -> None:
    ecs = bench.ecs
    definition = ecs.describe_task_definition(taskDefinition=f"{world.FAMILY}:1")["taskDefinition"]
    kept = ("requiresCompatibilities", "networkMode", "cpu", "memory", "executionRoleArn")
    container = {key: definition["containerDefinitions"][0][key] for key in ("name", "image", "logConfiguration")}
    for seconds in (100000, 100001):
        container["command"] = ["sh", "-c", f"echo ready; exec sleep {seconds}"]
        ecs.register_task_definition(
            family=name, containerDefinitions=[container], **{key: definition[key] for key in kept}
        )
    network = ecs.describe_services(cluster=world.CLUSTER, services=[world.SERVICE])["services"][0][
        "networkConfiguration"
    ]
    ecs.create_service(
        cluster=world.CLUSTER, serviceName=name, taskDefinition=f"{name}:1", desiredCount=1, launchType="FARGATE",
        networkConfiguration=network,
    )  # fmt: skip


def _side_by_side(function, items) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(function, items))
