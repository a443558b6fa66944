# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: its parts put together. Each has the operations of its API under their names.

lifecycle: DB instances from creation to deletion; modify; restore; replicas; snapshots, copies; backups (automated ones); groups;
roles; proxies; account. store has the records, and settings the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...wire import Service
from .account import Account
from .backups import Backups
from .copies import Copies
from .groups import Groups
from .lifecycle import Lifecycle
from .modify import Modifications
from .proxies import Proxies
from .replicas import Replicas
from .restore import Restores
from .roles import Roles
from .snapshots import Snapshots
from .store import Store

if TYPE_CHECKING:
    from ...lab import Lab


class Rds(Service):
    """RDS of the lab's account."""

    model = "rds"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.store = store = Store(lab)
        self.account, self.groups, self.roles, self.backups = (
            Account(store),
            Groups(store),
            Roles(store),
            Backups(store),
        )
        self.snapshots = Snapshots(store, self.account)
        lifecycle = Lifecycle(store, self.account, self.groups, self.roles, self.snapshots, self.backups)
        self.restores = Restores(store, lifecycle, self.roles, self.backups)
        self.parts = (
            self.account,
            self.groups,
            self.roles,
            self.backups,
            self.snapshots,
            self.restores,
            lifecycle,
            Copies(store, self.account),
            Modifications(store, lifecycle, self.account, self.groups, self.backups),
            Replicas(store, lifecycle),
            Proxies(store),
        )

    def controls(self) -> dict[str, Callable[..., dict[str, Any] | None]]:
        """What cannot be brought about through AWS's API."""
        return {
            "rds_backed_up": self.backups.end_first_backup,
            "rds_next_restore": self.restores.fail_next_restore,
            "rds_quota": self._set_quota,
            "rds_status": self._set_status,
            "rds_withdraw_ca": self.roles.withdraw_authority,
            "rds_snapshot": self.snapshots.record_snapshot,
            "rds_snapshot_done": self.snapshots.end_snapshot,
            "rds_withdraw_class": self.account.withdraw_class,
        }

    def _set_status(self, db_instance: str, status: str) -> None:
        """Have an instance in a status that AWS alone brings about, like storage-full; its PostgreSQL goes on."""
        self.store.find_instance(db_instance).status = status

    def _set_quota(self, name: str, most: int) -> None:
        """Set one of DescribeAccountAttributes' quotas."""
        if name not in self.account.quotas:
            raise ValueError(f"no quota {name}; there are {', '.join(self.account.quotas)}")
        self.account.quotas[name] = most
