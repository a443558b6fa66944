# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS keeps for the whole account: events, tags, quotas, what can be ordered, and what SPYMEO has none of."""

from __future__ import annotations

import datetime
from typing import Any

from ...wire import ApiError
from . import query as rds_query
from .settings import CLASSES, ENGINE, MINORS, conflict, invalid
from .store import Part, Store

QUOTAS = {"DBInstances": 40, "ManualSnapshots": 100, "AllocatedStorage": 100_000}  # RDS user guide; storage in GiB
EXCEEDED = {
    "DBInstances": "InstanceQuotaExceeded",
    "ManualSnapshots": "SnapshotQuotaExceeded",
    "AllocatedStorage": "StorageQuotaExceeded",
}
EVENT_LIFE = datetime.timedelta(days=14)
MISSING = {
    "db": ("DBInstance", "DBInstanceNotFound"),
    "snapshot": ("DBSnapshot", "DBSnapshotNotFound"),
    "pg": ("DBParameterGroup", "DBParameterGroupNotFound"),
    "subgrp": ("DBSubnetGroup", "DBSubnetGroupNotFoundFault"),
    "og": ("OptionGroup", "OptionGroupNotFoundFault"),
    "db-proxy": ("DBProxy", "DBProxyNotFoundFault"),
}


class Account(Part):
    """The part of RDS that belongs to no single resource."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.quotas = dict(QUOTAS)
        self._withdrawn: set[str] = set()

    # Events

    def describe_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """Events of the last hour, or of the time asked for: 14 days at most. Oldest first."""
        source_type, identifier = request.get("SourceType"), request.get("SourceIdentifier")
        if identifier and not source_type:
            raise conflict("Cannot specify source identifier without source type")
        first, last = self._period(request)
        events = [
            event
            for event in self.store.events
            if first <= event["Date"] <= last
            and source_type in (None, event["SourceType"])
            and (identifier or "").lower() in ("", event["SourceIdentifier"])
            and (not request.get("EventCategories") or set(request["EventCategories"]) & set(event["EventCategories"]))
        ]
        return rds_query.answer("Events", rds_query.filtered(events, request, {}), request)

    def _period(self, request: dict[str, Any]) -> tuple[datetime.datetime, datetime.datetime]:
        now = self.lab.now()
        if "Duration" in request and "StartTime" in request:
            raise conflict("Cannot specify both duration and start time.")
        span = datetime.timedelta(minutes=request.get("Duration", 60))
        last = request.get("EndTime", now)
        first = request.get("StartTime", last - span)
        if span > EVENT_LIFE or first < now - EVENT_LIFE - datetime.timedelta(minutes=1):
            raise invalid("Events are kept for 14 days.")
        if first > last:
            raise invalid("Start time must be before end time.")
        return first, last

    # Tags

    def _tags_of(self, request: dict[str, Any]) -> dict[str, str]:
        arn = request["ResourceName"]
        prefix, _, resource = arn.partition(f":{self.lab.account}:")
        kind, _, name = resource.partition(":")
        if prefix != f"arn:aws:rds:{self.lab.region}" or kind not in MISSING:
            raise invalid(f"Invalid resource name: {arn}")
        if arn not in self.store.tags:
            raise rds_query.not_found(*MISSING[kind], name)
        return self.store.tags[arn]

    def add_tags_to_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add or overwrite tags; 50 at most."""
        tags = self._tags_of(request)
        new = {**tags, **rds_query.tags_from(request)}
        if len(new) > 50:
            raise invalid("The number of tags exceeds the limit of 50.")
        tags.update(new)
        return {}

    def remove_tags_from_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Remove tags by key; those that are not there do not matter."""
        tags = self._tags_of(request)
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """The tags of an ARN."""
        return {"TagList": rds_query.tag_list(self._tags_of(request))}

    # Quotas

    def _used(self, name: str) -> int:
        if name == "AllocatedStorage":
            return sum(instance.settings["AllocatedStorage"] for instance in self.store.instances.values())
        if name == "ManualSnapshots":
            return sum(snapshot.kind == "manual" for snapshot in self.store.snapshots.values())
        return len(self.store.instances)

    def check_quota(self, name: str, more: int = 1) -> None:
        """Refuse what would go beyond a quota.

        :raises ApiError: InstanceQuotaExceeded, SnapshotQuotaExceeded or StorageQuotaExceeded.
        """
        if self._used(name) + more > self.quotas[name]:
            what = {
                "DBInstances": "DB instances",
                "ManualSnapshots": "manual snapshots",
                "AllocatedStorage": "GiB of storage",
            }[name]
            raise ApiError(EXCEEDED[name], f"Cannot create more than {self.quotas[name]} {what}.")

    def describe_account_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        """The quotas that the lab keeps, and what is used of them."""
        rds_query.refuse_unknown(request, (), "DescribeAccountAttributes")
        quotas = [
            {"AccountQuotaName": name, "Used": self._used(name), "Max": most} for name, most in self.quotas.items()
        ]
        return {"AccountQuotas": quotas}

    # What can be ordered

    def describe_orderable_db_instance_options(self, request: dict[str, Any]) -> dict[str, Any]:
        """The classes that the lab has, for each of its PostgreSQL versions."""
        if request["Engine"] != ENGINE:
            raise invalid(f"Invalid DB engine: {request['Engine']}")
        options = [
            self._orderable(number, minor, name)
            for number, minors in MINORS.items()
            for minor in minors
            for name in CLASSES
            if request.get("EngineVersion") in (None, f"{number}.{minor}")
            and request.get("DBInstanceClass") in (None, name)
            and name not in self._withdrawn
        ]
        return rds_query.answer("OrderableDBInstanceOptions", rds_query.filtered(options, request, {}), request)

    def withdraw_class(self, name: str) -> None:
        """Offer a class no longer; instances that have it keep it."""
        self._withdrawn.add(name)

    def check_offer(self, name: str, version: str) -> None:
        """Refuse a new instance of a class that is offered no longer.

        :raises ApiError: InvalidParameterCombination.
        """
        if name in self._withdrawn:
            raise conflict(
                "RDS does not support creating a DB instance with the following combination: "
                f"DBInstanceClass={name}, Engine={ENGINE}, EngineVersion={version}, LicenseModel=postgresql-license."
            )

    def _orderable(self, number: str, minor: int, name: str) -> dict[str, Any]:
        return {
            "Engine": ENGINE,
            "EngineVersion": f"{number}.{minor}",
            "DBInstanceClass": name,
            "LicenseModel": "postgresql-license",
            "AvailabilityZones": [{"Name": f"{self.lab.region}{letter}"} for letter in "abc"],
            "MultiAZCapable": True,
            "ReadReplicaCapable": True,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": "gp3",
            "SupportsIops": True,
            "SupportsStorageThroughput": True,
            "SupportsEnhancedMonitoring": True,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsPerformanceInsights": True,
            "SupportsStorageAutoscaling": True,
            "MinStorageSize": 20,
            "MaxStorageSize": 65536,
            "SupportedNetworkTypes": ["IPV4", "DUAL"],
        }

    # What SPYMEO has none of

    def describe_pending_maintenance_actions(self, request: dict[str, Any]) -> dict[str, Any]:
        """None."""
        return rds_query.answer("PendingMaintenanceActions", [], request)

    def describe_db_clusters(self, request: dict[str, Any]) -> dict[str, Any]:
        """None."""
        if "DBClusterIdentifier" in request:
            raise rds_query.not_found("DBCluster", "DBClusterNotFoundFault", request["DBClusterIdentifier"])
        return rds_query.answer("DBClusters", [], request)
