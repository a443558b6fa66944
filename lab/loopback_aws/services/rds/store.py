# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS keeps of an account, found by name: instances, snapshots, tags, events; and how it refuses what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...postgres import Installation
from ...wire import ApiError
from . import query as rds_query
from .instance import Instance
from .network import Network
from .snapshot import Snapshot

if TYPE_CHECKING:
    from ...lab import Lab

SOURCE_TYPES = {
    "db-instance": "db",
    "db-snapshot": "snapshot",
    "db-parameter-group": "pg",
}  # with the ARN's resource type


class Store:
    """The records of one lab's RDS, by identifier; tags by ARN. What the parts of RDS share."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.installation = Installation(lab)
        self.network = Network(lab)
        self.instances: dict[str, Instance] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.events: list[dict[str, Any]] = []

    def event(self, source_type: str, identifier: str, category: str, message: str) -> None:
        """Record what DescribeEvents tells about `identifier`."""
        self.events.append(
            {
                "SourceIdentifier": identifier,
                "SourceType": source_type,
                "SourceArn": self.lab.arn("rds", f"{SOURCE_TYPES[source_type]}:{identifier}"),
                "Message": message,
                "EventCategories": [category],
                "Date": self.lab.now(),
            }
        )

    def find_instance(self, name: str) -> Instance:
        """The instance by identifier or ARN.

        :raises ApiError: DBInstanceNotFound.
        """
        identifier = name.rpartition(":db:")[2].lower()
        if identifier not in self.instances:
            raise rds_query.not_found("DBInstance", "DBInstanceNotFound", identifier)
        return self.instances[identifier]

    def require(self, instance: Instance, *statuses: str) -> None:
        """Refuse an operation in any other status.

        :raises ApiError: InvalidDBInstanceState.
        """
        if instance.status not in statuses:
            raise ApiError(
                "InvalidDBInstanceState", f"Instance {instance.identifier} is not in {' or '.join(statuses)} state."
            )

    def find_snapshot(self, name: str) -> Snapshot:
        """The snapshot by identifier or ARN.

        :raises ApiError: DBSnapshotNotFound.
        """
        identifier = name.rpartition(":snapshot:")[2].lower()
        if identifier not in self.snapshots:
            raise rds_query.not_found("DBSnapshot", "DBSnapshotNotFound", identifier)
        return self.snapshots[identifier]

    def replicas_of(self, instance: Instance) -> list[str]:
        """ReadReplicaDBInstanceIdentifiers."""
        return sorted(each.identifier for each in self.instances.values() if each.replica_of == instance.identifier)

    def refuse_replication(self, instance: Instance) -> None:
        """Refuse what neither a replica nor the source of one may do.

        :raises ApiError: InvalidDBInstanceState.
        """
        if instance.replica_of or self.replicas_of(instance):
            message = f"The DB instance {instance.identifier} is a read replica or the source of one."
            raise ApiError("InvalidDBInstanceState", message)


class Part:
    """A part of RDS: operations of its API, and what the other parts need of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lab = store.lab
