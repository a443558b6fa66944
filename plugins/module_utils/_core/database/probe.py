# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a database URL is followed, what a failure is called, and whether a schema is the one expected. Pure."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import DatabaseRefused, RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import DatabaseLogin

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.url import DatabaseUrl
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration

# What libpq and Prisma's engine call TLS alike. The engine takes every other sslmode for "prefer" (quaint, "Unsupported SSL mode"), and
# node-postgres has "no-verify"; what verify-ca and verify-full need is a certificate file that only the application's image has.
_SSL_MODES = ("disable", "allow", "prefer", "require")
# Options that mean the same to Prisma and to libpq. The others are Prisma's own (schema, connection_limit, pool_timeout, pgbouncer,
# statement_cache_size, socket_timeout), or name a certificate file that only the application's image has (sslcert, sslidentity).
_LIBPQ_OPTIONS = ("application_name", "channel_binding", "options", "sslmode")

_CODE_OF_SQLSTATE = {
    "28P01": "P1000",
    "28000": "P1010",
    "3D000": "P1003",
    "42501": "P1010",
    "53300": "P2037",
    "57014": "P1008",
    "57P03": "P1001",
}
# libpq gives no SQLSTATE for a connection that it could not open. pg_hba comes before SSL, because its message tells the encryption, too.
_CODE_OF_MESSAGE = (
    (re.compile(r"password authentication failed|no password supplied"), "P1000"),
    (re.compile(r'database ".*" does not exist'), "P1003"),
    (re.compile(r"no pg_hba\.conf entry|permission denied|not permitted to log in"), "P1010"),
    (re.compile(r"too many (?:clients|connections)|remaining connection slots"), "P2037"),
    (re.compile(r"\bSSL\b|certificate"), "P1011"),
    (re.compile(r"invalid \w+ value"), "P1013"),
    (re.compile(r"server closed the connection unexpectedly"), "P1017"),
)
MEANING = {
    "P1000": "the server does not accept the user and password of the URL. A restored instance has the password of the day of its snapshot",
    "P1001": "the server cannot be reached. Check its security groups, and the way from this machine to it",
    "P1003": "there is no such database on the server",
    "P1008": "the server took longer than the time limit",
    "P1010": "the server does not allow this user here",
    "P1011": "no TLS connection could be opened",
    "P1013": "an option of the URL is not valid",
    "P1017": "the server closed the connection",
    "P2037": "the server has no connection left",
}


def target_of(url: DatabaseUrl) -> DatabaseLogin:
    """The DatabaseLogin of a DatabaseUrl, with what Prisma alone understands taken out of its options.

    :raises RollbackError: the URL names no user or no database.
    """
    if not (url.user and url.database):
        raise RollbackError(
            "The database URL names no user or no database, so nobody can log in with it (Prisma calls that P1013)."
        )
    options = dict(url.options)
    if options.get("sslmode"):
        options["sslmode"] = options["sslmode"] if options["sslmode"] in _SSL_MODES else "prefer"
    return DatabaseLogin(
        host=url.host,
        port=url.port,
        user=url.user,
        database=url.database,
        schema=options.get("schema") or "public",  # Prisma's default
        options=tuple((name, options[name]) for name in _LIBPQ_OPTIONS if options.get(name)),
        password=url.password,
    )


def diagnose(target: DatabaseLogin, refused: DatabaseRefused) -> RollbackError:
    """The RollbackError for what PostgreSQL or libpq said, with the Prisma code that people look for. The password is masked."""
    sqlstate, message = refused.sqlstate, refused.message

    def hide(text: str) -> str:
        return text.replace(target.password, "********") if target.password else text

    said = " ".join(hide(foreign(hide(message))).split())  # before and after: a control character in it may hide it
    code = _CODE_OF_SQLSTATE.get(sqlstate or "") or next(
        (code for pattern, code in _CODE_OF_MESSAGE if pattern.search(message)), None
    )
    if code is None and sqlstate is None:
        code = "P1001"
    named = "%s: %s" % (code, MEANING[code]) if code else "SQLSTATE %s" % sqlstate
    result = dict(
        connected=False,
        code=code or sqlstate,
        host=target.host,
        port=target.port,
        database=target.database,
        user=target.user,
    )
    return RollbackError(
        "The database cannot be used (%s). %s." % (target.place, named),
        ["the server or the driver said: %s" % said],
        result,
    )


@contextlib.contextmanager
def diagnosing(target: DatabaseLogin) -> Iterator[None]:
    """Inside, what PostgreSQL or libpq refuses (DatabaseRefused) is raised as ``diagnose`` calls it, without its cause, which may hold the password."""
    try:
        yield
    except DatabaseRefused as refused:
        raise diagnose(target, refused) from None


def unknown(known: Collection[str], migrations: Iterable[Migration] | None) -> list[str]:
    """The names of the migrations that a database has, be they finished or not, and that are not ``known`` (list of str).

    :param migrations: tuple of Migration, None where the database has no such table.
    """
    return [item.name for item in migrations or () if not item.rolled_back and item.name not in known]


def differences(expected: Iterable[str], migrations: Iterable[Migration] | None) -> list[str]:
    """How the migrations of a database (tuple of Migration, or None) differ from the names ``expected``, one sentence each."""
    if migrations is None:
        return [
            "Prisma's record (_prisma_migrations; of Prisma 8, prisma_contract.ledger) is not there, or could not be read"
        ]
    applied = [migration.name for migration in migrations if migration.applied]
    found = [
        "%s failed half-way (Prisma calls that P3009)" % migration.name for migration in migrations if migration.failed
    ]
    found += ["%s is not applied" % name for name in expected if name not in applied]
    return found + ["%s is applied and was not expected" % name for name in applied if name not in expected]
