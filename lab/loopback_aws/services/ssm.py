# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SSM's Parameter Store is moto's; here is what AWS refuses and moto takes."""

from __future__ import annotations

import inspect
from typing import Any

from moto.ssm.exceptions import SSMException, ValidationException
from moto.ssm.models import SimpleSystemManagerBackend

SIZES = {"Standard": 4096, "Advanced": 8192}  # bytes of a value
TYPE = (
    "The parameter type cannot be changed: Parameter Store doesn't support changing a parameter type in a hierarchy. "
    "You must create a new, unique parameter."
)
_put = SimpleSystemManagerBackend.put_parameter


def put_parameter(backend: SimpleSystemManagerBackend, *arguments: Any, **named: Any) -> Any:
    """PutParameter of moto, after AWS's own checks.

    :raises SSMException: HierarchyTypeMismatchException for another type, ValidationException for a value that is too long or a
        tier that goes down.
    """
    asked = inspect.signature(_put).bind(backend, *arguments, **named).arguments
    versions = backend._parameters.get(asked["name"], [])
    newest = versions[-1] if versions else None
    if newest and asked["overwrite"] and asked["parameter_type"] not in (None, newest.parameter_type):
        raise SSMException("HierarchyTypeMismatchException", TYPE)
    if newest and newest.tier == "Advanced" and asked["tier"] == "Standard":
        raise ValidationException("You can't downgrade this parameter from the advanced to the standard tier.")
    size = SIZES["Advanced" if "Advanced" in (asked["tier"], newest and newest.tier) else "Standard"]
    if len(asked["value"].encode()) > size:
        raise ValidationException(f"The value is longer than {size} bytes, which is what the parameter's tier allows.")
    return _put(backend, *arguments, **named)


setattr(SimpleSystemManagerBackend, "put_parameter", put_parameter)  # noqa: B010 - mypy takes no assignment to a method
