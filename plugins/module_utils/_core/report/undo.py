# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of an undo: what comes back of what a run has rolled back from, what stays behind, and what keeps it from beginning. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.code import STARTED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.findings import beware, beware_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import (
    Line,
    Report,
    lines_read,
    under,
    within,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.migrations import accepted
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.plan import KEPT, now_answers
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.refusal import listed

_PROOFS = ("base_url", "log_group", "secret")  # what the checks that follow need
_FAILED = "the failed database"
_UNPROVEN = "What comes after the undo could not be proven, or somebody would stay on %s. Nothing was changed. Fix all of this first:"
_NAMED = "%s: the task definition %s itself names %s, so it would stay there. To have it come back like that: -e rollback_readers=leave."
_IDS = "sequences of %s go beyond those of %s, so that no id is given twice (rollback_sequences=leave leaves them)"
_IDS_STAY = "sequences stay, so what is written from then on may get ids that %s has given"
_LOST = "what was written since run %s stays in %s, which is kept; playbooks/salvage.yml compares the two"


@dataclass(frozen=True)
class UndoSeen:
    """What the role undo has seen. The first four are what modules have told; empty is what was not asked."""

    undo: Result  # rollback_undo_info
    code: Result = field(default_factory=dict)  # ecs_rollback, in check mode
    release: Result = field(default_factory=dict)  # ecs_release_info
    secrets: Result = field(default_factory=dict)  # secret_rollback, in check mode
    probe: Result = field(default_factory=dict)  # database_probe_info, of the database that comes back
    lineage: Result = field(default_factory=dict)  # rds_lineage_info
    run: Result = field(default_factory=dict)  # rollback_run
    host: str = ""
    run_id: str = ""
    environment: str = ""
    readers: str = "refuse"
    # What the role makes of it.
    values: Collection[str] = ()  # names of secrets that change
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)  # service → names of secrets
    targets: Mapping[str, str] = field(default_factory=dict)  # service → task definition
    moves: bool = False  # the database that is in use changes
    moved: bool = False  # … or has changed in an earlier play
    place_known: bool = False  # it is known which one is in use
    ids: bool = False  # sequences are moved
    leaving: str = ""  # the DB instance that goes out of service
    told: Sequence[Mapping[str, Any]] = ()  # findings of who stays on it and may
    staying: Sequence[Mapping[str, Any]] = ()  # … and may not
    naming: Sequence[str] = ()  # services whose task definition itself names it

    @property
    def services(self) -> Sequence[Mapping[str, Any]]:
        """What becomes of each service."""
        found: Sequence[Mapping[str, Any]] = self.code["services"]
        return found


def undo_plan(seen: UndoSeen) -> Report:
    """The Report of what an undo is going to do."""
    opening = "run %s on %s (%s) undoes %s" % (seen.run_id, seen.host, seen.environment, seen.undo["told"])
    lines = [
        Line("PLAN", opening),
        *now_answers(seen.release.get("now")),
        *lines_read(seen.run.get("lines") or []),
        *_code(seen),
        *_fenced(seen),
        *_known(seen),
        *accepted(seen.probe, "what comes back", "what comes back"),
        *under("DEPLOY", ("fast, for this deployment only: %s" % line for line in seen.code.get("settings") or [])),
        *_database(seen),
        *_data(seen),
        *_ids(seen),
        *_staying(seen),
        *(under("SECRETS", seen.secrets["plan"]) or [Line("SECRETS", "stay")]),
        KEPT,
    ]
    return Report("undo plan", tuple(lines))


def undo_refusal(seen: UndoSeen) -> Report:
    """The Report of all that an undo is refused for; without lines where it is not."""
    needed = seen.lineage.get("needed")
    unproven = [
        finding["what"]
        for finding in seen.release["findings"]
        if finding["verdict"] == "failed" and not finding["services"] and finding["check"] in _PROOFS
    ]
    staying = [_stays(finding, seen.leaving) for finding in seen.staying]
    named = [_NAMED % (service, seen.targets[service], seen.leaving) for service in seen.naming]
    why = [
        *([needed] if needed else []),
        *(within(seen.release, "back", "against") or []),
        *unproven,
        *staying,
        *(named if seen.readers != "leave" else []),
    ]
    return Report("undo refusal", listed(_UNPROVEN % (seen.leaving or "another database"), why) if why else ())


def _stays(finding: Mapping[str, Any], leaving: str) -> str:
    what = finding["what"].replace(_FAILED, leaving)
    return "%s %s: %s. %s" % (finding["check"].replace("_", " "), finding["subject"], what, finding["cure"])


def _keeps_code(service: Mapping[str, Any]) -> bool:
    """Whether the release stays; the task definition may be another one, such as a copy that pins the version of a secret."""
    return bool(service["before"] == service["after"] or service.get("same_release"))


def _code(seen: UndoSeen) -> list[Line]:
    return [
        Line("CODE", "%s: %s (%s)" % (service["name"], _change(service, seen), ", ".join(service["image"])))
        for service in seen.services
    ]


def _change(service: Mapping[str, Any], seen: UndoSeen) -> str:
    if service["before"] != service["after"]:
        same = ", the same release" if _keeps_code(service) else ""
        return "%s -> %s%s" % (service["before"], service["after"], same)
    read = set(seen.reads.get(service["name"]) or []) & set(seen.values)
    again = seen.moves or service["step"] in STARTED or read
    return "stays on %s%s" % (service["before"], " and is started again" if again else "")


def _fenced(seen: UndoSeen) -> list[Line]:
    """What stands at 0 tasks, and what is known of the release that is started again then."""
    lines = []
    for service in seen.services:
        if service["fence"]:
            lines.append(Line("FENCE", service["fence"]))
            if _keeps_code(service) and service["step"] in STARTED:
                lines += _of_release(service, "is started again", seen)
    return lines


def _known(seen: UndoSeen) -> list[Line]:
    """What the runs of the store know of what comes back."""
    if any(not _keeps_code(service) for service in seen.services):
        coming = [service for service in seen.services if not _keeps_code(service)]
        return [line for service in coming for line in _of_release(service, "comes back", seen)]
    if any(service["fence"] and service["step"] in STARTED for service in seen.services):
        return []
    what = "data" if seen.moves else "secrets" if seen.secrets["plan"] else "release"
    return [Line("BEWARE", "%s: the code stays; of the rest, %s" % (what, why)) for why in seen.undo["known"]]


def _of_release(service: Mapping[str, Any], comes: str, seen: UndoSeen) -> list[Line]:
    words = "release %s: %s %s, and %s"
    return [Line("BEWARE", words % (service["name"], service["after"], comes, why)) for why in seen.undo["known"]]


def _database(seen: UndoSeen) -> list[Line]:
    place = seen.undo["database"]
    if "host" not in place:
        return []
    answer = seen.probe.get("reason")
    asked = "; BEWARE: it was not asked whether it answers" if answer is None else ": %s" % answer
    if seen.place_known and not seen.moved:
        words = "stays: the run had not moved it. The application is on %s at %s%s"
        return [Line("DATABASE", words % (place["db_instance"], place["host"], asked))]
    again = Line("DATABASE", "%s at %s again%s" % (place["db_instance"], place["host"], asked))
    return [again, Line("LOST", _LOST % (seen.undo["run_id"], seen.leaving or "the instance that is in use now"))]


def _data(seen: UndoSeen) -> list[Line]:
    """What is to be known of the data that the tasks read."""
    apart = within(seen.release, "back", "apart")
    lines = [Line("BEWARE", "data: %s" % apart)] if apart else []
    lines += beware_of(finding for finding in seen.release["findings"] if finding["check"] == "data")
    data = seen.release["data"]
    if data.get("several"):
        several = data["told"] or "the tasks of the services read several databases"
        lines.append(Line("BEWARE", "data: %s" % several))
    return lines


def _ids(seen: UndoSeen) -> list[Line]:
    if seen.ids:
        return [Line("IDS", _IDS % (seen.undo["database"]["db_instance"], seen.leaving))]
    return [Line("IDS", _IDS_STAY % seen.leaving)] if seen.moves else []


def _staying(seen: UndoSeen) -> list[Line]:
    """Who stays on the database that is left."""
    names = "%s: the task definition %s itself names %s, so it stays there"
    return [
        *(beware({**finding, "what": finding["what"].replace(_FAILED, seen.leaving)}) for finding in seen.told),
        *under("BEWARE", (names % (service, seen.targets[service], seen.leaving) for service in seen.naming)),
    ]
