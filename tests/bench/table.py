# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers of several runs as a table for people. Pure."""

from __future__ import annotations

import dataclasses
import statistics

COLUMNS = (
    "case",
    "wall s",
    "deployment s",
    "overhead s",
    "budget s",
    "CPU s",
    "memory MiB",
    "calls",
    "writing",
    "processes",
)


@dataclasses.dataclass(frozen=True)
class Row:
    """What the runs of one case came to: a list of numbers for each measure, in the order of the runs."""

    case: str
    budget: float | None  # seconds of overhead
    wall: list[float]
    deployment: list[float]
    cpu: list[float]
    memory: list[float]
    calls: list[int]
    written: list[int]
    processes: list[int]

    @property
    def overhead(self) -> list[float]:
        """What a run takes besides ECS's own deployment."""
        return [wall - deployment for wall, deployment in zip(self.wall, self.deployment, strict=True)]

    @property
    def met(self) -> bool:
        """Whether the median keeps the budget."""
        return self.budget is None or statistics.median(self.overhead) <= self.budget


def spread(values: list[float], digits: int = 1) -> str:
    """Median and range: `5.1 (4.9 to 5.6)`."""
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def table(rows: list[Row]) -> str:
    """A Markdown table, a row a case."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- " + "| ---: " * (len(COLUMNS) - 1) + "|"]
    for row in rows:
        budget = "" if row.budget is None else f"≤ {row.budget:g}" + ("" if row.met else " **missed**")
        cells = [
            row.case, spread(row.wall), spread(row.deployment), spread(row.overhead), budget, spread(row.cpu),
            spread(row.memory, 0), spread(row.calls, 0), spread(row.written, 0), spread(row.processes, 0),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def breakdown(tasks: list[dict], began: float, ended: float) -> str:
    """Where the wall time of one run went, a line a task that took longer than 0.05 s, then what is between them."""
    timed = [
        (task["name"].partition(" : ")[2] or task["name"], task["ended"] - task["began"])
        for task in tasks
        if task["ended"]
    ]
    lines = ["| task | s |", "| --- | ---: |"]
    lines += [f"| {name} | {seconds:.2f} |" for name, seconds in timed if seconds > 0.05]
    rest = ended - began - sum(seconds for _name, seconds in timed if seconds > 0.05)
    return "\n".join([*lines, f"| start, end and small tasks | {rest:.2f} |"])
