# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the milliseconds of a run went: spans of many processes become shares of its wall time. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

# Where several spans cover a moment, the moment is that of the first kind here: what is further inside, or awaited by the rest.
KINDS = {
    "AWS": "AWS answers",
    "botocore": "calls: serialise, sign, parse",
    "HTTP checks": "the application answers",
    "SQL": "the database answers",
    "clients": "session and clients are made",
    "compiling": "our sources are compiled",
    "imports": "other work of imports",
    "pauses": "between two looks at what is awaited",
    "module": "a module's own work",
    "module start and end": "shell, Python, temporary folder of a module",
    "module build": "the module's zip is put together",
    "module files": "the module's files are made and removed",
    "templating": "templates and conditions",
    "variables": "variables are collected",
    "worker": "a task in its worker, and its result",
    "fork": "a worker is forked",
    "inventory": "the inventory is read",
    "loading": "playbook and roles are read",
    "playbook": "between tasks: strategy, callbacks, output",
}
REST = "start"  # what no span covers: Python starts, Ansible is imported, and it ends


@dataclasses.dataclass(frozen=True)
class Span:
    """A stretch of time on the machine's monotonic clock, in seconds."""

    kind: str
    began: float
    ended: float


def shares(spans: Iterable[Span], began: float, ended: float) -> dict[str, float]:
    """Seconds by kind; they add up to `ended - began`.

    A sweep over all beginnings and ends: between two of them the active kind that comes first in KINDS has the time.
    """
    order = [*KINDS, REST]
    marks = [(began, REST, 1), (ended, REST, -1)]
    for span in spans:
        first, last = max(span.began, began), min(span.ended, ended)
        if first < last:
            marks += [(first, span.kind, 1), (last, span.kind, -1)]
    found, active, since = dict.fromkeys(order, 0.0), dict.fromkeys(order, 0), began
    for moment, kind, step in sorted(marks, key=lambda mark: mark[0]):
        owner = next((each for each in order if active[each]), REST)
        found[owner] += moment - since
        active[kind] += step
        since = moment
    return found


def report(spans: list[Span], tasks: list[dict], began: float, ended: float) -> str:
    """Two Markdown tables: the whole run by kind, and each task of it by the kinds that matter there.

    `tasks` as the callback timeline tells them.
    """
    total = shares(spans, began, ended)
    lines = ["| where | s | what |", "| --- | ---: | --- |"]
    lines += [
        f"| {kind} | {seconds:.2f} | {KINDS.get(kind, 'Python starts, Ansible is imported, and it ends')} |"
        for kind, seconds in total.items()
        if seconds >= 0.005
    ]
    lines += [f"| **all** | **{ended - began:.2f}** | |", "", "| task | s | of that |", "| --- | ---: | --- |"]
    for task in tasks:
        seconds = task["ended"] - task["began"]
        if seconds >= 0.05:
            parts = sorted(shares(spans, task["began"], task["ended"]).items(), key=lambda part: -part[1])
            told = ", ".join(f"{kind} {part:.2f}" for kind, part in parts if part >= max(0.02, 0.05 * seconds))
            lines.append(f"| {task['name'].partition(' : ')[2] or task['name']} | {seconds:.2f} | {told} |")
    return "\n".join(lines)
