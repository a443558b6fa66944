# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests/tools/record_reports writes down makes the same text again, and holds no more than that takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report

ROOT = Path(__file__).parents[6]
GOLDEN = Path(__file__).parent / "golden/undo-plan"
MAKE = """
import json, sys
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report
make_report("undo plan", json.load(sys.stdin))
make_report("list", dict(head="nothing is told", texts=[]))
"""


def test_a_report_is_written_down_with_what_it_was_made_of(tmp_path):
    story = next(GOLDEN.glob("*.json"))
    values = json.loads(story.read_text())
    values["undo"]["password"] = values["release"]["password"] = "nobody reads it"
    path = os.pathsep.join([str(ROOT / "tests/tools/record_reports"), str(ROOT / "collections")])
    environment = {**os.environ, "PYTHONPATH": path, "RECORDED_REPORTS": str(tmp_path)}
    subprocess.run([sys.executable, "-c", MAKE], input=json.dumps(values), text=True, env=environment, check=True)

    written = sorted(found.suffix for found in tmp_path.rglob("*.*"))
    assert written == [".json", ".txt"]
    (recorded,), (text,) = tmp_path.glob("undo-plan/*.json"), tmp_path.glob("undo-plan/*.txt")
    assert text.read_text() == story.with_suffix(".txt").read_text()
    assert "nobody reads it" not in recorded.read_text()
    assert make_report("undo plan", json.loads(recorded.read_text())).text() == text.read_text().splitlines()
