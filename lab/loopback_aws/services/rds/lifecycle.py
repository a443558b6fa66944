# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DB instances from creation to deletion. Each is a real PostgreSQL server on an address of its own."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable
from typing import Any

from ...postgres import PostgresError, Server
from ...wire import ApiError
from . import query as rds_query
from . import settings as rds_settings
from .account import Account
from .backups import Backups, backs_up
from .groups import Groups
from .instance import USABLE, Instance
from .roles import Roles
from .settings import conflict, invalid
from .snapshots import Snapshots
from .store import Part, Store

STOPPED_LIFE = datetime.timedelta(days=7)  # after which RDS starts a stopped instance again
PLACE = {
    "AvailabilityZone", "DBInstanceIdentifier", "DBParameterGroupName", "DBSubnetGroupName", "EnableCloudwatchLogsExports",
    "Engine", "OptionGroupName", "Tags", "VpcSecurityGroupIds",
}  # fmt: skip
CREATE = {
    *PLACE, *rds_settings.BY_ASKED, "BackupTarget", "DBName", "KmsKeyId", "MasterUsername", "Port", "StorageEncrypted",
} - {"DBPortNumber"}  # fmt: skip
FILTERS = {
    "db-instance-id": lambda instance: (instance.identifier, instance.arn),
    "dbi-resource-id": lambda instance: (instance.resource_id,),
    "db-cluster-id": lambda instance: (),
    "domain": lambda instance: (),
    "engine": lambda instance: (rds_settings.ENGINE,),
}


class Lifecycle(Part):
    """Creation, reboot, stop, start and deletion, and what restores and replicas need to make an instance."""

    def __init__(
        self, store: Store, account: Account, groups: Groups, roles: Roles, snapshots: Snapshots, backups: Backups
    ) -> None:
        super().__init__(store)
        self._account, self._groups, self._roles, self._snapshots, self._backups = (
            account,
            groups,
            roles,
            snapshots,
            backups,
        )
        self.lab.after(self.lab.durations.security_group_interval, self._follow_security_groups)

    def shown(self, instance: Instance) -> dict[str, Any]:
        """The instance in the shape DBInstance."""
        shown = instance.describe(self.store.tags[instance.arn])
        shown["ReadReplicaDBInstanceIdentifiers"] = self.store.replicas_of(instance)
        if latest := self._backups.latest_restorable(instance):
            shown["LatestRestorableTime"] = latest
        shown.update(instance.storage_operation(self.lab.now()))
        return shown

    def describe_db_instances(self, request: dict[str, Any]) -> dict[str, Any]:
        """The instances by identifier."""
        if "DBInstanceIdentifier" in request:
            found = [self.store.find_instance(request["DBInstanceIdentifier"])]
        else:
            found = [instance for _, instance in sorted(self.store.instances.items())]
        shown = [self.shown(instance) for instance in rds_query.filtered(found, request, FILTERS)]
        return rds_query.answer("DBInstances", shown, request)

    # Creation

    def create_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new instance: initdb, the master user, its database."""
        rds_query.refuse_unknown(request, CREATE, "CreateDBInstance")
        for name in ("AllocatedStorage", "MasterUsername", "MasterUserPassword"):
            if not request.get(name):
                raise invalid(f"The parameter {name} must be provided and must not be blank.")
        if request["MasterUsername"].lower() in ("admin", "rdsadmin", "rds_superuser") or request[
            "MasterUsername"
        ].startswith("pg_"):
            name = request["MasterUsername"]
            raise invalid(f"MasterUsername {name} cannot be used as it is a reserved word used by the engine")
        if not re.fullmatch(r"[A-Za-z]\w{0,62}", request["MasterUsername"]):
            raise invalid("The parameter MasterUsername is not a valid identifier.")
        rds_settings.check_password(request["MasterUserPassword"])
        usual = {**rds_settings.defaults(), "CACertificateIdentifier": self._roles.default_authority}
        settings = {**usual, **self.asked_settings(request), **rds_settings.storage(request, {})}
        settings["EngineVersion"] = rds_settings.engine_version(request.get("EngineVersion"))
        del settings["MasterUserPassword"]
        self._encryption(settings, request)
        instance = self.new_instance(request, settings, request["MasterUsername"], request.get("DBName"))
        user, password = instance.master_username, request["MasterUserPassword"]

        def build() -> None:
            instance.server.initialise(user, password, instance.database, archive=backs_up(instance))

        self.bring_up(instance, build, "DB instance created")
        return {"DBInstance": self.shown(instance)}

    def asked_settings(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request's settings under the names in which they are shown."""
        asked = {setting.shown: request[name] for name, setting in rds_settings.BY_ASKED.items() if name in request}
        for name in ("BackupTarget", "Port"):
            if name in request:
                asked[name] = request[name]
        return asked

    def _encryption(self, settings: dict[str, Any], request: dict[str, Any]) -> None:
        if "KmsKeyId" in request and not request.get("StorageEncrypted"):
            raise conflict("KmsKeyId can be specified only when StorageEncrypted is true.")
        settings["StorageEncrypted"] = request.get("StorageEncrypted", False)
        if settings["StorageEncrypted"]:
            settings["KmsKeyId"] = self.store.network.key(request.get("KmsKeyId", "alias/aws/rds"))

    def new_instance(
        self, request: dict[str, Any], settings: dict[str, Any], master_username: str, database: str | None
    ) -> Instance:
        """An instance in the status creating, in the network and the groups asked for; defaults for those that are not.

        :raises ApiError: the name is taken, a quota is reached, a group does not exist or does not fit.
        """
        identifier = rds_settings.check_identifier(request["DBInstanceIdentifier"], "DBInstanceIdentifier")
        if request.get("Engine", rds_settings.ENGINE) != rds_settings.ENGINE:
            raise invalid(f"Invalid DB engine: {request['Engine']} (the lab has {rds_settings.ENGINE} only)")
        if identifier in self.store.instances:
            raise ApiError("DBInstanceAlreadyExists", "DB instance already exists")
        subnet_group = self._groups.subnet_group(request.get("DBSubnetGroupName"))
        groups = request.get("VpcSecurityGroupIds") or [
            self.store.network.default_security_group(subnet_group["VpcId"])
        ]
        self.store.network.check_security_groups(groups, subnet_group["VpcId"])
        number = rds_settings.major(settings["EngineVersion"])
        settings["EnabledCloudwatchLogsExports"] = sorted(set(request.get("EnableCloudwatchLogsExports", [])))
        settings.pop("DBSubnetGroupName", None)
        settings.pop("OptionGroupName", None)
        parameter_group = self._groups.parameter_group(request.get("DBParameterGroupName"), number)
        option_group = self._groups.option_group(request.get("OptionGroupName"), number)
        zones = self._zones(subnet_group, request.get("AvailabilityZone"), settings["MultiAZ"])
        rds_settings.check(settings)
        self._roles.check_authority(settings["CACertificateIdentifier"])
        self._account.check_offer(settings["DBInstanceClass"], settings["EngineVersion"])
        tags = rds_query.tags_from(request)
        self._account.check_quota("DBInstances")
        self._account.check_quota("AllocatedStorage", settings["AllocatedStorage"])
        self.store.instances[identifier] = Instance(
            identifier=identifier,
            arn=self.lab.arn("rds", f"db:{identifier}"),
            settings=settings,
            master_username=master_username,
            database=database,
            subnet_group=subnet_group,
            zones=zones,
            security_groups=dict.fromkeys(groups, "active"),
            parameter_group=parameter_group,
            option_group=option_group,
            server=Server(self.store.installation, self.lab.addresses.new(), settings["Port"]),
            created_at=self.lab.now(),
        )
        self.store.tags[self.store.instances[identifier].arn] = tags
        return self.store.instances[identifier]

    def _zones(self, subnet_group: dict[str, Any], asked: str | None, multi_az: bool) -> list[str]:
        zones = sorted({subnet["SubnetAvailabilityZone"]["Name"] for subnet in subnet_group["Subnets"]})
        if asked and multi_az:
            raise conflict("Requesting a specific availability zone is not valid for Multi-AZ instances.")
        if asked and asked not in zones:
            raise ApiError(
                "InvalidVPCNetworkStateFault", f"The DB subnet group has no subnet in the availability zone {asked}."
            )
        return sorted(zones, key=lambda zone: zone != asked)

    def bring_up(self, instance: Instance, build: Callable[[], None], message: str) -> None:
        """creating → (backing-up, when backups are on) → available: what `build` takes and durations.restore, then durations.backing_up."""
        creating = self.lab.durations.restore
        self._judge_reachability(instance)

        def work() -> None:
            try:
                instance.server.allow_connections(instance.reachable)
                build()
            except PostgresError as error:
                with self.lab.lock:
                    self.fail(instance, "failed", str(error))
                return
            self.lab.after(creating, lambda: self._created(instance, message))

        self.lab.background(work)

    def _created(self, instance: Instance, message: str) -> None:
        instance.endpoint = True
        self.store.event("db-instance", instance.identifier, "creation", message)
        instance.status = "available"
        if backs_up(instance):
            self._backups.take_first_backup(instance)

    def fail(self, instance: Instance, status: str, message: str) -> None:
        """Leave the instance in a terminal state, with the event that tells why."""
        instance.status = status
        self.store.event("db-instance", instance.identifier, "failure", message)

    # Reachability

    def _judge_reachability(self, instance: Instance) -> bool:
        """Whether the verdict of the security groups has changed."""
        before = instance.reachable
        instance.reachable = self.store.network.lets_in(instance.active_groups, instance.settings["Port"])
        return instance.reachable != before

    def _follow_security_groups(self) -> None:
        """Rules change in EC2, which does not tell RDS: look at them again and again."""
        for instance in self.store.instances.values():
            if instance.endpoint and self._judge_reachability(instance):
                self.lab.background(functools.partial(instance.server.allow_connections, instance.reachable))
        self.lab.after(self.lab.durations.security_group_interval, self._follow_security_groups)

    # Reboot, stop, start, deletion

    def transition(
        self, instance: Instance, status: str, seconds: float, work: Callable[[], None], done: Callable[[], None]
    ) -> None:
        """Be in `status` as long as `work` takes, and `seconds` more; then `done` under the lock."""
        instance.status = status

        def run() -> None:
            try:
                work()
            except PostgresError as error:
                with self.lab.lock:
                    self.fail(instance, "failed", str(error))
                return
            self.lab.after(seconds, done)

        self.lab.background(run)

    def reboot_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Restart PostgreSQL; a parameter group that waits for that is in sync afterwards."""
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        self.store.require(instance, *USABLE)
        if request.get("ForceFailover") and not instance.settings["MultiAZ"]:
            raise conflict("Cannot force failover since the instance is not configured for Multi-AZ.")

        def done() -> None:
            if request.get("ForceFailover"):
                instance.zones[:2] = instance.zones[1::-1]
                self.store.event("db-instance", instance.identifier, "failover", "Multi-AZ instance failover completed")
            instance.parameter_status = "in-sync"
            instance.status = "available"
            self.store.event("db-instance", instance.identifier, "availability", "DB instance restarted")

        self.transition(instance, "rebooting", self.lab.durations.reboot, instance.server.restart, done)
        return {"DBInstance": self.shown(instance)}

    def stop_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop PostgreSQL; RDS starts the instance again after seven days."""
        rds_query.refuse_unknown(request, {"DBInstanceIdentifier"}, "StopDBInstance")
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        self.store.require(instance, "available")
        self.store.refuse_replication(instance)

        def done() -> None:
            instance.status = "stopped"
            instance.restarts_at = self.lab.now() + STOPPED_LIFE
            self.store.event("db-instance", instance.identifier, "notification", "DB instance stopped")

        def work() -> None:
            with self.lab.lock:
                instance.log_ends = self.lab.now()
            instance.server.mark()
            instance.server.stop()

        self.transition(instance, "stopping", self.lab.durations.stop, work, done)
        return {"DBInstance": self.shown(instance)}

    def start_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start a stopped instance: the same endpoint, the same data."""
        rds_query.refuse_unknown(request, {"DBInstanceIdentifier"}, "StartDBInstance")
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        self.store.require(instance, "stopped")

        def done() -> None:
            instance.status = "available"
            instance.parameter_status = "in-sync"
            self.store.event("db-instance", instance.identifier, "notification", "DB instance started")

        instance.restarts_at = instance.log_ends = None
        self.transition(instance, "starting", self.lab.durations.stop, instance.server.start, done)
        return {"DBInstance": self.shown(instance)}

    def delete_db_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete the instance and its data, after a last snapshot unless that is skipped."""
        instance = self.store.find_instance(request["DBInstanceIdentifier"])
        final, skip = request.get("FinalDBSnapshotIdentifier"), request.get("SkipFinalSnapshot", False)
        if instance.settings["DeletionProtection"]:
            raise conflict("Cannot delete protected DB Instance, please disable deletion protection and try again.")
        if bool(final) == skip:
            what = (
                "FinalDBSnapshotIdentifier cannot be specified when"
                if skip
                else "FinalDBSnapshotIdentifier is required unless"
            )
            raise conflict(f"{what} SkipFinalSnapshot is specified.")
        if instance.status in ("deleting", "creating"):
            raise ApiError(
                "InvalidDBInstanceState", f"Instance {instance.identifier} cannot be deleted: it is {instance.status}."
            )
        backup = self._snapshots.begin_snapshot(instance, final, {}) if final else None

        def work() -> None:
            if backup:
                backup()
            instance.server.remove()

        def done() -> None:
            del self.store.instances[instance.identifier], self.store.tags[instance.arn]
            self.store.event("db-instance", instance.identifier, "deletion", "DB instance deleted")

        self.transition(instance, "deleting", self.lab.durations.stop, work, done)
        return {"DBInstance": self.shown(instance)}
