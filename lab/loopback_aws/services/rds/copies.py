# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CopyDBSnapshot within the region: the same data under another name, with another key if one is asked for."""

from __future__ import annotations

import dataclasses
from typing import Any

from ...wire import ApiError
from . import query as rds_query
from .account import Account
from .settings import check_identifier
from .snapshot import Snapshot
from .store import Part, Store

COPY = {"CopyTags", "KmsKeyId", "SourceDBSnapshotIdentifier", "Tags", "TargetDBSnapshotIdentifier"}


class Copies(Part):
    """The part of RDS that copies snapshots."""

    def __init__(self, store: Store, account: Account) -> None:
        super().__init__(store)
        self._account = account

    def copy_db_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        """The copy tells the original's time as OriginalSnapshotCreateTime, and its own as SnapshotCreateTime."""
        rds_query.refuse_unknown(request, COPY, "CopyDBSnapshot")
        source = self.store.find_snapshot(request["SourceDBSnapshotIdentifier"])
        name = check_identifier(request["TargetDBSnapshotIdentifier"], "TargetDBSnapshotIdentifier", 255)
        if source.status != "available":
            raise ApiError(
                "InvalidDBSnapshotState", f"Cannot copy the snapshot because it is in {source.status} state."
            )
        if name in self.store.snapshots:
            message = f"Cannot create the snapshot because a snapshot with the identifier {name} already exists."
            raise ApiError("DBSnapshotAlreadyExists", message)
        self._account.check_quota("ManualSnapshots")
        copied = self._copied(source, name, request.get("KmsKeyId"))
        self.store.snapshots[name] = copied
        of_source = self.store.tags[source.arn] if request.get("CopyTags") else {}
        self.store.tags[copied.arn] = {**of_source, **rds_query.tags_from(request)}
        self.lab.background(lambda: self._copy(source, copied))
        return {"DBSnapshot": copied.describe(self.lab.now(), self.store.tags[copied.arn])}

    def _copied(self, source: Snapshot, name: str, key: str | None) -> Snapshot:
        settings = dict(source.source.settings)
        if key:
            settings.update(StorageEncrypted=True, KmsKeyId=self.store.network.key(key))
        source.data()  # refuses what is a record only
        return dataclasses.replace(
            source,
            identifier=name,
            arn=self.lab.arn("rds", f"snapshot:{name}"),
            source=dataclasses.replace(source.source, settings=settings),
            directory=self.store.installation.new_directory(),
            status="creating",
            created_at=self.lab.now(),
            original_at=source.original_at or source.created_at,
            kind="manual",
        )

    def _copy(self, source: Snapshot, copied: Snapshot) -> None:
        """Links, so that either can be deleted."""
        command = ["cp", "--archive", "--link", str(source.data()), str(copied.place / "data")]
        self.store.installation.run(command, copied.place)
        self.lab.after(copied.duration, lambda: self._copy_done(copied))

    def _copy_done(self, copied: Snapshot) -> None:
        if copied.status == "creating":
            copied.status = "available"
            self.store.event("db-snapshot", copied.identifier, "creation", "Manual snapshot created")
