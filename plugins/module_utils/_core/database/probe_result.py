# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe tells of a database, whichever way it asked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from ansible_collections.spymeo.rollback.plugins.module_utils._core.database.probe import differences, unknown
from ansible_collections.spymeo.rollback.plugins.module_utils._core.errors import RollbackError
from ansible_collections.spymeo.rollback.plugins.module_utils._core.words import many

if TYPE_CHECKING:
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
    from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.postgresql import (
        DatabaseContents,
        DatabaseLogin,
    )


def refuse_other_migrations(
    expected: Iterable[str] | None, place: DatabaseLogin, migrations: Iterable[Migration] | None
) -> None:
    """Stop when the database is not at the migrations that the caller expects.

    :param expected: names (list of str), or None where nothing is expected.
    :raises RollbackError: it is at others.
    """
    differing = [] if expected is None else differences(expected, migrations)
    if differing:
        raise RollbackError(
            "The database is not at the expected migrations (%s)." % place.place, differing, dict(connected=True)
        )


def unfit_migrations(
    known: Collection[str] | None, later: Iterable[Migration], migrations: Iterable[Migration] | None
) -> list[str]:
    """The names of the migrations of a database for which a release may not run on it.

    :param known: names that the release knows, or None where no list tells it.
    :param later: the Migrations that came after it, by the times. Those prove no more than when they were started, and most releases add something,
        which the release before does not mind; so those count which have taken something away, by their names.
    :param migrations: all that the database has, or None.
    """
    additive = {item.name for item in migrations or () if item.additive}
    names = [] if known is None else [name for name in unknown(known, migrations) if name not in additive]
    return names + [item.name for item in later if item.takes_away and item.name not in names]


def additive_migrations(
    known: Collection[str] | None, later: Iterable[Migration], migrations: Iterable[Migration] | None
) -> list[dict[str, Any]]:
    """The migrations that a release does not know and can run on with, by their statements: dict(name, beware: under which conditions).

    Arguments as ``unfit_migrations`` takes them.
    """
    names = {item.name for item in later} | set([] if known is None else unknown(known, migrations))
    return [
        dict(name=item.name, beware=list(item.classified.beware))
        for item in migrations or ()
        if item.classified and item.additive and item.name in names
    ]


def judged_migrations(
    known: Collection[str] | None, later: Collection[Migration], migrations: Collection[Migration] | None
) -> dict[str, Any]:
    """What a probe tells of the migrations that a release may not know, in JSON types: those for which it may not run, those that are additive, and the
    others that came later. Arguments as ``unfit_migrations`` takes them."""
    unfit, additive = unfit_migrations(known, later, migrations), additive_migrations(known, later, migrations)
    told = {*unfit, *(item["name"] for item in additive)}
    return dict(
        accepted_migrations=unfit,
        additive_migrations=additive,
        later_migrations=[item.name for item in later if item.name not in told],
    )


def refuse_migrations(
    place: DatabaseLogin, release: str, names: list[str], migrations: Iterable[Migration] | None
) -> NoReturn:
    """Stop because a database has migrations (names) that ``release`` does not know.

    :param migrations: all that it has.
    :raises RollbackError: always.
    """
    described = {item.name: item.described for item in migrations or ()}
    text = (
        "The database %s has migrations that %s does not know: %s. Its code may fail on such a schema, so nothing was changed. "
        "Roll back code and database together (rollback_full.yml), or set rollback_despite_migrations=true if that code can work with it."
    )
    result = dict(connected=True, unknown_migrations=names)
    raise RollbackError(
        text % (place.place, release, ", ".join(described.get(name, name) for name in names)), (), result
    )


def describe_probe(place: DatabaseLogin, seen: DatabaseContents, warmed: Collection[str]) -> str:
    """What was found at a DatabaseLogin, in one sentence."""
    unknown_migrations = seen.unread or "no record of Prisma's (neither _prisma_migrations nor prisma_contract.ledger)"
    migrations = unknown_migrations if seen.migrations is None else "%d migrations" % len(seen.migrations)
    uncounted = [table for table, count in seen.rows if count is None]
    sentence = "%s answers with %d tables in schema %s, %d rows and %s" % (
        place.place,
        len(seen.rows),
        place.schema,
        sum(count or 0 for _table, count in seen.rows),
        migrations,
    )
    if uncounted:
        sentence += "; %s took too long to be counted" % ", ".join(uncounted)
    return sentence + ("; read whole: %s" % ", ".join(warmed) if warmed else "")


def found(place: DatabaseLogin, seen: DatabaseContents, warmed: Iterable[str]) -> dict[str, Any]:
    """The result of a probe (dict), without its sentence."""
    address = dict(host=place.host, port=place.port, database=place.database, user=place.user, schema=place.schema)
    return dict(
        before=address,
        after=address,
        connected=True,
        server_version=seen.server_version,
        migrations_known=seen.migrations is not None,
        migrations=[
            dict(name=item.name, finished=item.finished, rolled_back=item.rolled_back) for item in seen.migrations or ()
        ],
        rows=dict(seen.rows),
        warmed=list(warmed),
    )


def created(rows: Collection[tuple[str, int | None]]) -> str:
    """How many rows were created since a time, in words. ``rows``: (table, count), None where that is not known."""
    some = ["%s of %s" % (many(count, "row"), table) for table, count in rows if count]
    unknown = [table for table, count in rows if count is None]
    if not rows:
        return "no table tells when a row was created"
    verb = "was" if [count for _table, count in rows if count] == [1] else "were"
    told = "%s %s created since then" % (" and ".join(some), verb) if some else "no row was created since then"
    return told + ("; %s took too long to be counted" % ", ".join(unknown) if unknown else "")
