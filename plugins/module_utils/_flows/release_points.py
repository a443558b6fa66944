# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Release points in the store: what a checkpoint before a deployment has recorded.

Each has a key of its own, ``points/<id>``, and is never written again. The newest ones are also together under ``points/newest``, so that a
rollback reads them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    Conflict,
    StoreError,
    as_json,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

KEPT = 30  # together under one key
_TRIES = 5  # to add one while others add theirs
LABEL = "spymeo-release-"  # before the id: the staging label of secret versions that a release point has recorded


def label_of(point_id: str) -> str:
    """The staging label of the secret versions of a release point. A version that bears a label is never pruned."""
    return LABEL + point_id


def known(memory: RunRepository) -> list[dict[str, Any]]:
    """The newest release points (list of dict), newest first.

    :raises StoreError: the store cannot be read.
    """
    return _index(memory)[0]


def remembered(memory: RunRepository, point_id: str) -> dict[str, Any] | None:
    """The record of a release point, None when there is none."""
    found = memory.read("points", point_id)
    return found and found[0]


def with_point(points: Iterable[dict[str, Any]], record: dict[str, Any]) -> list[dict[str, Any]]:
    """The points that are together under one key, newest first, with one more; the oldest ones go, and stay under their own keys."""
    others = [item for item in points if item["id"] != record["id"]]
    return sorted([record, *others], key=lambda item: (item["created"], item["id"]), reverse=True)[:KEPT]


def remember(memory: RunRepository, record: dict[str, Any]) -> dict[str, Any]:
    """Write a release point. A second time with the same id, the one that is there stays.

    :raises RollbackError: too many others write theirs at the same time.
    """
    key = memory.key("points", record["id"])
    try:
        memory.store.put(key, as_json(record), ABSENT)
    except Conflict:
        record = remembered(memory, record["id"]) or record
    for _try in range(_TRIES):
        points, etag = _index(memory)
        try:
            memory.store.put(memory.key("points", "newest"), as_json(dict(points=with_point(points, record))), etag)
            return record
        except Conflict:
            continue
    text = "Others write release points to %s at the same time, again and again. This one is there as %s, and is not listed; run the same again."
    raise RollbackError(text % (memory.store, key))


def _index(memory: RunRepository) -> tuple[list[dict[str, Any]], str]:
    found = memory.read("points", "newest")
    if found is None:
        return [], ABSENT
    if not isinstance(found[0].get("points"), list):
        text = (
            "%s in the store %s has no list of points: somebody edited it. Move it away, and run checkpoint.yml again."
        )
        raise StoreError(text % (memory.key("points", "newest"), memory.store))
    return found[0]["points"], found[1]
