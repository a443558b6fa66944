# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report

STORY = (
    Path(__file__).parent / "golden/recommendation/the-command-goes-on-with-it-and-the-outcome-tells-the-whole-run.json"
)


@pytest.mark.parametrize(
    ("evidence", "title"),
    [
        ({}, "NONE: roll back nothing"),
        ({"unfinished": None, "at_work": ""}, "NONE: roll back nothing"),
        ({"unfinished": {"id": "rb-1"}}, "NONE: go on with run rb-1, or give it up, before anything else"),
        ({"unfinished": {"id": "rb-1"}, "at_work": "rb-2 works"}, "NONE: wait until the run that works is done"),
    ],
)
def test_the_first_line_is_what_comes_first(evidence, title):
    values = json.loads(STORY.read_text())
    values["found"]["evidence"].update({"unfinished": None, "at_work": "", **evidence})
    assert make_report("recommendation", values).text()[0] == "===== %s (confidence: medium) =====" % title
