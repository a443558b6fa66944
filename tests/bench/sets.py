# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long AWS takes in a lab of the bench, and so how long a rollback takes at least. Pure."""

from __future__ import annotations

import dataclasses

# Shares of a deployment's time: draining the old tasks, then pulling the image. Health checks and ECS's own steps are the rest.
DRAIN, PULL = 0.15, 0.65
BACKUP = (
    0.15  # the share of a restore that is its first backup, where nothing else is said: rivals wait for its end, too
)


@dataclasses.dataclass(frozen=True)
class Durations:
    """Seconds: a snapshot, a restore, a deployment, and one API call.

    ``drain`` is how long old tasks stay, ``probe`` the time between two health checks, ``backing_up`` what RDS's first backup takes after the
    restore, while the endpoint answers. Where they are None, they are shares of the others, and the lab's own.
    """

    name: str
    snapshot: float
    restore: float
    deployment: float
    call: float = 0.04
    drain: float | None = None
    probe: float | None = None
    backing_up: float | None = None

    @property
    def full(self) -> float:
        """The critical path of a full rollback: snapshot and restore side by side, then one deployment."""
        return max(self.snapshot, self.restore) + self.deployment

    @property
    def code(self) -> float:
        """The critical path of a code rollback."""
        return self.deployment

    @property
    def draining(self) -> float:
        """How long the old tasks stay."""
        return DRAIN * self.deployment if self.drain is None else self.drain

    @property
    def lab(self) -> dict[str, float]:
        """What the lab is given. A deployment is not only completed late: its tasks start late, too, for who looks at tasks."""
        backup = BACKUP * self.restore if self.backing_up is None else self.backing_up
        told = {
            "snapshot": self.snapshot,
            "restore": self.restore - (backup if self.backing_up is None else 0),
            "backing_up": backup,
            "deregistration_delay": self.draining,
            "task_pull": PULL * self.deployment,
            "deployment_minimum": self.deployment,
            "call_latency": self.call,
        }
        return told if self.probe is None else {**told, "health_check_interval": self.probe}


SMALL = Durations("small", 20, 30, 15)
LARGE = Durations("large", 180, 430, 140)
# AWS since autumn 2025, and an application with the defaults of its load balancer: who waits for the first backup waits for an hour here.
TODAY = Durations("as AWS is today", 60, 30, 15, drain=60, probe=5, backing_up=3600)
QUICK = Durations("quick", 4, 6, 3)
