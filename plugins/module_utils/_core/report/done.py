# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome: what was done, what was kept, what was proven. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.checks import checks_of_outcome
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.code import code_of_outcome, pinned
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.database import (
    database_of_outcome,
    finished_of_outcome,
    safety_snapshot,
    service_of_outcome,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.fence import fence_of_outcome
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.secrets import secrets_of_outcome


def done(seen: Published) -> Report:
    """The Report of what a play has done, step by step."""
    lines = [
        *code_of_outcome(seen),
        *fence_of_outcome(seen, bool(safety_snapshot(seen))),
        *service_of_outcome(seen),
        *pinned(seen),
        *database_of_outcome(seen),
        *finished_of_outcome(seen),
        *secrets_of_outcome(seen),
        *checks_of_outcome(seen.verified),
    ]
    return Report("done", tuple(lines))
