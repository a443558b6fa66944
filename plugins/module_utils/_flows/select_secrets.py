# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at secrets and parameters and chooses for each what comes back. It makes no writing call; what it tells are names, ids and dates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import is_json, url_keys
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import BadInput
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.parameters import bare_name
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import (
    choose_version,
    current_of,
    refuse_unusable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.parameters import (
    choose_version as choose_number,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import (
    Recorded,
    VersionChoice,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.target_text import (
    SecretTarget,
    changed_keys,
    wanted_text,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.times import show_time

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import ParametersGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.select_version import CandidateVersion

LEFT_OUT = "it holds the database URL, which follows the database and never goes back by itself"


@dataclass(frozen=True)
class Wishes:
    """What the operator and the release point say.

    :param before: aware datetime when the bad release began, or None.
    :param versions: name or ARN → version id or number that the operator named.
    :param keys: secret → JSON keys that alone go back.
    :param backups: secret → the secret that holds its backup.
    :param point: the release point, as a dict with ``id``, ``secrets`` (ARN → version id) and ``parameters`` (name → number); or empty.
    :param database: the ARN of the secret that holds the database URL, or None; ``key`` is the URL's key if that is a JSON object.
    """

    before: datetime | None
    versions: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    backups: Mapping[str, str] = field(default_factory=dict)
    point: Mapping[str, Any] = field(default_factory=dict)
    database: str | None = None
    key: str = "DATABASE_URL"

    def recorded(self, kind: str, name: str) -> Recorded | None:
        """The Recorded of a secret (by ARN) or parameter (by name), None where the release point has none."""
        found = self.point.get(kind, {}).get(name)
        return Recorded(str(found), "release point %s" % self.point["id"]) if found else None


def refuse_unlisted(wishes: Wishes, secrets: Collection[str], parameters: Collection[str]) -> None:
    """Stop where something is named for a secret or parameter that is not to come back at all.

    :raises BadInput: the wish would be ignored.
    """
    for option, given, listed in (
        ("secret_versions", wishes.versions, [*secrets, *parameters]),
        ("secret_keys", wishes.keys, secrets),
        ("backup_secrets", wishes.backups, secrets),
    ):
        for name in given:
            if name not in listed:
                where = "rollback_secrets or rollback_parameters" if option == "secret_versions" else "rollback_secrets"
                problem = "it is not in %s, so it would not be looked at" % where
                raise BadInput(option, name, problem, "Write it there as it is written here.")


class SecretChoosing:
    """Chooses for secrets. :param gateway: SecretsGateway."""

    def __init__(self, gateway: SecretsGateway, wishes: Wishes) -> None:
        self._gateway, self._wishes = gateway, wishes

    def choose(self, secret_id: str) -> dict[str, Any]:
        """What would come back for one secret, in JSON types; ``target`` is as ``targets.Target`` takes it, None where it is left out."""
        secret = self._gateway.secret("secrets", secret_id)
        current, ours = current_of(secret), secret.arn == self._wishes.database
        text = self._gateway.value(secret, current.id).text if ours else ""
        if ours and not is_json(text):
            self._refuse_wishes(secret_id)
            return self._result(secret, None, LEFT_OUT, False, ())
        refuse_unusable("secrets", secret, self._gateway.region)
        choice, holder = self._version(secret_id, secret)
        only = tuple(self._wishes.keys.get(secret_id, ()))
        target = SecretTarget(choice.target, only, (), holder.arn if holder is not secret else "")
        if target.whole and not ours:
            return self._result(secret, target, choice.reason, choice.target != current.id, ())
        now = text or self._gateway.value(secret, current.id).text
        back = self._gateway.value(holder, choice.target).text
        if ours:
            target = replace(target, keep=self._kept(secret_id, only, now, back))
        wanted = wanted_text(secret.name, target, now, back)
        return self._result(secret, target, choice.reason, wanted != now, changed_keys(now, wanted))

    def _kept(self, secret_id: str, only: Collection[str], *texts: str) -> tuple[str, ...]:
        """The keys of the database's secret that stay: those that hold a PostgreSQL URL, now or in the version to come.

        :raises BadInput: one of them is to come back.
        """
        kept = tuple(dict.fromkeys(key for text in texts if is_json(text) for key in url_keys(text, self._wishes.key)))
        named = [key for key in only if key in kept]
        if named:
            problem = (
                "rollback_secret_keys names %s, which follows the database and never goes back by itself" % named[0]
            )
            raise BadInput("secrets", secret_id, problem, "Leave that key out.")
        return kept

    def _version(self, secret_id: str, secret: Secret) -> tuple[VersionChoice, Secret]:
        """The VersionChoice for a Secret, and the Secret that has the version."""
        named, backup = self._wishes.versions.get(secret_id), self._wishes.backups.get(secret_id)
        if not backup:
            recorded = self._wishes.recorded("secrets", secret.arn)
            return choose_version(secret, self._wishes.before, named, recorded), secret
        if named:
            problem = "rollback_secret_versions and rollback_backup_secrets both say where it goes back to"
            raise BadInput("secrets", secret_id, problem, "Leave one of them out.")
        holder = self._gateway.secret("backup_secrets", backup)
        if holder.deleted or holder.arn == secret.arn:
            problem = "this is the secret itself" if holder.arn == secret.arn else "it is scheduled for deletion"
            raise BadInput("backup_secrets", backup, problem)
        version = current_of(holder)
        made = show_time(version.created)
        return VersionChoice(
            version.id, "rollback_backup_secrets names %s, whose value is of %s" % (holder.name, made)
        ), holder

    def _refuse_wishes(self, secret_id: str) -> None:
        for option in ("versions", "keys", "backups"):
            if secret_id in getattr(self._wishes, option):
                cure = "Leave it out; to change user or password of the URL, write the secret by hand."
                raise BadInput("secrets", secret_id, LEFT_OUT, cure)

    @staticmethod
    def _result(
        secret: Secret, target: SecretTarget | None, reason: str, changes: bool, keys: Iterable[str]
    ) -> dict[str, Any]:
        return dict(
            name=secret.name,
            arn=secret.arn,
            current=current_of(secret).id,
            chosen=target.version_id if target else None,
            reason=reason,
            changes=changes,
            json_keys=list(keys),
            kept=list(target.keep) if target else [],
            target=target.to_option() if target else None,
            versions=_versions(secret.versions),
        )


class ParameterChoosing:
    """Chooses for parameters. :param gateway: ParametersGateway."""

    def __init__(self, gateway: ParametersGateway, wishes: Wishes) -> None:
        self._gateway, self._wishes = gateway, wishes

    def choose(self, name: str) -> dict[str, Any]:
        """What would come back for one parameter, in JSON types. Two values are compared, and neither is kept."""
        parameter = self._gateway.parameter(name)
        named, recorded = self._wishes.versions.get(name), self._wishes.recorded("parameters", bare_name(name))
        choice = choose_number(parameter, self._wishes.before, str(named) if named else None, recorded)
        current = parameter.current.id
        numbers = sorted({choice.target, current}, key=int)
        values = {self._gateway.value(parameter, number) for number in numbers} if len(numbers) > 1 else ()
        return dict(
            name=parameter.name,
            current=current,
            chosen=choice.target,
            reason=choice.reason,
            changes=len(values) > 1,
            versions=_versions(parameter.versions),
        )


def _versions(versions: Iterable[CandidateVersion]) -> list[dict[str, Any]]:
    return [dict(id=item.id, stages=list(item.stages), created=show_time(item.created)) for item in versions]
