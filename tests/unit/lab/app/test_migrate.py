# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which migrations ``prisma migrate deploy`` applies."""

from __future__ import annotations

import pytest

from spymeo_app.migrate import Applied, MigrateError, pending


def row(name, *, finished=True, rolled_back=False, logs=""):
    return Applied(name, "2025-03-10 14:00:00", finished, rolled_back, logs)


@pytest.mark.parametrize(
    ("names", "applied", "expected"),
    [
        (["1_a", "2_b"], [], ["1_a", "2_b"]),
        (["2_b", "1_a"], [], ["1_a", "2_b"]),
        (["1_a", "2_b"], [row("1_a")], ["2_b"]),
        (["1_a"], [row("1_a"), row("2_b")], []),
        (["1_a", "3_c"], [row("1_a"), row("2_b")], ["3_c"]),
        (["1_a"], [row("1_a", finished=False, rolled_back=True)], ["1_a"]),
        (["1_a"], [row("1_a", finished=False, rolled_back=True), row("1_a")], []),
    ],
)
def test_applies_what_the_release_knows_and_the_database_lacks_in_order(names, applied, expected):
    assert pending(names, applied) == expected


def test_refuses_to_go_on_after_a_failed_migration():
    with pytest.raises(MigrateError) as refused:
        pending(["1_a", "2_b"], [row("1_a", finished=False, logs="ERROR: no")])
    told = str(refused.value)
    assert told.startswith("P3009\n\nmigrate found failed migrations in the target database")
    assert "The `1_a` migration started at 2025-03-10 14:00:00 UTC failed with the following logs:\nERROR: no" in told


def test_refuses_even_when_nothing_is_left_to_apply():
    with pytest.raises(MigrateError, match="P3009"):
        pending(["1_a"], [row("1_a"), row("2_b", finished=False)])
