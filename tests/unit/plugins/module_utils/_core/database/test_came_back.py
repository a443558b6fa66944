# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which migrations an undo takes for later than what it brings back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.moment import later_migrations, taken_away

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def came_back(ran=(), served=((NOON - 48 * HOUR, NOON),)):
    """It served first two days ago, and the very task definition ran in the times of ``ran``."""
    spans = [[since.isoformat(), until.isoformat()] for since, until in served]
    return [dict(name="app", target="app:1", served=spans, since="", ran=[moment.isoformat() for moment in ran])]


@pytest.mark.parametrize(
    ("started", "ran", "later"),
    [
        (NOON - 72 * HOUR, (), False),
        (NOON - 10 * HOUR, (), True),
        (NOON - 10 * HOUR, (NOON - 12 * HOUR, NOON), False),  # it ran on it, or has brought it itself at its start
        (
            NOON - 10 * HOUR,
            (NOON - 9 * HOUR, NOON),
            True,
        ),  # it was deployed by hand onto what another release had migrated
        (NOON + HOUR, (NOON - 12 * HOUR, NOON), True),  # since it was left
    ],
)
def test_what_was_started_while_it_ran_is_no_later_release_s(started, ran, later):
    migration = Migration("20260101000000_drop_name", finished=True, rolled_back=False, started=started)
    found = later_migrations(came_back(ran), (migration,), NOON + 2 * HOUR)
    assert bool(found) == later


DROPS, ADDS = "20260101000000_drop_name", "20260101000000_add_name"
TWICE = ((NOON - 48 * HOUR, NOON - 12 * HOUR), (NOON - 9 * HOUR, None))  # back after another release


@pytest.mark.parametrize(
    ("name", "started", "spans", "stays", "refuses"),
    [
        (DROPS, NOON - 10 * HOUR, TWICE, True, True),  # the other release has brought it
        (ADDS, NOON - 10 * HOUR, TWICE, True, False),
        (DROPS, NOON - 10 * HOUR, TWICE, False, False),  # of what runs, nobody has told when it served
        (DROPS, NOON - 8 * HOUR, TWICE, True, False),  # while it ran
        (DROPS, NOON - 72 * HOUR, TWICE, True, False),
        (DROPS, NOON - 10 * HOUR, (), True, False),  # AWS has no record of it
    ],
)
def test_for_what_an_undo_of_code_that_stays_is_refused_is_known_before(name, started, spans, stays, refuses):
    """An undo that brings it together again with the database of now asks with the times in which it ran, and so does the plan."""
    told = [[since.isoformat(), until.isoformat() if until else ""] for since, until in spans]
    service = dict(name="app", target="app:1", served=told, since="", stays=stays)
    migration = Migration(name, finished=True, rolled_back=False, started=started)
    assert taken_away([service], (migration,), NOON) == [name] * refuses
    if stays and spans:
        undone = dict(service, ran=[spans[-1][0].isoformat(), NOON.isoformat()])
        later = later_migrations([undone], (migration,), NOON + HOUR)
        assert [item.name for item in later if item.takes_away] == [name] * refuses
    assert taken_away([service], None, NOON) == []
