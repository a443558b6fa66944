# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check may come to. An error while measuring is inconclusive, and inconclusive is never passed."""

from __future__ import annotations

PASSED, FAILED, INCONCLUSIVE = "passed", "failed", "inconclusive"


def overall(verdicts):
    """The verdict of several (iterable of str). Without any, nothing was measured."""
    found = set(verdicts)
    if FAILED in found:
        return FAILED
    return PASSED if found == {PASSED} else INCONCLUSIVE
