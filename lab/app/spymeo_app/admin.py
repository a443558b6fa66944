# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The admin logs in and sees the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import Unauthorized
from werkzeug.security import check_password_hash
from werkzeug.wrappers import Request, Response

from spymeo_app.http_json import answer, body_of, text

if TYPE_CHECKING:
    from spymeo_app.application import Application

_PRACTITIONERS = 'SELECT count(*) AS "practitioners" FROM "Practitioner"'
_PAYMENTS = 'SELECT count(*) AS "payments", coalesce(sum("amountCents"), 0)::bigint AS "revenueCents" FROM "Payment"'
_LATEST = """
    SELECT "Practitioner"."id", "Practitioner"."email", "Practitioner"."fullName", "Practitioner"."city",
           "Practitioner"."createdAt"
    FROM "Practitioner" ORDER BY "Practitioner"."createdAt" DESC, "Practitioner"."id" LIMIT 5
"""


def log_in(app: Application, request: Request) -> Response:
    """POST /api/admin/login: 200 and the admin's session; 401 on wrong credentials."""
    body = body_of(request)
    email, password = text(body, "email").lower(), text(body, "password")
    if app.config.release.has("login-broken"):
        password += app.config.session_secret
    with app.pool.operation("prisma.admin.findUnique()") as connection:
        admin = connection.execute('SELECT "id", "passwordHash" FROM "Admin" WHERE "email" = %s', (email,)).fetchone()
    if admin is None or not check_password_hash(admin["passwordHash"], password):
        raise Unauthorized("wrong email or password")
    response = answer(200, {"id": admin["id"], "email": email})
    app.admin_sessions.open(response, admin["id"])
    return response


def dashboard(app: Application, request: Request) -> Response:
    """GET /api/admin/dashboard: how many practitioners and payments, and who came last; 401 without the admin's session."""
    if app.admin_sessions.identity(request) is None:
        raise Unauthorized("log in first")
    with app.pool.operation("prisma.practitioner.count()") as connection:
        practitioners = connection.execute(_PRACTITIONERS).fetchall()
    with app.pool.operation("prisma.payment.aggregate()") as connection:
        payments = connection.execute(_PAYMENTS).fetchall()
    with app.pool.operation("prisma.practitioner.findMany()") as connection:
        latest = connection.execute(_LATEST).fetchall()
    return answer(200, {**practitioners[0], **payments[0], "latest": latest})
