# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done with a DB instance that another one has taken the place of. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._run.identity import TAG_REPLACED_BY

STOPPED = ("stopping", "stopped")


@dataclass(frozen=True)
class Retirement:
    """Whether the instance is to be tagged and to be stopped, and why not where it was asked for (empty otherwise)."""

    tag: bool
    stop: bool
    kept_running: str = ""

    @property
    def steps(self):
        """What is to be done, in words."""
        return ["tag it"] * self.tag + ["stop it"] * self.stop


def retire(old, new, stop):
    """The Retirement of a DbInstance.

    :param old: DbInstance that was in service.
    :param new: DbInstance that has taken its place.
    :param stop: whether it is to be stopped, too (bool).
    :raises RollbackError: ``new`` was not restored in the place of ``old``.
    """
    if new.replaces != old.name:
        raise RollbackError(
            "DB instance %s was not restored in the place of %s (its tag says %s), so %s is left alone."
            % (new.name, old.name, new.replaces or "nothing", old.name)
        )
    tag = old.tags.get(TAG_REPLACED_BY) != new.name
    if not stop or old.status in STOPPED:
        return Retirement(tag, False)
    replicas = old.description.get("ReadReplicaDBInstanceIdentifiers", [])
    if replicas:  # RDS user guide, "Stopping an Amazon RDS DB instance temporarily", limitations
        return Retirement(tag, False, "RDS does not stop an instance with read replicas (%s)" % ", ".join(replicas))
    if old.status != "available":
        return Retirement(tag, False, "RDS stops an available instance only, and it is %s" % old.status)
    return Retirement(tag, True)
