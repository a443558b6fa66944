# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: the value behind a container secret's `valueFrom`, from Secrets Manager or from SSM's Parameter Store (moto's)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.ssm.exceptions import ParameterVersionNotFound
from moto.ssm.models import ssm_backends

from ...errors import StartFailure
from .. import ssm  # noqa: F401 - moto's Parameter Store refuses what AWS refuses from here on

if TYPE_CHECKING:
    from ...lab import Lab


def resolve(lab: Lab, value_from: str) -> str:
    """The value of a secret's ARN in one of its forms, of a parameter's ARN, or of a parameter's name.

    :raises StartFailure: ResourceInitializationError, as ECS words it.
    """
    if value_from.startswith("arn:aws:secretsmanager:"):
        return lab.secretsmanager.resolve(value_from)
    value = _parameter(lab, value_from)
    if value is None:
        raise StartFailure(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
            f"unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: {value_from}"
        )
    return value


def _parameter(lab: Lab, name: str) -> str | None:
    """The value, decrypted; None when there is no such parameter. A name of one level has no slash of its own in its ARN."""
    store, prefix = ssm_backends[lab.account][lab.region], lab.arn("ssm", "parameter/")
    bare = name.removeprefix(prefix)
    for candidate in (bare, "/" + bare) if name.startswith(prefix) else (name,):
        try:
            parameter = store.get_parameter(candidate)
        except ParameterVersionNotFound:
            return None
        if parameter:
            return parameter.decrypt(parameter.value)
    return None
