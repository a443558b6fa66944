# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of a plan, and what a play has failed at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, Report, WayOn, lines_read
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published, Result

_HEAD = "The rollback would fail. Nothing was changed. Fix all of this first:"
_UNKNOWN = "unknown_migrations"  # in the result of a probe: what a release does not know


def refusal(seen: Published) -> Report:
    """The Report of all that a plan is refused for; without lines where it is not."""
    evidence = _evidence(seen)
    if not evidence:
        return Report("refusal", ())
    told = lines_read(seen.run.get("lines") or []) if seen.run.get("until") else []
    return Report("refusal", (*listed(_HEAD, evidence), *told))


@dataclass(frozen=True)
class Listed:
    """What is left, or stands in the way, in the words of a role."""

    head: str
    texts: Sequence[str]


def list_report(seen: Listed) -> Report:
    """The Report of it; without lines where there is nothing."""
    return Report("list", listed(seen.head, seen.texts) if seen.texts else ())


def listed(head: str, texts: Sequence[str]) -> tuple[Line, ...]:
    """A heading, and each text below it."""
    return (Line(None, head), *(Line(None, "  - " + text) for text in texts))


def _evidence(seen: Published) -> list[str]:
    """In the order of the plan."""
    unknown = [seen.migrations["msg"]] if _UNKNOWN in seen.migrations else []
    return [*_of(seen.run, seen.code), *unknown, *_of(seen.database, seen.references, seen.secrets)]


def _of(*results: Result) -> list[str]:
    return [text for result in results for text in result.get("evidence") or []]


def failure(seen: Published) -> Report:
    """The Report of what the task that has failed has said, with the ways on that it knows."""
    said = _verdict(seen.verified) or str(seen.failed.get("msg", "its message is above")).splitlines()
    return Report("failure", tuple(Line(None, text) for text in said), _ways(seen))


def _verdict(verified: Result) -> list[str]:
    """What the checks have found wrong, and what is to be done; what is up and what has passed is reported with what the run has made."""
    if not verified.get("report"):
        return []
    return [*(line for line in verified["report"] if line.startswith(("BROKE", "UNPROVEN"))), *verified["next"]]


def _ways(seen: Published) -> tuple[WayOn, ...]:
    if "ways" in seen.failed:
        return tuple(WayOn(way["words"], way["command"]) for way in seen.failed["ways"])
    others = _of(seen.run, seen.code, seen.database, seen.references, seen.secrets)
    if _UNKNOWN not in seen.failed and (_UNKNOWN not in seen.migrations or others):
        return ()
    words = "%s that code can work with that database all the same:"
    if seen.playbook != "rollback_code":
        return (WayOn(words % "If", seen.refused["despite"]),)
    both = WayOn("To bring the database back as well:", seen.refused["full"])
    return (both, WayOn(words % "Or, if", seen.refused["despite"]))
