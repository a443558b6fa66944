# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Traffic through a load balancer as CloudWatch keeps it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Way:
    """A way of requests to tasks: a target group behind an Application Load Balancer, both as CloudWatch's dimensions name them.

    ``whole``: whether all that the load balancer forwards is ours, so that the errors which it answers itself are, too.
    """

    balancer: str
    group: str
    whole: bool

    @classmethod
    def of_arns(cls, balancer: str, group: str, whole: bool) -> Way | None:
        """From the ARNs of the two; None where the load balancer is no Application Load Balancer, which has other metrics."""
        name = balancer.partition(":loadbalancer/")[2]
        return cls(name, group.rpartition(":")[2], whole) if name.startswith("app/") else None


@dataclass(frozen=True)
class Minute:
    """A minute that somebody has used: how many requests, how many answers of 5xx, and the 90th percentile of seconds to the answer (None
    where no target has answered). ``at`` is its beginning, an aware datetime."""

    at: datetime
    requests: float
    errors: float
    latency: float | None

    @property
    def share(self) -> float:
        """The share of 5xx. A request for which there was no target is an answer of 5xx and counts as no request."""
        return self.errors / max(self.requests, self.errors) if self.requests or self.errors else 0.0
