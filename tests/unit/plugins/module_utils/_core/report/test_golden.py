# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people read, line by line: golden/KIND/STORY.json are values that the roles have published in a play of that story on the lab, cut to what the
report takes; STORY.txt is what is made of them. STORY is the test of tests/integration that was played."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import KINDS, make_report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.line import lines_read
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.outcome import outcome_report
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.outcome import RunOutcome

from spymeo_world import world

GOLDEN = Path(__file__).parent / "golden"
STORIES = sorted(path.relative_to(GOLDEN).with_suffix("").as_posix() for path in GOLDEN.glob("*/*.json"))
OUTCOME = "outcome"  # which the module rollback_end makes, and no filter
BY_CASES = {"undo refusal", "release refusal", "list"}  # in test_refusal.py


def made(story):
    """The Report of a story, and what it read as."""
    kind = story.partition("/")[0].replace("-", " ")
    values = json.loads((GOLDEN / f"{story}.json").read_text())
    report = outcome(**values) if kind == OUTCOME else make_report(kind, values)
    return report, (GOLDEN / f"{story}.txt").read_text()


def outcome(outcome, message, around):
    """The Report that rollback_end makes, of what it took."""
    came_to = {name: tuple(value) if isinstance(value, list) else value for name, value in outcome.items()}
    return outcome_report(RunOutcome(**came_to), message, around)


@pytest.mark.parametrize("story", STORIES)
def test_it_reads_as_it_did(story):
    report, text = made(story)

    assert report.text() == text.splitlines()


@pytest.mark.parametrize("story", STORIES)
def test_a_program_gets_the_same(story):
    report, _text = made(story)
    told = json.loads(json.dumps(report.as_json()))

    assert told["kind"] == report.kind
    assert [(line["keyword"], line["text"], tuple(line["further"])) for line in told["lines"]] == [
        (line.keyword, line.text, line.further) for line in report.lines
    ]


@pytest.mark.parametrize(
    "story", [story for story in STORIES if not story.startswith(("refusal/", "failure/", "release-points/"))]
)
def test_every_line_has_its_keyword_or_goes_on_with_one(story):
    report, text = made(story)
    printed = [line for line in text.splitlines() if not line.startswith(("=====", "The application"))]

    assert [line for read in lines_read(printed) for line in read.printed()] == printed
    assert all(line.keyword is None or line.keyword == line.keyword.upper() for line in report.lines)


def test_no_story_holds_a_secret_of_the_lab():
    secrets = [
        world.DB_PASSWORD,
        quote(world.DB_PASSWORD, safe=""),
        world.ADMIN_PASSWORD,
        world.SESSION_SECRET,
        "postgresql://",
    ]
    texts = {path.name: path.read_text() for path in GOLDEN.rglob("*.*")}

    assert [(name, secret) for name, text in texts.items() for secret in secrets if secret in text] == []


def test_there_is_a_story_of_every_kind():
    assert {story.partition("/")[0].replace("-", " ") for story in STORIES} == {*KINDS, OUTCOME} - BY_CASES
