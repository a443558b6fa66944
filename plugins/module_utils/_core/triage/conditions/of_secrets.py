# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What secrets have changed. Pure.

Each condition takes an Evidence and gives the words (dict of str) that a rule's sentence is filled with, or None when it does not
hold. A part that was not measured makes a condition not hold.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions import (
    of_answers,
    of_database,
    of_deployments,
    of_tasks,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.conditions.words import Words, ago, listed

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.triage.evidence import (
        Evidence,
        SecretSeen,
    )


def _secrets_since(evidence: Evidence) -> datetime | None:
    """Since when a secret that changed may be why, None where no service is known: since the release before served, else within a day."""
    fresh, services = of_tasks.fresh_services(evidence), of_tasks.services_in(evidence)
    if fresh:
        times = [service.proven or service.came for service in fresh]
        return min(moment for moment in times if moment)
    back = [service.proven for service in services if service.brought_back and service.proven]
    return min(back, default=evidence.at - of_tasks.FRESH) if services else None


def _changed_secrets(evidence: Evidence) -> list[SecretSeen]:
    """Secrets that changed since then, and that every running task has read: of the others nothing that is seen can come yet."""
    since = _secrets_since(evidence)
    if since is None:
        return []
    read = [secret for secret in evidence.secrets or () if not secret.unread]
    return [secret for secret in read if secret.since > since and not secret.holds_url]


def _changed(evidence: Evidence) -> Words | None:
    found = _changed_secrets(evidence)
    if not found:
        return None
    return dict(names=listed(item.name for item in found), ago=ago(evidence, max(item.since for item in found)))


def secret_changed(evidence: Evidence) -> Words | None:
    """A secret got another value with the release."""
    return _changed(evidence) if of_tasks.fresh_services(evidence) else None


def url_changed(evidence: Evidence) -> Words | None:
    """The secret that holds DATABASE_URL got another value with the release."""
    since = _secrets_since(evidence) if of_tasks.fresh_services(evidence) else None
    found = [item for item in evidence.secrets or () if since and item.since > since and item.holds_url]
    return dict(names=listed(item.name for item in found), ago=ago(evidence, found[0].since)) if found else None


def secret_left(evidence: Evidence) -> Words | None:
    """The code was brought back, the data are harmed, and a secret still has the value that it got with the release."""
    return (
        _changed(evidence)
        if of_deployments.brought_back(evidence) and of_database.data_harmed(evidence) is not None
        else None
    )


def secret_changed_alone(evidence: Evidence) -> Words | None:
    """A secret changed lately, and the release that runs did not, or was brought back already."""
    if of_tasks.fresh_services(evidence) or secret_left(evidence):
        return None
    return _changed(evidence)


def secret_may_be_why(evidence: Evidence) -> Words | None:
    """A secret changed, and what fails is what a wrong secret makes fail."""
    return _changed(evidence) if _fails_by_a_secret(evidence) else None


def _fails_by_a_secret(evidence: Evidence) -> bool:
    refused = of_answers.login_refused(evidence) or of_answers.feature_without_answer(evidence)
    return refused is not None and not of_answers.feature_broken(evidence)


def _unread(evidence: Evidence) -> list[SecretSeen]:
    """Secrets that running tasks may have read another value of. Where DATABASE_URL leads them is told by itself."""
    return [secret for secret in evidence.secrets or () if secret.unread and not secret.holds_url]


def services_to_start_again(evidence: Evidence) -> list[str]:
    """The services of which running tasks may have read another value of a secret than the current one."""
    return list(dict.fromkeys(name for secret in _unread(evidence) for name in secret.unread))


def unread_words(evidence: Evidence) -> Words | None:
    """A secret was changed after running tasks had read it."""
    found = _unread(evidence)
    if not found:
        return None
    return dict(names=listed(item.name for item in found), services=listed(services_to_start_again(evidence)))


def secret_unread(evidence: Evidence) -> Words | None:
    """The same, and what fails is nothing that a wrong secret makes fail."""
    return None if _fails_by_a_secret(evidence) else unread_words(evidence)


def secret_unread_may_be_why(evidence: Evidence) -> Words | None:
    """The same, and what fails is what a wrong secret makes fail."""
    return unread_words(evidence) if _fails_by_a_secret(evidence) else None
