# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether anybody is left on a database that was taken out of service: what they write there is lost to everybody else."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import Refused
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.decide import diagnose, target_of
from ansible_collections.spymeo.rollback.plugins.module_utils._postgresql.gateway import PostgresqlGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._readiness import Pending, Ready
from ansible_collections.spymeo.rollback.plugins.module_utils._verdict import FAILED, PASSED
from ansible_collections.spymeo.rollback.plugins.module_utils._wait import late_is_fine, wait_for

CURE = "Find out what that is, have it started again with the new DATABASE_URL, and bring over what it has written (playbooks/salvage.yml)."


class Leavers:
    """Looks at the failed database until nobody is connected to it.

    :param url: a DatabaseUrl with whose user it is asked.
    :param host, port: where the failed database listens.
    :param timeout: seconds for each question.
    """

    def __init__(self, url, host, port, timeout):
        self._place = target_of(url.at(host, port))
        self._gateway = PostgresqlGateway(self._place, timeout)
        self._first, self._looks = None, 0
        self.sessions, self.commits = (), 0

    def look(self):
        """Ready when nobody is left.

        :raises RollbackError: the failed database cannot be asked.
        """
        try:
            self.sessions, commits = self._gateway.sessions()
        except Refused as refused:
            raise diagnose(self._place, refused) from None
        self._first = commits if self._first is None else self._first
        # Each look of ours commits once; the number is that of all looks before this one.
        self.commits = max(commits - self._first - self._looks, 0)
        self._looks += 1
        if not self.sessions:
            return Ready()
        return Pending(0, len(self.sessions), "%d sessions are open on the failed database" % len(self.sessions))


def verdict_of_leavers(url, failed, timeout, clock=None):
    """(verdict, reason, evidence): who is connected to the failed database still.

    :param url: DatabaseUrl.
    :param failed: dict(db_instance, host, port, wait_timeout in seconds).
    :raises RollbackError: it cannot be asked.
    """
    leavers = Leavers(url, failed["host"], failed["port"], timeout)
    with late_is_fine():  # the verdict tells who is left
        wait_for("The sessions on %s" % failed["db_instance"], leavers.look, failed["wait_timeout"], clock)
    return judged(failed["db_instance"], leavers.sessions, leavers.commits)


def judged(name, sessions, commits):
    """(verdict, reason, evidence) of the Sessions that are left on a database, and of the transactions that it committed meanwhile."""
    if not sessions:
        return PASSED, "nobody is connected to %s any more" % name, []
    wrote = ", and %d transactions were committed there meanwhile" % commits if commits else ""
    reason = "%d sessions are open on %s, which is out of service%s" % (len(sessions), name, wrote)
    return FAILED, reason, [reason, *(session.told for session in sessions), CURE]
