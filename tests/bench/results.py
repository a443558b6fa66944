# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the bench has found, as it is kept: samples of cases, their medians, the budgets. Pure."""

from __future__ import annotations

import dataclasses
import statistics

MEASURES = ("wall", "ratio", "over", "served", "late", "cpu", "memory", "calls", "writing", "processes")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run: seconds, MiB, and counts. `critical` is what AWS itself takes; `processes` is None where no playbook ran.

    `served` is when users were served, and `servable` when they could have been: restored, deployed, healthy. None where that is not measured.
    """

    wall: float
    critical: float
    cpu: float
    memory: float
    calls: int
    writing: int
    processes: int | None = None
    served: float | None = None
    servable: float | None = None

    @property
    def ratio(self) -> float:
        """Wall time by AWS's own."""
        return self.wall / self.critical

    @property
    def over(self) -> float:
        """Seconds beyond AWS's own."""
        return self.wall - self.critical

    @property
    def late(self) -> float | None:
        """Seconds from when users could have been served until they were."""
        return None if self.served is None or self.servable is None else self.served - self.servable


@dataclasses.dataclass(frozen=True)
class Row:
    """The runs of one case. `size` is the number of services or applications where there are several."""

    case: str
    samples: list[Sample]
    budgets: dict[str, float] = dataclasses.field(default_factory=dict)
    size: int = 1

    def values(self, measure: str) -> list[float]:
        """One of MEASURES, run by run; empty where it was not measured."""
        return [value for each in self.samples if (value := getattr(each, measure)) is not None]

    def median(self, measure: str) -> float:
        """The median of one of MEASURES."""
        return statistics.median(self.values(measure))

    @property
    def missed(self) -> list[str]:
        """The measures whose median is beyond its budget."""
        return [measure for measure, most in self.budgets.items() if self.median(measure) > most]


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows that belong side by side. `name` is the part of the bench, `shown` are the measures that its readers want, `when` it was measured."""

    name: str
    title: str
    about: str
    shown: tuple[str, ...]
    rows: list[Row]
    when: str = ""


def to_json(machine: dict[str, str], tables: list[Table]) -> dict:
    """Everything, as JSON types."""
    return {"machine": machine, "tables": [dataclasses.asdict(table) for table in tables]}


def from_json(stored: dict) -> tuple[dict[str, str], list[Table]]:
    """The inverse of to_json."""
    tables = [
        Table(
            table["name"],
            table["title"],
            table["about"],
            tuple(table["shown"]),
            [Row(**{**row, "samples": [Sample(**each) for each in row["samples"]]}) for row in table["rows"]],
            table["when"],
        )
        for table in stored["tables"]
    ]
    return stored["machine"], tables


def growth_missed(rows: list[Row], size: int, most: float) -> str | None:
    """What to say when the wall time of `size` is more than `most` times that of one; None when it is not, or not known."""
    walls = {row.size: row.median("wall") for row in rows}
    if size not in walls or 1 not in walls or walls[size] <= most * walls[1]:
        return None
    return f"{size} take {walls[size] / walls[1]:.2f} times as long as one; the budget is {most}"
