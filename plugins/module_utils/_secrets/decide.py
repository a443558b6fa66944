# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of a secret comes back, and how it gets there. Pure: no AWS, no clock, no Ansible."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from ansible_collections.spymeo.rollback.plugins.module_utils._errors import BadInput, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._iso_time import show_time
from ansible_collections.spymeo.rollback.plugins.module_utils._secrets.state import CURRENT, PENDING

_TOKENS = uuid.UUID("5a1f6c1e-6a0c-5d0e-9c55-0f6a7f1f2b11")  # any fixed namespace will do


@dataclass(frozen=True)
class Choice:
    """The version that comes back; ``target`` is None where the secret is left out on purpose."""

    target: str | None
    reason: str


@dataclass(frozen=True)
class Move:
    """AWSCURRENT of a secret goes from one version id to another."""

    name: str
    arn: str
    source: str
    target: str


def current_of(secret):
    """The Version that applications read.

    :raises RollbackError: there is none.
    """
    version = secret.staged(CURRENT)
    if version is None:
        raise RollbackError(
            "Secret %s has no version labelled AWSCURRENT, so no application can read it. Give it a value first."
            % secret.name
        )
    return version


def refuse_unusable(option, secret, region):
    """Stop before a secret that cannot be written.

    :param region: the region of the client: a replica is read-only (botocore ReplicateSecretToRegions).
    :raises BadInput: it is being deleted, or its primary is in another region.
    :raises RollbackError: a rotation is under way, or the secret has no current version.
    """
    if secret.deleted:
        raise BadInput(
            option,
            secret.name,
            "this secret is scheduled for deletion since %s" % show_time(secret.deleted),
            "Restore it with RestoreSecret.",
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


def choose_version(secret, before):
    """The newest version created before the bad release began.

    It may be the current one: then nothing is to be done. AWSPREVIOUS is not asked, because it swaps with every move.

    :param before: aware datetime, or None when no bad release is known.
    :raises BadInput: no version is that old, or two share the same moment.
    """
    current = current_of(secret)
    if before is None:
        return Choice(current.id, "no bad release is known, so the current version stays")
    older = [version for version in secret.versions if version.created < before]
    if not older:
        raise BadInput(
            "secrets", secret.name, "no version of it was created before %s" % show_time(before), candidates(secret)
        )
    if len(older) > 1 and older[1].created == older[0].created:
        raise BadInput(
            "secrets", secret.name, "two versions were created at %s" % show_time(older[0].created), candidates(secret)
        )
    if older[0] == current:
        return Choice(current.id, "the current version is older than the bad release")
    return Choice(older[0].id, "it is the newest version created before %s" % show_time(before))


def candidates(secret):
    """A sentence that lists the versions a person may choose from."""
    listed = [
        "%s (%s, %s)" % (item.id, ", ".join(item.stages) or "no label", show_time(item.created))
        for item in secret.versions
    ]
    return "Its versions are: %s." % "; ".join(listed)


def plan_move(secret, target):
    """The Move that brings ``target`` back, or None when it is current already.

    :raises RollbackError: the secret has no such version; AWS may have pruned it.
    """
    if secret.version(target) is None:
        raise RollbackError("Secret %s has no version %s. %s" % (secret.name, target, candidates(secret)))
    current = current_of(secret)
    return None if current.id == target else Move(secret.name, secret.arn, current.id, target)


def write_token(run_id, arn, host, port):
    """The ClientRequestToken of the write of a run. It becomes the version's id, so a second try of the same run is no second version."""
    return str(uuid.uuid5(_TOKENS, "\n".join((run_id, arn, host, str(port)))))


def pending_label(run_id):
    """The staging label of a version that a run has written and that nothing reads yet. It keeps the version from being pruned."""
    return "spymeo-rollback-pending-%s" % run_id
