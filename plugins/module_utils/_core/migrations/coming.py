# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which migrations come with the release that is about to be deployed, and what a release point keeps of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.classify import (
    GivenMigration,
    classify,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    UNKNOWN,
    WORST,
    ClassifiedMigration,
    Effect,
)

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration


def coming_of(given: Sequence[GivenMigration], known: Collection[str] | None) -> list[ClassifiedMigration]:
    """The migrations that come, by what each does to code that knows the others.

    :param given: all migrations of the release that is about to be deployed, in their order.
    :param known: the names of those that the database has. None: nobody knows, so each of them may come, onto tables of which nothing is known.
    """
    there = known or ()
    return classify([item for item in given if item.name in there], [item for item in given if item.name not in there])


def worst_of(migrations: Iterable[ClassifiedMigration]) -> str:
    """The worst kind of several; empty without any."""
    kinds = {migration.kind for migration in migrations}
    return next((kind for kind in WORST if kind in kinds), "")


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


def read_kept(told: Iterable[Mapping[str, Any]]) -> list[ClassifiedMigration]:
    """The ClassifiedMigrations of what ``kept_of`` gave. What another version has written and this one cannot read is not known, never additive."""
    return [
        ClassifiedMigration(str(item.get("name", "")), tuple(_effects(item)), tuple(item.get("checksums") or ()))
        for item in told
    ]


def _effects(item: Mapping[str, Any]) -> Iterable[Effect]:
    names = {field.name for field in fields(Effect)}
    for told in item.get("effects", ()):
        right = isinstance(told, Mapping) and {"kind", "words"} <= set(told) and told["kind"] in WORST
        yield Effect(**{key: told[key] for key in told if key in names}) if right else Effect(UNKNOWN, "cannot be read")


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
    for item in (item for record in records for item in read_kept(record.get("coming") or ())):
        for checksum in item.checksums:
            there = found.get(checksum)
            if there is None or WORST.index(item.kind) < WORST.index(there.kind):
                found[checksum] = item
    return tuple(replace(item, classified=found.get(item.checksum)) for item in migrations)
