# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Full rollbacks with crash loops, failing health checks, scaling and kills, as seeds choose them, in one lab that is made anew each time. PostgreSQL's own
log tells afterwards that no task of the bad release, which migrates at its start, has opened a session on the restored database.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import random
import sys
import threading
import time
from typing import Any

from botocore.exceptions import ClientError

from loopback_aws.interruption import AFTER, BEFORE, UNHEARD
from loopback_aws.lifecycle import control, start_clean

from . import cli, killing, world
from .accidents import Pipeline

GOOD, BAD = f"{world.FAMILY} 1.0.0", f"{world.FAMILY} 2.0.0"
SLOW = {
    "task_pull": 0.8,
    "health_check_interval": 0.6,
    "deregistration_delay": 2.0,
}  # so that there is time for something to happen
TRIES = 3  # plays of one run; the last one is left in peace


@dataclasses.dataclass(frozen=True)
class Story:
    """What a seed has chosen."""

    accident: str
    percent: tuple[int, int]
    breaker: bool
    deployment: str
    fence: str
    troubles: tuple[str, ...]
    kills: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, seed: int) -> Story:
        """The story of a seed."""
        chance = random.Random(seed)
        return cls(
            accident=chance.choice(["full", "bad-migration"]),
            percent=chance.choice([(0, 100), (100, 200), (50, 150)]),
            breaker=chance.random() < 0.4,
            deployment=chance.choice(["as_configured", "fast"]),
            fence=chance.choice(["auto", "none"]),
            troubles=tuple(name for name in ("scale", "end", "ill") if chance.random() < 0.5),
            kills=tuple(
                (chance.randint(1, 24), chance.choice([BEFORE, AFTER, UNHEARD])) for _ in range(chance.randint(0, TRIES - 1))
            ),
        )  # fmt: skip


class Production:
    """The lab, as `heal` makes it, and what happens to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: dict[str, Any] = {}

    def command(self, *arguments: str) -> None:
        """A command of the lab; what it prints is nobody's."""
        with contextlib.redirect_stdout(sys.stderr):
            options = cli.parser().parse_args([*arguments, "--name", self.name])
            options.run(options)
        self.state = {} if arguments[0] == "down" else cli.running(self.name)

    def aws(self, service: str) -> Any:
        """A stock boto3 client."""
        return world.client(service, self.state["endpoint_url"])

    def service(self) -> dict[str, Any]:
        """The service as DescribeServices tells it."""
        found: dict[str, Any] = self.aws("ecs").describe_services(cluster=world.CLUSTER, services=[world.SERVICE])[
            "services"
        ][0]
        return found

    def update(self, **settings: Any) -> None:
        """UpdateService."""
        self.aws("ecs").update_service(cluster=world.CLUSTER, service=world.SERVICE, **settings)

    def break_it(self, story: Story) -> str:
        """The accident. Gives the ARN of the bad task definition."""
        push = lambda release, defect: control(self.state, "push", release=release, defect=defect)  # noqa: E731
        Pipeline(self.state).deploy(story.accident, push, lambda _text: None, at_start=True)
        low, high = story.percent
        breaker = {"enable": story.breaker, "rollback": story.breaker}
        self.update(
            deploymentConfiguration={
                "minimumHealthyPercent": low,
                "maximumPercent": high,
                "deploymentCircuitBreaker": breaker,
            },
            healthCheckGracePeriodSeconds=0,
        )
        control(self.state, "durations", **SLOW)
        return str(self.service()["taskDefinition"])

    def health_path(self, path: str) -> None:
        """Where the load balancer asks whether a task is well."""
        self.aws("elbv2").modify_target_group(TargetGroupArn=self.state["target_group_arn"], HealthCheckPath=path)

    def trouble(self, story: Story, bad: str, over: threading.Event, chance: random.Random) -> None:
        """Whatever the story has, again and again, until it is over."""
        while not over.wait(chance.uniform(0.2, 0.8)) and story.troubles:
            with contextlib.suppress(ClientError, StopIteration):
                {"scale": self._scale, "end": self._end, "ill": self._ill}[chance.choice(story.troubles)](bad, chance)

    def _scale(self, bad: str, chance: random.Random) -> None:
        """Autoscaling, which is suspended while services are fenced: it comes once something else is deployed."""
        if self.service()["taskDefinition"] != bad:
            self.update(desiredCount=chance.randint(2, 4))

    def _end(self, bad: str, _chance: random.Random) -> None:
        """A task of the bad release ends, as one on a machine that fails."""
        ecs = self.aws("ecs")
        arns = ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
        tasks = ecs.describe_tasks(cluster=world.CLUSTER, tasks=arns)["tasks"]
        ecs.stop_task(
            cluster=world.CLUSTER, task=next(task["taskArn"] for task in tasks if task["taskDefinitionArn"] == bad)
        )

    def _ill(self, _bad: str, chance: random.Random) -> None:
        """Nothing is well for a while."""
        self.health_path("/nothing")
        time.sleep(chance.uniform(0.5, 2.0))
        self.health_path(world.HEALTH_PATH)


def play(production: Production, seed: int) -> tuple[Story, int, set[str]]:
    """Play a seed. Gives its story, the exit code of the last play, and who has come to the restored database."""
    story, run_id = Story.of(seed), f"kill-{seed}"
    bad = production.break_it(story)
    given = ["-e", f"rollback_run_id={run_id}", "-e", f"rollback_deployment={story.deployment}"]
    given += ["-e", f"rollback_fence={story.fence}", "-e", "rollback_deploy_timeout=60"]
    for number in range(TRIES):
        last, over = number == TRIES - 1, threading.Event()
        kill: dict[str, Any] = (
            dict(zip(("call", "when"), story.kills[number], strict=True)) if number < len(story.kills) else {}
        )
        troubles = threading.Thread(
            target=production.trouble, args=(story, bad, over, random.Random(seed * TRIES + number))
        )
        if not last:
            troubles.start()
        try:
            code, output, _at = killing.play(production.state, "rollback_full", *given, **kill)
        finally:
            over.set()
            if not last:
                troubles.join()
            production.health_path(world.HEALTH_PATH)
        if code == 0:
            break
    print(output if code else "", file=sys.stderr)
    new = f"{world.DB_INSTANCE}-{run_id}"
    there = {item["DBInstanceIdentifier"] for item in production.aws("rds").describe_db_instances()["DBInstances"]}
    return story, code, set(control(production.state, "sessions", db_instance=new)["of"]) if new in there else set()


def main() -> int:
    """0 when no task of the bad release has come to the restored database, and most runs have ended well."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=200, help="how many seeds are played (200)")
    options.add_argument("--seed", type=int, default=1, help="the first of them")
    given = options.parse_args()
    start_clean()
    production, well = Production(f"no-bad-session-{os.getpid()}"), 0
    production.command("up", "--owner", str(os.getpid()))
    try:
        for number, seed in enumerate(range(given.seed, given.seed + given.times)):
            if number:
                production.command("heal")
            story, code, sessions = play(production, seed)
            print(
                f"seed {seed}: exit code {code}; came: {', '.join(sorted(sessions)) or 'nobody'}; {story}", flush=True
            )
            if BAD in sessions or (code == 0 and GOOD not in sessions):
                print(f"FAILED: lab/no-bad-session --times 1 --seed {seed}", file=sys.stderr)
                return 1
            well += code == 0
    finally:
        production.command("down")
    print(f"{given.times} seeds, {well} ended well, 0 sessions of the bad release on a restored database")
    return 0 if well * 2 >= given.times else 1


if __name__ == "__main__":
    sys.exit(main())
