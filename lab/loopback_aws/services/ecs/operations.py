# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: what the operations on one kind of resource work with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .agent import Agent
from .scheduler import Scheduler
from .store import Store

if TYPE_CHECKING:
    from ...lab import Lab


@dataclasses.dataclass(frozen=True)
class Operations:
    """Part of ECS's API: one method an operation, as in `wire.Service`."""

    lab: Lab
    store: Store
    agent: Agent
    scheduler: Scheduler
