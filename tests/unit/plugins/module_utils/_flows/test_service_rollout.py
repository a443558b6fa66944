# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is told of a service that a run has brought to 0 tasks, before it is deployed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.model.fence import Fence
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.service_rollout import ServiceRollout

STEP = SimpleNamespace(
    verb="deploy", reason="", task_definition="x/app:2", pins=(), edits=(), changes=SimpleNamespace(lines=())
)
DEFINITION = SimpleNamespace(arn="x/app:2", release="x/app:2", images=("app:2.0.0",))


def told(**service):
    seen = SimpleNamespace(name="app", task_definition="x/app:2", **service)
    return ServiceRollout(seen, DEFINITION, DEFINITION, STEP, []).to_result()["fence"]


@pytest.mark.parametrize(
    ("desired", "running", "fence", "text"),
    [
        (2, 2, None, ""),
        (0, 0, Fence("rb-1", 2, None), "app: desired count 0 -> 2; then the mark of run rb-1 is taken away"),
        (
            0,
            0,
            Fence("rb-1", 3, (False, False, False)),
            "app: desired count 0 -> 3; its scaling as it was (nothing suspended); then the mark of run rb-1 is taken away",
        ),
        # an earlier try has asked for them, and they do not come up
        (
            2,
            0,
            Fence("rb-1", 2, None),
            "app: desired count 2, and 0 of 2 tasks run: wait for the others; then the mark of",
        ),
        # the run died between the mark and the count
        (2, 2, Fence("rb-1", 2, None), "app: then the mark of run rb-1 is taken away"),
    ],
)
def test_what_becomes_of_a_fenced_service_is_told(desired, running, fence, text):
    found = told(desired=desired, running=running, fence=fence)
    assert found.startswith(text)
    assert bool(found) == bool(fence)
