# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pages of an answer: the tokens are opaque, and a token that the lab did not give is refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any


class BadToken(ValueError):
    """The token is none of the lab's. Each AWS service has its own error code for that."""


def page(items: Sequence[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """At most `size` of `items` from where `token` points, and the token of the next page (None after the last one).

    :raises BadToken: when the token is none of the lab's.
    """
    start = offset(token)
    end = start + size
    return list(items[start:end]), token_for(end) if end < len(items) else None


def token_for(position: int) -> str:
    """The token that points at `position`."""
    return base64.urlsafe_b64encode(f"lab:{position}".encode()).decode()


def offset(token: str | None) -> int:
    """The position that a token points at; 0 without a token.

    :raises BadToken: when the token is none of the lab's.
    """
    if not token:
        return 0
    try:
        kind, _, position = base64.urlsafe_b64decode(token).decode().partition(":")
        if kind != "lab":
            raise BadToken(token)
        return int(position)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise BadToken(token) from error
