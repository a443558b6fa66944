# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What load balancers and target groups have in common: names, pages, attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ... import paging
from ...wire import ApiError

PAGE_SIZE = 400


def page(key: str, items: list[Any], request: dict[str, Any]) -> dict[str, Any]:
    """One page of an answer: Marker, PageSize, NextMarker.

    :raises ApiError: ValidationError when the marker is none of the lab's.
    """
    try:
        shown, token = paging.page(items, request.get("Marker"), request.get("PageSize", PAGE_SIZE))
    except paging.BadToken as error:
        raise ApiError("ValidationError", "The marker is not valid") from error
    return {key: shown, **({"NextMarker": token} if token else {})}


def named(
    shapes: Iterable[dict[str, Any]], arns: list[str] | None, names: list[str] | None, kind: str
) -> list[dict[str, Any]]:
    """The shapes that `arns` or `names` ask for, in that order; all of them without either. `kind`: LoadBalancer, TargetGroup.

    :raises ApiError: LoadBalancerNotFound, TargetGroupNotFound.
    """
    if arns is None and names is None:
        return list(shapes)
    key, wanted = (f"{kind}Arn", arns) if arns is not None else (f"{kind}Name", names or [])
    by_key = {each[key]: each for each in shapes}
    if not set(wanted) <= set(by_key):
        words = "load balancers" if kind == "LoadBalancer" else "target groups"
        raise ApiError(f"{kind}NotFound", f"One or more {words} not found")
    return [by_key[each] for each in wanted]


def check_name(name: str) -> None:
    """Refuse a name of a load balancer or target group that AWS refuses.

    :raises ApiError: ValidationError.
    """
    if not re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)", name):
        raise ApiError(
            "ValidationError",
            f"The name '{name}' must have 1 to 32 alphanumeric characters or hyphens, and no hyphen at either end",
        )


def wanted_attributes(request: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
    """The attributes that a request changes.

    :raises ApiError: ValidationError for keys that are not among `known`, and for seconds that are no number.
    """
    wanted = {attribute["Key"]: attribute.get("Value", "") for attribute in request["Attributes"]}
    for key, value in wanted.items():
        if key not in known:
            raise ApiError("ValidationError", f"Attribute key '{key}' is not recognized")
        if key.endswith("seconds") and not value.isdecimal():
            raise ApiError("ValidationError", f"The value '{value}' of {key} is not a number")
    return wanted


def pairs(values: dict[str, str]) -> list[dict[str, Any]]:
    """Attributes or tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]
