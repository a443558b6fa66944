# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.ecs import Strategy


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({}, Strategy("ROLLING", 0.0)),
        ({"strategy": "ROLLING", "bakeTimeInMinutes": 5}, Strategy("ROLLING", 0.0)),
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}, Strategy("BLUE_GREEN", 300.0)),
        ({"strategy": "CANARY", "bakeTimeInMinutes": 5}, Strategy("CANARY", 900.0)),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryBakeTimeInMinutes": 60}}, Strategy("CANARY", 3600.0)),
        ({"strategy": "LINEAR"}, Strategy("LINEAR", 9 * 360.0)),
        (
            {
                "strategy": "LINEAR",
                "bakeTimeInMinutes": 1,
                "linearConfiguration": {"stepPercent": 30.0, "stepBakeTimeInMinutes": 2},
            },
            Strategy("LINEAR", 7 * 60.0),  # 30, 60, 90, 100 percent
        ),
    ],
)
def test_how_long_ecs_bakes_of_its_own(configuration, expected):
    assert Strategy.from_boto(configuration) == expected
