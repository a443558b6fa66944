# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How sentences count."""

from __future__ import annotations


def many(count: int, thing: str) -> str:
    """A count and what it is of, a regular noun: ``1 row``, ``0 rows``, ``2 rows``."""
    return "%s %s%s" % (count, thing, "" if count == 1 else "s")


def minutes(seconds: float) -> str:
    """0:07, 12:34, 75:00."""
    return "%d:%02d" % divmod(int(seconds), 60)
