# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What triage takes where the tasks have logged so many lines within the last hour: `python -m bench.triage 1000000`.

The whole playbook on a lab of its own, through the lab's CloudWatch Logs. `python -m bench.logs` measures the reader alone, with larger logs.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import sys
import time

from bench import logs, measure
from bench.cases import playbook
from bench.production import Failed, Production, production
from spymeo_world import cli, world

WITHIN = 3300  # seconds before now; triage reads the last hour
A_CALL = 5_000  # events of PutLogEvents, which takes 1 MiB
OLDER = 70.0  # minutes that the tasks have run for
READ = re.compile(r"(?P<errors>\d+) errors? of (?P<kinds>\d+) kinds? in the logs")
LATE = "time was up"


@dataclasses.dataclass(frozen=True)
class Cost:
    """What triage.yml took with so many lines: seconds from its start to its end, CPU seconds, MiB of its largest process, and the errors it told.

    `late`: whether its limit came before the lines were read.
    """

    lines: int
    wall: float
    cpu: float
    mebibytes: float
    errors: int
    late: bool


def fill(lab: Production, lines: int) -> None:
    """Have the running tasks have logged so many lines, in turn."""
    cli.control(lab.state, "age_tasks", minutes=OLDER)
    tasks = lab.ecs.list_tasks(cluster=world.CLUSTER, serviceName=world.SERVICE)["taskArns"]
    running = {arn.rpartition("/")[2] for arn in tasks}
    client = world.client("logs", lab.state["endpoint_url"])
    streams = [
        item["logStreamName"] for item in client.describe_log_streams(logGroupName=world.LOG_GROUP)["logStreams"]
    ]
    streams = [name for name in streams if name.rpartition("/")[2] in running]
    began = (time.time() - WITHIN) * 1000
    each = lines // len(streams)
    for stream in streams:
        for start in range(0, each, A_CALL):
            events = [
                {"timestamp": int(began + number * WITHIN * 1000 / each), "message": logs.message(number)}
                for number in range(start, min(start + A_CALL, each))
            ]
            client.put_log_events(logGroupName=world.LOG_GROUP, logStreamName=stream, logEvents=events)


def run(lines: int) -> Cost:
    """Play triage.yml on a lab of its own.

    :raises Failed: it did not end well, or says nothing of the errors that are there.
    """
    with production() as lab:
        fill(lab, lines)
        played = lab.run(playbook(measure.ROOT / "playbooks/triage.yml", pathlib.Path("inventories/lab")))
    told = READ.search(played.output)
    if played.code or told is None:
        raise Failed(played.output)
    return Cost(lines, played.wall, played.cpu, played.memory, int(told["errors"]), LATE in played.output)


if __name__ == "__main__":
    for size in map(int, sys.argv[1:]):
        cost = run(size)
        print(
            f"{cost.lines} lines: {cost.wall:.1f} s, {cost.cpu:.1f} CPU s, {cost.mebibytes:.0f} MiB, {cost.errors} errors"
            f"{', and its time was up' if cost.late else ''}"
        )
