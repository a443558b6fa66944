# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a service whose target has failed: it goes back to what served before, so that nobody is left with a crash loop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ENDED_BY_ROLLBACK, IN_FLIGHT
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import same_images
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.deployment_status import (
    all_of,
    judge_rollback,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import short
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.lease import Unrecorded
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ecs import EcsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import ServiceDeployment
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import Revision
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_rollout import ServiceRollout
    from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock

BACK, STAY = "back", "stay"


@dataclass(frozen=True)
class Failing:
    """What to do where a target fails: ``then`` is BACK, to what served before, or STAY, ``because`` of what, for people.

    ``next`` maps services to the release that comes next, None where nobody has looked for one: ``option``, the value of
    rollback_task_definition, and ``told``, for people.
    """

    then: str = BACK
    because: str = ""
    next: dict[str, dict[str, str]] | None = None

    def following(self, services: Collection[str]) -> tuple[dict[str, str], list[str]]:
        """(what rollback_task_definition is to be, lines for people) so that the next run does not repeat what has failed for ``services``."""
        if self.next is None:
            return {}, []
        known = {name: self.next[name] for name in services if name in self.next}
        lines = ["%s: next: %s" % (name, item["told"]) for name, item in known.items()]
        lines += ["%s: AWS's record has no other release to go to" % name for name in services if name not in known]
        return {name: item["option"] for name, item in known.items()}, lines


def served_last(history: Iterable[ServiceDeployment]) -> Revision | None:
    """The Revision that served last, by a history (newest first); None when none has."""
    for item in history:
        if item.status == "SUCCESSFUL":
            return item.target
        if item.status == "ROLLBACK_SUCCESSFUL" and item.returned:
            return item.returned
    return None


def former(history: Iterable[ServiceDeployment], failed: Container[str], wanted: Revision | None) -> Revision | None:
    """The Revision that served last and is not what has failed; None when there is none.

    :param history: ServiceDeployments from before the one that failed, newest first.
    :param failed: ARNs of the task definition that failed, and of what it is a copy of.
    :param wanted: the Revision that failed, or None.
    """
    for item in history:
        ran = served_last([item])
        if ran is None:
            continue
        same = wanted is not None and same_images(ran, wanted)
        if same or (ran.task_definition in failed and same is not False):
            continue
        return ran
    return None


class Return:
    """The way back of the courses whose target has failed.

    :param ecs: EcsGateway.
    :param failed: Courses that have failed, each with its deployment.
    :param deploy: callable: service → Revision, seconds → deploys them and waits (a Rollout of its own).
    """

    def __init__(
        self,
        ecs: EcsGateway,
        failed: Sequence[tuple[ServiceRollout, ServiceDeployment]],
        deploy: Callable[[Mapping[str, Revision], float], None],
        clock: Clock,
    ) -> None:
        self._ecs, self._failed, self._deploy, self._clock = ecs, failed, deploy, clock

    def go(self, timeout: float) -> dict[str, str]:
        """Bring each of them back, and tell what has become of each (dict service → text).

        :param timeout: seconds.
        :raises Unrecorded: nobody may call any more.
        """
        told: dict[str, str] = {}
        stopped: dict[str, tuple[str, Revision]] = {}
        replaced: dict[str, Revision] = {}
        for course, ours in self._failed:
            name, last = course.service.name, served_last(course.history)
            if ours.status in ENDED_BY_ROLLBACK:
                back = short(ours.brought_back or "")
                told[name] = "ECS has rolled it back by itself%s" % (" to %s" % back if back else "")
            elif ours.status in IN_FLIGHT and last and self._ecs.stop(ours.arn):
                stopped[name] = ours.arn, last
            else:
                ran = former(course.history, (course.asked_for, course.target.arn), course.wanted)
                if ran is None:
                    told[name] = "nothing else has served before, so it is left as it is"
                else:
                    replaced[name] = ran
        told.update(
            self._tried(lambda: self._await(stopped, timeout), {name: ran for name, (_arn, ran) in stopped.items()})
        )
        told.update(self._tried(lambda: self._deploy(replaced, timeout), replaced))
        return told

    @staticmethod
    def _tried(act: Callable[[], None], revisions: Mapping[str, Revision]) -> dict[str, str]:
        """What has become of services that go back to ``revisions``. That it fails must not hide why their targets have failed."""
        if not revisions:
            return {}
        try:
            act()
        except Unrecorded:
            raise
        except RollbackError as error:
            text = "it could not be brought back to %s, which served before: %s"
            return {name: text % (short(ran.task_definition), error.message) for name, ran in revisions.items()}
        text = "it was brought back to %s, which served before, and runs it"
        return {name: text % short(ran.task_definition) for name, ran in revisions.items()}

    def _await(self, stopped: Mapping[str, tuple[str, Revision]], timeout: float) -> None:
        """Wait until ECS has rolled back the deployments that were stopped."""

        def look() -> Ready | Pending | Failed:
            now = {item.name: item for item in self._ecs.services(list(stopped))}
            found = {item.arn: item for item in self._ecs.deployments([arn for arn, _ran in stopped.values()])}
            answers = [
                judge_rollback(now[name], found[arn], ran.task_definition) for name, (arn, ran) in stopped.items()
            ]
            return all_of(answers)

        wait_for("Going back", look, timeout, self._clock)
