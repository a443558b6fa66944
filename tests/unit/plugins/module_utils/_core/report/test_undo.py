# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report

STORY = Path(__file__).parent / "golden/undo-plan/one-that-is-left-is-told.json"


@pytest.mark.parametrize(
    ("same", "code", "known"),
    [
        (False, "spymeo-app:3 -> spymeo-app:2 (", "release spymeo-app: spymeo-app:2 comes back, and it is what run "),
        (
            True,
            "spymeo-app:3 -> spymeo-app:2, the same release (",
            "data: the code stays; of the rest, it is what run ",
        ),
    ],
)
def test_a_copy_that_is_taken_back_is_no_release_that_comes_back(same, code, known):
    values = json.loads(STORY.read_text())
    values["code"]["services"][0]["same_release"] = same
    lines = {line.keyword: line.text for line in reversed(make_report("undo plan", values).lines)}
    assert lines["CODE"].startswith("spymeo-app: " + code)
    assert lines["BEWARE"].startswith(known)
