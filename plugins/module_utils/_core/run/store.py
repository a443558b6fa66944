# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory of runs: small texts under keys, changed by compare-and-swap. What every store promises; no store is here.

A store has three methods:

- ``get(key)``: ``(text, etag)``, or None where there is nothing. An etag tells one content of a key from another.
- ``put(key, text, expect)``: writes if ``expect`` holds (ABSENT: there is nothing; an etag: there is that; ANY), and gives the new etag.
  Either all of the text is there afterwards, or nothing has changed. Raises Conflict where ``expect`` does not hold.
- ``list(prefix)``: the keys that begin with ``prefix``, in order. A prefix ends with a slash, or is empty.

All three raise StoreError where the store itself is the trouble. Nothing is ever deleted.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any, Protocol

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError

ABSENT, ANY = "absent", "any"  # neither is an etag: those have at least 32 characters

# The store, what could not be done (read, written), and why. Whether AWS was changed, a store cannot know.
UNUSABLE = "The store %s cannot be %s: %s. Fix that; a run that has begun goes on with this store only."

_KEY = re.compile(r"[A-Za-z0-9_%~-][A-Za-z0-9._%~-]*(/[A-Za-z0-9_%~-][A-Za-z0-9._%~-]*)*\Z")


Keys = list[str]  # a store's own method has the name ``list``


class Store(Protocol):
    """What is said above."""

    def absent(self) -> str | None:
        """Why there is nothing in it, where that can be told; else None."""

    def get(self, key: str) -> tuple[str, str] | None: ...

    def put(self, key: str, text: str, expect: str) -> str: ...

    def list(self, prefix: str) -> Keys: ...


class StoreError(RollbackError):
    """The store cannot be used; nothing was written to it."""


class Conflict(Exception):
    """What ``put`` expected is not what is there: somebody else was quicker."""

    def __init__(self, key: str) -> None:
        super().__init__("somebody else has changed %s" % key)
        self.key = key


def key_of(*parts: str) -> str:
    """A key of names that may hold any character, such as an environment's and an application's."""
    return "/".join(_part(name) for name in parts)


def _part(name: str) -> str:
    quoted = urllib.parse.quote(name, safe="") or "-"
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted


def checked(key: str) -> str:
    """``key``, if it can be one in every store.

    :raises ValueError: a mistake in this collection, since names go through ``key_of``.
    """
    if not _KEY.match(key):
        raise ValueError("%r is not a key" % key)
    return key


def as_json(value: Mapping[str, Any]) -> str:
    """A value as the text that is stored: small, and the same for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def from_json(store: Store, key: str, text: str) -> dict[str, Any]:
    """The dict that ``as_json`` wrote.

    :raises StoreError: it was cut, or edited by hand.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StoreError(
            "%s in the store %s is not what this collection wrote: it was cut or edited. "
            "Look at it; if nothing in it is needed, move it away and run again." % (key, store)
        )
    return value
