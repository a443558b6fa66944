# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Practitioners sign up, log in, and may remove themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest, Conflict, Forbidden, Unauthorized
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Request, Response

from spymeo_app.http_json import answer, body_of, text
from spymeo_app.identifiers import cuid
from spymeo_app.prisma_errors import PrismaError

if TYPE_CHECKING:
    from spymeo_app.application import Application

_INSERT = """
    INSERT INTO "Practitioner" ("id", "email", "fullName", "city", "passwordHash") VALUES (%s, %s, %s, %s, %s)
"""


def sign_up(app: Application, request: Request) -> Response:
    """POST /api/practitioners: 201 and the session of the new practitioner; 409 when the email is taken."""
    body = body_of(request)
    email = text(body, "email").lower()
    if "@" not in email[1:-1]:
        raise BadRequest("email must be an email address")
    full_name, city = text(body, "fullName"), text(body, "city")
    password_hash = generate_password_hash(text(body, "password", at_least=8))
    identity = cuid()
    try:
        with app.pool.operation("prisma.practitioner.create()") as connection:
            connection.execute(_INSERT, (identity, email, full_name, city, password_hash))
    except PrismaError as error:
        if error.code != "P2002":
            raise
        raise Conflict("a practitioner with this email exists") from error
    response = answer(201, {"id": identity, "email": email})
    app.practitioner_sessions.open(response, identity)
    return response


def log_in(app: Application, request: Request) -> Response:
    """POST /api/practitioners/login: 200 and the practitioner's session; 401 on wrong credentials."""
    body = body_of(request)
    email, password = text(body, "email").lower(), text(body, "password")
    query = 'SELECT "id", "passwordHash" FROM "Practitioner" WHERE "email" = %s'
    with app.pool.operation("prisma.practitioner.findUnique()") as connection:
        found = connection.execute(query, (email,)).fetchone()
    if found is None or not check_password_hash(found["passwordHash"], password):
        raise Unauthorized("wrong email or password")
    response = answer(200, {"id": found["id"], "email": email})
    app.practitioner_sessions.open(response, found["id"])
    return response


def remove(app: Application, request: Request, identity: str) -> Response:
    """DELETE /api/practitioners/<id>: 204, for the practitioner who is signed in and nobody else."""
    signed_in = app.practitioner_sessions.identity(request)
    if signed_in is None:
        raise Unauthorized("sign in first")
    if signed_in != identity:
        raise Forbidden("practitioners may remove only themselves")
    with app.pool.operation("prisma.practitioner.deleteMany()") as connection:
        connection.execute('DELETE FROM "Practitioner" WHERE "id" = %s', (identity,))
    response = answer(204)
    app.practitioner_sessions.close(response)
    return response
