# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read at the end of a play: an RunOutcome as lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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

INDENT = " " * 10


def lines_of(outcome: RunOutcome, message: str, around: Mapping[str, Any]) -> list[str]:
    """The text (list of str).

    :param outcome: an RunOutcome.
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
        ways = [(way["words"], way["command"]) for way in around.get("ways") or ()]
        return [_line("CHECKED", outcome.reason), *_next(ways), *_beside(around)]
    head = _done(outcome, around) if outcome.state == DONE else _failed(outcome, message, around)
    tail = _clocks(outcome, around) + list(around["details"]) + _later(outcome, around)
    if outcome.made or outcome.unknown:
        tail += [_line("UNDO", around["undo"])] if around["undo"] else []
    tail += _beside(around)
    if around["store"]:
        tail.append(_line("RUNS", around["store"]))
    for told, command in around["holds"]:
        tail += [_line("HOLD", told), INDENT + "when deployments may go on: " + command]
    if outcome.state != DONE and "CALL  " not in message:
        tail += [_line("CALL", "%s: %s" % pair) for pair in around["contacts"].items()]
    return head + tail


def _done(outcome: RunOutcome, around: Mapping[str, Any]) -> list[str]:
    what = "run %s is complete" % outcome.run_id if outcome.made or outcome.unknown else "there was nothing to change"
    if not outcome.verified:  # DONE is the word for what the checks have proven
        word = "ENDED" if outcome.made or outcome.unknown else "NOTHING"
        lines = [_line(word, "%s; %s" % (what, outcome.reason))]
        lines += [_line("NOW", text) for text in around["up"]]
        return [*lines, _line("NEXT", "This checks whether it works:"), INDENT + around["verify"]]
    return [
        _line("DONE", ": ".join(filter(None, ("%s, and %s" % (what, outcome.reason), around["base_url"])))),
        *(
            _calls("MADE", outcome.made) if around.get("resumed") else ()
        ),  # what an earlier play did is not in ``details``
        *(_line("NOW", text) for text in around["up"]),
    ]


def _clocks(outcome: RunOutcome, around: Mapping[str, Any]) -> list[str]:
    """When users were served, and when all was done."""
    if outcome.served is None:
        return []
    when = "at the latest after" if around.get("at_latest") else "after"
    words = "%s %s (minutes:seconds): all traffic was on healthy tasks"
    lines = [_line("SERVED", words % (when, minutes(outcome.served)))]
    if outcome.state == DONE:
        but = ", but for what is said under LATER" if outcome.later else ""
        lines.append(_line("FINISHED", "after %s%s" % (minutes(outcome.seconds), but)))
    return lines


def _later(outcome: RunOutcome, around: Mapping[str, Any]) -> list[str]:
    """What is not finished, which nobody feels, and the command that finishes it."""
    if not outcome.later:
        return []
    words = "nobody who uses the application feels it. This finishes it and compares all settings; it waits for RDS, and may be scheduled:"
    return [*(_line("LATER", text) for text in outcome.later), INDENT + words, INDENT + around["finish"]]


def _failed(outcome: RunOutcome, message: str, around: Mapping[str, Any]) -> list[str]:
    lines = [_line("FAILED", "at: %s" % (outcome.left[0] if outcome.left else "the end"))]
    lines += [INDENT + text for text in message.splitlines()]
    if around["at_work"] and outcome.state == UNTOUCHED:
        lines.append(
            INDENT
            + "That may be why: %s, and has begun since this run looked. Wait for it, then look again."
            % around["at_work"]
        )
    lines.append(INDENT + outcome.reason)
    lines += _calls("MADE", outcome.made) + _calls("UNKNOWN", outcome.unknown)
    lines += [_line("NOW", text) for text in around["up"]]
    if around["fence"]:
        lines.append(
            _line(
                "FENCE",
                "the services stand at 0 tasks: nobody is served. Going on with the run brings them back; so does, with what ran before, giving the run up:",
            )
        )
        lines.append(INDENT + around["fence"])
    back, on = around.get("back"), "Unless said otherwise above, go on where it stopped:"
    nowhere = around.get("nowhere") if outcome.state == NOT_COMPLETE else ""
    if (back or nowhere) and outcome.state == NOT_COMPLETE:
        on = "Or, once what is said above is fixed, go on where it stopped:"
    words = {
        NOT_COMPLETE: (on, around["go_on"]),
        NOT_VERIFIED: ("When what is said above is fixed, this checks again:", around["verify"]),
        UNTOUCHED: ("Fix what is said above, then run the same command again:", around["again"]),
    }[outcome.state]
    ways = [(way["words"], way["command"]) for way in around.get("ways") or ()] or [words]
    if nowhere:
        ways.insert(0, ("What ran before this undo is the same, so undoing it leads nowhere. Look what does:", nowhere))
    elif back and outcome.state == NOT_COMPLETE:
        # What an undo could not bring up would not come up the next time either; what ran before it is known to.
        ways.insert(0, ("Go back to what ran before this undo; that gives the undo up:", back))
    elif back and outcome.state != UNTOUCHED:
        ways.append(("Or go back to what ran before this undo; that gives the undo up:", back))
    return lines + _next(ways)


def _next(ways: Sequence[tuple[str, str]]) -> list[str]:
    return [line for words, command in ways for line in (_line("NEXT", words), INDENT + command)]


def _beside(around: Mapping[str, Any]) -> list[str]:
    """The run that was not finished, and that this play has left as it was."""
    run = around.get("unfinished_run")
    if not run:
        return []
    told = "run %s (%s) was not finished, and this has left it as it is. " % (run["id"], run["kind"])
    if not run["command"]:
        return [_line("RUNS", told + "Its own playbook and -e rollback_run_id=%s go on with it" % run["id"])]
    return [_line("RUNS", told + "This goes on with it:"), INDENT + run["command"]]


def _calls(word: str, calls: Sequence[str]) -> list[str]:
    """All of them: what was made is not to be looked for elsewhere. What was made several times is one line."""
    times = {call: calls.count(call) for call in calls}
    return [_line(word, call + (" (%d times)" % count if count > 1 else "")) for call, count in times.items()]


def _line(word: str, text: str) -> str:
    return "%-9s %s" % (word, text)
