# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets and parameters, as lines: which version each goes back to, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import Line, under, utc, within
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Published, Result


def brought_back(plan: Result) -> set[str]:
    """The names of secrets and parameters that come back."""
    return {secret["name"] for secret in _all(plan) if secret["changes"]}


def _all(plan: Result) -> list[Mapping[str, Any]]:
    return [*(plan.get("secrets") or []), *(plan.get("parameters") or [])]


def secrets_of_plan(seen: Published) -> list[Line]:
    """What becomes of each (list of Line)."""
    return [_secret(secret) for secret in _all(seen.secrets)] or [Line("SECRETS", "are not touched")]


def _secret(secret: Mapping[str, Any]) -> Line:
    because = "because %s" % secret["reason"]
    if not secret["changes"]:
        return Line("SECRETS", "%s: stays" % secret["name"], (because,))
    keys, kept = secret.get("json_keys") or [], secret.get("kept") or []
    of = "keys %s " % ", ".join(keys) if keys else ""
    words = "%s: %sback to %s (%s)" % (secret["name"], of, _version(secret), secret["chosen"][:8])
    stay = ["%s %s as it is now" % (", ".join(kept), "stays" if len(kept) == 1 else "stay")] if kept else []
    return Line("SECRETS", words, (*stay, because))


def _version(secret: Mapping[str, Any]) -> str:
    chosen = [version for version in secret["versions"] if version["id"] == secret["chosen"]]
    return "the version of %s" % utc(chosen[0]["created"]) if chosen else "the backup"


def secrets_of_outcome(seen: Published) -> list[Line]:
    """What has come back (list of Line)."""
    result = within(seen.undo_result, "secrets") if seen.is_undo else seen.secrets_result
    return under("SECRETS", within(result, "plan") or [])
