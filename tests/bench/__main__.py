# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""make bench: how long a code rollback takes besides ECS's own work, side by side with fabfuel's ecs-deploy."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import sys
import tempfile

from bench import cases, measure, table
from spymeo_lab import cli

RESULTS = measure.ROOT / "tests/output/bench"
MANY = 20
BUDGET_ONE, BUDGET_MANY = 6.0, 12.0  # seconds over the deployment itself


def main() -> int:
    """Measure, print, keep. 1 when a budget is missed or a run did not end where it should."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=5, help="how often each case is run (5)")
    times = options.parse_args().times
    name = f"bench-{os.getpid()}"
    cli.up(cli.parser().parse_args(["up", "--name", name, "--owner", str(os.getpid())]))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            rows, last = _measure(cases.Bench(cli.running(name), pathlib.Path(scratch)), times)
    except cases.Failed as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    finally:
        cli.down(cli.parser().parse_args(["down", "--name", name]))
    _keep(rows, last)
    return 0 if all(row.met for row in rows) else 1


def _measure(bench: cases.Bench, times: int) -> tuple[list[table.Row], measure.Run]:
    one, last = cases.repeat("rollback_code, 1 service", BUDGET_ONE, times, cases.one_service(bench))
    rival, _run = cases.repeat("ecs-deploy, 1 service, told the revision", None, times, cases.ecs_deploy(bench))
    many = cases.many_services(bench, MANY)
    row, _run = cases.repeat(f"rollback_code, {MANY} services", BUDGET_MANY, times, many)
    return [one, rival, row], last


def _keep(rows: list[table.Row], last: measure.Run) -> None:
    tasks = last.tasks
    told = "\n\n".join(
        [
            f"{os.cpu_count()} cores, Python {platform.python_version()}, load before and after {os.getloadavg()[0]:.1f}",
            table.table(rows),
            "Where one run of the first case went:",
            table.breakdown(tasks, 0.0, last.wall),
        ]
    )
    print(told)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "bench.md").write_text(told + "\n")
    (RESULTS / "bench.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    sys.exit(main())
