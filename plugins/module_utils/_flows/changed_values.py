# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When what the tasks of a task definition read at their start was changed last: secrets and parameters. Reads no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._aws.preflight import if_allowed
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.secretsmanager import SecretsGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._aws.ssm import ParametersGateway
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.preflight import NotRead
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.next_step import current_of

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.task_definition import TaskDefinition


class ValueChanges:
    """:param clients: callable: the name of a service → its boto3 client. Called from several threads."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    def __call__(self, definition: TaskDefinition) -> datetime | None:
        """The newest change (aware datetime), None where the TaskDefinition names neither a secret nor a parameter.

        Parameters that may not be read, or are in another region, are left out: preflight has told that they are not checked.

        :raises BadInput: a secret does not exist; a task that names it could not start.
        """
        secrets = SecretsGateway(self._clients("secretsmanager")).newest_change(definition.secret_arns)
        names, parameters = definition.parameters, None
        if names:
            client = self._clients("ssm")
            here = [
                name for name in names if not name.startswith("arn:") or name.split(":")[3] == client.meta.region_name
            ]
            parameters = if_allowed("ssm:GetParameters", ParametersGateway(client).newest_change, here)
        found = [moment for moment in (secrets, parameters) if moment and not isinstance(moment, NotRead)]
        return max(found, default=None)

    def superseded(self, pinned: Iterable[tuple[str, str]], coming: Mapping[str, str] | None = None) -> bool:
        """Whether one of these versions, (ARN of the secret, version id), is not the current one any more.

        :param coming: name or ARN of a secret → id of the version that will be current by then.
        """
        gateway, expected = SecretsGateway(self._clients("secretsmanager")), coming or {}
        for secret, version_id in pinned:
            found = gateway.secret("secrets", secret)
            after = next((expected[name] for name in expected if name in found.names), None)
            if (after or current_of(found).id) != version_id:
                return True
        return False
