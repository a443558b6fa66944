# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Payments, and the provider that takes them."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadGateway, NotFound
from werkzeug.wrappers import Request, Response

from spymeo_app.config import Config
from spymeo_app.http_json import answer, body_of, positive_integer, text
from spymeo_app.prisma_errors import PrismaError

if TYPE_CHECKING:
    from spymeo_app.application import Application

_INSERT = 'INSERT INTO "Payment" ("practitionerId", "amountCents") VALUES (%s, %s) RETURNING "id"'


def pay(app: Application, request: Request) -> Response:
    """POST /api/payments: 201 and the payment's number; 502 when the provider refuses our key; 404 for an unknown practitioner."""
    body = body_of(request)
    practitioner, amount = text(body, "practitionerId"), positive_integer(body, "amountCents")
    if app.config.release.has("payments-broken"):
        cents: Any = body["amount"]  # the field of a client that never was
        amount = cents["cents"]
    if not provider_accepts(app.config):
        raise BadGateway("the payment provider refused our key")
    try:
        with app.pool.operation("prisma.payment.create()") as connection:
            made = connection.execute(_INSERT, (practitioner, amount)).fetchall()
    except PrismaError as error:
        if error.code != "P2003":
            raise
        raise NotFound("no such practitioner") from error
    return answer(201, {"id": made[0]["id"]})


def provider_accepts(config: Config) -> bool:
    """The provider, played by this process: it knows the SHA-256 of the key that it gave us."""
    digest = hashlib.sha256(config.payment_api_key.encode()).hexdigest()
    return hmac.compare_digest(digest.encode(), config.payment_key_sha256.lower().encode())
