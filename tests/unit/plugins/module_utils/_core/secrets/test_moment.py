# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.spymeo.rollback.plugins.module_utils._core.secrets.moment import younger

BAD = datetime(2026, 11, 22, 3, tzinfo=UTC)
VERSIONS = [
    {"id": "new", "created": "2026-11-22T03:00:01+00:00"},
    {"id": "old", "created": "2026-11-22T03:00:00+00:00"},
]


@pytest.mark.parametrize(
    ("chosen", "bad_since", "told"),
    [("new", BAD, True), ("old", BAD, False), ("new", None, False), ("from a backup", BAD, False)],
)
def test_a_version_from_after_the_harm_is_named_with_both_times(chosen, bad_since, told):
    found = younger([{"name": "app", "chosen": chosen, "versions": VERSIONS}], bad_since)
    assert bool(found) is told
    for text in found:
        assert "app: version new was made at 2026-11-22T03:00:01" in text
        assert "rollback_despite_moment=true" in text
