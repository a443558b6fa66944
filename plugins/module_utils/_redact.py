# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other programs wrote, without what looks like a secret: logs, and the bodies of answers. Pure."""

from __future__ import annotations

import re

_SECRETS = (
    (re.compile(r"(://)[^/\s]*@"), r"\1********@"),
    (
        re.compile(
            r"(?i)((?:password|passwd|secret|token|authorization|api[_-]?key)[\"']?\s*[:=]\s*[\"']?)[^\s\"',}]+"
        ),
        r"\1********",
    ),
)


def without_secrets(text):
    """A text without what looks like the login in a URL or the value of a password."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
