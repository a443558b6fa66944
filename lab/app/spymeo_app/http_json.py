# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""JSON in, JSON out."""

from __future__ import annotations

import json
from datetime import datetime

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request, Response


def answer(status: int, body: object = None) -> Response:
    """A response with this JSON body, or with none. Times are UTC, as Prisma's DateTime is."""
    if body is None:
        return Response(status=status)
    return Response(json.dumps(body, default=_iso), status=status, mimetype="application/json")


def body_of(request: Request) -> dict[str, object]:
    """The JSON object that the client sent. Raises BadRequest."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def text(body: dict[str, object], name: str, *, at_least: int = 1) -> str:
    """A field that must be a printable text of 1 (or ``at_least``) to 200 characters. Raises BadRequest."""
    value = body.get(name)
    if not isinstance(value, str) or not at_least <= len(value.strip()) <= 200 or not value.isprintable():
        raise BadRequest(f"{name} must be a printable text of {at_least} to 200 characters")
    return value


def positive_integer(body: dict[str, object], name: str) -> int:
    """A field that must be a whole number that fits PostgreSQL's integer and is above 0. Raises BadRequest."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise BadRequest(f"{name} must be a whole number above 0")
    return value


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    raise TypeError(f"{type(value).__name__} has no form in JSON")
