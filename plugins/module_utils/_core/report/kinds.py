# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of report, and the values that it is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.done import done
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.left import LeftSeen, left
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.plan import plan
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.recommendation import (
    TriageSeen,
    recommendation,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.refusal import (
    Listed,
    failure,
    list_report,
    refusal,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.release_points import (
    CheckpointSeen,
    ReleasesSeen,
    release_point_report,
    release_points,
    release_refusal,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.salvage import SalvageSeen, salvage
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.undo import (
    UndoSeen,
    undo_plan,
    undo_refusal,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.verification import (
    VerifySeen,
    passed,
    verdict,
)

# By kind: the dataclass that it is made of, and what makes it.
KINDS: dict[str, tuple[type[Any], Callable[[Any], Report]]] = {
    "plan": (Published, plan),
    "refusal": (Published, refusal),
    "done": (Published, done),
    "failure": (Published, failure),
    "undo plan": (UndoSeen, undo_plan),
    "undo refusal": (UndoSeen, undo_refusal),
    "recommendation": (TriageSeen, recommendation),
    "release point": (CheckpointSeen, release_point_report),
    "release points": (ReleasesSeen, release_points),
    "release refusal": (ReleasesSeen, release_refusal),
    "salvage": (SalvageSeen, salvage),
    "passed": (VerifySeen, passed),
    "verdict": (VerifySeen, verdict),
    "left": (LeftSeen, left),
    "list": (Listed, list_report),
}


def make_report(kind: str, values: Mapping[str, Any]) -> Report:
    """The Report of a kind.

    :param values: by the names of the kind's dataclass; None is what was not played.
    :raises TypeError: a value has a name that the dataclass has not, or one is missing.
    """
    shape, make = KINDS[kind]
    return make(shape(**{name: value for name, value in values.items() if value is not None}))
