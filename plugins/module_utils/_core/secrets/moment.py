# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the versions that come back are of the time before the accident, as release and data are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import parse_time, show_time


def younger(items: Iterable[Mapping[str, Any]], bad_since: datetime | None) -> list[str]:
    """A sentence for each secret or parameter whose chosen version was made after the harm began.

    :param items: dicts with ``name``, ``chosen`` and ``versions`` (each with ``id`` and ``created``), as secret_version_info tells them.
    :param bad_since: aware datetime, or None where nobody knows it.
    """
    if bad_since is None:
        return []
    text = (
        "%s: version %s was made at %s, and what is rolled back from began at %s, so the accident's value may be in it. Take an older one "
        "(rollback_secret_versions, rollback_secrets_before). To take it all the same: -e rollback_despite_moment=true."
    )
    found = []
    for item in items:
        made = next(
            (parse_time("created", each["created"]) for each in item["versions"] if each["id"] == item["chosen"]), None
        )
        if made and made > bad_since:
            found.append(text % (item["name"], item["chosen"], show_time(made), show_time(bad_since)))
    return found
