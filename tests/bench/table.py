# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers of several runs as tables for people, in Markdown. Pure."""

from __future__ import annotations

import statistics

from bench.results import Row, Table

# What a measure is called, and how many digits it has.
HEADS = {
    "wall": ("wall s", 1),
    "ratio": ("wall ÷ critical path", 2),
    "over": ("over AWS's own s", 1),
    "served": ("SERVED s", 1),
    "late": ("later than possible s", 1),
    "cpu": ("CPU s", 1),
    "memory": ("memory MiB", 0),
    "calls": ("calls", 0),
    "writing": ("writing", 0),
    "processes": ("module processes", 0),
}


def spread(values: list[float], digits: int = 1) -> str:
    """Median and range: `5.1 (4.9 to 5.6)`; empty for nothing."""
    if not values:
        return ""
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def cell(row: Row, measure: str) -> str:
    """One measure of one case, with its budget where it has one."""
    digits = HEADS[measure][1]
    told = spread(row.values(measure), digits)
    if measure not in row.budgets:
        return told
    verdict = ", **missed**" if measure in row.missed else ""
    return f"{told}; budget {row.budgets[measure]:g}{verdict}"


def markdown(table: Table) -> str:
    """A heading, what the table is about, when it was measured, and a line a case."""
    heads = ["case", *(HEADS[measure][0] for measure in table.shown)]
    about = f"{table.about} Measured {table.when}." if table.when else table.about
    lines = [f"## {table.title}", "", about, "", "| " + " | ".join(heads) + " |"]
    lines.append("| --- |" + " ---: |" * len(table.shown))
    for row in table.rows:
        lines.append("| " + " | ".join([row.case, *(cell(row, measure) for measure in table.shown)]) + " |")
    return "\n".join(lines)


def document(machine: dict[str, str], tables: list[Table]) -> str:
    """The whole page."""
    told = "\n".join(f"- {key}: {value}" for key, value in machine.items())
    head = "# Measured\n\nMade by `make bench`; [performance.md](../performance.md) explains it. Median (least to most) of the runs.\n"
    return "\n\n".join([head + "\n" + told, *(markdown(table) for table in tables)]) + "\n"
