# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of a DB instance from where it stands to where it holds the data."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.decide import takes_snapshot
from ansible_collections.spymeo.rollback.plugins.module_utils._rds.ready import snapshot_ready
from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import TAG_RUN
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import wait_for


class Snapshotting:
    """One snapshot, which this run takes or has taken. ``snapshot`` is the DbSnapshot as it was seen last, or None; ``takes`` whether
    it is still to be taken, ``changed`` whether this process has taken it.

    :raises RollbackError: the name is a stranger's, or RDS takes no snapshot of ``source`` (DbInstance) now.
    """

    def __init__(self, gateway, source, name, run_id):
        self.source = source
        self.name = name
        self._gateway = gateway
        self._run_id = run_id
        self.changed = False
        self.snapshot = gateway.snapshot(name)
        self.takes = takes_snapshot(source, self.snapshot, name, run_id)

    @property
    def plan(self):
        """What is to be done, in words."""
        return ["take snapshot %s of DB instance %s" % (self.name, self.source.name)] * self.takes

    def take(self, tags=None):
        """Ask for it, unless it is there or on its way. ``tags`` (dict) come besides that of the run."""
        if not self.takes:
            return
        self.changed = self._gateway.take_snapshot(
            self.source.name, self.name, dict(tags or {}, **{TAG_RUN: self._run_id})
        )
        if not self.changed:  # somebody was quicker, or the reply to an earlier try was lost: whose is it?
            takes_snapshot(self.source, self._gateway.snapshot(self.name), self.name, self._run_id)

    def observe(self):
        """Look at it again."""
        self.snapshot = self._gateway.snapshot(self.name)

    def wait(self, timeout, tell=None):
        """Wait until it holds the data.

        :param timeout: seconds.
        :param tell: as ``wait_for`` takes it.
        :raises RollbackError: it failed or is not done in time; the evidence is what RDS tells about it.
        """
        wait_for("Snapshot %s" % self.name, self._look, timeout, evidence=self._evidence, tell=tell)

    def foreseen(self):
        """What ``shown`` would give after it was taken, as far as it is known before."""
        if not self.takes:
            return shown(self.snapshot)
        return dict(name=self.name, db_instance=self.source.name, status="available")

    def _look(self):
        self.observe()
        return snapshot_ready(self.snapshot)

    def _evidence(self):
        return self._gateway.events("db-snapshot", self.name)


def shown(snapshot):
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
