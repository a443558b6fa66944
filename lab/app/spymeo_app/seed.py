# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``seed``: the first rows, always the same, and the fingerprint that tells whether they are whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from werkzeug.security import generate_password_hash

from spymeo_app import logs
from spymeo_app.config import database_from, required
from spymeo_app.database import connect
from spymeo_app.identifiers import compose, cuid

ADMIN_EMAIL = "admin@spymeo.fr"
# Prisma's DateTime columns have no time zone and mean UTC.
_FIRST_SIGN_UP = datetime(2024, 1, 1, 8, 0, tzinfo=UTC)
_SEEDED_BEFORE = datetime(2025, 1, 1, tzinfo=UTC)  # real sign-ups come later
_BETWEEN_SIGN_UPS = timedelta(minutes=90)
# One practitioner in three has paid, and each of them once.
_PAYS_EVERY = 3
# Nobody logs in as a seeded practitioner: no password has this hash.
_NO_PASSWORD = "!"
_FIRST_NAMES = ("Camille", "Louis", "Inès", "Hugo", "Zoé", "Nathan", "Chloé", "Léo", "Manon", "Élise", "Théo")
_SURNAMES = ("Martin", "Bernard", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre", "Fournier", "Girard", "Mercier")
_CITIES = ("Paris", "Lyon", "Marseille", "Toulouse", "Nice", "Nantes", "Lille")

_Row = tuple[object, ...]


def seed(connection: psycopg.Connection[Any], practitioners: int = 3000, *, admin_password: str | None = None) -> None:
    """Write the admin, the practitioners and their payments into the empty tables, in one transaction.

    Without ``admin_password`` the environment's ADMIN_PASSWORD is taken. At most 5,800 practitioners fit before the
    day from which sign-ups count as real. Raises SettingError without a password, ValueError for too many
    practitioners, psycopg.errors.UniqueViolation when the rows are there already.
    """
    password_hash = generate_password_hash(admin_password or required(os.environ, "ADMIN_PASSWORD"))
    people = [practitioner(number) for number in range(practitioners)]
    last = people[-1][-1] if people else None
    if isinstance(last, datetime) and last >= _SEEDED_BEFORE:
        raise ValueError(f"{practitioners} practitioners are too many: their sign-ups would end after {_SEEDED_BEFORE}")
    payments = [payment(number) for number in range(0, practitioners, _PAYS_EVERY)]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO "Admin" ("id", "email", "passwordHash") VALUES (%s, %s, %s)',
            (cuid(), ADMIN_EMAIL, password_hash),
        )
        _copy(cursor, '"Practitioner" ("id", "email", "fullName", "city", "passwordHash", "createdAt")', people)
        _copy(cursor, '"Payment" ("practitionerId", "amountCents", "createdAt")', payments)


def practitioner(number: int) -> _Row:
    """The row of one seeded practitioner: id, email, fullName, city, passwordHash, createdAt."""
    first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    surname = _SURNAMES[number // len(_FIRST_NAMES) % len(_SURNAMES)]
    return (
        _identity(number),
        f"practitioner{number:04d}@example.com",
        f"{first} {surname}",
        _CITIES[number % len(_CITIES)],
        _NO_PASSWORD,
        _signed_up(number),
    )


def payment(number: int) -> _Row:
    """The row of this practitioner's payment: practitionerId, amountCents, createdAt. Its id comes from the table's sequence."""
    paid = _signed_up(number) + timedelta(minutes=5)
    return (_identity(number), 2900 + number % 5 * 1000, paid)


def fingerprint(connection: psycopg.Connection[Any]) -> str:
    """The SHA-256 of the practitioners who signed up before the application went live.

    It changes when one of their rows is changed, missing or added, or when a column is renamed or dropped; it does
    not change for new sign-ups, nor for a new column that is still empty.
    """
    query = """
        SELECT encode(sha256(convert_to(coalesce(string_agg(
            jsonb_strip_nulls(to_jsonb("Practitioner"))::text, E'\\n' ORDER BY "id" COLLATE "C"), ''), 'UTF8')), 'hex')
        FROM "Practitioner" WHERE "createdAt" < %s AT TIME ZONE 'UTC'
    """
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        (digest,) = cursor.execute(query, (_SEEDED_BEFORE,)).fetchall()[0]
        return str(digest)


def seed_command(environ: Mapping[str, str]) -> int:
    """Seed the database of DATABASE_URL. Returns the exit status. Raises SettingError."""
    password = required(environ, "ADMIN_PASSWORD")
    with connect(database_from(environ)) as connection:
        seed(connection, admin_password=password)
        logs.event("info", "seeded", fingerprint=fingerprint(connection))
    return 0


def _copy(cursor: psycopg.Cursor[Any], columns: str, rows: list[_Row]) -> None:
    with cursor.copy(f"COPY {columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _signed_up(number: int) -> datetime:
    return _FIRST_SIGN_UP + number * _BETWEEN_SIGN_UPS


def _identity(number: int) -> str:
    return compose(int(_signed_up(number).timestamp()) * 1000, number)
