# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the users' own traffic is as it was, by what the load balancer has told CloudWatch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.traffic import Way
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, PASSED, worst
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verify.traffic import compare, merged, windows

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.cloudwatch import CloudwatchGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import ServiceObservation

NOBODY = "no load balancer sends requests to the service's target groups"
NO_WAY = "the load balancer is no Application Load Balancer, so its 5xx are not known"


def verdict_of_traffic(
    elb: ElbGateway,
    cloudwatch: Callable[[], CloudwatchGateway],
    looks: Collection[ServiceObservation],
    since: datetime | None,
    harm: datetime | None,
    now: datetime,
) -> tuple[str | None, str, list[str]] | None:
    """(verdict, reason, evidence) over all load balancers of some services; the verdict is None where nothing can be said, and the reason why.

    :param cloudwatch: callable that gives a CloudwatchGateway; called only where there is a minute to ask for.
    :param looks: list of ServiceObservation.
    :param since: since when all is as it is now (aware datetime), or None for the start of the newest task.
    :param harm: when the accident began (aware datetime), or None.
    :return: None where no service has a load balancer.
    """
    groups = sorted({group for seen in looks for balancer in seen.service.balancers for group in balancer.groups})
    started = [task.created for seen in looks for task in seen.running]
    if not groups or not (since or started):
        return None
    latest, earlier = windows(since or max(started), now, harm)
    if latest[0] >= latest[1]:
        return None, "no minute is over since then", []
    found = []
    for ways in _ways(elb, groups).values():
        both = [merged([cloudwatch().minutes(way, *window) for way in ways]) for window in (latest, earlier)]
        found.append(compare(*both) if ways else (None, NO_WAY, []))
    return worst(found, (FAILED, PASSED, None)) or (None, NOBODY, [])


def _ways(elb: ElbGateway, groups: Sequence[str]) -> dict[str, list[Way]]:
    """Load balancer → Ways of requests through it to these target groups; none where it is of another kind."""
    found: dict[str, list[str]] = {}
    for group, balancers in elb.balancers(groups).items():
        for balancer in balancers:
            found.setdefault(balancer, []).append(group)
    ways = {}
    for balancer, through in found.items():
        alone = elb.groups_of(balancer) <= set(groups)
        # What the load balancer answers itself is of no group, and counts once.
        pairs = [Way.of_arns(balancer, group, alone and place == 0) for place, group in enumerate(through)]
        ways[balancer] = [way for way in pairs if way]
    return ways
