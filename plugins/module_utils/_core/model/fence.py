# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service had before it was brought to 0 tasks, while its database is rolled back.

What has to be remembered is a tag of the service itself. It is there before anything is changed, so that a run that dies
anywhere, on any machine, leaves behind what the next one needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Suspended = tuple[bool, ...]  # whether scaling in, scaling out and scheduled scaling are
_FORM = re.compile(r"(?P<run>\S+) desired=(?P<desired>[1-9]\d*) suspended=(?P<suspended>none|[yn]{3})\Z")


@dataclass(frozen=True)
class Fence:
    """What a service had: ``desired`` tasks, and of its scalable target (None without one) whether scaling in, scaling out and
    scheduled scaling were suspended (botocore SuspendedState)."""

    run_id: str
    desired: int
    suspended: Suspended | None

    @property
    def text(self) -> str:
        """As the value of a tag, which may have letters, digits, spaces and ``+-=._:/@`` (botocore Tag)."""
        flags = "none" if self.suspended is None else "".join("y" if flag else "n" for flag in self.suspended)
        return "%s desired=%d suspended=%s" % (self.run_id, self.desired, flags)

    @classmethod
    def parse(cls, text: str) -> Fence | None:
        """The Fence of a tag's value, None when it is not one of ours."""
        match = _FORM.match(text)
        if match is None:
            return None
        flags = match["suspended"]
        suspended = None if flags == "none" else tuple(flag == "y" for flag in flags)
        return cls(match["run"], int(match["desired"]), suspended)
