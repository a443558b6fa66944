# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The word to whoever deploys: keep out, a rollback stands. Pure.

Several may hold deployments back, each for a reason of its own, and each ends for itself. The record of the store is what deploy-gate reads,
which knows no JSON but flat one: it is one of the holds, and the others are texts under ``beside``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import ROLLBACK, UNDO

Hold = dict[str, Any]  # standing, and NAMES
Record = Optional[dict[str, Any]]  # as it is stored; None, or empty, where nothing was ever written
NAMES = ("who", "since", "reason", "run_id")


def standing(record: Record) -> bool:
    """Whether a record is to be respected."""
    return bool(record and record["standing"])


def placed(who: str, since: str, reason: str, run_id: str = "") -> Hold:
    """A hold that stands.

    :param since: a time for people.
    :param run_id: the run for which it stands; empty when a person has set it.
    """
    return dict(standing=True, who=who, since=since, reason=reason, run_id=run_id)


def free(who: str, since: str, reason: str) -> Hold:
    """A hold that has never stood. A pipeline deploys on this word only: that nothing is there may mean that it asks in the wrong place."""
    return dict(placed(who, since, reason), standing=False)


def holds_of(record: Record) -> list[Hold]:
    """The holds that stand, the first that was set first."""
    if not record or not standing(record):
        return []
    every = [record, *map(json.loads, record.get("beside", []))]
    return [placed(*(hold[name] for name in NAMES)) for hold in every]


def recorded(holds: Sequence[Hold]) -> Hold:
    """The record of holds that stand; at least one."""
    beside = [json.dumps(hold, ensure_ascii=False, sort_keys=True) for hold in holds[1:]]
    return dict(holds[0], **dict(beside=beside) if beside else {})


def lifted(record: Record, who: str, since: str, ended: Collection[Hold] | None = None) -> Hold:
    """The record once ``ended`` (list of holds; all of them, if not given) stand no longer.

    :param record: in which at least one stands.
    """
    holds = holds_of(record)
    left = [] if ended is None else [hold for hold in holds if hold not in ended]
    return recorded(left) if left else dict(holds[-1], standing=False, lifted_by=who, lifted=since)


def joined(record: Record, holds: Iterable[Hold]) -> Record:
    """The record once ``holds`` stand, too."""
    before = holds_of(record)
    every = before + [hold for hold in holds if hold not in before]
    return recorded(every) if every != before else record


def to_release(record: Record, reason: str) -> list[Hold]:
    """The holds that a person's ``release`` ends.

    :param reason: of the one that is meant, or its run; empty where only one can be meant: the rollbacks' holds end together, and a
        person's for itself.
    :raises RollbackError: it cannot be told which one is meant.
    """
    holds = holds_of(record)
    meant = [hold for hold in holds if reason in (hold["reason"].strip(), hold["run_id"])] if reason else holds
    if holds and not meant:
        raise RollbackError(
            "No hold stands with rollback_hold_reason '%s'. These do, each with what releases it:" % reason,
            each_with_its_release(record),
        )
    if not reason and len(holds) > 1 and not all(hold["run_id"] for hold in holds):
        raise RollbackError(
            "Several hold deployments back, for reasons of their own. Say which hold is to end, by its reason:",
            each_with_its_release(record),
        )
    return meant


def each_with_its_release(record: Record) -> list[str]:
    """What is said of each hold that stands, and the variables with which ``hold.yml`` releases that one alone (list of str)."""
    return [
        "%s: -e %s"
        % (_hold_line(hold), shlex.quote(json.dumps(dict(rollback_hold="release", **_named(hold)), ensure_ascii=False)))
        for hold in holds_of(record)
    ]


def releases(record: Record, command: str) -> list[tuple[str, str]]:
    """(told, command) of each hold that stands: who holds deployments back, and what releases that one.

    :param command: that releases the only one.
    """
    holds = holds_of(record)
    return [(_hold_line(hold), "%s -e %s" % (command, _option(hold)) if holds[1:] else command) for hold in holds]


def _named(hold: Hold) -> dict[str, str]:
    return dict(rollback_hold_reason=hold["run_id"] or hold["reason"].strip())


def _option(hold: Hold) -> str:
    (value,) = _named(hold).values()
    if re.fullmatch(r"[\w.:/-]+", value, re.ASCII):
        return "rollback_hold_reason=%s" % value
    return shlex.quote(json.dumps(_named(hold), ensure_ascii=False))


def changed(record: Record, state: str, who: str, since: str, reason: str) -> Record:
    """The record after a person's ``set`` or ``release``; any other state leaves it as it is.

    :raises RollbackError: a hold is set without a reason, or released where there was never one, or where several are meant.
    """
    if state == "release" and not record:
        raise RollbackError(
            "There is no hold to release: nothing was ever written down here. Compare the names; nothing was changed."
        )
    if state == "release":
        return lifted(record, who, since, to_release(record, reason.strip())) if standing(record) else record
    if state != "set":
        return record
    if not reason.strip():
        raise RollbackError("A deploy hold needs a reason, which whoever meets it reads. Set rollback_hold_reason.")
    same = any(hold["reason"].strip() == reason.strip() for hold in holds_of(record))
    return record if same else joined(record, [placed(who, since, reason.strip())])


def followed(there: Record, before: Record, after: Record, who: str, since: str) -> Record:
    """The record of another name of the same resources, once ``before`` was changed to ``after``."""
    were, are = holds_of(before), holds_of(after)
    there = joined(there, [hold for hold in are if hold not in were])
    ended = [hold for hold in were if hold not in are and hold in holds_of(there)]
    return lifted(there, who, since, ended) if ended else there


def at_the_beginning(record: Record, run: Mapping[str, Any], elsewhere: Iterable[Hold] = ()) -> Record:
    """The record when a run begins, or None when it stays as it is.

    A checkpoint is what comes before a deployment, so it holds nobody back; it says so where nobody has said anything yet. An undo stands
    behind the hold of what it undoes.

    :param elsewhere: holds that stand under other names of the same resources; then they stand under this one, too.
    """
    reason = "run %s (%s)" % (run["run_id"], run["kind"])
    every = holds_of(joined(record, elsewhere))
    known = any(hold["run_id"] in (run["run_id"], run["undoes"] or run["run_id"]) for hold in every)
    own = (
        [placed(run["who"], run["began"], reason, run["run_id"])]
        if run["purpose"] in (ROLLBACK, UNDO) and not known
        else []
    )
    after = joined(record, every + own)
    if after is None:
        return free(run["who"], run["began"], reason)
    return after if after != record else None


def at_the_end(record: Record, run: Mapping[str, Any], wrote: bool, complete: bool) -> Record:
    """The record when a run has ended, or None when it stays as it is.

    What a run has changed stands until a person lifts the hold, or an undo of a rollback takes it back. An undo of an undo brings the rollback back.

    :param wrote: whether the run has made a writing call.
    :param complete: whether it has done all of its work, if only by finding it done.
    """
    over = {run["run_id"]} if not wrote else set()
    if run["frees"] and complete:
        over |= {run["run_id"], run["undoes"]}
    ended = [hold for hold in holds_of(record) if hold["run_id"] and hold["run_id"] in over]
    return lifted(record, run["who"], run["ended"], ended) if ended else None


def describe_hold(record: Record) -> str | None:
    """A line for people, None without a hold that stands."""
    *others, last = [_hold_line(hold) for hold in holds_of(record)] or [""]
    return " and ".join(filter(None, (", ".join(others), last))) or None


def _hold_line(hold: Hold) -> str:
    return "%s holds deployments back since %s: %s" % (hold["who"], hold["since"], hold["reason"])
