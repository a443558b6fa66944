# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one run of a command costs: wall and CPU seconds, memory, calls to AWS, module processes."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
OURS = "spymeo.rollback."


@dataclasses.dataclass(frozen=True)
class Run:
    """One run. `wall` and `cpu` in seconds, `memory` of its largest process in MiB; `tasks` as the callback timeline tells them."""

    code: int
    wall: float
    cpu: float
    memory: float
    calls: int
    written: list[str]
    tasks: list[dict]
    output: str

    @property
    def processes(self) -> int:
        """Tasks that started a process for a module of ours."""
        return sum(task["action"].startswith(OURS) for task in self.tasks)


def run(command: list[str], environment: dict[str, str], endpoint_url: str, scratch: pathlib.Path) -> Run:
    """Run a command to its end, with its whole tree of processes."""
    timeline, log = scratch / "timeline.json", scratch / "output"
    timeline.unlink(missing_ok=True)
    callbacks = {
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/bench/callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "timeline,spymeo.rollback.progress",
        "SPYMEO_BENCH_TIMELINE": str(timeline),
    }
    before = len(calls(endpoint_url))
    began = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment | callbacks, stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    made = calls(endpoint_url)[before:]
    return Run(
        code=os.waitstatus_to_exitcode(status),
        wall=wall,
        cpu=used.ru_utime + used.ru_stime,
        memory=used.ru_maxrss / 1024,
        calls=len(made),
        written=[call["operation"] for call in made if call["writes"]],
        tasks=json.loads(timeline.read_text()) if timeline.exists() else [],
        output=log.read_text(),
    )


def calls(endpoint_url: str) -> list[dict]:
    """Every API call that the lab has had."""
    with urllib.request.urlopen(f"{endpoint_url}/_lab/calls") as answer:
        return json.load(answer)
