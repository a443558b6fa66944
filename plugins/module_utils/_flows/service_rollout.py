# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One service on its way to a release: what was seen, decided, and has become of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Service, ServiceDeployment
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.service_revision import (
    Revision,
    configured_values,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.contents import contents
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.fence import ALL, lift_line
from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import (
    short,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.release.next_step import DeploymentStep


@dataclass
class ServiceRollout:
    """One service on its way: what was seen, what was decided, and what has become of it."""

    service: Service
    target: TaskDefinition
    running: TaskDefinition
    step: DeploymentStep
    history: list[ServiceDeployment]
    present: Revision | None = None  # what it ran, whole
    wanted: Revision | None = None  # what is to come back, whole; None where only the task definition counts
    asked_for: str = ""  # the ARN that was deployed
    ours: ServiceDeployment | None = None
    error: RollbackError | None = None
    outcome: str = "not started"
    seconds: float = 0.0
    pins: tuple[
        str, ...
    ] = ()  # what its containers read of a version that this run, or an earlier one, has written and pinned
    origin_gone: bool = False  # whether what the target is a copy of was deleted
    proven_at: float | None = None  # the clock's time when all tasks were there at last
    served_at: float | None = None  # the clock's time when all traffic was on healthy tasks of the target

    @property
    def under_way(self) -> bool:
        """Whether there is something to wait for."""
        return self.step.verb != "nothing" and self.error is None

    @property
    def planned(self) -> TaskDefinition:
        """The target, with what a copy of it gets otherwise."""
        return replace(self.target, containers=self.target.changed((), self.step.edits))

    def to_result(self) -> dict[str, Any]:
        """This rollout in JSON types."""
        return dict(
            name=self.service.name,
            before=short(self.service.task_definition),
            after=short(self.asked_for or self.step.task_definition),
            image=list(self.target.images),
            step=self.step.verb,
            fence=self._fence_line(),
            reason=self.step.reason,
            changes=list(self.step.changes.lines),
            pins=list(self.pins),
            origin=short(self.target.release),
            origin_gone=self.origin_gone,
            same_release=self.running.release == self.target.release,
            outcome=self.outcome,
            seconds=round(self.seconds, 1),
        )

    def _fence_line(self) -> str:
        """What becomes of its count, for people; empty where no run has brought it to 0."""
        fence, service = self.service.fence, self.service
        if fence is None:
            return ""
        suspended = None if fence.suspended is None else ALL
        return lift_line(service.name, fence, service.desired, suspended, service.running)

    def content(self, definition: TaskDefinition) -> dict[str, Any]:
        """Of a copy, what it is a copy of: in a diff, the release counts."""
        ran = self.present if definition is self.running else self.wanted
        pinned = {reference: value.partition("@")[2] for reference, value in self.step.pins}
        digests = {**dict(ran.digests if ran else ()), **({} if definition is self.running else pinned)}
        told = dict(task_definition=short(definition.release), containers=contents(definition, digests))
        configuration = configured_values(ran, self.step.changes)
        return dict(told, configuration=configuration) if configuration else told

    def plan(self) -> Iterator[str]:
        """What is done for it, a line each."""
        yield "%s: %s %s" % (self.service.name, self.step.verb, short(self.target.arn))
        yield from ("%s: %s" % (self.service.name, line) for line in self.step.changes.lines)


def last_success(history: Iterable[ServiceDeployment], arn: str) -> Revision | None:
    """The Revision with which a task definition has last succeeded, None when it never has."""
    return next((item.target for item in history if item.task_definition == arn and item.status == "SUCCESSFUL"), None)
