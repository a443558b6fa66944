# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds import make_report

STORY = Path(__file__).parent / "golden/plan/a-rollback-of-secrets-starts-again-what-reads-them.json"


@pytest.mark.parametrize(("step", "again"), [("deploy", True), ("done", False)])
def test_what_a_run_that_died_had_brought_back_is_read_with_the_deployment_that_is_left(step, again):
    """Its secrets are back, so that nothing of them changes any more."""
    values = json.loads(STORY.read_text())
    for secret in values["secrets"]["secrets"]:
        secret["changes"] = False
    values["deployment_plan"]["services"] = [{"name": "spymeo-app", "step": step}]
    (code,) = (line.text for line in make_report("plan", values).lines if line.keyword == "CODE")
    assert (" and is started again" in code) == again
