# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings, as lines: what stands in nobody's way, and is to be known all the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import INCONCLUSIVE, NOTED


def beware_of(findings: Iterable[Mapping[str, Any]]) -> list[Line]:
    """A BEWARE for each finding that is noted or was not checked (list of Line)."""
    return [beware(finding) for finding in findings if finding["verdict"] in (NOTED, INCONCLUSIVE)]


def beware(finding: Mapping[str, Any]) -> Line:
    """One of them."""
    unchecked = "not checked: " if finding["verdict"] == INCONCLUSIVE else ""
    return Line(
        "BEWARE", "%s%s %s: %s" % (unchecked, finding["check"].replace("_", " "), finding["subject"], finding["what"])
    )
