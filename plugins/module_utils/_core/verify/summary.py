# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all checks together come to, and what to do then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED, overall
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

# The kinds of checks.
HTTP, TASKS, TARGETS, LOGS, E2E, DEPLOYMENT, DATA, LEFT, WATCH, TRAFFIC = (
    "http",
    "tasks",
    "targets",
    "logs",
    "e2e",
    "deployment",
    "data",
    "left",
    "watch",
    "traffic",
)

WRONG_SCHEMA = ("P2021", "P2022")  # Prisma: the table or the column does not exist

AFTER_NOTHING, AFTER_CODE, AFTER_SECRETS, AFTER_DATABASE = "nothing", "code", "secrets", "database"
"""What was brought back just before: nothing, the code alone, the secrets alone, or the database (and perhaps more)."""


def summary(checks: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """(verdict, reason) over all checks (list of dict with ``name`` and ``verdict``)."""
    verdict = overall(check["verdict"] for check in checks)
    if verdict == PASSED:
        return verdict, "all %d checks have passed" % len(checks) if len(checks) > 1 else "the only check has passed"
    parts = [
        "%s: %s" % (kind, ", ".join(names))
        for kind in (FAILED, INCONCLUSIVE)
        for names in [[check["name"] for check in checks if check["verdict"] == kind]]
        if names
    ]
    passed = sum(check["verdict"] == PASSED for check in checks)
    return verdict, "%d of %s passed; %s" % (
        passed,
        many(len(checks), "check"),
        "; ".join(parts or ["nothing was measured"]),
    )


def next_steps(verdict: str, after: str, codes: Iterable[str], following: str = "") -> list[str]:
    """What a person does next (list of str, a sentence each).

    :param after: what was brought back just before.
    :param following: the release that would be next, with the option that picks it; empty where there is none, or where nobody has looked for one
        because the code stays.
    :param codes: Prisma's codes (iterable of str) of the errors that were found.
    """
    if verdict == PASSED:
        return []
    if verdict == INCONCLUSIVE:
        return [
            "Nothing shows that the application is broken, and nothing that it works.",
            "Fix what kept the checks from measuring.",
        ]
    if after == AFTER_NOTHING:
        return ["playbooks/triage.yml tells whether to roll back, and what; it changes nothing."]
    told = ["The rollback stands; nothing was taken back because of this."]
    if after == AFTER_CODE and set(codes) & set(WRONG_SCHEMA):
        told.append(
            "The release that was brought back does not understand the database as it is: "
            "playbooks/rollback_full.yml brings both back to before the migration."
        )
    else:
        other = "the next release is %s" % following if following else "playbooks/triage.yml tells what else helps"
        told.append("If it was like this before the bad release, leave it. If not, %s." % other)
    return told
