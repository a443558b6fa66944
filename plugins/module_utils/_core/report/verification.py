# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks have come to, where they are the whole play: what has passed, or the verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import (
    Line,
    Report,
    lines_read,
    under,
    within,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.published import Result
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.recommendation import called
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED

_NO_HTTP = "no request was sent: the application has no HTTP (rollback_base_url is none)"


@dataclass(frozen=True)
class VerifySeen:
    """``verified``: what verify_application has told. ``base_url`` is ``none`` where the application has no HTTP. ``command`` is what is run when something
    has not passed."""

    verified: Result
    base_url: str = ""
    services: Sequence[str] = ()
    command: str = ""
    contacts: Any = ()


def passed(seen: VerifySeen) -> Report:
    """The Report of checks that have passed."""
    verified = seen.verified
    what = ", ".join(seen.services) if seen.base_url == "none" else seen.base_url
    noise = within(verified, "logs", "noise") or []
    old = within(verified, "logs", "old_errors") or []
    lines = [
        Line("VERIFIED", "%s: %s" % (what, verified["reason"])),
        *under("CHECK", ("%(verdict)s: %(name)s (%(reason)s)" % check for check in verified["checks"])),
        *under("NOTE", [_NO_HTTP] if seen.base_url == "none" else []),
        *under("NOISE", ("%(count)s times: %(pattern)s (%(reason)s; until %(until)s)" % item for item in noise)),
        *under("OLD", ("%(count)s times, %(before)s before: %(fingerprint)s" % item for item in old)),
        *under("LEFT", verified.get("left_behind") or []),
    ]
    return Report("passed", tuple(lines))


def verdict(seen: VerifySeen) -> Report:
    """The Report of checks that have not passed."""
    verified = seen.verified
    how = "not well" if verified["verdict"] == FAILED else "not verified"
    words, further = [*verified["next"], ""][0], verified["next"][1:]
    following = Line("NEXT", words, (*further, seen.command)) if verified["next"] else Line("", seen.command)
    lines = [
        Line(None, "The application is %s: %s." % (how, verified["reason"])),
        *lines_read(verified["report"]),
        *under("LEFT", verified.get("left_behind") or []),
        following,
        *called(seen.contacts),
    ]
    return Report("verdict", tuple(lines))
