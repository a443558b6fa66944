# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module around the rules: what is asked for, and what is signed for."""

from __future__ import annotations

import pytest


@pytest.fixture
def look(run_module, tmp_path):
    """Run the module on one coming migration after one that is known."""

    def run(text, **options):
        for name, content in (("1_init", 'CREATE TABLE "User" ("id" INT, "name" TEXT)'), ("2_it", text)):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "migration.sql").write_text(content)
        # It takes no AWS options, so no region either.
        return run_module("migrations_info", region=None, migrations=str(tmp_path), **{"known": ["1_init"], **options})

    return run


DROPS = 'ALTER TABLE "User" DROP COLUMN "name"'


def test_what_comes_is_told_with_its_way_back(look):
    result = look('ALTER TABLE "User" ADD COLUMN "phone" TEXT', required_way_back="code")
    assert (result["changed"], [item["name"] for item in result["coming"]]) == (False, ["2_it"])
    assert result["way_back"] == {
        "way": "code",
        "why": "what it migrates is additive (2_it)",
        "beware": [],
        "locks": [],
    }
    assert result["reason"] == "its code alone can come back: what it migrates is additive (2_it)"


def test_a_slower_way_back_than_is_required_fails_unless_somebody_signs(look):
    refused = look(DROPS, required_way_back="code")
    assert refused["failed"]
    assert "rollback_require (code) asks for" in refused["msg"]
    assert "column name of User is dropped (2_it)" in refused["msg"]
    signed = look(DROPS, required_way_back="code", signed="ada: nobody reads it any more")
    assert (signed["way_back"]["way"], signed["signed"]) == ("snapshot", "ada: nobody reads it any more")
    assert look(DROPS)["way_back"]["way"] == "snapshot"


def test_without_the_names_that_the_database_has_all_of_them_come(look):
    result = look(DROPS, known=None)
    assert [item["name"] for item in result["coming"]] == ["1_init", "2_it"]


def test_a_folder_that_is_not_there_is_refused(run_module):
    result = run_module("migrations_info", region=None, migrations="/nowhere/migrations")
    assert result["failed"]
    assert "there is no such directory or file" in result["msg"]
