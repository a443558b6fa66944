# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all conditions share: the words of a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
    )

Words = dict[str, Union[str, int]]  # what a rule's sentence is filled with
RECENT = timedelta(minutes=15)  # after a failover, applications connect again by themselves within a few minutes
HEALTH = "health"  # the scenario that asks for the health check alone


def listed(items: Iterable[str], most: int = 3) -> str:
    names = list(dict.fromkeys(items))
    return ", ".join(names[:most]) + (" and %d more" % (len(names) - most) if len(names) > most else "")


def ago(evidence: Evidence, moment: datetime) -> str:
    minutes = max(0, round((evidence.at - moment).total_seconds() / 60))
    if minutes < 120:
        return "%d min" % minutes
    return "%d h" % (minutes // 60) if minutes < 48 * 60 else "%d days" % (minutes // 1440)
