# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Release points: the one that was recorded, and the list of those that are there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import (
    Line,
    Report,
    first_line,
    last_part,
    lines_read,
    under,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.refusal import listed
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.runs import half_of_it

Point = Mapping[str, Any]  # the record of a release point

_ROW = "%-3s %-22s %-16s %-12s %-36s %-11s %-8s %s"
_HEAD = ("", "release point", "made (UTC)", "before", "code", "migrations", "secrets", "snapshot")
_NO_MIGRATIONS = "the migrations of the database could not be read, so a code rollback cannot tell whether the earlier release knows them all:"
_NOT_ASKED = "the database is not asked from here (rollback_db_probe)"
_NONE = "there is none; playbooks/checkpoint.yml makes one before a deployment"


@dataclass(frozen=True)
class CheckpointSeen:
    """``recorded``: what release_point has told. ``changed``: whether it has recorded it now. ``probe``: database_probe_info. ``way_back``: that of the
    coming release, empty where nobody has said what it migrates."""

    recorded: Result
    run: Result
    changed: bool = False
    check: bool = False
    probe: Result = field(default_factory=dict)
    way_back: Result = field(default_factory=dict)


def release_point_report(seen: CheckpointSeen) -> Report:
    """The Report of the release point that was recorded."""
    point = seen.recorded["record"]
    services = (_service(name, service) for name, service in point["services"].items())
    secrets = ((arn.split(":secret:")[-1][:-7], version) for arn, version in point["secrets"].items())
    kept = [*secrets, *point["parameters"].items()]
    lines = [
        *_opening(seen, point),
        *under("CODE", services),
        *_snapshot(seen, point["database"]),
        *_way_back(seen, point),
        *under("SECRETS", ("%s: version %s" % pair for pair in kept)),
        *under("LABEL", seen.recorded["plan"]),
    ]
    return Report("release point", tuple(lines))


def _opening(seen: CheckpointSeen, point: Point) -> list[Line]:
    if seen.check:
        until = seen.run.get("until")
        then = "this is refused until %s" % until if until else "this is what is recorded (under another id)"
        checked = Line("CHECKED", "nothing was changed; without --check, %s" % then)
        return [checked, *lines_read(seen.run.get("lines") or [])]
    if not seen.changed:
        return [Line("RECORDED", "release point %s was there already" % point["id"])]
    may = "; %s may be deployed" % point["release"] if point["release"] else ""
    return [Line("RECORDED", "release point %s is there%s" % (point["id"], may))]


def _service(name: str, service: Mapping[str, Any]) -> str:
    digests = ", ".join(service["digest"].values()) or "no digest recorded"
    return "%s: %s (%s)" % (name, last_part(service["task_definition"]), digests)


def _snapshot(seen: CheckpointSeen, database: Mapping[str, Any]) -> list[Line]:
    words = "snapshot %s of %s" % (database["snapshot"], database["db_instance"])
    migrations = database["migrations"]
    if migrations is None:
        why = first_line(seen.probe.get("msg", _NOT_ASKED))
        return [Line("DATABASE", words), Line("BEWARE", _NO_MIGRATIONS, (why,))]
    newest = migrations[-1] if migrations else "none"
    return [Line("DATABASE", words, ("with %d migrations, the newest %s" % (len(migrations), newest),))]


def _way_back(seen: CheckpointSeen, point: Point) -> list[Line]:
    """How a rollback of the coming release would go."""
    found, signed = seen.way_back, [Line("SIGNED", point["signed"])] if point.get("signed") else []
    if not found:
        return [Line("WAY BACK", _WAY_NOT_KNOWN), *signed]
    locks = [Line("LOCKS", text) for text in found["locks"]]
    if found["way"] == "code":
        return [Line("WAY BACK", _CODE_ALONE % found["why"], tuple(found["beware"])), *locks, *signed]
    words = "code and data, from snapshot %s: %s" % (point["database"]["snapshot"], found["why"])
    return [Line("WAY BACK", words, (_LOSES,)), *locks, *signed]


_CODE_ALONE = "the code alone, which loses nothing: %s"
_LOSES = "what is written from now on is not in it"
_WAY_NOT_KNOWN = "not known: nobody has said what the release migrates (rollback_migrations)"


@dataclass(frozen=True)
class ReleasesSeen:
    """``run``: what rollback_run has told. ``choice``: what ecs_release_info has told. ``named``: the release that was asked for, or empty."""

    run: Result
    choice: Result
    named: str = ""


def release_points(seen: ReleasesSeen) -> Report:
    """The Report of the release points that are there, and of the one that a rollback would use."""
    lines = [*_table(seen), *_chosen(seen.choice), *half_of_it(seen.run.get("unfinished_run") or {})]
    return Report("release points", tuple(lines))


def release_refusal(seen: ReleasesSeen) -> Report:
    """The Report of why the release that was named cannot come back; without lines where it can, or none was."""
    evidence = seen.choice.get("evidence") or []
    if not (seen.named and evidence):
        return Report("release refusal", ())
    return Report("release refusal", listed("A rollback to %s would fail:" % seen.named, evidence))


def _table(seen: ReleasesSeen) -> list[Line]:
    verdicts = {point["id"]: point["verdict"] for point in seen.choice.get("release_points") or []}
    rows = [text for point in seen.run["release_points"] for text in _row(point, verdicts.get(point["id"]))]
    notes = [note for note in seen.run.get("notes") or [] if note.startswith("the store ")]
    rows = rows or ["    %s" % text for text in (_NONE, *notes)]
    return [Line(None, text) for text in ((_ROW % _HEAD).rstrip(), *rows)]


def _row(point: Point, verdict: str | None) -> list[str]:
    """Its row, and why it is not used. ``verdict`` is empty of one that can be, None of one that was not looked at."""
    code = ", ".join(last_part(service["task_definition"]) for service in point["services"].values())
    migrations = point["database"].get("migrations")
    row = _ROW % (
        "->" if verdict == "" else "",
        point["id"],
        point["created"][:16].replace("T", " "),
        point["release"] or "-",
        code,
        "not read" if migrations is None else len(migrations),
        len(point["secrets"]),
        point["database"]["snapshot"],
    )
    return [row, *(["    not used: %s" % verdict] if verdict else [])]


def _chosen(choice: Result) -> list[Line]:
    """What a rollback would use."""
    if "msg" in choice:
        refused = "Without a name, a rollback of the code would be refused: %s" % first_line(choice["msg"])
        texts = [refused, *("    %s" % candidate["told"] for candidate in choice.get("candidates") or [])]
    elif choice.get("release_point"):
        point, why = choice["release_point"]["id"], choice["release_point_reason"]
        texts = ["A rollback would use %s: %s." % (point, why)]
    else:
        none = "A rollback would use none of them (%s), but what AWS's deployment history tells:"
        texts = [none % choice["release_point_reason"], *_history(choice)]
    return [Line(None, text) for text in texts]


def _history(choice: Result) -> list[str]:
    texts = []
    for service in choice["services"]:
        target = last_part(service["target"])
        texts.append("    %s: %s, because %s" % (service["name"], target, service["reason"]))
        texts += ["        else %s" % candidate["told"] for candidate in service["next"]]
    return texts
