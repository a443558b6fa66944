# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cutover does not wait for, finished: the settings that nobody feels, and the safety snapshot.

RDS takes the first automated backup of a restored instance for hours, answers meanwhile, and changes nothing. Whether an instance is
finished is written in a tag of its own (``model.rds.Unfinished``), from the call that restores it until both are proven, so nobody who dies can lose it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.lineage import Tree
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.next_step import (
    Done,
    LastAction,
    Modify,
    Refuse,
    finishing_step,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import made_by, waits_for
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.settings import (
    Difference,
    compare,
    felt_of,
    later_of,
    pending,
    with_later_of,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_SAFETY, TAG_UNFINISHED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.snapshot import Snapshotting
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock, State, late_is_fine, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance

GIVE_UP = "aws rds add-tags-to-resource --resource-name %s --tags Key=%s,Value="


def unfinished_of(db_instance: str, instances: Collection[DbInstance], run_id: str = "") -> list[DbInstance]:
    """The DbInstances (list) that runs have restored in the place of one of the family of ``db_instance``, and that are not finished.

    One that another has taken the place of is left as it is: nobody uses it. It counts again when it serves again.

    :param instances: every DbInstance of the region.
    :param run_id: of the run whose instance alone is meant; empty for all.
    """
    family = Tree(instances, ()).family_of(db_instance)
    return [
        instance
        for instance in instances
        if instance.name in family
        and instance.unfinished
        and not instance.replaced_by
        and run_id in ("", instance.run_id)
    ]


def origin_of(instance: DbInstance, by_name: Mapping[str, DbInstance]) -> DbInstance | None:
    """The DbInstance that has every setting which ``instance`` is to have: itself when it is finished, else its source, or what its source
    was restored in the place of while that is not finished either. None where that one is gone.

    :param by_name: name → DbInstance.
    """
    seen: set[str] = set()
    found: DbInstance | None = instance
    while found is not None and found.unfinished and found.name not in seen:
        seen.add(found.name)
        found = by_name.get(found.unfinished.source)
    return found


def whole(instance: DbInstance, by_name: Mapping[str, DbInstance]) -> DbInstance:
    """A DbInstance as it is to be: with the settings that a run has not come to set yet."""
    origin = origin_of(instance, by_name)
    return with_later_of(instance, origin) if origin is not None and origin.name != instance.name else instance


def still_left(gateway: RdsGateway, instance: DbInstance | None, by_name: Mapping[str, DbInstance]) -> list[str]:
    """What is left to be finished of a DbInstance that serves, for people: list of str, empty where nothing is, or it is None. Nothing is asked of RDS."""
    if instance is None or not instance.unfinished:
        return []
    left = Finishing(gateway, instance, by_name, (), Clock()).left
    return left or [
        "DB instance %s: whether it has every setting of %s is not compared yet"
        % (instance.name, instance.unfinished.source)
    ]


class Finishing:
    """One restored instance (``instance``, a DbInstance that is unfinished) on its way to be finished. ``changed``: whether this process has
    changed something. ``left``: what is not finished, for people, one sentence each.

    :param by_name: name → DbInstance, of the region.
    :param accepts: names of the parameters of ModifyDBInstance that this botocore knows.
    """

    def __init__(
        self,
        gateway: RdsGateway,
        instance: DbInstance,
        by_name: Mapping[str, DbInstance],
        accepts: Collection[str],
        clock: Clock,
    ) -> None:
        if not instance.unfinished:
            raise ValueError("DB instance %s is finished" % instance.name)
        self.instance = instance
        self.run_id = made_by(instance).run_id
        self._gateway, self._accepts, self._clock = gateway, accepts, clock
        self._told = instance.unfinished
        self._origin = origin_of(instance, by_name)
        self._taken_from = by_name.get(self._told.source)
        self._asked_at = clock.now()
        self._verb: str | None = None
        self._refused = self._snapshot_left = ""
        self.changed = False
        self.safety: Snapshotting | None = None

    @property
    def name(self) -> str:
        """Of the instance."""
        return self.instance.name

    @property
    def source(self) -> str:
        """The name of the instance that it was restored in the place of."""
        return self._told.source

    @property
    def in_its_place(self) -> bool:
        """Whether its source is marked as replaced by it."""
        return self._taken_from is not None and self._taken_from.replaced_by == self.name

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Tuple of Difference: the settings that are not set yet; of an origin that is gone nobody knows."""
        return later_of(compare(self._origin, self.instance)) if self._origin else ()

    @property
    def since_changed(self) -> tuple[Difference, ...]:
        """The settings in which the instance differs from the one that it replaces although it was cut over without one: somebody has changed them."""
        return felt_of(compare(self._origin, self.instance)) if self._origin else ()

    @property
    def left(self) -> list[str]:
        """What is still to be done, for people: list of str, empty when it is finished."""
        found = []
        if self._origin is None:
            give_up = GIVE_UP % (self.instance.arn, TAG_UNFINISHED)
            text = "DB instance %s: %s, whose settings it is to have, is gone, so nobody can compare them. Compare by hand, then say so: %s"
            found.append(text % (self.name, self._told.source, give_up))
        names = sorted(difference.setting for difference in self.differences)
        if names:
            why = self._refused or (
                "it is %s" % self.instance.status if self.instance.status != "available" else "RDS has not set them yet"
            )
            found.append("DB instance %s: %s (%s)" % (self.name, ", ".join(names), why))
        return found + [self._snapshot_left] * bool(self._snapshot_left)

    @property
    def awaits_snapshot(self) -> bool:
        """Whether the safety snapshot is still to be taken."""
        return bool(self._snapshot_left)

    @property
    def plan(self) -> list[str]:
        """What is to be done, in words (list of str)."""
        names = sorted(difference.setting for difference in self.differences)
        steps = ["set %s of DB instance %s, as %s has them" % (", ".join(names), self.name, self._told.source)] * bool(
            names
        )
        if self._told.safety:
            steps.append("see that snapshot %s of DB instance %s is complete" % (self._told.safety, self._told.source))
        return [*steps, "compare, and write down that DB instance %s is finished" % self.name]

    def begin(self) -> None:
        """Ask RDS for what it lets be set now. Nothing is awaited."""
        self._advance()

    def observe(self) -> None:
        """Look at the instance again."""
        self.instance = self._gateway.instance(self.name) or self.instance

    def wait(self, timeout: float, tell: Callable[[Pending, float], object] | None = None) -> None:
        """Wait until every setting is set, or ``timeout`` seconds; ``left`` tells what is not.

        :param tell: as ``wait_for`` takes it.
        """
        with late_is_fine():
            wait_for("The settings of DB instance %s" % self.name, self._look, timeout, self._clock, tell=tell)

    def wait_snapshot(self, timeout: float, tell: Callable[[Pending, float], object] | None = None) -> None:
        """Wait until the safety snapshot holds the data. Where its instance takes none now, since RDS is backing it up, it is left for later: the
        instance itself holds them, and it stays.

        :param timeout: seconds.
        :raises RollbackError: it has failed, or is not complete in time.
        """
        if not self._told.safety:
            return
        source = self._gateway.instance(self._told.source)
        if source is None:
            self._without_source()
            return
        self.safety = Snapshotting(self._gateway, source, self._told.safety, self.run_id)
        busy = self.safety.takes and waits_for(source)
        if not busy:
            self.safety.take({TAG_SAFETY: source.resource_id}, wait=True)
            self.changed = self.changed or self.safety.changed
            self.safety.wait(timeout, tell)
            self._snapshot_left = ""
            return
        text = "snapshot %s: RDS takes none of DB instance %s while it is %s; that instance holds the data meanwhile, so nobody may delete it"
        self._snapshot_left = text % (self._told.safety, source.name, source.status)

    def _without_source(self) -> None:
        """The instance that the snapshot was taken of is gone: what is there of the snapshot counts."""
        found = self._gateway.snapshot(self._told.safety)
        if found is None or found.status != "available":
            raise RollbackError(
                "Snapshot %s does not hold what DB instance %s held (%s), and that instance is gone."
                % (self._told.safety, self._told.source, found.status if found else "it is not there")
            )

    def seal(self) -> bool:
        """Write down that it is finished, if it is. Whether it is."""
        if self.left:
            return False
        self._gateway.tag(self.instance.arn, {TAG_UNFINISHED: ""})
        self.changed = True
        return True

    def _look(self) -> State:
        self.observe()
        return self._advance()

    def _advance(self) -> State:
        if self._origin is None:
            return Ready()
        asked = LastAction(self._verb or "join", self._clock.now() - self._asked_at)
        step = finishing_step(self._origin, self.instance, self._accepts, asked)
        if isinstance(step, Refuse):
            return Ready()  # ``left`` tells its status
        if isinstance(step, Done):
            self._refused = "RDS does not set them" if step.differences else ""
            return Ready()
        if not isinstance(step, Modify):
            return step.pending
        if self._gateway.modify(step.request):
            self._verb, self._asked_at, self.changed = "modify", self._clock.now(), True
        names = ", ".join(sorted(pending(self.instance))) or "its settings"
        return Pending(0, 1, "RDS is asked to set %s (DB instance %s)" % (names, self.name), fresh=True)
