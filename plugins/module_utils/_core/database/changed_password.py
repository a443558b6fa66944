# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the password of DATABASE_URL is the one that the data have. Pure: passwords are compared here and kept nowhere.

A restored instance has the passwords of the day of its snapshot (RDS user guide, "Restoring to a DB instance").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.finding import Finding
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import (
    FAILED,
    NOTED,
    PASSED,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret, SecretVersion


def version_at(secret: Secret, at: datetime) -> SecretVersion | None:
    """The SecretVersion of a Secret that was current at a time, as far as its versions tell: the newest one that is not younger; None when all are."""
    return next((version for version in secret.versions if version.created <= at), None)


def password_finding(
    now: DatabaseUrl, then: DatabaseUrl | None, description: Mapping[str, Any], despite: bool
) -> tuple[Finding, bool]:
    """(Finding, whether the restored instance is to be given the password of now).

    :param now: the DatabaseUrl that applications read.
    :param then: the DatabaseUrl of the time of the data, None where no version tells it.
    :param description: the instance (shape DBInstance) that is replaced.
    :param despite: whether the operator says that the password is right.
    """
    subject = "user %s" % now.user
    if then is None:
        what = "the secret was changed after the time of the data, and no older version tells the password of then"
        return Finding("password", subject, NOTED, what), False
    if (then.user, then.password) == (now.user, now.password):
        return Finding("password", subject, PASSED, "it has not changed since the time of the data"), False
    what = "the secret got another password after the time of the data, and the restored instance has the one of then"
    if now.user == description["MasterUsername"] and "MasterUserSecret" not in description:
        return Finding(
            "password", subject, NOTED, "%s; as it is the master user, the instance is given the one of now" % what
        ), True
    cure = (
        "Only somebody who logs in can change it: roll back to a time after the change, or bring the secret's version of then back first. "
        "Where it is right all the same: -e rollback_despite_moment=true."
    )
    return Finding("password", subject, NOTED if despite else FAILED, what, "" if despite else cure), False
