# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the application reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from spymeo_app.database_url import DatabaseUrl, DatabaseUrlError
from spymeo_app.releases import Release


class SettingError(ValueError):
    """An environment variable is missing or cannot be used. The message names it and never repeats a secret."""


@dataclass(frozen=True)
class Config:
    """The settings of ``serve``."""

    host: str
    port: int
    release: Release
    database: DatabaseUrl
    session_secret: str = field(repr=False)
    payment_api_key: str = field(repr=False)
    payment_key_sha256: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Config:
        """Raises SettingError."""
        release = release_from(environ)
        database = database_from(environ)
        if release.has("cannot-connect"):
            database = replace(database, port=database.port + 1)
        return cls(
            host=environ.get("HOST", "0.0.0.0"),
            port=_port(environ.get("PORT", "8080")),
            release=release,
            database=database,
            session_secret=required(environ, "SESSION_SECRET"),
            payment_api_key=required(environ, "PAYMENT_API_KEY"),
            payment_key_sha256=required(environ, "PAYMENT_KEY_SHA256"),
        )


def release_from(environ: Mapping[str, str]) -> Release:
    """APP_RELEASE with APP_DEFECT. Raises SettingError."""
    try:
        return Release.named(required(environ, "APP_RELEASE"), environ.get("APP_DEFECT", ""))
    except ValueError as error:
        raise SettingError(str(error)) from None


def database_from(environ: Mapping[str, str]) -> DatabaseUrl:
    """DATABASE_URL as it is given, whatever the release. Raises SettingError."""
    try:
        return DatabaseUrl.parse(required(environ, "DATABASE_URL"))
    except DatabaseUrlError as error:
        raise SettingError(f"DATABASE_URL: {error}") from None


def required(environ: Mapping[str, str], name: str) -> str:
    """The value of a variable that must not be empty. Raises SettingError."""
    value = environ.get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} is missing")
    return value


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
        raise SettingError(f"PORT is {value!r}; it must be a number from 1 to 65535")
    return int(value)
