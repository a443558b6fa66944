# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long earlier runs took, and so how long the next one may take. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import COMPLETE, ROLLBACK, UNVERIFIED

KEPT = 20  # runs in the history
_WHOLE = ("total", "served")  # what is timed of a run besides its parts
OF_LATE = 5  # of them count: an old size of the database says little about today's


def with_run(
    history: Iterable[dict[str, Any]], record: Mapping[str, Any], seconds: Mapping[str, float]
) -> list[dict[str, Any]]:
    """The history (list of dict, oldest first) with a run that has ended; one that ends again takes its own place.

    Of a run that was gone on with, the parts that its last play has found done took no time: how long it took says nothing.

    :param record: the record of the run.
    :param seconds: how long its parts took, such as ``{"restore": 312.0, "deployment": 95.2}``; parts that were not done are left out.
    """
    entry = dict(
        run_id=record["run_id"],
        kind=record["kind"],
        purpose=record.get("purpose", ROLLBACK),
        undoes=record.get("undoes", ""),
        began=record["began"],
        ended=record["ended"],
        outcome=record["outcome"],
        seconds=seconds,
        paused=len(record.get("plays", ())) > 1,
    )
    return [*(item for item in history if item["run_id"] != entry["run_id"]), entry][-KEPT:]


def with_left(history: Iterable[dict[str, Any]], run_id: str, left: Sequence[str]) -> list[dict[str, Any]]:
    """The history with what is left to be finished of a run (list of str, empty when it is finished)."""
    return [_with(item, left) if item["run_id"] == run_id else item for item in history]


def _with(item: Mapping[str, Any], left: Sequence[str]) -> dict[str, Any]:
    return dict({name: value for name, value in item.items() if name != "left"}, **dict(left=left) if left else {})


def ended_rollbacks(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the rollbacks have come to (list of dict), newest first; times are ISO 8601, ``parts`` are those that were done. ``undone`` is when the run
    ``undone_by`` had undone it; both are empty where it stands."""
    found = []
    for item in reversed(history):
        if item.get("purpose", ROLLBACK) == ROLLBACK:
            undo = _undo_of(item["run_id"], history)
            found.append(
                dict(
                    run_id=item["run_id"],
                    kind=item["kind"],
                    ended=_iso(item["ended"]),
                    outcome=item["outcome"],
                    parts=[part for part in item["seconds"] if part not in _WHOLE],
                    undone_by=undo["run_id"] if undo else "",
                    undone=_iso(undo["ended"]) if undo else "",
                )
            )
    return found


def _undo_of(run_id: str, history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest undo of a run that has come to its end and was not undone itself, or None."""
    for item in reversed(history):
        if item.get("undoes") == run_id and item["outcome"] in (COMPLETE, UNVERIFIED):
            return None if _undo_of(item["run_id"], history) else item
    return None


def _iso(clock: str) -> str:
    return clock.replace(" UTC", "Z")


def unfinished_runs(history: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of the runs (list of str) of which something is left to be finished."""
    return [item["run_id"] for item in history if item.get("left")]


def unfinished(history: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is left to be finished of all runs, one line each: list of str."""
    return ["run %s is not finished: %s" % (item["run_id"], text) for item in history for text in item.get("left", ())]


def expected(history: Iterable[Mapping[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """How long the parts of a run may take: part → dict(seconds: the median, runs: of how many), of complete runs of the same playbook that nothing has
    stopped."""
    whole = (item for item in history if item["outcome"] == COMPLETE and not item.get("paused"))
    of_kind = [item["seconds"] for item in whole if item["kind"] == kind][-OF_LATE:]
    parts = sorted({part for seconds in of_kind for part in seconds})
    told = {part: [seconds[part] for seconds in of_kind if part in seconds] for part in parts}
    return {part: dict(seconds=round(_median(known), 1), runs=len(known)) for part, known in told.items()}


def times(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How long rollbacks of each kind took lately until users were served, in all where that was not timed: list of dict(kind, seconds, runs)."""
    found = []
    for kind in sorted({item["kind"] for item in history if item.get("purpose", ROLLBACK) == ROLLBACK}):
        parts = expected(history, kind)
        took = parts.get("served") or parts.get("total")
        if took:
            found.append(dict(kind=kind, **took))
    return found


def _median(numbers: Sequence[float]) -> float:
    """As statistics.median, whose import costs every module of a run more than this."""
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
