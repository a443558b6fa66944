# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long AWS takes in a lab of the bench, and so how long a rollback takes at least. Pure."""

from __future__ import annotations

import dataclasses

# Shares of a deployment's time: draining the old tasks, then pulling the image. Health checks and ECS's own steps are the rest.
DRAIN, PULL = 0.15, 0.65
BACKUP = 0.15  # the share of a restore that is its first backup: rivals wait for its end, too


@dataclasses.dataclass(frozen=True)
class Durations:
    """Seconds: a snapshot, a restore, a deployment, and one API call."""

    name: str
    snapshot: float
    restore: float
    deployment: float
    call: float = 0.04

    @property
    def full(self) -> float:
        """The critical path of a full rollback: snapshot and restore side by side, then one deployment."""
        return max(self.snapshot, self.restore) + self.deployment

    @property
    def code(self) -> float:
        """The critical path of a code rollback."""
        return self.deployment

    @property
    def lab(self) -> dict[str, float]:
        """What the lab is given. A deployment is not only completed late: its tasks start late, too, for who looks at tasks."""
        return {
            "snapshot": self.snapshot,
            "restore": (1 - BACKUP) * self.restore,
            "backing_up": BACKUP * self.restore,
            "deregistration_delay": DRAIN * self.deployment,
            "task_pull": PULL * self.deployment,
            "deployment_minimum": self.deployment,
            "call_latency": self.call,
        }


SMALL = Durations("small", 20, 30, 15)
LARGE = Durations("large", 180, 430, 140)
QUICK = Durations("quick", 4, 6, 3)
