# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS's snapshots: real backups of the lab's instances, and records of snapshots that the lab never took."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from collections.abc import Callable
from typing import Any

from ...postgres import PostgresError
from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .account import Account
from .instance import USABLE, Instance
from .settings import check_identifier, conflict
from .snapshot import Snapshot
from .store import Part, Store

FILTERS = {
    "db-instance-id": lambda snapshot: (snapshot.source.identifier, snapshot.source.arn),
    "db-snapshot-id": lambda snapshot: (snapshot.identifier, snapshot.arn),
    "dbi-resource-id": lambda snapshot: (snapshot.source.resource_id,),
    "snapshot-type": lambda snapshot: (snapshot.kind,),
    "engine": lambda snapshot: (snapshot.engine,),
}


class Snapshots(Part):
    """The part of RDS that keeps snapshots."""

    def __init__(self, store: Store, account: Account) -> None:
        super().__init__(store)
        self._account = account

    # Snapshots

    def create_db_snapshot(self, request: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        """A snapshot of what is committed by the time of the answer. The instance is `backing-up` meanwhile."""
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        self.store.require(instance, *USABLE)
        backup = self.begin_snapshot(instance, request["DBSnapshotIdentifier"], rds_query.tags_from(request))
        snapshot = self.store.find_snapshot(request["DBSnapshotIdentifier"])
        instance.status = "backing-up"
        answer = {"DBSnapshot": snapshot.describe(self.lab.now(), self.store.tags[snapshot.arn])}

        def finish() -> dict[str, Any]:
            backup()
            return answer

        return finish

    def begin_snapshot(self, instance: Instance, name: str, tags: dict[str, str]) -> Callable[[], None]:
        """A snapshot in the status creating, and the function that does the work; it blocks and wants no lock.

        :raises ApiError: the name is taken or not valid, the quota is reached.
        """
        if instance.replica_of:
            raise conflict("The lab takes no snapshots of read replicas.")
        identifier = check_identifier(name, "DBSnapshotIdentifier", 255)
        if identifier in self.store.snapshots:
            message = f"Cannot create the snapshot because a snapshot with the identifier {identifier} already exists."
            raise ApiError("DBSnapshotAlreadyExists", message)
        self._account.check_quota("ManualSnapshots")
        of_instance = self.store.tags[instance.arn]
        snapshot = Snapshot(
            identifier=identifier,
            arn=self.lab.arn("rds", f"snapshot:{identifier}"),
            source=dataclasses.replace(instance, settings=dict(instance.settings), zones=list(instance.zones)),
            source_tags=dict(of_instance),
            directory=self.store.installation.new_directory(),
            duration=self.lab.durations.snapshot,
        )
        self.store.snapshots[identifier] = snapshot
        self.store.tags[snapshot.arn] = {**(of_instance if instance.settings["CopyTagsToSnapshot"] else {}), **tags}
        self.store.event("db-snapshot", identifier, "creation", "Creating manual snapshot")
        return lambda: self._back_up(instance, snapshot)

    def _back_up(self, instance: Instance, snapshot: Snapshot) -> None:
        try:
            instance.server.backup(snapshot.place)
        except PostgresError as error:
            with self.lab.lock:
                snapshot.status = "failed"
                self._release(instance)
                self.store.event("db-snapshot", snapshot.identifier, "failure", str(error))
            return
        with self.lab.lock:
            snapshot.created_at = self.lab.now()
        self.lab.after(snapshot.duration, lambda: self._snapshot_done(instance, snapshot))

    def end_snapshot(self, name: str) -> None:
        """End a snapshot now, however long it would take."""
        snapshot = self.store.find_snapshot(name)
        self._snapshot_done(self.store.find_instance(snapshot.source.identifier), snapshot)

    def _snapshot_done(self, instance: Instance, snapshot: Snapshot) -> None:
        if snapshot.status != "creating":  # it was ended before
            return
        snapshot.status = "available"
        self._release(instance)
        self.store.event("db-snapshot", snapshot.identifier, "creation", "Manual snapshot created")

    def _release(self, instance: Instance) -> None:
        if instance.status == "backing-up":
            instance.status = "available"

    def record_snapshot(
        self,
        name: str,
        db_instance: str,
        status: str = "available",
        kind: str = "manual",
        engine: str = rds_settings.ENGINE,
        engine_version: str | None = None,
        created: str | None = None,
    ) -> None:
        """Have a snapshot that the lab never took: of another engine or day, automated, or in `status` for ever.

        It is described like any other one, with the settings of `db_instance`. `created` is in ISO 8601; default: now.
        """
        source = self.store.find_instance(db_instance)
        version = engine_version or source.settings["EngineVersion"]
        snapshot = Snapshot(
            identifier=name.lower(),
            arn=self.lab.arn("rds", f"snapshot:{name.lower()}"),
            source=dataclasses.replace(source, settings={**source.settings, "EngineVersion": version}),
            source_tags=dict(self.store.tags[source.arn]),
            directory=None,
            duration=3600.0,
            status=status,
            created_at=datetime.datetime.fromisoformat(created) if created else self.lab.now(),
            kind=kind,
            engine=engine,
        )
        self.store.snapshots[snapshot.identifier] = snapshot
        self.store.tags[snapshot.arn] = {}

    def describe_db_snapshots(self, request: dict[str, Any]) -> dict[str, Any]:
        """Snapshots by identifier; of one instance (existing or not), of one type."""
        if "DBSnapshotIdentifier" in request:
            found = [self.store.find_snapshot(request["DBSnapshotIdentifier"])]
        else:
            found = [snapshot for _, snapshot in sorted(self.store.snapshots.items())]
        source = request.get("DBInstanceIdentifier", "").rpartition(":db:")[2].lower()
        kept = [
            snapshot
            for snapshot in rds_query.filtered(found, request, FILTERS)
            if source in ("", snapshot.source.identifier)
            and request.get("SnapshotType") in (None, snapshot.kind)
            and request.get("DbiResourceId") in (None, snapshot.source.resource_id)
        ]
        shown = [snapshot.describe(self.lab.now(), self.store.tags[snapshot.arn]) for snapshot in kept]
        return rds_query.answer("DBSnapshots", shown, request)

    def delete_db_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a snapshot and its data."""
        snapshot = self.store.find_snapshot(request["DBSnapshotIdentifier"])
        if snapshot.status not in ("available", "failed"):
            raise ApiError(
                "InvalidDBSnapshotState", f"Cannot delete the snapshot because it is in {snapshot.status} state."
            )
        snapshot.status = "deleted"
        shown = snapshot.describe(self.lab.now(), self.store.tags.pop(snapshot.arn))
        del self.store.snapshots[snapshot.identifier]
        self.store.event("db-snapshot", snapshot.identifier, "deletion", "Deleted manual snapshot")
        if snapshot.directory:
            self.lab.background(lambda: shutil.rmtree(snapshot.place))
        return {"DBSnapshot": shown}
