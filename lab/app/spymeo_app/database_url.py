# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DATABASE_URL as Prisma reads it, told to libpq."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

# Prisma's name of a connection option -> libpq's. Prisma's sslcert is the certificate of the authority.
_LIBPQ_NAMES = {
    "application_name": "application_name",
    "connect_timeout": "connect_timeout",
    "sslcert": "sslrootcert",
    "sslmode": "sslmode",
}
# Prisma's defaults. Timeouts are in seconds.
_CONNECT_TIMEOUT = "5"
_CONNECTION_LIMIT = "5"
_POOL_TIMEOUT = "10"


class DatabaseUrlError(ValueError):
    """DATABASE_URL cannot be used. The message never repeats any part of it, because any part may hold the password."""


@dataclass(frozen=True)
class DatabaseUrl:
    """One database, the account to use it with, and the size of the pool."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    schema: str
    connection_limit: int
    pool_timeout: float  # seconds
    libpq_options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, url: str) -> DatabaseUrl:
        """Read ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=public&connection_limit=5``.

        The parts are percent-encoded. Options that neither Prisma's pool nor libpq knows are left out.
        Raises DatabaseUrlError.
        """
        parts, port = _split(url)
        options = dict(parse_qsl(parts.query))
        libpq = {"connect_timeout": _CONNECT_TIMEOUT}
        libpq.update((_LIBPQ_NAMES[name], value) for name, value in options.items() if name in _LIBPQ_NAMES)
        return cls(
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            host=unquote(parts.hostname or ""),
            port=port,
            database=unquote(parts.path[1:]),
            schema=options.get("schema", "public"),
            connection_limit=_number(options, "connection_limit", _CONNECTION_LIMIT),
            pool_timeout=_number(options, "pool_timeout", _POOL_TIMEOUT),
            libpq_options=tuple(sorted(libpq.items())),
        )

    @property
    def server(self) -> str:
        """HOST:PORT, as messages name the server."""
        return f"{self.host}:{self.port}"

    def connect_arguments(self) -> dict[str, str | int]:
        """The keyword arguments of psycopg.connect()."""
        return {
            **dict(self.libpq_options),
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            "options": f"-c search_path={_option_value(self.schema)}",
        }


def _split(url: str) -> tuple[SplitResult, int]:
    # urllib repeats what it could not read in its messages; with an unencoded password that is the password.
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise DatabaseUrlError("the port or the host is malformed; percent-encode the user and the password") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise DatabaseUrlError("the URL must start with the protocol `postgresql://` or `postgres://`")
    if not (parts.username and parts.hostname and parts.path[1:]):
        raise DatabaseUrlError("the URL must name a user, a host and a database")
    return parts, port


def _number(options: dict[str, str], name: str, default: str) -> int:
    value = options.get(name, default)
    if not value.isascii() or not value.isdigit() or (name == "connection_limit" and int(value) == 0):
        raise DatabaseUrlError(f"{name} must be a whole number")
    return int(value)


def _option_value(schema: str) -> str:
    """A quoted identifier as the server reads it out of libpq's ``options``, where spaces and backslashes need a backslash."""
    quoted = '"' + schema.replace('"', '""') + '"'
    return quoted.replace("\\", "\\\\").replace(" ", "\\ ")
