# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one run of a command costs: wall and CPU seconds, memory, calls to AWS, module processes."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
BENCH = ROOT / "tests/bench"
# Actions that run in the process of ansible-playbook or in its worker. Every other one starts a Python for its module.
IN_PROCESS = {
    "add_host", "assert", "debug", "fail", "group_by", "import_playbook", "import_role", "import_tasks", "include_role", "include_tasks",
    "include_vars", "meta", "pause", "set_fact", "set_stats", "validate_argument_spec",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Run:
    """One run. `wall` and `cpu` in seconds, `memory` of its largest process in MiB; `began` on the monotonic clock."""

    code: int
    began: float
    wall: float
    cpu: float
    memory: float
    calls: int
    written: list[str]
    processes: int | None  # None: no playbook
    output: str


def run(
    command: list[str], environment: dict[str, str], endpoint_url: str, scratch: pathlib.Path, timeout: float
) -> Run:
    """Run a command to its end, with its whole tree of processes.

    :param timeout: seconds, after which it is killed (subprocess.TimeoutExpired).
    """
    timeline, log, answer = scratch / "timeline.json", scratch / "output", scratch / "answer.json"
    timeline.unlink(missing_ok=True)
    callbacks = {
        "ANSIBLE_CALLBACK_PLUGINS": str(BENCH / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "timeline,spymeo.rollback.progress",
        "SPYMEO_BENCH_TIMELINE": str(timeline),
    }
    before = len(calls(endpoint_url))
    launcher = [sys.executable, "-I", "-S", str(BENCH / "launch.py"), str(answer)]
    with log.open("w") as output:
        subprocess.run(
            [*launcher, *command], cwd=ROOT, env=environment | callbacks, stdout=output, stderr=subprocess.STDOUT,
            timeout=timeout, check=True,
        )  # fmt: skip
    made = calls(endpoint_url)[before:]
    return Run(
        **json.loads(answer.read_text()),
        calls=len(made),
        written=[call["operation"] for call in made if call["writes"]],
        processes=processes(json.loads(timeline.read_text())) if timeline.exists() else None,
        output=log.read_text(),
    )


def calls(endpoint_url: str) -> list[dict]:
    """Every API call that the lab has had."""
    with urllib.request.urlopen(f"{endpoint_url}/_lab/calls") as answer:
        return json.load(answer)


def processes(tasks: list[dict]) -> int:
    """How often a process was started for a module. `tasks` as the callback timeline tells them; each attempt is a process."""
    return sum(task["attempts"] for task in tasks if task["action"].rpartition(".")[2] not in IN_PROCESS)
