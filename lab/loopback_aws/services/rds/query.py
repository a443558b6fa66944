# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS's Describe calls have in common: pages, filters, tags; and how it refuses what the lab does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ... import paging
from ...wire import ApiError
from .settings import conflict, invalid

PAGE = (20, 100)  # the limits of MaxRecords


def answer(member: str, items: list[Any], request: dict[str, Any]) -> dict[str, Any]:
    """One page of `items` as the answer's `member`, and the Marker of the next one.

    :raises ApiError: MaxRecords out of its limits, or a Marker that was never given.
    """
    size = request.get("MaxRecords", PAGE[1])
    if not PAGE[0] <= size <= PAGE[1]:
        raise invalid(f"Invalid value {size} for MaxRecords. Must be between {PAGE[0]} and {PAGE[1]}")
    try:
        shown, marker = paging.page(items, request.get("Marker"), size)
    except paging.BadToken as error:
        raise invalid("The request token is invalid.") from error
    return {member: shown, **({"Marker": marker} if marker else {})}


def filtered(items: Iterable[Any], request: dict[str, Any], fields: dict[str, Callable[..., Any]]) -> list[Any]:
    """The items that every filter of the request lets through; `fields` gives a filter's values for an item.

    :raises ApiError: a filter of another name.
    """
    kept = list(items)
    for condition in request.get("Filters", []):
        if condition["Name"] not in fields:
            raise invalid(f"Unrecognized filter name: {condition['Name']}")
        values = fields[condition["Name"]]
        kept = [item for item in kept if set(values(item)) & set(condition["Values"])]
    return kept


def refuse_unknown(request: dict[str, Any], known: Iterable[str], operation: str) -> None:
    """Refuse a parameter that the lab would otherwise ignore in silence.

    :raises ApiError: InvalidParameterCombination, naming the parameters.
    """
    unknown = sorted(set(request) - set(known))
    if unknown:
        raise conflict(f"The lab's {operation} does not have {', '.join(unknown)}.")


def tags_from(request: dict[str, Any]) -> dict[str, str]:
    """The request's tags as a dictionary.

    :raises ApiError: a key in AWS's own name space.
    """
    tags = {tag["Key"]: tag.get("Value", "") for tag in request.get("Tags", [])}
    if any(key.lower().startswith(("aws:", "rds:")) for key in tags):
        raise invalid("Tag keys must not start with the reserved prefix aws: or rds:.")
    return tags


def tag_list(tags: dict[str, str]) -> list[dict[str, Any]]:
    """Tags in AWS's form."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def not_found(kind: str, code: str, name: str) -> ApiError:
    """`DBInstance xyz not found.` under the error code of its kind."""
    return ApiError(code, f"{kind} {name} not found.")
