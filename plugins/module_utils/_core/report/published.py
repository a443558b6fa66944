# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles publish for the report: what was seen, decided and done, by the task that has told it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Result = Mapping[str, Any]  # of a module, as its RETURN says; empty where it was not played


@dataclass(frozen=True)
class Published:
    """The plan is made of the first two parts, the outcome of all."""

    # How the playbook was called.
    host: str
    check: bool = False
    environment: str = ""
    cluster: str = ""
    services: Sequence[str] = ()
    deployment: str = "as_configured"
    sequences: str = "ahead"
    fence: str = "none"
    probe: str = "direct"
    playbook: str = ""
    purpose: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    # What was seen and decided.
    run: Result = field(default_factory=dict)  # rollback_run
    code: Result = field(default_factory=dict)  # ecs_release_info
    deployment_plan: Result = field(default_factory=dict)  # ecs_rollback, in check mode
    migrations: Result = field(default_factory=dict)  # database_probe_info, of the release
    database: Result = field(default_factory=dict)  # rds_rollback_info
    references: Result = field(default_factory=dict)  # database_references_info
    secrets: Result = field(default_factory=dict)  # secret_version_info
    undo: Result = field(default_factory=dict)  # rollback_undo_info
    # What was done.
    lock: Result = field(default_factory=dict)  # rollback_begin
    deployed: Result = field(default_factory=dict)  # ecs_rollback
    code_finished: Result = field(default_factory=dict)  # ecs_finish
    database_result: Mapping[str, Result] = field(default_factory=dict)  # by the task of the role
    database_unfinished: Result = field(default_factory=dict)  # rds_finish, in check mode
    undo_result: Mapping[str, Any] = field(default_factory=dict)  # by the task of the role
    secrets_result: Result = field(default_factory=dict)  # secret_rollback
    verified: Result = field(default_factory=dict)  # verify_application
    failed: Result = field(default_factory=dict)  # by the task that has failed
    refused: Mapping[str, str] = field(
        default_factory=dict
    )  # commands that lead on from a plan refused for migrations: full, despite

    @property
    def is_undo(self) -> bool:
        """Whether the role undo has played in the place of those for the database and for secrets."""
        return self.purpose == "undo"

    @property
    def moves_database(self) -> bool:
        """Whether another database comes into service."""
        return bool(self.database) and self.database.get("state", "done") != "done"
