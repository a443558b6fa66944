# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each release ships."""

from __future__ import annotations

import pytest

from spymeo_app.migrate import MIGRATIONS
from spymeo_app.releases import DEFECTS, Release

BAD = "20250310140000_rename_full_name_to_display_name"
HARMLESS = "20250310140000_add_practitioner_phone"


@pytest.mark.parametrize("defect", ["", *DEFECTS])
def test_release_2_brings_one_migration_and_only_two_defects_make_it_the_bad_one(defect):
    first, second = Release.named("1.0.0").migrations, Release.named("2.0.0", defect).migrations
    assert second[:-1] == first
    assert second[-1] == (BAD if defect in ("bad-migration", "full") else HARMLESS)


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_migration_of_every_release_is_a_folder_in_the_order_of_its_time(defect):
    names = Release.named("2.0.0", defect).migrations
    assert list(names) == sorted(names)
    assert [name for name in names if not (MIGRATIONS / name / "migration.sql").is_file()] == []


def test_no_migration_folder_is_left_out_of_every_release():
    shipped = {name for defect in ("", "full") for name in Release.named("2.0.0", defect).migrations}
    assert {entry.name for entry in MIGRATIONS.iterdir() if entry.is_dir()} == shipped


def test_full_is_the_crash_loop_with_the_bad_migration():
    assert Release.named("2.0.0", "full").defects == {"crash-loop", "bad-migration"}


@pytest.mark.parametrize(
    ("version", "defect", "reason"),
    [
        ("3.0.0", "", "APP_RELEASE is '3.0.0'"),
        ("2.0.0", "cosmic-rays", "APP_DEFECT is 'cosmic-rays'; the defects are crash-loop, "),
        ("1.0.0", "slow", "release 1.0.0 has no defects"),
    ],
)
def test_refuses_a_release_or_a_defect_that_does_not_exist(version, defect, reason):
    with pytest.raises(ValueError, match=reason):
        Release.named(version, defect)
