# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The word to whoever deploys: keep out, a rollback stands. Pure."""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._run.state import COMPLETE, ROLLBACK, UNDO


def standing(hold):
    """Whether a hold (dict as it is stored, or None) is to be respected."""
    return bool(hold and hold["standing"])


def placed(who, since, reason, run_id=""):
    """A hold that stands.

    :param since: a time for people.
    :param run_id: the run for which it stands; empty when a person has set it.
    """
    return dict(standing=True, who=who, since=since, reason=reason, run_id=run_id)


def same(one, other):
    """Whether two records (dicts, or None) are one hold, under two names of the same resources (see ``claims``)."""
    names = ("who", "since", "reason", "run_id")
    return bool(one and other) and all(one[name] == other[name] for name in names)


def free(who, since, reason):
    """A hold that has never stood. A pipeline deploys on this word only: that nothing is there may mean that it asks in the wrong place."""
    return dict(placed(who, since, reason), standing=False)


def lifted(hold, who, since):
    """The same hold, which no longer stands."""
    return dict(hold, standing=False, lifted_by=who, lifted=since)


def changed(hold, state, who, since, reason):
    """The hold after a person's ``set`` or ``release``; any other state leaves it as it is.

    :param hold: dict as it is stored; empty when there was never one.
    :raises RollbackError: a hold is set without a reason, or released where there was never one.
    """
    if state == "release" and not hold:
        raise RollbackError(
            "There is no hold to release: nothing was ever written down here. Compare the names; nothing was changed."
        )
    if state == "release":
        return lifted(hold, who, since) if standing(hold) else hold
    if state != "set":
        return hold
    if not reason.strip():
        raise RollbackError("A deploy hold needs a reason, which whoever meets it reads. Set rollback_hold_reason.")
    return hold if standing(hold) and hold["reason"] == reason else placed(who, since, reason)


def at_the_beginning(hold, record, elsewhere=None):
    """The hold that a run sets when it begins, or None when it stays as it is.

    A checkpoint is what comes before a deployment, so it holds nobody back; it says so where nobody has said anything yet.

    :param elsewhere: a hold that stands under another name of the same resources; then it stands under this one, too.
    """
    reason = "run %s (%s)" % (record["run_id"], record["kind"])
    if standing(hold):
        return None
    if elsewhere:
        return elsewhere
    if record["purpose"] in (ROLLBACK, UNDO):
        return placed(record["who"], record["began"], reason, record["run_id"])
    return free(record["who"], record["began"], reason) if hold is None else None


def at_the_end(hold, record, wrote):
    """The hold when a run has ended, or None when it stays as it is.

    What a run has changed stands until a person lifts the hold, or an undo of a rollback takes it back. An undo of an undo brings the rollback back.

    :param wrote: whether the run has made a writing call.
    """
    own = standing(hold) and hold["run_id"] in (record["run_id"], record["undoes"] or record["run_id"])
    over = not wrote or (record["frees"] and record["outcome"] == COMPLETE)
    return lifted(hold, record["who"], record["ended"]) if own and over else None


def told(hold):
    """A line for people, None without a hold that stands."""
    if not standing(hold):
        return None
    return "%s holds deployments back since %s: %s" % (hold["who"], hold["since"], hold["reason"])
