# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL connection URL, and the secret text it lives in, edited byte for byte: host and port only. Pure.

Source of the form: Prisma's "PostgreSQL connection URL" reference. No message repeats any part but host and port: any other may hold the password.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.json_members import (
    Member,
    keys,
    member,
    members,
)

DEFAULT_PORT = 5432

# Prisma takes the last @ of the authority, which ends at the first / ? or #.
_URL = re.compile(
    r"(?P<scheme>[\x00-\x20]*postgres(?:ql)?://)(?P<userinfo>[^/?#]*@)?(?P<address>[^/?#@]*)(?P<rest>.*)", re.DOTALL
)
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_HOST_IN_QUERY = re.compile(r"[?&](?:host|hostaddr|port)=", re.IGNORECASE)
# What every reader of URLs takes away before it reads one (WHATWG URL, "basic URL parser"), and libpq does not: an editor's or echo's newline.
_AROUND = "".join(chr(code) for code in range(33))
_WITHIN = str.maketrans("", "", "\t\r\n")
_HIDDEN = "It was not changed, and it is not shown here."


@dataclass(frozen=True)
class DatabaseUrl:
    """A URL taken apart. ``host`` is without brackets, ``port`` is the default where the URL has none.

    ``before`` and ``rest`` are what surrounds host and port, as they are written.
    """

    before: str = field(repr=False)
    host: str
    port: int
    port_written: bool
    rest: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Take a URL apart.

        :raises RollbackError: it is no PostgreSQL URL, or which of its characters are the host is not certain.
        """
        url = _URL.fullmatch(text)
        if url is None:
            raise RollbackError("The database URL does not begin with postgresql:// or postgres://. %s" % _HIDDEN)
        address, rest = url["address"], url["rest"]
        if "@" in rest:  # more likely the end of a raw password with a slash in it than a raw @ in an option
            raise RollbackError(
                "The database URL has an @ that is not percent-encoded, so which part is its host is not certain. %s"
                % _HIDDEN
            )
        if "," in address:
            raise RollbackError(
                "The database URL names several hosts; which of them to replace is not certain. %s" % _HIDDEN
            )
        if _HOST_IN_QUERY.search(rest):
            raise RollbackError(
                "The database URL names its host or port in an option after the question mark. %s" % _HIDDEN
            )
        found = _ADDRESS.fullmatch(address)
        if found is None or not 0 < int(found["port"] or DEFAULT_PORT) < 65536:
            raise RollbackError("The database URL has no host and port that can be read. %s" % _HIDDEN)
        before = url["scheme"] + (url["userinfo"] or "")
        return cls(before, found["host"].strip("[]"), int(found["port"] or DEFAULT_PORT), bool(found["port"]), rest)

    def at(self, host: str | None, port: int | None) -> DatabaseUrl:
        """The same URL at another address. A part that is None stays; a default port that was not written stays unwritten.

        :param host: DNS name, IPv4 or IPv6 address (without brackets), or None.
        :param port: int, or None.
        :raises RollbackError: that is no host or no port.
        """
        host, port = host or self.host, port or self.port
        if not (_NAME.fullmatch(host) or _IPV6.fullmatch(host) or host == self.host):
            raise RollbackError("The option host is '%s', which is neither a DNS name nor an IP address." % host)
        if not 0 < port < 65536:
            raise RollbackError("The option port is %d; a port is a number from 1 to 65535." % port)
        return DatabaseUrl(self.before, host, port, self.port_written or port != self.port, self.rest)

    @property
    def text(self) -> str:
        """The whole URL, a secret."""
        host = "[%s]" % self.host if ":" in self.host else self.host
        return self.before + host + (":%d" % self.port if self.port_written else "") + self.rest

    @property
    def user(self) -> str:
        """The user, decoded; empty when the URL names none."""
        return unquote(self._userinfo.partition(":")[0])

    @property
    def password(self) -> str:
        """The password, decoded, a secret; empty when the URL has none."""
        return unquote(self._userinfo.partition(":")[2])

    def masked(self, text: str) -> str:
        """A text of somebody else's without the password, decoded or as it is written here."""
        for secret in {self._userinfo.partition(":")[2], self.password} - {""}:
            text = text.replace(secret, "********")
        return text

    @property
    def _userinfo(self) -> str:
        return self.before.partition("://")[2][:-1]

    @property
    def database(self) -> str:
        """The database, decoded."""
        return unquote(re.split(r"[?#]", _as_read(self.rest), maxsplit=1)[0][1:])

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The options after the question mark, decoded, in their order."""
        query = _as_read(self.rest).partition("?")[2].partition("#")[0]
        return tuple(parse_qsl(query, keep_blank_values=True))


def comparable(host: str) -> str:
    """A host as DNS compares names: without case, and without the dot that ends an absolute one."""
    return host.lower().rstrip(".")


def _as_read(rest: str) -> str:
    """The end of a URL as the application reads it."""
    return rest.rstrip(_AROUND).translate(_WITHIN)


def read_url(text: str, key: str) -> str:
    """The URL in the text of a secret: the value of ``key`` if the text is a JSON object, else the text itself.

    :raises RollbackError: there is no such key, or its value is no text.
    """
    if not is_json(text):  # whatever is no JSON object is a plain URL
        return text
    found = _member(text, key)
    if not isinstance(found.value, str):
        raise RollbackError("The key %s of the database secret is not text. %s" % (key, _HIDDEN))
    return found.value


def _member(text: str, key: str) -> Member:
    found = member(text, key)
    if found is None:
        raise RollbackError(
            "The database secret is a JSON object without the key %s; its keys are: %s."
            % (key, ", ".join(sorted(keys(text))))
        )
    return found


def is_json(text: str) -> bool:
    """Whether the text of a secret is a JSON object, so that a key of it is asked for."""
    return members(text) is not None


def replace_url(text: str, key: str, url: str) -> str:
    """The text of a secret with another URL in the same place; every other byte stays."""
    if not is_json(text):
        return url
    found = _member(text, key)
    return text[: found.start] + json.dumps(url, ensure_ascii=False) + text[found.end :]


def url_keys(text: str, key: str) -> list[str]:
    """The keys of a JSON object that hold a PostgreSQL URL; ``key``, which has to, is one of them. They follow the database."""
    held = [item.key for item in members(text) or () if isinstance(item.value, str) and _URL.fullmatch(item.value)]
    return list(dict.fromkeys([key, *held]))
