# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run works on, whoever calls it what: two inventories, or two hosts of one, may name the same service.

The store has one index, ``claims``: of each resource (an ARN) the places that have ever worked on it, and which one was the last.
It is changed by compare-and-swap only, after the own lock was taken. So of two that want the same resource at the same moment
one comes second, and finds the lock of the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import (
    LockFree,
    LockRefused,
    sealed,
    standing,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.store import (
    ABSENT,
    Conflict,
    as_json,
    from_json,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.way_on import Play

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.run import Lock
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.lock import Standing
    from ansible_collections.spymeo.rollback.plugins.module_utils._flows.run_repository import RunRepository

KEY = "claims"
_TRIES = 20  # many applications may begin at once, and share the index


def arn_of_service(service: str, cluster: str) -> str:
    """The ARN of a service, and of its namesakes of the time before ECS put the cluster's name into it."""
    head, _slash, name = service.rpartition("/")
    return service if head.endswith("/" + cluster) else "%s/%s/%s" % (head.partition("/")[0], cluster, name)


def others(claims: Mapping[str, Any], resources: Iterable[str], place: str) -> list[str]:
    """The places (list of str, in order) that have worked on any of ``resources``, but for ``place``."""
    return sorted({other for arn in resources for other in claims.get(arn, {}).get("places", [])} - {place})


def holders(claims: Mapping[str, Any], resources: Iterable[str], place: str) -> list[str]:
    """Of those, the ones that were the last to do so."""
    return sorted({claims[arn]["holder"] for arn in resources if arn in claims} - {place})


def claimed(claims: Mapping[str, Any], resources: Iterable[str], place: str) -> dict[str, Any]:
    """The index (dict ARN → dict(holder, places)) once ``place`` has claimed ``resources``."""
    ours = {
        arn: dict(holder=place, places=sorted({*claims.get(arn, {}).get("places", []), place})) for arn in resources
    }
    return {**claims, **ours}


def claim(memory: RunRepository, run: Mapping[str, Any], now: float) -> list[str]:
    """Claim what a run works on. Its lock is taken already. Gives the other places that have worked on it (list of str).

    :param run: dict(resources: ARNs, purpose, abandon, …).
    :param now: seconds since 1970.
    :raises RollbackError: somebody else works on one of these resources, or was not finished with it.
    """
    if not run["resources"]:
        raise RollbackError("Nothing says what this run works on, so nobody could be kept out. Nothing was changed.")
    for _try in range(_TRIES):
        index, etag = _index(memory)
        try:
            for place in holders(index, run["resources"], memory.place):
                _free(memory.beside(place), run, now)
            memory.store.put(KEY, as_json(claimed(index, run["resources"], memory.place)), etag)
        except Conflict:
            continue
        return others(index, run["resources"], memory.place)
    raise RollbackError(
        "Many runs begin at this moment, and %s in the store %s changes faster than it can be read. Run the same command again."
        % (KEY, memory.store)
    )


def namesakes(memory: RunRepository) -> list[str]:
    """The other places (list of str) that work on something that this one works on."""
    index, _etag = _index(memory)
    return others(index, [arn for arn, claims in index.items() if memory.place in claims["places"]], memory.place)


def in_use(memory: RunRepository, run: Mapping[str, Any], now: float) -> LockRefused | None:
    """What ``claim`` would refuse a run for that has not begun, None where it would not. Nothing is written.

    :param run: as ``claim`` takes it.
    """
    index, _etag = _index(memory)
    for place in holders(index, run["resources"], memory.place):
        found = memory.beside(place).lock()
        if found:
            answer = _standing(found[0], run, now)
            if isinstance(answer, LockRefused):
                return replace(answer, message=_IN_USE % (place, answer.message), why=_IN_USE % (place, answer.why))
    return None


_IN_USE = "The same services or the same DB instance have another name in the store, %s, and are in use there. %s"


def _standing(lock: Lock, run: Mapping[str, Any], now: float) -> Standing:
    """What a run may do beside the Lock of another place. What it takes back is a run of its own place."""
    play = Play(
        abandon=run["abandon"], purpose=run["purpose"], command=run.get("command", ""), undoes=run.get("undoes", "")
    )
    return standing(lock, play, now)


def _free(other: RunRepository, run: Mapping[str, Any], now: float) -> None:
    """Make sure that nobody works at another place, and that nobody there can go on.

    :raises Conflict: its lock has changed meanwhile.
    :raises RollbackError: somebody does.
    """
    found = other.lock()
    if found is None:
        return
    lock, etag = found
    answer = _standing(lock, run, now)
    if isinstance(answer, LockRefused):
        raise RollbackError(
            _IN_USE % (other.place, answer.message),
            result=dict(ways=[dict(words=words, command=command) for words, command in answer.ways]),
        )
    if not isinstance(answer, LockFree):
        raise RollbackError(
            "Run %s, which is to be given up and is called %s in the store, looks alive: its lease has not ended. Wait %d s, then run again."
            % (lock.run_id, other.place, answer.seconds + 1)
        )
    if lock.expires is not None:
        other.put_lock(sealed(lock), etag)


def _index(memory: RunRepository) -> tuple[dict[str, Any], str]:
    found = memory.store.get(KEY)
    return ({}, ABSENT) if found is None else (from_json(memory.store, KEY, found[0]), found[1])
