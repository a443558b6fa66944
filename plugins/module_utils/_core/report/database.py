# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database, as lines: which data come back, what is lost, who holds it, and what ids are given then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.fence import fence_of_plan
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.findings import beware_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, under, utc, within
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published, Result

_UNTOUCHED = "is not touched: its data stay, and so does what a migration of the bad release has done"
_AGAIN = "if its data are bad again, this restores the same data once more: -e rollback_database_again=true"
_BY_TASK = (
    "sequences of the restored database go beyond those of the failed one: a task asks both, and another one moves them "
    "(rollback_sequences=leave leaves them)"
)
_LEFT_AS_THEY_ARE = (
    "sequences stay as the data have them (rollback_sequences=leave): what is lost and what is new may get the same ids"
)
_CUTOVER = (
    "only what is deployed reads the new instance's URL, from a version of the secret that it pins; whatever else starts "
    "reads the old one until it is gone"
)
_FAILED = "the failed database"
_UNMARKED = "since and until when the instances were in service could not be written down, so later plans take it at its worst: %s"


def database_of_plan(seen: Published) -> list[Line]:
    """What becomes of the data (list of Line)."""
    database = seen.database
    if not database:
        return [Line("DATABASE", _UNTOUCHED)]
    if not seen.moves_database:
        return [Line("DATABASE", "stays: %s" % database["reason"], (_AGAIN,)), *beware_of(database["findings"])]
    return [
        _restore(database),
        _lost(database),
        *_ids_of_plan(seen),
        *_holders(database),
        *fence_of_plan(seen),
        *_cutover(seen.references),
        *beware_of([*database["findings"], *(seen.references.get("findings") or [])]),
    ]


def _restore(database: Result) -> Line:
    words = "%s -> %s, a new instance with every setting of the old one"
    source = "from %s, data of %s; a large restore takes long"
    return Line(
        "DATABASE",
        words % (database["db_instance"], database["new_db_instance"]),
        (
            "because %s" % database["reason"],
            source % (database["source"]["told"], utc(database["source"]["created"])),
        ),
    )


def _lost(database: Result) -> Line:
    lost, safety = database["lost"], database["safety_snapshot"]
    words = "what was written since %s, %.1f hours, is not in the new instance (%s);"
    keeps = "%s keeps it%s" % (database["db_instance"], ", and so does the snapshot %s" % safety if safety else "")
    further = [keeps]
    if lost["counted"]:
        finds = "; playbooks/salvage.yml finds them afterwards, and those that were changed"
        further.append(lost["counted"] + (finds if any(lost["rows"].values()) else ""))
    return Line("LOST", words % (utc(lost["since"]), lost["seconds"] / 3600, lost["how_known"]), tuple(further))


def _ids_of_plan(seen: Published) -> list[Line]:
    if seen.database.get("ids"):
        return [Line("IDS", "%s (rollback_sequences=leave leaves them)" % seen.database["ids"])]
    if seen.sequences == "ahead" and seen.probe == "task":
        return [Line("IDS", _BY_TASK)]
    return [Line("IDS", _LEFT_AS_THEY_ARE)] if seen.sequences == "leave" else []


def _holders(database: Result) -> list[Line]:
    """Who else holds what was lost."""
    held = "; not in the new instance either"
    return [
        Line("KEPT", holder["told"] + ("" if holder["never_served"] else held))
        for holder in database["kept"]
        if not holder["serves"]
    ]


def _cutover(references: Result) -> list[Line]:
    rotates = references.get("rotates")
    others = [
        Line("CUTOVER", "%s of %s: %s" % (finding["subject"], ", ".join(finding["services"]), finding["what"]))
        for finding in references.get("findings") or []
        if finding["verdict"] == "passed" and finding["check"] != "cutover"
    ]
    return [Line("CUTOVER", _CUTOVER), *under("BEWARE", [rotates] if rotates else []), *others]


def service_of_outcome(seen: Published) -> list[Line]:
    """Which database is in service now (list of Line)."""
    after = within(seen.database_result, "cutover", "after", "host")
    before = within(seen.lock, "before", "database", "host") or within(
        seen.database_result, "cutover", "before", "host"
    )
    lines = []
    if after is not None and after != (before or ""):
        lines.append(Line("DATABASE", "DATABASE_URL names %s now; before, it named %s" % (after, before or "")))
    leaving = seen.undo_result.get("leaving")
    if leaving and "services" in seen.deployed and not seen.deployed.get("failed"):
        again = "%s at %s is in service again; %s is kept, and what was written there stays there"
        place = seen.undo["database"]
        lines.append(Line("DATABASE", again % (place["db_instance"], place["host"], leaving)))
    return lines


def ids_of_outcome(seen: Published) -> list[Line]:
    """What was done so that no id is given twice (list of Line)."""
    own = (seen.undo_result if seen.is_undo else seen.database_result).get("sequences") or {}
    ids = own if "reason" in own else within(seen.database_result, "probe_task", "sequences") or {}
    if "reason" not in ids:
        return []
    other = seen.undo_result.get("leaving") or _FAILED
    told = ["ids %s: %s" % (finding["subject"], finding["what"].replace(_FAILED, other)) for finding in ids["findings"]]
    return [Line("IDS", ids["reason"].replace(_FAILED, other)), *under("BEWARE", told)]


def database_of_outcome(seen: Published) -> list[Line]:
    """What was restored, and who keeps what was lost (list of Line)."""
    database, result = seen.database, seen.database_result
    storage = within(result, "retired", "storage")
    lines = [Line("STORAGE", "%s: %s" % (database["new_db_instance"], storage))] if storage else []
    lines += ids_of_outcome(seen)
    done = database.get("state") == "done"
    if within(result, "restored", "endpoint") is not None:
        but = ", but for what comes LATER" if within(result, "finished", "unfinished") else ""
        words = "%s was restored from %s with every setting of %s%s"
        of = (result["restored"]["db_instance"], database["source"]["told"], database["db_instance"], but)
        lines.append(Line("DATABASE", words % of))
    elif done:
        lines.append(Line("DATABASE", database["reason"]))
    if within(result, "restored", "db_instance") is not None or done:
        lines.append(_kept(seen))
    return lines


def _kept(seen: Published) -> Line:
    """The instance that was left, with what nobody else has."""
    database = seen.database
    own = database["db_instance"]
    others = [holder for holder in database["kept"] if holder["db_instance"] != own and not holder["serves"]]
    served = (
        [holder["told"] for holder in database["kept"] if holder["db_instance"] == own]
        if database["state"] == "done"
        else []
    )
    here = " and here:" if any(not holder["never_served"] for holder in others) else ""
    only = "what was written after %s is only there%s" % (utc(database["lost"]["since"]), here)
    retired = within(seen.database_result, "retired", "reason")
    further = [
        *(served[:1] or [only]),
        *(holder["told"] for holder in others),
        *([retired] if retired is not None else []),
    ]
    return Line("KEPT", "%s as it was%s;" % (own, _snapshot(seen)), tuple(further))


def _snapshot(seen: Published) -> str:
    safety = safety_snapshot(seen)
    if not safety:
        return "; no snapshot of it was asked for%s" % (" yet" if seen.database["safety_snapshot"] else "")
    until = ", which holds what was written until %s" % utc(safety["created"]) if safety["created"] else ""
    return ", and the snapshot %s of it%s" % (safety["name"], until)


def safety_snapshot(seen: Published) -> Mapping[str, Any]:
    """The safety snapshot as it was seen last; a name that nobody has asked RDS for is none, and empty."""
    result = seen.database_result
    instances = within(result, "finished", "instances") or []
    snapshots = [
        *(instance.get("safety_snapshot") for instance in instances),
        within(result, "safety", "snapshot"),
        within(result, "restored", "safety_snapshot"),
        seen.database.get("safety"),
    ]
    wanted = seen.database.get("safety_snapshot") or ""
    return next((snapshot for snapshot in snapshots if snapshot and snapshot["name"] == wanted), {})


def finished_of_outcome(seen: Published) -> list[Line]:
    """What could not be written down, what was finished, and what somebody has changed since (list of Line)."""
    result = seen.database_result
    problems = [
        within(seen.undo_result, "marked", "msg"),
        within(result, "staged", "unmarked"),
        within(result, "cutover", "unmarked"),
    ]
    lines = under("BEWARE", (_UNMARKED % problem for problem in dict.fromkeys(filter(None, problems))))
    if "plan" in seen.database_unfinished:
        lines += [_finished(instance) for instance in within(result, "finished", "instances") or []]
    since = within(result, "finished", "since_changed") or []
    return lines + under("NOTE", ("somebody has changed since then, and it stays: %s" % text for text in since))


def _finished(instance: Mapping[str, Any]) -> Line:
    how = "every setting was compared and is equal" if instance["finished"] else "not yet"
    return Line("FINISHED", "%s of run %s: %s" % (instance["db_instance"], instance["run_id"], how))
