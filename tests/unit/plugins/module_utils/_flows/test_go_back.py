# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service whose target has failed goes back to; that it does is in tests/integration/test_releases.py."""

from __future__ import annotations

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._flows.go_back import former, served_last

from .._core.release.stories import arn, history, revision


@pytest.mark.parametrize(
    ("story", "failed", "number"),  # number: of the part that it goes back to
    [
        ("1, 2", "3", 1),
        ("1, 2 running", "3", 0),  # what crashes is nothing to go back to
        ("1, 2, 3 stopped", "4", 1),
        ("1, 2", "2", 0),  # nor is what has failed itself
        ("1, 2/image-1", "3/image-1", None),  # or the same image by another name
        ("1, 2, 3 back-to-0", "4", 0),
        ("1/a, 1/b", "1/a", 1),  # the image that failed is pinned; what the tag means served
        ("1 running", "2", None),
    ],
)
def test_it_goes_back_to_what_served_last_and_has_not_just_failed(story, failed, number):
    past, _now = history(story)
    target = revision(failed, 77)
    found = former(past, (target.task_definition,), target)
    expected = None if number is None else past[::-1][number].revision
    assert found == expected


def test_what_ecs_goes_back_to_is_what_succeeded_last():
    past, _now = history("1, 2, 3 running")
    assert served_last(past).task_definition == arn(2)
    assert served_last([]) is None
