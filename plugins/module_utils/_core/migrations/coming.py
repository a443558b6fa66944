# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which migrations come with the release that is about to be deployed, and what a release point keeps of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.foreign import foreign
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.classify import (
    GivenMigration,
    classify,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    UNKNOWN,
    WORST,
    ClassifiedMigration,
    Effect,
    worst_kind,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration


def coming_of(given: Sequence[GivenMigration], known: Collection[str] | None) -> list[ClassifiedMigration]:
    """The migrations that come, by what each does to code that knows the others.

    :param given: all migrations of the release that is about to be deployed, in their order.
    :param known: the names of those that the database has. None: nobody knows, so each may be the first that comes, and only what it makes itself is new.
    """
    if known is None:
        return [found for place in range(len(given)) for found in classify(given[:place], given[place : place + 1])]
    return classify([item for item in given if item.name in known], [item for item in given if item.name not in known])


def kept_of(migrations: Iterable[ClassifiedMigration]) -> list[dict[str, Any]]:
    """What a release point keeps of them, in JSON types."""
    return [
        dict(
            name=item.name,
            kind=item.kind,
            checksums=list(item.checksums),
            effects=[asdict(effect) for effect in item.effects],
        )
        for item in migrations
    ]


def read_kept(told: Any) -> list[ClassifiedMigration]:
    """The ClassifiedMigrations of what ``kept_of`` gave. What another version has written and this one cannot read is not known, never additive."""
    items = told if isinstance(told, list) else []
    return [_kept(item) for item in items if isinstance(item, Mapping)]


def _kept(item: Mapping[str, Any]) -> ClassifiedMigration:
    told, checksums = item.get("effects"), item.get("checksums")
    effects = [_effect(one) for one in told] if isinstance(told, list) else []
    kind = next((known for known in WORST if known == item.get("kind")), UNKNOWN)
    kinds = [one.kind for one in effects]
    if worst_kind([kind, *kinds]) != worst_kind(kinds):
        effects.append(Effect(kind, "what it does was not written down"))
    texts = checksums if isinstance(checksums, list) else []
    return ClassifiedMigration(
        foreign(str(item.get("name", ""))), tuple(effects), tuple(one for one in texts if isinstance(one, str) and one)
    )


def _effect(told: Any) -> Effect:
    names = [field.name for field in fields(Effect)]
    given = {key: told[key] for key in names if key in told} if isinstance(told, Mapping) else {}
    right = all(isinstance(value, str) for value in given.values()) and given.get("kind") in WORST and "words" in given
    return Effect(**given).shown if right else Effect(UNKNOWN, "cannot be read")


def classes_of(
    migrations: Iterable[Migration] | None, records: Iterable[Mapping[str, Any]]
) -> tuple[Migration, ...] | None:
    """Migrations of a database, each with what a release point has kept of it, where it was applied as it was read then, by its checksum.

    :param migrations: Migrations, or None where they are not known.
    :param records: of release points. Of a migration that several have seen coming, the worst counts.
    """
    if migrations is None:
        return None
    found: dict[str, ClassifiedMigration] = {}
    for item in (item for record in records if isinstance(record, Mapping) for item in read_kept(record.get("coming"))):
        for checksum in item.checksums:
            there = found.get(checksum)
            if there is None or WORST.index(item.kind) < WORST.index(there.kind):
                found[checksum] = item
    return tuple(replace(item, classified=found.get(item.checksum)) for item in migrations)
