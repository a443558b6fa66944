# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that has stopped, as triage sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
    StoppedTask,
)


@dataclass(frozen=True)
class Dead:
    """A task that stopped, and what its log stream is found with. ``definition`` is an ARN."""

    task: StoppedTask
    definition: str
    created: datetime
