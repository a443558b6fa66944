# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request that was answered with 5xx asked for, as the name of its kind of error. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.access import failed_request
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.level_in_text import level_of_text
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.record import record_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.logs.request_record import asked_for

_PLAIN = re.compile(r"(?=\D)[\w.-]{1,40}\Z(?<!\d\d)")  # a part of a path that is a name and no id
_VERSION = re.compile(r"(?:api|rest|v\d{1,3}(?:\.\d{1,3})?)\Z", re.IGNORECASE)


def request_of(lines: Sequence[str]) -> str:
    """What a request that was answered with 5xx asked for, without what differs from one to the next; empty for any other error."""
    record = record_of(lines)
    found = asked_for(record) if record else None if level_of_text(lines[0].lstrip()) else failed_request(lines[0])
    if found is None:
        return ""
    plain = [part for part in _named_parts(found[1]) if _PLAIN.match(part)]
    return (
        ("%s /%s" % (found[0], "/".join(plain))).strip() if found[0] or plain else "a path that the line does not name"
    )


def _named_parts(path: str) -> list[str]:
    """The parts of a path up to the second that is more than the version of an interface."""
    parts = path.partition("?")[0].split("/")[1:]
    telling = [place for place, part in enumerate(parts) if not _VERSION.match(part)][:2]
    return parts[: telling[-1] + 1] if telling else parts[:2]
