# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users feel. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import of_answers, of_tasks
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import Words

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
    )


def felt(evidence: Evidence) -> Words | None:
    """Users feel that something is wrong."""
    return dict() if of_tasks.crash_loop(evidence) or of_tasks.tasks_end(evidence) or _seen_broken(evidence) else None


def _seen_broken(evidence: Evidence) -> bool:
    found = (
        of_answers.outage,
        of_answers.feature_broken,
        of_answers.feature_without_answer,
        of_answers.login_refused,
        of_tasks.no_healthy_target,
        of_answers.slow,
    )
    return any(condition(evidence) for condition in found)


def down(evidence: Evidence) -> Words | None:
    """Something is down at this moment, seen by what people do, by a load balancer, or by ECS."""
    lacks = any(service.running < service.desired for service in of_tasks.services_in(evidence))
    return dict() if lacks or _seen_broken(evidence) else None
