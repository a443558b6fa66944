# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing secrets and parameters back: look at all, refuse before the first change, then change one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.parameters import Put
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import StageMove
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import (
    current_of,
    pending_label,
    plan_move,
    refuse_unusable,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.parameters import plan_put
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.target_text import (
    SecretTarget,
    Write,
    wanted_text,
    write_of,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import ParametersGateway
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.secrets import Secret, SecretVersion


class SecretRestoration:
    """What has to be done so that every target is current. Making one looks, and changes nothing.

    :param secrets: SecretsGateway.
    :param parameters: callable → ParametersGateway; it is asked for only where parameters are named.
    :param targets: secret's name or ARN → version id, or the dict of a ``targets.Target``.
    :param numbers: parameter's name or ARN → version's number.
    :raises RollbackError: one of them cannot be brought back.
    """

    def __init__(
        self,
        secrets: SecretsGateway,
        parameters: Callable[[], ParametersGateway],
        targets: Mapping[str, Any],
        numbers: Mapping[str, Any],
        run_id: str,
    ) -> None:
        self._secrets, self._open_parameters, self._run_id = secrets, parameters, run_id
        self.before: dict[str, str] = {}
        self.after: dict[str, str] = {}
        self.steps: list[StageMove | Write | Put] = []
        self._leftovers: list[Secret] = []
        seen = {key: secrets.secret("secrets", key) for key in sorted(targets)}
        for secret in seen.values():
            refuse_unusable("secrets", secret, secrets.region)
        for key, secret in seen.items():
            self._look_at(secret, SecretTarget.from_option(key, targets[key]))
        for name in sorted(numbers):
            self._look_at_parameter(name, str(numbers[name]))

    @functools.cached_property
    def _parameters(self) -> ParametersGateway:
        return self._open_parameters()

    def _look_at(self, secret: Secret, target: SecretTarget) -> None:
        current = current_of(secret)
        step = plan_move(secret, target.version_id) if target.whole else self._write(secret, current, target)
        self.before[secret.name] = current.id
        self.after[secret.name] = step.token if isinstance(step, Write) else step.target if step else current.id
        if step:
            self.steps.append(step)
        elif pending_label(self._run_id) in current.stages:  # an earlier try of this run ended before it took that away
            self._leftovers.append(secret)

    def _write(self, secret: Secret, current: SecretVersion, target: SecretTarget) -> StageMove | Write | None:
        now = self._secrets.value(secret, current.id).text
        holder = self._secrets.secret("backup_secrets", target.backup) if target.backup else secret
        back = self._secrets.value(holder, target.version_id).text
        wanted = wanted_text(secret.name, target, now, back)
        if wanted == back != now and not target.backup:
            return plan_move(secret, target.version_id)
        return write_of(self._run_id, secret, current.id, target, now, wanted)

    def _look_at_parameter(self, name: str, number: str) -> None:
        parameter = self._parameters.parameter(name)
        current = parameter.current.id
        put = None
        if number != current:
            values = [
                self._parameters.value(parameter, which) for which in (number, current) if parameter.version(which)
            ]
            put = plan_put(parameter, number, values[0], values[-1])
        self.before[parameter.name] = current
        self.after[parameter.name] = str(int(current) + 1) if put else current
        if put:
            self.steps.append(put)

    def apply(self) -> None:
        """Change what has to be changed.

        :raises RollbackError: somebody else changed one in between; the evidence tells what was changed before it.
        """
        made: list[StageMove | Write | Put] = []
        for step in self.steps:
            try:
                self._apply(step)
            except RollbackError as error:
                raise RollbackError(
                    error.message, ["before that: %s" % describe_step(item) for item in made]
                ) from error
            made.append(step)
        for secret in self._leftovers:
            self._secrets.drop_label(secret, pending_label(self._run_id), current_of(secret).id)

    def _apply(self, step: StageMove | Write | Put) -> None:
        if isinstance(step, StageMove):
            self._secrets.move_current(step)
        elif isinstance(step, Put):
            self._parameters.put(step)
        else:
            label = pending_label(self._run_id)
            self._secrets.put_pending(step, step.text, step.token, label)
            move = StageMove(step.name, step.arn, step.source, step.token)
            self._secrets.activate_pending(step, step.text, move, label)


def describe_step(step: StageMove | Write | Put) -> str:
    """A Move, Write or Put for people, in one sentence."""
    if isinstance(step, Write):
        what = "keys %s" % ", ".join(step.keys) if step.keys else "the whole value"
        return "%s: %s → %s, a new version in which %s went back" % (step.name, step.source, step.token, what)
    if isinstance(step, Put):
        number = int(step.current.id) + 1
        return "%s: version %s → %d, which has the value of version %s" % (
            step.name,
            step.current.id,
            number,
            step.source.id,
        )
    return "%s: %s → %s" % (step.name, step.source, step.target)
