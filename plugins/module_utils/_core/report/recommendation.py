# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recommendation of the triage: what a person does next, why, and what is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, Report, under, within
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.options import (
    CODE,
    DATABASE,
    FULL,
    NONE,
    UNCERTAIN,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many, minutes

Step = Mapping[str, Any]  # of a scenario that was played

_TITLES = {
    NONE: "roll back nothing",
    CODE: "roll back the code",
    DATABASE: "roll back the database",
    FULL: "roll back code, database and secrets",
    UNCERTAIN: "a person must decide",
}
_READING = ("GET", "HEAD", "OPTIONS")  # requests that write nothing
_LOOKING = ("", "triage.yml", "releases.yml")  # playbooks that have no plan
_NO_TRIGGER = "no automatic trigger may act on this; automatic triggers do CODE only, where it surely loses nothing"
_REFUSED = "the connection was refused"  # then nothing was written


@dataclass(frozen=True)
class TriageSeen:
    """``found``: what rollback_triage_info has told. ``command`` runs what comes next, ``commands`` the other ways, in their order. ``contacts``: role →
    whom to call."""

    found: Result
    command: str
    commands: Sequence[str] = ()
    contacts: Any = ()


def recommendation(seen: TriageSeen) -> Report:
    """The Report of what a person does next."""
    found = seen.found
    unproven = [item["why"] for item in found["not_measured"] if item["part"] == "database"]
    lines = [
        _title(found),
        _next(seen),
        *(_instead(way, command) for way, command in zip(found["next"].get("instead") or (), seen.commands)),
        *_person(found),
        *under("BEWARE", ("the data were not proven to be whole: %s" % why for why in unproven)),
        *under("WAY", (_way(rung) for rung in found.get("ladder") or ())),
        *under("WHY", found["why"]),
        *under("AGAINST", found["against"]),
        *under("CRITERION", _criteria(found["criteria"])),
        *under("UNKNOWN", ("%s: %s" % (item["part"], item["why"]) for item in found["not_measured"])),
        *under("CHANGE", found["would_change"]),
        *_played(found),
        *_contacts(seen),
    ]
    return Report("recommendation", tuple(lines))


def _title(found: Result) -> Line:
    option = found["recommendation"]
    leaning = ", leaning to %s" % found["leaning"] if option == UNCERTAIN else ""
    words = "===== %s: %s (confidence: %s%s) ====="
    return Line(None, words % (option.upper(), _first(found) or _TITLES[option], found["confidence"], leaning))


def _first(found: Result) -> str:
    """What comes before any option, in words: "roll back nothing" is not what a person is to read beside a run that died in the middle."""
    unfinished = within(found, "evidence", "unfinished", "id")
    if within(found, "evidence", "at_work"):
        return "wait until the run that works is done"
    return "go on with run %s, or give it up, before anything else" % unfinished if unfinished else ""


def _next(seen: TriageSeen) -> Line:
    following = seen.found["next"]
    further = [following["words"]]
    changes = seen.found["recommendation"] in (CODE, DATABASE, FULL) and following["playbook"] not in _LOOKING
    if changes and " --check" not in seen.command:
        further.append("To look at the plan first, add: --check --diff")
    return Line("NEXT", seen.command, tuple(further))


def _instead(way: Mapping[str, Any], command: str) -> Line:
    if way["command"] or way["playbook"]:
        return Line("NEXT", command, (way["words"],))
    return Line("NEXT", way["words"])


def _person(found: Result) -> list[Line]:
    if found["needs_person"]:
        return [Line("PERSON", _NO_TRIGGER)]
    if found["recommendation"] == CODE:
        return [Line("PERSON", "not needed: an automatic trigger may do CODE, never DATABASE or FULL")]
    return []


def _way(rung: Mapping[str, Any]) -> str:
    """A way back: back to what, in which time, what it loses, and what is known of it."""
    took = "about %s (%s)" % (minutes(rung["seconds"]), many(rung["runs"], "earlier run")) if rung["runs"] else ""
    told = filter(None, ("back to %s" % rung["to"], took, "loses %s" % rung["loses"], rung["proof"]))
    return "%s: %s" % (rung["way"].upper(), "; ".join(told))


def _criteria(criteria: Iterable[Mapping[str, Any]]) -> list[str]:
    return ["%d %s: %s" % (at, item["answer"], item["text"]) for at, item in enumerate(criteria, 1)]


def _played(found: Result) -> list[Line]:
    """What the scenarios may have written, and whether it is removed again."""
    steps: Sequence[Step] = within(found["evidence"], "http", "steps") or ()
    sent = [step for step in steps if step["method"] not in _READING and step["verdict"] and not step["cleans_up"]]
    written = _scenarios(step for step in sent if step["status"])
    removed = _scenarios(step for step in steps if step["cleans_up"] and step["verdict"] == "passed")
    silent = _scenarios(step for step in sent if not step["status"] and step["reason"] != _REFUSED)
    left = found["left_behind"]
    again = "; seen to be removed again by %s" % ", ".join(removed) if removed and not left else ""
    lines = []
    if written:
        lines.append(Line("PLAYED", "with requests that may write: %s%s" % (", ".join(written), again)))
    if silent:
        unknown = "without an answer, so whether something was written is not known: %s"
        lines.append(Line("PLAYED", unknown % ", ".join(silent)))
    return lines + under("BEWARE", [left] if left else [])


def _scenarios(steps: Iterable[Step]) -> list[str]:
    return list(dict.fromkeys(step["scenario"] for step in steps))


def _contacts(seen: TriageSeen) -> list[Line]:
    anybody = seen.found["recommendation"] != NONE or seen.found["needs_person"]
    return called(seen.contacts) if anybody else []


def called(contacts: Any) -> list[Line]:
    """Whom to call (list of Line); what is no mapping names nobody."""
    return under("CALL", ("%s: %s" % pair for pair in contacts.items())) if isinstance(contacts, Mapping) else []
