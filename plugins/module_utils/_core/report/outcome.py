# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of a play as people read it: what it has come to, and how to go on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import (
    Line,
    Report,
    WayOn,
    lines_read,
    under,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.runs import unfinished_run
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import (
    CHECKED,
    DONE,
    NOT_COMPLETE,
    NOT_VERIFIED,
    UNTOUCHED,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import minutes

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import RunOutcome

_FENCED = "the services stand at 0 tasks: nobody is served. Going on with the run brings them back; so does, with what ran before, giving the run up:"
_NOWHERE = "What ran before this undo is the same, so undoing it leads nowhere. Look what does:"


def outcome_report(outcome: RunOutcome, message: str, around: Mapping[str, Any]) -> Report:
    """The Report of a play's end.

    :param outcome: a RunOutcome.
    :param message: what the task that has failed said; empty when none has.
    :param around: dict: ``details`` (list of str: what was done, step by step), ``base_url``, ``up`` (list of str: what runs now),
        ``back`` (the command that undoes an undo, or empty), ``nowhere`` (the command that looks what helps instead, where that undo would bring
        back the same, or empty),
        ``fence`` (the command that gives the services back, empty when they do not stand at 0), ``undo``, ``again``, ``go_on``,
        ``verify``, ``finish`` (commands), ``holds`` (list of (who holds deployments back, the command that ends that)),
        ``store`` (what the store said, or empty),
        ``resumed`` (whether earlier plays of the run may have done a part),
        ``at_latest`` (whether users may have been served before that was seen),
        ``ways`` (list of dict(words, command): what the task that has failed knows to be done about it),
        ``at_work`` (another run that is at work, or empty), ``contacts`` (dict),
        ``unfinished_run`` (dict(id, kind, command) of a run that this play has found unfinished and has left so, or empty).
    """
    if outcome.state == CHECKED:
        lines = [Line("CHECKED", outcome.reason), *_next(_given(around)), *_beside(around)]
        return Report("outcome", tuple(lines))
    head = _done(outcome, around) if outcome.state == DONE else _failed(outcome, message, around)
    tail = _clocks(outcome, around) + lines_read(around["details"]) + _later(outcome, around)
    if outcome.made or outcome.unknown:
        tail += under("UNDO", [around["undo"]] if around["undo"] else [])
    tail += _beside(around) + under("RUNS", [around["store"]] if around["store"] else [])
    tail += [Line("HOLD", told, ("when deployments may go on: " + command,)) for told, command in around["holds"]]
    if outcome.state != DONE and "CALL  " not in message:
        tail += under("CALL", ("%s: %s" % pair for pair in around["contacts"].items()))
    return Report("outcome", (*head, *tail))


def _done(outcome: RunOutcome, around: Mapping[str, Any]) -> list[Line]:
    what = "run %s is complete" % outcome.run_id if outcome.made or outcome.unknown else "there was nothing to change"
    if not outcome.verified:  # DONE is the word for what the checks have proven
        word = "ENDED" if outcome.made or outcome.unknown else "NOTHING"
        proof = Line("NEXT", "This checks whether it works:", (around["verify"],))
        unknown = _calls("UNKNOWN", outcome.unknown)
        return [Line(word, "%s; %s" % (what, outcome.reason)), *unknown, *under("NOW", around["up"]), proof]
    done = ": ".join(filter(None, ("%s, and %s" % (what, outcome.reason), around["base_url"])))
    # What an earlier play did is not in ``details``.
    made = _calls("MADE", outcome.made) if around.get("resumed") else []
    # The checks have proven that the application works, and not what came of a call that nobody has heard of.
    return [Line("DONE", done), *made, *_calls("UNKNOWN", outcome.unknown), *under("NOW", around["up"])]


def _clocks(outcome: RunOutcome, around: Mapping[str, Any]) -> list[Line]:
    """When users were served, and when all was done."""
    if outcome.served is None:
        return []
    when = "at the latest after" if around.get("at_latest") else "after"
    words = "%s %s (minutes:seconds): all traffic was on healthy tasks"
    lines = [Line("SERVED", words % (when, minutes(outcome.served)))]
    if outcome.state == DONE:
        but = ", but for what is said under LATER" if outcome.later else ""
        lines.append(Line("FINISHED", "after %s%s" % (minutes(outcome.seconds), but)))
    return lines


def _later(outcome: RunOutcome, around: Mapping[str, Any]) -> list[Line]:
    """What is not finished, which nobody feels, and the command that finishes it."""
    if not outcome.later:
        return []
    words = "nobody who uses the application feels it. This finishes it and compares all settings; it waits for RDS, and may be scheduled:"
    return [*under("LATER", outcome.later), Line("", words, (around["finish"],))]


def _failed(outcome: RunOutcome, message: str, around: Mapping[str, Any]) -> list[Line]:
    why = message.splitlines()
    if around["at_work"] and outcome.state == UNTOUCHED:
        begun = "That may be why: %s, and has begun since this run looked. Wait for it, then look again."
        why.append(begun % around["at_work"])
    at = "at: %s" % (outcome.left[0] if outcome.left else "the end")
    return [
        Line("FAILED", at, (*why, outcome.reason)),
        *_calls("MADE", outcome.made),
        *_calls("UNKNOWN", outcome.unknown),
        *under("NOW", around["up"]),
        *([Line("FENCE", _FENCED, (around["fence"],))] if around["fence"] else []),
        *_next(_ways_on(outcome, around)),
    ]


def _ways_on(outcome: RunOutcome, around: Mapping[str, Any]) -> list[WayOn]:
    """What can be done about a failure, the best first."""
    back, on = around.get("back"), "Unless said otherwise above, go on where it stopped:"
    nowhere = around.get("nowhere") if outcome.state == NOT_COMPLETE else ""
    if (back or nowhere) and outcome.state == NOT_COMPLETE:
        on = "Or, once what is said above is fixed, go on where it stopped:"
    known = {
        NOT_COMPLETE: WayOn(on, around["go_on"]),
        NOT_VERIFIED: WayOn("When what is said above is fixed, this checks again:", around["verify"]),
        UNTOUCHED: WayOn("Fix what is said above, then run the same command again:", around["again"]),
    }[outcome.state]
    ways = _given(around) or [known]
    if nowhere:
        ways.insert(0, WayOn(_NOWHERE, nowhere))
    elif back and outcome.state == NOT_COMPLETE:
        # What an undo could not bring up would not come up the next time either; what ran before it is known to.
        ways.insert(0, WayOn("Go back to what ran before this undo; that gives the undo up:", back))
    elif back and outcome.state != UNTOUCHED:
        ways.append(WayOn("Or go back to what ran before this undo; that gives the undo up:", back))
    return ways


def _next(ways: Iterable[WayOn]) -> list[Line]:
    return [Line("NEXT", way.words, (way.command,)) for way in ways]


def _given(around: Mapping[str, Any]) -> list[WayOn]:
    return [WayOn(way["words"], way["command"]) for way in around.get("ways") or ()]


def _beside(around: Mapping[str, Any]) -> list[Line]:
    """The run that was not finished, and that this play has left as it was."""
    return unfinished_run(around.get("unfinished_run") or {}, ", and this has left it as it is")


def _calls(word: str, calls: Sequence[str]) -> list[Line]:
    """All of them: what was made is not to be looked for elsewhere. What was made several times is one line."""
    times = {call: calls.count(call) for call in calls}
    return under(word, (call + (" (%d times)" % count if count > 1 else "") for call, count in times.items()))
