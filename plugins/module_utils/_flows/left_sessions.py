# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether anybody is left on a database that was taken out of service: what they write there is lost to everybody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import diagnosing, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._core.outcome import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import FAILED, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many
from ansible_collections.spymeo.rollback.plugins.module_utils._io.postgresql import PostgresqlGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._io.wait import Clock, late_is_fine, wait_for

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseSession

CURE = "Find out what that is, have it started again with the new DATABASE_URL, and bring over what it has written (playbooks/salvage.yml)."


class Leavers:
    """Looks at the failed database until nobody is connected to it, and once more at the end: what connects for each request is seen by its rows.

    :param url: a DatabaseUrl with whose user it is asked.
    :param failed: dict(db_instance, host, port, wait_timeout in seconds).
    :param timeout: seconds for each question.
    """

    def __init__(self, url: DatabaseUrl, failed: Mapping[str, Any], timeout: int) -> None:
        self._name, self._patience = failed["db_instance"], failed["wait_timeout"]
        self._place = target_of(url.at(failed["host"], failed["port"]))
        self._gateway = PostgresqlGateway(self._place, timeout)
        self._sessions: tuple[DatabaseSession, ...] = ()
        self._written = 0

    def wait(self, clock: Clock | None = None) -> Leavers:
        """Look until nobody is left, or the patience is over. This object.

        :raises RollbackError: the failed database cannot be asked.
        """
        with late_is_fine():  # the verdict tells who is left
            wait_for("The sessions on %s" % self._name, self._look, self._patience, clock)
        return self

    def verdict(self) -> tuple[str, str, list[str]]:
        """(verdict, reason, evidence): who is connected now, and how many rows were written since the wait was over.

        :raises RollbackError: the failed database cannot be asked.
        """
        before = self._written
        self._look()
        return judged(self._name, self._sessions, self._written - before)

    def _look(self) -> Ready | Pending:
        with diagnosing(self._place):
            self._sessions, self._written = self._gateway.sessions()
        if not self._sessions:
            return Ready()
        return Pending(0, len(self._sessions), "%s on the failed database" % _open(self._sessions))


def _open(sessions: Collection[DatabaseSession]) -> str:
    return "%s open" % (many(len(sessions), "session") + (" is" if len(sessions) == 1 else " are"))


def judged(name: str, sessions: Collection[DatabaseSession], written: int) -> tuple[str, str, list[str]]:
    """(verdict, reason, evidence) of the DatabaseSessions that are left on a database, and of the rows that were written to it meanwhile."""
    if not sessions and not written:
        return PASSED, "nobody is connected to %s any more" % name, []
    who = "%s on %s" % (_open(sessions), name) if sessions else "nobody is connected to %s now" % name
    wrote = (
        ", and %s written there during the checks" % (many(written, "row") + (" was" if written == 1 else " were"))
        if written
        else ""
    )
    reason = "%s, which is out of service%s" % (who, wrote)
    return FAILED, reason, [reason, *(session.label for session in sessions), CURE]
