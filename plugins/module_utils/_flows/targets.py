# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether every task gets traffic, also where it shares the address of its host (network modes bridge and host).

There a target is an instance and a port that the agent has chosen, and which task that is, only the instance knows. But ECS registers each
task that runs once, and the check ``tasks`` proves that those are the right ones: so when as many targets are registered as tasks run, and all
of them are healthy, each task gets traffic.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Union

from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.service_health import (
    ServiceObservation,
    unknown_targets,
    verdict_of_targets,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, INCONCLUSIVE, PASSED, worst
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock, late_is_fine, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.elbv2 import ElbGateway

Kind = Union[type[Ready], type[Pending], type[Failed], None]  # None: it cannot be known
LEAVING = ("draining", "unhealthy.draining")  # TargetHealth: those of tasks that are being stopped


def verdict_of_all_targets(
    elb: ElbGateway, looks: Collection[ServiceObservation], timeout: float, clock: Clock | None = None
) -> tuple[str, str, list[str]] | None:
    """(verdict, reason, evidence) over the targets of all services that have a load balancer; None when none has one.

    :param looks: list of ServiceObservation, the last look.
    :param timeout: seconds that targets on their way are waited for.
    :raises RollbackError: the health of targets may not be read.
    """
    sharing = [seen for seen in looks if seen.service.balancers and not seen.unread and unknown_targets(seen)]
    found = [verdict_of_targets([seen for seen in looks if seen not in sharing])]
    found += [_of_one(elb, seen, timeout, clock) for seen in sharing]
    return worst([item for item in found if item])


def _of_one(
    elb: ElbGateway, seen: ServiceObservation, timeout: float, clock: Clock | None
) -> tuple[str, str, list[str]]:
    answers: list[tuple[Kind, str]] = []

    def look() -> Ready | Pending:
        health = [
            {target: state for group in balancer.groups for target, state in elb.whole_health(group).items()}
            for balancer in seen.service.balancers
        ]
        answers.append(judged_by_number(seen.service.name, len(seen.running), health))
        return Ready() if answers[-1][0] is not Pending else Pending(0, 1, answers[-1][1])

    with late_is_fine():  # the verdict tells what is missing
        wait_for("The targets of %s" % seen.service.name, look, timeout, clock)
    kind, told = answers[-1]
    verdicts: dict[Kind, str] = {Ready: PASSED, None: INCONCLUSIVE}
    verdict = verdicts.get(kind, FAILED)
    return verdict, told, [] if verdict == PASSED else [told]


def judged_by_number(
    name: str, running: int, health: Iterable[Mapping[tuple[str, int | None], tuple[str, str]]]
) -> tuple[Kind, str]:
    """(Ready, Pending, Failed or None, told) of a service whose targets cannot be told apart; None: it cannot be known.

    :param running: how many of its tasks run.
    :param health: for each load balancer (id, port) → (state, reason) of all that is registered.
    """
    worst: tuple[Kind, str] = (Ready, "%s: all %s are healthy targets" % (name, many(running, "task")))
    for registered in health:
        states = [state for state in registered.values() if state[0] not in LEAVING]
        healthy = sum(state == "healthy" for state, _why in states)
        told = "%s: %s of %s healthy, and %s" % (
            name, healthy, many(len(states), "registered target"), many(running, "task") + (" runs" if running == 1 else " run"),
        )  # fmt: skip
        if len(states) > running:
            return (
                None,
                told + ". Its tasks share the addresses of their hosts, so it is not known which targets are theirs",
            )
        if healthy < running or not running:
            ill = sorted(
                {"%s%s" % (state, " (%s)" % why if why else "") for state, why in states if state != "healthy"}
            )
            kind = Failed if any(state == "unhealthy" for state, _why in states) else Pending
            worst = (
                (kind, told + (", others are %s" % ", ".join(ill) if ill else "")) if worst[0] is not Failed else worst
            )
    return worst
