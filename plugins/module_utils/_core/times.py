# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as options give them and as results show them: ISO 8601 with a time zone."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError


def parse_time(option: str, text: str | None) -> datetime | None:
    """The aware datetime (UTC) that ``text`` names; None for an empty text.

    :param option: the module's option, for the message.
    :raises RollbackError: it is not ISO 8601, or it has no time zone: an hour's error would choose another version.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))  # fromisoformat reads no Z before Python 3.11
    except ValueError as error:
        raise RollbackError(
            "The option %s is '%s', which is not a time in ISO 8601, like 2026-11-22T03:11:05Z." % (option, text)
        ) from error
    if moment.tzinfo is None:
        raise RollbackError(
            "The option %s is '%s', which has no time zone. Write it like 2026-11-22T03:11:05Z." % (option, text)
        )
    return moment.astimezone(timezone.utc)


def show_time(moment: datetime) -> str:
    """ISO 8601 in UTC, for results."""
    return moment.astimezone(timezone.utc).isoformat()
