# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Row ids that look like Prisma's cuid()."""

from __future__ import annotations

import secrets
import string
import time

_BASE36 = string.digits + string.ascii_lowercase


def cuid() -> str:
    """``c``, the time in milliseconds, then 16 random characters: 25 in all."""
    return compose(time.time_ns() // 1_000_000, secrets.randbelow(36**16))


def compose(milliseconds: int, number: int) -> str:
    """The id made of this time and this number below 36**16."""
    return "c" + _base36(milliseconds, 8) + _base36(number, 16)


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits
