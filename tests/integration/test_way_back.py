# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A checkpoint reads what the coming release migrates; triage, plan and the code rollback then know it by its statements."""

from __future__ import annotations

import json
import shutil

import pytest

from .conftest import ROOT, bring_up, one_line, take_down

MIGRATIONS = ROOT / "lab/app/migrations"
ADDS, RENAMES = "20250310140000_add_practitioner_phone", "20250310140000_rename_full_name_to_display_name"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A function: the folder of migrations of a release that brings one more than production has."""

    def made(name, new_name=""):
        target = tmp_path_factory.mktemp("prisma") / "migrations"
        others = {ADDS, RENAMES} - {name}
        shutil.copytree(MIGRATIONS, target, ignore=shutil.ignore_patterns(*others))
        if new_name:
            (target / name).rename(target / new_name)
        return str(target)

    return made


@pytest.fixture(scope="module")
def production():
    production = bring_up()
    yield production
    take_down(production)


def test_a_deployment_without_a_fast_way_back_is_stopped_before_anything_is_made(production, folder):
    where = ("-e", f"rollback_migrations={folder(RENAMES)}", "-e", "rollback_require=code")
    stopped = production.play("checkpoint", *where)
    assert (stopped.code, stopped.written) == (2, []), stopped.output
    told = one_line(stopped.output)
    assert f"column fullName of Practitioner is renamed to displayName ({RENAMES})" in told
    assert "rollback_signed=NAME: WHY" in told
    signed = production.play("checkpoint", "--check", *where, "-e", json.dumps({"rollback_signed": "ada: at night"}))
    assert signed.code == 0, signed.output
    assert "SIGNED    ada: at night" in signed.output
    assert "WAY BACK  code and data, from snapshot" in signed.output
    for wrong in ("prisma/migrations", "/nowhere"):
        refused = production.play("checkpoint", "-e", f"rollback_migrations={wrong}")
        assert (refused.code, refused.written) == (2, []), refused.output
        assert "rollback_migrations" in refused.output


def test_what_only_adds_lets_the_code_come_back_by_itself(production, folder):
    made = production.play("checkpoint", "-e", f"rollback_migrations={folder(ADDS)}", "-e", "rollback_require=code")
    assert made.code == 0, made.output
    assert f"WAY BACK  the code alone, which loses nothing: what it migrates is additive ({ADDS})" in made.output
    production.accident("crash-loop")
    seen = production.play("triage")
    assert "rollback_despite_migrations" not in seen.output, seen.output
    assert f"The release before can run with {ADDS}, which only adds" in one_line(seen.output)
    done = production.play("rollback_code")
    assert done.code == 0, done.output
    note = f"NOTE      migrations: the database has {ADDS}, which came after this release; its statements were read"
    assert note in done.output


def test_what_was_applied_otherwise_than_it_was_read_is_not_believed(folder):
    """The migration that was read under this name added a column; what is deployed under it renames one."""
    production = bring_up()
    try:
        made = production.play("checkpoint", "-e", f"rollback_migrations={folder(ADDS, RENAMES)}")
        assert f"what it migrates is additive ({RENAMES})" in made.output
        production.accident("bad-migration")
        refused = production.play("rollback_code", "--check")
        assert (refused.code, refused.written) == (2, []), refused.output
        assert f"migrations that the release to come back does not know: {RENAMES}." in one_line(refused.output)
    finally:
        take_down(production)


def test_what_takes_away_is_named_with_its_column(folder):
    production = bring_up()
    try:
        production.play("checkpoint", "-e", f"rollback_migrations={folder(RENAMES)}")
        production.accident("bad-migration")
        column = f"{RENAMES} (column fullName of Practitioner is renamed to displayName, and more)"
        refused = production.play("rollback_code", "--check")
        assert (refused.code, refused.written) == (2, []), refused.output
        assert column in one_line(refused.output)
        seen = production.play("triage")
        assert column in one_line(seen.output)
    finally:
        take_down(production)
