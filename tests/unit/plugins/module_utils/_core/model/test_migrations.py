# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Prisma has recorded, before its release 8 and since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migrations import Migration, record

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
INIT, EIGHT = Migration("1_init", AT), Migration("20261122T0400_add_phone", AT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("table", "ledger", "state", "known", "why"),
    [
        (None, (), "none", None, ""),
        ((INIT,), (), "none", (INIT,), ""),
        (None, (EIGHT,), "read", (EIGHT,), ""),
        (None, (), "read", (), ""),
        ((INIT,), (EIGHT,), "read", (INIT, EIGHT), ""),
        (None, (), "denied", None, "may not be read by this user"),
        ((INIT,), (), "denied", None, "may not be read by this user"),
        ((INIT,), (), "other", None, "other columns"),
    ],
    ids=["none", "before", "since", "since, and empty", "both", "denied", "half is not the whole", "another form"],
)
def test_both_records_are_one_and_half_of_it_is_none(table, ledger, state, known, why):
    migrations, unread = record(table, ledger, state)
    assert migrations == known
    assert why in unread
    assert bool(unread) is bool(why)
