# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.verdict import overall


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([], "inconclusive"),
        (["passed"], "passed"),
        (["passed", "inconclusive"], "inconclusive"),
        (["inconclusive", "failed", "passed"], "failed"),
    ],
)
def test_only_what_passed_throughout_has_passed(verdicts, verdict):
    assert overall(verdicts) == verdict
