# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a triage looks, as the inventory says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import (
    RollbackError,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.entries import Rules
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    RunSeen,
    TimeSeen,
    UnfinishedRun,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_record import MOMENTS

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.known_errors import Noise
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.data_rules import DataRule
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        HttpSeen,
    )


@dataclass(frozen=True)
class Questions:
    """Where to look. ``play`` is a callable that gives the HttpSeen, None where there is no application to ask. ``proof`` is what the checks of a rollback
    need, as ``proof_of`` takes it, None where that is not asked."""

    cluster: str
    services: list[str]
    named: dict[str, str] = field(default_factory=dict)
    log_groups: list[str] = field(default_factory=list)
    db_instance: str = ""
    snapshot: str = ""
    data_from: datetime | None = None
    database_secret: str = ""
    key: str = "DATABASE_URL"
    secrets: list[str] = field(default_factory=list)
    rules: tuple[DataRule, ...] = ()
    release_points: list[dict[str, Any]] = field(default_factory=list)
    release_point: str = ""
    served_at_least: int = MOMENTS
    play: Callable[[], HttpSeen] | None = None
    proof: dict[str, Any] | None = None
    rules_of_logs: Rules = field(default_factory=Rules)
    noise: tuple[Noise, ...] = ()
    log_elsewhere: list[str] = field(default_factory=list)
    connect_timeout: int = 5
    data_timeout: int = 20
    runs: tuple[RunSeen, ...] = ()
    unfinished: UnfinishedRun | None = None
    at_work: str = ""
    times: tuple[TimeSeen, ...] = ()


class NotAsked(RollbackError):
    """The inventory does not say where to look."""
