# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of a DB instance from where it stands to where it holds the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.instance_status import snapshot_ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.plan import takes_snapshot, waits_for
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.names import TAG_RUN
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import State, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.rds import RdsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot


class Snapshotting:
    """One snapshot, which this run takes or has taken. ``snapshot`` is the DbSnapshot as it was seen last, or None; ``takes`` whether
    it is still to be taken, ``changed`` whether this process has taken it.

    :raises RollbackError: the name is a stranger's, or RDS takes no snapshot of ``source`` (DbInstance) now.
    """

    def __init__(self, gateway: RdsGateway, source: DbInstance, name: str, run_id: str) -> None:
        self.source = source
        self.name = name
        self._gateway = gateway
        self._run_id = run_id
        self._tags: dict[str, str] = {}
        self._asked = False
        self.changed = False
        self.snapshot = gateway.snapshot(name)
        self.takes = takes_snapshot(source, self.snapshot, name, run_id)

    @property
    def plan(self) -> list[str]:
        """What is to be done, in words."""
        return ["take snapshot %s of DB instance %s" % (self.name, self.source.name)] * self.takes

    def take(self, tags: Mapping[str, str] | None = None, wait: bool = True) -> None:
        """Ask for it, unless it is there or on its way. Where its instance takes none now, ``begin`` and ``wait`` ask later.

        :param tags: dict, besides that of the run.
        :param wait: whether one of them will be called.
        :raises RollbackError: nobody will wait for an instance that takes none now.
        """
        self._tags = dict(tags or {}, **{TAG_RUN: self._run_id})
        if self.takes and not waits_for(self.source):
            self._ask()
        if self.takes and not self._asked and not wait:
            text = "RDS takes no snapshot of DB instance %s now, because it is %s. Run again when that is over."
            raise RollbackError(text % (self.source.name, self.source.status))

    def _ask(self) -> None:
        taken = self._gateway.take_snapshot(self.source.name, self.name, self._tags)
        self._asked, self.changed = taken is not None, bool(taken)
        if taken is False:  # somebody was quicker, or the reply to an earlier try was lost: whose is it?
            takes_snapshot(self.source, self._gateway.snapshot(self.name), self.name, self._run_id)

    def begin(self) -> None:
        """Ask for it once more where its instance took none when ``take`` asked, and look at it. Nothing is awaited."""
        if self.takes and not self._asked:
            self.source = self._gateway.instance(self.source.name) or self.source
            if not waits_for(self.source):
                self._ask()
        self.observe()

    def observe(self) -> None:
        """Look at it again."""
        self.snapshot = self._gateway.snapshot(self.name)

    def wait(self, timeout: float, tell: Callable[[Pending, float], object] | None = None) -> None:
        """Wait until it holds the data.

        :param timeout: seconds.
        :param tell: as ``wait_for`` takes it.
        :raises RollbackError: it failed or is not done in time; the evidence is what RDS tells about it.
        """
        wait_for("Snapshot %s" % self.name, self._look, timeout, evidence=self._evidence, tell=tell)

    def foreseen(self) -> dict[str, Any]:
        """What ``shown`` would give after it was taken, as far as it is known before."""
        if not self.takes:
            return shown(self.snapshot)
        return dict(name=self.name, db_instance=self.source.name, status="available")

    def _look(self) -> State:
        if self.takes and not self._asked:
            self.source = self._gateway.instance(self.source.name) or self.source
            takes_snapshot(self.source, None, self.name, self._run_id)
            if not waits_for(self.source):
                self._ask()
            if not self._asked:
                told = "waits: %s (DB instance %s), and its snapshot is taken after that"
                return Pending(0, 100, told % (self.source.status, self.source.name))
        self.observe()
        return snapshot_ready(self.snapshot)

    def _evidence(self) -> list[str]:
        return self._gateway.events("db-snapshot", self.name)


def shown(snapshot: DbSnapshot | None) -> dict[str, Any]:
    """A DbSnapshot or None, in JSON types."""
    if snapshot is None:
        return {}
    return dict(
        name=snapshot.name,
        arn=snapshot.arn,
        db_instance=snapshot.instance,
        status=snapshot.status,
        percent=snapshot.percent,
        created=show_time(snapshot.created) if snapshot.created else "",
    )
