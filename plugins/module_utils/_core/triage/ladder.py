# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways back from what is seen, the fastest first: what each brings back, how long such runs took, what it loses, and what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_database,
    of_secrets,
    of_tasks,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import ago, listed

if TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import Evidence

CODE, SECRETS, SNAPSHOT, POINT_IN_TIME = "code", "secrets", "snapshot", "point in time"
_PLAYBOOKS = {
    CODE: ("rollback_code",),
    SECRETS: ("rollback_secrets",),
    SNAPSHOT: ("rollback_database", "rollback_full"),
    POINT_IN_TIME: ("rollback_database", "rollback_full"),
}
"""Whose times tell how long a way takes; a full rollback takes as long as that of its database."""


@dataclass(frozen=True)
class Rung:
    """A ``way`` back. ``to`` is what it brings back, ``loses`` what it costs, ``proof`` what is known of it, all clauses. ``seconds`` is the median of how long
    the last ``runs`` of this kind took, None without any."""

    way: str
    to: str
    loses: str
    proof: str = ""
    seconds: float | None = None
    runs: int = 0


def ladder(evidence: Evidence) -> tuple[Rung, ...]:
    """The Rungs that there are, the fastest first, by what each has to do: a deployment; a restore before it; backups and their log before that."""
    return tuple(rung for way in (_code, _secrets, _snapshot, _point_in_time) for rung in way(evidence))


def _rung(evidence: Evidence, way: str, to: str, loses: str, proof: str = "") -> Rung:
    times = {item.kind: item for item in evidence.times}
    took = next((times[kind] for kind in _PLAYBOOKS[way] if kind in times), None)
    return Rung(way, to, loses, proof, took.seconds if took else None, took.runs if took else 0)


def _code(evidence: Evidence) -> Iterator[Rung]:
    """The release before; where that was brought back already, the one before it."""
    services = of_tasks.services_in(evidence)
    to = [service.next if service.brought_back else service.before for service in services]
    if to and all(to):
        again = any(service.brought_back for service in services)
        yield _rung(evidence, CODE, listed(to), "nothing", _OLDER if again else _fits(evidence))


_OLDER = "whether the schema of now fits it is not known"


def _fits(evidence: Evidence) -> str:
    """Whether the release before can run on the schema of now."""
    came = of_database.came_since(evidence)
    if came is None:
        return _OLDER
    if not came:
        return "no migration came since it served"
    additive, taken = of_database.additive_came(evidence), of_database.migration_takes_away(evidence)
    if additive:
        return "%(names)s came since, which only adds%(beware)s" % additive
    if taken:
        return "%(names)s takes something away%(by_name)s which it may need" % taken
    return "%s came since; that it only adds is not proven" % listed(item.name for item in came)


def _secrets(evidence: Evidence) -> Iterator[Rung]:
    changed = of_secrets.secret_changed(evidence) or of_secrets.secret_changed_alone(evidence)
    if changed:
        yield _rung(
            evidence, SECRETS, "the values from before of %(names)s, which changed %(ago)s ago" % changed, "nothing"
        )


def _snapshot(evidence: Evidence) -> Iterator[Rung]:
    instance = evidence.instance
    if instance and instance.snapshot and instance.data_from and not instance.snapshot_problem:
        loses = "what was written in the %s since then" % ago(evidence, instance.data_from)
        yield _rung(evidence, SNAPSHOT, "%s, of %s" % (instance.snapshot, _clock(instance.data_from)), loses)


def _point_in_time(evidence: Evidence) -> Iterator[Rung]:
    instance = evidence.instance
    if instance and instance.restorable_until:
        to = "any moment up to %s (rollback_point_in_time)" % _clock(instance.restorable_until)
        yield _rung(evidence, POINT_IN_TIME, to, "what was written after it")


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
