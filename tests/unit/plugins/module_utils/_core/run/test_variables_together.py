# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with variables only together, or only now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables import FULL, SECRETS, TRIAGE, VERIFY
from ansible_collections.spymeo.rollback.plugins.module_utils._core.run.variables_together import (
    PAST,
    problems_together,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", PAST)
@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("2026-11-22T03:00:00Z", False),
        ("2026-11-22T04:00:00+02:00", False),
        ("2026-11-22T03:00:01Z", True),
        ("2062-11-22 03:00Z", True),
    ],
)
def test_a_time_that_is_to_be_before_the_harm_has_passed(name, value, wrong):
    found = problems_together({name: value}, FULL, NOW)
    assert bool(found) is wrong
    assert all(text.startswith(f"{name} is '{value}', which is in the future") for text in found)


def test_what_a_playbook_does_not_use_is_not_looked_at():
    assert problems_together({"rollback_point_in_time": "2062-11-22 03:00Z"}, VERIFY, NOW) == []
    assert len(problems_together({"rollback_point_in_time": "2062-11-22 03:00Z"}, TRIAGE, NOW)) == 1


@pytest.mark.parametrize(
    "nothing", [{}, {"rollback_secrets": None}, {"rollback_secrets": [], "rollback_parameters": ""}]
)
def test_a_rollback_of_secrets_has_something_to_do(nothing):
    (told,) = problems_together(nothing, SECRETS, NOW)
    assert told.startswith(
        "rollback_secrets and rollback_parameters are empty: there is nothing this playbook could do."
    )
    assert problems_together(nothing, FULL, NOW) == []
    assert problems_together({**nothing, "rollback_parameters": ["/a"]}, SECRETS, NOW) == []


@pytest.mark.parametrize("name", ["rollback_secret_versions", "rollback_secret_keys", "rollback_backup_secrets"])
def test_a_word_about_secrets_of_which_none_is_named_is_not_lost(name):
    assert f"{name} is about spymeo/app" in problems_together({name: {"spymeo/app": "x"}}, FULL, NOW)[0]
    assert problems_together({name: {"spymeo/app": "x"}, "rollback_secrets": ["spymeo/app"]}, FULL, NOW) == []
