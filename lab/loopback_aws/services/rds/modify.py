# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ModifyDBInstance: what is applied at once, what soon, what waits for the window or a reboot."""

from __future__ import annotations

from typing import Any

from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .account import Account
from .backups import Backups
from .groups import Groups
from .instance import USABLE, Instance
from .lifecycle import Lifecycle
from .settings import AT_ONCE, SOON, STORAGE, conflict
from .store import Part, Store

MODIFY = {
    "ApplyImmediately", "CertificateRotationRestart", "CloudwatchLogsExportConfiguration", "DBInstanceIdentifier",
    "DBParameterGroupName", "VpcSecurityGroupIds", *rds_settings.BY_ASKED,
}  # fmt: skip
UNNOTICED = 0.2  # the share of a modification during which the status still reads available
RESTARTS = {"CACertificateIdentifier", "DBInstanceClass", "DBSubnetGroupName", "EngineVersion", "Port"}
EVENTS = {  # RDS user guide, "DB instance events", category configuration change
    "AllocatedStorage": "Finished applying modification to allocated storage",
    "BackupRetentionPeriod": "Automated backups for this DB instance have been changed",
    "DBInstanceClass": "Finished applying modification to DB instance class",
    "MasterUserPassword": "Reset master credentials",
    "MonitoringInterval": "Monitoring interval changed",
    "MultiAZ": "Finished applying modification to convert the DB instance to or from Multi-AZ",
    "StorageType": "Finished applying modification to storage type",
}


class Modifications(Part):
    """The part of RDS that modifies instances."""

    def __init__(self, store: Store, lifecycle: Lifecycle, account: Account, groups: Groups, backups: Backups) -> None:
        super().__init__(store)
        self._lifecycle, self._account, self._groups, self._backups = lifecycle, account, groups, backups

    def modify_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change settings; the answer shows those applied at once, PendingModifiedValues the others."""
        rds_query.refuse_unknown(request, MODIFY, "ModifyDBInstance")
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        if instance.status not in USABLE:
            raise ApiError("InvalidDBInstanceState", "Database instance is not in available state.")
        changes = self._changes(instance, request)
        groups, parameters = self._checked_groups(instance, request)
        for name, value in changes.items():
            self._take(instance, name, value, immediately=request.get("ApplyImmediately", False))
        instance.settings = rds_settings.settle(instance.settings)
        if request.get("ApplyImmediately"):
            instance.due = set(instance.pending)
        if parameters != instance.parameter_group:
            instance.parameter_group, instance.parameter_status = parameters, "applying"
        if set(groups) != set(instance.security_groups):
            instance.security_groups = {
                **{group: "active" if group in instance.security_groups else "adding" for group in groups},
                **{group: "removing" for group in instance.security_groups if group not in groups},
            }
            self.lab.after(self.lab.durations.modify, lambda: self._settle_groups(instance))
        self._plan(instance)
        return {"DBInstance": self._lifecycle.shown(instance)}

    def _changes(self, instance: Instance, request: dict[str, Any]) -> dict[str, Any]:
        """The settings that the request really changes, under the names in which they are shown; all checked."""
        asked = self._lifecycle.asked_settings(request)
        exports = request.get("CloudwatchLogsExportConfiguration", {})
        current = {**instance.settings, "OptionGroupName": instance.option_group, **instance.pending}
        current["DBSubnetGroupName"] = instance.pending.get(
            "DBSubnetGroupName", instance.subnet_group["DBSubnetGroupName"]
        )
        if exports:
            enabled = {*current["EnabledCloudwatchLogsExports"], *exports.get("EnableLogTypes", [])}
            asked["EnabledCloudwatchLogsExports"] = sorted(enabled - set(exports.get("DisableLogTypes", [])))
        if "MasterUserPassword" in asked:
            rds_settings.check_password(asked["MasterUserPassword"])
        changes = {name: value for name, value in asked.items() if current.get(name) != value}
        self._check_storage(instance, changes)
        if "EngineVersion" in changes:
            self._check_upgrade(instance, changes)
        number = rds_settings.major(changes.get("EngineVersion", instance.settings["EngineVersion"]))
        if "OptionGroupName" in changes:
            self._groups.option_group(changes["OptionGroupName"], number)
        if (
            "DBSubnetGroupName" in changes
            and self._groups.subnet_group(changes["DBSubnetGroupName"])["VpcId"] != instance.subnet_group["VpcId"]
        ):
            raise conflict("The lab does not move an instance to another VPC.")
        wanted = {**current, **changes}
        if changes.get("MonitoringInterval") == 0:
            wanted.pop("MonitoringRoleArn", None)
        if changes.get("PerformanceInsightsEnabled") is False:
            wanted.pop("PerformanceInsightsKMSKeyId", None)
            wanted.pop("PerformanceInsightsRetentionPeriod", None)
        rds_settings.check(wanted)
        return changes

    def _check_storage(self, instance: Instance, changes: dict[str, Any]) -> None:
        if not STORAGE & set(changes):
            return
        if instance.status == "storage-optimization":
            raise conflict(
                "You can't currently modify the storage of this DB instance because the previous storage change is being optimized."
            )
        now, then = instance.settings["AllocatedStorage"], changes.get("AllocatedStorage")
        if then is not None and then < now:
            raise conflict(f"Requested storage size ({then}) cannot be less than the current storage size ({now}).")
        if then is not None:
            changes["AllocatedStorage"] = max(then, -(-now * 11 // 10))  # "rounded up so that they are 10% greater"
            self._account.check_quota("AllocatedStorage", changes["AllocatedStorage"] - now)
        merged = {name: changes.get(name, instance.settings.get(name)) for name in STORAGE}
        kind = merged["StorageType"]
        if kind in ("gp2", "standard") or (kind == "gp3" and "StorageType" in changes):
            merged.update(Iops=changes.get("Iops"), StorageThroughput=changes.get("StorageThroughput"))
        settled = rds_settings.storage({name: value for name, value in merged.items() if value is not None}, {})
        changes.update({name: value for name, value in settled.items() if instance.settings.get(name) != value})

    def _check_upgrade(self, instance: Instance, changes: dict[str, Any]) -> None:
        version = rds_settings.engine_version(changes["EngineVersion"])
        old, new = (tuple(map(int, text.split("."))) for text in (instance.settings["EngineVersion"], version))
        if old[0] != new[0] or new < old:
            raise conflict(
                f"Cannot upgrade {rds_settings.ENGINE} from {instance.settings['EngineVersion']} to {version}"
            )
        changes["EngineVersion"] = version

    def _checked_groups(self, instance: Instance, request: dict[str, Any]) -> tuple[list[str], str]:
        groups = request.get("VpcSecurityGroupIds") or [
            g for g, status in instance.security_groups.items() if status != "removing"
        ]
        self.store.network.check_security_groups(groups, instance.subnet_group["VpcId"])
        number = rds_settings.major(instance.settings["EngineVersion"])
        return groups, self._groups.parameter_group(
            request.get("DBParameterGroupName", instance.parameter_group), number
        )

    def _take(self, instance: Instance, name: str, value: Any, immediately: bool) -> None:
        applied = (
            SOON
            if name == "EnabledCloudwatchLogsExports"
            else rds_settings.when(name, instance.settings.get(name), value)
        )
        if applied == AT_ONCE:
            instance.settings[name] = value
            return
        if value == instance.settings.get(name):  # taken back before the window
            instance.pending.pop(name, None)
            instance.due.discard(name)
            return
        instance.pending[name] = value
        if immediately or applied == SOON:
            instance.due.add(name)

    def _settle_groups(self, instance: Instance) -> None:
        instance.security_groups = {
            group: "active" for group, status in instance.security_groups.items() if status != "removing"
        }

    # Applying: available (not yet noticed) → one status for each kind of change → available

    def _plan(self, instance: Instance) -> None:
        if not instance.modification_planned and (instance.due or instance.parameter_status == "applying"):
            instance.modification_planned = True
            self.lab.after(self.lab.durations.modify * UNNOTICED, lambda: self._begin(instance))

    def _begin(self, instance: Instance) -> None:
        if instance.status not in USABLE:  # a reboot or a snapshot came first
            self.lab.after(self.lab.durations.modify * UNNOTICED, lambda: self._begin(instance))
            return
        steps: dict[str, dict[str, Any]] = {}
        for name in sorted(instance.due):
            setting = rds_settings.BY_SHOWN.get(name)
            steps.setdefault(setting.status if setting else "configuring-log-exports", {})[name] = instance.pending[
                name
            ]
        if not steps:
            steps["modifying"] = {}  # the parameter group only
        self._step(instance, list(steps.items()), self.lab.durations.modify * (1 - UNNOTICED) / len(steps))

    def _step(self, instance: Instance, steps: list[tuple[str, dict[str, Any]]], seconds: float) -> None:
        (status, values), rest = steps[0], steps[1:]

        def done() -> None:
            self._apply(instance, values)
            if rest:
                self._step(instance, rest, seconds)
            else:
                self._finish(instance)

        self._lifecycle.transition(instance, status, seconds, lambda: self._work(instance, values), done)

    def _work(self, instance: Instance, values: dict[str, Any]) -> None:
        """What a change does to the running PostgreSQL. Blocks."""
        if "MasterUserPassword" in values:
            instance.server.set_password(instance.master_username, values["MasterUserPassword"])
        if RESTARTS & set(values):
            instance.server.restart(port=values.get("Port"))

    def _apply(self, instance: Instance, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self._set(instance, name, value)
            if instance.pending.get(name) == value:
                del instance.pending[name]
                instance.due.discard(name)
            if name in EVENTS:
                self.store.event("db-instance", instance.identifier, "configuration change", EVENTS[name])
        if RESTARTS & set(values) and instance.parameter_status == "pending-reboot":
            instance.parameter_status = "in-sync"
        instance.settings = rds_settings.settle(instance.settings)
        instance.optimizes_storage |= bool(STORAGE & set(values))

    def _set(self, instance: Instance, name: str, value: Any) -> None:
        if name == "OptionGroupName":
            instance.option_group = value
        elif name == "DBSubnetGroupName":
            instance.subnet_group = self._groups.subnet_group(value)
        elif name != "MasterUserPassword":  # that one is in PostgreSQL, and nowhere else
            instance.settings[name] = value
        if name == "BackupRetentionPeriod":  # it comes here when it is turned on or off only
            self._backups.end_backups(instance)
            instance.begins_backups = bool(value)

    def _finish(self, instance: Instance) -> None:
        instance.modification_planned = False
        if instance.parameter_status == "applying":
            instance.parameter_status = "pending-reboot"
            message = f"Updated to use DBParameterGroup {instance.parameter_group}"
            self.store.event("db-instance", instance.identifier, "configuration change", message)
        instance.status = "available"
        if instance.begins_backups:
            instance.begins_backups = False
            self._backups.take_first_backup(instance)
        elif instance.optimizes_storage:
            instance.optimizes_storage = False
            instance.status = "storage-optimization"
            self.lab.after(self.lab.durations.modify, lambda: self._optimized(instance))
        self._plan(instance)

    def _optimized(self, instance: Instance) -> None:
        if instance.status == "storage-optimization":
            instance.status = "available"
