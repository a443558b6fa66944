# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore from where it stands to where it ends: look, decide, take the step, look again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.next_step import (
    AddRole,
    Busy,
    Create,
    Done,
    LastAction,
    Modify,
    Reboot,
    Refuse,
    RestoreSpecification,
    Step,
    finishing_step,
    next_step,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import (
    Difference,
    compare,
    later_of,
    left_to_modify,
    pending,
    roles_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock, State, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, Restorable


class Restoration:
    """One restore. ``observe()`` sets ``instance`` (DbInstance or None); once it is done, ``differences`` are those that stay."""

    def __init__(
        self, gateway: RdsGateway, source: DbInstance, snapshot: Restorable, wanted: RestoreSpecification, clock: Clock
    ) -> None:
        self.source = source
        self.wanted = wanted
        self._gateway = gateway
        self._snapshot = snapshot
        self._clock = clock
        self._verb: str | None = None
        self._seen: tuple[str, set[str], tuple[Difference, ...]] | None = None
        self._moved_at = clock.now()
        self.what = "The restore of DB instance %s" % wanted.name
        self.instance: DbInstance | None = None
        self.changed = False
        self.differences: tuple[Difference, ...] = ()

    def decide(self) -> Step:
        """The next step, from what was seen last."""
        asked = LastAction(self._verb, self._clock.now() - self._moved_at)
        return next_step(self.source, self._snapshot, self.instance, self.wanted, asked)

    def begin(self) -> None:
        """Ask RDS for the new instance, unless that was done already.

        :raises BadInput: this restore cannot be begun, or the name is a stranger's.
        """
        step = self.decide()
        if not isinstance(step, Create):
            return
        self._take(step)
        if not self.changed:  # somebody was quicker, or the reply to an earlier try was lost: whose is it?
            self.observe()
            self.decide()

    def advance(self) -> State:
        """Take one step and say how far the restore is: Ready, Pending or Failed."""
        step = self.decide()
        if isinstance(step, Done):
            self.differences = step.differences
            return Ready("RDS has done all it will do")
        if isinstance(step, Refuse):
            return Failed(step.reason)
        if isinstance(step, Busy):
            return step.pending
        self._take(step)
        return Pending(0, 1, "RDS has been asked to %s" % tell(step, self.source, self.wanted)[0], fresh=True)

    def step(self) -> None:
        """Take the step that is next, and look again.

        :raises RollbackError: there is none, and never will be; the evidence is what RDS tells about it.
        """
        answer = self.advance()
        if isinstance(answer, Failed):
            raise self.failed(answer.reason)
        self.observe()

    def wait(self, timeout: float, tell: Callable[[Pending, float], object] | None = None) -> None:
        """Go on until it is done.

        :param timeout: seconds.
        :param tell: as ``wait_for`` takes it.
        :raises RollbackError: it failed or is not done in time; the evidence is what RDS tells about it.
        """
        wait_for(self.what, self._look, timeout, self._clock, self.evidence, tell)

    @property
    def left(self) -> tuple[Difference, ...]:
        """Tuple of Difference: the settings that nobody feels, and that are to be set later."""
        return later_of(compare(self.source, self.instance)) if self.instance else ()

    def begin_finishing(self, again: bool = False) -> None:
        """Ask RDS for what is left, where it takes it now. Nothing is awaited, and nothing depends on it.

        :param again: whether the instance is to be looked at before.
        """
        if again:
            self.observe()
        if self.instance is None:
            return
        step = finishing_step(self.source, self.instance, self.wanted.modify_accepts)
        if isinstance(step, Modify):
            self.changed = self._gateway.modify(step.request) or self.changed

    def failed(self, reason: str) -> RollbackError:
        """The RollbackError that says so, as ``wait`` says it."""
        return RollbackError("%s failed: %s" % (self.what, reason), self.evidence())

    def evidence(self) -> list[str]:
        """RDS's events of the new instance, as lines."""
        return self._gateway.events("db-instance", self.wanted.name)

    def observe(self) -> None:
        """Look at the new instance again."""
        self.instance = self._gateway.instance(self.wanted.name)
        if self.instance is not None and self._verb is None:
            self._verb = "join"
        shown = None
        if self.instance:
            shown = self.instance.status, pending(self.instance), compare(self.source, self.instance)
        if shown != self._seen:
            self._seen, self._moved_at = shown, self._clock.now()

    def _look(self) -> State:
        self.observe()
        return self.advance()

    def _take(self, step: Create | Modify | AddRole | Reboot) -> None:
        if isinstance(step, Create):
            taken, self._verb = self._gateway.restore(step.operation, step.request), "create"
        elif isinstance(step, Modify):
            taken = self._gateway.modify(step.request)
            self._verb = "modify" if taken else self._verb
        elif isinstance(step, AddRole):
            taken, self._verb = self._gateway.add_role(self.wanted.name, step.role, step.feature), "role %s" % step.role
        else:
            taken = self._gateway.reboot(self.wanted.name)
            self._verb = "reboot" if taken else self._verb
        self._moved_at = self._clock.now()
        self.changed = self.changed or taken


def tell(step: Step, source: DbInstance, wanted: RestoreSpecification) -> list[str]:
    """A step as lines of a plan, for people."""
    if isinstance(step, Create):
        later = left_to_modify(source, step.request)
        lines = ["restore %s to the new DB instance %s" % (step.what, wanted.name)]
        lines += ["then set what a restore cannot take: %s" % ", ".join(step.first)] * bool(step.first)
        lines += _without_backups(source, step.request)
        lines += ["then give it the role %s for %s" % role for role in sorted(roles_of(source)) if all(role)]
        text = "set later what no restore takes and nobody feels, without waiting for it: %s"
        return lines + [text % ", ".join(later)] * bool(later)
    if isinstance(step, Modify):
        settings = sorted(set(step.request) - {"DBInstanceIdentifier", "ApplyImmediately"})
        return ["set %s of DB instance %s" % (", ".join(settings), wanted.name)]
    if isinstance(step, AddRole):
        return ["give DB instance %s the role %s for %s" % (wanted.name, step.role, step.feature)]
    if isinstance(step, Reboot):
        return ["reboot DB instance %s, so that its parameter group takes effect" % wanted.name]
    if isinstance(step, Busy):
        return ["wait: %s" % step.pending.detail]
    return []


def _without_backups(source: DbInstance, request: Mapping[str, Any]) -> list[str]:
    """That it is restored without backups, as a line of a plan in a list; empty where it is not."""
    without = request.get("BackupRetentionPeriod") == 0 != source.description.get("BackupRetentionPeriod")
    return ["turn its backups on after that: RDS changes nothing while it takes the first one"] * without
