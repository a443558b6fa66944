# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which migrations an undo takes for later than what it brings back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.moment import later_migrations

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
