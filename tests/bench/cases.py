# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is measured: ours and its rivals, each on a production of its own that has been broken, and that must be back afterwards."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from collections.abc import Callable

from bench import measure
from bench.production import BIN, CLIENTS, Failed, Production, production
from bench.results import Sample
from bench.sets import Durations
from spymeo_world import fleet, world

RIVALS = measure.BENCH / "rivals"
OURS = "spymeo.rollback"
SERVED = re.compile(r"SERVED +after (\d+):(\d\d)")
ACCIDENT = {"full": "full", "code": "login-broken"}


@dataclasses.dataclass(frozen=True)
class Case:
    """One way to roll back. `kind` is full or code."""

    name: str
    kind: str
    command: Callable[[Production], list[str]]


def playbook(path: pathlib.Path | str, inventory: pathlib.Path | str, **variables) -> list[str]:
    """ansible-playbook with variables on the command line."""
    extra = ["-e", json.dumps(variables)] if variables else []
    return [str(BIN / "ansible-playbook"), str(path), "-i", str(inventory), *extra]


def ours(kind: str) -> Case:
    """Our playbook with the inventory of the lab: it chooses, checks, waits and verifies."""
    return Case(OURS, kind, lambda _production: playbook(f"playbooks/rollback_{kind}.yml", "inventories/lab"))


def rivals(kind: str) -> list[Case]:
    """What people would use instead. All of them are told what ours finds out, and none of them verifies more than the health."""
    modules = playbook(RIVALS / f"modules_{kind}.yml", "localhost,")
    told = [
        Case(
            "threads script, the limit",
            kind,
            lambda _production: [str(BIN / "python"), str(RIVALS / "threads.py"), kind],
        ),
        Case("runbook, AWS CLI and its waiters", kind, lambda _production: [str(RIVALS / f"runbook_{kind}.sh")]),
        Case("runbook, amazon.aws and community.aws", kind, lambda _production: modules),
    ]
    if kind == "code":
        deploy = [
            "deploy",
            world.CLUSTER,
            world.SERVICE,
            "--task",
            f"{world.FAMILY}:1",
            "--no-deregister",
            "--timeout",
            "600",
        ]
        told.append(Case("fabfuel ecs-deploy", kind, lambda _production: [str(CLIENTS / "ecs"), *deploy]))
    return told


def run(case: Case, durations: Durations) -> Sample:
    """Break a production, roll it back in this way, make sure that it is back.

    :raises Failed: the command failed, or production is not back.
    """
    with production() as broken:
        broken.fail(ACCIDENT[case.kind])
        done = _at_pace(broken, durations, case.command(broken))
        if case.kind == "full":
            broken.prove_full()
            return sample(done, durations.full)
        broken.prove_code([world.SERVICE])
        return sample(done, broken.deployment_seconds([world.SERVICE]))


def run_today(accident: str, durations: Durations) -> Sample:
    """Ours after an accident, with both clocks: users are served long before AWS has drained, backed up and copied.

    :raises Failed: the command failed, production is not back, or the run does not tell when it served.
    """
    with production() as broken:
        broken.fail(accident)
        done = _at_pace(broken, durations, ours("full").command(broken))
        broken.prove_full()
        told = SERVED.search(done.output)
        if not told:
            raise Failed(f"the run does not tell when it served:\n{done.output}")
        clocks = {
            "served": 60.0 * int(told[1]) + int(told[2]),
            "servable": durations.restore + durations.deployment,
        }
        return dataclasses.replace(sample(done, durations.full), **clocks)


def run_services(count: int, durations: Durations) -> Sample:
    """Code rollback of an application with so many services, all of them stand-ins without a load balancer."""
    with production("--services", str(count)) as broken:
        services = broken.state["fleet"]["services"]
        fleet.break_all(broken.state["endpoint_url"], services)
        command = playbook("playbooks/rollback_code.yml", "inventories/lab", rollback_services=services)
        done = _at_pace(broken, durations, command)
        broken.prove_code(services)
        return sample(done, broken.deployment_seconds(services))


def run_applications(count: int, durations: Durations) -> Sample:
    """Full rollback of so many applications, each a host of one inventory, with a fork each."""
    with production("--applications", str(count)) as broken:
        applications = broken.state["fleet"]["applications"]
        fleet.break_all(broken.state["endpoint_url"], [each["name"] for each in applications])
        inventory = _inventory(broken, applications)
        command = playbook("playbooks/rollback_full.yml", inventory, verify_scenarios=[], rollback_several_hosts=True)
        done = _at_pace(broken, durations, command, ANSIBLE_FORKS=str(count))
        broken.prove_code([each["name"] for each in applications])
        for each in applications:
            broken.prove_database(each["db_instance"], each["database_secret"])
        return sample(done, durations.full)


def _inventory(broken: Production, applications: list[dict]) -> pathlib.Path:
    """A host for each application; what they share is what inventories/lab says."""
    folder = broken.scratch / "inventory"
    folder.mkdir()
    (folder / "group_vars").symlink_to(measure.ROOT / "inventories/lab/group_vars")
    hosts = {
        each["name"]: {
            "rollback_services": [each["name"]],
            "rollback_db_instance": each["db_instance"],
            "rollback_snapshot": each["snapshot"],
            "rollback_database_secret": each["database_secret"],
            "rollback_secrets": [],
        }
        for each in applications
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    return folder


def sample(done: measure.Run, critical: float) -> Sample:
    """What of a run is kept. `critical`: seconds that AWS itself takes."""
    return Sample(
        wall=done.wall, critical=critical, cpu=done.cpu, memory=done.memory, calls=done.calls, writing=len(done.written),
        processes=done.processes,
    )  # fmt: skip


def _at_pace(broken: Production, durations: Durations, command: list[str], **environment: str) -> measure.Run:
    """Run a command while AWS takes its time; whoever looks afterwards need not wait for each call.

    :raises Failed: it failed.
    """
    broken.pace(durations)
    done = broken.run(command, **environment)
    broken.pace(dataclasses.replace(durations, call=0.0))
    if done.code:
        raise Failed(done.output)
    return done
