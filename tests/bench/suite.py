# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which runs make which table, how often, and what we have promised of ours."""

from __future__ import annotations

import concurrent.futures
import sys
import time
from collections.abc import Callable, Iterator

from bench import cases
from bench.results import Row, Sample, Table, growth_missed
from bench.sets import LARGE, QUICK, SMALL, TODAY, Durations

PARTS = ("full", "today", "code", "services", "applications", "large")
SERVICES, APPLICATIONS = (1, 10, 50, 100, 200), (1, 5, 10)
FULL = ("wall", "ratio", "cpu", "memory", "calls", "writing", "processes")
CLOCKS = ("wall", "served", "late", "cpu", "memory", "calls", "writing", "processes")
CODE = ("wall", "over", "cpu", "memory", "calls", "writing", "processes")
SHOWN = {"full": FULL, "today": CLOCKS, "code": CODE}
# What we promise, of ours alone; wall of a size by that of one is GROWTH.
BUDGETS = {
    "full": {"ratio": 1.25, "cpu": 25, "memory": 150, "processes": 45},
    "large": {"ratio": 1.03, "cpu": 25, "memory": 150, "processes": 45},
    "today": {"late": 8, "cpu": 25, "memory": 150, "processes": 45},
    "quick": {"over": 11.25, "cpu": 25, "memory": 150, "processes": 45},  # what 1.25 is in the small set
    "code": {"over": 6, "cpu": 25, "memory": 150, "processes": 15},
}
# What the bad release did: of one that serves, the old tasks are drained.
AS_IT_WAS = {"nothing serves": "full", "the bad release serves": "bad-migration"}
GROWTH_SIZE, GROWTH = 100, 1.3
ABOUT = {
    "full": "Snapshot {0.snapshot:g} s, restore {0.restore:g} s, deployment {0.deployment:g} s, {1:.0f} ms a call: a critical path of {0.full:g} s.",
    "today": "Restore {0.restore:g} s, then {0.backing_up:g} s of RDS's first backup; snapshot {0.snapshot:g} s; health checks every {0.probe:g} s, old tasks "
    "drain for {0.drain:g} s; {1:.0f} ms a call. SERVED is when users were; possible: the restore and {0.deployment:g} s until new tasks are healthy.",
    "code": "Deployment {0.deployment:g} s, {1:.0f} ms a call. What is over AWS's own time is over the deployment that ECS reports.",
}


RIVALS_OF_A_QUICK_LOOK = ("threads script, the limit", "fabfuel ecs-deploy")


def table_of(kind: str, title: str, durations: Durations, rows: list[Row], name: str = "", note: str = "") -> Table:
    """A table of full or code rollbacks. `name` is the part of the bench, where that is not the kind."""
    about = ABOUT[kind].format(durations, durations.call * 1000) + note
    shown = CODE if durations is QUICK else SHOWN[kind]  # of short durations a ratio says nothing
    return Table(name or kind, title, about, shown, rows)


def in_turn(kind: str, durations: Durations, told: list[cases.Case], times: int) -> Table:
    """Ours and its rivals, one after the other, several times."""
    samples = {case.name: [] for case in told}
    for number in range(times):
        for case in told:
            samples[case.name].append(_say(f"{kind} {number + 1}: {case.name}", cases.run, case, durations))
    title = f"Full rollback, {durations.name} set" if kind == "full" else "Code rollback, one service"
    budgets = BUDGETS["quick" if kind == "full" and durations is QUICK else kind]
    return table_of(kind, title, durations, _rows(samples, budgets))


def today(durations: Durations, times: int) -> Table:
    """Ours alone: who waits as the others do waits for the backup."""
    rows = []
    for case, accident in AS_IT_WAS.items():
        runs = [_say(f"today, {case}, {number + 1}", cases.run_today, accident, durations) for number in range(times)]
        rows.append(Row(case, runs, BUDGETS["today"]))
    return table_of("today", f"Full rollback, {durations.name}", durations, rows)


def at_once(durations: Durations, told: list[cases.Case]) -> Table:
    """Ours and its rivals side by side: with long durations a run takes a quarter of an hour, and works for half a minute of it."""
    with concurrent.futures.ThreadPoolExecutor(len(told)) as pool:
        runs = {case.name: pool.submit(_say, case.name, cases.run, case, durations) for case in told}
        samples = {name: [run.result()] for name, run in runs.items()}
    note = " All at once, each with a production of its own."
    title = f"Full rollback, {durations.name} set"
    return table_of("full", title, durations, _rows(samples, BUDGETS["large"]), "large", note)


def growing(name: str, durations: Durations, sizes: tuple[int, ...], times: int) -> Table:
    """More and more services of one application, or more and more applications, each a host of the inventory."""
    kind, run = {"services": ("code", cases.run_services), "applications": ("full", cases.run_applications)}[name]
    runs = {size: [] for size in sizes}
    for number in range(times):
        for size in sizes:
            runs[size].append(_say(f"{size} {name}, run {number + 1}", run, size, durations))
    rows = [Row(f"{size} {name if size > 1 else name[:-1]}", done, size=size) for size, done in runs.items()]
    return table_of(kind, f"{kind.capitalize()} rollback, many {name}", durations, rows, name)


def _rows(samples: dict[str, list[Sample]], budgets: dict[str, float]) -> list[Row]:
    return [Row(case, runs, budgets if case == cases.OURS else {}) for case, runs in samples.items()]


def _say(what: str, function: Callable[..., Sample], *arguments) -> Sample:
    began = time.monotonic()
    print(f"{what} …", file=sys.stderr, flush=True)
    sample = function(*arguments)
    whole = time.monotonic() - began
    print(f"{what}: {sample.wall:.1f} s, with its production {whole:.0f} s", file=sys.stderr, flush=True)
    return sample


def quick() -> Iterator[Table]:
    """Ours beside the limit and ecs-deploy, one run each, with short durations: a look while one works."""
    for kind in ("full", "code"):
        few = [case for case in cases.rivals(kind) if case.name in RIVALS_OF_A_QUICK_LOOK]
        yield in_turn(kind, QUICK, [cases.ours(kind), *few], 1)
    yield growing("services", QUICK, (20,), 1)


def measured(parts: list[str], times: int) -> Iterator[Table]:
    """The parts that were asked for, in their order; what is long is measured less often."""
    functions = {
        "full": lambda: in_turn("full", SMALL, [cases.ours("full"), *cases.rivals("full")], times),
        "today": lambda: today(TODAY, max(1, times - 1)),
        "code": lambda: in_turn("code", SMALL, [cases.ours("code"), *cases.rivals("code")], times),
        "services": lambda: growing("services", SMALL, SERVICES, max(1, times - 1)),
        "applications": lambda: growing("applications", SMALL, APPLICATIONS, max(1, times - 1)),
        "large": lambda: at_once(LARGE, [cases.ours("full"), *cases.rivals("full")]),
    }
    for part in PARTS:
        if part in parts:
            yield functions[part]()


def missed(tables: list[Table]) -> list[str]:
    """A line for each budget that is missed."""
    lines = [
        f"{each.title}: {row.case}: {measure} is {row.median(measure):.2f}, its budget {row.budgets[measure]:g}"
        for each in tables for row in each.rows for measure in row.missed
    ]  # fmt: skip
    grown = [growth_missed(each.rows, GROWTH_SIZE, GROWTH) for each in tables if each.name == "services"]
    return lines + [f"Code rollback, services: {line}" for line in grown if line]
