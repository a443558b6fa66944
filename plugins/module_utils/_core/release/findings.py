# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings, whatever they are of: their order, what they come to, and how they are shown. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    INCONCLUSIVE,
    NOTED,
    PASSED,
    overall,
)


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """Findings in the order in which they are reported: failures, what was not checked, notes, what has passed."""
    order = [FAILED, INCONCLUSIVE, NOTED, PASSED]
    return sorted(found, key=lambda finding: order.index(finding.verdict))


def verdict(found: Iterable[Finding]) -> str:
    """``failed`` when anything has, ``inconclusive`` when nothing has but not everything could be read, else ``passed``."""
    return overall([PASSED, *(finding.verdict for finding in found if finding.verdict != NOTED)])


def summary(found: Collection[Finding]) -> str:
    """One sentence that counts the findings."""
    counts = [
        (word, sum(finding.verdict == word for finding in found)) for word in (FAILED, INCONCLUSIVE, NOTED, PASSED)
    ]
    words = {FAILED: "failed", INCONCLUSIVE: "could not be made", NOTED: "need a look", PASSED: "passed"}
    return "of %d checks, %s" % (
        len(found),
        ", ".join("%d %s" % (count, words[word]) for word, count in counts if count),
    )


def preflight_result(found: Collection[Finding]) -> dict[str, Any]:
    """What modules return of Findings (dict): ``findings`` in JSON types, their ``verdict``, and as ``evidence`` one line for each failure."""
    return dict(
        findings=[dict(asdict(finding), services=list(finding.services)) for finding in found],
        verdict=verdict(found),
        evidence=[finding_line(finding) for finding in found if finding.verdict == FAILED],
    )


def finding_line(finding: Finding) -> str:
    """A Finding on one line, for people."""
    return " ".join(filter(None, ["%s %s: %s." % (finding.check, finding.subject, finding.what), finding.cure]))
