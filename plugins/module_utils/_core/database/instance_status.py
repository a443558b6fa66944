# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a snapshot is there, when a DB instance can be used, and when either never will be. Pure.

The statuses are those of the Amazon RDS User Guide, "Viewing Amazon RDS DB instance status". One that is not listed here is
neither success nor failure: it is waited for, by its name, until the deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Failed, Pending, Ready

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.rds import DbInstance, DbSnapshot

# With automated backups on, backing-up may last hours while the endpoint answers; blocks are loaded lazily in the two storage states.
USABLE = ("available", "storage-optimization", "storage-initialization", "backing-up")
MODIFIABLE = tuple(status for status in USABLE if status != "backing-up")
SNAPSHOT_SOURCE = ("available", "storage-optimization")

TERMINAL = {
    "failed": "RDS cannot recover it",
    "restore-error": "RDS could not restore it",
    "incompatible-restore": "RDS could not restore the snapshot into it",
    "incompatible-network": "its subnet group has no free address, or its VPC or subnets are gone",
    "incompatible-parameters": "it cannot start with its parameter group",
    "incompatible-option-group": "its option group does not fit",
    "incompatible-credentials": "its managed credentials cannot be used",
    "incompatible-create": "it cannot be created like this",
    "insufficient-capacity": "AWS has no machine of this class left in these zones",
    "inaccessible-encryption-credentials": "its KMS key cannot be used",
    "inaccessible-encryption-credentials-recoverable": "its KMS key cannot be used",
    "storage-full": "its storage is full",
    "deleting": "somebody is deleting it",
    "stopping": "somebody is stopping it",
    "stopped": "somebody has stopped it",
}


def snapshot_ready(snapshot: DbSnapshot | None) -> Ready | Pending | Failed:
    """Whether ``snapshot`` (DbSnapshot, or None when RDS does not show it) holds the data."""
    if snapshot is None:
        return Failed("it is gone: somebody has deleted it, or RDS gave it up")
    if snapshot.status == "available":
        return Ready("snapshot %s is available" % snapshot.name)
    if snapshot.status == "creating":
        return Pending(snapshot.percent, 100, "%d %% (snapshot %s)" % (snapshot.percent, snapshot.name))
    if snapshot.status == "failed":
        cure = "delete it (aws rds delete-db-snapshot --db-snapshot-identifier %s), then run again with the same run id"
        return Failed("snapshot %s is failed, and holds nothing; %s" % (snapshot.name, cure % snapshot.name))
    return Failed("snapshot %s is %s" % (snapshot.name, snapshot.status))


def instance_ready(instance: DbInstance) -> Ready | Pending | Failed:
    """Whether the endpoint of ``instance`` (DbInstance) can answer. A SQL probe has the last word, not this."""
    if instance.status in TERMINAL:
        cure = (
            "It stays as it is. Once the cause is fixed, run again without rollback_run_id: another instance is made."
        )
        return Failed(
            "DB instance %s is %s: %s. %s" % (instance.name, instance.status, TERMINAL[instance.status], cure)
        )
    if instance.status in USABLE and instance.host:
        return Ready("DB instance %s is %s" % (instance.name, instance.status))
    return Pending(0, 1, of_instance(instance.name, instance.status))


def of_instance(name: str, state: str) -> str:
    """What is reported while a DB instance is awaited: the state first, since names are long and lines are cut at their end."""
    return "%s (DB instance %s)" % (state, name)


def parameter_group_ready(instance: DbInstance) -> Ready | Pending | Failed:
    """Whether the parameters of ``instance`` are in effect: Ready, Failed, or Pending with the status of the group as its detail."""
    other = [status for status in instance.parameter_group_statuses if status != "in-sync"]
    if not other:
        return Ready("the parameter group is in sync")
    if "failed-to-apply" in other:
        return Failed("RDS could not apply the parameter group of DB instance %s" % instance.name)
    return Pending(0, 1, other[0])


def start_command(name: str) -> str:
    """How a stopped DB instance is started, for people to paste."""
    return (
        "aws rds start-db-instance --db-instance-identifier %s && aws rds wait db-instance-available --db-instance-identifier %s"
        % (
            name,
            name,
        )
    )


def cannot_answer(name: str, instance: DbInstance | None) -> str:
    """Why the DB instance of that name cannot answer (str with the cure), empty when nothing is known against it.

    :param instance: DbInstance of the name, or None.
    """
    if instance is None:
        return "DB instance %s is not there any longer." % name
    if instance.status in ("stopped", "stopping"):
        return "DB instance %s is %s. Start it: %s. Then run again." % (name, instance.status, start_command(name))
    if instance.status == "deleting":
        return "DB instance %s is deleting: %s." % (name, TERMINAL[instance.status])
    return ""  # others may answer all the same, and are asked
