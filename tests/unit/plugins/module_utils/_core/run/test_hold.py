# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.hold import describe_hold, placed, recorded


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ([], None),
        (["a"], "eve holds deployments back since noon: a"),
        (["a", "b"], "eve holds deployments back since noon: a and eve holds deployments back since noon: b"),
        (
            ["a", "b", "c"],
            "eve holds deployments back since noon: a, eve holds deployments back since noon: b and eve holds deployments back since noon: c",
        ),
    ],
)
def test_several_holds_are_one_sentence(reasons, told):
    record = recorded([placed("eve", "noon", reason) for reason in reasons]) if reasons else None

    assert describe_hold(record) == told
