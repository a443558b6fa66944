# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks, as lines: what was proven, what is up, what broke. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, text_of, under
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.summary import E2E, TARGETS, TASKS
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

SHOWN = 5  # lines of one check
WORDS = {FAILED: "BROKE", INCONCLUSIVE: "UNPROVEN"}
# Where the output of tests begins to tell what is wrong. A stack, or a summary, comes after that.
_TELLS = re.compile(r"\b(?:error|fail(?:ed|ure|s)?|expected|assert\w*|refused|timed? ?out)\b|[✗✘×⨯✖]", re.IGNORECASE)  # noqa: RUF001


def evidence_of(checks: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each thing that did not pass (list of str), beginning with the name of its check."""
    return [
        "%s, %s: %s" % (check["name"], check["verdict"], line)
        for check in checks
        if check["verdict"] != PASSED
        for line in check["evidence"] or [check["reason"]]
    ]


def report_of(checks: Collection[Mapping[str, Any]]) -> list[str]:
    """The lines (list of str) that a person reads once something has not passed.

    :param checks: list of dict with ``name``, ``kind``, ``verdict``, ``reason`` and ``evidence``.
    """
    up = [check["reason"] for check in checks if check["kind"] in (TASKS, TARGETS) and check["verdict"] == PASSED]
    lines = under("UP", up)
    for verdict in (FAILED, INCONCLUSIVE):
        for check in checks:
            if check["verdict"] == verdict:
                lines += under(WORDS[verdict], _of_one(check))
    passed = [check["name"] for check in checks if check["verdict"] == PASSED]
    return text_of([*lines, Line("PASSED", ", ".join(passed))] if passed else lines)


def _of_one(check: Mapping[str, Any]) -> list[str]:
    """What is told of a check that has not passed."""
    lines = check["evidence"] or [check["reason"]]
    if check["kind"] == E2E and check["evidence"]:
        lines = [check["reason"], *_of_tests(check["evidence"])]
    head = ["%s, %s: %s" % (check["name"], check["verdict"], line) for line in lines[:SHOWN]]
    rest = len(lines) - SHOWN
    return [*head, "%s, and %s" % (check["name"], many(rest, "more line"))] if rest > 0 else head


def _of_tests(evidence: Sequence[str]) -> list[str]:
    """Where their output is, and of its last lines the first that tells what is wrong."""
    where = [line for line in evidence if not line.startswith("| ")]
    printed = [line for line in evidence if line.startswith("| ")]
    telling = next((line for line in printed if _TELLS.search(line)), printed[-1] if printed else None)
    return [*where, telling] if telling else where


def checks_of_outcome(verified: Result) -> list[Line]:
    """Each check with its verdict, and what the checks have left behind (list of Line)."""
    lines = []
    for check in verified.get("checks") or []:
        why = " (%s)" % check["reason"] if check["verdict"] == PASSED else ""
        lines.append(Line("CHECK", "%s: %s%s" % (check["verdict"], check["name"], why)))
    return lines + under("LEFT", verified.get("left_behind") or [])
