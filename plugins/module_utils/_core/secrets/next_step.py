# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of a secret comes back, and how it gets there. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import (
    CURRENT,
    PENDING,
    PINNED_LABEL,
    PREVIOUS,
    Secret,
    SecretVersion,
    StageMove,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import (
    VersionHistory,
    candidates,
    select_version,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import (
        Recorded,
        VersionChoice,
    )

PENDING_LABEL = "spymeo-rollback-pending-"
_TOKENS = uuid.UUID("5a1f6c1e-6a0c-5d0e-9c55-0f6a7f1f2b11")  # any fixed namespace will do


def current_of(secret: Secret) -> SecretVersion:
    """The SecretVersion that applications read.

    :raises RollbackError: there is none.
    """
    version = secret.staged(CURRENT)
    if version is None:
        raise RollbackError(
            "Secret %s has no version labelled AWSCURRENT, so no application can read it. Give it a value first."
            % secret.name
        )
    return version


def refuse_unusable(option: str, secret: Secret, region: str) -> None:
    """Stop before a secret that cannot be written.

    :param region: the region of the client: a replica is read-only (botocore ReplicateSecretToRegions).
    :raises BadInput: it is being deleted, or its primary is in another region.
    :raises RollbackError: a rotation is under way, or the secret has no current version.
    """
    if secret.deleted:
        raise BadInput(
            option,
            secret.name,
            "this secret is scheduled for deletion on %s" % show_time(secret.deleted),
            "Until then it can be brought back: aws secretsmanager restore-secret --secret-id %s." % secret.name,
        )
    if secret.primary_region and secret.primary_region != region:
        raise BadInput(
            option,
            secret.name,
            "this is a replica, which is read-only; its primary is in %s" % secret.primary_region,
            "Run there.",
        )
    pending, current = secret.staged(PENDING), current_of(secret)
    if pending and pending != current:
        raise RollbackError(
            "A rotation of secret %s is under way (AWSPENDING is on %s, AWSCURRENT on %s). Wait for its end, or cancel it with CancelRotateSecret and "
            "remove AWSPENDING, then run again." % (secret.name, pending.id, current.id)
        )


def choose_version(
    secret: Secret, before: datetime | None, named: str | None = None, recorded: Recorded | None = None
) -> VersionChoice:
    """The VersionChoice of the version of a Secret that comes back.

    A version that bears nothing but the label of a write that has not come to its end was never current, and is none to go back to.

    :param before: aware datetime when the bad release began, None when none is known.
    :param named: the version id that the operator named, or None.
    :param recorded: the Recorded of a release point, or None.
    :raises BadInput: the choice is not certain; the message lists the versions.
    """
    served = [item for item in secret.versions if was_current(item)]
    past = VersionHistory(
        "secrets", secret.name, current_of(secret), tuple(served), secret.staged(PREVIOUS), secret.versions
    )
    return select_version(past, before, named, recorded)


def was_current(version: SecretVersion) -> bool:
    """Whether a SecretVersion may ever have been current: not one that bears nothing but the label of a write that has not come to its end."""
    return not version.stages or any(not _never_current(text) for text in version.stages)


def may_be_unread(secret: Secret, started: datetime) -> bool:
    """Whether a task that reads what is current may have read another version than the one that is current now.

    AWS does not tell when a label was moved. A version that is younger than the task is unread. One that became current again after the task had
    started is known by a younger one that was current in between, and there when the task started.

    :param secret: Secret with its versions.
    :param started: when the task was made (aware datetime).
    """
    current = current_of(secret)
    if started >= secret.changed:
        return False
    since = [item for item in secret.versions if item.created > current.created and was_current(item)]
    return current.created > started or any(item.created <= started for item in since)


def _never_current(stage: str) -> bool:
    return stage == PENDING or stage.startswith(PENDING_LABEL)


def plan_move(secret: Secret, target: str) -> StageMove | None:
    """The StageMove that brings ``target`` back, or None when it is current already.

    :raises RollbackError: the secret has no such version; AWS may have pruned it.
    """
    if secret.version(target) is None:
        listed = candidates(secret.versions)
        raise RollbackError("Secret %s has no version %s; AWS may have pruned it. %s" % (secret.name, target, listed))
    current = current_of(secret)
    return None if current.id == target else StageMove(secret.name, secret.arn, current.id, target)


def write_token(run_id: str, arn: str, host: str, port: int) -> str:
    """The ClientRequestToken of the write of a run. It becomes the version's id, so a second try of the same run is no second version."""
    return str(uuid.uuid5(_TOKENS, "\n".join((run_id, arn, host, str(port)))))


def is_pin_of_ours(stage: str) -> bool:
    """Whether a staging label is one of those that a run puts on a version that task definitions of its own pin."""
    return stage == PINNED_LABEL or stage.startswith(PENDING_LABEL)


def pending_label(run_id: str) -> str:
    """The staging label of a version that a run has written and that nothing reads yet. It keeps the version from being pruned."""
    return PENDING_LABEL + run_id
